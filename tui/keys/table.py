"""Every key of the cockpit, once: for dispatch, footer, help, palette and the README.

`python -m tui.keys` prints the table as Markdown.
"""

from dataclasses import dataclass
from typing import Literal

Where = Literal["fleet", "run", "log", "compare", "processes", "checkpoints", "queue", "hosts"]
PLACES: dict[Where, tuple[str, str]] = {
    "fleet": ("1", "Fleet"),
    "run": ("2", "Run"),
    "log": ("3", "Log"),
    "compare": ("4", "Compare"),
    "processes": ("5", "Processes"),
    "checkpoints": ("6", "Checkpoints"),
    "queue": ("7", "Queue"),
    "hosts": ("8", "Hosts"),
}
EVERYWHERE: tuple[Where, ...] = tuple(PLACES)
RUNS: tuple[Where, ...] = ("fleet", "run", "log")
STARTS: tuple[Where, ...] = ("fleet", "run", "log", "queue")
LOGS: tuple[Where, ...] = ("run", "log")
OF_A_RUN: tuple[Where, ...] = ("fleet", "run", "compare", "checkpoints", "queue")


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        keys: Textual's names, comma-separated; `shown` is what a person reads.
        action: the method `action_<this>` of the screen.
        label: one word for the footer; `text` the sentence for help, palette and README.
        where: the screens on which it acts.
        rank: order of survival in a narrow footer, 1 longest; 0 is never shown there.
        acts: it changes something on a host: refused without a link, and while read-only is on.
        first: it goes before what the focused widget would do with it.
    """

    keys: str
    shown: str
    action: str
    label: str
    text: str
    where: tuple[Where, ...] = EVERYWHERE
    rank: int = 0
    acts: bool = False
    first: bool = False

    @property
    def places(self) -> str:
        """The screens on which it acts, as a person reads them."""
        return "everywhere" if self.where == EVERYWHERE else ", ".join(PLACES[at][1] for at in self.where)


TABLE: tuple[Key, ...] = (
    Key("1", "1", "fleet", "fleet", "all hosts and runs", rank=12),
    Key("2", "2", "run", "run", "the chosen run", rank=12),
    Key(
        "3", "3", "log", "log",
        "the log of the chosen run, alone on the screen; of marked ones their logs by time", rank=13,
    ),
    Key(
        "4", "4", "compare", "compare",
        "runs over one another: the marked ones of the Fleet, else those before and the one that is open",
        rank=13,
    ),
    Key("5", "5", "processes", "processes", "processes and locks: what lives, what was left behind", rank=13),
    Key("6", "6", "checkpoints", "checkpoints", "what the chosen run has saved, there and here", rank=13),
    Key("7", "7", "queue", "queue", "who computes on each host, and who waits in line", rank=13),
    Key("8", "8", "hosts", "hosts", "hosts: add, test, deploy, diagnose", rank=13),
    Key(
        "enter", "enter", "open", "open", "open the chosen run, or answer what a host asks", ("fleet",),
        rank=2, first=True,
    ),
    Key("enter", "enter", "enlarge", "enlarge", "give the focused panel the whole screen", ("run",), rank=9),
    Key("enter", "enter", "open", "answer", "what the chosen host asks", ("hosts",), rank=5, first=True),
    Key(
        "escape", "esc", "back", "back",
        "back: from an enlarged panel, a cursor, a search, a replay, a screen",
        ("run", "log", "compare", "processes", "checkpoints", "queue", "hosts"), rank=2,
    ),
    Key("tab", "tab", "next_panel", "focus", "the next panel", rank=11),
    Key("shift+tab", "shift+tab", "previous_panel", "focus", "the panel before"),
    Key("j", "j", "move(1)", "down", "a line down: in the table, in the log"),
    Key("k", "k", "move(-1)", "up", "a line up"),
    Key("g", "g", "far(-1)", "top", "the first line"),
    Key("G", "G", "far(1)", "end", "the last line"),
    Key("s", "s", "start", "start", "start a run: a form shows what it would do", STARTS, rank=3, acts=True),
    Key("r", "r", "resume", "resume", "resume from the newest whole checkpoint", RUNS, rank=4, acts=True),
    Key("x", "x", "stop", "stop", "stop with a checkpoint; `x` again does it", STARTS, rank=4, acts=True),
    Key("K", "K", "kill", "kill", "kill the very process shown; `K` again does it", RUNS, rank=5, acts=True),
    Key(
        "x", "x", "reap", "reap", "end one orphan; `x` again does it", ("processes",), rank=3, acts=True
    ),
    Key(
        "K", "K", "end", "end", "end a stale process of yours that is no run: type its pid", ("processes",),
        rank=4, acts=True,
    ),
    Key(
        "i", "i", "config", "config", "what the run was started with, and where each value came from",
        OF_A_RUN, rank=8,
    ),
    Key("enter", "enter", "open", "open", "open the chosen run", ("compare", "queue"), rank=5, first=True),
    Key(
        "left_square_bracket", "[", "place(-1)", "earlier", "a place further up in line", ("queue",), rank=3,
        acts=True,
    ),
    Key(
        "right_square_bracket", "]", "place(1)", "later", "a place further down in line", ("queue",), rank=3,
        acts=True,
    ),
    Key("h", "h", "hold", "hold", "hold it in line, or let it go", ("queue",), rank=4, acts=True),
    Key(
        "w", "w", "await_run", "wait for", "have it wait until another run has succeeded", ("queue",), rank=5,
        acts=True,
    ),
    Key(
        "f", "f", "feed", "feed", "the feed of the chosen run: files in training, waiting, done, refused",
        ("queue",), rank=6,
    ),
    Key(
        "p", "p", "pause_feed", "pause feed",
        "hold the feed that is shown after the step in hand, with a checkpoint; or let it go on", ("queue",),
        rank=7, acts=True,
    ),
    Key(
        "delete", "del", "skip_shard", "skip",
        "leave out the chosen file of the feed, or what is left of it; `del` again does it", ("queue",),
        rank=8, acts=True,
    ),
    Key(
        "t", "t", "retry_shard", "retry",
        "let the chosen file of the feed wait again, which failed or was skipped", ("queue",), rank=8,
        acts=True,
    ),
    Key(
        "n", "n", "choose", "choose", "compare with one more run or baseline, or take one away", ("compare",),
        rank=3,
    ),
    Key("delete", "del", "remove", "take away", "compare the chosen one no more", ("compare",), rank=6),
    Key(
        "p", "p", "pin", "on top", "draw the chosen one on top, and hold the others against it", ("compare",),
        rank=4,
    ),
    Key("m", "m", "metric", "metric", "choose the metric that is compared", ("compare",), rank=4),
    Key(
        "d", "d", "difference", "differences",
        "in what the configurations differ; on a small terminal in place of the curves", ("compare",), rank=7,
    ),
    Key("B", "B", "baseline", "keep", "keep the chosen run's numbers as a baseline", ("compare",), rank=9),
    Key("c", "c", "shared", "common", "the steps that all have told, or every step", ("compare",), rank=7),
    Key("y", "y", "log_y", "log", "logarithmic axis", ("compare",), rank=7),
    Key("z", "z", "zoom(1)", "zoom", "the newest half of the steps", ("compare",), rank=14),
    Key("Z", "Z", "zoom(-1)", "unzoom", "twice as many steps again", ("compare",)),
    Key(
        "left", "←", "cursor(-1)", "cursor", "what the curves said a little earlier", ("compare",), rank=14,
        first=True,
    ),
    Key("right", "→", "cursor(1)", "later", "what the curves said a little later", ("compare",), first=True),
    Key("0", "0", "reset", "reset", "the curves as they were at first", ("compare",), rank=15),
    Key("p", "p", "pull", "pull", "fetch the chosen checkpoint to this machine", ("checkpoints",), rank=3),
    Key("c", "c", "drop", "end pull", "end the pull that goes on; what came stays", ("checkpoints",), rank=9),
    Key("v", "v", "verify", "prove", "prove every byte of the copy here", ("checkpoints",), rank=6),
    Key("V", "V", "prove", "prove there", "have its host prove every byte", ("checkpoints",), rank=10),
    Key(
        "P", "P", "pin_there", "pin", "pin the chosen one: no policy lets it go; or leave it to the policy",
        ("checkpoints",), rank=7, acts=True,
    ),
    Key(
        "w", "w", "retain", "let go",
        "what the policy lets go, what stays and why; `w` again puts it into the trash", ("checkpoints",),
        rank=7, acts=True,
    ),
    Key(
        "u", "u", "bring_back", "undo", "bring back what went into the trash last", ("checkpoints",), rank=8,
        acts=True,
    ),
    Key(
        "S", "S", "save", "save", "have the run save a checkpoint now, and go on",
        ("fleet", "run", "log", "checkpoints"), rank=5, acts=True,
    ),
    Key(
        "b", "b", "branch", "branch", "start a new run from the chosen checkpoint", ("checkpoints",), rank=4,
        acts=True,
    ),
    Key(
        "r", "r", "resume", "resume", "resume from the chosen checkpoint; `r` again does it",
        ("checkpoints",), rank=4, acts=True,
    ),
    Key("n", "n", "add", "add", "add a host: a short form", ("hosts",), rank=3),
    Key("t", "t", "test", "test", "test the chosen host, step by step", ("hosts",), rank=3),
    Key("D", "D", "deploy", "deploy", "deploy Photinus to the chosen host", ("hosts",), rank=4, acts=True),
    Key("d", "d", "doctor", "doctor", "what is wrong on the chosen host, in words", ("hosts",), rank=4),
    Key(
        "slash", "/", "filter", "filter", "filter the runs as you type; `!` before a word turns it round",
        ("fleet",), rank=6,
    ),
    Key(
        "escape", "esc", "clear", "clear", "back to now from a replay; take the filter away, then the marks",
        ("fleet",), rank=14,
    ),
    Key("space", "space", "mark", "mark", "mark a run: acts are done to all marked ones", ("fleet",), rank=8),
    Key("asterisk", "*", "mark_all", "mark all", "mark every run shown, or none", ("fleet",), rank=15),
    Key(
        "o", "o", "sort_next", "sort", "sort by the next column; a click on its title does it too",
        ("fleet",), rank=9,
    ),
    Key("O", "O", "sort_turn", "turn", "turn the order of the sorted column round", ("fleet",), rank=16),
    Key(
        "w", "w", "archive", "archive", "archive runs that are over; `w` again does it", ("fleet",), rank=13,
        acts=True,
    ),
    Key(
        "delete", "del", "trash", "trash", "put runs that are over into the trash; `del` again does it",
        ("fleet",), rank=14, acts=True,
    ),
    Key(
        "u", "u", "restore", "bring back", "bring back a run from the archive or the trash of this host",
        ("fleet",), rank=15, acts=True,
    ),
    Key(
        "c", "c", "clone", "clone", "start a new run like the chosen one, with changes on top", ("fleet",),
        rank=14, acts=True,
    ),
    Key(
        "M", "M", "move_run", "to a host",
        "move a run to another host: stop, a proven copy, resume there; `M` again does it", ("fleet",),
        rank=14, acts=True,
    ),
    Key("n", "n", "rename", "name", "give the chosen run another name", ("fleet",), rank=16, acts=True),
    Key(
        "t", "t", "tag", "tag", "give runs words to find them by, or take some away", ("fleet",), rank=16,
        acts=True,
    ),
    Key("N", "N", "note", "note", "note a remark about a run", ("fleet",), rank=16, acts=True),
    Key("exclamation_mark", "!", "answer", "answer", "a host asks: key, passphrase, proxy", rank=6),
    Key("slash", "/", "search", "search", "search the log: text or regular expression", LOGS, rank=6),
    Key("n", "n", "next_match", "next", "the next match", LOGS, rank=13),
    Key("N", "N", "previous_match", "before", "the match before", LOGS),
    Key("f", "f", "follow", "follow", "follow the log's end, or stay here", LOGS, rank=7),
    Key("F", "F", "filter_log", "filter", "lines of the log with a text, or (`!`) without it", LOGS, rank=8),
    Key("L", "L", "level", "level", "all lines of the log, warnings and errors, errors alone", LOGS, rank=10),
    Key("w", "w", "wrap", "wrap", "wrap long lines of the log, or cut them", LOGS, rank=8),
    Key("t", "t", "times", "times", "when lines of the log came, where that is known", LOGS, rank=14),
    Key("c", "c", "copy", "copy", "copy lines: marked, found or clicked, or those shown", LOGS, rank=9),
    Key("B", "B", "bookmark", "mark", "mark the line found or clicked, else the first shown", LOGS, rank=14),
    Key("apostrophe", "'", "next_bookmark", "next mark", "the next marked line", LOGS, rank=15),
    Key("left", "←", "aside(-1)", "left", "cut lines further to the left", ("log",), rank=12),
    Key("right", "→", "aside(1)", "right", "cut lines further to the right", ("log",), rank=12),
    Key(
        "m", "m", "metric", "metric",
        "put any metric of the run onto the focused chart; from the log onto one more", ("run",), rank=7,
    ),
    Key("y", "y", "log_y", "log", "logarithmic axis: the focused chart, or all", ("run",), rank=7),
    Key("plus,equals_sign", "+", "smooth(1)", "smoother", "a longer moving mean", ("run",), rank=14),
    Key("minus", "-", "smooth(-1)", "rougher", "a shorter moving mean", ("run",)),
    Key(
        "z", "z", "zoom(1)", "zoom", "half as much, about the cursor or the newest; a range that `b` began",
        ("run",), rank=14,
    ),
    Key("Z", "Z", "zoom(-1)", "unzoom", "twice as much again", ("run",)),
    Key(
        "b", "b", "begin", "range", "a range begins at the cursor; `z` shows what is between", ("run",),
        rank=16,
    ),
    Key("left_square_bracket", "[", "pan(-1)", "earlier", "the charts a quarter earlier", ("run",), rank=16),
    Key("right_square_bracket", "]", "pan(1)", "later", "the charts a quarter later", ("run",)),
    Key(
        "l", "l", "alone", "alone", "zoom and pan the focused chart alone, or all together", ("run",),
        rank=16,
    ),
    Key("u", "u", "along", "along", "steps, time or tokens along the charts", ("run",), rank=15),
    Key(
        "v", "v", "robust", "range",
        "few values far out set the axis too, or are marked and counted at its edge", ("run",), rank=16,
    ),
    Key("C", "C", "columns", "columns", "how many charts stand in a row", ("run",), rank=16),
    Key("left", "←", "cursor(-1)", "cursor", "charts a bit earlier, the log to the left", ("run",), rank=14),
    Key("right", "→", "cursor(1)", "later", "charts a bit later, the log to the right", ("run",)),
    Key("0", "0", "reset", "reset", "the chart as it was at first", ("run",), rank=15),
    Key(
        "p", "p", "replay", "replay", "show the past as it was, all in a minute; stand, or play on", RUNS,
        rank=12,
    ),
    Key("comma", ",", "replay_step(-1)", "earlier", "a fiftieth of the past earlier", RUNS, rank=16),
    Key("full_stop", ".", "replay_step(1)", "later", "a fiftieth of the past later", RUNS),
    Key("less_than_sign", "<", "replay_speed(-1)", "slower", "replay half as fast", RUNS),
    Key("greater_than_sign", ">", "replay_speed(1)", "faster", "replay twice as fast", RUNS),
    Key("a", "a", "acknowledge", "seen", "acknowledge the alerts", rank=15),
    Key("A", "A", "alerts", "alerts", "every alert with its time", rank=15),
    Key("R", "R", "reconnect", "reconnect", "try the links that are down again now", rank=11),
    Key("ctrl+r", "ctrl+r", "read_only", "read-only", "read-only on or off: no key changes a host", rank=16),
    Key("T", "T", "ground", "light", "light or dark", rank=16),
    Key("ctrl+p", "ctrl+p", "palette", "palette", "every command by name", rank=16, first=True),
    Key("question_mark", "?", "help", "help", "this list", rank=1),
    Key("q", "q", "quit", "quit", "leave; runs go on, and the last line says so", rank=1),
)  # fmt: skip
ACTING = frozenset(key.action for key in TABLE if key.acts)
