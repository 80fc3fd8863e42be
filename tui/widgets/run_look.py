"""How a run is shown: as one of ours, by what its log tells, or as text alone."""

from tui.store.runs import RunRecord

LINES, SECONDS = 50, 60.0  # of a log without a known row, whichever comes first: then it is said
EXAMPLES = ("step=10 loss=2.31", '{"step": 10, "loss": 2.31}')


def has_our_look(run: RunRecord) -> bool:
    """Whether it is shown as a run of ours: it is one, or its log tells what only those tell."""
    return not run.is_command or "u_val" in run.catalogue


def is_text_only(run: RunRecord) -> bool:
    """Whether a command has logged no number so far: its text is all there is to see."""
    return run.is_command and not run.catalogue


def is_unknown(run: RunRecord, now: float) -> bool:
    """Whether a log has gone on for long enough, or has ended, without a row of any known format."""
    if not is_text_only(run) or run.log_at is None:
        return False
    return run.view.is_terminal or run.log.received >= LINES or now - run.log_at >= SECONDS
