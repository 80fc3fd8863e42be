"""The configurations that hosts have told, each asked for once an attempt."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tui.store.compare.config_values import ConfigValue
from tui.store.store import RunKey

AGAIN_S = 5.0


@dataclass(frozen=True, slots=True)
class ConfigSheet:
    """What is known of one run's configuration.

    Attributes:
        attempt: of which attempt; a resume may have changed it.
        asked_at: monotonic seconds at which its host was asked last; None where it was not.
        values: None before it was told.
        trouble: why it is not told; empty where it is, or will be.
    """

    attempt: int
    asked_at: float | None = None
    values: tuple[ConfigValue, ...] | None = None
    trouble: str = ""

    @property
    def texts(self) -> Mapping[str, str] | None:
        """Key -> value as text; None where it is not known."""
        return None if self.values is None else {value.key: value.text for value in self.values}


class ConfigSheets:
    """Sheets by run. The one of an earlier attempt stands until the next one is told."""

    def __init__(self) -> None:
        self._of: dict[RunKey, ConfigSheet] = {}

    def of(self, key: RunKey, attempt: int) -> ConfigSheet:
        """What is known of it."""
        return self._of.get(key, ConfigSheet(attempt))

    def is_wanted(self, key: RunKey, attempt: int, now: float) -> bool:
        """Whether its host is to be asked now."""
        known = self._of.get(key)
        if known is None or known.asked_at is None or known.attempt != attempt:
            return True
        return bool(known.trouble) and now - known.asked_at >= AGAIN_S

    def ask(self, key: RunKey, attempt: int, now: float) -> None:
        """Its host is asked now."""
        self._of[key] = replace(self.of(key, attempt), attempt=attempt, asked_at=now, trouble="")

    def take(self, key: RunKey, values: tuple[ConfigValue, ...] | None, trouble: str = "") -> None:
        """What its host answered."""
        if (known := self._of.get(key)) is not None:
            kept = values if values is not None else known.values
            self._of[key] = replace(known, values=kept, trouble=trouble)
