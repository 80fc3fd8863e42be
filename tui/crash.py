"""What a fault of ours costs: the update or the paint in which it stands, and no secret on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.segment import Segments
from textual.filter import LineFilter

from remote.protocol.sanitise import clean_line
from tui.key_order import OrderedKeys

LAMENTS_MAX = 20


class SturdyApp(OrderedKeys):
    """An application that tells a fault once and goes on; one that ends it is told without our variables."""

    def __init__(self) -> None:
        super().__init__()
        self._lamented: set[str] = set()
        self._colours: tuple[LineFilter, ...] = ()

    def suit(self, console: Console) -> None:
        """Paint in colours that the terminal has; a test without one sees them all."""
        if self.is_headless:
            return
        from tui.colour_modes import filter_for  # a terminal with every colour needs none of it

        if (few := filter_for(console)) is not None:
            self._colours = (few,)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, then ours."""
        return (*super().get_line_filters(), *self._colours)

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
