"""Every verb beside a client and an agent of the version before, and its arguments and answers checked."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields

from remote.protocol.arguments import as_filled, as_sent
from remote.protocol.errors import ProtocolError
from remote.protocol.messages import (
    Reply,
    decode_message,
    decode_request,
    encode,
    encode_request,
    encode_result,
)
from remote.protocol.results import RunList, StatePushed, StreamOver, StreamSkipped, as_answered
from remote.protocol.values import read_as
from remote.protocol.verbs import VERBS

RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "recorded" / "version_before.json").read_text(encoding="utf-8")
)
"""A request and its answer of each verb, as they passed between two ends of the version before."""

PLACE = {"gen": 1, "file": "x", "offset": 0}
REQUIRED = [
    (verb, field.encode_name) for verb in RECORDED for field in fields(VERBS[verb].args) if field.required
]


def asked(verb: str, args: Any) -> Any:
    return decode_request(encode({"id": 1, "verb": verb, "args": args})).args


def holds(later: Any, before: Any) -> bool:
    """Whether `later` says all that `before` said; it may say more."""
    if isinstance(before, dict) and isinstance(later, dict):
        return all(name in later and holds(later[name], value) for name, value in before.items())
    if isinstance(before, list) and isinstance(later, list):
        return len(later) == len(before) and all(map(holds, later, before))
    return bool(later == before) and type(later) is type(before)


def test_no_verb_of_the_version_before_is_lost() -> None:
    assert set(RECORDED) <= set(VERBS)


LESS: list[dict[str, Any]] = [
    {"a": [{"b": 1}]},
    {"a": [{"b": True}], "c": None},
    {"a": [], "c": None},
    {"a": 1, "c": None},
]


def test_what_is_lost_or_changed_would_be_noticed() -> None:
    before = {"a": [{"b": 1}], "c": None}
    assert holds({"a": [{"b": 1, "new": 2}], "c": None, "new": 3}, before)
    assert [less for less in LESS if holds(less, before)] == []


@pytest.mark.parametrize("verb", sorted(RECORDED))
def test_a_client_of_the_version_before_is_understood(verb: str) -> None:
    args = RECORDED[verb]["args"]
    filled = json.loads(encode(as_answerable(asked(verb, args))))
    assert {name: filled[name] for name in args} == args


@pytest.mark.parametrize("verb", sorted(RECORDED))
def test_an_agent_of_the_version_before_understands_what_is_sent(verb: str) -> None:
    """What has its default is not sent; whatever is sent has the word and the value that it had."""
    args = RECORDED[verb]["args"]
    again = encode_request(1, verb, as_sent(asked(verb, args)))
    sent = json.loads(again)["args"]
    assert sent.items() <= args.items()
    assert asked(verb, sent) == asked(verb, args)


@pytest.mark.parametrize("verb", sorted(RECORDED))
def test_an_answer_of_the_version_before_is_read_and_made_the_same(verb: str) -> None:
    one, result = VERBS[verb], RECORDED[verb]["result"]
    later = {**result, "mood": "fine"}  # a field of a later version is passed over
    read = [read_as(one.result, answer, one.texts) for answer in (result, later)]
    assert read[0] == read[1]
    made = decode_message(encode_result(1, read[0]).rstrip())
    assert isinstance(made, Reply)
    assert holds(made.result, result)


def as_answerable(args: Any) -> dict[str, Any]:
    return {
        name: value.to_json() if hasattr(value, "to_json") else value
        for name, value in as_filled(args).items()
    }


@pytest.mark.parametrize(("verb", "name"), REQUIRED)
def test_an_argument_that_is_missing_malformed_or_unknown_is_named(verb: str, name: str) -> None:
    args = RECORDED[verb]["args"]
    for wrong in (
        {key: value for key, value in args.items() if key != name},
        args | {name: None},
        args | {name: {"a": []} if name != "spec" else "text"},
        args | {f"{name}_of_tomorrow": 1},
    ):
        with pytest.raises(ProtocolError, match=f"{verb}: .*{name}") as caught:
            asked(verb, wrong)
        assert (caught.value.code, caught.value.request_id) == ("bad_request", 1)
        assert caught.value.remedy
    asked(verb, args)  # the control


@pytest.mark.parametrize(
    ("verb", "name", "wrong", "fits"),
    [
        ("ping", "n", [-1, (1 << 53) + 1, 1.5, True, "1"], [0, 1 << 53]),
        ("stop", "deadline_s", [-0.1, 86400.1, "5", True], [0, 86400, 5.5, None]),
        ("stop", "run_id", ["../x", "a\n", "", "A", "a" * 97], ["a", "a" * 96, "0.x_y-z"]),
        ("stop", "by", ["x" * 201, 5], ["x" * 200, "", None]),
        ("resume", "from", ["../x", "a\n", "-x"], ["", "step-00000001"]),
        ("older", "n", [0, 524289], [1, 524288, None]),
        ("older", "what", ["state", "log\n"], ["log", "events", "watch"]),
        ("reap", "pid", [1, 0], [2]),
        ("audit", "last", [0, 501], [1, 500]),
        ("runs", "finished", [-1, 1.5, "1", True], [0, 1 << 53, None]),
        ("runs", "skip", [-1, "1"], [0, 5]),
        ("hello", "proto", [[1] * 17, ["1"], [1.5], "1"], [[], [1] * 16]),
        ("tail", "cursor", [{}, PLACE | {"offset": -1}, []], [None, PLACE]),
        ("watch", "cursor", [PLACE | {"inode": 1 << 64}], [PLACE | {"inode": (1 << 64) - 1}]),
    ],
)  # fmt: skip
def test_bounds_and_patterns_hold_and_null_is_the_default(
    verb: str, name: str, wrong: list[object], fits: list[object]
) -> None:
    args = RECORDED[verb]["args"]
    for value in wrong:
        with pytest.raises(ProtocolError, match=name):
            asked(verb, args | {name: value})
    for value in fits:
        asked(verb, args | {name: value})


@pytest.mark.parametrize(
    ("verb", "change"),
    [
        ("start", {"seq": "1"}),
        ("stop", {"state": None}),
        ("runs", {"runs": {"run_id": "a-abcdef"}}),
        ("ping", {"wall": "noon"}),
        ("processes", {"locks": [{"name": "cpu", "free": 1, "run_id": None}]}),
        ("older", {"data": "%"}),
        ("tail", {"stream": True}),
        ("deploy-check", {"verdict": "who knows"}),
        ("hello", {"proto": []}),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused_with_a_remedy(verb: str, change: dict[str, Any]) -> None:
    one, result = VERBS[verb], RECORDED[verb]["result"]
    (field,) = change
    with pytest.raises(ProtocolError, match=f"makes no sense: .*{field}") as caught:
        read_as(one.result, result | change, one.texts)
    assert (caught.value.code, caught.value.exit_code) == ("internal", 1)
    assert "update" in caught.value.remedy


def test_a_run_that_makes_no_sense_hides_no_other() -> None:
    one, result = VERBS["runs"], RECORDED["runs"]["result"]
    bad = result["runs"][0] | {"seq": "one"}
    read = read_as(one.result, result | {"runs": [bad, *result["runs"], {"run_id": 7}]}, one.texts)
    assert isinstance(read, RunList)
    assert read.runs == read_as(one.result, result, one.texts).runs
    assert len(read.troubles) == len(result.get("troubles", [])) + 2
    assert "makes no sense" in read.troubles[-1]


PUSHED: list[tuple[type[Any], dict[str, Any]]] = [
    (StatePushed, {"event": "state", "run": RECORDED["adopt"]["result"]}),
    (StreamOver, {"event": "eof", "stream": 2, "run": "a-abcdef"}),
    (StreamOver, {"event": "eof", "stream": 2, "run": "a-abcdef", "reason": "it cannot be read"}),
    (StreamSkipped, {"event": "gap", "stream": 1, "run": "a-abcdef", "from": PLACE, "to": PLACE, "bytes": 9}),
]


@pytest.mark.parametrize(("kind", "said"), PUSHED)
def test_what_an_agent_of_the_version_before_says_unasked_is_read(
    kind: type[Any], said: dict[str, Any]
) -> None:
    made = as_answered(read_as(kind, said))
    assert holds(made, {name: value for name, value in said.items() if name in made})
    assert len(made) > 1 or kind is StatePushed
    for name in set(said) - {"event", "run" if kind is not StatePushed else "", "reason"}:
        with pytest.raises(ProtocolError, match=name):
            read_as(kind, {key: value for key, value in said.items() if key != name})


def test_texts_of_an_answer_are_cleaned_and_on_one_line_but_where_lines_are_meant() -> None:
    one, result = VERBS["run"], RECORDED["run"]["result"]
    spec = result["spec"] | {"argv": ["sh", "-c", "a\nb\x1b[2J"]}
    read = read_as(one.result, result | {"reason": "c\nd\x1b[31m", "spec": spec}, one.texts)
    assert (read.reason, read.spec["argv"][2]) == ("c d", "a\nb")
