"""The agent, line by line."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import fields

from remote.agent.handlers import HANDLERS
from remote.protocol.messages import LINE_LIMIT, PROTO, VERBS
from tests.remote.raw_agent import RawAgent
from tests.remote.scripts import QUIET, spec
from tests.waiting import wait_until

Agents = Callable[..., RawAgent]
STREAM_VERBS = {"tail", "events", "watch", "older", "untail", "ack"}


def test_every_verb_of_the_table_has_one_that_carries_it_out() -> None:
    assert set(HANDLERS) | STREAM_VERBS == set(VERBS)
    assert not set(HANDLERS) & STREAM_VERBS


def test_hello_says_who_answers(raw_agent: Agents) -> None:
    agent = raw_agent()
    assert agent.hear() == {"event": "agent", "magic": "photinus-1"}
    hello = agent.greet()["result"]
    assert tuple(hello["proto"]) == PROTO
    assert hello["pid"] == agent.process.pid
    assert "cpu" in hello["devices"]


@pytest.mark.parametrize("there", ["/dev/null", __file__])
def test_where_no_client_can_be_it_says_so(home: Path, there: str) -> None:
    words = [sys.executable, "-P", "-m", "remote.agent", "--stdio"]
    with Path(there).open("rb") as stdin:
        done = subprocess.run(words, stdin=stdin, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"photinus-agent: nobody can speak with it")
    assert b"Traceback" not in done.stderr


def test_an_unknown_verb_and_a_malformed_line_are_answered_and_the_agent_lives_on(raw_agent: Agents) -> None:
    agent = raw_agent()
    agent.greet()
    assert agent.ask("dance")["error"]["code"] == "unknown_verb"
    assert agent.ask("ping", {"n": "x"})["error"]["code"] == "bad_request"
    agent.say_line(b"{{{")
    assert agent.answer(None)["error"]["code"] == "bad_request"
    assert agent.ask("ping", {"n": 5})["result"]["n"] == 5


def test_a_line_past_the_limit_ends_the_agent_with_a_reason(raw_agent: Agents) -> None:
    agent = raw_agent()
    agent.greet()
    agent.say_line(b"x" * (LINE_LIMIT + 10))
    assert "longer" in agent.answer(None)["error"]["message"]
    assert agent.process.wait(10) == 0


def test_another_major_version_gets_status_stop_and_kill_only(raw_agent: Agents) -> None:
    agent = raw_agent()
    answer = agent.greet((PROTO[0] + 1, 0))
    assert tuple(answer["result"]["proto"]) == PROTO  # it is told what is spoken here
    samples = {
        "run_id": "none-abcdef", "req_id": "r1", "start_id": "s1", "spec": {}, "n": 1, "stream": 1, "off": 0,
        "pid": 2, "start": 1, "action": "remove", "wheel": "ab" * 32, "version": "0",
        "origin": "run", "name": "step-00000001", "sha256": "ab" * 32, "bytes": 1,
        "what": "log", "file": "001.log", "before": 0, "path": "/none",
        "device": "cpu", "patterns": ["/none"], "new_id": "none-bbbbbb", "signal": "USR1",
        "kind": "code", "list_bytes": 1, "to": "box:none-abcdef",
        "room": "feed", "words": ["list"],
    }  # fmt: skip
    answered = set()
    for verb in sorted(set(VERBS) - {"hello"}):
        args = {one.encode_name: samples[one.encode_name] for one in fields(VERBS[verb].args) if one.required}
        if agent.ask(verb, args).get("error", {}).get("code") != "incompatible":
            answered.add(verb)
    assert answered == {"ping", "status", "stop", "kill"}


def test_an_old_run_can_be_stopped_over_another_protocol(raw_agent: Agents) -> None:
    agent = raw_agent()
    agent.greet()
    run = agent.ask("start", {"start_id": "s1", "spec": spec(QUIET).to_json()})["result"]
    stranger = raw_agent()
    stranger.greet((PROTO[0] + 1, 0))
    answer = stranger.ask("stop", {"run_id": run["run_id"], "req_id": "r1"})
    assert answer["result"]["run_id"] == run["run_id"]
    while agent.ask("run", {"run_id": run["run_id"]})["result"]["state"] != "stopped":
        pass


def test_nothing_but_the_always_verbs_before_hello(raw_agent: Agents) -> None:
    agent = raw_agent()
    assert agent.ask("runs")["error"]["code"] == "incompatible"
    assert "counts" in agent.ask("status")["result"]
    agent.greet()
    assert agent.ask("runs")["result"]["runs"] == []


def test_the_agent_leaves_at_the_end_of_its_stdin(raw_agent: Agents) -> None:
    agent = raw_agent()
    agent.greet()
    agent.stdin.close()
    assert agent.process.wait(10) == 0


def test_the_agent_leaves_by_itself_when_no_ping_comes_and_stays_while_they_do(raw_agent: Agents) -> None:
    silent, busy = raw_agent("--idle-exit", "0.6"), raw_agent("--idle-exit", "0.6")
    silent.greet()
    busy.greet()
    began = time.monotonic()
    while silent.process.poll() is None:
        busy.ask("ping", {"n": 1})
        assert time.monotonic() - began < 20
    assert silent.process.returncode == 0
    assert busy.ask("ping", {"n": 2})["result"]["n"] == 2


def test_an_unsafe_state_root_is_refused_with_its_reason(home: Path, raw_agent: Agents) -> None:
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    agent = raw_agent()
    error = agent.greet()["error"]
    assert error["code"] == "refused"
    assert "chmod 700" in error["message"]
    assert agent.process.wait(10) == 3


def test_what_names_no_run_is_not_found(raw_agent: Agents) -> None:
    agent = raw_agent()
    agent.greet()
    for run_id in ("none-abcdef", "nonsense"):
        assert agent.ask("run", {"run_id": run_id})["error"]["code"] == "not_found"


def test_a_broken_run_does_not_hide_the_others(home: Path, raw_agent: Agents) -> None:
    agent = raw_agent()
    agent.greet()
    run = agent.ask("start", {"start_id": "s1", "spec": spec("pass").to_json()})["result"]
    broken = home / "runs" / "broken-abcdef"
    broken.mkdir()
    (broken / "spec.json").write_text("{}")
    (broken / "state.json").write_text("{torn")
    listed = agent.ask("runs")["result"]
    assert [one["run_id"] for one in listed["runs"]] == [run["run_id"]]
    assert any("broken-abcdef" in trouble for trouble in listed["troubles"])


def test_how_long_the_agents_lock_was_held_is_told(raw_agent: Agents) -> None:
    agent = raw_agent()
    agent.greet()
    for n in range(5):
        agent.ask("start", {"start_id": f"s{n}", "spec": spec("pass", shared_device=True).to_json()})
    assert agent.ask("status")["result"]["lock_held_max_s"] > 0


def test_telemetry_says_null_for_what_it_cannot_read(raw_agent: Agents) -> None:
    agent = raw_agent()
    agent.greet()
    reading = agent.ask("telemetry")["result"]
    assert reading["mem_total"] > reading["mem_used"] > 0
    assert reading["disk_free"] > 0
    assert reading["gpus"] is None or isinstance(reading["gpus"], list)


def test_the_agent_starts_lean() -> None:
    """What is slow to import waits until somebody asks for it."""
    slow = {"psutil", "torch", "numpy", "textual", "yaml", "asyncio", "importlib.metadata"}
    code = f"import sys, remote.agent.service; print(sorted({slow} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def succeeded(agent: RawAgent, start_id: str) -> str:
    """Return the id of a run that was started and is over."""
    answer = agent.ask("start", {"start_id": start_id, "spec": spec("pass").to_json()})
    assert "result" in answer, answer
    run_id: str = answer["result"]["run_id"]
    wait_until(lambda: agent.ask("run", {"run_id": run_id})["result"]["state"] == "succeeded")
    return run_id


@pytest.mark.parametrize("name", ["process.json", "spec.json", "state.json"])
def test_a_run_whose_files_may_not_be_read_hides_no_other(raw_agent: Agents, home: Path, name: str) -> None:
    """Made with sudo, say. Here a folder stands in the file's place: these tests may run as root."""
    agent = raw_agent()
    agent.greet()
    good, odd = (succeeded(agent, f"s{n}") for n in (1, 2))  # one after another: they take the same device
    path = home / "runs" / odd / name
    path.unlink()
    path.mkdir()
    time.sleep(1.2)  # the agent looks at every run each second: nothing tells when it has
    other = raw_agent()
    other.greet()
    for one in (agent, other):
        assert good in [row["run_id"] for row in one.ask("runs")["result"]["runs"]]
        assert one.ask("status")["result"]
        assert one.ask("ping", {"n": 1})["result"]["n"] == 1
