"""A state root with an uploaded wheel, and builds in it, each in a process of its own, as on a host."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from remote.deploy.on_host.build_environment import EnvironmentParts
from remote.deploy.on_host.installed import Installed
from remote.deploy.requirements import PINS
from remote.deploy.wheel import Wheel, pack, sources

SITE = next(path for path in sys.path if path.endswith("site-packages"))
PROGRAM = """
import json, sys
order = json.loads(sys.argv[1])
sys.path.insert(0, order["path"])
from remote.deploy.on_host.builder import main
sys.exit(main(order))
"""

BUILDER = ("remote/deploy/on_host/", "remote/audit/", "trainer/run/", "trainer/config/", "trainer/user_error")
EMPTY = ("remote/agent", "remote/supervisor", "trainer/telemetry")


@cache
def whole_wheel() -> Wheel:
    """What a deploy sends."""
    return pack(sources(), "1.0")


@cache
def small_wheel() -> Wheel:
    """The builder and what it uses: a tenth of the whole, all of which a build imports and compiles."""
    files = {name: data for name, data in sources().items() if name.startswith(BUILDER)}
    roots = {name: data for name, data in sources().items() if name.count("/") == 1 and "__init__" in name}
    stubs = {f"{folder}/__init__.py": b"" for folder in EMPTY}
    parents = {f"{name.rpartition('/')[0]}/__init__.py": b"" for name in files}
    parents |= {"remote/deploy/__init__.py": b""}
    return pack(parents | roots | stubs | files, "1.0")


@dataclass
class Stage:
    """`root`: the state root. What is built borrows this interpreter's packages, and downloads nothing."""

    root: Path
    wheel: Wheel = field(default_factory=small_wheel)

    def __post_init__(self) -> None:
        for folder in (self.root, self.root / "cas", self.root / "envs"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.put(self.wheel)

    def put(self, wheel: Wheel) -> None:
        """As an upload would."""
        (self.root / "cas" / f"{wheel.sha256}.whl").write_bytes(wheel.data)

    def kit(self, env: str = "e" * 16, **more: Any) -> EnvironmentParts:
        values: dict[str, Any] = {
            "env": env,
            "packages": "p" * 16,
            "wheel": self.wheel.sha256,
            "python": sys.executable,
            "installer": "none",
            "uv": "",
            "needs": (),
            "torch": "",
            "index": "",
            "borrowed": (SITE,),
            "devices": (),
            "pins": PINS.read_text(),
            "disk": 1.0,
        }
        return EnvironmentParts(**(values | more))

    def order(
        self, kit: EnvironmentParts | None = None, *, token: str = "t1", lock_s: float = 30.0
    ) -> dict[str, Any]:
        kit = kit or self.kit()
        record = Installed(
            home=str(self.root),
            env=kit.env,
            wheel=kit.wheel,
            version=self.wheel.version,
            packages=kit.packages,
        )
        return {
            "path": str(self.root / "cas" / f"{kit.wheel}.whl"),
            "home": str(self.root),
            "token": token,
            "lock_s": lock_s,
            "kit": asdict(kit),
            "record": asdict(record),
        }

    def start(
        self, order: dict[str, Any], python: Sequence[str] = (sys.executable,)
    ) -> "subprocess.Popen[str]":
        """A build that goes on by itself."""
        return subprocess.Popen(
            [*python, "-I", "-u", "-c", PROGRAM, json.dumps(order)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def build(self, order: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The last message of a build, and what it said."""
        return messages(self.start(order))

    def env(self, name: str = "e" * 16) -> Path:
        return self.root / "envs" / name

    def leftovers(self) -> list[str]:
        """What a build may not leave."""
        return [path.name for path in (self.root / "envs").iterdir() if path.name.startswith(".")]


def messages(child: "subprocess.Popen[str]") -> tuple[dict[str, Any], list[str]]:
    out, _ = child.communicate(timeout=300)
    found = [json.loads(row[16:]) for row in out.splitlines() if row.startswith("photinus-deploy ")]
    assert found, out
    return found[-1], [one["say"] for one in found if "say" in one]


def fake(path: Path, text: str) -> str:
    """A program of a host's, for what the real one does not do on demand."""
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def read_line(child: "subprocess.Popen[str]", words: str, timeout: float = 20.0) -> None:
    """Read on until a line has `words`."""
    deadline = time.monotonic() + timeout
    assert child.stdout is not None
    while time.monotonic() < deadline:
        line = child.stdout.readline()
        if words in line:
            return
        if not line:
            break
    raise AssertionError(f"never said: {words}")
