import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote.protocol.arguments import as_filled
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.messages import (
    DEPTH_LIMIT,
    EXIT_CODES,
    LINE_LIMIT,
    VERBS,
    BytesHeader,
    Cursor,
    HostHello,
    Pushed,
    Reply,
    RunView,
    decode_message,
    decode_request,
    encode_error,
    encode_request,
    encode_result,
)
from tests.remote.views import view

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.dictionaries(
    st.sampled_from(["id", "verb", "args", "event", "ok", "result", "error", "run", "n", "off", "code"]),
    JSON | st.sampled_from([*VERBS, "bytes", "state"]),
)


def only_typed_errors(line: bytes) -> None:
    for decode in (decode_request, decode_message):
        try:
            decode(line)
        except ProtocolError:
            continue


@given(st.binary(max_size=400))
def test_garbage_raises_nothing_but_protocol_errors(line: bytes) -> None:
    only_typed_errors(line)


@given(FIELDS)
@settings(max_examples=50)
def test_json_of_any_shape_raises_nothing_but_protocol_errors(fields: dict[str, Any]) -> None:
    only_typed_errors(json.dumps(fields).encode())


@given(st.data())
def test_truncated_requests_raise_nothing_but_protocol_errors(data: st.DataObject) -> None:
    line = encode_request(7, "stop", {"run_id": "a-abcdef", "req_id": "r1", "by": "me"}).rstrip()
    assert decode_request(line).verb == "stop"  # the whole line is well
    with pytest.raises(ProtocolError):
        decode_request(line[: data.draw(st.integers(0, len(line) - 1))])


@given(JSON)
@settings(max_examples=60)
def test_hosts_values_of_any_shape_raise_nothing_but_protocol_errors(value: Any) -> None:
    for read in (RunView.from_json, HostHello.from_json, Cursor.from_json):
        with pytest.raises(ProtocolError):
            read(value)


@given(st.sampled_from(sorted(RunView.__dataclass_fields__)), JSON)
@settings(max_examples=50)
def test_a_run_with_one_field_of_any_shape_is_read_or_refused(name: str, value: Any) -> None:
    try:
        RunView.from_json(view().to_json() | {name: value})
    except ProtocolError:
        return


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"9" * 400, b"-" + b"9" * 400])
def test_a_number_that_is_no_finite_float_is_no_message(number: bytes) -> None:
    for body in (b'{"metrics":{"loss":%s}}', b'{"list":[[%s]]}'):
        with pytest.raises(ProtocolError, match="out of range"):
            decode_message(b'{"id":1,"ok":true,"result":%s}' % (body % number))
    fine = decode_message(b'{"id":1,"ok":true,"result":{"n":9007199254740993,"x":1e308}}')
    assert fine == Reply(1, {"n": 9007199254740993, "x": 1e308})


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 200_000,
        b'{"id":1,"verb":"ping","args":{"n":' + b"9" * 5000 + b"}}",
        b'{"id":1,"verb":"ping","args":{"n":1e999}}',
        b'{"id":1,"verb":"ping","args":{"n":NaN}}',
        b'{"id":true,"verb":"ping","args":{"n":1}}',
        b'{"id":1,"verb":"ping","args":{"n":true}}',
        b'{"id":1,"verb":["ping"]}',
        b'{"id":1,"verb":"kill","args":{"run_id":"../../etc","req_id":"r"}}',
        b'{"id":1,"verb":"kill","args":{"run_id":"a-abcdef","req_id":"a/b"}}',
        b'{"id":1,"verb":"kill","args":{"run_id":"a-abcdef","req_id":"r","by":"\\ud800"}}',
        b'{"id":1,"verb":"ping","args":{}}',
        b'{"id":1,"verb":"ping","args":{"n":1,"m":2}}',
        b"null",
        b"",
        b"\xff\xfe",
    ],
)
def test_hostile_requests_are_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_request(line)


def test_depth_and_size_have_limits_and_what_is_within_them_passes() -> None:
    def nested(depth: int) -> bytes:
        return (
            b'{"id":1,"verb":"start","args":{"start_id":"s","spec":'
            + b'{"a":' * depth
            + b"1"
            + b"}" * depth
            + b"}}"
        )

    assert decode_request(nested(DEPTH_LIMIT - 4)).verb == "start"
    with pytest.raises(ProtocolError, match="nested"):
        decode_request(nested(DEPTH_LIMIT))
    with pytest.raises(ProtocolError, match="longer"):
        decode_request(b" " * (LINE_LIMIT + 1))


def test_a_refused_request_keeps_its_id_and_code() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_request(b'{"id":9,"verb":"dance","args":{}}')
    assert (caught.value.request_id, caught.value.code) == (9, "unknown_verb")


def test_defaults_are_filled_in() -> None:
    request = decode_request(encode_request(1, "tail", {"run_id": "a-abcdef"}))
    assert as_filled(request.args) == {
        "run_id": "a-abcdef",
        "cursor": None,
        "last": 262144,
        "follow": True,
        "skip": False,
    }


def test_answers_come_back_as_they_were_sent() -> None:
    assert decode_message(encode_result(3, {"n": 1}).rstrip()) == Reply(3, {"n": 1})
    error = CallError("device_busy", "cpu is held", "wait", {"run_id": "x"})
    back = decode_message(encode_error(4, error).rstrip())
    assert isinstance(back, Reply)
    assert back.error is not None
    assert (back.error.code, back.error.message, back.error.remedy) == ("device_busy", "cpu is held", "wait")
    assert back.error.detail == {"run_id": "x"}
    assert back.error.exit_code == EXIT_CODES["device_busy"] == 4
    header = BytesHeader(stream=1, run="a-abcdef", what="log", file="001.log", gen=1, off=5, n=7)
    assert decode_message(header.encode().rstrip()) == header
    assert decode_message(b'{"event":"state","run":{}}') == Pushed("state", {"event": "state", "run": {}})


def test_a_run_view_survives_the_wire_and_unknown_fields_of_a_later_version() -> None:
    there = json.loads(json.dumps(view().to_json() | {"mood": "fine"}))
    assert RunView.from_json(there) == view()


def test_what_a_host_says_of_a_run_is_stripped_of_escapes() -> None:
    assert RunView.from_json(view().to_json() | {"reason": "a\x1b[31mb\x07\u202ec"}).reason == "abc"
