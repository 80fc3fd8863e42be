"""Which token caches go: the unused past their days, then the least recently used past the size limit."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from trainer.data.cache.cache import ENTRY_NAME, STAGING, USED, TokenCache
from trainer.run.locks import Flock

DAY_S = 86400.0
GB = 1e9


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One token cache as pruning sees it.

    Attributes:
        name: Its folder's name.
        used_at: Unix seconds of its last use.
        bytes: Length of its files together.
    """

    name: str
    used_at: float
    bytes: int


def expired(entries: list[CacheEntry], now: float, days: float) -> list[CacheEntry]:
    """Entries unused for more than `days`."""
    return [entry for entry in entries if now - entry.used_at > days * DAY_S]


def prune(cache: TokenCache, days: float, gb: float) -> list[str]:
    """Remove what is expired or too much, and what dead builders left; never an entry that is in use.

    Returns:
        Names of the removed entries.
    """
    now = time.time()
    entries = list_entries(cache.folder)
    removed = [entry for entry in expired(entries, now, days) if _remove(cache, entry.name)]
    kept = [entry for entry in entries if entry not in removed]
    # one that is in use counts but cannot go, so the next candidate goes in its place
    for entry in sorted(kept, key=lambda entry: entry.used_at):
        if sum(other.bytes for other in kept) <= gb * GB:
            break
        if _remove(cache, entry.name):
            kept.remove(entry)
            removed.append(entry)
    _sweep(cache, now, days)
    return [entry.name for entry in removed]


def list_entries(folder: Path) -> list[CacheEntry]:
    """Entries of a cache folder; one that vanishes while it is looked at is left out."""
    found: list[CacheEntry] = []
    for path in folder.iterdir():
        if not ENTRY_NAME.fullmatch(path.name):  # whatever else lies here is not ours to remove
            continue
        try:
            size = sum(file.stat().st_size for file in path.iterdir())
            marked = path / USED
            found.append(CacheEntry(path.name, (marked if marked.exists() else path).stat().st_mtime, size))
        except FileNotFoundError:
            continue
    return found


def _remove(cache: TokenCache, name: str) -> bool:
    """Remove one entry unless a process uses or builds it."""
    building = Flock.now(cache.lock_path(name))
    if building is None:
        return False
    with building:
        entry = cache.folder / name
        try:
            in_use = Flock.now(entry / USED)
        except FileNotFoundError:
            return False
        if in_use is None:
            return False
        with in_use:
            going = entry.with_name(f"{STAGING}{name}-pruned")
            entry.rename(going)
            shutil.rmtree(going)
    return True


def _sweep(cache: TokenCache, now: float, days: float) -> None:
    """Folders of builders that died, and memos of input not seen for long."""
    for staging in cache.folder.glob(f"{STAGING}*"):
        fingerprint = staging.name.removeprefix(STAGING).split("-")[0]
        if ENTRY_NAME.fullmatch(fingerprint) and (lock := Flock.now(cache.lock_path(fingerprint))):
            with lock:
                shutil.rmtree(staging, ignore_errors=True)
    for memo in (cache.folder / "memo").iterdir():
        try:
            if now - memo.stat().st_mtime > days * DAY_S:
                memo.unlink()
        except FileNotFoundError:
            continue
