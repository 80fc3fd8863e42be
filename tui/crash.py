"""What a fault of ours costs: the update or the paint in which it stands, and no secret on the terminal."""

import os
from collections.abc import Sequence

from rich.console import Console
from rich.segment import Segments
from textual.filter import LineFilter

from remote.protocol.sanitise import clean_line
from tui.key_order import OrderedKeys
from tui.theme import LIGHT_NAME, LIGHT_THEME, NAME, THEME, is_light

LAMENTS_MAX = 20


class SturdyApp(OrderedKeys):
    """An application that tells a fault once and goes on; one that ends it is told without our variables."""

    def __init__(self) -> None:
        super().__init__()
        self._lamented: set[str] = set()
        self._colours: tuple[LineFilter, ...] = ()
        self._light: tuple[LineFilter, ...] = ()

    def suit(self, console: Console) -> None:
        """Paint in colours that the terminal has; a test without one sees them all."""
        if self.is_headless:
            return
        from tui.colour_modes import filter_for  # a terminal with every colour needs none of it

        if (few := filter_for(console)) is not None:
            self._colours = (few,)

    def on_mount(self) -> None:
        """Our themes; the light one where the operator or the terminal says so."""
        for one in (THEME, LIGHT_THEME):
            self.register_theme(one)
        self.set_light(not self.is_headless and is_light(os.environ))

    @property
    def is_light(self) -> bool:
        """Whether the light theme is on."""
        return bool(self._light)

    def set_light(self, on: bool) -> None:
        """The light theme, or the dark one."""
        if on:
            from tui.colour_modes import LightColours  # the dark one, which is the usual, needs none of it

            self._light = (LightColours(),)
        else:
            self._light = ()
        self.theme = LIGHT_NAME if on else NAME

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Light for dark, then Textual's own (none without colours), then what a terminal of few needs."""
        return (*self._light, *super().get_line_filters(), *self._colours)

    def lament(self, text: str) -> None:
        """Say a fault of ours, once, and go on."""
        if text not in self._lamented and len(self._lamented) < LAMENTS_MAX:
            self._lamented.add(text)
            self.notify(clean_line(text)[:300], severity="error", markup=False, timeout=30)

    def _fatal_error(self) -> None:
        """Textual's own shows local variables, in which an environment or a passphrase may stand."""
        from rich.traceback import Traceback

        self.bell()
        trace = Traceback(show_locals=False, width=None)
        self._exit_renderables.append(Segments(self.console.render(trace, self.console.options)))
        self._close_messages_no_wait()
