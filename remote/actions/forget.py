"""Forgetting a host: what this client remembers of it, and nothing on the host itself."""

from remote.actions.intents import leftovers
from remote.hosts.client_state import client_folder
from remote.session.last_seen import FOLDER


def forget(name: str) -> None:
    """A host is no longer known: drop what was remembered of it here, nothing on the host itself."""
    for one in leftovers(name):
        one.path.unlink(missing_ok=True)
    for path in (client_folder(FOLDER, f"{name}.json"), client_folder("hosts", f"{name}.json")):
        path.unlink(missing_ok=True)
