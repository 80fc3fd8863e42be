"""What a format of logs is: a name, what its lines hold, and how a line becomes rows."""

import re
from collections.abc import Callable, Sequence
from typing import ClassVar

from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding, Plain, Row

_LAST_DIGITS = lazy(r"(?:\.(\d+))?(?:[eE][-+]?\d+)?$")


class Format:
    """The reader of one log in one format. Nothing that it finds counts before two of its lines were seen.

    Attributes:
        name: what the format is called.
        example: what a row of it looks like, for a person.
        needles: every line that the format wants holds one of these.
        seek: stands for the first needle once the format is known, where that is in many other lines as well.
        greedy: whether it wants every line for now.
        has_shapes: whether its rows of training depend on nothing but their own line, as long as `is_idle`.
        live: whether somebody watches: every redraw of a bar is then a row, and not its last one alone.
        axis: what the steps of its rows count, in one word; as the newest row has it.
    """

    name: ClassVar[str]
    example: ClassVar[str]
    needles: tuple[bytes, ...]
    seek: ClassVar[re.Pattern[bytes] | None] = None
    has_shapes: ClassVar[bool] = False
    greedy = False
    live = False
    axis = "step"

    def wants(self, raw: bytes) -> bool:
        """Whether a line may be one of the format's."""
        for needle in self.needles:  # a loop: a generator takes three times as long, for each line and format
            if needle in raw:
                return True
        return self.greedy

    @property
    def is_idle(self) -> bool:
        """Whether nothing that was read before has a say in what the next line tells."""
        return not self.greedy

    def pass_row(self, _raw: bytes, axis: str) -> None:
        """A row, and those before it, were read by their shape: what `take` would have kept of them."""
        self.axis = axis

    def begin_midway(self) -> None:
        """What comes first is not the beginning of the log."""
        return

    def take(self, line: Line) -> Sequence[Finding]:
        """What one line tells; nothing for a line that is none of the format's."""
        raise NotImplementedError

    def take_rows(self, _block: bytes, place: int) -> tuple[list[Plain], int]:
        """Plain rows of training, one below the other from a line's beginning on, and where they end.

        Only a format of which there is much needs this: it saves what `take` costs for each of them.
        """
        return [], place

    def take_last(self, line: Line) -> Sequence[Finding]:
        """What the last line tells, which has no end and may be cut; nothing where that cannot be known."""
        return () if line.text[-1:].isalnum() else self.take(line)

    def finish(self) -> Sequence[Finding]:
        """What was kept back until the end of the log."""
        return ()


Take = Callable[[re.Match[str]], Sequence[Finding]]


class PatternFormat(Format):
    """A format whose lines match whole patterns, with or without a logger's prefix."""

    def __init__(self) -> None:
        self._patterns: tuple[tuple[re.Pattern[str], Take], ...] = self.patterns()
        self._row_text = ""

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """Patterns of whole lines, each with what becomes of a match."""
        raise NotImplementedError

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        return self._match(line.text, line) or (
            self._match(line.body, line) if line.body != line.text else ()
        )

    def pass_row(self, raw: bytes, axis: str) -> None:
        """See `Format`."""
        self.axis = axis
        self._row_text = raw.decode("utf-8", "replace")

    def take_last(self, line: Line) -> Sequence[Finding]:
        """The last number must have as many decimals as that of the row before, or something behind it."""
        before, text = self._row_text.rstrip(), line.text.rstrip()
        if text[-1:].isdigit() and _decimals(text) != _decimals(before):
            return ()
        return self.take(line)

    def _match(self, text: str, line: Line) -> Sequence[Finding]:
        for pattern, take in self._patterns:
            if (found := pattern.fullmatch(text)) is not None:
                self._row_text = text
                findings = take(found)
                return findings if text is line.text else _stamped(findings, line.time)
        return ()


def _stamped(findings: Sequence[Finding], t: float) -> Sequence[Finding]:
    """Rows with the time of the prefix that stood before them."""
    return [one._replace(t=t) if t and isinstance(one, Row) else one for one in findings]


def _decimals(text: str) -> int:
    found = _LAST_DIGITS.search(text)
    return len(found.group(1) or "") if found is not None else 0
