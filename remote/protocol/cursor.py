"""How far a reader of a stream has come."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from msgspec import Meta

from remote.protocol.values import read_as


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a reader of a stream has come.

    Attributes:
        gen: grows with every file and with every truncation or replacement under us.
        offset: of the next byte wanted.
        crc, crc_n: CRC-32 of the `crc_n` (at most 64) bytes before `offset`; 0 bytes check nothing.
        inode: of the file; 0 where it is not known.
    """

    gen: Annotated[int, Meta(ge=0, lt=1 << 62)]
    file: str
    offset: Annotated[int, Meta(ge=0, lt=1 << 62)]
    crc: Annotated[int, Meta(ge=0, lt=1 << 62)] = 0
    crc_n: Annotated[int, Meta(ge=0, le=64)] = 0
    inode: Annotated[int, Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        if self.inode >= 1 << 64:  # more than a bound of msgspec can say
            raise ValueError("an inode has 64 bits")

    def to_json(self) -> dict[str, Any]:
        """Plain values for the wire."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: object) -> "Cursor":
        """Check and freeze.

        Raises:
            ProtocolError: malformed, or with a negative number.
        """
        return read_as(cls, raw)


BEGINNING = Cursor(gen=0, file="", offset=0)
"""Of a stream that was not read yet."""
