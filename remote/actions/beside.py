"""Who else computes on a device, told before a start takes it: other homes, other users, old trainings."""

from collections.abc import Mapping

from remote.protocol.errors import CallError
from remote.protocol.sanitise import clean_line
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
        rows = session.call("beside", {"device": device}, ASK_S).get("beside")
    except CallError:
        return []
    found = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    said = [_sentence(row) for row in found[:SHOWN]]
    return said + ([f"and {len(found) - SHOWN} more: photinus processes"] if len(found) > SHOWN else [])


def _sentence(row: Mapping[str, object]) -> str:
    devices, memory = row.get("devices"), row.get("gpu_mem")
    where = ", ".join(map(str, devices)) if isinstance(devices, list) and devices else "this host"
    with_memory = f" with {memory / GB:.1f} GB" if isinstance(memory, int | float) else ""
    command = str(row.get("cmd") or "its command cannot be read")[:COMMAND_MAX]
    text = f"pid {row.get('pid')} of {row.get('user')} computes on {where} too{with_memory}: {row.get('why')}"
    return clean_line(f"{text} ({command})")
