"""Which files of runs the watch follows, and which of them it is still reading from their beginning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from remote.session.updates import Bytes, StreamBegin, Update
from tui.store.store import RunKey, Store
from tui.store.wanted import WHOLE

FILES_MAX = 60  # of a host: it serves 64 to one client
NEW_S = 10.0  # a run that is younger has no history
CALM_S, PATIENCE_S, TRICKLE = 1.0, 10.0, 64 << 10


class FollowsRuns(Protocol):
    """What is needed of a session."""

    def follow(self, run_id: str, what: str = ..., cursor: None = ..., last: int = ...) -> int:
        """Follow a file from `last` bytes before its end; the key of its bytes."""
        ...

    def unfollow(self, key: int) -> None:
        """Follow it no longer."""
        ...


@dataclass(slots=True)
class _Followed:
    key: int
    began: float | None = None
    heard: float = 0.0
    amount: int = 0
    is_behind: bool = True


class FollowedRuns:
    """Follows every run that lives, once; one that is over stays until its place is needed."""

    def __init__(self) -> None:
        self._files: dict[RunKey, _Followed] = {}

    def hear(self, host: str, update: Update, now: float) -> None:
        """Note how far a file has been read."""
        if isinstance(update, StreamBegin | Bytes) and (file := self._files.get((host, update.run_id))):
            file.began = now if file.began is None else file.began
            if isinstance(update, Bytes):
                file.heard = now
                file.amount += len(update.data)

    def is_behind(self, key: RunKey) -> bool:
        """Whether what a run says now was written before it was followed."""
        file = self._files.get(key)
        return file is not None and file.is_behind

    def sync(self, sessions: Mapping[str, FollowsRuns], store: Store, now: float, wall: float) -> None:
        """Once a tick, after what was heard: who has caught up, and what is new."""
        for key in [key for key in self._files if key not in store.runs]:
            self._let_go(sessions, key)
        for file in self._files.values():
            if file.is_behind and file.began is not None:
                calm = now - max(file.began, file.heard) >= CALM_S
                file.is_behind = not (calm or (now - file.began >= PATIENCE_S and file.amount < TRICKLE))
            file.amount = 0
        for key, run in store.runs.items():
            if run.view.is_terminal or run.view.state == "queued" or key in self._files:
                continue
            if key[0] not in sessions or not self._has_room(sessions, store, key[0]):
                continue
            what = "log" if run.is_command else "events"
            host_wall = wall + (store.hosts[key[0]].wall_ahead or 0.0)
            followed = _Followed(sessions[key[0]].follow(key[1], what, None, WHOLE))
            followed.is_behind = host_wall - run.view.created >= NEW_S
            self._files[key] = followed

    def _has_room(self, sessions: Mapping[str, FollowsRuns], store: Store, host: str) -> bool:
        mine = [key for key in self._files if key[0] == host]
        if len(mine) < FILES_MAX:
            return True
        over = next((key for key in mine if store.runs[key].view.is_terminal), None)
        if over is None:
            return False
        self._let_go(sessions, over)
        return True

    def _let_go(self, sessions: Mapping[str, FollowsRuns], key: RunKey) -> None:
        file = self._files.pop(key)
        if key[0] in sessions:
            sessions[key[0]].unfollow(file.key)
