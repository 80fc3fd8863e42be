"""What is tried: fields of `model:` over the preset, and the order in which they are run."""

from collections.abc import Mapping

Fields = Mapping[str, object]

VARIANTS: Mapping[str, Fields] = {
    "driven": {},
    "ema": {"dynamics": "ema"},
    "mobius": {"dynamics": "mobius"},
    "u off": {"u": "off"},
    "K to 2": {"k_max": 2.0},
    "K to 4": {"k_max": 4.0},
    "K to 8": {"k_max": 8.0},
    "K signed, to 4": {"k_max": 4.0, "k_sign": "signed"},
    "K signed, to 8": {"k_max": 8.0, "k_sign": "signed"},
    "written by R": {"written": "R"},
    "written by R, K signed, to 4": {"written": "R", "k_max": 4.0, "k_sign": "signed"},
    "groups of 4": {"group": 4, "harmonics": 2},
    "groups of 8": {"group": 8, "harmonics": 4},
    "groups of 16": {"group": 16, "harmonics": 8},
    "groups of 64": {"group": 64, "harmonics": 16},
    "feedback": {"feedback": True, "k_max": 2.0},
    "feedback, groups of 16": {"feedback": True, "k_max": 2.0, "group": 16, "harmonics": 8},
    "mobius, feedback": {"dynamics": "mobius", "feedback": True, "k_max": 1.0},
    "mobius, latch": {"dynamics": "mobius", "latch": 0.3},
    "mobius, latch of 0.45": {"dynamics": "mobius", "latch": 0.45},
    "mobius, latch, feedback": {"dynamics": "mobius", "latch": 0.3, "feedback": True, "k_max": 0.5},
}

SMALL: Fields = {"dim": 64, "layers": 2, "oscillators": 128}
"""The model of the generated tasks; text has the preset's own."""

FIRST = ("driven", "mobius", "groups of 16", "K signed, to 4", "written by R")
LOOPS = tuple(name for name, fields in VARIANTS.items() if "feedback" in fields or "latch" in fields)
"""Loops over tokens, several times as dear as a scan."""
REST = tuple(name for name in VARIANTS if name not in FIRST + LOOPS)
TASKS = ("flip-flop", "interleaved", "brackets", "recall")
SHORT = TASKS[:-1]
"""Learnt in part within 400 steps; `recall` beyond 8 bytes only after some 800, and with few keys."""
TASK_SETS: Mapping[str, tuple[str, ...]] = {
    "recall": ("data.recall_pairs=4",),
    "interleaved": ("data.interleaved_streams=2", "data.interleaved_period=2"),
}
"""Small enough to be learnt: of four streams of four digits nothing was, by any variant, within 400 steps."""

PLAN: tuple[tuple[str, tuple[str, ...], int], ...] = (
    *((task, FIRST, 400) for task in SHORT),
    ("flip-flop", LOOPS, 400),
    ("python-docs", FIRST, 500),
    ("recall", FIRST, 1200),
    *((task, LOOPS, 400) for task in SHORT[1:]),
    *((task, REST, 400) for task in SHORT),
    ("python-docs", REST, 500),
    ("python-docs", LOOPS, 500),
)
"""Task, variants, steps; the most telling for its price first."""


def uncoupled(fields: Fields) -> Fields:
    """Return the control of a variant: the same without the mean field, and without what only serves it."""
    kept = {name: value for name, value in fields.items() if name not in ("feedback", "k_max", "k_sign", "u")}
    return {**kept, "coupled": False}


def name_of(fields: Fields) -> str | None:
    """Return the variant with these fields."""
    return next((name for name, one in VARIANTS.items() if dict(one) == dict(fields)), None)
