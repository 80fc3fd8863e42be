"""`client/keys.yaml`: an operator's own keys, read and put in force when the cockpit opens."""

from pathlib import Path

from remote.hosts.client_state import client_folder
from remote.protocol.sanitise import clean_line
from trainer.config.config_error import ConfigError
from trainer.config.yaml_values import parse_yaml
from trainer.run.disk.small_record import read_small
from trainer.run.run_errors import RecordError
from tui.keys.in_force import put_in_force
from tui.keys.own_keys import own_keys

OWN_KEYS = "keys.yaml"
SIZE_MAX = 1 << 16


def take_own_keys(path: Path | None = None) -> list[str]:
    """Put the operator's own keys in force, or none; what is wrong with them, a sentence each."""
    path = path or client_folder(OWN_KEYS)
    put_in_force({})
    try:
        data = read_small(path, SIZE_MAX, ours=True)
        told = None if data is None else parse_yaml(data.decode("utf-8"), str(path))
    except (RecordError, ConfigError, UnicodeDecodeError) as error:
        return [clean_line(f"your keys are left out, mend them or remove the file: {error}")]
    if told is None:
        return []
    if not isinstance(told, dict):
        return [f"{path} must be a mapping of actions to keys, such as `stop: e`"]
    changes, faults = own_keys(told, OWN_KEYS)
    put_in_force(changes)
    return [clean_line(fault) for fault in faults]
