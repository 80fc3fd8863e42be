"""What a terminal of each kind really shows of every scene: the cells that were meant, on its own ground."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trials import trials
from tests.tui.pty_screen import Seen, each_scene
from tests.tui.staged import SCENES, SIZES

SCRIPT = Path(__file__).with_name("painted_scenes.py")
BLACK, NAVY = "000000", "00005f"
TERMINALS: dict[str, dict[str, str]] = {
    "truecolor": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    "256": {"TERM": "xterm-256color"},
    "16": {"TERM": "xterm"},
    "light": {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PHOTINUS_THEME": "light"},
    "no colour": {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"},
}
CASES = [(kind, size) for kind in TERMINALS for size in SIZES]
SAMPLE = [("256", (80, 24))]


def grounds_of(shown: Seen) -> set[str]:
    return {cell for row in shown.grounds for cell in row}


def is_grey(colour: str) -> bool:
    return colour == "default" or colour[:2] == colour[2:4] == colour[4:]


def faults_of(kind: str, shown: Seen, meant: str) -> list[str]:
    """What is not as it was meant, or not right for this kind of terminal."""
    found = []
    wanted = meant.split("\n")
    for at, line in enumerate(shown.lines):
        want = wanted[at] if at < len(wanted) else ""
        if line.rstrip() != want.rstrip():
            found.append(f"line {at}: {line.rstrip()!r} was to be {want.rstrip()!r}")
    grounds = grounds_of(shown)
    if kind in ("truecolor", "256", "light") and grounds & {BLACK, NAVY}:
        found.append(f"a ground of black or navy: {shown.share(BLACK):.0%}")
    if kind == "16" and shown.share("default") < 0.5:
        found.append("the terminal's own ground is painted over")
    if kind == "light" and max(grounds, key=shown.share) < "c00000":
        found.append(f"the ground is dark: {max(grounds, key=shown.share)}")
    if kind == "no colour" and not all(map(is_grey, grounds | shown.inks)):
        found.append(f"colours: {[one for one in grounds | shown.inks if not is_grey(one)]}")
    return found


@pytest.mark.chaos
@pytest.mark.claim("each kind of terminal shows the very cells that were meant, on its own ground")
def test_each_kind_of_terminal_shows_what_was_meant(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    faults: list[str] = []
    count = 0
    for kind, size in CASES if trials(0, 1) else SAMPLE:
        folder = tmp_path / f"{kind}-{size[0]}"
        folder.mkdir()
        for name, shown, meant in each_scene(SCRIPT, folder, trials(6, 1), size, **TERMINALS[kind]):
            faults += [f"{kind} {size} {name}: {fault}" for fault in faults_of(kind, shown, meant)]
            count += 1
    assert count >= len(SCENES) // 6, "every scene was drawn"
    record_property("trials", count)
    assert not faults, "\n".join(faults)


def test_the_picture_from_before_and_another_cell_are_found(tmp_path: Path) -> None:
    """The control."""
    scenes = each_scene(SCRIPT, tmp_path, len(SCENES), (80, 24), "unsuited", **TERMINALS["256"])
    ((_, shown, meant),) = scenes
    (fault,) = faults_of("256", shown, meant)
    assert "black" in fault
    assert len(faults_of("16", shown, meant.replace("demo", "dome"))) > 1
