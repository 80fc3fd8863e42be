"""The words of a confirmation: exactly what is meant, what it costs, how it goes on. Pure functions."""

from remote.actions.start_request import StartRequest
from remote.protocol.views import RunView
from trainer.run.checkpoints.trash import TRASH_DAYS


def describe_stop(run: RunView, host: str = "local", step: int | None = None) -> str:
    """Before a stop. `step`: the last step that was heard of, where one was."""
    lines = [f"Stop {_target(run, host)}?"]
    if run.state == "queued":
        return "\n".join([*lines, "It has not begun: nothing is lost.", "It leaves the queue."])
    if run.kind == "command":
        lines.append("It gets its stop signal; what it saves is up to it.")
    else:
        lines.append("It finishes its step and saves a checkpoint: nothing is lost.")
        lines.append(f"Without that save it would lose {_cost(run, step)}.")
    lines.append(_afterwards(run))
    return "\n".join(lines)


def describe_kill(run: RunView, host: str = "local", step: int | None = None) -> str:
    """Before a kill."""
    lines = [f"KILL {_target(run, host)}?"]
    if run.kind == "command":
        lines.append("SIGTERM, 2 s later SIGKILL, to exactly its processes. What it has not saved is lost.")
    else:
        lines.append("SIGTERM, 2 s later SIGKILL, to exactly its processes. No checkpoint is saved.")
        lines.append(f"It loses {_cost(run, step)}.")
    lines.append(_afterwards(run))
    return "\n".join(lines)


def describe_resume(run: RunView, host: str = "local") -> str:
    """Before a resume; says why not, where it cannot be."""
    if not run.resumable:
        return f"{run.run_id} on {host} cannot be resumed: {run.why_not}."
    lines = [f"Resume {run.run_id} on {host} as attempt {run.attempt + 1}?"]
    if run.kind == "command":
        lines.append("It runs its resume command.")
    elif run.last_checkpoint is None:
        lines.append("It has no checkpoint: it starts again at step 0.")
    else:
        left = run.max_steps - run.last_checkpoint.step
        lines.append(
            f"It continues from {run.last_checkpoint.name}; {left:,} of {run.max_steps:,} steps are left."
        )
    lines.append(f"It takes {run.device}.")
    return "\n".join(lines)


def describe_start(request: StartRequest, host: str = "local", device: str = "") -> str:
    """Before a start."""
    what = request.preset or " ".join(request.argv) or request.name
    lines = [f"Start {request.name} ({what}) on {host}?"]
    if request.kind == "trainer":
        lines.append(f"{request.config.get('steps', '?')} steps.")
    lines.append(f"It takes {device or request.device or request.config.get('device', 'cpu')}.")
    changed = sorted(key for key, origin in request.origins.items() if origin.startswith("--set"))
    if changed:
        lines.append(f"Set by hand: {', '.join(changed)}.")
    return "\n".join(lines)


def describe_move(run: RunView, host: str, to: str) -> str:
    """Before a move to another host."""
    lines = [f"Move {_target(run, host)} to {to}?"]
    if not run.is_terminal:
        saves = "its stop signal" if run.kind == "command" else "a checkpoint"
        lines.append(f"It stops with {saves}; meanwhile nothing computes.")
    lines.append(f"All of it is copied through this machine, proven file by file, and goes on at {to},")
    lines.append(f"or waits in line there where {run.device} is taken.")
    lines.append(f"Only then it leaves {host}, which says where it went.")
    lines.append(
        f"Should the cockpit be closed or the link break, `photinus move {run.run_id} {to}` goes on, and "
        f"`photinus restore {run.run_id}` keeps it on {host}."
    )
    return "\n".join(lines)


def describe_retention(run_id: str, host: str, goes: int, stays: int) -> str:
    """The head of a retention's plan."""
    if not goes:
        return f"The policy of {run_id} on {host} lets nothing go: all {stays} stay."
    many = "1 checkpoint" if goes == 1 else f"{goes} checkpoints"
    return (
        f"Put {many} of {run_id} on {host} into its trash?\n"
        f"They lie there for {TRASH_DAYS} days; until then they can be brought back."
    )


def why_only_watched(run_id: str) -> str:
    """Why nothing is done to files that are watched, and what can be done."""
    return (
        f"{run_id} is only watched: Photinus did not start it, and never stops, kills or resumes it. "
        "Screen 5 lists its process, and ends one of yours whose pid you type"
    )


def _target(run: RunView, host: str) -> str:
    pid = f"pid {run.pid}" if run.pid else "no process"
    return f"{run.run_id} ({run.state}, {pid}) on {host}"


def _cost(run: RunView, step: int | None) -> str:
    last = run.last_checkpoint
    if step is None:
        return f"what came after {last.name}" if last else "everything: it has no checkpoint"
    lost = step - (last.step if last else 0)
    since = f"since {last.name}" if last else "(it has no checkpoint)"
    return f"{max(0, lost):,} steps {since}"


def _afterwards(run: RunView) -> str:
    if run.kind == "command" and not run.resumable and "resume-command" in run.why_not:
        return "It cannot be resumed: it has no resume command."
    return "`r` resumes it."
