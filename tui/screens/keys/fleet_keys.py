"""The keys of the Fleet for runs that one keeps: words about them, a new one like another, away and back."""

import shlex
from collections.abc import Sequence

from rich.text import Text

from remote.actions.describe import describe_move
from remote.protocol.errors import CallError
from tui.keys import shown
from tui.screens.dialogs.confirm import Confirm
from tui.screens.dialogs.picker import Picker
from tui.screens.dialogs.several import Tally
from tui.screens.dialogs.text_prompt import TextPrompt
from tui.screens.keys.replay_keys import ReplayKeys
from tui.store.facts import why_not as why_no_link
from tui.store.kept.put_away import PutAwayRun
from tui.store.runs import RunRecord
from tui.store.words import past
from tui.theme import DIM, PLAIN, STRONG
from tui.widgets.lines import line

OF_ONE = frozenset({"clone", "move_run", "rename"})
NAME_MAX, NOTE_MAX, TAGS_MAX = 200, 2000, 1000
WHERE = {"archive": "archived", "trash": "in the trash"}


class FleetKeys(ReplayKeys):
    """What the keys do; the screen itself says what is shown."""

    def why_not_here(self, action: str) -> str:
        """Why a key cannot act on what is chosen."""
        if action == "restore":
            host = self.bridge.store.hosts.get(self.chosen_host() or "")
            return why_no_link(host) if host is not None else "no host is chosen"
        if action in OF_ONE and len(self.targets()) > 1:
            return f"that is for one run at a time: {shown('clear')} takes the marks away"
        reason = super().why_not_here(action)
        if action == "move_run" and not reason and not self._other_hosts():
            return "no other host is connected"
        return reason

    def _several(self) -> list[RunRecord]:
        """The runs that are meant and can be acted on."""
        store = self.bridge.store
        return [run for key in self.targets() if (run := store.run_of(key)) is not None]

    def action_rename(self) -> None:
        """Ask for another name of the chosen run."""
        runs = self._several()
        if self._refuse("rename") or not runs:
            return
        run = runs[0]

        def typed(text: str | None) -> None:
            if text is not None and text != run.view.name:
                self.bridge.acts.label(run.host, run.run_id, self.notify_outcome, name=text)

        about = (
            f"Another name for {run.run_id} on {run.host}\nIts id stays. Nothing typed: the first one again."
        )
        self.app.push_screen(TextPrompt(about, "names it so", value=run.view.name, most=NAME_MAX), typed)

    def action_note(self) -> None:
        """Ask for a remark about what is chosen."""
        runs = self._several()
        if self._refuse("note") or not runs:
            return
        before = runs[0].view.note if len(runs) == 1 else ""

        def typed(text: str | None) -> None:
            if text is not None:
                self._label("note", runs, note=text)

        about = f"A remark about {_these(runs)}\nNothing typed: what stands there is taken away."
        self.app.push_screen(TextPrompt(about, "notes it", value=before, most=NOTE_MAX), typed)

    def action_tag(self) -> None:
        """Ask for words to find what is chosen by."""
        runs = self._several()
        if self._refuse("tag") or not runs:
            return

        def typed(text: str | None) -> None:
            words = (text or "").replace(",", " ").split()
            remove = [word[1:] for word in words if word.startswith("-") and len(word) > 1]
            add = [word for word in words if not word.startswith("-")]
            if add or remove:
                self._label("tag", runs, add=add, remove=remove)

        there = sorted({tag for run in runs for tag in run.view.tags})
        about = f"Words to find {_these(runs)} by\nNow: {' '.join(there) or 'none'}"
        hint = "a word, or several; -word takes one away"
        self.app.push_screen(TextPrompt(about, "tags it", hint=hint, most=TAGS_MAX), typed)

    def _label(
        self,
        action: str,
        runs: Sequence[RunRecord],
        *,
        note: str | None = None,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
    ) -> None:
        told = self.notify_outcome if len(runs) == 1 else Tally(action, len(runs), self.notify_outcome).take
        for run in runs:
            self.bridge.acts.label(run.host, run.run_id, told, note=note, add=add, remove=remove)

    def action_clone(self) -> None:
        """Ask for what is to differ, and start a run like the chosen one."""
        runs = self._several()
        if self._refuse("clone") or not runs:
            return
        run = runs[0]

        def typed(text: str | None) -> None:
            if text is None:
                return
            try:
                changes = shlex.split(text)
            except ValueError as error:
                self.notify(f"{error}: close the quotes around a value", severity="error", markup=False)
                return
            self.bridge.acts.clone(run.host, run.run_id, changes, self._started)

        about = (
            f"A new run like {run.run_id} on {run.host}?\n"
            "It begins where that one began, at once, or in line where its device is taken."
        )
        hint = "device=cpu, or nothing" if run.is_command else "KEY=VALUE: optim.lr=1e-4 seed=2, or nothing"
        self.app.push_screen(TextPrompt(about, "starts it", hint=hint), typed)

    def _other_hosts(self) -> list[str]:
        """Where the chosen run could go."""
        here = self.chosen_host()
        return [name for name, host in self.bridge.store.hosts.items() if name != here and host.link.is_up]

    def action_move_run(self) -> None:
        """Ask where the chosen run is to go, then whether."""
        runs = self._several()
        if self._refuse("move_run") or not runs:
            return
        run, store = runs[0], self.bridge.store
        view = run.view  # as it is now: the record goes on with the run

        def chosen(to: str | None) -> None:
            if to is None:
                return
            if store.host_of(run).confirm == "none":
                go(to)
                return
            name = view.name if store.host_of(run).confirm == "name" else ""
            text = describe_move(view, run.host, to)
            self.app.push_screen(Confirm("move_run", text, name), lambda yes: go(to) if yes else None)

        def go(to: str) -> None:
            now = store.run_of((run.host, run.run_id))
            if now is None or now.view.attempt != view.attempt:
                self.notify(
                    f"{run.run_id} has changed since you looked: nothing was done", severity="warning"
                )
                return
            self.notify(f"{run.run_id} is on its way to {to}", markup=False)
            words = lambda said: self.notify(said, markup=False)  # noqa: E731
            self.bridge.acts.move_run(run.host, run.run_id, to, words, self.notify_outcome)

        rows = {name: _host_row(name, store.hosts[name].devices) for name in self._other_hosts()}
        title = line((f"{run.run_id} goes from {run.host} to", STRONG))
        self.app.push_screen(
            Picker(title, rows, "letters of a host", "no host that is connected fits"), chosen
        )

    def action_restore(self) -> None:
        """Show what of the chosen host is archived or in its trash; the one that is taken comes back."""
        host = self.chosen_host()
        if self._refuse("restore") or host is None:
            return

        def heard(answer: Sequence[PutAwayRun] | CallError) -> None:
            if isinstance(answer, CallError):
                self.notify(answer.in_full, severity="error", markup=False)
            elif not answer:
                self.notify(f"nothing is archived on {host}, and its trash is empty", timeout=3, markup=False)
            elif self.is_current:
                rows = {one.run_id: _away_row(one, self.bridge.wall()) for one in answer}
                title = line((f"Bring back a run of {host}", STRONG))
                picker = Picker(title, rows, "letters of its name", "no run that was put away fits")
                self.app.push_screen(picker, back)

        def back(run_id: str | None) -> None:
            if run_id is not None:
                self.bridge.acts.restore(host, run_id, self.notify_outcome)

        self.bridge.acts.put_away(host, heard)


def _these(runs: Sequence[RunRecord]) -> str:
    return f"{runs[0].run_id} on {runs[0].host}" if len(runs) == 1 else f"{len(runs)} runs"


def _host_row(name: str, devices: Sequence[str]) -> Text:
    return line((f"{name[:28]:<30}", STRONG), (f" computes on {', '.join(devices)}", DIM))


def _away_row(one: PutAwayRun, now: float) -> Text:
    return line(
        (f"{one.run_id[:28]:<30}", STRONG), (f"{one.state[:11]:<12}", PLAIN),
        (f"{WHERE[one.where]:<13}", PLAIN), (f"{past(now - one.at):<12}", DIM), (one.name, DIM),
    )  # fmt: skip
