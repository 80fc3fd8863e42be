"""Where everything of a run lies, and which texts may become part of a path."""

import base64
import os
import re
from dataclasses import dataclass
from pathlib import Path

from trainer.run.run_errors import SpecError

RUN_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?-[a-z2-7]{6}")
SHORT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
DEVICE = re.compile(r"cpu|mps|cuda-[0-9]{1,3}")
SLUG_MAX = 40
DEFAULT_SLUG = "run"


def new_run_id(name: str) -> str:
    """`<slug>-<6 base32 characters>`: 30 random bits keep two runs of one name apart."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower())[:SLUG_MAX].strip("-") or DEFAULT_SLUG
    return f"{slug}-{base64.b32encode(os.urandom(4)).decode().lower()[:6]}"


def check_run_id(text: str) -> str:
    """Return `text` if it is a run id.

    Raises:
        SpecError: it is not one, and so must not touch a path.
    """
    if not RUN_ID.fullmatch(text):
        raise SpecError(
            f"not a run id: {text!r} (a slug, a dash and six of a-z2-7; `photinus ls` shows them)"
        )
    return text


def check_short_id(text: str, what: str) -> str:
    """Return `text` if it is a start or request id.

    Raises:
        SpecError: it is not one; `what` names it.
    """
    if not SHORT_ID.fullmatch(text) or text.endswith((".ack", ".json", ".tmp")):
        raise SpecError(f"not a valid {what}: {text!r} (1 to 64 letters, digits, '_', '-' or '.')")
    return text


def check_device(text: str) -> str:
    """Return `text` if it names a device that has a lock.

    Raises:
        SpecError: it does not.
    """
    if not DEVICE.fullmatch(text):
        raise SpecError(f"not a device: {text!r} (cpu, mps, cuda-0, cuda-1, ...)")
    return text


def check_devices(text: str) -> tuple[str, ...]:
    """Return the devices that `text` names: one, or several of one kind, as in `cuda-0,cuda-1`.

    Raises:
        SpecError: one of them is none, is named twice, or several are not all CUDA devices.
    """
    names = tuple(check_device(name) for name in text.split(","))
    if len(set(names)) < len(names):
        raise SpecError(f"a device is named twice: {text!r} (name each once)")
    if len(names) > 1 and not all(name.startswith("cuda-") for name in names):
        raise SpecError(f"only CUDA devices can be taken together, not {text!r} (cuda-0,cuda-1)")
    return names


@dataclass(frozen=True, slots=True)
class RunDir:
    """The folder of one run. Properties are its files, whether they exist or not."""

    path: Path

    @property
    def run_id(self) -> str:
        """The run's id: the folder's name."""
        return self.path.name

    @property
    def spec(self) -> Path:
        """What to run; immutable."""
        return self.path / "spec.json"

    @property
    def changes(self) -> Path:
        """What a resume changed of its configuration."""
        return self.path / "changes.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for its whole life."""
        return self.path / "lock"

    @property
    def trainer_lock(self) -> Path:
        """Held by the trainer and its forked workers."""
        return self.path / "trainer.lock"

    @property
    def process(self) -> Path:
        """Who supervisor and trainer are."""
        return self.path / "process.json"

    @property
    def state(self) -> Path:
        """The present state: one writer."""
        return self.path / "state.json"

    @property
    def control(self) -> Path:
        """Folder of requests and their answers."""
        return self.path / "control"

    @property
    def events(self) -> Path:
        """What the trainer says, one JSON object a line."""
        return self.path / "events.jsonl"

    @property
    def log_dir(self) -> Path:
        """Folder of raw stdout and stderr, a new file each attempt."""
        return self.path / "log"

    def log(self, number: int) -> Path:
        """A file of raw output; `trainer.run.logs` says which number comes next."""
        return self.log_dir / f"{number:03d}.log"

    @property
    def supervisor_log(self) -> Path:
        """The supervisor's own stderr."""
        return self.path / "supervisor.log"

    @property
    def checkpoints(self) -> Path:
        """Folder of `step-NNNNNNNN` checkpoints."""
        return self.path / "checkpoints"

    @property
    def code(self) -> Path:
        """Its own copy of the code that was shipped with it, which it works in."""
        return self.path / "code"

    @property
    def code_list(self) -> Path:
        """What that copy was made of."""
        return self.path / "code.json"

    @property
    def exit(self) -> Path:
        """The trainer's own last word."""
        return self.path / "exit.json"

    @property
    def hello(self) -> Path:
        """The trainer's first word: its signal handlers are in place."""
        return self.path / "hello.json"

    @property
    def reserve(self) -> Path:
        """64 KiB given up to write the terminal state on a full disk."""
        return self.path / "reserve"

    def create(self) -> "RunDir":
        """Make the folder and its subfolders, 0700; present ones are left as they are."""
        for folder in (self.path, self.control, self.log_dir, self.checkpoints):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self
