"""What macOS says of processes (libproc, sysctl). Not tried on a Mac: unit-tested with injected calls."""

import ctypes
import ctypes.util
import os
import struct
from collections.abc import Callable
from typing import Protocol

from trainer.run.process.kernel import ProcStat
from trainer.run.run_errors import RunError

# struct proc_bsdinfo of <sys/proc_info.h>: status at 4, pid 12, ppid 16, ruid 28, pgid 100, start 120.
BSDINFO_BYTES = 136
STATUS_LETTERS = {1: "I", 2: "R", 3: "S", 4: "T", 5: "Z"}
PROC_PIDLISTFDS, PROC_PIDTBSDINFO = 1, 3
FD_VNODE, PROC_PIDFDVNODEINFO = 1, 1
VNODE_BYTES = 24 + 136 + 4 + 4 + 8  # proc_fileinfo, vinfo_stat, type, pad, fsid
DEVICE_OFFSET, INODE_OFFSET = 24, 32
CTL_KERN, KERN_PROCARGS2 = 1, 49


class Darwin(Protocol):
    """The five calls that are made of the kernel. Each returns empty bytes where the process is gone."""

    def sysctl_by_name(self, name: str) -> bytes:
        """`sysctlbyname(3)`."""

    def process_arguments(self, pid: int) -> bytes:
        """`sysctl` KERN_PROCARGS2: argc, path, arguments and environment, joined by NUL."""

    def all_pids(self) -> list[int]:
        """`proc_listallpids`."""

    def pid_info(self, pid: int, flavor: int, size: int) -> bytes:
        """`proc_pidinfo`."""

    def fd_info(self, pid: int, fd: int, flavor: int, size: int) -> bytes:
        """`proc_pidfdinfo`."""


class MacReader:
    """A `ProcessReader` for macOS."""

    def __init__(self, darwin: Darwin | None = None, session_of: Callable[[int], int] = os.getsid) -> None:
        self._darwin = darwin or LibSystem()
        self._session_of = session_of

    def boot_id(self) -> str:
        """`kern.bootsessionuuid`."""
        text = self._darwin.sysctl_by_name("kern.bootsessionuuid").split(b"\0")[0].decode()
        if not text:
            raise RunError("cannot read kern.bootsessionuuid")
        return text

    def pids(self) -> list[int]:
        """Every process."""
        return [pid for pid in self._darwin.all_pids() if pid > 0]

    def stat(self, pid: int) -> ProcStat | None:
        """One process; `start` in microseconds, as the kernel stored it at fork."""
        raw = self._darwin.pid_info(pid, PROC_PIDTBSDINFO, BSDINFO_BYTES)
        if len(raw) < BSDINFO_BYTES:
            return None
        status, _, found, ppid = struct.unpack_from("<IIII", raw, 4)
        (uid,) = struct.unpack_from("<I", raw, 28)
        (group,) = struct.unpack_from("<I", raw, 100)
        seconds, microseconds = struct.unpack_from("<QQ", raw, 120)
        try:
            session = self._session_of(pid)
        except OSError:
            session = -1
        return ProcStat(
            pid=found,
            ppid=ppid,
            pgrp=group,
            session=session,
            uid=uid,
            start=seconds * 1_000_000 + microseconds,
            state=STATUS_LETTERS.get(status, "S"),
        )

    def environ(self, pid: int) -> bytes:
        """Its environment: what follows path, padding and `argc` arguments."""
        raw = self._darwin.process_arguments(pid)
        if len(raw) < 4:
            return b""
        (argc,) = struct.unpack_from("<i", raw)
        _, _, rest = raw[4:].partition(b"\0")
        words = rest.lstrip(b"\0").split(b"\0")
        return b"\0".join(word for word in words[argc:] if b"=" in word)

    def opens(self, pid: int, device: int, inode: int) -> bool:
        """Whether one of its vnode descriptors is this file."""
        table = self._darwin.pid_info(pid, PROC_PIDLISTFDS, 8 * 4096)
        for at in range(0, len(table) - 7, 8):
            fd, kind = struct.unpack_from("<iI", table, at)
            if kind != FD_VNODE:
                continue
            raw = self._darwin.fd_info(pid, fd, PROC_PIDFDVNODEINFO, VNODE_BYTES)
            if len(raw) < INODE_OFFSET + 8:
                continue
            (found_device,) = struct.unpack_from("<I", raw, DEVICE_OFFSET)
            (found_inode,) = struct.unpack_from("<Q", raw, INODE_OFFSET)
            if (found_device, found_inode) == (device & 0xFFFFFFFF, inode):
                return True
        return False

    def locks(self, pid: int, device: int, inode: int) -> bool | None:  # noqa: ARG002
        """Unknown: macOS does not tell who shares a flock; `opens` decides."""
        return None


class LibSystem:
    """The real calls, bound by ctypes on first use."""

    def __init__(self) -> None:
        self._lib = ctypes.CDLL(ctypes.util.find_library("System") or "libSystem.dylib", use_errno=True)

    def sysctl_by_name(self, name: str) -> bytes:
        """`sysctlbyname(3)`."""
        size = ctypes.c_size_t(256)
        buffer = ctypes.create_string_buffer(size.value)
        failed = self._lib.sysctlbyname(name.encode(), buffer, ctypes.byref(size), None, ctypes.c_size_t(0))
        return b"" if failed else buffer.raw[: size.value]

    def process_arguments(self, pid: int) -> bytes:
        """`sysctl` KERN_PROCARGS2."""
        query = (ctypes.c_int * 3)(CTL_KERN, KERN_PROCARGS2, pid)
        size = ctypes.c_size_t(1 << 20)
        buffer = ctypes.create_string_buffer(size.value)
        failed = self._lib.sysctl(
            query, ctypes.c_uint(3), buffer, ctypes.byref(size), None, ctypes.c_size_t(0)
        )
        return b"" if failed else buffer.raw[: size.value]

    def all_pids(self) -> list[int]:
        """`proc_listallpids`."""
        room = self._lib.proc_listallpids(None, 0) + 64
        buffer = (ctypes.c_int * room)()
        count = self._lib.proc_listallpids(buffer, ctypes.sizeof(buffer))
        return list(buffer[: max(count, 0)])

    def pid_info(self, pid: int, flavor: int, size: int) -> bytes:
        """`proc_pidinfo`."""
        buffer = ctypes.create_string_buffer(size)
        got = self._lib.proc_pidinfo(pid, flavor, ctypes.c_uint64(0), buffer, size)
        return buffer.raw[: max(got, 0)]

    def fd_info(self, pid: int, fd: int, flavor: int, size: int) -> bytes:
        """`proc_pidfdinfo`."""
        buffer = ctypes.create_string_buffer(size)
        got = self._lib.proc_pidfdinfo(pid, fd, flavor, buffer, size)
        return buffer.raw[: max(got, 0)]
