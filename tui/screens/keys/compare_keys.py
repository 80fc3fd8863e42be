"""The keys of the Compare screen: who is compared, what is shown of them, how."""

from collections.abc import Mapping

from rich.text import Text

from tui.keys import shown
from tui.screens.dialogs.picker import Picker
from tui.screens.run_actions import RunActions
from tui.store.compare.baseline_file import baseline_text
from tui.store.compare.comparison import EACH_LOSS, LETTERS, Contender, Member, metrics_of
from tui.store.facts import state_fact
from tui.store.hosts import HostRecord
from tui.store.store import RunKey
from tui.theme import DIM, PLAIN, STRONG, hue
from tui.widgets.compare.overlay_chart import OverlayChart
from tui.widgets.keyed_table import KeyedTable
from tui.widgets.lines import Part, line

OWN_LOSS = "the loss of each, whatever it calls it"


class CompareKeys(RunActions):
    """What the keys do; the screen itself says what is shown."""

    @property
    def table(self) -> KeyedTable:
        """Who is compared."""
        return self.query_one("#contenders", KeyedTable)

    @property
    def chart(self) -> OverlayChart:
        """Their curves."""
        return self.query_one(OverlayChart)

    def contenders(self) -> list[Contender]:
        """Those that are compared, as they are known now."""
        bridge, comparison = self.bridge, self.bridge.comparison
        comparison.drop_gone(bridge.store)
        names = tuple(member for member in comparison.members if isinstance(member, str))
        return comparison.contenders(bridge.store, bridge.baselines.of(names))

    @staticmethod
    def row_of(member: Member) -> str:
        """The name of its row."""
        return f"baseline {member}" if isinstance(member, str) else f"run {member[0]} {member[1]}"

    def chosen_contender(self) -> Contender | None:
        """The one under the cursor."""
        row = self.table.chosen
        return next((one for one in self.contenders() if self.row_of(one.member) == row), None)

    def target(self) -> RunKey | None:
        """The run under the cursor."""
        one = self.chosen_contender()
        return one.member if one is not None and not isinstance(one.member, str) else None

    def _host(self, one: Contender) -> HostRecord:
        assert one.run is not None
        return self.bridge.store.host_of(one.run)

    def on_keyed_table_chosen(self) -> None:
        """Another one was chosen: its note is shown."""
        if self.is_mounted:
            self.call_after_refresh(self.paint)

    def action_open(self) -> None:
        """Open the chosen run."""
        if self.target() is None:
            self.notify("a baseline has no screen of its own: its note stands below the list", timeout=3)
        else:
            self.bridge.open_run(self.target())

    def action_back(self) -> None:
        """Back by one: the cursor of the curves, the screen."""
        if self.chart.look.cursor is not None:
            self.chart.point(None)
            self.paint()
        else:
            self.bridge.show("fleet")

    # Who.

    def action_choose(self) -> None:
        """Choose one more run or baseline; one that is compared already is taken away."""
        rows = self._choices()

        def answered(name: str | None) -> None:
            if name is None:
                return
            comparison, member = self.bridge.comparison, self._members[name]
            if member in comparison.members:
                comparison.remove(member)
            elif not comparison.add(member):
                self.notify(f"{len(LETTERS)} are compared already: {shown('remove')} takes one away")
            self.paint()

        title = line(("compare with ", DIM), ("a run or a baseline", STRONG), ("; ● is taken away", DIM))
        self.app.push_screen(
            Picker(title, rows, "letters of its name, host, state", "nothing has these letters"), answered
        )

    def _choices(self) -> Mapping[str, Text]:
        """Every run and baseline, runs that go on first."""
        bridge = self.bridge
        self._members: dict[str, Member] = {}
        rows: dict[str, Text] = {}
        runs = sorted(
            bridge.store.runs.items(), key=lambda item: (not item[1].view.is_live, -item[1].view.since)
        )
        for key, run in runs:
            fact = state_fact(run, bridge.store.host_of(run))
            rows[self.row_of(key)] = line(
                self._sign(key),
                (f"{run.name[:34]:<35}", PLAIN),
                (f"{run.host[:16]:<17}", DIM),
                (f"{fact.glyph} {fact.word:<13}", hue(fact.colour)),
                (f" {run.view.preset[:20]:<20} {run.run_id}", DIM),
            )
            self._members[self.row_of(key)] = key
        for name in bridge.baselines.names():
            rows[self.row_of(name)] = line(self._sign(name), (f"{name:<35}", PLAIN), ("baseline", DIM))
            self._members[self.row_of(name)] = name
        return rows

    def _sign(self, member: Member) -> Part:
        taken = member in self.bridge.comparison.members
        return ("● " if taken else "  "), hue("green")

    def action_remove(self) -> None:
        """Compare the chosen one no more."""
        if (one := self.chosen_contender()) is not None:
            place = self.table.row_names.index(self.row_of(one.member))
            self.bridge.comparison.remove(one.member)
            self.paint()
            if rows := self.table.row_names:
                self.table.choose(rows[min(place, len(rows) - 1)])

    def action_pin(self) -> None:
        """Draw the chosen one on top; the others are held against it."""
        if (one := self.chosen_contender()) is not None:
            self.bridge.comparison.pin(one.member)
            self.paint()

    def action_baseline(self) -> None:
        """Keep the chosen run's numbers as a baseline."""
        one = self.chosen_contender()
        if one is None or one.run is None:
            self.notify("choose a run: its numbers are kept as a baseline", timeout=3)
            return
        run = one.run
        texts = self.bridge.sheets.of((run.host, run.run_id), run.view.attempt).texts or {}
        note = f"{run.name} ({run.run_id}) of {run.host}, {run.view.state}, kept at step {run.step or 0:,}"
        try:
            path = self.bridge.baselines.keep(run.run_id, baseline_text(note, run.series, texts))
        except (ValueError, OSError) as error:
            self.notify(f"{run.run_id} is not kept: {error}", severity="error", markup=False)
            return
        self.notify(
            f"kept as {path.name}: {shown('choose')} compares with it, also when the run is gone",
            markup=False,
        )

    # What, and how.

    def action_metric(self) -> None:
        """Choose what is shown of each."""
        found = self.contenders()
        counts = metrics_of(found)
        if not counts:
            self.notify("none of these has told a metric yet", timeout=2)
            return
        rows = {EACH_LOSS: line(("  ", DIM), (OWN_LOSS, PLAIN))}
        for name, count in counts.items():
            mark = "● " if name == self.bridge.comparison.metric else "  "
            rows[name] = line((mark, hue("green")), (f"{name:<32}", PLAIN), (f"{count} of {len(found)}", DIM))

        def answered(name: str | None) -> None:
            if name is not None:
                self.bridge.comparison.metric = name
                self.paint()

        title = line(("what is shown of each", STRONG))
        self.app.push_screen(
            Picker(title, rows, "letters of its name", "no metric has these letters"), answered
        )

    def action_difference(self) -> None:
        """The differences of their configurations or not; on a small terminal in place of the curves."""
        self.toggle_class("-diff" if self.has_class("-small") else "-hidden")
        self.call_after_refresh(self.paint)

    def action_log_y(self) -> None:
        """Logarithmic axis on or off."""
        self.chart.toggle_log()

    def action_zoom(self, change: int) -> None:
        """Fewer or more steps, the newest always shown."""
        self.chart.zoom(change)

    def action_shared(self) -> None:
        """Only the steps that all have told, or every step again."""
        self.chart.toggle_shared()

    def action_cursor(self, change: int) -> None:
        """Read the curves off at another step."""
        self.chart.move(change)
        self.paint()

    def action_reset(self) -> None:
        """The curves as they were at first."""
        self.chart.reset()
        self.paint()
