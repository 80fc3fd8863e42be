"""What git says of a folder: which files are its own, its commit, and what differs from that."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from remote.protocol.errors import CallError
from remote.transfer.trees.secret_files import NAMES, looks_secret
from trainer.run.secrets import masked_text

GIT_S = 60.0
DIFF_MAX = 48 << 10
DEPTH_MAX = 8
SUBMODULE = "160000"
PLACED = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX",
    "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GitFolder:
    """A folder of a work tree.

    Attributes:
        paths: what git tracks below it, and what it neither tracks nor ignores; of submodules their files.
        passed_over: other repositories in it that are no submodules.
        commit: empty before the first one. diff: from there to what lies here, no secrets, cut at 48 KiB.
    """

    path: Path
    paths: tuple[str, ...]
    passed_over: tuple[str, ...]
    commit: str
    diff: str
    is_cut: bool


def look(folder: Path) -> GitFolder:
    """Ask git.

    Raises:
        CallError: `refused`: it is outside git, git is not there, or a submodule is not checked out.
    """
    paths, passed_over = _files(folder, 0)
    commit = _git(folder, "rev-parse", "--verify", "-q", "HEAD", may_fail=True).decode().strip()
    raw = _diff(folder) if commit else b""
    text = masked_text(raw[:DIFF_MAX].decode("utf-8", "replace").replace("\0", ""))
    is_cut = len(raw) > DIFF_MAX
    if looks_secret([text.encode("utf-8", "replace")]):
        text, is_cut = "", True
    return GitFolder(folder, tuple(paths), tuple(passed_over), commit, text, is_cut)


def _files(folder: Path, depth: int) -> tuple[list[str], list[str]]:
    found: dict[str, None] = {}
    passed_over: list[str] = []
    for entry in _names(_git(folder, "ls-files", "-z", "--stage")):
        about, _, path = entry.partition("\t")
        if not about.startswith(SUBMODULE):
            found[path] = None
            continue
        if depth >= DEPTH_MAX or not (folder / path / ".git").exists():
            raise CallError(
                "refused",
                f"the submodule {path} is not checked out",
                "git submodule update --init --recursive",
            )
        below, others = _files(folder / path, depth + 1)
        found.update(dict.fromkeys(f"{path}/{one}" for one in below))
        passed_over += [f"{path}/{one}" for one in others]
    for path in _names(_git(folder, "ls-files", "-z", "--others", "--exclude-standard")):
        if path.endswith("/"):
            passed_over.append(path)
        else:
            found[path] = None
    return sorted(found), passed_over


def _names(data: bytes) -> list[str]:
    return [os.fsdecode(one) for one in data.split(b"\0") if one]


def _diff(folder: Path) -> bytes:
    """The beginning of what differs from the commit; a byte more than is kept says that there is more."""
    but = [f":(exclude,glob,icase)**/{name}" for name in NAMES]  # one that was untracked stands in it, whole
    argv = _argv("diff", "--no-color", "--no-ext-diff", "--no-textconv", "HEAD", "--", ".", *but)
    try:
        with subprocess.Popen(
            argv,
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as git:
            assert git.stdout is not None
            data = git.stdout.read(DIFF_MAX + 1)
            git.kill()  # our own child, which may have gigabytes to tell
    except OSError as error:
        raise CallError("refused", f"git cannot look at {folder}: {error}", "look at that folder") from error
    return data


def _argv(*words: str) -> list[str]:
    program = shutil.which("git")
    if program is None:
        raise CallError("refused", "there is no git here, and it says what goes along", "install git")
    return [program, "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *words]


def _environment() -> dict[str, str]:
    """Ours, without what a hook of git says of another work tree."""
    return {name: value for name, value in os.environ.items() if name not in PLACED}


def _git(folder: Path, *words: str, may_fail: bool = False) -> bytes:
    argv = _argv(*words)
    try:
        done = subprocess.run(
            argv,
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CallError("refused", f"git cannot look at {folder}: {error}", "look at that folder") from error
    if done.returncode == 0 or may_fail:
        return done.stdout
    said = done.stderr.decode("utf-8", "replace").strip().replace("\n", "; ")
    if "not a git repository" in said:
        raise CallError(
            "refused",
            f"{folder} is not in git, which says what goes along",
            "git init there, with a .gitignore for what is to stay here",
        )
    raise CallError("refused", f"git cannot look at {folder}: {said[:300]}", "do as git says")
