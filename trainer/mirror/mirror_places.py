"""Where a mirror lies: a folder, `host:path` by OpenSSH's own client, or any URL that fsspec knows (s3://...).

A checkpoint is there once its manifest is, which comes last; it is proven when it is fetched.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from trainer.run.checkpoints.manifest import CHUNK, MANIFEST, NAME
from trainer.run.disk.atomic import fsync_folder, sync_to_disk
from trainer.run.disk.small_record import open_plain
from trainer.run.run_errors import RecordError
from trainer.user_error import UserError

HOST = re.compile(r"(?!-)[A-Za-z0-9_.@-]{1,255}")
SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15")
SHORT_S = 120.0
DRAFT = ".tmp-"


class MirrorError(UserError):
    """A mirror cannot be reached, or is none; the message names the remedy."""

    exit_code = 3


class MirrorPlace(Protocol):
    """A place that holds the checkpoints of one run by their names."""

    def names(self) -> list[str]:
        """Return those that are whole as far as their manifest tells, by step."""

    def put(self, checkpoint: Path) -> None:
        """Copy a folder there; one of that name is replaced."""

    def read(self, name: str, file: str) -> Iterator[bytes]:
        """Return the bytes of a file, in pieces."""

    def remove(self, name: str) -> None:
        """Remove one, where it is there."""


def place_at(text: str, run: str = "") -> MirrorPlace:
    """Return the place that `text` says; below it, that of the run.

    Raises:
        MirrorError: it says none, or what it needs is not installed.
    """
    below = f"/{run}" if run else ""
    if "://" in text:
        return UrlMirror(text.rstrip("/") + below)
    host, colon, path = text.partition(":")
    if colon and "/" not in host:
        if not HOST.fullmatch(host) or not path:
            raise MirrorError(f"{text}: no mirror; say HOST:PATH, a folder or a URL such as s3://bucket/path")
        return HostMirror(host, path.rstrip("/") + below)
    folder = Path(text).expanduser()
    if not folder.is_absolute():
        raise MirrorError(f"{text}: a mirror that is a folder needs its whole path")
    return FolderMirror(folder / run if run else folder)


class FolderMirror:
    """A folder of this machine: another disk, or what is mounted there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """See `MirrorPlace`."""
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return by_step(path.name for path in found if (path / MANIFEST).is_file())

    def put(self, checkpoint: Path) -> None:
        """See `MirrorPlace`; it appears by a rename, synced."""
        draft = self.folder / f"{DRAFT}{checkpoint.name}-{os.getpid()}"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(draft, ignore_errors=True)
        try:
            draft.mkdir(mode=0o700)
            for path in sorted(checkpoint.iterdir()):
                with opened_plain(path) as source, (draft / path.name).open("xb") as file:
                    shutil.copyfileobj(source, file, CHUNK)
                    file.flush()
                    sync_to_disk(file.fileno())
            fsync_folder(draft)
            self.remove(checkpoint.name)
            draft.rename(self.folder / checkpoint.name)
            fsync_folder(self.folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def read(self, name: str, file: str) -> Iterator[bytes]:
        """See `MirrorPlace`."""
        with opened_plain(self.folder / name / file) as opened:
            while data := opened.read(CHUNK):
                yield data

    def remove(self, name: str) -> None:
        """See `MirrorPlace`; what goes is no checkpoint any more at once."""
        old = self.folder / name
        if old.is_dir():
            gone = self.folder / f"{DRAFT}old-{name}-{os.getpid()}"
            shutil.rmtree(gone, ignore_errors=True)
            old.rename(gone)
            shutil.rmtree(gone)


class HostMirror:
    """A folder of another machine, by OpenSSH's client and what its configuration says; it never asks."""

    def __init__(self, host: str, path: str) -> None:
        self._host = host
        self._path = f'"$HOME"/{shlex.quote(path[2:])}' if path.startswith("~/") else shlex.quote(path)

    def names(self) -> list[str]:
        """See `MirrorPlace`."""
        said = self._ask(f"cd {self._path} 2>/dev/null && ls -d step-*/{MANIFEST} 2>/dev/null; true")
        return by_step(line.partition("/")[0] for line in said.decode("utf-8", "replace").splitlines())

    def put(self, checkpoint: Path) -> None:
        """See `MirrorPlace`; it appears by a rename."""
        name, draft = checkpoint.name, f"{DRAFT}{checkpoint.name}"
        into = f"{self._path}/{draft}"
        self._ask(f"umask 077; mkdir -p {self._path} && rm -rf {into} && mkdir {into}")
        for path in sorted(checkpoint.iterdir()):
            with opened_plain(path) as file:
                self._ask(f"cat > {into}/{shlex.quote(path.name)}", stdin=file, limit=None)
        self._ask(f"cd {self._path} && sync && rm -rf {name} && mv {draft} {name}", limit=None)

    def read(self, name: str, file: str) -> Iterator[bytes]:
        """See `MirrorPlace`."""
        there = f"{self._path}/{shlex.quote(name)}/{shlex.quote(file)}"
        command = f"test -f {there} && exec cat {there}"  # a FIFO would be waited for
        with subprocess.Popen(
            [*SSH, "--", self._host, command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            while data := process.stdout.read(CHUNK):
                yield data
        if process.returncode:
            raise MirrorError(
                f"{self._host}: {name}/{file} is no file that can be read; try `ssh {self._host}`"
            )

    def remove(self, name: str) -> None:
        """See `MirrorPlace`."""
        self._ask(f"rm -rf {self._path}/{shlex.quote(name)}", limit=None)

    def _ask(self, command: str, stdin: Any = subprocess.DEVNULL, limit: float | None = SHORT_S) -> bytes:
        try:
            done = subprocess.run(
                [*SSH, "--", self._host, command],
                stdin=stdin,
                capture_output=True,
                timeout=limit,
                check=False,
            )
        except FileNotFoundError as error:
            raise MirrorError("there is no ssh here; install OpenSSH's client") from error
        except subprocess.TimeoutExpired as error:
            raise MirrorError(f"{self._host} did not answer; try `ssh {self._host}`") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise MirrorError(
                f"{self._host}: {said[-1][:200] if said else 'ssh failed'}; try `ssh {self._host}`"
            )
        return done.stdout


class UrlMirror:
    """What fsspec reaches: s3://, gs://, ... Its keys and endpoints come from the environment."""

    def __init__(self, url: str) -> None:
        """Open it.

        Raises:
            MirrorError: fsspec, or what it needs for this kind of URL, is not installed.
        """
        self._url = url
        try:
            import fsspec

            self._files, self._path = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise MirrorError(f"{url}: {error}; install photinus[mirror] where this trains") from error

    def names(self) -> list[str]:
        """See `MirrorPlace`."""
        self._files.invalidate_cache()
        try:
            found = self._files.ls(self._path, detail=False)
            names = [str(path).rstrip("/").rpartition("/")[2] for path in found]
            return by_step(name for name in names if self._files.exists(f"{self._path}/{name}/{MANIFEST}"))
        except FileNotFoundError:
            return []
        except Exception as error:  # each store has errors of its own: no keys, wrong ones, no way there
            raise MirrorError(
                f"{self._url}: {str(error)[:200] or type(error).__name__}; its keys and its endpoint come "
                "from the environment where this trains "
                "(of S3: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL)"
            ) from error

    def put(self, checkpoint: Path) -> None:
        """See `MirrorPlace`; nothing is renamed there: the old manifest goes first, the new comes last."""
        self.remove(checkpoint.name)
        self._files.makedirs(f"{self._path}/{checkpoint.name}", exist_ok=True)
        for path in sorted(checkpoint.iterdir(), key=lambda path: path.name == MANIFEST):
            opened_plain(path).close()
            self._files.put_file(str(path), f"{self._path}/{checkpoint.name}/{path.name}")

    def read(self, name: str, file: str) -> Iterator[bytes]:
        """See `MirrorPlace`."""
        if not self._files.isfile(f"{self._path}/{name}/{file}"):  # file:// may lead to a FIFO
            raise MirrorError(f"{name}/{file} is no file there; mirror the run to another place")
        with self._files.open(f"{self._path}/{name}/{file}", "rb") as opened:
            while data := opened.read(CHUNK):
                yield data

    def remove(self, name: str) -> None:
        """See `MirrorPlace`."""
        place = f"{self._path}/{name}"
        if self._files.exists(f"{place}/{MANIFEST}"):
            self._files.rm_file(f"{place}/{MANIFEST}")
        if self._files.exists(place):
            self._files.rm(place, recursive=True)


def opened_plain(path: Path) -> BinaryIO:
    """A plain file, opened to be read; whatever else has its name is neither followed nor waited for.

    Raises:
        MirrorError: it is none.
        FileNotFoundError: there is nothing.
    """
    try:
        return os.fdopen(open_plain(path), "rb")
    except RecordError as error:
        raise MirrorError(f"{error}; remove it, or mirror to another folder") from error


def by_step(names: Any) -> list[str]:
    """Return those that are names of checkpoints, in integer order."""
    return sorted((name for name in names if NAME.fullmatch(name)), key=lambda name: int(name[5:]))
