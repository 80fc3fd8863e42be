import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.run.layout import RUN_ID, RunDir, check_device, check_run_id, check_short_id, new_run_id
from trainer.run.run_errors import SpecError


@given(st.text(max_size=80))
def test_every_name_becomes_an_id_that_is_safe_in_a_path(name: str) -> None:
    run_id = new_run_id(name)
    assert check_run_id(run_id) == run_id
    assert re.fullmatch(r"[a-z0-9-]{8,47}", run_id)


def test_two_runs_of_one_name_differ() -> None:
    assert len({new_run_id("demo") for _ in range(200)}) == 200


@pytest.mark.parametrize(
    "text",
    ["", "demo", "../x-aaaaaa", "a/b-aaaaaa", "demo-aaaaa1", "-a-aaaaaa", "demo-aaaaaa\n", "Demo-aaaaaa"],
)
def test_what_is_no_run_id_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="not a run id"):
        check_run_id(text)
    assert not RUN_ID.fullmatch(text)


@pytest.mark.parametrize("text", ["", ".hidden", "a/b", "..", "x" * 65, "a b", "r.ack", "a\n"])
def test_what_is_no_request_id_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="request id"):
        check_short_id(text, "request id")


def test_devices_are_named() -> None:
    assert [check_device(name) for name in ("cpu", "mps", "cuda-0", "cuda-11")]
    with pytest.raises(SpecError, match="not a device"):
        check_device("cuda:0")


def test_folders_are_private(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "demo-aaaaaa").create().create()
    for folder in (run.path, run.control, run.log_dir, run.checkpoints):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert run.log(3).name == "003.log"
