"""Packed bytes to bytes, within bounds: what unpacks to far more than any text would is refused."""

import gzip
import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from trainer.data.data_errors import BadFileError
from trainer.data.display_names import shown

CHUNK = 1 << 20
BROKEN = (zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, struct.error, OSError, ValueError)


class TooMuchError(BadFileError):
    """A file that unpacks to more than its bounds allow; no part of it is worth a second look."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one file may unpack to.

    Attributes:
        bytes: All its parts together.
        ratio: Times its packed length; English packs to about a third, a bomb to a thousandth.
        slack: Bytes below which the ratio is not looked at.
        depth: Packings within each other: 2 allows a .gz in a .zip.
    """

    bytes: int = 4 << 30
    ratio: int = 200
    slack: int = 16 << 20
    depth: int = 3


class Allowance:
    """What one file on disk may still unpack to; shared by all that lies within it."""

    def __init__(self, packed: int, bounds: Bounds) -> None:
        self._bounds, self._packed, self._unpacked = bounds, packed, 0

    def take(self, unpacked: int, name: str) -> None:
        """Account for `unpacked` more bytes.

        Raises:
            TooMuchError: that is more than the bounds allow.
        """
        self._unpacked += unpacked
        bounds = self._bounds
        if self._unpacked > bounds.bytes or self._unpacked > max(bounds.slack, bounds.ratio * self._packed):
            raise TooMuchError(
                f"{shown(name)}: {self._packed:,} bytes unpack to more than {self._unpacked - unpacked:,}",
                "text does not pack like that; if you trust it, unpack it yourself and give the folder",
            )

    def enter(self, depth: int, name: str) -> None:
        """Look into a packing at `depth`.

        Raises:
            TooMuchError: it lies too deep.
        """
        if depth > self._bounds.depth:
            raise TooMuchError(
                f"{shown(name)} is packed more than {self._bounds.depth} times over",
                "unpack it yourself and give the folder",
            )


def gunzip(raw: bytes, name: str, allowance: Allowance) -> bytes:
    """The bytes in a gzip file.

    Raises:
        BadFileError: it is broken, or unpacks to too much.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
            return _read(packed, name, allowance)
    except BROKEN as error:
        raise BadFileError(
            f"{shown(name)} is a broken gzip file ({error})", "fetch or pack it again"
        ) from error


def members(raw: bytes, name: str) -> list[zipfile.ZipInfo]:
    """Plain files in a zip archive, sorted by name; folders, links and hidden ones are left out.

    Raises:
        BadFileError: it is broken.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return sorted(filter(_is_plain, archive.infolist()), key=lambda info: info.filename)
    except BROKEN as error:
        raise _broken_zip(name, error) from error


def unzip(
    raw: bytes, name: str, wanted: list[zipfile.ZipInfo], allowance: Allowance
) -> Iterator[bytes | BadFileError]:
    """The bytes of each member, or what is wrong with it. Nothing is written, so a name leads nowhere.

    Raises:
        BadFileError: the archive is broken as a whole, or unpacks to too much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for member in wanted:
                yield _member(archive, member, f"{name}/{member.filename}", allowance)
    except zipfile.BadZipFile as error:
        raise _broken_zip(name, error) from error


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, allowance: Allowance
) -> bytes | BadFileError:
    try:
        with archive.open(member) as packed:
            return _read(packed, name, allowance)
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or packed in a way unknown here
        return BadFileError(
            f"{shown(name)} cannot be unpacked ({shown(error)})", "unpack it yourself and give the folder"
        )
    except BROKEN as error:
        return _broken_zip(name, error)


def _is_plain(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename).parts
    hidden = any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in parts)
    return not (member.is_dir() or stat.S_ISLNK(member.external_attr >> 16) or hidden)


def _broken_zip(name: str, error: Exception) -> BadFileError:
    return BadFileError(f"{shown(name)} is a broken zip file ({shown(error)})", "fetch or pack it again")


def _read(packed: IO[bytes] | gzip.GzipFile, name: str, allowance: Allowance) -> bytes:
    parts: list[bytes] = []
    while chunk := packed.read(CHUNK):
        allowance.take(len(chunk), name)
        parts.append(chunk)
    return b"".join(parts)
