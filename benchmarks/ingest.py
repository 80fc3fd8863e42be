"""Events decoded, applied to the store, and K-SSM rows recognised, a second."""

import json
import time
from collections.abc import Callable

from benchmarks.figures import Figure, report
from remote.protocol.views import RunView
from remote.session.updates import Bytes, RunsSeen
from trainer.telemetry.read import EventReader
from trainer.telemetry.recogniser import LogRecogniser
from tui.store.store import Store

EVENTS = 100_000
CHUNK = 64 * 1024
ROW = {
    "total": 2.3456, "ce": 2.3401, "reg": 0.0055, "R": 0.4123, "coherence": 0.41, "u_val": 0.97,
    "u_low": 0.03, "u_high": 0.01, "grad_norm": 1.234, "lr": 0.003, "tokens": 2048000,
    "tokens_per_s": 15000.2, "step_ms": 130.2, "eta_s": 1300.2, "overhead": 0.012,
}  # fmt: skip


def events() -> bytes:
    rows = (
        {"type": "metrics", "seq": n, "attempt": 1, "t": 1.0 + n, "step": n, "u_stat": "median", **ROW}
        for n in range(EVENTS)
    )
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def table() -> bytes:
    return b"".join(
        b"%6d |   3.562 |   2.915 |  0.6477 | 0.0471 |   1.043 |    1.334\n" % n for n in range(EVENTS)
    )


def per_second(data: bytes, make: Callable[[], Callable[[bytes], object]]) -> int:
    best = 0.0
    for _ in range(3):
        feed = make()
        begun = time.perf_counter()
        for start in range(0, len(data), CHUNK):
            feed(data[start : start + CHUNK])
        best = max(best, EVENTS / (time.perf_counter() - begun))
    return round(best)


def store_feed() -> Callable[[bytes], object]:
    view = RunView(
        run_id="bench-aaaaaa", name="bench", kind="trainer", state="running", seq=1, attempt=1, reason="",
        code=None, signal=None, device="cpu", preset="", since=0.0, created=0.0, max_steps=EVENTS, pid=1,
        supervisor_pid=1, resumable=False, why_not="", last_checkpoint=None, log_file="", dir="", start_id="",
    )  # fmt: skip
    store, offset = Store(["local"]), 0
    store.apply("local", RunsSeen((view,), 0.0), 0.0, 0.0)

    def feed(data: bytes) -> None:
        nonlocal offset
        store.apply("local", Bytes(1, view.run_id, "events", 1, offset, data), 0.0, 0.0)
        offset += len(data)

    return feed


def main() -> None:
    """Measure."""
    said, logged = events(), table()
    rates = {
        "events decoded": (per_second(said, lambda: EventReader().feed), 300_000.0),
        "events decoded and applied to the store": (per_second(said, store_feed), None),
        "K-SSM rows recognised in a log": (per_second(logged, lambda: LogRecogniser().feed), None),
    }
    report(
        Figure(what, rate, "a second", aim, less_is_better=False, n=3) for what, (rate, aim) in rates.items()
    )


if __name__ == "__main__":
    main()
