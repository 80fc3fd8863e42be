"""What an operator wrote for cockpit and watch alike, read into a store: formats, bands, rules of alerts."""

from collections.abc import Iterator

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
