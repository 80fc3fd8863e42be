"""Which run a command is about: a folder, or an id below the state root."""

from pathlib import Path

from trainer.config.config_error import ConfigError
from trainer.run.home import state_root
from trainer.run.layout import RUN_ID, RunDir


def run_folder(text: str) -> RunDir:
    """Return the run that `text` names.

    Raises:
        ConfigError: there is no such run on this host.
    """
    path = Path(text).expanduser()
    if not path.is_dir() and RUN_ID.fullmatch(text):
        path = state_root() / "runs" / text
    if not path.is_dir():
        raise ConfigError(f"{text}: there is no such run on this host; give its id or its folder")
    return RunDir(path.absolute())
