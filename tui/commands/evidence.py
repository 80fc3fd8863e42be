"""What a host's files say of a run beside its state: what still lives of it, when it ran, how it ended."""

from collections.abc import Mapping
from typing import Any

from remote.sanitise import clean_line

TEXTS_MAX = 40


def evidence(told: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that `show` adds, from the host's answer about one run; of an older host they are empty."""
    return {"left": texts(told.get("left"))}


def evidence_words(shown: Mapping[str, Any]) -> list[str]:
    """The same for people: only what there is."""
    return [f"  still lives  {one}" for one in shown.get("left", [])]


def texts(raw: object) -> list[str]:
    """A list of a host's words: cleaned, and not without end."""
    return [clean_line(str(one)) for one in raw[:TEXTS_MAX]] if isinstance(raw, list) else []
