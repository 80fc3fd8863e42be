"""The head of the Run screen: three facts apart, progress, and how fast it goes."""

from rich.text import Text

from remote.hosts.host import LOCAL
from trainer.telemetry.events import StepBack
from tui.keys import shown
from tui.store.facts import link_fact, run_age_fact, state_fact
from tui.store.hosts import HostRecord
from tui.store.runs import RunRecord
from tui.store.words import count, duration, number, shortened
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets.lines import Part, fact, line

SLOW_STOP_S = 60.0


def head(run: RunRecord, host: HostRecord, now: float, wall: float, width: int) -> list[Text]:
    """Three lines: who, the three facts, how far. Of a command, below its name, what its log is."""
    known = [_log(run)] if run.is_command else []
    return [_who(run), *known, _facts(run, host, now, wall), _progress(run, width)]


def log_head(run: RunRecord, host: HostRecord, now: float) -> Text:
    """One line above a log alone: whose it is, its state, and when it was heard."""
    parts = [line((run.name, STRONG), (f"  {run.run_id}    run ", DIM)), fact(state_fact(run, host))]
    parts += [line(("    link ", DIM)), fact(link_fact(host, now)), line(("    data ", DIM))]
    parts += [fact(run_age_fact(run, host, now))]
    return Text("", end="", no_wrap=True, overflow="ellipsis").join(parts)


def _log(run: RunRecord) -> Text:
    """The format of the log, and how much it tells."""
    if not run.log_format:
        return line(("log: ", DIM), ("no known metrics so far", FAINT))
    many = len(run.catalogue)
    summary = f"{many} metric{'' if many == 1 else 's'}" + (", an epoch a row" if run.axis == "epoch" else "")
    return line(("log: ", DIM), (run.log_format, hue("cyan")), ("  ·  ", FAINT), (summary, DIM))


def _who(run: RunRecord) -> Text:
    view = run.view
    parts: list[Part] = [(run.name, STRONG), (f"  {view.run_id}", DIM)]
    for word in (
        view.preset or view.kind,
        view.device,
        f"attempt {view.attempt}" if view.attempt > 1 else "",
    ):
        if word and word != run.name:
            parts += [("  ·  ", FAINT), (word, DIM)]
    return line(*parts)


def _facts(run: RunRecord, host: HostRecord, now: float, wall: float) -> Text:
    """Run state, link state, data age: each under its own name."""
    state = fact(state_fact(run, host))
    since = wall + (host.wall_ahead or 0.0) - run.view.since
    parts = [line(("run ", DIM)), state]
    if host.link.is_up:
        parts.append(line((f" {duration(since)}{' ago' if run.view.is_terminal else ''}", DIM)))
    named = f"    link to {shortened(host.name, 24)} " if host.name != LOCAL.name else "    link "
    parts += [line((named, DIM)), fact(link_fact(host, now))]
    parts += [line(("    data ", DIM)), fact(run_age_fact(run, host, now))]
    if run.view.state == "stopping" and since > SLOW_STOP_S:
        parts.append(
            line(
                ("    still saving? ", hue("amber")),
                (shown("kill"), hue("blue", bold=True)),
                (" kills it", hue("amber")),
            )
        )
    elif run.view.reason and run.view.is_terminal:
        parts.append(line((f"    {run.view.reason}", DIM)))
    elif not run.view.is_terminal and run.phase and run.phase.phase != "training":
        parts.append(line((f"    {_phase(run)}", hue("blue"))))
    elif run.step_back is not None and not run.view.is_terminal:
        parts.append(line((f"    {_stepped_back(run.step_back)}", hue("amber"))))
    return Text("", end="", no_wrap=True, overflow="ellipsis").join(parts)


def _stepped_back(told: StepBack) -> str:
    """How often the run defended itself, why last, and what that has changed."""
    times = f"{told.times} of {told.most}" if told.most else str(told.times)
    until = f"until step {told.until:,}" if told.until else "to the end"
    eased = f"; {number(told.rate, 2)} of the rate {until}" if told.rate < 1 else ""
    return f"stepped back ({times}) from {told.found:,}{eased}: {told.reason}"


def _phase(run: RunRecord) -> str:
    phase = run.phase
    assert phase is not None
    done = f" {count(phase.done)} of {count(phase.total)}" if phase.total else ""
    return f"{phase.phase}{f' {phase.detail}' if phase.detail else ''}{done}"


def _progress(run: RunRecord, width: int) -> Text:
    """Step, bar, share, time left, seconds a step, tokens a second."""
    step, most = run.step, run.max_steps
    position = f"{run.axis} {step:,}" if step is not None else f"{run.axis} n/a"
    position += f" / {most:,}" if most else ""
    pace = f"{duration(run.step_s)}/{run.axis}" if run.step_s is not None else f"n/a/{run.axis}"
    if run.is_command and run.step_s is None:
        average = run.pace.step_since(run.began_s)  # all that is known of a log that was read at once
        pace = f"about {duration(average)}/{run.axis}" if average is not None else ""
    speed = run.newest("tokens_per_s") if run.is_command else run.row.get("tokens_per_s")
    rest: list[Part] = (
        [(f"  {pace}  {count(speed)} tokens/s", DIM)] if speed is not None else [(f"  {pace}", DIM)]
    )
    if not run.view.is_terminal and (run.eta_s is not None or not run.is_command):
        rest.insert(0, (f"  eta {duration(run.eta_s)}", PLAIN))
    share = min((step or 0) / most, 1.0) if most else 0.0
    if most:
        rest.insert(0, (f" {100 * share:3.0f} %", PLAIN))
    room = width - len(position) - sum(len(text) for text, _ in rest) - 3
    bar: list[Part] = []
    if most and room >= 8:
        cells = min(room, 60)
        full = round(share * cells)
        bar = [("  ", PLAIN), ("━" * full, hue("green")), ("─" * (cells - full), FAINT)]
    return line((position, PLAIN), *bar, *rest)
