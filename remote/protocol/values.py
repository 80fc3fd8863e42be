"""What a host said, as the type that it must be: checked and cleaned once, where it arrives; and cursors."""

import contextlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from remote.protocol.errors import ProtocolError
from remote.protocol.sanitise import clean, clean_line

T = TypeVar("T")
FLOAT_MAX = 1.7976931348623157e308
NONE: frozenset[str] = frozenset()

Finite: TypeAlias = Annotated[float, Meta(ge=-FLOAT_MAX, le=FLOAT_MAX)]
Size: TypeAlias = Annotated[int, Meta(ge=0)]


def read_as(kind: type[T], raw: object, texts: frozenset[str] = NONE) -> T:
    """A host's value as this type; its texts cleaned, and on one line but in the fields named in `texts`.

    Fields that a later version has are passed over.

    Raises:
        ProtocolError: a field is missing or of the wrong type; the message names it.
    """
    cleaned = _cleaned(raw, texts)
    try:
        with contextlib.suppress(ValueError):  # only where the whole makes no sense are its rows looked at
            return msgspec.convert(cleaned, kind)
        return msgspec.convert(_sifted(cleaned, kind), kind)
    except ValueError as error:
        raise ProtocolError(f"the host's answer makes no sense: {str(error)[:300]}") from error


def _sifted(raw: object, kind: type) -> object:
    """Without the rows of a list that make no sense: what `kind` says of them stands among its troubles.

    `kind.ROWS` names the list and the type of its rows: one that cannot be understood hides no other.
    """
    rows = getattr(kind, "ROWS", None)
    if rows is None or not isinstance(raw, Mapping) or not isinstance(raw.get(rows[0]), list):
        return raw
    name, one = rows
    kept, troubles = [], []
    for row in raw[name]:
        try:
            msgspec.convert(row, one)
            kept.append(row)
        except ValueError as error:
            troubles.append(f"one of its {name} makes no sense: {str(error)[:200]}")
    earlier = raw.get("troubles")
    return {**raw, name: kept, "troubles": [*(earlier if isinstance(earlier, list) else []), *troubles]}


def _cleaned(value: object, texts: frozenset[str], *, is_text: bool = False) -> object:
    if isinstance(value, str):
        return clean(value) if is_text else clean_line(value)
    if isinstance(value, list):
        return [_cleaned(one, texts, is_text=is_text) for one in value]
    if isinstance(value, Mapping):
        return {
            clean_line(str(key)): _cleaned(one, texts, is_text=is_text or key in texts)
            for key, one in value.items()
        }
    return value


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
