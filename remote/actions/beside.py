"""Who else computes on a device, told before a start takes it: other homes, other users, old trainings."""

from remote.protocol.arguments import BesideArgs
from remote.protocol.errors import CallError
from remote.protocol.results import ProcessRow
from remote.protocol.verbs import BESIDE
from remote.session.session import Session

ASK_S = 10.0
SHOWN = 5
COMMAND_MAX = 80
GB = 1e9


def beside(session: Session, device: str) -> list[str]:
    """A sentence for each process that computes on `device` and is no run of the host's state root.

    A host that cannot say (an older one, a slow one) has none: that holds up no start.
    """
    try:
        found = session.call(BESIDE, BesideArgs(device=device), ASK_S).beside
    except CallError:
        return []
    sentences = [_sentence(row) for row in found[:SHOWN]]
    return sentences + ([f"and {len(found) - SHOWN} more: photinus processes"] if len(found) > SHOWN else [])


def _sentence(row: ProcessRow) -> str:
    where = ", ".join(row.devices) or "this host"
    with_memory = f" with {row.gpu_mem / GB:.1f} GB" if row.gpu_mem is not None else ""
    command = (row.cmd or "its command cannot be read")[:COMMAND_MAX]
    return f"pid {row.pid} of {row.user} computes on {where} too{with_memory}: {row.why} ({command})"
