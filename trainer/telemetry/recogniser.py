"""A growing log in, its rows out: its format is found out on the way, wherever the first row stands."""

from collections.abc import Callable, Sequence

from trainer.telemetry.events import Event
from trainer.telemetry.formats.candidates import Candidates, Hits, RareParts
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.log_blocks import LineBlocks
from trainer.telemetry.formats.registry import FORMATS
from trainer.telemetry.formats.row import Finding, Plain, Row, Start
from trainer.telemetry.formats.row_ledger import RowLedger
from trainer.telemetry.formats.row_shapes import RowShapes

SETTLED = 2  # lines of a format that make a log its own
QUOTED = 20  # as many are wanted where they stand between the fences of a text about logs
QUIET = 1 << 18  # bytes without a row after which another format may take over
LONGEST = 1 << 16  # bytes of a line that can be a row
HELD = 64  # lines of a format that are kept until it is known
FENCE = b"```"


class LogRecogniser:
    """A log as bytes, cut anywhere: rows, scores and checkpoints of the format that it turns out to be in.

    Attributes:
        name: of the format, empty as long as none is known.
        blocks: the bytes beneath, with its count of over-long lines.
        ledger: the events beneath, with its counts.
        torn: 1 where the log ended inside a row.
    """

    def __init__(
        self,
        clock: Callable[[], float] = lambda: 0.0,
        formats: Sequence[Callable[[], Format]] = FORMATS,
        *,
        live: bool = False,
    ) -> None:
        self.name = ""
        self.blocks = LineBlocks()
        self.ledger = RowLedger(clock)
        self.torn = 0
        self._current: Format | None = None
        self._shapes: RowShapes | None = None  # of the current format
        self._rare: RareParts | None = None  # of the needles of those that listen
        self._makers, self._live = formats, live
        self._formats = self._make()
        self._held: dict[Format, list[tuple[Finding, ...]]] = {}
        self._rank = ""
        self._fenced = False
        self._has_matched = False  # whether the current format has matched anything in this block
        self._since = 0  # bytes of blocks in which it has not
        self._known = 0  # bytes since it became known

    @property
    def axis(self) -> str:
        """What the steps of the log count: `step`, or `epoch` where it tells no finer ones."""
        return self._current.axis if self._current is not None else "step"

    def _make(self) -> list[Format]:
        formats = [make() for make in self._makers]
        for one in formats:
            one.live = self._live
        return formats

    def feed(self, data: bytes) -> list[Event]:
        """Events of every line that `data` completes."""
        return [event for block in self.blocks.feed(data) for event in self._scan(block)]

    def finish(self) -> list[Event]:
        """The end of the log."""
        blocks, rest = self.blocks.finish()
        events = [event for block in blocks for event in self._scan(block)]
        if rest and len(rest) <= LONGEST:
            events += self._last(Line(rest.decode("utf-8", "replace")))
        for one in [self._current] if self._current is not None else list(self._formats):
            events += self._found(one, tuple(one.finish()))
        return events

    def end_part(self) -> list[Event]:
        """One file of the log is over, cut or not, and another may follow."""
        events, overlong = self.finish(), self.blocks.overlong
        self.blocks = LineBlocks()
        self.blocks.overlong = overlong
        return events

    def _listening(self) -> list[Format]:
        """The formats that may still say something: all until one is known, then it and its betters."""
        current = self._current
        if current is None:
            return self._formats
        if self._since >= QUIET:
            return self._formats
        if self._known < QUIET:
            return self._formats[: self._formats.index(current) + 1]
        return [current]

    def _scan(self, block: bytes) -> list[Event]:
        listening, current = self._listening(), self._current
        self._has_matched = False
        if current is None or len(listening) > 1:
            events = self._scan_all(block, listening)
        elif current.seek is not None:
            events = self._scan_sought(block, current)
        else:
            events = self._scan_alone(block, current)
        self._since = 0 if self._has_matched else self._since + len(block)
        self._known += len(block)
        return events

    def _scan_all(self, block: bytes, listening: Sequence[Format]) -> list[Event]:
        """A block in which several formats may find something."""
        events: list[Event] = []
        rare = self._rare_of(listening, block)
        lines = Candidates(block, listening, rare.parts)
        for start in lines:
            before, raw = self._current, self._short(lines.line(start))
            if not rare.holds(raw) and not any(one.greedy for one in listening):
                rare.miss(raw)
                lines.listen(listening, rare.parts)
            elif before is None and raw.lstrip().startswith(FENCE):
                self._fence()
                listening = self._listening()
                lines.listen(listening, rare.parts)
            elif raw:
                events += self._line(raw, listening)
                if self._current is not before:
                    listening = self._listening()
                    rare = self._rare_of(listening, block)
                    lines.listen(listening, rare.parts)
        return events

    def _rare_of(self, listening: Sequence[Format], block: bytes) -> RareParts:
        """What to look for in place of the needles of these formats, and of a text's fences."""
        needles = {FENCE, *(needle for one in listening for needle in one.needles)}
        if self._rare is None or self._rare.needles != needles:
            self._rare = RareParts(needles)
        self._rare.look(block)
        return self._rare

    def _scan_sought(self, block: bytes, one: Format) -> list[Event]:
        """A block of a log whose format is known, alone, and knows itself what to look for."""
        events: list[Event] = []
        lines = Candidates(block, [one])
        for start in lines:
            rows, lines.place = one.take_rows(block, start)
            if rows:
                self._has_matched = True
                events += self.ledger.take_plain(rows)
            elif raw := self._short(lines.line(start)):
                events += self._line(raw, [one])
        return events

    def _scan_alone(self, block: bytes, one: Format) -> list[Event]:
        """A block of a log whose format is known and alone: what looks like a row read before is not read."""
        events: list[Event] = []
        rows: list[Plain] = []
        rare, shapes = self._rare_of([one], block), self._shapes
        assert shapes is not None
        lines = Hits(block, rare.parts)
        while (start := lines.next(every=one.greedy)) >= 0:
            place = shapes.take_rows(block, start, self.ledger.total, rows)
            if place != start:
                self._has_matched = True
            else:
                place = block.find(b"\n", start) + 1
                raw = self._short(block[start : place - 1])
                if rare.holds(raw) or (raw and one.greedy):
                    events += self._plain(rows, shapes)
                    rows = []
                    events += self._line(raw, [one])
                elif raw:
                    rare.miss(raw)
                    lines.look_for(rare.parts)
            lines.place = place
        return events + self._plain(rows, shapes)

    def _plain(self, rows: list[Plain], shapes: RowShapes) -> list[Event]:
        """Events of rows of known shapes, before anything else is read."""
        if not rows:
            return []
        shapes.settle()
        return self.ledger.take_plain(rows)

    def _short(self, raw: bytes) -> bytes:
        """A line, or nothing where it is too long to be a row."""
        if len(raw) <= LONGEST:
            return raw
        self.blocks.overlong += 1
        return b""

    def _line(self, raw: bytes, listening: Sequence[Format]) -> Sequence[Event]:
        """What one line tells to the first format that has a row of it; a beginning may be of several."""
        line = Line(raw.decode("utf-8", "replace"))
        if line.rank and not self._is_first_rank(line.rank):
            return ()
        for one in listening:
            if (one is self._current or one.wants(raw)) and (findings := one.take(line)):
                events = self._found(one, findings)
                if self._shapes is not None and len(listening) == 1:
                    self._shapes.learn(line, findings)
                if one is self._current or any(type(finding) is not Start for finding in findings):
                    return events
        return ()

    def _found(self, one: Format, findings: Sequence[Finding]) -> list[Event]:
        """Events of findings, once their format is known to be the log's."""
        if not findings:
            return []
        if one is self._current:
            self._has_matched = True
            return self.ledger.take(findings)
        held = self._held.setdefault(one, [])
        held.append(tuple(findings))
        del held[:-HELD]
        if not self._is_settled(held):
            return []
        if self._current is not None and not self._takes_over(one):
            return []
        self._settle(one)
        return [event for part in held for event in self.ledger.take(part)]

    def _takes_over(self, one: Format) -> bool:
        assert self._current is not None
        better = self._formats.index(one) < self._formats.index(self._current)
        return better or self._since >= QUIET

    def _is_settled(self, held: list[tuple[Finding, ...]]) -> bool:
        """Whether as much was seen as makes the log one of this format: a row, and another or a beginning."""
        rows = {(row.step, row.is_eval) for part in held for row in part if isinstance(row, Row)}
        starts = any(isinstance(one, Start) for part in held for one in part)
        return bool(rows) and len(rows) + starts >= (QUOTED if self._fenced else SETTLED)

    def _settle(self, one: Format) -> None:
        if self._current is not None:
            self.ledger.forget()
        self._current, self.name = one, one.name
        self._shapes = RowShapes(one)
        self._since, self._known, self._has_matched = 0, 0, True
        self._fenced = False
        self._held = {}

    def _fence(self) -> None:
        """A fence of a text about logs: what it encloses is quoted, and forgotten at its end."""
        if self._fenced:
            self._held = {}
            self._formats = self._make()
            for one in self._formats:
                one.begin_midway()
        self._fenced = not self._fenced

    def _is_first_rank(self, rank: str) -> bool:
        self._rank = self._rank or rank
        return rank == self._rank

    def _last(self, line: Line) -> list[Event]:
        """The text after the last line end: a row only where it cannot have been cut."""
        if line.rank and not self._is_first_rank(line.rank):
            return []
        for one in [self._current] if self._current is not None else self._formats:
            if one.wants(line.text.encode()):
                findings = one.take_last(line)
                if findings:
                    return self._found(one, findings)
                self.torn = int(self._current is not None)
        return []
