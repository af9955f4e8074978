"""Addresses of repositories without the passwords and tokens that people put into them."""

from __future__ import annotations

import re

# Up to the last @ before the path, as Git reads it.
WITH_SOMEBODY = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<who>[^/\s'\"]*)@")


def without_credentials(text: str) -> str:
    """Return a text without user name, password and token in each address in it.

    A user name for ssh stays: it is no secret, and the address does not work without it.
    """
    return WITH_SOMEBODY.sub(_without, text)


def _without(match: re.Match[str]) -> str:
    scheme, user = match["scheme"], match["who"].partition(":")[0]
    return f"{scheme}://{user}@" if scheme.lower().endswith("ssh") and user else f"{scheme}://"
