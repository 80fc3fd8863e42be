"""Books of Project Gutenberg on this host: fetched once, kept with their hash, shared by all corpora."""

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer.data.corpora.polite_http import Fetcher, FetchError
from trainer.data.data_errors import BadFileError
from trainer.data.lock_wait import wait_for_lock
from trainer.data.sources.text import decode
from trainer.run.disk.atomic import write_bytes, write_json

FEWEST_BYTES = 1000


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of `<number>.txt` as they came, and `<number>.json`: address, length, SHA-256, time."""

    folder: Path
    base: str

    def book(self, number: int, fetcher: Fetcher | None) -> str:
        """The text of a book, from the shelf if it is there and whole, else fetched and put there.

        Raises:
            FetchError: it is not there and cannot be had.
            Stopped: if a stop was asked for.
            OSError: it cannot be put there.
        """
        raw = self._kept(number)
        if raw is None:
            if fetcher is None:
                raise FetchError("it was never fetched to this host")
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with wait_for_lock(self.folder / ".lock", fetcher.pulse):  # one at a time, whoever asks
                raw = self._kept(number) or self._fetch(number, fetcher)
        return _text(raw, number)

    def addresses(self, number: int) -> Iterator[str]:
        """Where a book may lie, the likeliest first."""
        base = self.base.rstrip("/")
        yield f"{base}/cache/epub/{number}/pg{number}.txt"
        yield f"{base}/files/{number}/{number}-0.txt"
        yield f"{base}/files/{number}/{number}.txt"

    def _fetch(self, number: int, fetcher: Fetcher) -> bytes:
        for address in self.addresses(number):
            try:
                raw = fetcher.fetch(address)
            except FetchError as error:
                if error.absent:
                    continue
                raise
            _text(raw, number)
            self._keep(number, raw, address)
            return raw
        raise FetchError("the server has no plain text of this number", absent=True)

    def _kept(self, number: int) -> bytes | None:
        try:
            record = json.loads((self.folder / f"{number}.json").read_bytes())
            raw = (self.folder / f"{number}.txt").read_bytes()
        except (OSError, ValueError):
            return None
        whole = isinstance(record, dict) and record.get("sha256") == hashlib.sha256(raw).hexdigest()
        return raw if whole else None

    def _keep(self, number: int, raw: bytes, address: str) -> None:
        write_bytes(self.folder / f"{number}.txt", raw)
        digest = hashlib.sha256(raw).hexdigest()
        record = {"address": address, "bytes": len(raw), "sha256": digest, "fetched": time.time()}
        write_json(self.folder / f"{number}.json", record)


def _text(raw: bytes, number: int) -> str:
    """The text of an answer that is a book, and not the page that says that there is none.

    Raises:
        FetchError: it is something else.
    """
    head = raw[:1000].lstrip().lower()
    if head.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise FetchError("the server answered with a web page, not with a plain text")
    if len(raw) < FEWEST_BYTES or b"gutenberg" not in raw.lower():
        raise FetchError("what the server answered is no book of Project Gutenberg")
    try:
        return decode(raw, f"book {number}")
    except BadFileError as error:
        raise FetchError(str(error)) from error
