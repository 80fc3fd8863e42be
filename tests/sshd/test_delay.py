"""The slow road: what it delays, holds back, cuts and counts."""

import collections
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.sshd.delay import DelayProxy
from tests.waiting import wait_until


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A server that says everything back."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(peer,), daemon=True).start()

    def answer(peer: socket.socket) -> None:
        with contextlib.suppress(OSError), peer:
            while data := peer.recv(1 << 16):
                peer.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def round_trip(peer: socket.socket) -> float:
    began = time.monotonic()
    peer.sendall(b"x")
    assert peer.recv(1) == b"x"
    return time.monotonic() - began


def test_each_direction_is_delayed(echo_port: int) -> None:
    with DelayProxy(echo_port, 0.05) as road, socket.create_connection(("127.0.0.1", road.port), 5) as peer:
        assert 0.1 <= round_trip(peer) < 1.0
        road.delay_s = 0.0
        assert round_trip(peer) < 0.1


def test_much_arrives_whole_and_is_counted(echo_port: int) -> None:
    sent = bytes(range(256)) * (1 << 12)
    with DelayProxy(echo_port, 0.01) as road, socket.create_connection(("127.0.0.1", road.port), 5) as peer:
        threading.Thread(target=peer.sendall, args=(sent,), daemon=True).start()
        heard = bytearray()
        while len(heard) < len(sent):
            heard += peer.recv(1 << 16)
        assert heard == sent
        wait_until(lambda: road.to_client == len(sent), 5.0, "what was heard to be counted")
        assert (road.to_target, road.accepted) == (len(sent), 1)


def test_a_pause_is_silent_and_loses_nothing(echo_port: int) -> None:
    with DelayProxy(echo_port) as road, socket.create_connection(("127.0.0.1", road.port), 5) as peer:
        round_trip(peer)
        road.pause()
        peer.sendall(b"held")
        peer.settimeout(0.1)
        with pytest.raises(TimeoutError):
            peer.recv(1)
        with socket.create_connection(("127.0.0.1", road.port), 5) as late:
            late.sendall(b"new")
            late.settimeout(0.1)
            with pytest.raises(TimeoutError):
                late.recv(1)
            road.resume()
            for one, said in ((peer, b"held"), (late, b"new")):
                one.settimeout(5)
                assert one.recv(10) == said


def test_a_cut_is_felt_at_once_and_the_next_connection_is_served(echo_port: int) -> None:
    with DelayProxy(echo_port) as road:
        with socket.create_connection(("127.0.0.1", road.port), 5) as peer:
            round_trip(peer)
            road.cut()
            with pytest.raises(ConnectionResetError):
                peer.recv(1)
        with socket.create_connection(("127.0.0.1", road.port), 5) as peer:
            round_trip(peer)


def test_a_cut_can_be_laid_at_a_byte(echo_port: int) -> None:
    with DelayProxy(echo_port) as road, socket.create_connection(("127.0.0.1", road.port), 5) as peer:
        road.cut_after(10)
        peer.sendall(bytes(100))
        wait_until(lambda: road.to_client == 10, 5.0, "ten bytes to have gone")
        with pytest.raises(ConnectionResetError):
            collections.deque(iter(lambda: peer.recv(100), b""), maxlen=0)


def test_the_end_of_a_stream_goes_through(echo_port: int) -> None:
    with DelayProxy(echo_port) as road, socket.create_connection(("127.0.0.1", road.port), 5) as peer:
        peer.sendall(b"last")
        peer.shutdown(socket.SHUT_WR)
        assert peer.recv(10) == b"last"
        assert peer.recv(10) == b""
