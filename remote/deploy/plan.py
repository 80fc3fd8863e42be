"""What is to be built on a host: decided on the client, from what the probe told, and named by its hash."""

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from remote.deploy.requirements import BASE, NVIDIA, TRAIN, pinned, satisfies
from remote.deploy.survey import FoundPython, Survey, home_setting
from remote.deploy.torch_builds import TorchBuild, choose
from remote.deploy.wheel import Wheel
from remote.hosts.host import Host
from remote.hosts.placement import SAFE_PATH
from remote.hosts.torch_setting import NONE
from remote.protocol.errors import CallError

OLDEST = (3, 11)
RECIPE = 1  # grows when the builder puts other things into an environment of the same parts
GB = 1e9
DISK_SMALL, DISK_CPU, DISK_CUDA = 0.3 * GB, 1.6 * GB, 9 * GB
INSTALL = "apt-get install python3 python3-venv; brew install python@3.13; uv python install 3.13"
Installer = Literal["uv", "venv", "bare", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployPlan:
    """An environment to be.

    Attributes:
        env: its hash, of `packages` and the wheel. packages: hash of Python, platform, packages and torch.
        borrowed: folders of packages of the interpreter that `python:` names; empty where nothing is.
        needs: packages to install from the host's index, pinned; without torch.
        torch: torch's own pinned requirement; empty where it is borrowed, or not wanted.
        installer: `uv`; `venv` with its own pip; `bare`: a venv filled by the base's pip; `none`: no package.
        devices: what the self-test tries.
    """

    env: str
    packages: str
    python: FoundPython
    build: TorchBuild
    borrowed: tuple[str, ...]
    needs: tuple[str, ...]
    torch: str
    installer: Installer
    devices: tuple[str, ...]
    disk: float
    notes: tuple[str, ...] = ()


def make_plan(survey: Survey, host: Host, wheel: Wheel, torch: str = "") -> DeployPlan:
    """What to build; `torch` is the host's setting of that name.

    Raises:
        CallError: `refused`: no usable state root or Python.
    """
    if survey.home_trouble:
        raise CallError("refused", f"{host.name}: {survey.home_trouble}", survey.home_remedy)
    _demand_plain(survey.home, "state root", home_setting("PATH"))
    python = choose_python(survey, host)
    build = choose(survey, torch)
    borrows = python.asked and ("torch" in python.packages or build.name == NONE)
    if borrows and build.name != NONE:
        _demand_torch(python)
        build = TorchBuild("borrowed", "", f"{python.path} has torch {python.packages['torch']}")
    train, nvidia = {} if build.name == NONE else TRAIN, NVIDIA if survey.driver else {}
    wanted = {**BASE, **train, **nvidia}
    have = python.packages if borrows else {}
    missing = [name for name, floor in wanted.items() if not satisfies(have.get(name, ""), floor)]
    needs = tuple(pinned(name) for name in missing if name != "torch")
    own_torch = pinned("torch") if "torch" in missing else ""
    parts: list[object] = [RECIPE, needs, own_torch, build.name, build.index, survey.platform]
    parts += [python.path, python.version, sorted(have.items()), python.site if borrows else ()]
    packages = _hash(parts)
    return DeployPlan(
        env=_hash([wheel.sha256, packages]),
        packages=packages,
        python=python,
        build=build,
        borrowed=python.site if borrows else (),
        needs=needs,
        torch=own_torch,
        installer=choose_installer(survey, python, bool(needs or own_torch)),
        devices=devices(survey, build),
        disk=disk_of(survey, build, own_torch),
        notes=_notes(survey, own_torch),
    )


def foresee(survey: Survey, host: Host) -> tuple[str, ...]:
    """What a deploy would say of this host before it sends anything: its notes, a disk that is too small.

    Raises:
        CallError: it would refuse.
    """
    plan = make_plan(survey, host, Wheel("", "", "", b""), host.torch)
    if survey.environments:  # its packages may be taken over
        return plan.notes
    try:
        demand_disk(survey, host, plan)
    except CallError as error:
        return (f"{error.message}; {error.remedy}", *plan.notes)
    return plan.notes


def choose_python(survey: Survey, host: Host) -> FoundPython:
    """The interpreter: the one that `python:` names, else the first of 3.11 or newer, in the path's order.

    Raises:
        CallError: `refused`: what was found instead, and what helps.
    """
    if host.python:
        found = next((python for python in survey.pythons if python.asked), None)
        if found is None:
            why = f"`python: {host.python}` of {host.name} is no Python that runs there"
            raise CallError("refused", why, "name the absolute path of one, or leave `python:` out")
        if found.version[:2] < OLDEST:
            why = f"`python: {host.python}` of {host.name} is Python {found.label}; 3.11 or newer is needed"
            raise CallError("refused", why, "name a newer one, or leave `python:` out")
        _demand_plain(found.path, "Python", "`python:`")
        return found
    young = [one for one in survey.pythons if one.version[:2] >= OLDEST and SAFE_PATH.fullmatch(one.path)]
    if young:
        able = [one for one in young if survey.uv or {"venv", "pip"} <= one.tools or "ensurepip" in one.tools]
        return (able or young)[0]
    seen = ", ".join(one.label for one in survey.pythons) or "none that runs"
    raise CallError(
        "refused",
        f"{host.name} has no Python 3.11 or newer; found: {seen}",
        f"install one there ({INSTALL}), or name one with `python:`",
        {"found": [one.label for one in survey.pythons]},
    )


def choose_installer(survey: Survey, python: FoundPython, needs_packages: bool) -> Installer:
    """How the environment is made and filled.

    Raises:
        CallError: `refused`: that Python can make none.
    """
    if "venv" in python.tools and not needs_packages:
        return "none"
    if survey.uv and SAFE_PATH.fullmatch(survey.uv):
        return "uv"
    if "venv" in python.tools and "ensurepip" in python.tools:
        return "venv"
    if "venv" in python.tools and "pip" in python.tools:
        return "bare"
    lacks = "the module venv" if "venv" not in python.tools else "ensurepip and pip"
    minor = ".".join(map(str, python.version[:2]))
    raise CallError(
        "refused",
        f"Python {python.label} lacks {lacks}, so no environment can be made with it",
        f"apt-get install python{minor}-venv there, or install uv there, or name another with `python:`",
    )


def devices(survey: Survey, build: TorchBuild) -> tuple[str, ...]:
    """What the self-test tries: every device that a run could name."""
    if build.name == NONE:
        return ()
    if survey.mps:
        return ("cpu", "mps")
    if survey.driver and build.name != "cpu":
        return ("cpu", *(f"cuda-{index}" for index in range(max(1, len(survey.gpus)))))
    return ("cpu",)


def disk_of(survey: Survey, build: TorchBuild, own_torch: str) -> float:
    """Bytes that an environment takes while it is built, generously."""
    if not own_torch:
        return DISK_SMALL
    return DISK_CPU if build.name == "cpu" or survey.system == "darwin" else DISK_CUDA


def demand_disk(survey: Survey, host: Host, plan: DeployPlan) -> None:
    """Refuse a disk that is too small for what is to be built.

    Raises:
        CallError: `disk_low`.
    """
    if survey.disk_free < plan.disk:
        free, need = f"{survey.disk_free / GB:.1f} GB", f"{plan.disk / GB:.1f} GB"
        raise CallError(
            "disk_low",
            f"{free} are free at {survey.home} on {host.name} and {need} are needed for the environment",
            "free some, or move the state root with `home:`, or name a Python that has torch with `python:`",
            {"free": survey.disk_free, "need": int(plan.disk)},
        )


def _hash(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _demand_torch(python: FoundPython) -> None:
    if not satisfies(python.packages["torch"], TRAIN["torch"]):
        raise CallError(
            "refused",
            f"{python.path} has torch {python.packages['torch']}; {TRAIN['torch']} or newer is needed",
            "update it there, or leave `python:` out, so that a torch of our own is installed",
        )


def _demand_plain(path: str, what: str, setting: str) -> None:
    if not SAFE_PATH.fullmatch(path):
        raise CallError(
            "refused",
            f"the path of the {what} has characters that a shell may read: {path!r}",
            f"name a plain one: {setting}",
        )


def _notes(survey: Survey, own_torch: str) -> tuple[str, ...]:
    notes = []
    torches = [one for one in survey.pythons if satisfies(one.packages.get("torch", ""), TRAIN["torch"])]
    if own_torch and torches:
        notes.append(f"{torches[0].path} has torch already; `python: {torches[0].path}` would use that one")
    if survey.kill_user_processes:
        notes.append(
            "logind ends what you leave running when you log out (KillUserProcesses=yes), and runs with it; "
            "on that host: loginctl enable-linger"
        )
    remedy = "may not be read over SSH: System Settings, Privacy, Full Disk Access, sshd-keygen-wrapper"
    return (*notes, *(f"{path} {remedy}" for path in survey.unreadable))
