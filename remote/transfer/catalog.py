"""What a host says that a run has saved, checked before any of it touches a path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from remote.protocol.arguments import CheckpointsArgs
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.results import CheckpointList, CheckpointRow, ProvenFile
from remote.protocol.verbs import CHECKPOINTS
from remote.session.session import Session
from remote.transfer.safe_names import check_checkpoint, check_distinct, check_file, check_run, check_sha256
from trainer.run.checkpoints.manifest import NAME, FileProof

PAGES_MAX = 64  # of one line of the wire each
MANIFEST_MAX = 64 << 20
CALL_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCheckpoint:
    """One checkpoint on a host, as its manifest tells it.

    Attributes:
        sha256: of the manifest's bytes, `manifest_bytes` many.
        bytes: of all files beside the manifest.
        is_best: its primary metric is the best of the run. is_latest: the newest that can be read.
        why: why it cannot be read; empty where it can.
        at: when it was written, epoch seconds of the host's clock.
        pin: what keeps it whatever the policy says; empty for nothing.
    """

    name: str
    step: int
    is_best: bool
    is_latest: bool
    why: str = ""
    sha256: str = ""
    manifest_bytes: int = 0
    bytes: int = 0
    kind: str = ""
    parent: str = ""
    primary: str = ""
    at: float = 0.0
    pin: str = ""
    files: Mapping[str, FileProof]
    metrics: Mapping[str, float]

    @property
    def size(self) -> int:
        """Everything that a pull of it moves."""
        return self.bytes + self.manifest_bytes

    @classmethod
    def of(cls, row: CheckpointRow) -> "RemoteCheckpoint":
        """Check and freeze a row of the verb `checkpoints`.

        Raises:
            CallError: `refused`: a name that must not touch a path.
            ProtocolError: malformed.
        """
        name = check_checkpoint(row.name)
        match = NAME.fullmatch(name)
        flags: dict[str, Any] = {
            "name": name,
            "step": int(match[1]) if match else 0,
            "is_best": row.best,
            "is_latest": row.latest,
            "pin": row.pin[:100],
        }
        if not row.readable:
            return cls(**flags, why=row.why[:300] or "unreadable", files={}, metrics={})
        if row.kind is None or row.parent is None or row.primary is None or row.at is None:
            raise ProtocolError("a checkpoint that can be read, without what its manifest says")
        files = files_of(row.files)
        return cls(
            **flags,
            sha256=check_sha256(row.sha256),
            manifest_bytes=_size(row.manifest_bytes, MANIFEST_MAX),
            bytes=sum(proof.bytes for proof in files.values()),
            kind=row.kind,
            parent=row.parent,
            primary=row.primary,
            at=row.at,
            files=files,
            metrics=_metrics(row.metrics),
        )


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every checkpoint of a run, newest first; `folder` is where they lie on the host.

    `trash`: the names of those that a retention let go, the last removal first.
    """

    run_id: str
    folder: str
    checkpoints: tuple[RemoteCheckpoint, ...]
    trash: tuple[str, ...] = ()


def read_catalog(session: Session, run_id: str, timeout: float = CALL_S) -> Catalog:
    """Ask the host.

    Raises:
        CallError: `not_found`, `unreachable`, or `refused`: an answer with hostile names.
    """
    rows: list[RemoteCheckpoint] = []
    folder, before = "", None
    trash: tuple[str, ...] = ()
    try:
        for _ in range(PAGES_MAX):
            args = CheckpointsArgs(run_id=run_id, before=before)
            answer = session.call(CHECKPOINTS, args, timeout)
            page, folder = _page(answer, before), answer.dir
            rows += page
            trash = tuple(name for name in answer.trash if NAME.fullmatch(name))
            if not page or not answer.left_out:
                break
            before = page[-1].step
        else:
            raise CallError(
                "refused", f"{session.host.name} lists checkpoints without end", "look at that host"
            )
    except ProtocolError as error:
        raise CallError("refused", f"{session.host.name} listed its checkpoints wrongly: {error}") from error
    if not folder.startswith("/"):
        raise CallError("refused", f"{session.host.name} named no folder of its checkpoints")
    return Catalog(check_run(run_id), folder, tuple(rows), trash)


def files_of(rows: Sequence[ProvenFile]) -> dict[str, FileProof]:
    """Names and proofs of a checkpoint's files.

    Raises:
        CallError: `refused`: a name, a size or a hash that cannot be one.
    """
    files = {check_file(one.name): FileProof(_size(one.bytes), check_sha256(one.sha256)) for one in rows}
    check_distinct([one.name for one in rows])
    return files


def _page(answer: CheckpointList, before: int | None) -> list[RemoteCheckpoint]:
    page = [RemoteCheckpoint.of(row) for row in answer.checkpoints]
    steps = [one.step for one in page]
    if sorted(set(steps), reverse=True) != steps or (before is not None and steps and steps[0] >= before):
        raise ProtocolError("checkpoints out of order")
    return page


def _size(value: int | None, most: int = 1 << 53) -> int:
    if value is None or not 0 <= value <= most:
        raise ProtocolError("the size of a file is out of range")
    return value


def _metrics(raw: Mapping[str, Any]) -> dict[str, float]:
    return {
        str(name)[:80]: float(value)
        for name, value in raw.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
