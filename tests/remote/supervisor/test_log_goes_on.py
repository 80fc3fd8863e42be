"""A real run whose log is long: the client that follows it sees all of it, over both files and agents."""

import os
import signal
from pathlib import Path

import pytest

from remote.session.link.link_state import Timings
from remote.session.session import connect
from remote.session.updates import Bytes, StreamEnd
from tests.remote.calling import call
from tests.trainer.loop.tiny import TINY, write_text
from tests.waiting import wait_until
from trainer.config.resolve import resolve
from trainer.run.layout import RunDir, new_run_id
from trainer.run.logs import log_files
from trainer.run.spec import RunSpec

QUICK = Timings(ping_s=0.2, backoff_s=(0.02, 0.05), refresh_s=0.5)
LIMIT = 1500
STEPS = 60


def trainer_spec(corpus: Path) -> RunSpec:
    sets = [*TINY, f"steps={STEPS}", "log.every=1", "checkpoint.every=0", f"log.max_mib={LIMIT / (1 << 20)}"]
    config = resolve("kssm-v3-tiny", overrides=sets, data=str(corpus))
    run_id = new_run_id("long")
    return RunSpec(run_id=run_id, name="long", kind="trainer", device="cpu", config=config.values())


@pytest.mark.timeout(300)
def test_a_client_gets_every_byte_of_a_log_that_goes_on_in_further_files(home: Path, tmp_path: Path) -> None:
    spec = trainer_spec(write_text(tmp_path / "text.txt", sentences=300))
    run = RunDir(home / "runs" / spec.run_id)
    got: dict[str, bytes] = {}
    ends: list[StreamEnd] = []
    with connect(timings=QUICK) as session:

        def take() -> int:
            for one in session.drain(1000):
                if isinstance(one, Bytes):
                    assert one.offset == len(got.get(one.file, b""))
                    got[one.file] = got.get(one.file, b"") + one.data
                elif isinstance(one, StreamEnd):
                    ends.append(one)
            return len(got)

        call(session, "start", {"start_id": "s1", "spec": spec.to_json()}, timeout=30.0)
        session.follow(spec.run_id)
        wait_until(lambda: take() >= 2, 60.0, "a second file")
        assert session.hello is not None
        os.kill(session.hello.pid, signal.SIGKILL)
        wait_until(lambda: take() and ends, 60.0, "the end of the log")
        shown = call(session, "run", {"run_id": spec.run_id})
    assert shown["state"] == "succeeded"
    files = log_files(run)
    assert got == {path.name: path.read_bytes() for path in files}
    assert shown["log_file"] == files[-1].name
    assert len(files) > 3
    rows = [line for path in files for line in path.read_text().splitlines() if line.lstrip()[:1].isdigit()]
    assert [int(row.split("|")[0]) for row in rows if "|" in row] == list(range(1, STEPS + 1))
