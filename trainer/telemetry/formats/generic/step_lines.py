"""Lines that begin with a step, and numbers behind colons: `Step 100/5000 | Loss: 2.31 | LR: 3e-4`."""

import re
from collections.abc import Sequence

from trainer.telemetry.formats.format import PatternFormat, Take
from trainer.telemetry.formats.line import Line, without_sign
from trainer.telemetry.formats.metric_names import canonical, is_metric, split
from trainer.telemetry.formats.numbers import NUMBER, measure
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Finding

_OTHERS = (  # whose rows begin so, too
    r"(?!.*\| lrm: )(?!\s*(?:Validation (?:bpb|loss)|Training loss|CORE metric|ChatCORE|Pass@\d+"
    r"|Average reward|consumed[_ ](?:samples|tokens)|elapsed time per iteration \(m?s\)|[\w-]{1,40}_acc): )"
    r"(?!.*/sec: [\d.,]+\s*$)"
)
_ROW = lazy(
    r"\s{0,3}(?P<open>[\[(])?(?:(?:global|training|train)[ _])?"
    r"(?P<counted>step|iteration|iter|update|episode)\s*[:#]?\s*"
    r"(?P<box>[\[(])?(?P<step>\d{1,3}(?:,\d{3}(?!\d)){1,4}|\d{1,12})(?:\s*/\s*(?P<total>\d{1,3}(?:,\d{3}(?!\d)){1,4}|\d{1,12}))?"
    r"(?:[\])]|\s?\([\d.]{1,7}\s?%\)){0,2}"
    rf"(?P<between>\s*[|,:;]\s*|\s+-+\s+|\s+){_OTHERS}(?P<rest>\S.{{2,600}}?)\s*",
    re.IGNORECASE,
)
_SEPARATOR = lazy(r"\s*[|;]\s*|,\s+|\s+-\s+|\s{2,}")
_INNER = lazy(r"\s\(([^()]{3,200})\)")
_UNIT = r"(?:\s?(?:%|ms|s|sec|min|it/s|[KMG]B?))?(?!\w)"
_FIELD = lazy(rf"([A-Za-z][\w/.@() -]{{0,40}}?)(:|\s?=)\s*({NUMBER}{_UNIT})(?:\s\({NUMBER}\))?")
_SEVERAL = lazy(rf"(?:[A-Za-z_][\w/.@-]{{0,40}}:\s?{NUMBER}{_UNIT}\s*){{2,40}}")
_EACH = lazy(rf"([A-Za-z_][\w/.@-]{{0,40}}):\s?({NUMBER}{_UNIT})")
_BARE = lazy(rf"([A-Za-z][A-Za-z_ ]{{0,30}}) ({NUMBER})")
_TRAILED = lazy(rf"([A-Za-z][\w/.@ -]{{0,40}}?):\s*({NUMBER})(?!\w)\s\S.{{0,60}}")


class StepLines(PatternFormat):
    """Between bars a field may be a word, or have words behind its number; elsewhere all are numbers."""

    name = "key: value"
    example = "Step 100/5000 | Loss: 2.31 | LR: 0.0003"
    has_shapes = True
    needles = (b"pisode ", b"tep ", b"tep:", b"STEP", b"Iter", b"iter", b"pdate ", b"tep[", b"tep #")

    def patterns(self) -> tuple[tuple[re.Pattern[str], Take], ...]:
        """See `PatternFormat`."""
        return ((_ROW, _row),)

    def take(self, line: Line) -> Sequence[Finding]:
        """See `Format`."""
        return self._match(without_sign(line.body), line)


def _row(found: re.Match[str]) -> Sequence[Finding]:
    between, rest = found["between"], found["rest"]
    values: dict[str, float | None] = {}
    is_piped = "|" in between or " | " in rest
    is_plain = between.isspace() and not (found["open"] or found["box"] or "  " in between)
    inner = _INNER.findall(rest)
    parts = [*_SEPARATOR.split(_INNER.sub("", rest)), *(part for one in inner for part in one.split(", "))]
    colons, odd = 0, 0
    for part in filter(None, parts):
        fields, is_colon = _fields(part, is_bare="," in between)
        if fields is None:
            odd += 1
            if not is_piped or odd > 4:
                return ()
            fields = {trailed.group(1): trailed.group(2)} if (trailed := _TRAILED.fullmatch(part)) else {}
        colons += is_colon
        for name, text in fields.items():
            values.setdefault(name.strip(), measure(text))
    if is_plain or not colons or not any(is_metric(name) and canonical(name) != "lr" for name in values):
        return ()
    total = found["total"]
    return split(
        int(found["step"].replace(",", "")), values, total=int(total.replace(",", "")) if total else 0
    )


def _fields(part: str, *, is_bare: bool) -> tuple[dict[str, str] | None, bool]:
    """The fields of one part, None where it is no field; and whether it has colons."""
    if (one := _FIELD.fullmatch(part)) is not None:
        return {one.group(1): one.group(3)}, one.group(2) == ":"
    if _SEVERAL.fullmatch(part) is not None:
        return dict(_EACH.findall(part)), True
    if is_bare and (bare := _BARE.fullmatch(part)) is not None:
        return {bare.group(1): bare.group(2)}, True
    return None, False
