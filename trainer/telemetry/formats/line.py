"""One line of a log as its formats see it: with and without a launcher's and a logger's prefix."""

from datetime import datetime

from trainer.telemetry.formats.bar import find_bar
from trainer.telemetry.formats.pattern import lazy

_RANK = lazy(r"\s{0,4}\[(?:rank|default)(\d{1,6})\]:?\s?")
_STAMP = (
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\d\d/\d\d/\d{4} \d\d:\d\d:\d\d"
    r"|\d\d:\d\d:\d\d(?:[.,]\d{1,6})?"
)
_LEVEL = r"(?:DEBUG|INFO|WARNING|WARN|ERROR|NOTICE)"
_MARK = rf"(?:\[[^\[\]]{{1,80}}\]:?|\((?:\w+ )?pid=[^()]{{1,60}}\)|(?:{_STAMP})|{_LEVEL}(?::[\w.]{{1,80}}:)?)"
_NAME = rf"(?:[\w.]{{1,80}}(?::[\w.<>]{{1,80}}){{0,2}} +[-|] +(?:{_LEVEL} *[-|:] +)?)?"
_HOST = r"(?:[\w.-]{1,60}: (?=\[))?"
_PREFIX = lazy(rf"\s{{0,8}}{_HOST}(?:{_MARK}(?:\s*[-|:>,]{{1,2}}\s+|\s+|(?=\{{))){{1,8}}{_NAME}")
_TIME = lazy(_STAMP)
_SLASHED = "%m/%d/%Y %H:%M:%S"


class Line:
    """One line.

    Attributes:
        text: the line without a launcher's rank.
        rank: what the launcher calls the rank that said it, empty where it does not tell.
    """

    __slots__ = ("_body", "rank", "text")

    def __init__(self, text: str) -> None:
        self.rank = ""
        if "[" in text and ("[rank" in text or "[default" in text):
            found = _RANK.match(text)
            if found is not None:
                self.rank, text = found.group(1), text[found.end() :]
        self.text = text
        self._body: tuple[str, str] | None = None

    @property
    def body(self) -> str:
        """The text behind a progress bar and a logger's prefix; `text` where it has none."""
        return self._split()[1]

    @property
    def time(self) -> float:
        """Unix seconds that the prefix tells, a time without zone taken for ours; 0 for none."""
        return parse_time(self._split()[0])

    def _split(self) -> tuple[str, str]:
        if self._body is None:
            text = self.text
            if "%|" in text and (bar := find_bar(text)) is not None and not bar.rest.isspace():
                text = bar.rest or text
            found = _PREFIX.match(text)
            end = found.end() if found is not None else 0
            self._body = text[:end], text[end:]
        return self._body


def parse_time(text: str) -> float:
    """Unix seconds of the first full date in a text, 0 where there is none."""
    found = _TIME.search(text)
    if found is None or len(stamp := found.group()) < 19:
        return 0.0
    try:
        if stamp[4] == "-":
            when = datetime.fromisoformat(stamp.replace(",", "."))
        else:
            when = datetime.strptime(stamp, _SLASHED).astimezone()
        return when.timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0
