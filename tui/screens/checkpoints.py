"""Screen 6: what a run has saved, on its host and on this machine; pull, prove, branch, resume from one."""

from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.events import Resize

from tui.keys import Where, bindings, shown
from tui.screens.keys.retention_keys import RetentionKeys
from tui.screens.sheets import sheet_of
from tui.store.kept.shelf import CheckpointShelf, policy_words
from tui.store.runs import RunRecord
from tui.store.store import RunKey
from tui.store.words import age
from tui.theme import DIM, PLAIN, STRONG, hue
from tui.widgets.checkpoint_rows import (
    RIGHT,
    checkpoint_cells,
    checkpoint_columns,
    checkpoint_detail,
    transfer_line,
)
from tui.widgets.keyed_table import KeyedTable
from tui.widgets.lines import Part, line
from tui.widgets.panel import Panel

READ_EVERY_S = 20.0
SHORT = 30


class Checkpoints(RetentionKeys):
    """One run's checkpoints, read anew while the screen is in front and whenever it saves."""

    where: ClassVar[Where] = "checkpoints"
    BINDINGS: ClassVar = bindings("checkpoints")
    AUTO_FOCUS: ClassVar[str | None] = "#checkpoints"
    CSS: ClassVar[str] = """
    Checkpoints { layout: vertical; }
    Checkpoints #whose { height: 2; padding: 0 1; margin: 1 0 0 0; }
    Checkpoints KeyedTable { height: 1fr; margin: 1 0 0 0; }
    Checkpoints #none { height: auto; padding: 1 4; display: none; }
    Checkpoints #chosen { height: 7; padding: 0 1; }
    Checkpoints #transfer { height: 1; padding: 0 1; }
    Checkpoints.-short #whose, Checkpoints.-short KeyedTable { margin: 0; }
    Checkpoints.-short #chosen { height: 5; }
    Checkpoints.-nothing KeyedTable, Checkpoints.-nothing #chosen { display: none; }
    Checkpoints.-nothing #none { display: block; height: 1fr; }
    """

    def body(self) -> ComposeResult:
        """Whose they are, the table, the chosen one, what is being fetched."""
        yield Panel("whose")
        yield KeyedTable("checkpoints")
        yield Panel("none")
        yield Panel("chosen")
        yield Panel("transfer")

    def open(self, key: RunKey) -> None:
        """Show the checkpoints of this run."""
        self._key = key
        if self.is_mounted:
            self.call_after_refresh(self.paint)

    def on_resize(self, _event: Resize | None = None) -> None:
        """Closer together where there is little room."""
        self.set_class(self.app.size.height < SHORT, "-short")
        super().on_resize()

    def on_keyed_table_chosen(self) -> None:
        """Another one was chosen."""
        if self.is_mounted:
            self.call_after_refresh(self.paint)

    def paint(self) -> None:
        """Read what has not been read for a while, and show what is known."""
        super().paint()
        run = self.chosen()
        if run is None:
            if self.is_current:
                self.bridge.show("fleet")
            return
        self._read(run)
        now, host = self.bridge.now(), self.bridge.store.host_of(run)
        shelf = self._shelves.get((run.host, run.run_id))
        rows = shelf.rows if shelf is not None else ()
        self.set_class(not rows, "-nothing")
        wall = self.bridge.wall() + (host.wall_ahead or 0.0)
        columns = checkpoint_columns(self.app.size.width, rows)
        self.table.lay(columns, RIGHT)
        self.table.show({row.name: checkpoint_cells(row, wall, columns) for row in rows})
        head = self._head(run, shelf, now)
        self.query_one("#whose", Panel).lay(lambda _width, _height: head)
        nothing = self._nothing(run, shelf)
        self.query_one("#none", Panel).lay(lambda _width, _height: nothing)
        if (row := self._row()) is not None and shelf is not None:
            self.query_one("#chosen", Panel).lay(lambda _width, height: checkpoint_detail(row, shelf, height))
        transfer = self._transfers.get((run.host, run.run_id))
        said = [] if transfer is None else [transfer_line(transfer, now)]
        self.query_one("#transfer", Panel).lay(lambda _width, _height: said)

    def _head(self, run: RunRecord, shelf: CheckpointShelf | None, now: float) -> list[Text]:
        first: list[Part] = [
            ("Checkpoints of ", DIM),
            (run.name, STRONG),
            (f"  {run.run_id} on {run.host}", DIM),
        ]
        sheet = sheet_of(self.bridge, run, self._heard)
        words = policy_words(sheet.texts)
        if shelf is None:
            second: list[Part] = [(f"{run.host} is asked", DIM)]
        elif shelf.trouble:
            second = [(f"{run.host} was not read: {shelf.trouble}", hue("amber"))]
        else:
            second = [(f"read {age(now - shelf.at)}", DIM), (f"   {words}" if words else "", DIM)]
            if shelf.trash:
                second.append((f"   {len(shelf.trash)} in its trash", DIM))
        return [line(*first), line(*second)]

    def _nothing(self, run: RunRecord, shelf: CheckpointShelf | None) -> list[Text]:
        """Why there is none, and when there will be one."""
        if shelf is None:
            return [line((f"asking {run.host} ...", DIM))]
        if run.is_command:
            said = "It is a command: what it saves, by its own rules, is not known here."
        elif run.view.is_watched:
            said = "Its files are only watched: what it saves is not known here."
        elif shelf.trouble:
            said = "Its host was not read, and no copy lies on this machine."
        else:
            texts = sheet_of(self.bridge, run, self._heard).texts or {}
            every = texts.get("checkpoint.every", "")
            said = f"No checkpoint yet: one is saved each {every} steps." if every not in ("", "0") else ""
            said = said or "No checkpoint yet: one is saved at its end, and whenever it is stopped."
        rows = [line((said, PLAIN))]
        if run.view.state == "running" and not run.is_command:
            rows.append(
                line((shown("save"), hue("blue", bold=True)), ("  has it save one now, and go on", PLAIN))
            )
        return rows

    def _read(self, run: RunRecord) -> None:
        """Ask the host and look here, when something was saved or a while has passed."""
        key, now = (run.host, run.run_id), self.bridge.now()
        step = run.checkpoint_step
        if self._asked is not None:
            whose, before, at = self._asked
            if whose == key and before == step and now - at < READ_EVERY_S:
                return
        self._asked = (key, step, now)

        def heard(shelf: CheckpointShelf) -> None:
            before = self._shelves.get(key)
            if shelf.trouble and before is not None and before.folder:
                shelf = replace(before, at=shelf.at, trouble=shelf.trouble)  # what was heard stands
            self._shelves[key] = shelf
            self._heard()

        self.bridge.shelves.read(run.host, run.run_id, heard)
