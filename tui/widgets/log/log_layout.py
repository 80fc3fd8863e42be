"""Which part of which line stands in which row of a log view."""

from collections.abc import Callable

Row = tuple[int, int]  # the place of a line, and which of its parts


def parts_of(cells: int, width: int) -> int:
    """Rows that a line of so many cells takes where it is wrapped; an empty one takes one."""
    return max(-(-cells // max(width, 1)), 1)


def from_top(top: int, count: int, height: int, parts: Callable[[int], int]) -> list[Row]:
    """The rows from the first part of a line downwards."""
    rows: list[Row] = []
    place = top
    while len(rows) < height and place < count:
        rows += [(place, part) for part in range(parts(place))]
        place += 1
    return rows[:height]


def to_end(count: int, height: int, parts: Callable[[int], int]) -> list[Row]:
    """The rows above the end, the last part of the last line lowest."""
    rows: list[Row] = []
    place = count - 1
    while len(rows) < height and place >= 0:
        rows = [*((place, part) for part in range(parts(place))), *rows]
        place -= 1
    return rows[-height:] if height > 0 else []
