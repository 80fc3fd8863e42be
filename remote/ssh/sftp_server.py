"""Runs on a host whose SSH server offers no SFTP: version 3 on stdin and stdout. Python 3.6, sent as text.

It does what any SFTP server does for the user whose login it is, in the calls that our transfers make.
"""

import errno
import os
import stat
import struct
import sys
from typing import BinaryIO, Dict, Iterator, List, Optional, Tuple, Union

INIT, VERSION, OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT = range(1, 11)
OPENDIR, READDIR, REMOVE, MKDIR, RMDIR, REALPATH, STAT, RENAME = range(11, 19)
STATUS, HANDLE, DATA, NAME, ATTRS, EXTENDED = 101, 102, 103, 104, 105, 200
OK, EOF, NO_FILE, DENIED, FAILURE, UNSUPPORTED = 0, 1, 2, 3, 4, 8
POSIX_RENAME = b"posix-rename@openssh.com"
HOW = ((4, os.O_APPEND), (8, os.O_CREAT), (16, os.O_TRUNC), (32, os.O_EXCL))
LARGEST, MOST_READ, ROWS = 1 << 20, 255 << 10, 100


Answer = Tuple[bytes, bytes]
Row = Tuple[bytes, Optional[os.stat_result]]


class Fields:
    """The fields of a request, one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def number(self, kind: str = ">I") -> int:
        """A number of 32 bits, or as `kind` says."""
        (value,) = struct.unpack_from(kind, self.data, self.at)
        self.at += struct.calcsize(kind)
        return int(value)

    def text(self) -> bytes:
        """A string of bytes."""
        size = self.number()
        value = self.data[self.at : self.at + size]
        if len(value) < size:
            raise ValueError("a request is cut short")
        self.at += size
        return value

    def attributes(self) -> Tuple[Optional[int], Optional[int], Optional[Tuple[int, int]]]:
        """Of those that may be set: size, mode, times; absent ones are None."""
        flags = self.number()
        size = self.number(">Q") if flags & 1 else None
        if flags & 2:
            self.number(">Q")  # owner and group: nobody sets them here
        mode = self.number() if flags & 4 else None
        times = (self.number(), self.number()) if flags & 8 else None
        return size, mode, times


def text(value: bytes) -> bytes:
    """A string as it is sent."""
    return struct.pack(">I", len(value)) + value


def attributes(found: os.stat_result) -> bytes:
    """What `stat` told, as it is sent."""
    times = (int(found.st_atime) & 0xFFFFFFFF, int(found.st_mtime) & 0xFFFFFFFF)
    owner = (found.st_uid & 0xFFFFFFFF, found.st_gid & 0xFFFFFFFF)
    return struct.pack(">IQIIIII", 15, found.st_size, owner[0], owner[1], found.st_mode, times[0], times[1])


def about(path: bytes) -> Optional[os.stat_result]:
    """What a name of a folder is; None where it has just gone."""
    try:
        return os.lstat(path)
    except OSError:
        return None


class Server:
    """The open files and folders of one client."""

    def __init__(self) -> None:
        self.open: Dict[bytes, Union[int, Iterator[Row]]] = {}
        self.next = 0

    def keep(self, value: Union[int, Iterator[Row]]) -> Answer:
        """A handle for an open file, or for the names of a folder."""
        self.next += 1
        name = b"%d" % self.next
        self.open[name] = value
        return bytes([HANDLE]), text(name)

    def answer(self, kind: int, fields: Fields) -> Answer:
        """Type and rest of the answer to one request."""
        if kind == OPEN:
            path, flags = fields.text(), fields.number()
            mode = fields.attributes()[1]
            how = {1: os.O_RDONLY, 2: os.O_WRONLY, 3: os.O_RDWR}[flags & 3]
            how |= sum(bit for wire, bit in HOW if flags & wire)
            return self.keep(os.open(path, how, 0o600 if mode is None else mode & 0o777))
        if kind == OPENDIR:
            return self.keep(self.rows(fields.text()))
        if kind in (CLOSE, READ, WRITE, FSTAT, FSETSTAT, READDIR):
            return self.on_handle(kind, fields)
        if kind == EXTENDED:
            if fields.text() != POSIX_RENAME:
                return status(UNSUPPORTED, "not known here")
            os.replace(fields.text(), fields.text())
            return status(OK)
        return on_path(kind, fields)

    @staticmethod
    def rows(path: bytes) -> Iterator[Row]:
        """The names of a folder, each with what it is, read when they are asked for."""
        return ((name, about(os.path.join(path or b".", name))) for name in os.listdir(path or b"."))

    def on_handle(self, kind: int, fields: Fields) -> Answer:
        """What is asked of something open."""
        name = fields.text()
        here = self.open[name]
        if kind == CLOSE:
            del self.open[name]
            if isinstance(here, int):
                os.close(here)
            return status(OK)
        if not isinstance(here, int):
            found = [row for _, row in zip(range(ROWS), here)]
            return names(found) if found else status(EOF, "the end")
        if kind == READ:
            offset, size = fields.number(">Q"), fields.number()
            data = os.pread(here, min(size, MOST_READ), offset)
            return (bytes([DATA]), text(data)) if data else status(EOF, "the end")
        if kind == WRITE:
            offset, data = fields.number(">Q"), fields.text()
            while data:
                count = os.pwrite(here, data, offset)
                data, offset = data[count:], offset + count
            return status(OK)
        if kind == FSTAT:
            return bytes([ATTRS]), attributes(os.fstat(here))
        return change(here, fields)


def on_path(kind: int, fields: Fields) -> Answer:
    """What is asked of a path."""
    path = fields.text()
    if kind in (STAT, LSTAT):
        return bytes([ATTRS]), attributes(os.stat(path) if kind == STAT else os.lstat(path))
    if kind == REALPATH:
        return names([(os.path.realpath(path or b"."), None)])
    if kind == SETSTAT:
        return change(path, fields)
    if kind == RENAME:
        target = fields.text()
        if os.path.lexists(target):
            raise OSError(errno.EEXIST, "there is one already")
        os.rename(path, target)
    elif kind == MKDIR:
        mode = fields.attributes()[1]
        os.mkdir(path, 0o700 if mode is None else mode & 0o777)
    elif kind == REMOVE:
        os.unlink(path)
    elif kind == RMDIR:
        os.rmdir(path)
    else:
        return status(UNSUPPORTED, "not known here")
    return status(OK)


def change(what: Union[int, bytes], fields: Fields) -> Answer:
    """Set size, mode and times."""
    size, mode, times = fields.attributes()
    if size is not None:
        os.truncate(what, size)
    if mode is not None:
        os.chmod(what, stat.S_IMODE(mode))
    if times is not None:
        os.utime(what, times)
    return status(OK)


def names(rows: List[Row]) -> Answer:
    """Names, with what each is where that is known."""
    parts = [struct.pack(">I", len(rows))]
    for name, found in rows:
        parts += [text(name), text(name), struct.pack(">I", 0) if found is None else attributes(found)]
    return bytes([NAME]), b"".join(parts)


def status(code: int, words: str = "") -> Answer:
    """How it went."""
    return bytes([STATUS]), struct.pack(">I", code) + text(words.encode("utf-8", "replace")) + text(b"")


def trouble(error: Exception) -> Answer:
    """The status of an error."""
    codes = {errno.ENOENT: NO_FILE, errno.EACCES: DENIED, errno.EPERM: DENIED}
    number = error.errno if isinstance(error, OSError) and error.errno is not None else 0
    return status(codes.get(number, FAILURE), getattr(error, "strerror", None) or str(error))


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer every request until the other end leaves."""
    server = Server()
    while True:
        head = source.read(4)
        if len(head) < 4:
            return
        (size,) = struct.unpack(">I", head)
        if not 0 < size <= LARGEST:
            return
        body = source.read(size)
        if len(body) < size:
            return
        kind, fields = body[0], Fields(body[1:])
        if kind == INIT:
            answer = bytes([VERSION]) + struct.pack(">I", 3) + text(POSIX_RENAME) + text(b"1")
        else:
            number = body[1:5]
            fields.at = 4
            try:
                first, rest = server.answer(kind, fields)
            except Exception as error:  # one bad request costs itself
                first, rest = trouble(error)
            answer = first + number + rest
        sink.write(struct.pack(">I", len(answer)) + answer)
        sink.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
