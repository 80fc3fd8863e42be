"""Who computes on this host beside the runs of this state root: other homes, other users, old trainings.

What the kernel tells everybody is used: command lines, which name a supervisor's home and devices; the
driver's list of processes; which device files a process of this user has open.
"""

import os
import pwd
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from remote.agent.processes.argument_vector import words_of
from remote.readings.nvidia import gpu_processes
from trainer.run.home import Home
from trainer.run.layout import RunDir
from trainer.run.process.kernel import ProcessReader, ProcStat
from trainer.run.process.survivors import folder_in
from trainer.run.process.system_kernel import system_reader
from trainer.run.records import read_spec
from trainer.run.run_errors import RunError

OUR_OWN = ("remote.agent", "remote.supervisor", "photinus")
SUPERVISOR = "remote.supervisor"
LAUNCHERS = ("torchrun", "accelerate", "deepspeed", "torch.distributed.run", "torch.distributed.launch",
             "accelerate.commands.launch")  # fmt: skip
RUN_LOCK = "run"
CPU = "cpu"
Asks = Callable[[], list[tuple[str, int, int | None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """A process that is of no run of this home and computes, or seems to.

    Attributes:
        user: its name, or the number of its uid; `is_mine`: whether it is this very user's.
        devices: that it uses or holds, as far as anybody can tell.
        gpu_memory: bytes on accelerators; None where unknown.
        home, run_id: of another state root's run; "" of what is no run at all.
    """

    stat: ProcStat
    user: str
    is_mine: bool
    command: str
    why: str
    devices: tuple[str, ...] = ()
    gpu_memory: int | None = None
    home: str = ""
    run_id: str = ""


def strangers(
    home: Home,
    *,
    skip: Iterable[int] = (),
    reader: ProcessReader | None = None,
    asks: Asks = gpu_processes,
    dev: Path = Path("/dev"),
) -> list[Stranger]:
    """Everybody who computes here, but for the runs of `home` and the pids of `skip`; in order of pid."""
    reader = reader or system_reader()
    stats = {stat.pid: stat for pid in reader.pids() if (stat := reader.stat(pid)) and not stat.is_zombie}
    users, known = _users_of_devices(stats.values(), reader, asks, dev)
    ours = {pid for pid, stat in stats.items() if _is_ours(stat, home, reader)} | {*skip}
    found = []
    for pid, stat in sorted(stats.items()):
        if pid == os.getpid() or not ours.isdisjoint(_line_of(pid, stats)):
            continue
        runs = (_run_elsewhere(one, reader) for one in _line_of(pid, stats))
        if one := _judge(stat, users.get(pid, {}), known, runs):
            found.append(one)
    return found


def beside(home: Home, device: str, found: Iterable[Stranger] | None = None) -> list[Stranger]:
    """Those of them that compute on `device` (`cuda-0`, or several: `cuda-0,cuda-1`)."""
    wanted = set(device.split(","))
    everybody = strangers(home) if found is None else found
    return [one for one in everybody if wanted.intersection(one.devices or (CPU,))]


def _judge(
    stat: ProcStat,
    uses: Mapping[str, int | None],
    knows_memory: bool,
    runs: Iterator[tuple[str, str] | None],
) -> Stranger | None:
    """`runs`: state root and run of another home that it is of, then of what it came from."""
    words = words_of(stat.pid)
    supervised, _, devices = _of_another_home(words)
    if not (supervised or uses or names_training(words)):
        return None
    home, run_id = next(filter(None, runs), ("", ""))
    memory = [value for value in uses.values() if value is not None]
    if home:
        why = f"run {run_id} of another state root, {home}"
    elif uses:
        why = f"it uses {', '.join(sorted(uses))} and carries no run's token"
    else:
        why = "its command names a training script, and it carries no run's token"
    return Stranger(
        stat=stat,
        user=_name_of(stat.uid),
        is_mine=stat.uid == os.geteuid(),
        command=" ".join(words),
        why=why,
        devices=tuple(sorted({*devices, *uses})),
        gpu_memory=sum(memory) if memory and knows_memory else None,
        home=home,
        run_id=run_id,
    )


def _run_elsewhere(pid: int, reader: ProcessReader) -> tuple[str, str] | None:
    """State root and run of a supervisor or of a process that carries a run's folder; None of any other."""
    home, run_id, _ = _of_another_home(words_of(pid))
    if not home and (folder := folder_in(reader.environ(pid).split(b"\0"))):
        home, run_id = str(folder.parent.parent), folder.name
    return (home, run_id) if home else None


def _users_of_devices(
    stats: Iterable[ProcStat], reader: ProcessReader, asks: Asks, dev: Path
) -> tuple[dict[int, dict[str, int | None]], bool]:
    """pid -> device -> its bytes there; whether a driver answered. Where none does: who has a device open."""
    users: dict[int, dict[str, int | None]] = {}
    answers = asks()
    for device, pid, memory in answers:
        users.setdefault(pid, {})[device] = memory
    if answers:
        return users, True
    for path in sorted(dev.glob("nvidia[0-9]*")):
        try:
            at = path.stat()
        except OSError:
            continue
        for stat in stats:
            if stat.uid == os.geteuid() and reader.opens(stat.pid, at.st_dev, at.st_ino):
                users.setdefault(stat.pid, {})[f"cuda-{path.name.removeprefix('nvidia')}"] = None
    return users, False


def _line_of(pid: int, stats: Mapping[int, ProcStat]) -> Iterator[int]:
    """A process and what it came from: what a run's process started belongs to that run."""
    seen: set[int] = set()
    while pid > 1 and pid not in seen:
        seen.add(pid)
        yield pid
        pid = stats[pid].ppid if pid in stats else 0


def _is_ours(stat: ProcStat, home: Home, reader: ProcessReader) -> bool:
    """Whether it is a supervisor or a process of a run of this home."""
    words = words_of(stat.pid)
    if SUPERVISOR in words and (root := _value_of(words, "--home")):
        return _is_same(Path(root), home.root)
    folder = folder_in(reader.environ(stat.pid).split(b"\0")) if stat.uid == os.geteuid() else None
    return folder is not None and _is_same(folder.parent, home.runs_dir)


def _of_another_home(words: list[str]) -> tuple[str, str, tuple[str, ...]]:
    """State root, run and devices of a supervisor, from its command line, which every user may read."""
    if SUPERVISOR not in words:
        return "", "", ()
    root, run = _value_of(words, "--home"), _value_of(words, "--run-dir")
    locks = [pair.partition("=")[0] for pair in _value_of(words, "--lock-fds").split(",")]
    devices = tuple(name for name in locks if name and name != RUN_LOCK)
    if not devices and run:  # it shares its device: only its own user may know which
        try:
            devices = read_spec(RunDir(Path(run))).named_devices
        except (RunError, OSError):
            devices = ()
    return root, Path(run).name, devices


def _value_of(words: list[str], option: str) -> str:
    place = words.index(option) + 1 if option in words else len(words)
    return words[place] if place < len(words) else ""


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def names_training(words: list[str]) -> bool:
    """Whether a command line runs a script or a module that is called after training, of another than us.

    What a linter or a test is pointed at does not count, nor do folders on the way to a script.
    """
    if any(own in word for word in words[:6] for own in OUR_OWN):
        return False
    if not words or "python" not in words[0].rpartition("/")[2]:
        return False
    rest = words[1:]
    while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c"):
        rest = rest[2:] if rest[0] in ("-W", "-X") else rest[1:]
    if not rest or rest[0] == "-c":
        return False
    program, rest = (rest[1] if len(rest) > 1 else "", rest[2:]) if rest[0] == "-m" else (rest[0], rest[1:])
    name = program.rpartition("/")[2]
    if name in LAUNCHERS:
        return any(word.endswith(".py") and "train" in word.rpartition("/")[2] for word in rest)
    return "train" in name


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
