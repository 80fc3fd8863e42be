"""What the rows of a log look like: a line that looks like one that was read need not be read again.

A shape is the bytes of a line with holes where its numbers stand. What each hole means is found out by trial:
another reader of the format gets the line with other numbers, one hole after the other, and where a number
turns up in its row is the hole's meaning. A number that does something else (a total, an epoch from which
steps are counted) stays part of the shape, which counts once it has foretold some lines of other numbers.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from random import Random
from typing import NamedTuple

from trainer.telemetry.events import Number
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.row import Finding, Plain, Row

KEPT = 8  # shapes, the one that was met last first
ATTEMPTS = 16  # lines that are tried out; each costs as much as reading a hundred
EARNED = 256  # rows of known shapes that pay for one more
HOLES = 40
LONGEST = 2000  # bytes of a line that is tried
TRIALS = 6

_NUMBER = re.compile(  # and no part of a word, a list or a time
    rb"(?P<pad>(?<= ) {1,40})?(?<![\w.])(?<!\d[,:-])"
    rb"(?P<text>(?P<sign>-?)(?P<whole>\d{1,3}(?:,\d{3}){1,4}(?!\d)|\d{1,17})"
    rb"(?:\.(?P<part>\d{1,17}))?(?P<power>[eE][-+]?\d{1,3})?)(?![\d.])(?![,:-]\d)"
)
_SCALES = (1.0, 1e3, 1e6, 1e9, 1e12, 1e-3)  # K, M, G, T, and milliseconds
_DIGIT = re.compile(r"\d")
_WHOLE = rb"(?:0|[1-9]\d{0,8})"
_ANY = rb"-?" + _WHOLE + rb"(?:\.\d{1,17})?(?:[eE][-+]?\d{1,2})?"


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape.

    Attributes:
        match: of a line and its end, from a place on; a group for each number that the row has.
        read: the row of a match's groups.
        total: planned steps that its lines tell, 0 for none.
        axis: what its steps count.
    """

    match: Callable[..., re.Match[bytes] | None]
    read: Callable[[Sequence[bytes]], Plain]
    total: int
    axis: str


class RowShapes:
    """The shapes of one log, which is read by one format."""

    def __init__(self, reader: Format) -> None:
        self._reader = reader
        self._shapes: list[Shape] = []
        self._attempts = ATTEMPTS if reader.has_shapes else 0
        self._rows = 0  # since one more was earned
        self._last: tuple[re.Match[bytes], str] | None = None

    def take_rows(self, block: bytes, place: int, total: int, rows: list[Plain]) -> int:
        """Append plain rows of training, one below the other from a line's beginning on; where they end.

        Args:
            block: whole lines.
            place: where the first of them begins, which is the answer where it is of no shape.
            total: planned steps as they are known; a line that tells others has to be read.
            rows: what was taken before.
        """
        shapes = self._shapes
        if not shapes:
            taken, place = self._reader.take_rows(block, place)
            rows += taken
            return place
        if not self._reader.is_idle:
            return place
        for at, shape in enumerate(shapes):
            match, read = shape.match, shape.read
            if (found := match(block, place)) is None or shape.total not in (0, total):
                continue
            while found is not None:
                rows.append(read(found.groups()))
                self._rows += 1
                self._last = (found, shape.axis)
                place = found.end()
                found = match(block, place)
            if at:
                shapes.insert(0, shapes.pop(at))
            break
        return place

    def settle(self) -> None:
        """The format learns what it has to know of the rows that it has not read; before it reads another."""
        if self._last is not None:
            found, axis = self._last
            self._reader.pass_row(found.group().removesuffix(b"\n"), axis)
            self._last = None

    def learn(self, line: Line, findings: Sequence[Finding]) -> None:
        """A line that the format has read, and what it told; a time or a bar before it would have a say."""
        if self._rows >= EARNED:
            self._rows, self._attempts = 0, min(self._attempts + 1, ATTEMPTS)
        if not self._attempts or len(findings) != 1 or len(line.text) > LONGEST or not self._reader.is_idle:
            return
        row = findings[0]
        if line.rank or _DIGIT.search(line.text.removesuffix(line.body)) is not None:
            return
        if type(row) is not Row or row != Row(row.step, row.values, total=row.total):
            return
        self._attempts -= 1
        if (shape := find_shape(type(self._reader), line.text.encode(), row)) is not None:
            self._shapes.insert(0, shape)
            del self._shapes[KEPT:]


