"""Addresses of repositories without the passwords and tokens that people put into them."""

from __future__ import annotations

import re
from urllib.parse import unquote

# Up to the last @ before the path, as Git reads it; with a slash in a password, which nobody should write
# so, no number of a port stands before it.
WITH_SOMEBODY = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):/{1,2}"
    r"(?P<who>[^/\s'\"]*|[^/\s:@]*:(?!\d*/)[^\s@]*)@(?=[\w.\[-])"
)
# The form host:path has no place for a password, nor has an address without its scheme: both are mistakes.
WITH_PASSWORD = re.compile(r"(?<![\w.+-])[\w.+-]+:[^\s@/:'\"]+@(?=[\w.-]+[:/])")
PARAMETERS = re.compile(r"(?P<place>[A-Za-z][\w+.-]*:/{1,2}[^\s'\"<>?#]*)(?P<given>[?#][^\s'\"<>]*)")
# Names of parameters that grant something.
SECRET = re.compile(r"token|passw|pwd|secret|key|auth|sig|credential|jwt|\bpat\b|\bsas\b", re.IGNORECASE)


def without_credentials(text: str) -> str:
    """Return a text without user name, password and token in each address in it.

    A user name for ssh stays: it is no secret, and the address does not work without it.
    """
    found = WITH_SOMEBODY.sub(_without, text)
    return PARAMETERS.sub(_unsigned, WITH_PASSWORD.sub("", found))


def whole_without_credentials(address: str) -> str:
    """Return an address, of which all of the text is one, without what `without_credentials` takes out.

    A password may have blanks and quotes in it, at which an address in a text ends.
    """
    scheme, mark, rest = address.partition("://")
    who, at = rest.partition("/")[0].rpartition("@")[:2]
    if mark and at and re.search(r"[\s'\"]", who):
        user = who.partition(":")[0] if scheme.lower().endswith("ssh") else ""
        address = f"{scheme}://{user and f'{user}@'}{rest[len(who) + 1 :]}"
    return without_credentials(address)


def _without(match: re.Match[str]) -> str:
    scheme, user = match["scheme"], match["who"].partition(":")[0]
    return f"{scheme}://{user}@" if scheme.lower().endswith("ssh") and user else f"{scheme}://"


def _unsigned(match: re.Match[str]) -> str:
    """Return an address with those of its parameters that grant nothing."""
    parts = re.split(r"([&;#?])", match["given"])
    kept = [
        mark + parameter
        for mark, parameter in zip(parts[1::2], parts[2::2], strict=True)
        if parameter and not SECRET.search(unquote(parameter.partition("=")[0]))
    ]
    # The first that stays gets the mark at the front.
    text = "".join(kept)
    return match["place"] + (match["given"][0] + text[1:] if text else "")
