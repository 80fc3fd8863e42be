"""The checkpoints of one run: on its host and on this machine, side by side. No tensor is read for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Copy = Literal["none", "part", "whole", "other"]
TransferKind = Literal["pull", "verify", "prove"]
CHAIN_MAX = 12


@dataclass(frozen=True, slots=True)
class ShelfRow:
    """One checkpoint, as its manifest tells it.

    Attributes:
        on_host: its host has it; `why`: and cannot read it.
        here: the copy on this machine: none, begun, whole, or another one of that name.
        at: when it was written, epoch seconds of the clock of the machine that has it; 0 where not known.
        bytes: of all its files.
        parent: `RUN/step-N` or `step-N` from which training went on; empty for none.
        pin: what keeps it whatever the policy says (`pinned`, `snapshot`); empty for nothing.
    """

    name: str
    step: int
    on_host: bool = False
    here: Copy = "none"
    why: str = ""
    at: float = 0.0
    kind: str = ""
    bytes: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    primary: str = ""
    parent: str = ""
    is_best: bool = False
    is_latest: bool = False
    pin: str = ""

    @property
    def is_readable(self) -> bool:
        """Whether its host can go on from it."""
        return self.on_host and not self.why


@dataclass(frozen=True, slots=True)
class CheckpointShelf:
    """All of one run, the newest first.

    Attributes:
        at: monotonic seconds at which this was read.
        folder, here: where they lie on the host, and on this machine.
        trouble: why the host was not read; empty where it was.
        trash: names that a retention let go on the host, and that can be brought back.
    """

    at: float
    rows: tuple[ShelfRow, ...] = ()
    folder: str = ""
    here: str = ""
    trouble: str = ""
    trash: tuple[str, ...] = ()


@dataclass(slots=True)
class Transfer:
    """A pull of one checkpoint, or a proof (of the copy here; on its host), while it goes on and after.

    Attributes:
        done, total: bytes. rate: bytes a second. eta_s: None where it is not known.
        is_dropped: it was asked to end; what came stays for the next.
        ended: monotonic seconds; None while it goes on.
    """

    kind: TransferKind
    host: str
    run_id: str
    name: str
    begun: float
    done: int = 0
    total: int = 0
    rate: float = 0.0
    eta_s: float | None = None
    is_dropped: bool = False
    ended: float | None = None
    ok: bool = False
    message: str = ""


def chain_of(rows: Sequence[ShelfRow], name: str) -> list[str]:
    """From a checkpoint back to where its training began: its parent, that one's parent, and so on."""
    parents = {row.name: row.parent for row in rows}
    chain: list[str] = []
    parent = parents.get(name, "")
    while parent and parent not in chain and len(chain) < CHAIN_MAX:
        chain.append(parent)
        parent = parents.get(parent, "")
    return chain


def policy_words(texts: Mapping[str, str] | None) -> str:
    """What the run's retention keeps, in words; empty where its configuration is not known."""
    if texts is None or "checkpoint.keep_last" not in texts:
        return ""

    told = texts

    def of(key: str) -> str:
        return told.get(f"checkpoint.{key}", "")

    parts = [f"the newest {of('keep_last')}"]
    if of("keep_best") not in ("", "0"):
        parts.append(f"the best {of('keep_best')}")
    if of("keep_every") not in ("", "0"):
        parts.append(f"each whose step {of('keep_every')} divides")
    if of("pins"):
        parts.append(f"steps {of('pins')}")
    most = f", up to {of('max_gb')} GB" if of("max_gb") not in ("", "0", "0.0") else ""
    return f"keeps {', '.join(parts)} and pinned ones{most}"
