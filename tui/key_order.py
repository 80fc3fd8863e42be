"""Keys in their order: each is handed out when what the one before it did is done.

Textual hands every key at once to whatever has the focus. Of a burst (a paste, `tmux send-keys`, a fast
typist on a slow link) `/state:x` then opens the filter, and all its letters are keys of the table.
"""

import time
from collections import deque

from textual.app import App
from textual.events import Event, Key, Paste
from textual.message import Message
from textual.widget import Widget

LOOK_AFTER_S = 0.5  # a key whose widget went away comes back to nobody
STUCK_S = 5.0  # nor does one whose widget waits for something; a loaded machine takes a second


class Passed(Message):
    """Follows a key from widget to widget: where it arrives, the key has been acted on."""


class OrderedKeys(App[str]):
    """An application in which one key is on its way at a time; the rest wait in their order."""

    def __init__(self) -> None:
        super().__init__()
        self._held: deque[Event] = deque()
        self._on_its_way: tuple[Passed, Widget] | None = None
        self._before: tuple[object, object] = (None, None)
        self._is_bound = False
        self._handed_out = 0.0

    async def on_event(self, event: Event) -> None:
        """Hold what is typed while a key is on its way."""
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            self._is_bound |= isinstance(event, Key)  # no widget took it: a binding may
            await super().on_event(event)
        elif self._on_its_way is None:
            await self._hand_out(event)
        else:
            self._held.append(event)
            if len(self._held) == 1:
                self.set_timer(LOOK_AFTER_S, self._look_after)

    async def _hand_out(self, event: Event) -> None:
        place = self.focused or self.screen
        self._before, self._is_bound = (self.screen, self.focused), False
        self._on_its_way = passed = (Passed(), place)
        self._handed_out = time.monotonic()
        await super().on_event(event)
        self._follow(*passed)

    def _follow(self, passed: Passed, place: Widget) -> None:
        """Send it the way that the key took, behind it."""
        if not place.post_message(passed):
            self.post_message(passed)

    async def on_passed(self, passed: Passed) -> None:
        """Go on; after a binding once its own messages have arrived, and the focus is where it moves to."""
        if self._on_its_way is None or self._on_its_way[0] is not passed:
            return
        if self._is_bound:
            self._is_bound = False
            self._on_its_way = again = (Passed(), self._on_its_way[1])
            self._follow(*again)
        elif (self.screen, self.focused) == self._before:
            await self._after(passed)
        else:
            self.call_after_refresh(self._after, passed)

    async def _after(self, passed: Passed) -> None:
        if self._on_its_way is not None and self._on_its_way[0] is passed:
            self._on_its_way = None
            if self._held:
                await self._hand_out(self._held.popleft())

    async def _look_after(self) -> None:
        """Go on without a key that went away with its widget, or is stuck in it."""
        if self._on_its_way is None or not self._held:
            return
        passed, place = self._on_its_way
        if not place.is_attached or time.monotonic() - self._handed_out > STUCK_S:
            await self._after(passed)
        self.set_timer(LOOK_AFTER_S, self._look_after)
