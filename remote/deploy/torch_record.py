"""The hashes of each build of torch as it was first installed, kept by this client: later ones must match."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from remote.hosts.client_state import client_folder, make_client_folder
from trainer.run.disk.atomic import read_json, write_json
from trainer.run.run_errors import RunError

FILE = "torch_hashes.json"
HASH = re.compile("[0-9a-f]{64}")


def known_torch(torch: str, python: tuple[int, ...], platform: str) -> dict[str, list[str]]:
    """Index -> hashes, of this version of torch for such a host; the host's own index is the empty name."""
    prefix = _prefix(torch, python, platform)
    return {key.removeprefix(prefix): value for key, value in _read().items() if key.startswith(prefix)}


def record_torch(torch: str, python: tuple[int, ...], platform: str, built: Mapping[str, Any]) -> None:
    """Keep what a build told of its torch, where nothing was kept before."""
    index, hashes = built.get("torch_from"), _hashes(built.get("torch_hashes"))
    kept = _read()
    if torch and isinstance(index, str) and len(index) < 1000 and hashes:
        kept.setdefault(_prefix(torch, python, platform) + index, hashes)
        write_json(make_client_folder() / FILE, kept)


def _prefix(torch: str, python: tuple[int, ...], platform: str) -> str:
    return f"{torch} python{'.'.join(map(str, python[:2]))} {platform} "


def _read() -> dict[str, list[str]]:
    try:
        raw = read_json(client_folder(FILE))
    except (OSError, RunError):
        return {}
    rows = raw.items() if isinstance(raw, dict) else ()
    return {key: hashes for key, value in rows if (hashes := _hashes(value))}


def _hashes(raw: object) -> list[str]:
    rows: Sequence[object] = raw[:500] if isinstance(raw, list) else ()
    return [one for one in rows if isinstance(one, str) and HASH.fullmatch(one)]
