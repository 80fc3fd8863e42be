"""Text that a run of our trainer names must be on the host that trains."""

from pathlib import Path

import pytest

from remote.agent.starts.host_paths import demand_data
from remote.protocol.errors import CallError
from trainer.run.spec import RunSpec


def spec(source: str) -> RunSpec:
    config = {"data": {"source": source}}
    return RunSpec(run_id="a-aaaaaa", name="a", kind="trainer", device="cpu", config=config)


def test_a_corpus_is_looked_for_below_the_state_root_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "another"))
    (tmp_path / "home" / "corpora" / "books").mkdir(parents=True)
    demand_data(spec("corpus:books"), tmp_path / "home")
    demand_data(spec("python-docs"), tmp_path / "home")
    for source in ("corpus:nope", "corpus:../home", str(tmp_path / "nowhere")):
        with pytest.raises(CallError) as caught:
            demand_data(spec(source), tmp_path / "home")
        assert caught.value.code == "bad_request"
