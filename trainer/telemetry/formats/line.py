"""One line of a log as its formats see it: with and without a launcher's and a logger's prefix."""

from datetime import datetime

from trainer.telemetry.formats.bar import find_bar
from trainer.telemetry.formats.pattern import lazy

_RANK = lazy(
    r"\s{0,4}(?:(?:\d{1,5}:\s?|[\w.-]{1,60}:\s)?\[(?:rank|default)(?P<torch>\d{1,6})\]:?\s?"
    r"|\[\d{1,6},(?P<mpi>\d{1,6})\]<std(?:out|err)>:\s?)"
)
_RANK_MARKS = ("[rank", "[default", "<std")
_STAMP = (
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\d\d/\d\d/\d{4} \d\d:\d\d:\d\d|\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"
    r"|\d\d:\d\d:\d\d(?:[.,]\d{1,6})?"
)
_LEVEL = r"(?:DEBUG|INFO|WARNING|WARN|ERROR|NOTICE)"
_GLOG = r"[IWE]\d{4} \d\d:\d\d:\d\d\.\d{1,9} +\d{1,20} [\w.]{1,80}:\d{1,6}\]"
_PLACE = (
    r"(?!(?i:epoch|step|iter|val|valid|validation|eval|test)\b[^\]]{0,20}\](?!\[))"  # `[Epoch 1]`, `[val]`
)
_MARK = (
    rf"(?:\[{_PLACE}[^\[\]]{{1,80}}\]:?|\((?:\w+ )?pid=[^()]{{1,60}}\)|(?:{_STAMP})"
    rf"|{_LEVEL}(?::[\w.]{{1,80}}:)?|{_GLOG})"
)
_BETWEEN = r"(?:\s*[-|:>,]{1,2}\s+|\s+|(?=[\{\[])|(?<=\]:)(?=\d)|(?<=:))"
_NAME = (  # of a logger, and no word by which a format begins
    rf"(?!(?:[sS]tep|[eE]poch|[iI]ter|[tT]rain(?:ing)?|TRAIN|[vV]al(?:id(?:ation)?)?|VAL|[eE]val|[tT]est|{_LEVEL})\b)"
    r"[A-Za-z_][\w.]{0,80}(?::[\w.<>]{1,80}){0,2} +(?:[-|]|>>) +"
)
_SHIPPED = (  # what gathers the output of several programs puts before a line
    r"(?!(?:Epoch|Train|Test|Step|Iter)\b)[\w.-]{1,60}: (?=\[)"
    r"|\d{1,5}:(?: |(?=\[))"  # srun --label
    r"|[A-Za-z][\w.-]{0,60}[-_]\d{1,4}\s+\| ?"  # docker compose
    r"|\d{1,3}\|[A-Za-z][\w-]{0,40}\s*\| ?"  # pm2
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?:[\w.-]{1,60} [\w./-]{1,60}\[\d{1,10}\]: ?)?"  # journal, ts
)
_PREFIX = lazy(
    rf"(?:\s{{0,8}}(?:{_SHIPPED}|{_MARK}{_BETWEEN}))(?:\s{{0,8}}(?:{_SHIPPED}|{_MARK}{_BETWEEN}|{_NAME})){{0,12}}\s{{0,8}}"
    r"|\s{1,3}(?!\s)"  # four are a quotation
)
_SOURCE = lazy(r"\s{2,}[\w./-]{1,80}\.py:\d{1,6}\s*$")  # rich's handler puts it at the right edge
_TIME = lazy(_STAMP)
_SIGN = lazy(r"\s{0,3}[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]{1,3}\s+")
_SLASHED = "%m/%d/%Y %H:%M:%S"


class Line:
    """One line.

    Attributes:
        text: the line without a launcher's rank.
        rank: what the launcher calls the rank that said it, empty where it does not tell.
    """

    __slots__ = ("_body", "_plain", "rank", "text")

    def __init__(self, text: str) -> None:
        self.rank = ""
        if "[" in text and any(mark in text for mark in _RANK_MARKS):
            found = _RANK.match(text)
            if found is not None:
                self.rank, text = found["torch"] or found["mpi"], text[found.end() :]
        self.text = text
        self._plain: tuple[str, str] | None = None
        self._body: tuple[str, str] | None = None

    @property
    def plain(self) -> str:
        """The text behind a logger's prefix; a progress bar is still before it."""
        if self._plain is None:
            self._plain = _split(self.text)
        return self._plain[1]

    @property
    def uncut(self) -> str:
        """The text with a logger's prefix: a table's own bars look like a part of one."""
        return _SOURCE.sub("", self.text) if ".py:" in self.text else self.text

    @property
    def prefix(self) -> str:
        """What a logger wrote before `plain`."""
        if self._plain is None:
            self._plain = _split(self.text)
        return self._plain[0]

    @property
    def column(self) -> int:
        """Where in the line its first letter stands behind a logger's prefix."""
        plain = self.plain
        return len(self.prefix) + len(plain) - len(plain.lstrip())

    @property
    def body(self) -> str:
        """The text behind a progress bar and a logger's prefix; `text` where it has none."""
        return self._parts()[1]

    @property
    def time(self) -> float:
        """Unix seconds that the prefix tells, a time without zone taken for ours; 0 for none."""
        return parse_time(self._parts()[0])

    def _parts(self) -> tuple[str, str]:
        if self._body is None:
            text = self.plain
            assert self._plain is not None
            self._body = self._plain
            if "%" in text and (bar := find_bar(text)) is not None and bar.is_drawn and bar.rest.strip():
                inner = _split(bar.rest)
                self._body = inner[0] or self._plain[0], inner[1]
        return self._body


def without_sign(text: str) -> str:
    """The text without one sign at its beginning that is neither letter nor punctuation: `✅ Step 1`."""
    first = text.lstrip()[:1]
    return _SIGN.sub("", text, count=1) if first > "\u2190" else text


def _split(text: str) -> tuple[str, str]:
    """A logger's prefix, and what stands behind it."""
    found = _PREFIX.match(text)
    end = found.end() if found is not None else 0
    body = text[end:]
    if ".py:" in body and (source := _SOURCE.search(body)) is not None:
        body = body[: source.start()]
    return text[:end], body


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
