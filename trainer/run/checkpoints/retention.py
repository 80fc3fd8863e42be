"""Which checkpoints to keep: a pure plan, printed before anybody acts on it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from trainer.run.checkpoints.manifest import CheckpointInfo, ranked


@dataclass(frozen=True, slots=True)
class Policy:
    """What is kept. 0 turns a rule off; `keep_every` keeps steps divisible by it."""

    keep_last: int = 3
    keep_best: int = 1
    keep_every: int = 0
    max_bytes: int = 0


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """Names to keep and to remove, oldest first; `why` says for each kept one which rule keeps it."""

    keep: tuple[str, ...]
    remove: tuple[str, ...]
    why: dict[str, str]


def retention_plan(
    found: Sequence[CheckpointInfo],
    policy: Policy,
    pins: Collection[str] = (),
    in_use: Collection[str] = (),
) -> RetentionPlan:
    """Apply `policy` to checkpoints in integer order.

    The latest, the best, pinned ones and those a running attempt uses are kept whatever the policy says, and
    `max_bytes` removes none of them. An unreadable one is kept: retention destroys no evidence.
    """
    why: dict[str, str] = {}
    for info in found:
        if info.name in in_use:
            why[info.name] = "in use"
        elif info.name in pins:
            why[info.name] = "pinned"
        elif info.manifest is None:
            why[info.name] = "unreadable"
    order = ranked((info.name, info.step, info.manifest) for info in found)
    best = [next(info for info in found if info.name == name) for name in order[: max(1, policy.keep_best)]]
    _keep(why, found[-1:], "latest")
    _keep(why, best[:1], "best")
    protected = set(why)
    _keep(why, found[-policy.keep_last :] if policy.keep_last else (), "recent")
    _keep(why, best[: policy.keep_best], "among the best")
    if policy.keep_every:
        _keep(
            why, [info for info in found if info.step % policy.keep_every == 0], f"every {policy.keep_every}"
        )
    _shrink(why, found, protected, policy.max_bytes)
    names = [info.name for info in found]
    return RetentionPlan(
        keep=tuple(name for name in names if name in why),
        remove=tuple(name for name in names if name not in why),
        why=why,
    )


def _keep(why: dict[str, str], chosen: Sequence[CheckpointInfo], reason: str) -> None:
    for info in chosen:
        why.setdefault(info.name, reason)


def _shrink(
    why: dict[str, str], found: Sequence[CheckpointInfo], protected: Collection[str], max_bytes: int
) -> None:
    """Give up the oldest unprotected ones until what is kept fits."""
    kept = [info for info in found if info.name in why]
    total = sum(info.manifest.bytes for info in kept if info.manifest)
    for info in kept:
        if not max_bytes or total <= max_bytes:
            return
        if info.name not in protected and info.manifest:
            total -= info.manifest.bytes
            del why[info.name]
