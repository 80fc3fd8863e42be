"""Tables of two columns between rules, a table a row: stable-baselines3, Spinning Up, rlkit and their kin."""

from collections.abc import Sequence

from trainer.telemetry.formats.block import LINES_LIMIT, PATIENCE, block_rows, value_of
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.numbers import whole
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding

_RULE = lazy(r"\s*-{9,400}\s*")
_OPEN_RULE = lazy(r"\s*-{3,200} {1,4}-{3,200}\s*")  # of a table without bars
_CELLS = lazy(r"\| ?( {0,60})([^|\s][^|]{0,80}?)? *\| *([^|]{0,80}?) *\|\s*$")
_OPEN_CELLS = lazy(r"\s*(\S(?:[^|]{0,100}?\S)?) {2,200}(\S{1,60})\s*")
STEPS = (
    "total_timesteps", "timesteps_total", "total timesteps", "totalenvinteracts", "totalenvsteps",
    "total_steps", "total_env_steps", "env_steps", "num_timesteps", "steps", "step", "global_step",
    "num steps total", "timesteps", "serial_timesteps", "nupdates", "n_updates", "iterations",
    "iteration", "itr", "training_iteration",
)  # fmt: skip
EPOCHS = ("epoch", "epochs", "episodes", "episode")


class BoxedTable(Format):
    """A cell without a value opens a section, whose name stands before those that are indented below it."""

    name = "boxed table"
    example = "| total_timesteps | 2048 |  between two rules, as stable-baselines3 prints it"
    needles = (b"---------", b"--- ---", b"---  ---")

    def __init__(self) -> None:
        self._values: dict[str, float | None] | None = None
        self._words: list[str] = []
        self._section = ""
        self._is_open = False
        self._t = 0.0
        self._strange = 0  # lines that are none of the table, one below the other

    @property
    def greedy(self) -> bool:  # type: ignore[override]
        """Whether it is inside a table."""
        return self._values is not None

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        text = line.plain
        if not line.text.strip():
            return ()
        is_open = _OPEN_RULE.fullmatch(text) is not None
        if is_open or _RULE.fullmatch(text) is not None:
            values, words = self._values, self._words
            is_end = bool(values) and is_open == self._is_open
            self._begin(is_open, line.time)
            if not is_end or values is None:
                return ()
            self._values = None
            return self._rows(values, words)
        if self._values is not None:
            self._strange = 0 if self._add(line) else self._strange + 1
            if self._strange > PATIENCE:
                self._values = None
        return ()

    def finish(self) -> Sequence[Finding]:
        """See `Format`: a table that was not closed is none."""
        self._values = None
        return ()

    def _begin(self, is_open: bool, t: float) -> None:
        self._values, self._words, self._section, self._is_open, self._t = {}, [], "", is_open, t
        self._strange = 0

    def _add(self, line: Line) -> bool:
        """Read a line of the table; False where it is none."""
        assert self._values is not None
        if len(self._values) + len(self._words) > LINES_LIMIT:
            return False
        # a logger's prefix may have taken the first bar for one of its own
        found = _OPEN_CELLS.fullmatch(line.plain) if self._is_open else _CELLS.search(line.uncut)
        if found is None or (not self._is_open and found.start() > len(line.prefix)):
            return False
        if self._is_open:
            name, cell = found.groups()
        else:
            indent, name, cell = found.groups()
            if name is None:
                return not cell
            if not cell and name.endswith("/"):
                self._section = name
                return True
            if indent and self._section and len(indent) <= 4:
                name = f"{self._section}{name}"
            elif not indent:
                self._section = ""
        value = value_of(cell)
        if value is None:
            self._words.append(name)
        else:
            self._values[name] = value
        return True

    def _rows(self, values: dict[str, float | None], words: Sequence[str]) -> Sequence[Finding]:
        short = {name.rpartition("/")[2].strip().lower(): name for name in reversed(values)}
        counted = next((name for name in (*STEPS, *EPOCHS) if name in short), None)
        step = whole(values.get(short[counted])) if counted is not None else None
        if step is None or counted is None or any("." in word for word in words):
            return ()
        self.axis = "epoch" if counted in EPOCHS else "step"
        rest = {name: value for name, value in values.items() if name != short[counted]}
        return block_rows(step, rest, self._t)
