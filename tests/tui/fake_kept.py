"""Acts on runs that one keeps, remembered and answered at once."""

from collections.abc import Callable, Sequence

from remote.actions import Outcome
from remote.protocol.errors import CallError
from tui.store.kept.put_away import PutAwayRun

Told = Callable[[Outcome], None]


class FakeKeptActs:
    """The half of `FakeActs` that keeps runs."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str, str]] = []
        self.away: Sequence[PutAwayRun] | CallError = ()
        self.answer: Callable[[str, str], Outcome] = lambda verb, run_id: Outcome(
            True, None, message=f"{verb} {run_id}"
        )

    def save(self, host: str, run_id: str, told: Told) -> None:
        self._do("save", host, run_id, told)

    def archive(self, host: str, run_id: str, told: Told) -> None:
        self._do("archive", host, run_id, told)

    def trash(self, host: str, run_id: str, told: Told) -> None:
        self._do("trash", host, run_id, told)

    def put_away(self, host: str, heard: Callable[[Sequence[PutAwayRun] | CallError], None]) -> None:
        heard(self.away)

    def restore(self, host: str, run_id: str, told: Told) -> None:
        self._do("restore", host, run_id, told)

    def label(
        self,
        host: str,
        run_id: str,
        told: Told,
        *,
        name: str | None = None,
        note: str | None = None,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
    ) -> None:
        words = {"name": name, "note": note, "add": add, "remove": remove}
        said = {word: value for word, value in words.items() if value}
        self._do("label", host, f"{run_id} {said}", told)

    def clone(self, host: str, run_id: str, changes: Sequence[str], told: Told) -> None:
        self._do("clone", host, f"{run_id} {[*changes]}", told)

    def move_run(self, host: str, run_id: str, to: str, said: Callable[[str], None], told: Told) -> None:
        said(f"{run_id} is over on {host}")
        self._do("move", host, f"{run_id} {to}", told)

    def _do(self, verb: str, host: str, run_id: str, told: Told) -> None:
        self.done.append((verb, host, run_id))
        told(self.answer(verb, run_id))
