"""XGBoost's connections between the processes that train one model, held to loopback in profile local.

XGBoost binds the sockets on which such processes wait for each other to all addresses of the machine and has
no setting for that. Where everything is on one machine, nobody outside has any business with them.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ray.train.xgboost import XGBoostConfig

_EVERY_S = 0.002
# Python's socket module does not have it; from netinet/in.h.
_DARWIN_IP_BOUND_IF = 25
_LOOPBACK = {"linux": "lo", "darwin": "lo0"}


@dataclass
class Collective(XGBoostConfig):
    """XGBoost's own set-up, told whether all its processes are on this machine."""

    loopback: bool = False

    @property
    def train_func_context(self) -> Any:
        """Return what is entered around the training in each process."""
        connected = super().train_func_context

        @contextmanager
        def context() -> Iterator[None]:
            if not self.loopback:
                with connected():
                    yield
                return
            with ExitStack() as stack:
                # The sockets are made as the processes connect to each other, and none later.
                with _held_to_loopback():
                    stack.enter_context(connected())
                yield

        return context


@contextmanager
def _held_to_loopback() -> Iterator[None]:
    """Hold sockets that come to listen while the block runs, each as soon as it is there."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_EVERY_S):
            hold_listeners()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        hold_listeners()


def hold_listeners() -> None:
    """Hold every socket of this process to loopback that listens on all addresses."""
    for name in os.listdir("/dev/fd"):
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as listener:
            if listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) and _open_to_all(listener):
                hold_to_loopback(listener)


def _open_to_all(listener: socket.socket) -> bool:
    return listener.family in (socket.AF_INET, socket.AF_INET6) and listener.getsockname()[0] in (
        "0.0.0.0",
        "::",
    )


def hold_to_loopback(listener: socket.socket) -> bool:
    """Let a listening socket accept connections from this machine alone; return whether that was possible.

    Linux (from 5.7 on for everybody) and macOS can do it.
    """
    name = _LOOPBACK.get(sys.platform)
    if name is None:
        return False
    try:
        if sys.platform == "linux":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode() + b"\0")
        else:
            listener.setsockopt(socket.IPPROTO_IP, _DARWIN_IP_BOUND_IF, socket.if_nametoindex(name))
    except OSError:
        return False
    return True
