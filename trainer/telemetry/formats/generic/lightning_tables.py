"""What Lightning draws with rich: its bar, whose metrics may go on in further lines, and tables of a test."""

import re

from trainer.telemetry.formats.bar import Bar
from trainer.telemetry.formats.block import value_of
from trainer.telemetry.formats.line import Line
from trainer.telemetry.formats.numbers import NUMBER, measure
from trainer.telemetry.formats.pattern import lazy

INDENT = 8
NEEDLES = ("•".encode(), b"DataLoader ", b"ataloader ")
_RICH = lazy(
    r"\s*(?P<lead>[A-Z][\w ]{0,60}?(?: \d{1,9}/\d{1,9}|/-2| \d{1,9})?)\s+(?:[━╸╺╍╎ ]{1,400}\s)?\s*"
    r"(?P<done>\d{1,12})/(?P<total>\d{1,12}|--)\s+[\d:-]{1,16} • [\d:-]{1,16}\s+[\d.]{1,12}it/s(?P<rest>.*)"
)
_PAIR = lazy(rf"([A-Za-z_][\w/.@()-]{{0,60}}): ({NUMBER})(?![\w.])")
_PART = rf"(?:[A-Za-z_][\w/.@()-]{{0,60}}:|{NUMBER})"
_GOES_ON = lazy(rf"{_PART}(?:\s+{_PART}){{0,60}}\s*")
_HEADER = lazy(
    r"[\s┃│|]*(?:(?:Runningstage\.)?(test|validat)(?:e|ing|ion)?\s+metric)[\s┃│|]+"
    r"(DataLoader \d{1,6}(?:[\s┃│|]+DataLoader \d{1,6}){0,60})[\s┃│|]*",
    re.IGNORECASE,
)
_TABLE_ROW = lazy(r"[\s│|]*(\S{1,120})((?:[\s│|]+\S{1,40}){1,64}?)[\s│|]*")
_FRAME = lazy(r"\s*[─━═┏┓┗┛┡┩╇╈┳┻├┤┼└┘┴┬┌┐╞╡╪-]{8,400}\s*")


def find_rich_bar(text: str) -> Bar | None:
    """One redraw of Lightning's rich bar, None where there is none."""
    if "•" not in text or (found := _RICH.fullmatch(text)) is None:
        return None
    total = 0 if found["total"] == "--" else int(found["total"])
    lead = found["lead"].partition("/")[0].strip()
    return Bar(lead, int(found["done"]), total, *_told(found["rest"]), True)


def _told(rest: str) -> tuple[dict[str, float], str, frozenset[str]]:
    pairs = {name: measure(value) for name, value in _PAIR.findall(rest)}
    values = {name: value for name, value in pairs.items() if value is not None}
    return values, rest, frozenset(pairs)


def goes_on(line: Line) -> bool:
    """Whether a line holds nothing but metrics of a bar, below where those of its first line stand."""
    return line.column >= INDENT and _GOES_ON.fullmatch(line.plain.strip()) is not None


def continued(bar: Bar, text: str) -> Bar:
    """The bar with the metrics of one more line."""
    values, rest, names = _told(f"{bar.rest.rstrip()} {text.strip()}")
    return bar._replace(values=values, rest=rest, names=names)


class ResultTable:
    """The table of `trainer.test` or `trainer.validate`, line by line.

    Attributes:
        values: by name; of several data loaders under the names that they have in a logger.
    """

    def __init__(self, header: str) -> None:
        found = _HEADER.fullmatch(header)
        assert found is not None
        self._lead = "test" if found.group(1).lower() == "test" else "val"
        self._loaders = [part.strip() for part in found.group(2).lower().split("dataloader")[1:]]
        self._loaders = [part.strip("┃│| ") for part in self._loaders]
        self.values: dict[str, float | None] = {}

    @staticmethod
    def begins(text: str) -> bool:
        """Whether a line is the header of such a table."""
        return "ataLoader" in text and _HEADER.fullmatch(text) is not None

    def add(self, text: str) -> bool:
        """Read one more line; False for the end of the table."""
        if _FRAME.fullmatch(text) is not None:
            return not self.values
        found = _TABLE_ROW.fullmatch(text)
        if found is None or len(self.values) > 512:
            return False
        cells = found.group(2).replace("│", " ").replace("|", " ").split()
        numbers = [value_of(cell) for cell in cells]
        if len(cells) > len(self._loaders) or None in numbers:
            return False
        for loader, value in zip(self._loaders, numbers, strict=False):
            name = found.group(1)
            if not name.startswith(("test", "val")):
                name = f"{self._lead}_{name}"
            self.values[name if len(self._loaders) == 1 else f"{name}/dataloader_idx_{loader}"] = value
        return True
