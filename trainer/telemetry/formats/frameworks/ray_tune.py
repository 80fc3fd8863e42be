"""Ray Tune and RLlib: `Result for NAME:` with a tree below it, or a box an iteration of a trial."""

from collections.abc import Sequence

from trainer.telemetry.formats.block import LINES_LIMIT, block_rows, value_of
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.numbers import whole
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding, Row

_TREE = lazy(r"Result for ([\w.=,/-]{1,200}):\s*")
_BOX = lazy(r"(?:Trial ([\w.=,/-]{1,200})|Training) (?:finished iteration|result|completed).{0,120}")
_LEAF = lazy(r"(\s*)([\w./@() -]{1,100}?):(?: (.{0,400}))?\s*")
_CELL = lazy(r"\s*[│|]\s*([\w./@()-]{1,100})(?:\s+(\S.{0,200}?))?\s*[│|]\s*")
_FRAME = lazy(r"\s*[╭╰├+][─-]{4,400}[╮╯┤+]\s*|\s*[│|] (?:Training|Trial .{1,120}) result\s*[│|]\s*")
_LEFT_OUT = frozenset(
    {"training_iteration", "timestamp", "pid", "iterations_since_restore", "time_since_restore", "done",
     "timesteps_since_restore", "warmup_time", "should_checkpoint"}
)  # fmt: skip


class RayTune(Format):
    """Steps are iterations of training. Of several trials in one log the first is read."""

    name = "Ray Tune"
    example = "Result for PPO_a1b2_00000:  and below it a line a metric, with training_iteration: 12"
    needles = (b"Result for ", b"finished iteration ")

    def __init__(self) -> None:
        self._trial: str | None = None
        self._values: dict[str, float | None] | None = None
        self._is_box = False
        self._begun = False
        self._column = 0  # at which the tree begins
        self._path: list[tuple[int, str]] = []
        self._lines = 0
        self._t = 0.0

    @property
    def greedy(self) -> bool:  # type: ignore[override]
        """Whether it is inside a result."""
        return self._values is not None

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        text = line.plain
        if not text.strip():
            return ()
        tree, box = _TREE.fullmatch(text.strip()), _BOX.fullmatch(text.strip())
        if (header := tree or box) is not None:
            found = self.finish()
            trial = header.group(1) or ""
            self._trial = trial if self._trial is None else self._trial
            if trial == self._trial:
                self._values, self._path, self._lines, self._t = {}, [], 0, line.time
                self._is_box, self._begun, self._column = tree is None, False, line.column
            return found
        if self._values is None:
            return ()
        self._lines += 1
        goes_on = self._cell(text) if self._is_box else self._leaf(line)
        return () if goes_on and self._lines <= LINES_LIMIT else self.finish()

    def finish(self) -> Sequence[Row]:
        """See `Format`: the newest result."""
        values, self._values = self._values, None
        step = whole(values.get("training_iteration")) if values else None
        if step is None or values is None:
            return ()
        kept = {name: value for name, value in values.items() if name.rpartition("/")[2] not in _LEFT_OUT}
        kept = {name: value for name, value in kept.items() if not name.startswith("config/")}
        return block_rows(step, kept, self._t)

    def _cell(self, text: str) -> bool:
        """Read a line of a box; False behind it."""
        assert self._values is not None
        if _FRAME.fullmatch(text) is not None:
            closes = self._begun and text.strip()[:1] in "╰"
            return not closes
        cell = _CELL.fullmatch(text)
        if cell is None:
            return not self._begun
        self._begun = True
        if cell.group(2) is not None and (value := value_of(cell.group(2))) is not None:
            self._values[cell.group(1)] = value
        return True

    def _leaf(self, line: Line) -> bool:
        """Read a line of a tree; False behind it."""
        assert self._values is not None
        leaf = _LEAF.fullmatch(line.plain)
        column = line.column
        if column <= self._column:
            return False
        if leaf is None:
            return True  # an item of a list
        while self._path and self._path[-1][0] >= column:
            self._path.pop()
        name, cell = leaf.group(2), (leaf.group(3) or "").strip()
        if not cell:
            self._path.append((column, name))
        elif (value := value_of(cell)) is not None:
            self._values["/".join((*(part for _, part in self._path), name))] = value
        return True
