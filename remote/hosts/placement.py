"""Where our code lies on a host, as this client last saw it: which interpreter runs the agent."""

import re
from dataclasses import asdict, dataclass

from remote.hosts.client_state import client_folder, make_client_folder
from remote.hosts.host import Host
from remote.protocol.errors import CallError
from trainer.run.disk.atomic import read_json, write_json
from trainer.run.run_errors import RunError

SAFE_PATH = re.compile(r"/[A-Za-z0-9._/@+-]{1,1000}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """What a deploy left behind.

    Attributes:
        python: absolute path of the environment's interpreter; it finds its state root by itself.
        env: hash of the environment. wheel: SHA-256 of the wheel in it.
    """

    python: str
    home: str = ""
    env: str = ""
    wheel: str = ""
    version: str = ""
    host_id: str = ""
    at: float = 0.0

    @property
    def command(self) -> str:
        """What starts the agent: the same constant words for every host, nothing of the user's in them.

        Raises:
            CallError: the path could mean something to a shell.
        """
        if not SAFE_PATH.fullmatch(self.python):
            raise CallError(
                "refused",
                f"the path of the host's environment has characters that a shell may read: {self.python!r}",
                "give the host a plain `home:` in hosts.yaml",
            )
        return f"exec {self.python} -I -u -m remote.agent --stdio"


def read_placement(host: Host) -> Placement | None:
    """What is remembered of a host; None where nothing was deployed, or the note cannot be read."""
    try:
        raw = read_json(client_folder("hosts", f"{host.name}.json"))
    except (OSError, RunError):
        return None
    if not isinstance(raw, dict):
        return None
    kept = {key: raw[key] for key in asdict(Placement(python="")) if key in raw}
    at = kept.pop("at", 0.0)
    if "python" not in kept or not all(isinstance(text, str) for text in kept.values()):
        return None
    return Placement(**kept, at=float(at) if isinstance(at, int | float) else 0.0)


def write_placement(host: Host, placement: Placement) -> None:
    """Remember where the environment lies."""
    write_json(make_client_folder("hosts") / f"{host.name}.json", asdict(placement))


def forget_placement(host: Host, placement: Placement) -> bool:
    """Remember no longer that it lies there; False where that was not what is remembered."""
    if read_placement(host) != placement:
        return False
    client_folder("hosts", f"{host.name}.json").unlink(missing_ok=True)
    return True
