"""Copy a template from elsewhere, with its password in no file and a plain line where it is not reached."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from copier import _vcs

from acceleray_cli import git, git_settings
from acceleray_cli.addresses import WITH_PASSWORD
from acceleray_cli.refusals import RefusedError

PROXIES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY")
# What mends it, by what Git says. The first that fits; the last fits always.
ADVICE = (
    (r"certificate|SSL|TLS", "set GIT_SSL_CAINFO to the file with the certificates of your company"),
    (r"proxy|CONNECT tunnel", "set HTTPS_PROXY to the proxy, or NO_PROXY to the host to go around it"),
    (
        r"could not read (Username|Password)|Authentication failed|HTTP Basic|error: 40[13]",
        "give a password to a credential helper of Git (git help credentials) until git ls-remote {} answers",
    ),
    (r"Host key", "run git ls-remote {} once, and accept the host key if it is correct"),
    (r"Permission denied|publickey", "load your key with ssh-add until git ls-remote {} answers"),
    (r"", "git ls-remote {} has to answer"),
)


@contextmanager
def copied(address: str, secret: str, copy: Path, record: Path | None) -> Iterator[None]:
    """Give a copy of a repository, without the content of files, while Git knows the password for more.

    Args:
        address: Where it is, without a password.
        secret: The same, with one if there is one.
        copy: A folder that is not there yet, in a temporary one.
        record: The file that names the address, if a project does.

    Raises:
        RefusedError: it is not reached.
    """
    if WITH_PASSWORD.match(secret):
        raise RefusedError(
            f"The template's address {address} had a password and has no scheme;"
            " write https://USER:PASSWORD@HOST/PATH or, for ssh and without a password, git@HOST:PATH."
        )
    with (
        git_settings.environment(_cache(copy.parent)),
        git_settings.configured(_rewritten(address, secret, copy)),
    ):
        command = ("clone", "--quiet", "--filter=blob:none", "--no-checkout", "--")
        ended = git.run(copy.parent, *command, address, str(copy))
        if ended.returncode:
            why = git.why(ended).rstrip(".")
            advice = _proxy(why) or next(some for words, some in ADVICE if re.search(words, why))
            advice = advice.format(address)
            moved = f"; if it moved, change _src_path in {record} and commit" if record else ""
            raise RefusedError(f"The template cannot be reached: {why}; {advice}{moved}.")
        yield


def _proxy(why: str) -> str | None:
    """Return what to do if it is the proxy that does not answer: curl names its host, and not what it is."""
    for name in PROXIES:
        proxy = os.environ.get(name, "")
        host = urlsplit(proxy if "://" in proxy else f"//{proxy}").hostname
        if host and re.search(rf"(connect to|resolve proxy:) {re.escape(host)}\b", why):
            return f"{name} names this proxy; correct it, or set NO_PROXY to the host to go around it"
    return None


def _rewritten(address: str, secret: str, copy: Path) -> dict[str, str]:
    """Return settings by which Git goes to an address with a password where it is told one without.

    No file has the password then, neither a project nor a clone nor the copy that Copier keeps.
    """
    if address == secret:
        return {}
    # Git rewrites an address once, so what the user's own settings make of it is asked for here.
    goal = git.read(copy.parent, "ls-remote", "--get-url", "--", secret)
    return {f"url.{goal}.insteadOf": address}


def _cache(scratch: Path) -> dict[str, str]:
    """Return where Copier keeps its copy: in a temporary folder where its own cannot be written."""
    try:
        folder = _vcs._get_cache_dir()
        if not folder.is_absolute():
            raise OSError
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writable-", dir=folder):
            return {}
    except (OSError, RuntimeError):
        return {_vcs.CACHE_DIR_ENV_VAR: os.fspath(scratch / "copier")}
