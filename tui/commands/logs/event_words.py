"""An event in words: one line for a person."""

from math import isfinite

from remote.protocol.sanitise import clean_line
from trainer.telemetry.events import (
    Checkpoint,
    Evaluation,
    Event,
    Metrics,
    Note,
    Phase,
    Probe,
    Resume,
    Sample,
    StepBack,
)
from trainer.telemetry.flat import flatten

SAMPLE_SHOWN = 100


def in_words(event: Event) -> str:
    """What one event says; nothing in it steers a terminal."""
    return clean_line(_words(event))


def _words(event: Event) -> str:
    match event:
        case Metrics() | Evaluation() | Probe():
            kind = {Metrics: "step", Evaluation: "eval", Probe: "probe"}[type(event)]
            numbers = "  ".join(
                f"{name} {_number(value)}" for name, value in event.values.items() if value is not None
            )
            bad = f"  not finite: {', '.join(event.nonfinite)}" if event.nonfinite else ""
            return f"{kind} {event.step}  {numbers}{bad}"
        case Checkpoint():
            return f"checkpoint of step {event.step}  {event.path}"
        case Resume():
            return f"attempt {event.attempt} goes on from step {event.step}"
        case StepBack():
            return f"step back {event.times} of {event.most}, from step {event.found}: {event.reason}"
        case Phase():
            done = (
                f" {event.done} of {event.total}"
                if event.done
                else f" {event.total} steps"
                if event.total
                else ""
            )
            return f"{event.phase} {event.detail}{done}".rstrip()
        case Note():
            return f"{event.level}: {event.message}"
        case Sample():
            return f"sample of step {event.step}  {event.text[:SAMPLE_SHOWN]!r}"
        case _:
            flat = flatten(event)
            return "  ".join(
                f"{value}" if name == "type" else f"{name} {value}" for name, value in flat.items()
            )


def _number(value: float) -> str:
    if not isfinite(value):
        return str(value)
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 1e5 else f"{value:.6g}"
