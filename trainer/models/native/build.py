"""From `kernels.cpp` to a shared library, compiled for this very processor and kept by its fingerprint."""

import hashlib
import os
import platform
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from trainer.run.disk.ownership import why_place_untrusted

SOURCE = Path(__file__).with_name("kernels.cpp")
COMPILERS = ("c++", "g++", "clang++")
# No flag here lets sums be reordered or drops what is not a number: a result is the same in every run.
FLAGS = (
    "-shared", "-fPIC", "-std=c++17", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math",
)  # fmt: skip
PARALLEL = "-fopenmp"
LIMIT_S = 120.0


class NativeUnavailableError(RuntimeError):
    """There are no native kernels on this host; the message says why in one sentence."""


def built(
    cache: Path,
    building: Callable[[], None] = lambda: None,
    compiler: str | None = None,
    limit_s: float = LIMIT_S,
) -> tuple[Path, bool]:
    """Return the shared library of this source for this processor, and whether it was compiled just now.

    Several processes may build at once: each writes a file of its own, and the last rename stands. Loading
    one runs its code, and anybody can work out its name: a folder or file that another user could have put
    there is refused.

    Args:
        cache: folder of libraries; made here, for this user alone.
        building: called before the compiler is started.
        compiler: path of a C++ compiler; the first of `COMPILERS` on the path if None.
        limit_s: seconds that it may take.

    Raises:
        NativeUnavailableError: no compiler, it failed or took too long, or the folder cannot be written or is
            not this user's alone.
    """
    compiler = compiler or next((path for name in COMPILERS if (path := shutil.which(name))), None)
    if compiler is None:
        raise NativeUnavailableError(f"no C++ compiler found ({', '.join(COMPILERS)})")
    library = cache / f"kernels-{fingerprint(compiler)}.so"
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        demand_own(cache)
        if os.path.lexists(library):
            demand_own_file(library)
            return library, False
        building()
        with tempfile.TemporaryDirectory(prefix=".build-", dir=cache) as folder:
            made = Path(folder) / library.name
            _compile(compiler, made, limit_s)
            made.replace(library)
    except OSError as error:
        raise NativeUnavailableError(f"{cache} cannot be written: {error.strerror or error}") from error
    return library, True


def fingerprint(compiler: str) -> str:
    """Return what names a library: source, flags, compiler and the processor's instructions."""
    digest = hashlib.sha256(SOURCE.read_bytes())
    program = os.path.realpath(compiler)
    for part in (*FLAGS, PARALLEL, program, _version(program), platform.machine(), _instructions()):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:20]


def demand_own(folder: Path) -> None:
    """A folder from which code is loaded: nobody else can put anything into it, or in its place.

    Raises:
        NativeUnavailableError: somebody can.
        OSError: it cannot be looked at.
    """
    if folder.is_symlink():
        raise NativeUnavailableError(f"{folder} is a symbolic link; remove it, code is loaded from there")
    if why := why_place_untrusted(folder):
        raise NativeUnavailableError(f"no code is loaded from {folder}: {why}")


def demand_own_file(library: Path) -> None:
    """A library that this user compiled: a plain file of ours that nobody else may write.

    Raises:
        NativeUnavailableError: it is not.
        OSError: it cannot be looked at.
    """
    found = library.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise NativeUnavailableError(f"{library} is no plain file of yours alone: remove it")


def _version(program: str) -> str:
    """What changes when a compiler is replaced by another under the same name."""
    try:
        found = os.stat(program)  # noqa: PTH116
    except OSError:
        return ""
    return f"{found.st_size}/{found.st_mtime_ns}"


def _instructions() -> str:
    """Return the processor's instruction sets: a library made for one may kill a process on another."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() + platform.node()
    named = [line for line in lines if line.startswith(("flags", "Features", "model name"))]
    return "\n".join(sorted(set(named)))


def _compile(compiler: str, made: Path, limit_s: float) -> None:
    why = ""
    for parallel in ((PARALLEL,), ()):  # Apple's clang has no OpenMP: one thread, then
        command = [compiler, *FLAGS, *parallel, str(SOURCE), "-o", str(made)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
        except subprocess.TimeoutExpired as error:
            raise NativeUnavailableError(f"{compiler} took longer than {limit_s:.0f} s") from error
        if done.returncode == 0:
            return
        why = next((line for line in done.stderr.splitlines() if "error" in line), f"exit {done.returncode}")
    raise NativeUnavailableError(f"{compiler} could not compile the kernels: {why}")