class _Form(NamedTuple):
    """What may stand in a hole: a pattern, and texts of it that must all mean the same."""

    pattern: bytes
    samples: tuple[bytes, ...]


class _Meaning(NamedTuple):
    """What becomes of a number: with `is_told` the step, or what `name` calls, as often as `scale` says."""

    is_told: bool
    name: str | None = None
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class _Hole:
    """Where in a line a number stands, what may stand there, and what it means."""

    begin: int
    end: int
    form: _Form
    meaning: _Meaning


class _Trials:
    """The rows that a format makes of one line with other numbers in it.

    Attributes:
        row: of the line as it is.
        line: that was read last.
        axis: what its steps count.
    """

    def __init__(self, kind: type[Format], raw: bytes, row: Row) -> None:
        self._kind, self._raw = kind, raw
        self.row = row
        self.line = raw
        self.axis = ""

    def read(self, changes: Iterable[tuple[int, int, bytes]]) -> Row | None:
        """The one row of the line with these changes, which stand in their order; None for none or more."""
        pieces, place = [], 0
        for begin, end, text in changes:
            pieces += [self._raw[place:begin], text]
            place = end
        self.line = b"".join([*pieces, self._raw[place:]])
        reader = self._kind()
        found = reader.take(Line(self.line.decode("utf-8", "replace")))
        self.axis = reader.axis
        row = found[0] if len(found) == 1 else None
        return row if type(row) is Row else None


def find_shape(kind: type[Format], raw: bytes, row: Row) -> Shape | None:
    """The shape of a line of which a format makes that row; None where trials show none."""
    numbers = list(_NUMBER.finditer(raw))
    trials = _Trials(kind, raw, row)
    if not 0 < len(numbers) <= HOLES or trials.read(()) != row:
        return None
    axis = trials.axis
    holes = [hole for number in numbers if (hole := _meaning(number, trials)) is not None]
    told = [hole.meaning for hole in holes if hole.meaning.is_told]
    names = [meaning.name for meaning in told]
    if sorted(map(str, names)) != sorted(map(str, [None, *row.values])):
        return None  # a number of the row stands nowhere, or cannot change
    has_commas = any(b"," in number["text"] for number in numbers)
    shape = Shape(_pattern(raw, holes).match, _reader(told, row, has_commas=has_commas), row.total, axis)
    blank = b"#".join(_literals(raw, holes))
    rng = Random(raw)
    if not kind().wants(blank) or not all(_is_foretold(shape, holes, trials, rng) for _ in range(TRIALS)):
        return None
    return shape


def _meaning(number: re.Match[bytes], trials: _Trials) -> _Hole | None:
    """What a number of the line means, None where its digits are part of the shape."""
    for form in _forms(number):
        others = [text for text in form.samples if _value(text) != _value(number["text"])]
        meanings = {_meaning_of(number, text, trials) for text in others}
        if len(meanings) == 1 and (meaning := meanings.pop()) is not None:
            return _Hole(number.start(), number.end(), form, meaning)
    return None


def _value(text: bytes) -> float:
    return float(text.replace(b",", b""))


def _meaning_of(number: re.Match[bytes], text: bytes, trials: _Trials) -> _Meaning | None:
    """What changes where a number becomes `text`, None where it is not as simple as that."""
    row, other = trials.row, trials.read([(number.start(), number.end(), text)])
    if other is None or [*other.values] != [*row.values]:
        return None
    if other == row:
        return _Meaning(False)
    if other == row._replace(step=other.step) and other.step == _value(text):
        return _Meaning(True)
    changed = [name for name, value in row.values.items() if other.values[name] != value]
    if len(changed) != 1 or other != row._replace(values=other.values):
        return None
    before, after = row.values[changed[0]], other.values[changed[0]]
    for scale in _SCALES:
        if after == _scaled(text, scale) and before == _scaled(number["text"], scale):
            return _Meaning(True, changed[0], scale)
    return None


def _scaled(text: bytes, scale: float) -> float:
    return _value(text) / 1e3 if scale == 1e-3 else _value(text) * scale


def _forms(number: re.Match[bytes]) -> list[_Form]:
    """What may stand where a number stands, the widest first; what is padded may have more room before it."""
    forms = [*_wide_forms(number), _exact_form(number)]
    if not number["pad"]:
        return forms
    pads = (b"", b" ", b"   ", b"      ")
    return [
        _Form(b" {0,40}" + form.pattern, tuple(pads[at % 4] + text for at, text in enumerate(form.samples)))
        for form in forms
    ]


