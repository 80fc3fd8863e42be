"""TensorBoard's event files: scalars of records that are checked by their sums."""

import struct
from collections.abc import Sequence
from math import prod

from trainer.telemetry.formats.event_files.crc32c import masked_crc
from trainer.telemetry.formats.event_files.protobuf import BYTES, FIXED32, FIXED64, VARINT, WireError, fields
from trainer.telemetry.formats.metric_names import canonical, is_held_out, name_all
from trainer.telemetry.formats.row import Finding, Row, Start

HEADER = 12  # length and its sum
RECORD_LIMIT = 1 << 16  # what is larger holds a picture, a sound or a histogram
TAG_LIMIT = 200
_FLOAT, _DOUBLE, _INT32, _INT64 = 1, 2, 3, 9
_PACKED = {_FLOAT: "<f", _DOUBLE: "<d", _INT32: "<i", _INT64: "<q"}


def is_event_file(head: bytes) -> bool:
    """Whether a file begins with a record: its length, and the sum of that."""
    if len(head) < HEADER:
        return False
    return masked_crc(head[:8]) == int(struct.unpack_from("<I", head, 8)[0])


class EventFile:
    """Bytes of an event file, cut anywhere: scalars of one step become one row of training and one of scores.

    Attributes:
        torn: records whose sum is wrong. Behind a wrong length nothing can be read.
        large: records that were passed over for their size.
    """

    name = "TensorBoard"

    def __init__(self) -> None:
        self.torn = 0
        self.large = 0
        self._rest = b""
        self._skip = 0
        self._broken = False
        self._step = -1
        self._t = 0.0
        self._values: dict[str, float] = {}
        self._latest: dict[str, int] = {}  # step of each tag

    def feed(self, data: bytes) -> list[Finding]:
        """What the records tell that `data` completes."""
        found: list[Finding] = []
        if self._broken:
            return found
        data = self._rest + data
        place = 0
        while not self._broken:
            if self._skip:
                step = min(self._skip, len(data) - place)
                place, self._skip = place + step, self._skip - step
                if self._skip:
                    break
            if len(data) - place < HEADER:
                break
            length, sum_of_length = struct.unpack_from("<QI", data, place)
            if masked_crc(data[place : place + 8]) != sum_of_length:
                self._broken, self.torn = True, self.torn + 1
                break
            if length > RECORD_LIMIT:
                self.large += 1
                self._skip, place = length + 4, place + HEADER
                continue
            end = place + HEADER + length + 4
            if end > len(data):
                break
            found += self._record(data[place + HEADER : end - 4], data[end - 4 : end])
            place = end
        self._rest = b"" if self._broken else data[place:]
        return found

    def settle(self) -> list[Finding]:
        """The rows of the step that it is at, as far as they have come; what comes adds to them."""
        return self._rows()

    def finish(self) -> list[Finding]:
        """The rows of the last step; a record that is cut is only counted."""
        self.torn += bool(self._rest)
        return self._rows()

    def _record(self, data: bytes, checksum: bytes) -> Sequence[Finding]:
        if masked_crc(data) != struct.unpack("<I", checksum)[0]:
            self.torn += 1
            return ()
        try:
            step, t, scalars = _event(data)
        except (WireError, struct.error, UnicodeDecodeError):
            self.torn += 1
            return ()
        if not scalars or step < 0:
            return ()
        found: list[Finding] = []
        again = any(self._latest.get(tag, -1) >= step for tag in scalars)
        if step != self._step or again:
            found = self._rows()
        if again:
            self._latest.clear()
            found.append(Start())
        self._step, self._t = step, t
        self._values |= scalars
        self._latest |= dict.fromkeys(scalars, step)
        return found

    def _rows(self) -> list[Finding]:
        values, self._values = self._values, {}
        scores = {
            tag: value for tag, value in values.items() if is_held_out(canonical(tag)) or is_held_out(tag)
        }
        trained = {tag: value for tag, value in values.items() if tag not in scores}
        rows: list[Finding] = []
        if trained:
            rows.append(Row(self._step, name_all(trained), t=self._t, adds=True))
        if scores:
            rows.append(Row(self._step, name_all(scores), is_eval=True, t=self._t, adds=True))
        return rows


def _event(data: bytes) -> tuple[int, float, dict[str, float]]:
    """Step, Unix seconds and scalars of one event."""
    step, t, scalars = 0, 0.0, {}
    for number, kind, value in fields(data):
        if number == 1 and kind == FIXED64:
            (t,) = struct.unpack("<d", value)  # type: ignore[arg-type]  # of this kind it is bytes
        elif number == 2 and kind == VARINT:
            assert isinstance(value, int)
            step = value if value < 1 << 63 else -1
        elif number == 5 and kind == BYTES:
            assert isinstance(value, bytes)
            for inner, inner_kind, summary in fields(value):
                if inner == 1 and inner_kind == BYTES and isinstance(summary, bytes):
                    scalars.update(_scalar(summary))
    return step, t if 0 < t < 1e11 else 0.0, scalars


def _scalar(data: bytes) -> dict[str, float]:
    """One value of a summary, by its tag; nothing where it is no scalar."""
    tag, plugin, number = "", "", None
    for field, kind, value in fields(data):
        if field == 1 and kind == BYTES and isinstance(value, bytes):
            tag = value.decode()[:TAG_LIMIT]
        elif field == 2 and kind == FIXED32 and isinstance(value, bytes):
            (number,) = struct.unpack("<f", value)
        elif field == 8 and kind == BYTES and isinstance(value, bytes):
            number = _tensor(value)
        elif field == 9 and kind == BYTES and isinstance(value, bytes):
            plugin = _plugin(value)
    return {tag: number} if tag and number is not None and plugin in ("", "scalars") else {}


def _plugin(data: bytes) -> str:
    """The name of the plugin that a value is meant for."""
    for field, kind, value in fields(data):
        if field == 1 and kind == BYTES and isinstance(value, bytes):
            for inner, inner_kind, name in fields(value):
                if inner == 1 and inner_kind == BYTES and isinstance(name, bytes):
                    return name.decode()
    return ""


def _tensor(data: bytes) -> float | None:
    """The number of a tensor without dimensions; None for any other."""
    dtype, content, listed = 0, b"", None
    for field, kind, value in fields(data):
        if field == 1 and kind == VARINT and isinstance(value, int):
            dtype = value
        elif field == 2 and kind == BYTES and isinstance(value, bytes) and _elements(value) != 1:
            return None
        elif field == 4 and kind == BYTES and isinstance(value, bytes):
            content = value
        elif field in (5, 6, 7, 10):
            listed = _listed(kind, value)
    form = _PACKED.get(dtype)
    if form is not None and len(content) == struct.calcsize(form):
        return float(struct.unpack(form, content)[0])
    if listed is not None and form is not None:
        if isinstance(listed, int):
            return float(listed if listed < 1 << 63 else listed - (1 << 64))
        return float(struct.unpack(form, listed)[0]) if len(listed) == struct.calcsize(form) else None
    return None


def _listed(kind: int, value: int | bytes) -> int | bytes | None:
    """One number of a list, packed or not."""
    if isinstance(value, int) or kind in (FIXED32, FIXED64):
        return value
    if len(value) in (4, 8):
        return value
    return value[0] if len(value) == 1 else None


def _elements(shape: bytes) -> int:
    sizes = []
    for field, kind, value in fields(shape):
        if field == 2 and kind == BYTES and isinstance(value, bytes):
            sizes += [size for inner, _, size in fields(value) if inner == 1 and isinstance(size, int)]
    return prod(sizes)
