"""The steps of an environment: an empty venv, packages, torch, our wheel, what is borrowed, a trial."""

import hashlib
import io
import os
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from remote.deploy.on_host.build_progress import BuildError, ProgramFailed, Reporter
from remote.deploy.on_host.clone import clone, twin
from remote.deploy.on_host.installer_verdict import BAD_HASH, NO_HASH, SIGNS, explain, last
from remote.deploy.on_host.package_installer import PackageInstaller, PackageList
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


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentParts:
    """What goes into an environment; see `remote.deploy.plan.DeployPlan`.

    Attributes:
        pins: the text of a constraints file. disk: bytes that must be free.
        index, locked, known_torch, trust_index, links: see `PackageList` of package_installer.
        selftest: train a little on each accelerator, and keep what came of it in the environment.
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
    locked: str = ""
    known_torch: Mapping[str, Sequence[str]] = field(default_factory=dict)
    trust_index: bool = False
    links: str = ""
    selftest: bool = True


class EnvironmentBuild:
    """Fills `folder` from a kit; `fd` is the deploy lock's, so that an orphaned installer keeps it."""

    def __init__(self, kit: EnvironmentParts, folder: Path, wheel: Path, reporter: Reporter, fd: int) -> None:
        self._kit, self._folder, self._wheel, self._reporter, self._fd = kit, folder, wheel, reporter, fd
        self._python = folder / "bin" / "python"
        self.torch_from, self.torch_hashes = "", list[str]()
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
                if installer != "uv" or BAD_HASH in error.hits or NO_HASH in error.hits:
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
        packages = PackageInstaller(
            self._packages(), self._folder, installer, self._words(installer), self._call, self._reporter.say
        )
        packages.install(lambda: self._demand_disk(ANY_BUILD))
        self.torch_from, self.torch_hashes = packages.torch_from, packages.torch_hashes

    def _packages(self) -> PackageList:
        kit = self._kit
        return PackageList(
            needs=kit.needs,
            torch=kit.torch,
            locked=kit.locked,
            pins=kit.pins,
            index=kit.index,
            known_torch=kit.known_torch,
            trust_index=kit.trust_index,
            links=kit.links,
        )

    def _demand_disk(self, need: float) -> None:
        free = shutil.disk_usage(self._folder.parent).free
        if free < need:
            why = f"{free / 1e9:.1f} GB are free at {self._folder.parent} and {need / 1e9:.1f} GB are needed"
            raise BuildError("disk_low", why, "free some; or name a Python that has torch with `python:`")

    def _words(self, installer: str) -> list[str]:
        python = str(self._python)
        pip = ["-m", "pip", "--disable-pip-version-check"]
        return {
            "uv": [self._kit.uv, "pip", "install", "--python", python],
            "venv": [python, "-I", *pip, "install", "--progress-bar", "off"],
            "bare": [self._kit.python, "-I", *pip, "--python", python, "install", "--progress-bar", "off"],
        }.get(installer, [])

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
        """Import all of it; multiply on each device that runs may name, and train on each accelerator."""
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
                    if words[0].startswith("trainer")
                    else "deploy again; if it stays, please report it",
                ) from error
        for name in self._kit.devices if self._kit.selftest else ():
            if name != "cpu":  # which is what a device is compared with
                self._train_on(name)

    def _train_on(self, device: str) -> None:
        """Train on a device as on the CPU. What differs is told and kept: commands run all the same."""
        try:
            self._call([str(self._python), "-I", "-m", "trainer", "selftest", "--keep", "--device", device])
        except ProgramFailed as error:
            self._reporter.say(f"note: {last(error)}; photinus doctor shows it")

    def _call(self, argv: Sequence[str]) -> list[str]:
        return self._reporter.run(argv, self._env, [self._fd], signs=SIGNS)
