"""A client that only looks: what acts is refused here, and nothing of it reaches the host."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote.actions import settle_intents, start_run
from remote.actions.intents import leftovers
from remote.protocol.errors import CallError
from remote.protocol.messages import VERBS
from remote.protocol.permission import READ_ONLY_VARIABLE, demand_may_act, is_read_only
from remote.protocol.verbs import acts
from remote.session.session import Session, connect
from tests.remote.calling import call
from tests.remote.scripts import request, spec
from trainer.run.disk.atomic import write_json
from trainer.run.home import open_home

LOOKING = {
    "hello", "ping", "status", "runs", "run", "tail", "events", "untail", "ack", "processes", "telemetry",
    "doctor", "audit",
}  # fmt: skip
WHATEVER: dict[str, Any] = {
    "spec": {}, "start_id": "s", "run_id": "a-abcdef", "req_id": "r", "pid": 2, "start": 1, "origin": "a",
    "name": "step-00000001", "sha256": "a" * 64, "bytes": 1, "action": "install",
    "new_id": "b-abcdef", "signal": "USR1", "kind": "code", "list_bytes": 1, "to": "box:a-abcdef",
    "room": "feed", "words": ["pause"],
}  # fmt: skip
ACTING = {"start", "resume", "stop", "kill", "adopt", "reap"}


def names_of(verb: str) -> tuple[str, ...]:
    names: tuple[str, ...] = VERBS[verb].args.__struct_encode_fields__
    return names


def test_every_verb_says_whether_it_acts() -> None:
    assert {verb for verb in VERBS if acts(verb)} >= ACTING
    assert not {verb for verb in VERBS if acts(verb)} & LOOKING
    assert acts("a-verb-of-a-later-version")


@pytest.mark.parametrize("how", ["argument", "variable"])
def test_whatever_acts_is_refused_before_anything_is_sent(
    home: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "variable":
        monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    with connect(read_only=how == "argument") as looker:
        assert looker.read_only
        for verb in sorted(verb for verb in VERBS if acts(verb)):
            with pytest.raises(CallError, match=f"{verb} was not sent") as caught:
                call(
                    looker,
                    verb,
                    {name: WHATEVER[name] for name in names_of(verb) if name in WHATEVER},
                )
            assert (caught.value.code, caught.value.exit_code) == ("refused", 3)
            assert "--read-only" in caught.value.remedy
        assert start_run(looker, request()).code == "refused"
        assert call(looker, "runs")["runs"] == []
        assert call(looker, "doctor")["findings"] is not None
    assert not (home / "audit.jsonl").exists()
    assert not (home / "client" / "audit.jsonl").exists()
    assert open_home(home).runs() == []


def test_the_same_calls_are_sent_by_a_client_that_may_act(session: Session) -> None:
    assert not session.read_only
    assert start_run(session, request()).ok


def test_what_an_earlier_client_left_unanswered_stays_for_one_that_may_act(
    home: Path, session: Session
) -> None:
    folder = home / "client" / "intents"
    folder.mkdir(mode=0o700, parents=True)
    args = {"start_id": "left", "spec": spec().to_json(), "queue": False}
    write_json(folder / "left.json", {"host": "local", "verb": "start", "args": args, "at": 4e9})
    session.read_only = True
    assert settle_intents(session) == []
    assert len(leftovers("local", 4e9)) == 1
    session.read_only = False
    assert [one.ok for one in settle_intents(session)] == [True]


@pytest.mark.parametrize(
    ("value", "only_looks"), [("1", True), ("yes", True), ("", False), ("0", False), ("no", False)]
)
def test_the_variable(value: str, only_looks: bool) -> None:
    env = {READ_ONLY_VARIABLE: value}
    assert is_read_only(env) is only_looks
    act: Callable[[], None] = lambda: demand_may_act("a deploy", env)  # noqa: E731
    if only_looks:
        with pytest.raises(CallError, match="a deploy was not sent"):
            act()
    else:
        act()
