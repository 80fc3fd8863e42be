"""Best checkpoints of hosts with `auto_pull: best` come by themselves while the cockpit is open."""

from typing import TYPE_CHECKING

from remote.session.updates import Update
from tui.store.alerts import Level
from tui.store.words import size

if TYPE_CHECKING:
    from remote.session.session import Session
    from remote.transfer.auto_pull import AutoPull


class AutoPulls:
    """One puller for each host that wants one."""

    def __init__(self) -> None:
        self._pulls: dict[str, AutoPull] = {}

    def begin(self, session: "Session") -> None:
        """Pull from this host, if its file says so; before its first update is handed on."""
        if session.host.auto_pull:
            from remote.transfer.auto_pull import AutoPull

            self._pulls[session.host.name] = AutoPull(session)

    def take(self, host: str, update: Update) -> None:
        """What the session of a host said."""
        if (pull := self._pulls.get(host)) is not None:
            pull.take(update)

    def news(self) -> list[tuple[str, Level]]:
        """What came and what did not, since it was last asked."""
        if not self._pulls:
            return []
        from remote.transfer.auto_pull import AutoPulled

        found: list[tuple[str, Level]] = []
        for pull in list(self._pulls.values()):
            for note in pull.drain():
                if isinstance(note, AutoPulled):
                    text = f"{note.name} of {note.run_id} is here ({size(note.bytes)}): {note.path}"
                    found.append((text, "information"))
                else:
                    found.append((f"{note.run_id}: {note.message}. {note.remedy}", "warning"))
        return found

    def close(self) -> None:
        """No more."""
        for pull in self._pulls.values():
            pull.close()
