"""The start form: made from the configuration's schema, and showing what it would run before it runs it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label, Select, Static

from remote.actions import StartRequest, describe_start
from remote.actions.start_request import choose_device, new_ticket
from remote.hosts.host import LOCAL
from trainer.config.config_error import ConfigError
from trainer.config.form import fields
from trainer.config.presets import list_presets
from trainer.config.resolve import resolve
from tui.screens.dialogs.start_along import FIELDS, Along, along_fields
from tui.screens.dialogs.start_plan import faults, help_of, plan, words
from tui.theme import DIM, PLAIN, hue
from tui.widgets.lines import line

if TYPE_CHECKING:
    from remote.actions import Outcome

Answer = tuple[str, StartRequest]
Send = Callable[[str, StartRequest, Callable[["Outcome"], None]], None]
BUSY = [("refuse", "refuse"), ("wait in line after it", "queue"), ("run beside it", "shared")]
RESTARTS = [("leave it", "never"), ("start it again, from its newest checkpoint", "on-failure")]
UNSURE = frozenset({"timeout", "unreachable"})  # it may have been started: the same ticket asks again
DEMO = "kssm-v3-tiny"


class StartForm(ModalScreen[Answer | None]):
    """Preset, overrides, host, device; beside them the whole configuration, resolved as it will run."""

    CSS: ClassVar[str] = """
    StartForm { align: center middle; background: $background 60%; }
    StartForm > Vertical {
        width: 118; max-width: 98%; height: 36; max-height: 96%; padding: 1 2;
        background: $surface; border: round $border;
    }
    StartForm #formtitle { height: 2; text-style: bold; }
    StartForm #columns { height: 1fr; }
    StartForm #form { width: 46; padding: 0 2 0 0; }
    StartForm #resolved { width: 1fr; padding: 0 0 0 2; border-left: solid $border; }
    StartForm Label { color: $text-muted; margin: 1 0 0 0; }
    StartForm Input { background: $panel; }
    StartForm Select > SelectCurrent { background: $panel; }
    StartForm #hint { color: $text-muted; height: auto; min-height: 2; }
    StartForm #would { height: auto; margin: 1 0 0 0; }
    StartForm #refused { height: auto; max-height: 6; }
    StartForm #ways { height: 2; padding: 1 0 0 0; }
    """
    BINDINGS: ClassVar = [
        Binding("escape", "leave", show=False),
        Binding("ctrl+s", "start", show=False, priority=True),
        Binding("ctrl+l", "instead('queue')", show=False, priority=True),
        Binding("ctrl+b", "instead('shared')", show=False, priority=True),
    ]

    def __init__(
        self,
        hosts: Mapping[str, tuple[str, ...]],
        host: str | None = None,
        send: Send | None = None,
        *,
        parent: str = "",
        preset: str = "",
        overrides: str = "",
    ) -> None:
        """`hosts`: the devices of every host that can be reached; `host`: which of them is chosen first.

        `parent`: `RUN/step-N`, where the run begins; `preset`, `overrides`: what is in the form at first.
        `send` asks a host to start; the form stays until one has. Without it the form closes with its answer.
        """
        super().__init__()
        self._begins_from, self._preset, self._overrides = parent, preset, overrides
        self._send = send
        self._sent: Answer | None = None
        self._hosts = dict(hosts)
        self._first_host = host if host in self._hosts else next(iter(self._hosts))
        self._fields = {field.key: field for field in fields()}
        self._presets = list_presets()
        self._request: StartRequest | None = None

    def compose(self) -> ComposeResult:
        """The form at the left, what it would run at the right."""
        names = [preset.name for preset in self._presets]
        first = next(name for name in (self._preset, DEMO, names[0]) if name in names)
        host = self._first_host
        keys = SuggestFromList([f"{key}=" for key in self._fields], case_sensitive=True)
        with Vertical():
            title = f"Start a run from {self._begins_from}" if self._begins_from else "Start a run"
            yield Static(title, id="formtitle", markup=False)
            with Horizontal(id="columns"):
                with VerticalScroll(id="form", can_focus=False):
                    yield Label("preset")
                    yield Select(
                        [(name, name) for name in names],
                        value=first,
                        allow_blank=False,
                        id="preset",
                        compact=True,
                    )
                    yield Label("overrides: key=value, as for --set")
                    yield Input(
                        self._overrides,
                        id="overrides",
                        placeholder="steps=500 optim.lr=0.002",
                        suggester=keys,
                        compact=True,
                    )
                    yield Static("", id="hint", markup=False)
                    yield from along_fields()
                    yield Label("name (empty: the preset's)")
                    yield Input(id="name", compact=True)
                    yield Label("host")
                    yield Select(
                        [(name, name) for name in self._hosts],
                        value=host,
                        allow_blank=False,
                        id="host",
                        compact=True,
                    )
                    yield Label("device")
                    yield Select(
                        self._devices(host), value="auto", allow_blank=False, id="device", compact=True
                    )
                    yield Label("if the device is taken")
                    yield Select(BUSY, value="refuse", allow_blank=False, id="busy", compact=True)
                    yield Label("if it fails")
                    yield Select(RESTARTS, value="never", allow_blank=False, id="restart", compact=True)
                with VerticalScroll(id="resolved"):
                    yield Static("", id="plan", markup=False)
            yield Static("", id="would", markup=False)
            yield Static("", id="refused", markup=False)
            yield Static(self._ways(), id="ways")

    def _devices(self, host: str) -> list[tuple[str, str]]:
        names = [name.replace("cuda-", "cuda:") for name in self._hosts.get(host, ())]
        return [(name, name) for name in ("auto", *names)]

    def _ways(self) -> Text:
        key, plain = hue("blue", bold=True), PLAIN
        return line(
            ("enter", key),
            (" or ", DIM),
            ("ctrl+s", key),
            (" starts it   ", plain),
            ("tab", key),
            (" next field   ", plain),
            ("esc", key),
            (" leaves", plain),
        )

    def on_mount(self) -> None:
        """Begin where one types."""
        self.query_one("#overrides", Input).focus()
        self._resolve()

    def on_select_changed(self, event: Select.Changed) -> None:
        """Another preset, host or device."""
        if event.select.id == "host":
            self.query_one("#device", Select).set_options(self._devices(str(event.value)))
        self._resolve()

    def on_input_changed(self, _event: Input.Changed) -> None:
        """Another override or name."""
        self._resolve()

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Enter in a field starts it."""
        self.action_start()

    def _typed(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def _chosen(self, name: str) -> str:
        return str(self.query_one(f"#{name}", Select).value)

    def _resolve(self) -> None:
        """Resolve the configuration as the start would, and show it or what is wrong with it."""
        typed = self.query_one("#overrides", Input).value
        self.query_one("#hint", Static).update(self._hint(typed))
        overrides = words(typed)
        self._forget_refusal()
        device = self._chosen("device")
        along = Along(*(self._typed(name) for name in FIELDS))
        if along.is_command:
            self._show_command(along, device)
            return
        try:
            resolved = resolve(
                self._chosen("preset"),
                overrides=[*overrides, f"device={device}"] if device != "auto" else overrides,
                data=along.data or None,
                is_here=self._chosen("host") == LOCAL.name,
            )
        except ConfigError as error:
            self._request = None
            found = faults(self._chosen("preset"), overrides) or [str(error)]
            self.query_one("#hint", Static).update(Text("\n".join(found), style=hue("red")))
            self.query_one("#plan", Static).update(Text(str(error), style=hue("red")))
            self.query_one("#would", Static).update(Text("It cannot start like this.", style=hue("red")))
            return
        request = StartRequest(
            name=self._typed("name") or resolved.preset,
            preset=resolved.preset,
            parent=self._begins_from,
            config=resolved.values(),
            origins=resolved.origins,
            device=device,
        )
        self._show(request, plan(resolved))

    def _show_command(self, along: Along, device: str) -> None:
        """A command instead of our trainer, or what is still wrong with it."""
        if why := along.why_not():
            self._request = None
            self.query_one("#would", Static).update(Text(why, style=hue("red")))
            self.query_one("#plan", Static).update(along.plan())
        else:
            self._show(along.request(self._typed("name"), device), along.plan())

    def _show(self, request: StartRequest, will_run: Text) -> None:
        """What would be started, and what is done where its device is taken or it fails."""
        busy, host = self._chosen("busy"), self._chosen("host")
        restart = request.restart
        if self._chosen("restart") == "on-failure":
            restart = replace(restart, policy="on-failure")
        self._request = replace(
            request, queue=busy == "queue", shared_device=busy == "shared", restart=restart
        )
        taken = choose_device(request.device, self._hosts.get(host, ()))
        self.query_one("#plan", Static).update(will_run)
        self.query_one("#would", Static).update(Text(describe_start(self._request, host, taken), style=PLAIN))

    def _hint(self, typed: str) -> str:
        """What the key that is being typed means."""
        word = typed.split()[-1] if typed.split() and not typed.endswith(" ") else ""
        field = self._fields.get(word.partition("=")[0])
        return help_of(field) if field is not None else ""

    def action_start(self) -> None:
        """Start what is shown; nothing while it is wrong."""
        if self._request is None:
            self.notify("the configuration is not right yet: see the right column", severity="warning")
            return
        answer = self._chosen("host"), self._request
        if self._send is None:
            self.dismiss(answer)
        elif self._sent is None:
            self._sent = answer
            self.query_one("#refused", Static).update(
                Text(f"asking {answer[0]}; what goes along goes first ...", style=DIM)
            )
            self._send(*answer, self._answered)

    def _answered(self, outcome: "Outcome") -> None:
        """Close once it was started; else say why not, and keep everything that was typed."""
        sent, self._sent = self._sent, None
        if not self.is_attached:
            return
        if outcome.ok:
            self.dismiss(sent)
            return
        if self._request is not None and outcome.code not in UNSURE:
            self._request = replace(self._request, start_id=new_ticket())
        key = hue("blue", bold=True)
        rows = [Text(f"not started: {outcome.message}", style=hue("red"))]
        if outcome.code == "device_busy":
            rows.append(
                line(
                    ("ctrl+l", key), (" waits in line   ", PLAIN), ("ctrl+b", key), (" runs beside it", PLAIN)
                )
            )
        elif outcome.remedy:
            rows.append(Text(outcome.remedy, style=PLAIN))
        self.query_one("#refused", Static).update(Text("\n").join(rows))

    def _forget_refusal(self) -> None:
        """What was refused was another request."""
        if self._sent is None:
            self.query_one("#refused", Static).update("")

    def action_instead(self, how: str) -> None:
        """Start it in line after what holds its device, or beside that."""
        with self.prevent(Select.Changed):
            self.query_one("#busy", Select).value = how
        self._resolve()
        self.action_start()

    def action_leave(self) -> None:
        """Nothing is started."""
        self.dismiss(None)
