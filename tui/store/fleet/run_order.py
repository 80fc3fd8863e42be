"""The order of runs in the Fleet, whatever the order in which they were heard of."""

from tui.store.store import RunKey, Store

UNSEEN_MAX = 20  # failures of a host that stand above the rest until they were seen
FOLD = 6  # with several hosts, so many other runs that are over are shown of each


def is_unseen(store: Store, key: RunKey) -> bool:
    """Whether a run failed since this client looked last, and nobody has acknowledged it."""
    run = store.runs[key]
    if not run.view.has_failed or (*key, run.view.attempt) in store.seen:
        return False
    looked = store.watch.looked.get(key[0])
    return looked is None or run.view.since >= looked + (store.hosts[key[0]].wall_ahead or 0.0)


def by_need(store: Store, keys: list[RunKey]) -> tuple[list[RunKey], int]:
    """Runs of a host: live ones, then failures not yet seen, then the rest, the newest of each first.

    Returns them, and how many of them stand before the rest.
    """
    live = [key for key in keys if store.runs[key].view.is_live]
    over = sorted(
        (key for key in keys if not store.runs[key].view.is_live), key=lambda key: _ended(store, key)
    )
    live.sort(key=lambda key: (-store.runs[key].view.created, key))
    unseen = [key for key in over if is_unseen(store, key)][:UNSEEN_MAX]
    above = set(unseen)
    return [*live, *unseen, *(key for key in over if key not in above)], len(live) + len(unseen)


def _ended(store: Store, key: RunKey) -> tuple[float, RunKey]:
    return -store.runs[key].view.since, key
