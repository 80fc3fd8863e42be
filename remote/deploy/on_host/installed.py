"""What an environment on a host knows of itself: which state root it serves, and what was put into it."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from trainer.run.disk.atomic import read_json, write_bytes, write_json
from trainer.run.run_errors import RunError

HOME_NOTE = "photinus-home"
RECORD = "photinus.json"
ENVS = "envs"
CAS = "cas"
LOCK = "deploy.lock"  # held by who builds, and by who cleans


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A deployed environment.

    Attributes:
        home: the state root that its agent serves.
        env: its hash, the name of its folder. wheel: SHA-256 of the wheel in it.
        version: of our code in it. torch: which build was asked for. at: when it was built, epoch seconds.
        packages: hash of all that is in it but our wheel.
        by: the client that had it built.
    """

    home: str
    env: str
    wheel: str
    version: str
    torch: str = ""
    python: str = ""
    packages: str = ""
    at: float = 0.0
    by: str = ""


def read_installed(prefix: Path | None = None) -> Installed | None:
    """What lies in an environment (by default the one that runs this); None where nothing was deployed."""
    folder = prefix or Path(sys.prefix)
    try:
        home = (folder / HOME_NOTE).read_text().strip()
        raw = read_json(folder / RECORD)
        if not isinstance(raw, dict) or not home.startswith("/"):
            return None
        known = {key: raw[key] for key in Installed.__dataclass_fields__ if key in raw}
        return Installed(**(known | {"home": home}))
    except (OSError, RunError, TypeError, UnicodeDecodeError):
        return None


def write_installed(prefix: Path, installed: Installed) -> None:
    """Leave both notes; the one that makes the environment count is written last."""
    write_json(prefix / RECORD, asdict(installed))
    write_bytes(prefix / HOME_NOTE, f"{installed.home}\n".encode())
