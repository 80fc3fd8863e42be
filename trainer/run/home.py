"""The state root: where the truth about every run of this host lies, and whether it is safe to trust."""

import hashlib
import os
import re
import secrets
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainer.run.disk.atomic import NO_SPACE, create_json, read_json, write_json
from trainer.run.disk.filesystems import filesystem_of, is_network
from trainer.run.disk.ownership import check_root
from trainer.run.layout import RunDir, check_run_id
from trainer.run.process.folder_place import FolderPlace, place_of
from trainer.run.run_errors import HomeError, LockHeldError, RecordError, SpecError

HOME_VARIABLE = "PHOTINUS_HOME"
DEFAULT_HOME = ".photinus"
AGENT_LOCK_S = 10.0
HOST_FILE = "host.json"
HOST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


def state_root(env: Mapping[str, str] = os.environ) -> Path:
    """`$PHOTINUS_HOME`, else `~/.photinus`; absolute, `~` expanded, not resolved (a symlink must show).

    Raises:
        HomeError: the variable holds a relative path, which would mean another place in every folder.
    """
    text = env.get(HOME_VARIABLE, "")
    if text:
        path = Path(os.path.expanduser(text))  # noqa: PTH111  `~nobody` stays, and is then relative
        if not path.is_absolute():
            raise HomeError(
                f"{HOME_VARIABLE} is {text!r}, a relative path; set it to {str(Path.cwd() / path)!r}"
            )
        return path
    return Path(env["HOME"] if env.get("HOME") else Path.home()) / DEFAULT_HOME


@dataclass(frozen=True, slots=True)
class Home:
    """An opened, checked state root.

    Attributes:
        copy_of: the path of the state root that this one was copied from; "" where it is no copy.
        copied: when that was found (epoch seconds): what was queued before belongs to the original.
        damage: why `host.json` cannot be believed; "" where it can. The id is then made from the folder
            alone, and whether this is a copy is not known: what runs is served, nothing is begun.
    """

    root: Path
    host_id: str
    copy_of: str = ""
    copied: float = 0.0
    damage: str = ""

    @property
    def host_file(self) -> Path:
        """What says which host this is, and in which folder that was written."""
        return self.root / HOST_FILE

    @property
    def move_away(self) -> str:
        """The command that takes a damaged `host.json` out of the way."""
        return shlex.join(["mv", str(self.host_file), f"{self.host_file}.damaged"])

    @property
    def agent_lock(self) -> Path:
        """Lock of the agents' short critical sections."""
        return self.root / "agent.lock"

    @property
    def starts_dir(self) -> Path:
        """Which run and attempt each start id became."""
        return self.root / "starts"

    @property
    def queue_dir(self) -> Path:
        """Starts that wait for a device."""
        return self.root / "queue"

    @property
    def runs_dir(self) -> Path:
        """One folder a run."""
        return self.root / "runs"

    @property
    def devices_dir(self) -> Path:
        """One lock a device."""
        return self.root / "devices"

    def run(self, run_id: str) -> RunDir:
        """The folder of a run, which need not exist.

        Raises:
            SpecError: that is no run id.
        """
        return RunDir(self.runs_dir / check_run_id(run_id))

    def runs(self) -> list[RunDir]:
        """Every run with a spec, oldest name first; what is no run of ours is skipped."""
        found = []
        for path in sorted(self.runs_dir.iterdir()):
            try:
                run = self.run(path.name)
            except SpecError:
                continue
            if _is_named(run.spec):
                found.append(run)
        return found

    @contextmanager
    def agent_section(self, timeout_s: float = AGENT_LOCK_S) -> Iterator[None]:
        """Hold agent.lock. Keep it under 50 ms: never across a hello, the network or torch.

        Raises:
            LockHeldError: another agent held it for all of `timeout_s`.
        """
        from filelock import FileLock, Timeout  # 20 ms, which an agent that only reads need not pay

        lock = FileLock(self.agent_lock, mode=0o600)
        try:
            lock.acquire(timeout=timeout_s, poll_interval=0.005)
        except Timeout as error:
            raise LockHeldError(
                f"{self.agent_lock} was held for {timeout_s:g} s: another agent hangs (photinus doctor)"
            ) from error
        try:
            yield
        finally:
            lock.release()


def _is_named(path: Path) -> bool:
    """Whether anything has this name, be it a link or a FIFO: whoever reads it is told what it is."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # a folder that may not be searched
        return True
    return True


def open_home(root: Path | None = None, filesystem: Callable[[Path], str] = filesystem_of) -> Home:
    """Make the state root if need be, check it, and name the host.

    Raises:
        HomeError: it is a symlink, another user's, open to others, or on a network file system.
    """
    root = root or state_root()
    try:
        check_root(root)
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check(root, filesystem)
        for folder in ("devices", "starts", "queue", "runs"):
            (root / folder).mkdir(mode=0o700, exist_ok=True)
        return _identified(root)
    except OSError as error:
        raise HomeError(
            f"cannot use {root}: {error} (set {HOME_VARIABLE} to a local folder of yours)"
        ) from error


def _check(root: Path, filesystem: Callable[[Path], str]) -> None:
    check_root(root)
    kind = filesystem(root)
    if is_network(kind):
        raise HomeError(
            f"{root} is on {kind}, where a lock does not exclude another machine; "
            f"set {HOME_VARIABLE} (or the host's home:) to a folder on a local disk"
        )


def _identified(root: Path) -> Home:
    """The home under its id; in another folder than the noted one it is a copy, and gets an id of its own.

    A damaged record is left as it is: what it said of a copy would be lost for good.
    """
    path, here = root / HOST_FILE, place_of(root)
    create_if_absent = {"host_id": secrets.token_hex(16), "created": time.time(), "place": here.to_json()}
    try:
        raw = read_json(path)
        if raw is None:
            create_json(path, create_if_absent)
            raw = read_json(path)
    except RecordError as error:
        return _unnamed(root, here, str(error))
    if not isinstance(raw, dict) or not _is_id(raw.get("host_id")):
        return _unnamed(root, here, f"{path} does not name this host")
    noted = FolderPlace.from_json(raw.get("place"))
    if noted is not None and not noted.is_at(root):
        raw = raw | {
            # Made from both, so that two programs that find the copy at once give it one name.
            "host_id": hashlib.sha256(f"{raw['host_id']} {here}".encode()).hexdigest()[:32],
            "copy_of": noted.path,
            "copied": time.time(),
        }
    if noted != here:
        _note(path, raw | {"place": here.to_json()})
    copy_of, copied = raw.get("copy_of"), raw.get("copied")
    return Home(
        root,
        str(raw["host_id"]),
        copy_of if isinstance(copy_of, str) else "",
        float(copied) if isinstance(copied, int | float) else 0.0,
    )


def _unnamed(root: Path, here: FolderPlace, damage: str) -> Home:
    """A home whose record is damaged: every program that meets it makes the same id, and writes nothing."""
    return Home(root, hashlib.sha256(f"unnamed {here}".encode()).hexdigest()[:32], damage=damage)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and HOST_ID.fullmatch(value) is not None


def _note(path: Path, value: dict[str, object]) -> None:
    """A full disk costs the note and not the home: a stop and a kill must need no space."""
    try:
        write_json(path, value)
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
