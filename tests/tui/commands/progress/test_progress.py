"""Progress as text for git: small, the same of the same run, pushed while others push; slices go on."""

import importlib.machinery
import importlib.util
import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from remote.protocol.errors import CallError
from tests.trainer.loop.tiny import signals_restored
from tests.trainer.run.checkpoints.test_manifest import make
from trainer import cli as trainer_cli
from trainer.run.layout import RunDir
from tui import cli
from tui.commands.progress.progress_commit import Repository
from tui.commands.progress.recorded_progress import CHECKPOINTS, CURVES, POINTS_MAX, curves, progress_files

ROOT = Path(__file__).parents[4]
RUN = "demo-abcdef"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")


def run_dir(home: Path, steps: int = 6, name: str = RUN) -> RunDir:
    """A run that told rows, was scored, and saved two checkpoints."""
    home.mkdir(mode=0o700, exist_ok=True)
    run = RunDir(home / "runs" / name).create()
    lines = [{"type": "hello", "name": "demo", "preset": "tiny", "max_steps": 9, "device": "cpu", "pid": 7}]
    lines += [
        {"type": "metrics", "step": n, "ce": 4.0 / n, "tokens_per_s": 1e5 + n, "tokens": 64.0 * n}
        for n in range(1, steps + 1)
    ]  # fmt: skip
    lines.append({"type": "eval", "step": steps, "best": True, "val_ce": 1.25})
    rows = [json.dumps({"seq": n, "attempt": 1, "t": 5.0 + n, **line}) for n, line in enumerate(lines)]
    run.events.write_text("\n".join(rows) + "\n")
    for step in (3, steps):
        if not (run.checkpoints / f"step-{step:08d}").exists():
            make(run.checkpoints, step, metrics={"val_ce": 1.0 + step / 24}, parent="")
    return run


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t", *words],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def clones(tmp_path: Path, *names: str) -> list[Path]:
    bare = tmp_path / "origin.git"
    git(tmp_path, "init", "--quiet", "--bare", "-b", "main", str(bare))
    found = []
    for name in names:
        git(tmp_path, "clone", "--quiet", str(bare), name)
        git(tmp_path / name, "checkout", "--quiet", "-B", "main")
        found.append(tmp_path / name)
    (found[0] / "README").write_text("here\n")
    git(found[0], "add", "README")
    git(found[0], "commit", "--quiet", "-m", "first")
    git(found[0], "push", "--quiet", "origin", "main")
    for other in found[1:]:
        git(other, "pull", "--quiet", "origin", "main")
    return found


def test_files_are_small_say_what_was_learnt_and_are_the_same_again(tmp_path: Path) -> None:
    run = run_dir(tmp_path / "home")
    files = progress_files(run, {})
    told = json.loads(files["summary.json"])
    assert (told["step"], told["max_steps"], told["preset"], told["history_only"]) == (6, 9, "tiny", True)
    assert told["best"] == {"step": 3, "val_ce": 1.125}
    assert "tokens_per_s" not in files[CURVES].decode()  # the machine's speed is no progress
    assert files[CURVES].decode().splitlines()[:3] == ["metric,step,value", "ce,1,4.0", "ce,2,2.0"]
    assert str(tmp_path) not in b"".join(files.values()).decode()
    assert progress_files(run, {}) == files
    gone = run.checkpoints / "step-00000003"
    gone.rename(tmp_path / "gone")
    rows = [json.loads(line) for line in progress_files(run, files)[CHECKPOINTS].splitlines()]
    assert [(row["step"], row["here"]) for row in rows] == [(3, False), (6, True)]
    assert len(progress_files(run, {})[CHECKPOINTS].splitlines()) == 1  # the control: no history, no row


def test_rows_of_an_earlier_export_that_are_none_cost_themselves(tmp_path: Path) -> None:
    run = run_dir(tmp_path / "home")
    whole = progress_files(run, {})
    odd = b'{"sha256":[],"step":1}\n{"sha256":"a","step":"b"}\n[]\n{"sha256":"a","step":1}\n'
    assert progress_files(run, {CHECKPOINTS: odd}) == whole
    diverged = {"sha256": "a", "step": 9, "tokens": 1, "primary": "val_ce", "metrics": {"val_ce": "nan"}}
    kept = progress_files(run, {CHECKPOINTS: json.dumps(diverged).encode()})
    assert json.loads(kept["summary.json"])["best"] == json.loads(whole["summary.json"])["best"]


def test_a_long_curve_stays_small_and_its_rows_stay_the_same_rows() -> None:
    def lines(count: int) -> list[str]:
        return curves({"ce": [(n, 1.0 / (n + 1)) for n in range(count)]}).decode().splitlines()

    assert all(len(lines(count)) <= POINTS_MAX + 2 for count in (1, POINTS_MAX, 1999, 12_345))
    assert set(lines(1700)[:-1]) < set(lines(2000))
    assert lines(12_345)[-1].startswith("ce,12344,")
    assert curves({"x": [(0, float("nan")), (1, float("inf"))]}).decode().splitlines()[1:] == [
        "x,0,nan",
        "x,1,inf",
    ]


def test_two_that_push_at_once_both_arrive_and_nothing_else_is_committed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = clones(tmp_path, "one", "other")
    run_dir(tmp_path / "home")
    run_dir(tmp_path / "home", name="other-abcdef")
    (other / "mine.txt").write_text("not yours\n")
    git(other, "add", "mine.txt")
    assert cli.main(["progress", "commit", str(one / "progress"), RUN]) == 0
    racing = ["progress", "commit", str(other / "progress"), "other-abcdef", "--json"]
    assert cli.main([*racing, "--tries", "1"]) == 7  # the control: who tries once is too late
    capsys.readouterr()
    assert cli.main(racing) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["commit"], told["pushed"]) == (None, True)
    listed = git(tmp_path / "origin.git", "ls-tree", "-r", "--name-only", "main").split()
    assert sorted({name.split("/")[1] for name in listed if "/" in name}) == [RUN, "other-abcdef"]
    assert "mine.txt" not in listed
    assert git(other, "diff", "--cached", "--name-only").split() == ["mine.txt"]


