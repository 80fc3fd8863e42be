"""What was told and what is on its way, kept over restarts: a small file of the client's.

A notice stands here before it is sent, and what came of it afterwards. A sender that dies between the two
sends it again: at least once, and always under the same key.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from remote.hosts.client_state import client_folder, make_client_folder
from trainer.run.disk.atomic import encode, write_bytes
from trainer.run.disk.small_record import read_record
from trainer.run.run_errors import RecordError
from tui.notices.delivery import Delivery, moment, read_delivery
from tui.notices.notice import NAME_MAX, Notice, read_notice
from tui.notices.notice_channel import NoticeChannel

NAME = "notices.json"
VERSION = 1
FILE_MAX = 8 << 20
KEYS_MAX, NOTICES_MAX, HOSTS_MAX = 20_000, 1000, 1000


@dataclass(slots=True)
class JournalEntry:
    """One notice and its way to each channel, by the channel's name."""

    notice: Notice
    deliveries: dict[str, Delivery] = field(default_factory=dict)

    @property
    def is_waiting(self) -> bool:
        """Whether a channel has not been told of it yet."""
        return any(one.progress == "waiting" for one in self.deliveries.values())


class NoticeJournal:
    """The file in memory. One process alone writes it: who holds the lock of the watch.

    Attributes:
        looked: host id -> epoch seconds at which that host's runs were looked at last.
        standing: (host id, rule) of what a host may go on with -> its occasion, and when it was told last.
        trouble: why the file was left out; empty where it was not.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or client_folder("alerts", NAME)
        self._keys: dict[str, None] = {}
        self.entries: dict[str, JournalEntry] = {}
        self.looked: dict[str, float] = {}
        self.standing: dict[tuple[str, str], tuple[str, float]] = {}
        self.trouble = ""
        self._is_changed = False
        try:
            self._read(read_record(self._path, FILE_MAX))
        except RecordError as error:
            self.trouble = f"{error}: what was told before is not known"

    def knows(self, key: str) -> bool:
        """Whether an occasion was told, or found and told to nobody."""
        return key in self._keys

    def add(self, found: Notice, channels: Iterable[NoticeChannel]) -> bool:
        """Remember a notice for those channels that want it; False where it is known."""
        if not self.pass_over(found.key):
            return False
        wanted = {one.name: Delivery() for one in channels if one.wants(found)}
        self.entries[found.key] = JournalEntry(found, wanted)
        over = len(self.entries) - NOTICES_MAX
        for key in [key for key, entry in self.entries.items() if not entry.is_waiting][: max(over, 0)]:
            del self.entries[key]
        for key in list(islice(self.entries, max(len(self.entries) - 2 * NOTICES_MAX, 0))):
            del self.entries[key]  # a channel that takes nothing for weeks: the oldest are lost to it
        return True

    def pass_over(self, key: str) -> bool:
        """Remember an occasion that is told to nobody; False where it is known."""
        if key in self._keys:
            return False
        self._keys[key] = None
        for old in list(islice(self._keys, max(len(self._keys) - KEYS_MAX, 0))):
            del self._keys[old]
        self._is_changed = True
        return True

    def put(self, key: str, channel: str, delivery: Delivery) -> None:
        """How far a notice has come."""
        if key in self.entries:
            self.entries[key].deliveries[channel] = delivery
            self._is_changed = True

    def look(self, host_id: str, at: float) -> None:
        """The runs of a host were looked at."""
        self.looked.pop(host_id, None)
        self.looked[host_id] = at
        _shorten(self.looked)
        self._is_changed = True

    def stand(self, host_id: str, rule: str, occasion: str, at: float) -> None:
        """A host was told of under this rule."""
        self.standing.pop((host_id, rule), None)
        self.standing[host_id, rule] = (occasion, at)
        _shorten(self.standing)
        self._is_changed = True

    def waiting(self) -> Iterator[tuple[JournalEntry, str, Delivery]]:
        """Every notice that a channel has not been told of yet, the oldest first."""
        for entry in self.entries.values():
            for name, delivery in entry.deliveries.items():
                if delivery.progress == "waiting":
                    yield entry, name, delivery

    def give_up_strangers(self, channels: Sequence[NoticeChannel]) -> None:
        """What waits for a channel that is there no longer waits in vain."""
        known = {one.name for one in channels}
        for entry, name, delivery in list(self.waiting()):
            if name not in known:
                gone = replace(delivery, progress="given_up", said="the channel is there no longer")
                self.put(entry.notice.key, name, gone)

    def save(self) -> None:
        """Write it, durably, where anything changed.

        Raises:
            OSError: the disk refused; it is tried again with the next change.
        """
        if not self._is_changed:
            return
        make_client_folder("alerts")
        write_bytes(self._path, self.encoded())
        self._is_changed = False

    def encoded(self) -> bytes:
        """The file as it is written."""
        notices = [
            {**entry.notice.to_json(), "to": {name: one.to_json() for name, one in entry.deliveries.items()}}
            for entry in self.entries.values()
        ]
        standing = [[*who, *what] for who, what in self.standing.items()]
        told = {"keys": list(self._keys), "notices": notices, "looked": self.looked, "standing": standing}
        return encode({"version": VERSION, **told})

    def _read(self, told: object) -> None:
        """Take what makes sense; another record costs itself."""
        if told is None:
            return
        if not isinstance(told, dict) or told.get("version") != VERSION:
            self.trouble = f"{self._path} is of another version: what was told before is not known"
            return
        keys, notices, looked, standing = (
            told.get(name) for name in ("keys", "notices", "looked", "standing")
        )
        for key in keys[-KEYS_MAX:] if isinstance(keys, list) else ():
            if isinstance(key, str) and len(key) <= NAME_MAX:
                self._keys[key] = None
        for raw in notices[-2 * NOTICES_MAX :] if isinstance(notices, list) else ():
            if (found := read_notice(raw)) is not None:
                self._keys[found.key] = None
                self.entries[found.key] = JournalEntry(found, dict(_deliveries(raw.get("to"))))
        for host, at in list(looked.items())[-HOSTS_MAX:] if isinstance(looked, dict) else ():
            if (when := moment(at)) is not None:
                self.looked[host[:NAME_MAX]] = when
        for raw in standing[-HOSTS_MAX:] if isinstance(standing, list) else ():
            if isinstance(raw, list) and len(raw) == 4 and (when := moment(raw[3])) is not None:
                host, rule, occasion = (str(part)[:NAME_MAX] for part in raw[:3])
                self.standing[host, rule] = (occasion, when)


def _deliveries(raw: object) -> Iterator[tuple[str, Delivery]]:
    for name, told in list(raw.items())[:100] if isinstance(raw, dict) else ():
        if (one := read_delivery(told)) is not None:
            yield name[:NAME_MAX], one


def _shorten(table: dict[Any, Any]) -> None:
    for old in list(islice(table, max(len(table) - HOSTS_MAX, 0))):
        del table[old]
