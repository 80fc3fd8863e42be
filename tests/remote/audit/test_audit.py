"""Who did what, on both sides; no secret in it; and a full disk that stops no stop."""

import errno
import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest

from remote.actions import kill_run, start_run, stop_run
from remote.agent.audit import Auditor
from remote.audit.audit_log import KEPT, LINE_MAX, append, entry, public, read
from remote.audit.audit_writer import AUDIT_WRITER, AuditWriter
from remote.protocol.arguments import RunArgs
from remote.protocol.errors import CallError
from remote.protocol.views import AuditEntry
from remote.session.session import Session
from tests.remote.calling import call
from tests.remote.scripts import QUIET, request, spec
from trainer.run.home import open_home
from trainer.run.secrets import masked

CANARY = "canary-7f3a91"


def one(n: int = 0, **more: Any) -> AuditEntry:
    return entry("stop", {"run_id": "a-abcdef", "req_id": f"r{n}"}, "Ada", **more)


def outcomes(path: Path) -> list[tuple[str, str, str]]:
    return [(row.verb, row.run, row.outcome) for row in read(path)[0]]


def test_both_sides_say_who_did_what_and_what_came_of_it(home: Path, session: Session) -> None:
    started = start_run(session, request(env={"SECRET_KEY": CANARY}))
    assert started.run is not None
    run_id = started.run.run_id
    stop_run(session, run_id)
    with pytest.raises(CallError):
        call(session, "kill", {"run_id": "nobody-abcdef", "req_id": "k1"})
    expected = [
        ("start", run_id, "asked"),
        ("start", run_id, "ok"),
        ("stop", run_id, "asked"),
        ("stop", run_id, "ok"),
        ("kill", "nobody-abcdef", "asked"),
        ("kill", "nobody-abcdef", "not_found"),
    ]
    assert outcomes(home / "audit.jsonl") == expected
    assert outcomes(home / "client" / "audit.jsonl") == expected
    for path in (home / "audit.jsonl", home / "client" / "audit.jsonl"):
        assert path.stat().st_mode & 0o777 == 0o600
        rows = read(path)[0]
        assert all(f"({os.getpid()})" in row.who and row.at > 0 for row in rows)
        assert rows[0].args["env"] == ["SECRET_KEY"]
        assert CANARY not in path.read_text()
    assert {row.host for row in read(home / "client" / "audit.jsonl")[0]} == {"local"}
    told = call(session, "audit", {"last": 2})
    assert [row["outcome"] for row in told["entries"]] == ["asked", "not_found"]


def test_looking_leaves_no_entry(home: Path, session: Session) -> None:
    for verb in ("status", "runs", "processes", "telemetry", "audit"):
        call(session, verb)
    assert not (home / "audit.jsonl").exists()
    assert not (home / "client" / "audit.jsonl").exists()


def test_secrets_do_not_enter_it() -> None:
    argv = [
        "train.py",
        "--api-key",
        CANARY,
        f"--token={CANARY}",
        "--lr",
        "3",
        f"HF_TOKEN={CANARY}",
        "--password",
    ]
    raw = spec(env={"K": CANARY}).to_json() | {"argv": argv, "config": {"x": CANARY}}
    shown = public("start", {"start_id": "s", "spec": raw})
    assert CANARY not in json.dumps(shown)
    assert shown["argv"] == [
        "train.py",
        "--api-key",
        "***",
        "--token=***",
        "--lr",
        "3",
        "HF_TOKEN=***",
        "--password",
    ]
    assert masked(["a", "--steps", "5"]) == ["a", "--steps", "5"]  # the control


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    append(path, one(1))
    with path.open("ab") as file:
        file.write(b'{"at":1,"who":"torn by a kill -9')
    append(path, one(2))
    path.open("ab").write(b"\xff\x00 no json\n")
    append(path, one(3))
    entries, malformed = read(path)
    assert [row.args["req_id"] for row in entries] == ["r1", "r2", "r3"]
    assert malformed == 2


def test_it_is_rotated_by_size_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for n in range(40):
        append(path, one(n), rotate_bytes=600)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        ["audit.jsonl", *(f"audit.{n}.jsonl" for n in range(1, KEPT + 1))]
    )
    kept = [row.args["req_id"] for row in read(path, 1000)[0]]
    assert kept == [f"r{n}" for n in range(40 - len(kept), 40)]
    assert len(read(path, 3)[0]) == 3


def _write_many(path: Path, who: int) -> None:
    for n in range(60):
        append(path, one(who * 1000 + n), rotate_bytes=4000)


