"""Starts that were sent and not yet answered, on disk: a client that dies does not forget what it asked."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remote.actions.outcome import Outcome, failed
from remote.hosts.client_state import client_folder, make_client_folder
from remote.protocol.arguments import ResumeArgs, StartArgs, as_filled, read_args
from remote.protocol.errors import CallError, ProtocolError, TimeoutError_, UnreachableError
from remote.protocol.keeping import CloneArgs
from remote.protocol.verbs import CLONE, RESUME, START, Verb
from remote.protocol.views import StartedRun
from remote.session.session import Session
from trainer.run.disk.atomic import read_json, write_json
from trainer.run.process.folder_place import FolderPlace, place_of
from trainer.run.run_errors import RunError

FRESH_S = 600.0
FOLDER = "intents"
STARTING: Mapping[str, Verb[Any, StartedRun]] = {verb.name: verb for verb in (START, RESUME, CLONE)}


@dataclass(frozen=True, slots=True)
class Intent:
    """A start or resume for a host, under its start id; `args` as they stand on disk, read when sent."""

    start_id: str
    host: str
    verb: Verb[Any, StartedRun]
    args: Mapping[str, Any]
    at: float
    path: Path


@contextlib.contextmanager
def intent(host: str, verb: str, args: StartArgs | ResumeArgs | CloneArgs) -> Iterator[None]:
    """Keep an intent on disk until the host has answered, whatever the answer; an unanswered one stays.

    Raises:
        CallError: `disk_low`: it could not be written, so nothing may be sent.
    """
    try:
        folder = make_client_folder(FOLDER)
        path = folder / f"{args.start_id}.json"
        kept = {name: value for name, value in as_filled(args).items() if name != "inherited"}  # no secrets
        place = place_of(folder).to_json()
        write_json(path, {"host": host, "verb": verb, "args": kept, "at": time.time(), "place": place})
    except OSError as error:
        raise CallError(
            "disk_low",
            f"this machine could not note what it is about to ask of {host}: {error}",
            "free some space here and try again",
        ) from error
    try:
        yield
    except (UnreachableError, TimeoutError_):
        raise  # unanswered: the host may have taken it
    except CallError:
        path.unlink(missing_ok=True)
        raise
    path.unlink(missing_ok=True)


def leftovers(host: str, now: float | None = None) -> list[Intent]:
    """What was asked of `host` in the last ten minutes and never answered; what is older is removed."""
    now = time.time() if now is None else now
    found = []
    for path in sorted(client_folder(FOLDER).glob("*.json")):
        one = _read(path)
        if one is None or now - one.at > FRESH_S:
            with contextlib.suppress(OSError):  # what is no file of ours stays, and holds up nobody
                path.unlink(missing_ok=True)
        elif one.host == host:
            found.append(one)
    return found


def settle_intents(session: Session) -> list[Outcome]:
    """Send what an earlier client left unanswered, under the same start ids: each becomes one run at most.

    A session that may only look sends nothing: what is left stays for one that may act.
    """
    if session.read_only:
        return []
    outcomes = []
    for one in leftovers(session.host.name):
        try:
            args = read_args(one.verb.args, one.args)
            with intent(one.host, one.verb.name, args):
                answer = session.call(one.verb, args, timeout=20.0)
            outcomes.append(Outcome(True, answer.view, message="an earlier start was completed"))
        except ProtocolError as error:  # it never makes sense, to no host
            one.path.unlink(missing_ok=True)
            outcomes.append(failed(error))
        except CallError as error:
            outcomes.append(failed(error))
    return outcomes


def _read(path: Path) -> Intent | None:
    """One intent; what is torn or foreign counts as none, and so does what a copied home brought along."""
    with contextlib.suppress(RunError, OSError, KeyError, TypeError, ValueError):
        raw = read_json(path)
        place = FolderPlace.from_json(raw.get("place")) if isinstance(raw, dict) else None
        if place is not None and not place.is_at(path.parent):
            return None  # the original sends it, or has had its answer
        if isinstance(raw, dict) and isinstance(raw["args"], dict):
            verb = STARTING[str(raw["verb"])]
            return Intent(path.stem, str(raw["host"]), verb, raw["args"], float(raw["at"]), path)
    return None
