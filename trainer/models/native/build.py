"""From `kernels.cpp` to a shared library, compiled for this very processor and kept by its fingerprint."""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

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

    Several processes may build at once: each writes a file of its own, and the last rename stands.

    Args:
        cache: folder of libraries; made here, for this user alone.
        building: called before the compiler is started.
        compiler: path of a C++ compiler; the first of `COMPILERS` on the path if None.
        limit_s: seconds that it may take.

    Raises:
        NativeUnavailableError: no compiler, it failed or took too long, or the folder cannot be written.
    """
    compiler = compiler or next((path for name in COMPILERS if (path := shutil.which(name))), None)
    if compiler is None:
        raise NativeUnavailableError(f"no C++ compiler found ({', '.join(COMPILERS)})")
    library = cache / f"kernels-{fingerprint(compiler)}.so"
    if library.is_file():
        return library, False
    building()
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
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
    for part in (*FLAGS, PARALLEL, os.path.realpath(compiler), platform.machine(), _instructions()):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:20]


def _instructions() -> str:
    """Return the processor's instruction sets: a library made for one may kill a process on another."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() + platform.node()
    named = [line for line in lines if line.startswith(("flags", "Features", "model name"))]
    return "\n".join(sorted(set(named)))


def _compile(compiler: str, made: Path, limit_s: float) -> None:
    said = ""
    for parallel in ((PARALLEL,), ()):  # Apple's clang has no OpenMP: one thread, then
        command = [compiler, *FLAGS, *parallel, str(SOURCE), "-o", str(made)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
        except subprocess.TimeoutExpired as error:
            raise NativeUnavailableError(f"{compiler} took longer than {limit_s:.0f} s") from error
        if done.returncode == 0:
            return
        said = next((line for line in done.stderr.splitlines() if "error" in line), f"exit {done.returncode}")
    raise NativeUnavailableError(f"{compiler} could not compile the kernels: {said}")
