"""A folder of a git repository, committed and pushed while others push too."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from remote.protocol.errors import CallError

GIT_S = 120.0
PLACED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")  # a hook's, of another work tree
ASKED = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
OURS = ("-c", "user.name=photinus", "-c", "user.email=photinus@localhost")


class Repository:
    """The git repository that a folder lies in; only that folder is ever committed."""

    def __init__(self, folder: Path) -> None:
        """Find it.

        Raises:
            CallError: the folder lies in none, or there is no git.
        """
        self.folder = folder
        self._root = folder if folder.is_dir() else folder.parent
        if self._run(["rev-parse", "--is-inside-work-tree"]).returncode:
            raise CallError(
                "bad_request", f"{folder} lies in no git repository", "git init, or another folder"
            )
        self._author = () if self._said(["config", "user.email"]) else OURS

    def commit(self, message: str) -> str:
        """Commit what is new below the folder; the commit, or "" where nothing is.

        Raises:
            CallError: git refused.
        """
        self._must(["add", "--", str(self.folder)])
        if not self._run(["diff", "--cached", "--quiet", "--", str(self.folder)]).returncode:
            return ""
        self._must([*self._author, "commit", "--quiet", "-m", message, "--", str(self.folder)])
        return self._said(["rev-parse", "HEAD"])

    def push(self, remote: str, tries: int) -> int:
        """Push this branch; where somebody was there before, put our commits on theirs and try again.

        Returns:
            How often that was.

        Raises:
            CallError: `timeout` after so many tries; `internal` where git refused for another reason.
        """
        branch = self._said(["symbolic-ref", "HEAD"])  # whole: a tag may have its short name
        if not branch:
            raise CallError("refused", "no branch is checked out", "git switch BRANCH")
        for number in range(tries):
            pushed = self._run(["push", "--quiet", "--", remote, f"HEAD:{branch}"])
            if not pushed.returncode:
                return number
            if not any(
                word in pushed.stderr for word in ("rejected", "fetch first", "failed to lock", "cannot lock")
            ):
                raise CallError(
                    "internal", f"git push: {_last(pushed.stderr)}", "see that remote, and try again"
                )
            self._must(["fetch", "--quiet", "--", remote, branch])
            self._rebase()
        raise CallError("timeout", f"others pushed first, {tries} times", "try again, or more --tries")

    def _rebase(self) -> None:
        """Put our commits on what was fetched; where both changed a file of the folder, ours is the newer."""
        done = self._run([*self._author, "rebase", "--quiet", "--autostash", "FETCH_HEAD"])
        while done.returncode:
            both = self._said(["diff", "--name-only", "--diff-filter=U", "-z"]).split("\0")
            both = [name for name in both if name]
            root = Path(self._said(["rev-parse", "--show-toplevel"]))
            if not both or not all(self._is_ours(root / name) for name in both):
                self._run(["rebase", "--abort"])
                what = ", ".join(both[:3]) or _last(done.stderr)
                raise CallError(
                    "refused", f"your commits and theirs do not fit: {what}", "git rebase by hand"
                )
            try:
                for name in both:
                    self._must(["checkout", "--theirs", "--", str(root / name)])  # of a rebase, they are we
                    self._must(["add", "--", str(root / name)])
            except CallError:
                self._run(["rebase", "--abort"])
                raise
            done = self._run([*self._author, "-c", "core.editor=true", "rebase", "--continue"])

    def _is_ours(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.folder.resolve())

    def _must(self, words: Sequence[str]) -> None:
        done = self._run(words)
        if done.returncode:
            raise CallError("internal", f"git {_verb(words)}: {_last(done.stderr)}", "see `git status`")

    def _said(self, words: Sequence[str]) -> str:
        done = self._run(words)
        return "" if done.returncode else done.stdout.strip()

    def _run(self, words: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                ["git", "--literal-pathspecs", "-C", str(self._root), *words], capture_output=True, text=True,
                errors="replace", timeout=GIT_S, check=False,
                env={name: value for name, value in os.environ.items() if name not in PLACED} | ASKED,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise CallError("internal", "git is not installed", "install git") from error
        except subprocess.TimeoutExpired as error:
            raise CallError("timeout", f"git {_verb(words)} took too long", "try again") from error


def _verb(words: Sequence[str]) -> str:
    return next((word for word in words if word.isalpha()), "")


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if not line.startswith("hint:")), "it said nothing")[:300]
