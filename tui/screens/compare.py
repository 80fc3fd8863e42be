"""Screen 4: up to six runs over one another, and in what their configurations differ."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Resize

from tui.keys import Where, bindings, shown
from tui.screens.keys.compare_keys import CompareKeys
from tui.screens.sheets import sheet_of
from tui.store.compare.comparison import EACH_LOSS, Contender, common_step
from tui.store.compare.config_values import diff_rows
from tui.store.facts import is_stale
from tui.theme import DIM, PLAIN, STRONG, hue
from tui.widgets.compare.compare_rows import (
    RIGHT,
    contender_cells,
    contender_columns,
    diff_cells,
    diff_columns,
)
from tui.widgets.compare.overlay_chart import OverlayChart
from tui.widgets.keyed_table import KeyedTable
from tui.widgets.lines import line
from tui.widgets.panel import Panel

NARROW, SHORT, SMALL = 120, 40, 28
EMPTY = (
    ("", "Nothing is compared yet."),
    ("", ""),
    ("n", "  choose a run or a baseline, also one of another host"),
    ("1", "  the Fleet: space marks runs there, and 4 lays the marked ones over one another"),
)


class Compare(CompareKeys):
    """Who is compared above; their curves, and beside them what differs in what was asked for."""

    where: ClassVar[Where] = "compare"
    BINDINGS: ClassVar = bindings("compare")
    AUTO_FOCUS: ClassVar[str | None] = "#contenders"
    CSS: ClassVar[str] = """
    Compare { layout: vertical; }
    Compare #contenders { height: auto; max-height: 8; margin: 1 0 0 0; }
    Compare #nobody { height: auto; padding: 1 4; display: none; }
    Compare #note { height: auto; max-height: 2; padding: 0 1; }
    Compare #over { layout: horizontal; height: 1fr; margin: 1 0 0 0; }
    Compare #overlay { width: 1fr; margin: 0 1 0 0; }
    Compare #diffbox { width: 46%; border-left: solid $border; padding: 0 0 0 1; height: 1fr; }
    Compare #difftitle { height: 1; padding: 0 1; }
    Compare.-narrow #over { layout: vertical; }
    Compare.-narrow #diffbox { width: 1fr; height: 40%; border-left: none; padding: 0; }
    Compare.-short #contenders, Compare.-short #over { margin: 0; }
    Compare.-small #diffbox { display: none; }
    Compare.-small.-diff #diffbox { display: block; height: 1fr; }
    Compare.-small.-diff #overlay { display: none; }
    Compare.-hidden #diffbox { display: none; }
    Compare.-nobody #nobody { display: block; }
    Compare.-nobody #over, Compare.-nobody #contenders { display: none; }
    """

    def body(self) -> ComposeResult:
        """Who is compared; the curves; what differs."""
        yield KeyedTable("contenders")
        yield Panel("note")
        yield Panel("nobody")
        with Container(id="over"):
            yield OverlayChart()
            with Container(id="diffbox"):
                yield Panel("difftitle")
                yield KeyedTable("diff")

    def on_resize(self, _event: Resize | None = None) -> None:
        """Beside each other where there is room; on a small terminal curves or differences, by `d`."""
        width, height = self.app.size
        self.set_class(width < NARROW, "-narrow")
        self.set_class(height < SHORT, "-short")
        self.set_class(height < SMALL or width < 80, "-small")
        super().on_resize()

    def paint(self) -> None:
        """Show what is compared as it is known now."""
        super().paint()
        found = self.contenders()
        self.set_class(not found, "-nobody")
        self._lay_rows(found)
        self._lay_curves(found)
        self._lay_differences(found)

    def _lay_rows(self, found: list[Contender]) -> None:
        chart, store = self.query_one(OverlayChart), self.bridge.store
        step = chart.look.cursor if chart.look.cursor is not None else common_step(found)
        top = next((one for one in found if one.is_pinned), None)
        held = top.at(step) if top is not None and step is not None else None
        columns = contender_columns(
            self.app.size.width, f"at {step:,}" if step is not None else "at one step"
        )
        self.table.lay(columns, RIGHT)
        self.table.show(
            {self.row_of(one.member): contender_cells(one, store, step, held, columns) for one in found}
        )
        note = self._note(found)
        self.query_one("#note", Panel).lay(lambda _width, _height: [line((note, DIM))] if note else [])
        hints = [line((key, hue("blue", bold=True)), (text, PLAIN if key else STRONG)) for key, text in EMPTY]
        self.query_one("#nobody", Panel).lay(lambda _width, _height: hints)

    def _note(self, found: list[Contender]) -> str:
        """The one thing about what is shown that is easily missed."""
        chosen = self.chosen_contender()
        if chosen is not None and chosen.baseline is not None:
            return chosen.baseline.trouble or chosen.baseline.note
        away = [one.name for one in found if one.run is not None and is_stale(self._host(one))]
        if away:
            return f"{', '.join(away[:3])}: the host is away, this is what was heard of it"
        axes = {one.run.axis if one.run is not None else "step" for one in found if one.metric}
        if len(axes) > 1:
            return "some count epochs and some count steps: they stand on one axis all the same"
        return ""

    def _lay_curves(self, found: list[Contender]) -> None:
        metric = self.bridge.comparison.metric
        names = list(dict.fromkeys(one.metric for one in found if one.metric))
        title = metric or ("loss" if names in ([], ["loss"]) else f"loss ({', '.join(names[:4])})")
        axis = next((one.run.axis for one in found if one.run is not None and one.metric), "step")
        live = any(one.run is not None and one.run.view.is_live for one in found)
        what = "its own loss" if metric == EACH_LOSS else metric
        empty = (
            f"none of these has told {what} yet"
            if live
            else f"none of these tells {what}: {shown('metric', self.where)} chooses another"
        )
        self.query_one(OverlayChart).show(found, title, axis, empty)

    def _lay_differences(self, found: list[Contender]) -> None:
        """Changed keys first; what is not known says why."""
        texts, whys = [], dict[str, str]()
        for one in found:
            told, why = self._texts(one)
            texts.append(told)
            if told is None:
                whys[one.letter] = why
        rows = diff_rows(texts)
        table = self.query_one("#diff", KeyedTable)
        pinned = self.bridge.comparison.pinned
        table.lay(diff_columns(found, max(self.query_one("#diffbox").content_size.width, 30)))
        table.show({row.key: diff_cells(row, found, pinned) for row in rows})
        changed = sum(row.differs for row in rows)
        known = sum(one is not None for one in texts)
        some = sum(row.is_partly and not row.differs for row in rows)
        said = f"{changed} of {len(rows)} keys differ" if known > 1 else "one configuration is known"
        said += f", {some} only some have" if some else ""
        parts = [(said if known else "no configuration is known", STRONG)]
        parts += [(f"   {letter}: {why}", DIM) for letter, why in whys.items()]
        self.query_one("#difftitle", Panel).lay(lambda _width, _height: [line(*parts)])

    def _texts(self, one: Contender) -> tuple[dict[str, str] | None, str]:
        """Key -> value of one of them; None, and why it is not known."""
        if one.run is None:
            config = dict(one.baseline.config) if one.baseline is not None else {}
            return (config, "") if config else (None, "a baseline without a configuration")
        sheet = sheet_of(self.bridge, one.run, self._heard)
        return (None if sheet.texts is None else dict(sheet.texts)), sheet.trouble or "asked, no answer yet"

    def _heard(self) -> None:
        if self.is_mounted and self.is_current:
            self.call_after_refresh(self.paint)
