"""Processes of our runs: supervised ones, and those that were left behind."""

import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from remote.agent.context import Context
from remote.agent.processes.outlived import touched
from remote.protocol.errors import CallError
from trainer.run.layout import RunDir
from trainer.run.locks import is_free
from trainer.run.process.identity import Identity
from trainer.run.process.process_record import TOKEN_VARIABLE, ProcessRecord
from trainer.run.process.survivors import names_folder, survivors
from trainer.run.process.system_kernel import system_reader
from trainer.run.run_errors import RunError
from trainer.run.spec import RunSpec

Standing = Literal["live", "orphan"]


@dataclass(frozen=True, slots=True)
class Member:
    """A process of a run. `why` says how it was found and why it stands so."""

    identity: Identity
    run: RunDir
    standing: Standing
    why: str


def members(ctx: Context) -> list[Member]:
    """Every process of our own uid that belongs to a run of this state root."""
    records = {run: record for run, record in _records(ctx).items() if not record.is_of_a_copy(run)}
    marked = _by_token({record.token: (run, record) for run, record in records.items() if record.token})
    found: dict[Identity, Member] = {}
    for run, record in records.items():
        supervised = not is_free(run.lock)
        for identity in marked.get(run, ()):
            _add(found, run, identity, supervised, "its environment has the run's token")
        if supervised or not is_free(run.trainer_lock):
            for one in survivors(run, record, exclude=[record.supervisor.pid]):
                _add(found, run, one.identity, supervised, f"found by {', '.join(one.found_by)}")
        if supervised:
            _add(found, run, record.supervisor, True, "the supervisor of the run")
    return sorted(found.values(), key=lambda member: member.identity.pid)


def _records(ctx: Context) -> dict[RunDir, ProcessRecord]:
    """Who was recorded last for each run that a process can be of; one that cannot be read hides no other."""
    ctx.index.look_now()
    seen, over = touched(ctx.home), ctx.index.finished
    if seen is None:
        return _read(ctx, ctx.index.known)
    near = [run for run in ctx.index.known if run.run_id not in over or run.run_id in seen.names]
    found = _read(ctx, near)  # of thousands that are over nobody lives
    if seen.tokens - {record.token for record in found.values()}:  # somebody hides of which run it is
        found |= _read(ctx, ctx.index.known)
    return found


def _read(ctx: Context, runs: Iterable[RunDir]) -> dict[RunDir, ProcessRecord]:
    found = {}
    for run in runs:
        with contextlib.suppress(RunError, OSError):
            if record := ctx.views.process(run):
                found[run] = record
    return found


def orphans(ctx: Context) -> list[Member]:
    """The members that nobody watches over."""
    return [member for member in members(ctx) if member.standing == "orphan"]


def demand_no_orphans(ctx: Context, spec: RunSpec) -> None:
    """A free lock does not mean a free device.

    Raises:
        CallError: `device_busy`: processes of a run that is over still live, on this run's device.
    """
    wanted = set(spec.devices)
    if not wanted:
        return
    left = [
        one for one in orphans(ctx) if wanted & set(ctx.views.spec(one.run).devices) and _is_over(ctx, one)
    ]
    if left:
        pids = ", ".join(str(one.identity.pid) for one in left)
        raise CallError(
            "device_busy",
            f"{spec.device} may be in use by what run {left[0].run.run_id} left behind: pid {pids}",
            "photinus processes shows them; reap them first",
            {"device": spec.device, "run_id": left[0].run.run_id, "pids": [one.identity.pid for one in left]},
        )


def _is_over(ctx: Context, member: Member) -> bool:
    state = ctx.views.state(member.run)
    return state is not None and state.is_terminal  # others are adopted on contact, and hold the device again


def _add(found: dict[Identity, Member], run: RunDir, identity: Identity, supervised: bool, why: str) -> None:
    standing: Standing = "live" if supervised else "orphan"
    reason = why if supervised else f"{why}, and no supervisor holds the run's lock"
    found.setdefault(identity, Member(identity, run, standing, reason))


Tokens: TypeAlias = Mapping[str, tuple[RunDir, ProcessRecord]]


def _by_token(tokens: Tokens) -> dict[RunDir, list[Identity]]:
    reader = system_reader()
    boot, mine = reader.boot_id(), os.getuid()
    found: dict[RunDir, list[Identity]] = {}
    for pid in reader.pids() if tokens else ():
        run = _run_of(reader.environ(pid).split(b"\0"), tokens)
        stat = reader.stat(pid) if run else None
        if run and stat and stat.uid == mine and not stat.is_zombie:
            found.setdefault(run, []).append(Identity(pid, stat.start, boot))
    return found


def _run_of(variables: list[bytes], tokens: Tokens) -> RunDir | None:
    """The run whose token an environment holds, unless that was started in another folder."""
    name = f"{TOKEN_VARIABLE}=".encode()
    word = next((one[len(name) :] for one in variables if one.startswith(name)), b"")
    run, record = tokens.get(word.decode("ascii", "replace"), (None, None))
    if run is None or record is None or (record.place is None and not names_folder(variables, run)):
        return None
    return run
