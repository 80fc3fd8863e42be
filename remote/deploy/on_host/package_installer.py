"""Packages into an environment, by their hashes: an index must give what was published and tested."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remote.deploy.on_host.build_progress import ProgramFailed
from remote.deploy.on_host.installer_verdict import BAD_HASH, last

SHA256 = re.compile(r"sha256[:=]([0-9a-f]{64})\b")
BUILT = ("--only-binary", ":all:")  # a source archive would run its own code while it is built


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageList:
    """What is to be installed.

    Attributes:
        needs: pinned requirements, without torch. torch: its own, empty where none is wanted.
        locked: `needs` and what torch needs, as requirements with their hashes. pins: a constraints file.
        index: torch's own; may be empty. known_torch: index -> hashes that an earlier deploy recorded.
        trust_index: compare no hashes.
        links: folder of wheels that were brought over; empty: an index is asked.
    """

    needs: Sequence[str]
    torch: str
    locked: str
    pins: str
    index: str
    known_torch: Mapping[str, Sequence[str]]
    trust_index: bool
    links: str


class PackageInstaller:
    """Runs one installer. `torch_from`, `torch_hashes`: where torch came from, for the record."""

    def __init__(
        self, wanted: PackageList, folder: Path, installer: str, words: Sequence[str],
        call: Callable[[Sequence[str]], object], say: Callable[[str], None],
    ) -> None:  # fmt: skip
        """`words`: of the installer, up to `install`; `call` runs a program to its end."""
        self._wanted, self._folder, self._is_uv = wanted, folder, installer == "uv"
        self._words, self._call, self._say = list(words), call, say
        self.torch_from = ""
        self.torch_hashes: list[str] = []

    def install(self, demand_disk: Callable[[], None]) -> None:
        """Torch, then the rest; `demand_disk` is asked before another build of torch is taken.

        Raises:
            ProgramFailed: the installer could not.
            BuildError: the disk is too small, or an index gave something else than is known.
        """
        wanted = self._wanted
        if wanted.torch:
            self._say(f"{wanted.torch} (the one large download)")
            self._torch(demand_disk)
        if not (wanted.needs or wanted.torch):
            return
        if wanted.trust_index:
            self._say("hashes are not compared (--trust-index)")
            pins = self._file("pins.txt", wanted.pins)
            self._run(["-c", pins, *wanted.needs, *([wanted.torch] if wanted.torch else [])])
            return
        own = [_locked(wanted.torch, self.torch_hashes)] if wanted.torch else []
        self._run(["--require-hashes", "-r", self._file("locked.txt", "\n".join([wanted.locked, *own]))])

    def _torch(self, demand_disk: Callable[[], None]) -> None:
        """From the index of the chosen build; where that is not to be had (a mirror), from the host's own."""
        index = self._wanted.index if not self._wanted.links else ""
        if index:
            try:
                return self._torch_of(index)
            except ProgramFailed as error:
                if BAD_HASH in error.hits:
                    raise
                self._say(
                    f"no torch from {index} ({last(error)}): asking the host's own index, "
                    "whose build may bring CUDA's libraries (several GB)"
                )
            demand_disk()
        return self._torch_of("")

    def _torch_of(self, index: str) -> None:
        """By the recorded hashes; the first time by those that the index states, which are then told."""
        torch, where = self._wanted.torch, ["--index-url", index] if index else []
        is_new = self._wanted.trust_index or self._wanted.links
        known = [] if is_new else list(self._wanted.known_torch.get(index, ()))
        if not known and self._is_uv:
            known = self._stated(torch, where)
        if known:
            self._run(
                [
                    "--no-deps",
                    *where,
                    "--require-hashes",
                    "-r",
                    self._file("torch.txt", _locked(torch, known)),
                ]
            )
        elif self._is_uv:
            self._run(["--no-deps", *where, torch])
        else:
            report = self._folder / "photinus-report.json"
            self._run(["--no-deps", *where, "--report", str(report), torch])
            known = reported(report)
            report.unlink(missing_ok=True)
        self.torch_from, self.torch_hashes = index, known

    def _stated(self, torch: str, where: Sequence[str]) -> list[str]:
        """The hashes that an index states for every wheel of torch, as uv tells them."""
        out = self._folder / "photinus-torch.txt"
        asked = self._file("torch.in", torch)
        words = [*self._words[:1], "pip", "compile", "--quiet", "--no-deps", "--generate-hashes", *BUILT]
        self._call([*words, *where, *self._links(), "-o", str(out), asked])
        found = SHA256.findall(out.read_text())
        out.unlink()
        return found

    def _run(self, words: Sequence[str]) -> None:
        self._call([*self._words, *BUILT, *self._links(), *words])

    def _links(self) -> list[str]:
        return ["--no-index", "--find-links", self._wanted.links] if self._wanted.links else []

    def _file(self, name: str, text: str) -> str:
        path = self._folder / f"photinus-{name}"
        path.write_text(text + "\n")
        return str(path)


def reported(path: Path) -> list[str]:
    """The hash of the one file that pip's report names; none where it names none."""
    try:
        raw: Any = json.loads(path.read_bytes())
        archive = raw["install"][0]["download_info"]["archive_info"]
        return SHA256.findall(str(archive.get("hash", "")) or f"sha256={archive['hashes']['sha256']}")
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return []


def _locked(requirement: str, hashes: Sequence[str]) -> str:
    return " ".join([requirement, *(f"--hash=sha256:{one}" for one in hashes)])
