"""What a client has on its disk, read into a store: formats, bands, rules of alerts, when it looked last."""

from collections.abc import Iterator

from remote.session.last_seen import last_seen
from tui.health import health_bands
from tui.own_formats import formats_at_hand
from tui.own_rules import own_rules
from tui.store.store import Store


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
