"""What a host says that a run has saved, checked before any of it touches a path."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.views import checked
from remote.session.session import Session
from remote.transfer.safe_names import check_checkpoint, check_distinct, check_file, check_run, check_sha256
from trainer.run.checkpoints.manifest import NAME, FileProof

PAGES_MAX = 1000
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
    files: Mapping[str, FileProof]
    metrics: Mapping[str, float]

    @property
    def size(self) -> int:
        """Everything that a pull of it moves."""
        return self.bytes + self.manifest_bytes

    @classmethod
    def from_json(cls, raw: object) -> "RemoteCheckpoint":
        """Check and freeze a row of the verb `checkpoints`.

        Raises:
            CallError: `refused`: a name that must not touch a path.
            ProtocolError: malformed.
        """
        if not isinstance(raw, dict):
            raise ProtocolError("a checkpoint must be an object")
        name = check_checkpoint(raw.get("name"))
        match = NAME.fullmatch(name)
        flags: dict[str, Any] = {
            "name": name,
            "step": int(match[1]) if match else 0,
            "is_best": raw.get("best") is True,
            "is_latest": raw.get("latest") is True,
        }
        if raw.get("readable") is not True:
            why = raw.get("why")
            return cls(**flags, why=str(why)[:300] if why else "unreadable", files={}, metrics={})
        files = files_of(raw.get("files"))
        metrics = raw.get("metrics")
        return cls(
            **flags,
            sha256=check_sha256(raw.get("sha256")),
            manifest_bytes=_size(raw.get("manifest_bytes"), MANIFEST_MAX),
            bytes=sum(proof.bytes for proof in files.values()),
            kind=checked(raw, "kind", (str,)),
            parent=checked(raw, "parent", (str,)),
            primary=checked(raw, "primary", (str,)),
            at=checked(raw, "at", (float,)),
            files=files,
            metrics=_metrics(metrics if isinstance(metrics, dict) else {}),
        )


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every checkpoint of a run, newest first; `folder` is where they lie on the host."""

    run_id: str
    folder: str
    checkpoints: tuple[RemoteCheckpoint, ...]


def read_catalog(session: Session, run_id: str, timeout: float = CALL_S) -> Catalog:
    """Ask the host.

    Raises:
        CallError: `not_found`, `unreachable`, or `refused`: an answer with hostile names.
    """
    rows: list[RemoteCheckpoint] = []
    folder, before = "", None
    try:
        for _ in range(PAGES_MAX):
            args = {"run_id": run_id} if before is None else {"run_id": run_id, "before": before}
            answer = session.call("checkpoints", args, timeout)
            page, folder = _page(answer, before), checked(answer, "dir", (str,))
            rows += page
            if not page or not checked(answer, "left_out", (int,)):
                break
            before = page[-1].step
    except ProtocolError as error:
        raise CallError("refused", f"{session.host.name} listed its checkpoints wrongly: {error}") from error
    if not folder.startswith("/"):
        raise CallError("refused", f"{session.host.name} named no folder of its checkpoints")
    return Catalog(check_run(run_id), folder, tuple(rows))


def files_of(raw: object) -> dict[str, FileProof]:
    """Names and proofs of a checkpoint's files.

    Raises:
        CallError: `refused`: a name, a size or a hash that cannot be one.
    """
    if not isinstance(raw, list):
        raise ProtocolError("a checkpoint without a list of files")
    files = {}
    for one in raw:
        if not isinstance(one, dict):
            raise ProtocolError("a file must be an object")
        proof = FileProof(_size(one.get("bytes")), check_sha256(one.get("sha256")))
        files[check_file(one.get("name"))] = proof
    check_distinct([str(one["name"]) for one in raw])
    return files


def _page(answer: Mapping[str, Any], before: int | None) -> list[RemoteCheckpoint]:
    page = [RemoteCheckpoint.from_json(raw) for raw in checked(answer, "checkpoints", (list,))]
    steps = [one.step for one in page]
    if sorted(set(steps), reverse=True) != steps or (before is not None and steps and steps[0] >= before):
        raise ProtocolError("checkpoints out of order")
    return page


def _size(value: object, most: int = 1 << 53) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ProtocolError("the size of a file is out of range")
    return value


def _metrics(raw: Mapping[str, Any]) -> dict[str, float]:
    return {
        str(name)[:80]: float(value)
        for name, value in raw.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
