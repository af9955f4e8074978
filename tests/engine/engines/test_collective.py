"""Sockets that XGBoost opens to everybody, held to this machine."""

import socket
import sys
import threading

import pytest

from acceleray.engines.ray import collective
from acceleray.engines.ray.collective import hold_listeners, hold_to_loopback

linux = pytest.mark.skipif(sys.platform != "linux", reason="devices are named as on Linux")


def device(listener: socket.socket) -> str:
    found = listener.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
    return found.rstrip(b"\0").decode()


@linux
def test_a_listener_on_all_addresses_hears_this_machine_alone() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        assert hold_to_loopback(listener)
        assert device(listener) == "lo"
        with socket.create_connection(listener.getsockname(), timeout=60):
            assert listener.accept()[1][0] == "127.0.0.1"


@linux
def test_every_listener_on_all_addresses_is_held_and_no_other() -> None:
    with (
        socket.create_server(("0.0.0.0", 0)) as everybody,
        socket.create_server(("127.0.0.1", 0)) as mine,
        socket.socket() as idle,
    ):
        hold_listeners()
        assert (device(everybody), device(mine), device(idle)) == ("lo", "", "")


@linux
def test_a_listener_is_held_while_it_is_made_by_somebody_else() -> None:
    with collective._held_to_loopback(), socket.create_server(("0.0.0.0", 0)) as listener:
        ended = threading.Event()
        for _ in range(30_000):
            if device(listener) == "lo":
                break
            ended.wait(0.01)
        assert device(listener) == "lo"


def test_where_it_cannot_be_done_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not hold_to_loopback(listener)
