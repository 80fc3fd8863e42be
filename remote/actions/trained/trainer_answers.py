"""What `photinus-train` of a host answers of a run, as the types that it must be."""

import json
from collections.abc import Sequence
from typing import TypeVar

from remote.actions.trained.ask_trainer import ask_trainer
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.results import VerbResult
from remote.protocol.sanitise import clean_line
from remote.protocol.trained import FeedReport, RestoredCheckpoints, RetentionAnswer
from remote.protocol.values import read_as
from remote.session.session import Session

T = TypeVar("T", bound=VerbResult)
SHARDS_TOLD = 200
ANSWER_MAX = 400


def pin_checkpoint(session: Session, run_id: str, name: str, pinned: bool) -> None:
    """Keep a checkpoint whatever the policy says, or leave it to the policy again.

    Raises:
        CallError: there is no such one, or the host refused.
    """
    _ask(session, run_id, "checkpoints", ["pin" if pinned else "unpin", name])


def prove_checkpoint(session: Session, run_id: str, name: str) -> str:
    """Have the host prove every byte of a checkpoint of its own; what does not hold, empty where all does.

    Raises:
        CallError: there is no such one, or the host refused.
    """
    told = _decoded(session, _ask(session, run_id, "checkpoints", ["verify", name], fails=True))
    word = str(told.get(name, "it was not proven")) if isinstance(told, dict) else "it was not proven"
    return "" if word == "ok" else word


def plan_retention(session: Session, run_id: str) -> RetentionAnswer:
    """What the run's policy would let go, what it keeps, and by which rule.

    Raises:
        CallError: the host refused.
    """
    return _told(session, run_id, "checkpoints", ["retain", "--plan"], RetentionAnswer)


def carry_out_retention(session: Session, run_id: str, plan: str) -> RetentionAnswer:
    """Let go exactly what that plan said.

    Raises:
        CallError: `incompatible`: the host's Photinus names no plans; `refused`: another one would go now.
    """
    if not plan:
        host = session.host.name
        why = f"the Photinus of {host} is older: it cannot let go exactly what it planned"
        raise CallError("incompatible", why, f"photinus hosts deploy {host}")
    return _told(session, run_id, "checkpoints", ["retain", "--as-planned", plan], RetentionAnswer)


def restore_checkpoints(session: Session, run_id: str) -> list[str]:
    """Undo the last retention; the names of what came back.

    Raises:
        CallError: a name is taken again, or the host refused.
    """
    return _told(session, run_id, "checkpoints", ["restore"], RestoredCheckpoints).restored


def read_feed(session: Session, run_id: str) -> FeedReport:
    """The ledger of a run that is fed: what trains, what waits, what came last; at most `SHARDS_TOLD`.

    Raises:
        CallError: it is no feed, or the host refused.
    """
    try:
        return _told(session, run_id, "feed", ["list", "--most", str(SHARDS_TOLD)], FeedReport)
    except CallError as error:
        if error.code != "bad_request":
            raise
        return _told(session, run_id, "feed", ["list"], FeedReport)  # an older one lists all


def ask_feed(session: Session, run_id: str, words: Sequence[str]) -> str:
    """Ask a feed to pause, to resume, to skip or retry a shard; its answer.

    Raises:
        CallError: it is no feed, nobody feeds it, or what was asked has no effect there.
    """
    done = ask_trainer(session, run_id, "feed", [*words])
    said = clean_line(" ".join((done.out or done.said or "it said nothing").split()))[:ANSWER_MAX]
    if done.code:
        raise CallError("refused", f"{session.host.name}: {said}")
    return said


def _told(session: Session, run_id: str, room: str, words: list[str], kind: type[T]) -> T:
    try:
        return read_as(kind, _decoded(session, _ask(session, run_id, room, words)))
    except ProtocolError as error:
        raise _no_sense(session) from error


def _ask(session: Session, run_id: str, room: str, words: list[str], *, fails: bool = False) -> str:
    """What it printed. `fails`: an exit code is part of the answer."""
    done = ask_trainer(session, run_id, room, [*words, "--json"])
    if done.code and not (fails and done.out):
        said = " ".join((done.said or "it failed and said nothing").split())
        raise CallError("refused", f"{session.host.name}: {said}")
    return done.out


def _decoded(session: Session, out: str) -> object:
    try:
        return json.loads(out)
    except (ValueError, RecursionError) as error:
        raise _no_sense(session) from error


def _no_sense(session: Session) -> CallError:
    host = session.host.name
    return CallError("internal", f"the answer of {host} makes no sense", f"photinus hosts deploy {host}")
