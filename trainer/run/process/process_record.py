"""`process.json`: who supervises and who trains. A sibling of the lock, never inside it."""

import secrets
from dataclasses import dataclass
from typing import Any

from trainer.run.bounds import why_misfit
from trainer.run.disk.atomic import read_json, write_json
from trainer.run.layout import RunDir
from trainer.run.process.folder_place import FolderPlace
from trainer.run.process.identity import Identity
from trainer.run.run_errors import RecordError

TOKEN_VARIABLE = "PHOTINUS_RUN_TOKEN"
ATTEMPT_VARIABLE = "PHOTINUS_ATTEMPT"
RUN_DIR_VARIABLE = "PHOTINUS_RUN_DIR"
LOCK_FD_VARIABLE = "PHOTINUS_TRAINER_LOCK_FD"
RUN_VARIABLES = (TOKEN_VARIABLE, ATTEMPT_VARIABLE, RUN_DIR_VARIABLE, LOCK_FD_VARIABLE)


def new_token() -> str:
    """128 random bits, made on the host for each attempt."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """The processes of one attempt. Written with the token before the spawn, with `trainer` after it.

    Attributes:
        session: session id of the trainer (its own pid: it is spawned in a new session).
        adopted: the supervisor is not the trainer's parent and cannot learn its exit code.
        place: the run's folder; None in a record of an older version.
    """

    attempt: int
    token: str
    boot_id: str
    supervisor: Identity
    trainer: Identity | None = None
    session: int | None = None
    adopted: bool = False
    started: float = 0.0
    place: FolderPlace | None = None

    def is_of_a_copy(self, run: RunDir) -> bool:
        """Whether it was written in another folder: `run` is a copy, and the processes the original's."""
        return self.place is not None and not self.place.is_at(run.path)

    def to_json(self) -> dict[str, Any]:
        """Plain values for `process.json`."""
        return {
            "attempt": self.attempt,
            "token": self.token,
            "boot_id": self.boot_id,
            "supervisor": self.supervisor.to_json(),
            "trainer": self.trainer.to_json() if self.trainer else None,
            "session": self.session,
            "adopted": self.adopted,
            "started": self.started,
            "place": self.place.to_json() if self.place else None,
        }

    @classmethod
    def from_json(cls, raw: object) -> "ProcessRecord":
        """Read it back.

        Raises:
            RecordError: it is malformed.
        """
        if not isinstance(raw, dict):
            raise RecordError("malformed process record: not an object")
        if why := why_misfit(cls, raw):
            raise RecordError(f"malformed process record: {why}")
        try:
            return cls(
                attempt=int(raw["attempt"]),
                token=str(raw["token"]),
                boot_id=str(raw["boot_id"]),
                supervisor=Identity.from_json(raw["supervisor"]),
                trainer=Identity.from_json(raw["trainer"]) if raw.get("trainer") else None,
                session=raw.get("session"),
                adopted=bool(raw.get("adopted", False)),
                started=float(raw.get("started", 0.0)),
                place=FolderPlace.from_json(raw.get("place")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(f"malformed process record: {error!r}") from error


def read_process(run: RunDir) -> ProcessRecord | None:
    """Who was recorded last; None before the first attempt."""
    raw = read_json(run.process)
    try:
        return None if raw is None else ProcessRecord.from_json(raw)
    except RecordError as error:
        raise RecordError(f"{run.process}: {error}") from error


def write_process(run: RunDir, record: ProcessRecord) -> None:
    """Record it. Only the holder of the run's lock may."""
    write_json(run.process, record.to_json())