def _wide_forms(number: re.Match[bytes]) -> list[_Form]:
    """Numbers of any size, as far as a leading zero says nothing of a width."""
    sign, whole, part, power = number.group("sign", "whole", "part", "power")
    is_wide = whole.startswith(b"0") and whole != b"0"
    if b"," in whole and not (part or power or sign):
        samples = (b"1,000", b"12,345", b"7,654,321", b"123,456,789,012")
        return [_Form(rb"[1-9]\d{0,2}(?:,\d{3}){1,3}", samples)]
    if len(whole) > 9 or (is_wide and (part or power)):
        return []
    if part is None and power is None and not sign:
        if is_wide:
            return [_Form(rb"\d{1,9}", (b"0", b"00", b"7", b"0031", b"000000512", b"123456789"))]
        return [_Form(_WHOLE, (b"0", b"1", b"27", b"4096", b"123456789"))]
    wide = (b"0", b"3", b"-2.75", b"0.0", b"12.0625", b"1e-05", b"3.5e+02", b"-4E1", b"123456789.5")
    forms = [_Form(_ANY, wide)]
    if part is not None and power is None and not sign:
        forms.append(_Form(_WHOLE + rb"\.\d{1,17}", (b"0.0", b"0.375", b"12.0625", b"123456789.5")))
    return forms


def _exact_form(number: re.Match[bytes]) -> _Form:
    """Numbers with as many digits, and the same power."""
    sign, whole, part, power = number.group("sign", "whole", "part", "power")
    whole = whole.replace(b",", b"")
    first = rb"[1-9]" if len(whole) > 1 and not whole.startswith(b"0") else rb"\d"
    pattern = sign + first + (rb"\d{%d}" % (len(whole) - 1) if len(whole) > 1 else b"")
    pattern += b"" if part is None else rb"\.\d{%d}" % len(part)
    tail = power or b""
    samples = (
        sign + digit * len(whole) + (b"" if part is None else b"." + digit * len(part)) + tail
        for digit in (b"1", b"7", b"9")
    )
    return _Form(pattern + re.escape(tail), tuple(samples))


def _literals(raw: bytes, holes: Sequence[_Hole]) -> list[bytes]:
    """What stands before, between and behind the holes."""
    places = [0, *(place for hole in holes for place in (hole.begin, hole.end)), len(raw)]
    return [raw[places[at] : places[at + 1]] for at in range(0, len(places), 2)]


def _pattern(raw: bytes, holes: Sequence[_Hole]) -> re.Pattern[bytes]:
    first, *rest = map(re.escape, _literals(raw, holes))
    groups = [(b"(%s)" if hole.meaning.is_told else b"(?:%s)") % hole.form.pattern for hole in holes]
    return re.compile(
        b"".join([first, *(group + text for group, text in zip(groups, rest, strict=True)), b"\n"])
    )


def _reader(told: Sequence[_Meaning], row: Row, *, has_commas: bool) -> Callable[[Sequence[bytes]], Plain]:
    """What makes the row of a match's groups, which mean this."""
    names = [meaning.name for meaning in told]
    step_at, ordered = names.index(None), tuple(row.values)
    places = [names.index(name) for name in ordered]
    if len(places) > 1 and all(told[at].scale == 1.0 for at in places) and not has_commas:
        pick = itemgetter(*places)

        def read(groups: Sequence[bytes]) -> Plain:
            values: dict[str, Number] = dict(zip(ordered, map(float, pick(groups))))  # noqa: B905  # hot; as many
            return int(groups[step_at]), values

        return read
    scales = [(name, at, told[at].scale) for name, at in zip(ordered, places, strict=True)]

    def read_scaled(groups: Sequence[bytes]) -> Plain:
        step = int(groups[step_at].replace(b",", b""))
        return step, {name: _scaled(groups[at], scale) for name, at, scale in scales}

    return read_scaled


def _is_foretold(shape: Shape, holes: Sequence[_Hole], trials: _Trials, rng: Random) -> bool:
    """Whether a line of random numbers is read alike by both."""
    changes = [(hole.begin, hole.end, _shuffled(rng.choice(hole.form.samples), rng)) for hole in holes]
    row = trials.read(changes)
    found = shape.match(trials.line + b"\n")
    if row is None or found is None or row != Row(row.step, row.values, total=shape.total):
        return False
    step, values = shape.read(found.groups())
    return (step, [*values.items()]) == (row.step, [*row.values.items()])


def _shuffled(text: bytes, rng: Random) -> bytes:
    return re.sub(rb"[1-9]", lambda _: b"%d" % rng.randint(1, 9), text)