def test_many_writers_lose_no_line_over_rotations(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    context = multiprocessing.get_context("forkserver")  # a worker of the suite has threads
    writers = [context.Process(target=_write_many, args=(path, who)) for who in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
        assert writer.exitcode == 0
    entries, malformed = read(path, 10_000)
    assert malformed == 0
    newest = {int(row.args["req_id"][1:]) for row in entries}
    assert len(newest) == len(entries) >= 60  # what was rotated away is gone, what is there is whole and once


def test_a_line_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    huge = spec().to_json() | {"argv": ["x" * 400] * 500}
    append(path, entry("start", {"spec": huge}, "w" * 9000, said="s" * 9000))
    assert len(path.read_bytes()) <= LINE_MAX
    assert len(read(path)[0]) == 1


class TestAFullDisk:
    """No entry can be written; everything else can, so that only the log is at fault."""

    @pytest.fixture
    def full(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        refused: list[str] = []

        def no_space(path: Path, one: AuditEntry, rotate_bytes: int = 0) -> None:
            refused.append(one.verb)
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("remote.agent.audit.append", no_space)
        monkeypatch.setattr("remote.audit.audit_writer.append", no_space)
        return refused

    def test_the_hosts_auditor_goes_on_and_says_so(
        self, home: Path, full: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        auditor = Auditor(open_home(home))
        auditor.asked("kill", RunArgs(run_id="a-abcdef"))
        auditor.ended("kill", RunArgs(run_id="a-abcdef"))
        assert full == ["kill", "kill"]
        assert "No space" in capsys.readouterr().err

    def test_the_clients_clerk_goes_on(self, home: Path, session: Session, full: list[str]) -> None:
        outcome = start_run(session, request(QUIET))
        assert outcome.run is not None
        assert stop_run(session, outcome.run.run_id).ok
        assert full == ["start", "start", "stop", "stop"]
        assert "No space" in AUDIT_WRITER.trouble
        assert not (home / "client" / "audit.jsonl").exists()


def test_a_host_whose_log_cannot_be_written_is_stopped_and_killed_all_the_same(
    home: Path, session: Session
) -> None:
    """The real agent, with a folder where its log should be: every append fails."""
    (home / "audit.jsonl").mkdir(mode=0o700)
    for end in (stop_run, kill_run):
        started = start_run(session, request(QUIET))
        assert started.run is not None
        assert end(session, started.run.run_id).ok
    assert list((home / "audit.jsonl").iterdir()) == []


def test_a_deed_without_a_verb_is_noted_with_its_end(home: Path) -> None:
    writer = AuditWriter()
    with writer.audited_act("box", "deploy", {"wheel": "abc"}):
        pass
    with pytest.raises(CallError), writer.audited_act("box", "deploy", {}):
        raise CallError("refused", "no room")
    assert outcomes(home / "client" / "audit.jsonl") == [
        ("deploy", "", "asked"), ("deploy", "", "ok"), ("deploy", "", "asked"), ("deploy", "", "refused"),
    ]  # fmt: skip


FORMS = (
    ["sh", "-c", f"A=1 HF_TOKEN={CANARY} python x.py"],
    ["tool", "--auth", CANARY],
    ["tool", "--key", CANARY],
    ["git", "clone", f"https://ada:{CANARY}@host/repo"],
    ["curl", "-H", f"Authorization: Bearer {CANARY}"],
    ["curl", "-sH", f"X-Api-Key: {CANARY}"],
    ["curl", "-u", f"ada:{CANARY}"],
    ["curl", f"https://host/x?b=2&access_token={CANARY}"],
    ["env", f"DB_URL=postgres://u:{CANARY}@h/db", "x"],
    ["bash", "-lc", f"export WANDB_API_KEY='{CANARY}'; x"],
    ["sh", "-c", f"login --password {CANARY} && x"],
    ["python", "-c", f'import os; os.environ["HF_TOKEN"] = "{CANARY}"'],
    ["tool", f'{{"api_key": "{CANARY}"}}'],
    ["tool", "hf_" + CANARY.replace("-", "X") * 2],
    ["tool", "ghp_" + CANARY.replace("-", "X") * 2],
)


@pytest.mark.parametrize("argv", FORMS)
def test_a_secret_is_known_by_its_form_too(tmp_path: Path, argv: list[str]) -> None:
    raw = spec().to_json() | {"argv": argv, "resume_argv": argv}
    path = tmp_path / "audit.jsonl"
    append(path, entry("start", {"spec": raw}, "Ada", said=f"cannot run {' '.join(argv)}"))
    written = path.read_text()
    assert CANARY not in written
    assert CANARY.replace("-", "X") not in written
    assert "***" in written


@pytest.mark.parametrize(
    "argv",
    [
        [
            "python",
            "train.py",
            "--lr",
            "3e-4",
            "--out=/data/run",
            "--tokenizer",
            "bpe",
            "--max-tokens",
            "512",
        ],
        [
            "torchrun",
            "--nproc-per-node",
            "2",
            "train.py",
            "--author",
            "me",
            "--monkey",
            "x",
            "data.source=a:b",
        ],
        ["sh", "-c", "cd /work && ./run.sh > out.txt 2>&1", "https://host/path?step=3"],
    ],
)
def test_what_is_no_secret_is_written_as_it_is(argv: list[str]) -> None:
    assert masked(argv) == argv


def test_masking_takes_no_longer_for_a_wicked_word() -> None:
    """Quadratic expressions would take minutes: the test's own time limit is the bound."""
    for wicked in ("a.", "a=", '"', "x-", "://", "?a=", "auth: ", "a  ", "eyJ"):
        masked([wicked * 200_000])
