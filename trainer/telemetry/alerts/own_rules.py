"""Rules of somebody's own: a metric above or below what they say, for so many rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trainer.telemetry.alerts.occasion import Firing, Level, Occasion
from trainer.telemetry.events import Number

PREFIX = "own."


@dataclass(frozen=True, slots=True)
class OwnRule:
    """One of them: it fires after `rows` values in a row beyond a limit, and again after as many within it.

    Attributes:
        above, below: limits that a value may reach and not pass; None where there is none.
    """

    name: str
    metric: str
    above: float | None = None
    below: float | None = None
    rows: int = 1
    level: Level = "warning"

    def beyond(self, value: float) -> str:
        """Which limit a value passes, in words; empty where it passes none."""
        if self.above is not None and value > self.above:
            return f"above {self.above:g}"
        return f"below {self.below:g}" if self.below is not None and value < self.below else ""


class OwnRules:
    """The rules on one run."""

    __slots__ = ("_by_metric",)

    def __init__(self, rules: Iterable[OwnRule] = ()) -> None:
        self._by_metric: dict[str, list[tuple[OwnRule, Occasion]]] = {}
        for rule in rules:
            watched = (rule, Occasion(begins=rule.rows, ends=rule.rows))
            self._by_metric.setdefault(rule.metric, []).append(watched)

    def row(self, step: int, values: Mapping[str, Number]) -> list[Firing]:
        """Take a row; what is not finite is the business of another rule."""
        found = []
        for metric, watched in self._by_metric.items():
            value = values.get(metric)
            if value is None or value != value:
                continue
            for rule, occasion in watched:
                passed = rule.beyond(value)
                if occasion.fires(bool(passed)):
                    rows = f" for {rule.rows:,} rows" if rule.rows > 1 else ""
                    said = f"{rule.name}: {metric} is {value:.4g}, {passed}{rows}"
                    found.append(Firing(PREFIX + rule.name, rule.level, said, step))
        return found
