"""macOS behind the same names, with the kernel's answers injected. Not tried on a Mac."""

import struct

import pytest

from trainer.run.process.identity import identify, is_alive
from trainer.run.process.kernel_macos import BSDINFO_BYTES, VNODE_BYTES, MacReader
from trainer.run.run_errors import RunError

START = (1_700_000_000, 123_456)


def bsdinfo(pid: int, status: int = 3) -> bytes:
    raw = bytearray(BSDINFO_BYTES)
    struct.pack_into("<IIII", raw, 4, status, 0, pid, 77)
    struct.pack_into("<I", raw, 28, 501)
    struct.pack_into("<I", raw, 100, 90)
    struct.pack_into("<QQ", raw, 120, *START)
    return bytes(raw)


class FakeDarwin:
    def __init__(self, status: int = 3, boot: bytes = b"9C3B-UUID\0") -> None:
        self.status, self.boot = status, boot

    def sysctl_by_name(self, name: str) -> bytes:
        return self.boot if name == "kern.bootsessionuuid" else b""

    def process_arguments(self, pid: int) -> bytes:
        words = b"/usr/bin/python3\0\0\0\0python3\0-c\0A=no environment\0"
        words += b"PHOTINUS_RUN_TOKEN=abc\0HOME=/Users/x\0\0"
        return struct.pack("<i", 3) + words if pid == 42 else b""

    def all_pids(self) -> list[int]:
        return [0, 42]

    def pid_info(self, pid: int, flavor: int, size: int) -> bytes:
        if pid != 42:
            return b""
        if flavor == 3:
            return bsdinfo(pid, self.status)
        return struct.pack("<iIiI", 3, 2, 5, 1)  # a socket at 3, a vnode at 5

    def fd_info(self, pid: int, fd: int, flavor: int, size: int) -> bytes:
        raw = bytearray(VNODE_BYTES)
        struct.pack_into("<I", raw, 24, 16777220)
        struct.pack_into("<Q", raw, 32, 998877)
        return bytes(raw) if fd == 5 else b""


def test_process_is_read() -> None:
    reader = MacReader(FakeDarwin(), session_of=lambda pid: 42)
    stat = reader.stat(42)
    assert stat is not None
    assert (stat.pid, stat.ppid, stat.pgrp, stat.session, stat.uid, stat.state) == (42, 77, 90, 42, 501, "S")
    assert stat.start == START[0] * 1_000_000 + START[1]
    assert reader.stat(43) is None
    assert reader.pids() == [42]


def test_zombie_is_not_alive() -> None:
    reader = MacReader(FakeDarwin(), session_of=lambda pid: 42)
    identity = identify(42, reader)
    assert identity is not None
    assert identity.boot_id == "9C3B-UUID"
    assert is_alive(identity, reader)
    assert not is_alive(identity, MacReader(FakeDarwin(status=5), session_of=lambda pid: 42))
    assert not is_alive(identity, MacReader(FakeDarwin(boot=b"later\0"), session_of=lambda pid: 42))


def test_environment_starts_after_the_arguments() -> None:
    reader = MacReader(FakeDarwin())
    assert reader.environ(42).split(b"\0") == [b"PHOTINUS_RUN_TOKEN=abc", b"HOME=/Users/x"]
    assert reader.environ(43) == b""


def test_open_file_is_found_by_device_and_inode() -> None:
    reader = MacReader(FakeDarwin())
    assert reader.opens(42, 16777220, 998877)
    assert not reader.opens(42, 16777220, 998878)
    assert reader.locks(42, 16777220, 998877) is None


def test_session_that_may_not_be_asked_for_matches_nothing() -> None:
    def refused(pid: int) -> int:
        raise PermissionError

    stat = MacReader(FakeDarwin(), session_of=refused).stat(42)
    assert stat is not None
    assert stat.session == -1


def test_missing_boot_id_is_an_error() -> None:
    with pytest.raises(RunError, match="bootsessionuuid"):
        MacReader(FakeDarwin(boot=b"")).boot_id()
