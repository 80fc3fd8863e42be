"""The start form: made from the configuration's schema, and showing what it would run before it runs it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label, Select, Static

from remote.actions import StartRequest, describe_start
from remote.actions.start_request import choose_device
from trainer.config.config_error import ConfigError
from trainer.config.form import FormField, fields
from trainer.config.presets import list_presets
from trainer.config.resolve import Resolved, resolve
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets.lines import line

Answer = tuple[str, StartRequest]
DEMO = "kssm-v3-tiny"
WHEN_BUSY = (("refuse it", "refuse"), ("queue: in line after it", "queue"), ("shared: beside it", "shared"))


@dataclass(frozen=True, slots=True)
class Typed:
    """What stood in the form when it was sent: a refusal opens it again with all of it."""

    preset: str
    overrides: str
    name: str
    host: str
    device: str
    when_busy: str


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
    StartForm #fault { height: auto; }
    StartForm #ways { height: 2; padding: 1 0 0 0; }
    """
    BINDINGS: ClassVar = [
        Binding("escape", "leave", show=False),
        Binding("ctrl+s", "start", show=False, priority=True),
    ]

    def __init__(
        self,
        hosts: Mapping[str, tuple[str, ...]],
        host: str | None = None,
        *,
        busy: Mapping[tuple[str, str], str] | None = None,
        again: Typed | None = None,
        fault: str = "",
    ) -> None:
        """`hosts`: the devices of every host that can be reached; `host`: which of them is chosen first.

        `busy`: which run holds a device of a host; `again`, `fault`: what was sent before, and why not taken.
        """
        super().__init__()
        self._hosts, self._busy, self._fault = dict(hosts), busy or {}, fault
        self._again = again
        self.typed = again
        self._first_host = host if host in self._hosts else next(iter(self._hosts))
        self._fields = {field.key: field for field in fields()}
        self._presets = list_presets()
        self._request: StartRequest | None = None

    def compose(self) -> ComposeResult:
        """The form at the left, what it would run at the right."""
        names = [preset.name for preset in self._presets]
        again = self._again
        first = DEMO if DEMO in names else names[0]
        first = again.preset if again is not None and again.preset in names else first
        host = self._first_host
        keys = SuggestFromList([f"{key}=" for key in self._fields], case_sensitive=True)
        with Vertical():
            yield Static("Start a run", id="formtitle", markup=False)
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
                        again.overrides if again else "",
                        id="overrides",
                        placeholder="steps=500 optim.lr=0.002",
                        suggester=keys,
                        compact=True,
                    )
                    yield Static("", id="hint", markup=False)
                    yield Label("name (empty: the preset's)")
                    yield Input(again.name if again else "", id="name", compact=True)
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
                        self._devices(host),
                        value=self._first_device(host),
                        allow_blank=False,
                        id="device",
                        compact=True,
                    )
                    yield Label("when the device is held")
                    yield Select(
                        WHEN_BUSY,
                        value=again.when_busy if again else "refuse",
                        allow_blank=False,
                        id="when_busy",
                        compact=True,
                    )
                    yield Static("", id="would", markup=False)
                with VerticalScroll(id="resolved"):
                    yield Static("", id="plan", markup=False)
            yield Static(Text(self._fault, style=hue("red")), id="fault")
            yield Static(self._ways(), id="ways")

    def _devices(self, host: str) -> list[tuple[str, str]]:
        names = [name.replace("cuda-", "cuda:") for name in self._hosts.get(host, ())]
        return [(name, name) for name in ("auto", *names)]

    def _first_device(self, host: str) -> str:
        again = self._again.device if self._again is not None else "auto"
        return again if again in [name for name, _ in self._devices(host)] else "auto"

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

    def _chosen(self, name: str) -> str:
        return str(self.query_one(f"#{name}", Select).value)

    def _resolve(self) -> None:
        """Resolve the configuration as the start would, and show it or what is wrong with it."""
        typed = self.query_one("#overrides", Input).value
        self.query_one("#hint", Static).update(self._hint(typed))
        overrides = words(typed)
        device = self._chosen("device")
        try:
            resolved = resolve(
                self._chosen("preset"),
                overrides=[*overrides, f"device={device}"] if device != "auto" else overrides,
            )
        except ConfigError as error:
            self._request = None
            self.query_one("#plan", Static).update(Text(str(error), style=hue("red")))
            self.query_one("#would", Static).update(Text("It cannot start like this.", style=hue("red")))
            return
        name = self.query_one("#name", Input).value.strip() or resolved.preset
        self._request = StartRequest(
            name=name,
            preset=resolved.preset,
            config=resolved.values(),
            origins=resolved.origins,
            device=device,
            queue=self._chosen("when_busy") == "queue",
            shared_device=self._chosen("when_busy") == "shared",
        )
        host = self._chosen("host")
        taken = choose_device(device, self._hosts.get(host, ()))
        would = Text(describe_start(self._request, host, taken), style=PLAIN)
        if (holder := self._busy.get((host, taken))) is not None:
            would.append(f"\n{taken} is held by {holder}.", style=hue("amber"))
        self.query_one("#plan", Static).update(plan(resolved))
        self.query_one("#would", Static).update(would)

    def _hint(self, typed: str) -> str:
        """What the key that is being typed means."""
        word = typed.split()[-1] if typed.split() and not typed.endswith(" ") else ""
        field = self._fields.get(word.partition("=")[0])
        return _help(field) if field is not None else ""

    def action_start(self) -> None:
        """Start what is shown; nothing while it is wrong."""
        if self._request is None:
            self.notify("the configuration is not right yet: see the right column", severity="warning")
            return
        fields = ("overrides", "name")
        overrides, name = (self.query_one(f"#{field}", Input).value for field in fields)
        host, device = self._chosen("host"), self._chosen("device")
        self.typed = Typed(self._chosen("preset"), overrides, name, host, device, self._chosen("when_busy"))
        self.dismiss((host, self._request))

    def action_leave(self) -> None:
        """Nothing is started."""
        self.dismiss(None)


def words(typed: str) -> list[str]:
    """The overrides as a shell would cut them; while a quote is still open, at spaces."""
    try:
        return shlex.split(typed)
    except ValueError:
        return typed.split()


def _help(field: FormField) -> str:
    """One field in a sentence."""
    bounds = [
        f"{name} {bound:g}"
        for name, bound in (("from", field.minimum), ("to", field.maximum))
        if bound is not None
    ]
    choices = f" ({' | '.join(field.choices)})" if field.choices else ""
    limits = f" ({', '.join(bounds)})" if bounds else ""
    return f"{field.key}: {field.help or field.kind}{choices}{limits}"


def plan(resolved: Resolved) -> Text:
    """Every value that will run; what was set by hand stands out, what nobody set recedes."""
    rows = [Text("What will run", style=STRONG), Text("")]
    flat = _flat(resolved.values())
    width = max(len(key) for key in flat) + 2
    for key, value in flat.items():
        origin = resolved.origins.get(key, "default")
        by_hand, preset = origin.startswith("--"), origin.startswith("preset")
        style = hue("amber", bold=True) if by_hand else PLAIN if preset else FAINT
        shown = origin if by_hand else ""
        rows.append(
            line(
                (f"{key:<{width}}", DIM if preset or by_hand else FAINT),
                (str(value), style),
                (f"  {shown}" if shown else "", DIM),
            )
        )
    return Text("\n").join(rows)


def _flat(values: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found
