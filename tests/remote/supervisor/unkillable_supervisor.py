"""A supervisor whose signals reach nobody while a file exists: `unkillable_supervisor.py FILE [ARG ...]`."""

import sys
from pathlib import Path
from typing import Any

from remote.supervisor import __main__ as program
from remote.supervisor.process import termination
from trainer.run.process.identity import Identity
from trainer.run.process.signals import send


def behind(shield: Path) -> None:
    def lose(identity: Identity, signum: int) -> bool:
        return False if shield.exists() else send(identity, signum)

    owner: Any = termination
    owner.send = lose


if __name__ == "__main__":
    behind(Path(sys.argv[1]))
    sys.exit(program.main(sys.argv[2:]))
