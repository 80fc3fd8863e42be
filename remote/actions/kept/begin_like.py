"""A new run like another one, with changes on top: what a clone and a branch are."""

from collections.abc import Mapping, Sequence
from typing import Any

from remote.actions.intents import intent
from remote.actions.kept.keep import ask
from remote.actions.start_request import choose_device, new_ticket
from remote.audit.whoami import whoami
from remote.protocol.errors import CallError
from remote.protocol.keeping import CloneArgs
from remote.protocol.verbs import CLONE
from remote.protocol.views import RunView
from remote.session.session import Session
from trainer.run.layout import new_run_id

START_S = 20.0
DEVICE = "device"


def begin_like(
    session: Session,
    view: RunView,
    changes: Mapping[str, Any],
    *,
    device: str = "",
    name: str = "",
    queue: bool = False,
    parent: str = "",
    start_id: str = "",
) -> RunView:
    """Begin a run like another.

    Args:
        changes: dotted configuration keys and their values.
        device: the lock's name of another device; our trainer then computes on that one.
        parent: the checkpoint `RUN/step-N` that it begins from; empty: where the other began.
        start_id: makes it repeatable; empty: this is a new start.

    Raises:
        CallError: a value is none, or what a start raises.
    """
    values = {key: value for key, value in changes.items() if key != DEVICE}
    if device and view.kind == "trainer":
        values[DEVICE] = device.replace("-", ":")  # the trainer uses what is locked
    asked = CloneArgs(
        start_id=start_id or new_ticket(),
        run_id=view.run_id,
        new_id=new_run_id(name or view.name),
        name=name,
        device=device,
        set_=values,
        queue=queue,
        by=whoami(),
        parent=parent,
    )
    with intent(session.host.name, CLONE.name, asked):
        return ask(session, CLONE, asked, START_S).view


def other_device(
    asked: str, changes: Mapping[str, Any], spec: Mapping[str, Any], devices: Sequence[str]
) -> str:
    """The lock's name of the device that `--device` or the key `device` asks for; empty where neither does.

    `spec`: of the other run; `devices`: those of its host.

    Raises:
        CallError: `refused`: the host has no such device.
    """
    wanted = asked or str(changes.get(DEVICE, ""))
    if not wanted:
        return ""
    parallel = (spec.get("config") or {}).get("parallel")
    before = parallel.get("processes", 0) if isinstance(parallel, Mapping) else 0
    processes = changes.get("parallel.processes", before)
    found = choose_device(wanted, devices, processes if isinstance(processes, int) else 0)
    if absent := [name for name in found.split(",") if name not in devices]:
        raise CallError(
            "refused",
            f"its host has no device {', '.join(absent)}; it has {', '.join(devices)}",
            f"--device {devices[-1] if devices else 'cpu'}",
        )
    return found
