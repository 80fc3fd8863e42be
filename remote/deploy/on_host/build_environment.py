"""The steps of an environment: an empty venv, packages, torch, our wheel, what is borrowed, a trial."""

import hashlib
import io
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from remote.deploy.on_host.build_progress import BuildError, ProgramFailed, Reporter
from remote.deploy.on_host.clone import clone, twin
from remote.deploy.on_host.shebangs import repair_scripts, write_script

ANY_BUILD = 9e9
BORROWED = "photinus-borrowed.pth"
FOREIGN = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "VIRTUAL_ENV",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_REQUIRE_VIRTUALENV",
)
NO_NETWORK = re.compile(
    "name resolution|Failed to establish a new connection|NewConnectionError|Network is unreachable"
    "|Connection refused|ConnectTimeout|timed out|ProxyError|dns error|error sending request"
    "|No route to host",
    re.IGNORECASE,
)
NO_VERSION = re.compile(
    "No matching distribution|ResolutionImpossible|Could not find a version|no version of|unsatisfiable",
    re.IGNORECASE,
)
NO_SPACE = re.compile("No space left|Disk quota exceeded", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentParts:
    """What goes into an environment; see `remote.deploy.plan.DeployPlan`.

    Attributes:
        pins: the text of a constraints file. disk: bytes that must be free. index: torch's; may be empty.
    """

    env: str
    packages: str
    wheel: str
    python: str
    installer: str
    uv: str
    needs: Sequence[str]
    torch: str
    index: str
    borrowed: Sequence[str]
    devices: Sequence[str]
    pins: str
    disk: float


class EnvironmentBuild:
    """Fills `folder` from a kit; `fd` is the deploy lock's, so that an orphaned installer keeps it."""

    def __init__(self, kit: EnvironmentParts, folder: Path, wheel: Path, reporter: Reporter, fd: int) -> None:
        self._kit, self._folder, self._wheel, self._reporter, self._fd = kit, folder, wheel, reporter, fd
        self._python = folder / "bin" / "python"
        self._pins = folder / "photinus-pins.txt"
        self._env = {key: value for key, value in os.environ.items() if key not in FOREIGN}
        self._env |= {"PIP_USER": "0", "PIP_NO_INPUT": "1", "PYTHONNOUSERSITE": "1"}
        self._env = {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"} | self._env  # the host's own, as pip's

    def run(self) -> None:
        """All the steps.

        Raises:
            BuildError: with its remedy.
            OSError: the disk refused.
        """
        same = twin(self._folder.parent, self._kit.packages)
        if same is not None:
            self._reporter.say(f"packages as in environment {same.name}: nothing to download")
            clone(same, self._folder)
            repair_scripts(same, self._folder, self._folder)
        else:
            self._demand_disk(self._kit.disk)
            self._fill_anew()
        self._install_wheel()
        if self._kit.borrowed:
            (self._site() / BORROWED).write_text("".join(f"{path}\n" for path in self._kit.borrowed))
        self._try_out()

    def _fill_anew(self) -> None:
        after_uv = "venv" if self._kit.needs or self._kit.torch else "none"
        for installer in ("uv", after_uv) if self._kit.installer == "uv" else (self._kit.installer,):
            try:
                return self._fill(installer)
            except ProgramFailed as error:
                if installer != "uv":
                    raise explain(error, self._kit) from error
                self._reporter.say(f"uv could not do it ({last(error)}); trying venv and pip")
                shutil.rmtree(self._folder, ignore_errors=True)
        return None

    def _fill(self, installer: str) -> None:
        self._reporter.say(f"environment {self._kit.env}: Python of {self._kit.python}")
        if installer == "uv":
            self._call([self._kit.uv, "venv", "--quiet", "--python", self._kit.python, str(self._folder)])
        else:
            bare = [] if installer == "venv" else ["--without-pip"]
            self._call([self._kit.python, "-I", "-m", "venv", *bare, str(self._folder)])
        self._folder.chmod(0o700)
        self._pins.write_text(self._kit.pins)
        install = self._installing(installer)
        if self._kit.needs and not self._kit.torch:
            install(["-c", str(self._pins), *self._kit.needs])
        elif self._kit.torch:
            self._reporter.say(f"{self._kit.torch} (the one large download)")
            self._install_torch(install)
            install(["-c", str(self._pins), *self._kit.needs, self._kit.torch])

    def _install_torch(self, install: Callable[[Sequence[str]], object]) -> None:
        """From the index of the chosen build; where that is not to be had (a mirror), from the host's own."""
        if self._kit.index:
            try:
                install(["--no-deps", "--index-url", self._kit.index, self._kit.torch])
                return
            except ProgramFailed as error:
                self._reporter.say(
                    f"no torch from {self._kit.index} ({last(error)}): asking the host's own index, "
                    "whose build may bring CUDA's libraries (several GB)"
                )
            self._demand_disk(ANY_BUILD)
        install(["--no-deps", self._kit.torch])

    def _demand_disk(self, need: float) -> None:
        free = shutil.disk_usage(self._folder.parent).free
        if free < need:
            why = f"{free / 1e9:.1f} GB are free at {self._folder.parent} and {need / 1e9:.1f} GB are needed"
            raise BuildError("disk_low", why, "free some; or name a Python that has torch with `python:`")

    def _installing(self, installer: str) -> Callable[[Sequence[str]], object]:
        python = str(self._python)
        pip = ["-m", "pip", "--disable-pip-version-check"]
        words = {
            "uv": [
                self._kit.uv,
                "pip",
                "install",
                "--python",
                python,
                "--index-strategy",
                "unsafe-best-match",
            ],
            "venv": [python, "-I", *pip, "install", "--progress-bar", "off"],
            "bare": [self._kit.python, "-I", *pip, "--python", python, "install", "--progress-bar", "off"],
        }.get(installer, [])
        return lambda wanted: self._call([*words, *wanted])

    def _install_wheel(self) -> None:
        """Our wheel is pure Python and was packed by us: unpacking is all that an installer would do."""
        data = self._wheel.read_bytes()
        if hashlib.sha256(data).hexdigest() != self._kit.wheel:
            raise BuildError("internal", f"{self._wheel} is not what was uploaded", "deploy again")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.extractall(self._site())
        write_script(self._folder / "bin" / "photinus-train", self._python, "trainer.cli", "main")

    def _site(self) -> Path:
        found = sorted((self._folder / "lib").glob("python3.*/site-packages"))
        if not found:
            raise BuildError("internal", f"{self._folder} has no site-packages", "deploy again")
        return found[0]

    def _try_out(self) -> None:
        """Import all of it; multiply and differentiate on each device that runs may name."""
        self._reporter.say("trying it out")
        devices = [word for name in self._kit.devices for word in ("--device", name)]
        trials = [["remote.deploy.on_host.import_check", *(["--train"] if devices else [])]]
        trials += [["trainer.device.selftest", *devices]] if devices else []
        for words in trials:
            try:
                self._call([str(self._python), "-I", "-m", *words])
            except ProgramFailed as error:
                raise BuildError(
                    "refused",
                    f"the environment was built and does not work: {' | '.join(error.lines[-3:])}",
                    "another build of torch may fit (`torch:` of the host: cpu, cu126, cu130, ...)"
                    if words[0] == "trainer.device.selftest"
                    else "deploy again; if it stays, please report it",
                ) from error

    def _call(self, argv: Sequence[str]) -> list[str]:
        return self._reporter.run(argv, self._env, [self._fd])


def last(error: ProgramFailed) -> str:
    """What a program died of: its first line that calls itself an error, else its last."""
    told = [line for line in error.lines if line.lower().startswith("error")]
    return [*told, *error.lines[-1:], str(error)][0]


def explain(error: ProgramFailed, kit: EnvironmentParts) -> BuildError:
    """What an installer's last lines mean."""
    said = "\n".join(error.lines)
    shown = " | ".join(error.lines[-4:])[-800:]
    if NO_SPACE.search(said):
        return BuildError("disk_low", f"the host's disk is full: {shown}", "free some space and deploy again")
    if "ensurepip" in said or "No module named venv" in said:
        minor = ".".join(map(str, sys.version_info[:2]))
        remedy = f"apt-get install python{minor}-venv on that host, or install uv there"
        return BuildError("refused", f"{kit.python} can make no environment: {shown}", remedy)
    if NO_NETWORK.search(said):
        remedy = "check its network and proxy; a Python that has torch (`python:`) needs no download of it"
        return BuildError("refused", f"the host reaches no package index: {shown}", remedy)
    if NO_VERSION.search(said):
        remedy = "another Python (`python:`) or another build of torch (`torch:`) may have them"
        return BuildError("refused", f"there are no packages for this host: {shown}", remedy)
    return BuildError("refused", f"packages could not be installed: {shown}", "see the lines above")
