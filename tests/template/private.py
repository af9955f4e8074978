"""A repository behind a password on loopback, and one behind ssh without a server."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

# What `ssh` gets as arguments: options, host, and a command that names the repository in quotes.
SSH = """\
#!/bin/sh
for word; do command=$word; done
case "$*" in *git@git.example.com*) ;; *) echo "ssh: Could not resolve hostname" >&2; exit 255 ;; esac
exec sh -c "$(printf %s "$command" | sed "s#'[^']*'#'{repository}'#")"
"""


def ssh_to(repository: Path, folder: Path) -> Path:
    """Return a program that Git takes for ssh: it reaches one repository, as git@git.example.com."""
    program = folder / "ssh"
    program.write_text(SSH.replace("{repository}", str(repository)))
    program.chmod(0o755)
    return program


class _Guarded(BaseHTTPRequestHandler):
    """Git's own program for HTTP, behind a name and a password or a token in the address."""

    root = ""
    secret = ""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _answer(self, given: bytes) -> None:
        where = urlsplit(self.path)
        known = base64.b64encode(f"kim:{self.secret}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {known}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="risk"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        environment = os.environ | {
            "GIT_PROJECT_ROOT": self.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": where.path,
            "QUERY_STRING": where.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type") or "",
            "CONTENT_LENGTH": str(len(given)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
        }
        done = subprocess.run(["git", "http-backend"], input=given, capture_output=True, env=environment)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def guarded(folder: Path, secret: str) -> Iterator[str]:
    """Give host and port at which the repositories in a folder are, for kim with a password."""
    handler = type("Handler", (_Guarded,), {"root": str(folder), "secret": secret})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
