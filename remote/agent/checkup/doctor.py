"""The verb `doctor`: everything that can be seen to be wrong on this host, and what would mend it."""

import platform
import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

from remote.agent.background import in_thread
from remote.agent.checkup import (
    accelerators,
    checkpoints,
    environments,
    files,
    locks,
    machine,
    processes,
    queue,
    root,
)
from remote.agent.context import Context
from remote.agent.verb import Work
from remote.protocol.arguments import DoctorArgs
from remote.protocol.finding import Finding, ranked
from remote.protocol.results import DoctorAnswer, FindingRow
from remote.protocol.version import version
from trainer.run.requirements import installed_version

Check: TypeAlias = Callable[[Context, bool], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (
    root.check,
    locks.check,
    processes.check,
    files.check,
    queue.check,
    checkpoints.check,
    machine.check,
    environments.check,
    accelerators.check,
)
SENT_MAX = 300


def doctor(ctx: Context, args: DoctorArgs) -> Work[DoctorAnswer]:
    """The verb: looks on a thread of its own, and changes nothing. `deep` hashes every checkpoint."""
    mine = Context.of(ctx.home)  # the loop's own caches are the loop's
    mine.disk_free, mine.devices = ctx.disk_free, ctx.devices
    found = yield from in_thread(lambda: examine(mine, args.deep))
    return DoctorAnswer(
        findings=[FindingRow(**one.to_json()) for one in found[:SENT_MAX]],
        left_out=max(0, len(found) - SENT_MAX),
        facts=facts(ctx),
        wall=time.time(),
    )


def examine(ctx: Context, deep: bool = False, checks: tuple[Check, ...] = CHECKS) -> list[Finding]:
    """Every finding, the worst first. A check that fails is itself a finding, and stops no other."""
    found: list[Finding] = []
    for check in checks:
        try:
            found.extend(check(ctx, deep))
        except Exception as error:  # a doctor who falls silent at the first wound is of no use
            name = check.__module__.rsplit(".", 1)[-1]
            found.append(
                Finding(
                    level="warning",
                    about=f"doctor: {name}",
                    what=f"could not look at everything: {type(error).__name__}: {error}",
                    remedy="the other findings stand; please report this",
                )
            )
    return ranked(found)


def facts(ctx: Context) -> dict[str, str]:
    """What is neither right nor wrong: versions and places."""
    return {
        "photinus": version(),
        "python": platform.python_version(),
        "torch": installed_version("torch"),
        "platform": f"{sys.platform} {platform.machine()}",
        "home": str(ctx.home.root),
        "devices": ", ".join(ctx.devices()),
        **accelerators.facts(ctx.devices()),
    }
