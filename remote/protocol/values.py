"""What a host said, as the type that it must be: checked and cleaned once, where it arrives."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias, TypeVar

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
    try:
        return msgspec.convert(_cleaned(raw, texts), kind)
    except ValueError as error:
        raise ProtocolError(f"the host's answer makes no sense: {str(error)[:300]}") from error


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
