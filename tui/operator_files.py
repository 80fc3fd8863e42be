"""What a client has on its disk, read into a store: formats, bands, rules of alerts, when it looked last."""

import contextlib
from collections.abc import Iterator

from remote.hosts.client_state import client_folder, make_client_folder
from remote.session.last_seen import last_seen
from trainer.run.disk.atomic import write_json
from trainer.run.disk.small_record import read_record
from trainer.run.run_errors import RecordError
from tui.health import health_bands
from tui.own_formats import formats_at_hand
from tui.own_rules import own_rules
from tui.store.fleet.tour import STEPS, Tour
from tui.store.store import Store

TOUR = "first-steps.json"


def read_into(store: Store) -> Iterator[str]:
    """Read them all; what is wrong with one costs that one, and is told in a sentence."""
    store.formats, faults = formats_at_hand()
    for fault in faults:
        yield f"a format of yours is left out: {fault}"
    try:
        store.bands = health_bands()
    except (ValueError, OSError) as error:  # somebody edited the bands: everything but the lamps works
        yield f"no lamps: {error}"
    store.watch.own, wrong = own_rules()
    for text in wrong:
        yield f"a rule of alerts is left out: {text}"


def remember_looks(store: Store) -> None:
    """What failed since this client heard of a host last is news when the host is heard again."""
    seen = {name: last_seen(name) for name in store.hosts}
    store.watch.looked = {name: one.at for name, one in seen.items() if one is not None}


def first_steps() -> Tour:
    """The hints of a new operator, as far as they were followed. A file that cannot be read has said all."""

    def keep(done: frozenset[str]) -> None:
        with contextlib.suppress(OSError):  # on a full disk they come again
            make_client_folder()
            write_json(client_folder(TOUR), {"version": 1, "done": sorted(done)})

    try:
        record = read_record(client_folder(TOUR), 1 << 16)
    except RecordError:
        return Tour(STEPS)
    done = record.get("done") if isinstance(record, dict) else ()
    return Tour([str(step) for step in done] if isinstance(done, list) else (), keep)
