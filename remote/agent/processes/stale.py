"""The verbs `beside` and `end`: who else computes on a device, and an end for one's own forgotten process."""

import signal
import time

from remote.agent.background import in_thread
from remote.agent.context import Context
from remote.agent.processes.orphans import members
from remote.agent.processes.strangers import Stranger, beside, strangers
from remote.agent.verb import Work
from remote.protocol.arguments import BesideArgs, EndArgs
from remote.protocol.errors import CallError
from remote.protocol.results import Beside, ProcessRow, Reaped
from remote.supervisor.process.command_line import named, shortened
from trainer.run.process.identity import Identity, is_alive
from trainer.run.process.signals import RefusedSignalError, own_ancestry, send
from trainer.run.process.system_kernel import system_reader
from trainer.run.secrets import masked

GRACE_S = 2.0
DEATH_S = 5.0
SHOWN = 50
LEFT_SHOWN = 8
COMMAND_MAX = 300


def on_device(ctx: Context, args: BesideArgs) -> Work[Beside]:
    """The verb `beside`: who computes on a device and is no run of this home."""
    found = yield from in_thread(lambda: beside(ctx.home, args.device))
    return Beside(device=args.device, beside=[stranger_row(one) for one in found[:SHOWN]])


def stranger_row(
    one: Stranger,
    log: str = "",
    *,
    age_s: float | None = None,
    rss: int | None = None,
    cmd: str | None = None,
) -> ProcessRow:
    """What is said of it. `why_not`: why it is not ended from here; empty where it can be."""
    return ProcessRow(
        pid=one.stat.pid,
        start=one.stat.start if one.is_mine else None,
        standing="foreign",
        run_id=None,
        why=one.why,
        gpu_mem=one.gpu_memory,
        age_s=age_s,
        rss=rss,
        cmd=cmd or one.command[:COMMAND_MAX],
        user=one.user,
        mine=one.is_mine,
        devices=list(one.devices),
        home=one.home,
        log=log,
        why_not=why_not(one),
    )


def why_not(one: Stranger) -> str:
    """Why a process is left alone; empty where its user may end it from here."""
    if not one.is_mine:
        return f"it belongs to {one.user}"
    if one.home:
        return f"it is a run of {one.home}: stop it there"
    if one.stat.pid in own_ancestry():
        return "this agent was started by it"
    return ""


def end(ctx: Context, args: EndArgs) -> Work[Reaped]:
    """The verb: end one process of our own uid that is no run of ours, if it still is the one that was shown.

    SIGTERM, 2 s, SIGKILL; before each the identity is compared through a pidfd.

    Raises:
        CallError: `refused`: it is not such a process (any more); `timeout`: it would not die.
    """
    one = yield from in_thread(lambda: _shown(ctx, args.pid, args.start))
    if reason := why_not(one):
        raise CallError(
            "refused", f"pid {one.stat.pid} is left alone: {reason}", "photinus processes shows it"
        )
    who = Identity(one.stat.pid, one.stat.start, system_reader().boot_id())
    command = " ".join(masked(one.command.split()))[:COMMAND_MAX]
    started = yield from in_thread(lambda: _started_by(who))
    ctx.audit.noted("end", {"pid": who.pid, "start": who.start, "command": command})
    for signum, timeouts in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, DEATH_S)):
        try:
            send(who, signum)
        except RefusedSignalError as error:
            raise CallError("refused", str(error)) from error
        deadline = time.monotonic() + timeouts
        while time.monotonic() < deadline:
            if not is_alive(who):
                left = [named(each.pid) for each in started if is_alive(each)][:LEFT_SHOWN]
                return Reaped(pid=who.pid, signal=int(signum), command=shortened(one.command), left=left)
            yield
    raise CallError("timeout", f"pid {who.pid} did not die of SIGKILL", "look again in a minute")


def _started_by(who: Identity) -> list[Identity]:
    """Its children: they are not ended with it, and a launcher's workers may hold the device."""
    reader = system_reader()
    stats = filter(None, map(reader.stat, reader.pids()))
    return [Identity(one.pid, one.start, who.boot_id) for one in stats if one.ppid == who.pid]


def _shown(ctx: Context, pid: int, start: int) -> Stranger:
    mine = {member.identity.pid for member in members(ctx)}
    for one in strangers(ctx.home, skip=mine):
        if (one.stat.pid, one.stat.start) == (pid, start):
            return one
    raise CallError(
        "refused",
        f"pid {pid} is none that may be ended here (any more): gone, a run's, or not known to train",
        "look at photinus processes again",
    )
