from pathlib import Path

import pytest

from trainer.run.control import Ack, ControlRequest, pending, pending_for, put_ack, put_request, read_ack
from trainer.run.layout import RunDir
from trainer.run.run_errors import SpecError


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path / "run-aaaaaa").create()


def request(req_id: str, **more: object) -> ControlRequest:
    base = {"req_id": req_id, "verb": "stop", "attempt": 2, "token": "t", "by": "ada", "at": 1.0}
    return ControlRequest(**{**base, **more})  # type: ignore[arg-type]


def test_requests_come_oldest_first_and_only_for_their_attempt(run: RunDir) -> None:
    put_request(run, request("late", at=3.0))
    put_request(run, request("early", verb="kill", at=2.0))
    put_request(run, request("earlier-attempt", attempt=1))
    put_request(run, request("other-token", token="u"))
    assert [one.req_id for one in pending(run, 2, "t")] == ["early", "late"]
    assert [one.req_id for one in pending_for(run, {(1, "t"), (2, "u")})] == [
        "earlier-attempt",
        "other-token",
    ]


def test_same_request_id_is_the_same_request(run: RunDir) -> None:
    assert put_request(run, request("one"))
    assert not put_request(run, request("one", verb="kill"))
    assert [one.verb for one in pending(run, 2, "t")] == ["stop"]


def test_answered_request_is_no_longer_pending(run: RunDir) -> None:
    put_request(run, request("one"))
    assert read_ack(run, "one") is None
    ack = Ack(req_id="one", attempt=2, token="t", step=7, checkpoint="step-00000007", sha256="ab", at=1.0)
    put_ack(run, ack)
    assert read_ack(run, "one") == ack
    assert pending(run, 2, "t") == []


def test_foreign_files_are_no_requests(run: RunDir) -> None:
    for name, text in {"a.json": "{", "b.json": "[]", "c.json": '{"req_id": "c"}', "d.txt": "x"}.items():
        (run.control / name).write_text(text)
    (run.control / "e.json").write_text('{"req_id":"e","verb":"dance","attempt":2,"token":"t"}')
    assert pending(run, 2, "t") == []
    put_request(run, request("real"))
    assert len(pending(run, 2, "t")) == 1


def test_ids_and_verbs_that_are_none_are_refused(run: RunDir) -> None:
    with pytest.raises(SpecError, match="request id"):
        put_request(run, request("../state"))
    with pytest.raises(SpecError, match="dance"):
        put_request(run, request("one", verb="dance"))
    assert list(run.control.iterdir()) == []


def test_run_without_a_control_folder_has_no_requests(tmp_path: Path) -> None:
    assert pending(RunDir(tmp_path / "none"), 1, "") == []