def test_of_one_run_the_newer_history_wins_and_what_is_not_ours_is_left_to_people(tmp_path: Path) -> None:
    one, other = clones(tmp_path, "one", "other")
    home = tmp_path / "home"
    run_dir(home, 6)
    assert cli.main(["progress", "commit", str(one / "progress"), RUN]) == 0
    run_dir(home, 8)
    assert cli.main(["progress", "commit", str(other / "progress"), RUN]) == 0
    shown = git(tmp_path / "origin.git", "show", f"main:progress/{RUN}/summary.json")
    assert json.loads(shown)["step"] == 8
    assert cli.main(["progress", "commit", str(other / "progress"), RUN]) == 0
    assert (
        len(git(tmp_path / "origin.git", "log", "--oneline", "main").splitlines()) == 3
    )  # nothing new, no commit
    (one / "README").write_text("mine\n")
    git(one, "commit", "--quiet", "-am", "mine")
    git(other, "pull", "--quiet", "--rebase", "origin", "main")
    (other / "README").write_text("theirs\n")
    git(other, "commit", "--quiet", "-am", "theirs")
    git(other, "push", "--quiet", "origin", "main")
    assert cli.main(["progress", "commit", str(one / "progress"), RUN]) == 3
    assert "rebase in progress" not in git(one, "status")
    assert cli.main(["progress", "export", str(one / "progress"), "nobody-abcdef"]) == 6
    assert cli.main(["progress", "commit", str(tmp_path / "no repository")]) == 2


def test_git_is_told_no_more_than_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = clones(tmp_path, "one", "other")
    for name in ("out*", "outside"):
        (one / name).mkdir()
        (one / name / "a").write_text("1")
    git(one, "add", "outside")
    git(one, "tag", "main")  # the branch's short name is heads/main now
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    repository = Repository(one / "out*")
    assert repository.commit("words")
    with pytest.raises(CallError, match="--receive-pack"):
        repository.push(f"--receive-pack=touch {tmp_path / 'made'};", 1)
    assert not (tmp_path / "made").exists()
    assert repository.push("origin", 1) == 0
    monkeypatch.delenv("GIT_DIR")
    assert git(one, "show", "--format=", "--name-only").split() == ["out*/a"]
    refs = git(tmp_path / "origin.git", "for-each-ref", "--format=%(refname)", "refs/heads")
    assert refs.split() == ["refs/heads/main"]
    assert git(tmp_path / "origin.git", "rev-parse", "refs/heads/main") == git(one, "rev-parse", "HEAD")


def test_where_nobody_is_named_commits_have_a_name_of_ours(tmp_path: Path) -> None:
    (one,) = clones(tmp_path, "one")
    (one / "progress").mkdir()
    (one / "progress" / "a").write_text("1")
    assert Repository(one / "progress").commit("words")
    assert git(one, "log", "-1", "--format=%an %ae %s").strip() == "photinus photinus@localhost words"


def persistence() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("persistence", str(ROOT / ".ci" / "persistence"))
    spec = importlib.util.spec_from_loader("persistence", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def in_here(words: Sequence[str]) -> int:
    with signals_restored():
        return trainer_cli.main(words)


def test_what_make_persistence_proves(tmp_path: Path) -> None:
    """In this process, which saves the import of torch four times; `make persistence` takes processes."""
    assert persistence().main(["prove", str(tmp_path / "proof")], in_here) == 0


def test_a_slice_goes_on_and_never_starts_over_unasked(tmp_path: Path) -> None:
    module, asked = persistence(), list[Sequence[str]]()

    def noted(words: Sequence[str]) -> int:
        asked.append(words)
        return 0

    run, progress = tmp_path / "continuous", tmp_path / "progress"
    words = ["slice", str(run), str(progress), "--steps", "500"]
    assert module.main(words, noted) == 0
    assert "--preset" in asked[-1]
    (run / "checkpoints" / "step-00000900").mkdir(parents=True)
    (run / "checkpoints" / "step-00001000").mkdir()
    assert module.main(words, noted) == 0
    assert ("--resume" in asked[-1], "steps=1500" in asked[-1]) == (True, True)
    (progress / "continuous").mkdir(parents=True)
    (progress / "continuous" / "summary.json").write_text('{"step": 1500}')
    assert module.main(words, noted) == 3
    assert len(asked) == 2
    assert module.main([*words, "--fresh"], noted) == 0
    assert ("--fresh" in asked[-1], "steps=500" in asked[-1]) == (True, True)


def test_workflows_are_pinned_by_hash_and_call_what_is_here() -> None:
    files = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    assert [path.stem for path in files] == ["persistence", "train-continuously"]
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in files:
        document = yaml.safe_load(path.read_text())
        steps = [step for job in document["jobs"].values() for step in job["steps"]]
        used = [step["uses"] for step in steps if "uses" in step]
        assert used
        assert all(re.fullmatch(r"actions/[a-z/-]+@[0-9a-f]{40}", one) for one in used)
        for script in (step.get("run", "") for step in steps):
            assert set(re.findall(r"\bmake ([a-z]+)", script)) <= targets
            for called in re.findall(r"\.ci/[a-z-]+", script):
                assert (ROOT / called).is_file()
