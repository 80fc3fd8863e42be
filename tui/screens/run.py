"""Screen 2: one run. Charts, lamps with their reasons, the log's end, the last evaluation and checkpoint."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.widgets import Input

from trainer.telemetry.bands import Bands
from trainer.telemetry.judge import LampReading
from tui.keys import Where, bindings
from tui.screens.keys.run_keys import RunKeys
from tui.store.lamps import PROBED, lamps
from tui.store.metrics.chart_plan import charts
from tui.store.runs import RunRecord
from tui.store.store import RunKey
from tui.widgets import oscillators, run_numbers, run_side
from tui.widgets.chart.chart_grid import ChartGrid
from tui.widgets.log.log_title import log_title
from tui.widgets.log.log_view import LogView
from tui.widgets.panel import Layout, Panel
from tui.widgets.run_head import head
from tui.widgets.run_look import has_our_look, is_text_only, is_unknown

ALL_LAMPS = 24  # lines
MIDDLING, NARROW, SMALL_WIDTH, SMALL_HEIGHT = 130, 100, 80, 24


class RunScreen(RunKeys):
    """The run that was opened."""

    where: ClassVar[Where] = "run"
    BINDINGS: ClassVar = bindings("run")
    CSS: ClassVar[str] = """
    RunScreen { layout: vertical; }
    RunScreen #head { height: 3; padding: 0 1; margin: 1 0; }
    RunScreen #strip { height: 1; padding: 0 1; display: none; }
    RunScreen #main { height: 1fr; }
    RunScreen #left { width: 1fr; }
    RunScreen #charts { height: 2fr; }
    RunScreen #logbox { height: 1fr; min-height: 4; padding: 0 1; margin: 1 0 0 0; }
    RunScreen #logtitle { height: 1; }
    RunScreen #hint { height: auto; margin: 0 0 1 0; display: none; }
    RunScreen #search { height: 1; border: none; padding: 0; display: none; background: $surface; }
    RunScreen #search.-shown { display: block; }
    RunScreen #side { width: 46; padding: 0 1 0 2; border-left: solid $border; }
    RunScreen #lamps { height: 1fr; min-height: 8; }
    RunScreen #oscillators { height: auto; margin: 1 0; display: none; }
    RunScreen #numbers { height: auto; max-height: 50%; margin: 1 0; }
    RunScreen #eval { height: 5; }
    RunScreen #checkpoint { height: 4; }
    RunScreen #sample { height: 9; }
    RunScreen.-looks #oscillators { display: block; }
    RunScreen.-command #head { height: 4; }
    RunScreen.-text #charts, RunScreen.-text #side { display: none; }
    RunScreen.-command #lamps { height: auto; max-height: 60%; min-height: 0; }
    RunScreen.-unknown #hint { display: block; }
    RunScreen .-off { display: none !important; }
    RunScreen.-looks #sample { height: 5; }
    RunScreen.-short #oscillators { display: none; }
    RunScreen.-narrow #side { display: none; }
    RunScreen.-narrow #strip { display: block; }
    RunScreen.-middling #side { width: 38; padding: 0 0 0 1; }
    RunScreen.-text #strip { display: none; }
    RunScreen.-short #head { margin: 0; }
    RunScreen.-short #logbox { margin: 0; }
    RunScreen.-short #lamps { min-height: 5; }
    RunScreen.-short #sample { height: 5; }
    RunScreen.-single .panel { display: none; }
    RunScreen.-single .panel.-current { display: block; }
    RunScreen.-single #charts { display: none; }
    RunScreen.-single #charts.-current { display: block; height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._key: RunKey | None = None

    def body(self) -> ComposeResult:
        """Head, charts and log at the left, what they mean at the right."""
        yield Panel("head")
        yield Panel("strip")
        with Horizontal(id="main"):
            with Vertical(id="left"):
                yield ChartGrid()
                with Vertical(id="logbox"):
                    yield Panel("hint")
                    yield Panel("logtitle")
                    yield LogView()
                    yield Input(id="search", placeholder="search: text or regular expression", compact=True)
            with Vertical(id="side"):
                yield Panel("lamps", "Lamps")
                yield Panel("oscillators", "Oscillators")
                yield Panel("numbers", "Numbers", classes="-off")
                yield Panel("eval", "Last evaluation")
                yield Panel("checkpoint", "Last checkpoint")
                yield Panel("sample", "Last sample")

    def on_mount(self) -> None:
        """Panels take the keyboard one after the other."""
        super().on_mount()
        for panel in self._panels():
            (panel.parent if panel.id == "log" else panel).add_class("panel")  # type: ignore[union-attr]
        self._choose(0)

    def target(self) -> RunKey | None:
        """The run that is shown."""
        return self._key

    def open(self, key: RunKey) -> None:
        """Show this run; what was done to the panels for another one does not stay."""
        if key != self._key and self._key is not None and self.is_mounted:
            self.fresh()
        self._key = key
        if self.is_mounted:
            self.call_after_refresh(self.paint)

    def on_resize(self, _event: Resize | None = None) -> None:
        """Below 100 columns the right column goes; below 80x24 there is one panel at a time."""
        width, height = self.app.size
        self.set_class(width < NARROW, "-narrow")
        self.set_class(width < MIDDLING, "-middling")
        self.set_class(height < 40, "-short")
        self.set_class(width < SMALL_WIDTH or height < SMALL_HEIGHT, "-single")
        super().on_resize()

    def paint(self) -> None:
        """Show the run as it is known now."""
        super().paint()
        bridge, past = self.bridge, self.shown
        run = past.store.run_of(self._key)
        if run is None:
            if self.is_current and bridge.replay is None:  # its host no longer has it
                bridge.show("fleet")
            return
        host, now, wall = past.store.host_of(run), past.now, past.wall
        self._lay("head", lambda width, _height: head(run, host, now, wall, width))
        if bridge.store.bands is not None:
            self._lamps(run, bridge.store.bands, lamps(run, host, bridge.store.bands, now))
        self.set_class(run.is_command, "-command")
        self.set_class(is_text_only(run), "-text")
        self.set_class(is_unknown(run, now), "-unknown")
        self._lay("hint", lambda _width, _height: run_numbers.hint_rows())
        self._charts(run)
        self._beside(run, wall)
        self._log(run)

    def _beside(self, run: RunRecord, wall: float) -> None:
        """What stands below the lamps: of a run that is none of ours only what it tells."""
        charted = self.query_one(ChartGrid).plans
        filled = {
            "numbers": bool(run_numbers.uncharted(run, charted)),
            "eval": has_our_look(run) or run.evaluation is not None,
            "checkpoint": has_our_look(run) or run.checkpoint_step is not None,
            "sample": has_our_look(run) or run.sample is not None,
        }
        for name, is_filled in filled.items():
            self.query_one(f"#{name}", Panel).set_class(not is_filled, "-off")
        self._lay("numbers", lambda _width, _height: run_numbers.number_rows(run, charted))
        self._lay("eval", lambda _width, _height: run_side.evaluation_rows(run))
        self._lay("checkpoint", lambda _width, _height: run_side.checkpoint_rows(run, wall))
        self._lay("sample", lambda width, height: run_side.sample_rows(run, width, height))

    def _lay(self, name: str, make: Layout) -> None:
        self.query_one(f"#{name}", Panel).lay(make)

    def _lamps(self, run: RunRecord, bands: Bands, lit: list[LampReading]) -> None:
        """The lamps; those of the last look into the model stand beneath its layers, where there is room."""
        self.set_class(run.probe is not None, "-looks")
        beneath = [lamp for lamp in lit if lamp.metric in PROBED]
        above = lit if self.has_class("-short") else [lamp for lamp in lit if lamp.metric not in PROBED]
        most = ALL_LAMPS if run.is_command else 0  # its panel is as tall as they need
        self._lay("lamps", lambda width, height: run_side.lamp_rows(above, width, most or height))
        self._lay("strip", lambda width, _height: run_side.lamp_strip(lit, width))
        self._lay("oscillators", lambda width, _height: oscillators.rows(run.probe, beneath, bands, width))

    def _charts(self, run: RunRecord) -> None:
        """The charts of what it tells; a panel that went takes the keyboard with it to the next one."""
        chosen = self.bridge.charts.of(run.kind)
        plans = charts(run.catalogue, chosen.names, ours=not run.is_command)
        self.query_one(ChartGrid).show(run, plans, self.bridge.store.bands, chosen)
        if chosen.smoothing != self._smoothing:
            self._smoothing = chosen.smoothing
            self._smooth_all()
        self._settle_focus()

    def _log(self, run: RunRecord) -> None:
        log = self.query_one(LogView)
        self.look_as_chosen(run)
        log.show(run.log)
        self._lay("logtitle", lambda _width, _height: [log_title(log)])
