"""Runs as things one keeps: label, archive, throw away, bring back."""

import re
from collections.abc import Sequence
from typing import TypeVar

from remote.actions.start_request import new_ticket
from remote.audit.whoami import whoami
from remote.protocol.arguments import VerbArgs
from remote.protocol.errors import CallError
from remote.protocol.keeping import (
    ArchiveArgs,
    AskArgs,
    KeepArgs,
    KeptRun,
    LabelArgs,
    LineArgs,
    PurgeArgs,
    Purged,
    SavedCheckpoint,
    TrashArgs,
    TrashedRun,
    WaitingLine,
)
from remote.protocol.verbs import ARCHIVE, LABEL, PURGE, QUEUE_CHANGE, RESTORE, SAVE, TRASH, TRASHED, Verb
from remote.protocol.views import RunView
from remote.session.session import Session

A = TypeVar("A", bound=VerbArgs)
R = TypeVar("R")
ASK_S = 30.0
SAVE_S = 60.0
COPY_S = 3600.0  # a folder on another disk, read back byte by byte
PAGES_MAX = 1000
NAME_MAX, NOTE_MAX = 200, 2000
TAG = re.compile(r"[^\s,\x00-\x1f\x7f]{1,40}")


def ask(session: Session, verb: Verb[A, R], args: A, timeout: float = ASK_S, lacks: str = "") -> R:
    """The answer of a verb that an older Photinus of the host may lack; `lacks` says what it then cannot do.

    Raises:
        CallError: `incompatible`: it does; with what brings the host up to date.
    """
    try:
        return session.call(verb, args, timeout)
    except CallError as error:
        if error.code != "unknown_verb":
            raise
        name = session.host.name
        raise CallError(
            "incompatible",
            f"the Photinus of {name} is older{lacks or f', and knows no {verb.name}'}",
            f"photinus hosts deploy {name}",
        ) from error


def demand_tags(words: Sequence[str]) -> None:
    """Refuse what is no tag before a host is asked.

    Raises:
        CallError: `bad_request`.
    """
    for word in words:
        if not TAG.fullmatch(word):
            raise CallError(
                "bad_request",
                f"{word[:60]!r} is no tag",
                "a word of 1 to 40 characters, without blanks and commas",
            )


def demand_lengths(name: str | None, note: str | None) -> None:
    """Refuse a name or a note that is longer than a host takes.

    Raises:
        CallError: `bad_request`.
    """
    for what, text, most in (("name", name, NAME_MAX), ("note", note, NOTE_MAX)):
        if text is not None and len(text) > most:
            raise CallError(
                "bad_request", f"a {what} of {len(text):,} characters is too long", f"at most {most:,}"
            )


def label_run(
    session: Session,
    run_id: str,
    *,
    name: str | None = None,
    note: str | None = None,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
) -> RunView:
    """Change the words about a run; None leaves as they are, an empty text takes away.

    Raises:
        CallError: a tag is none, a text too long, or the host refused.
    """
    demand_tags([*add, *remove])
    demand_lengths(name, note)
    args = LabelArgs(run_id=run_id, name=name, note=note, add=[*add], remove=[*remove], by=whoami())
    return ask(session, LABEL, args)


def save_run(session: Session, run_id: str, patience_s: float = SAVE_S) -> SavedCheckpoint:
    """Have a live run write a checkpoint now, and wait for it.

    Raises:
        CallError: it is not live, or did not save in that time.
    """
    asked = AskArgs(run_id=run_id, req_id=new_ticket(), patience_s=patience_s, by=whoami())
    return ask(session, SAVE, asked, patience_s + 10.0)


def change_line(
    session: Session,
    run_id: str,
    *,
    place: int | None = None,
    held: bool | None = None,
    after: str | None = None,
) -> WaitingLine:
    """Give a run that waits another place (1: the first), hold it or let it go, or have it wait for a run.

    Returns:
        the line as it is then. None leaves as it is; an empty `after` waits for no run.

    Raises:
        CallError: it does not wait, or would wait for itself.
    """
    args = LineArgs(run_id=run_id, place=place, held=held, after=after, by=whoami())
    return ask(session, QUEUE_CHANGE, args)


def archive_run(session: Session, run_id: str, to: str = "") -> KeptRun:
    """Put a run that is over out of the list; `to`: into that folder of its host.

    Raises:
        CallError: it is not over, or cannot go there.
    """
    return ask(session, ARCHIVE, ArchiveArgs(run_id=run_id, to=to, by=whoami()), COPY_S if to else ASK_S)


def trash_run(session: Session, run_id: str) -> KeptRun:
    """Put a run that is over into the trash of its host.

    Raises:
        CallError: it is not over, left processes, or another run began from it.
    """
    return ask(session, TRASH, KeepArgs(run_id=run_id, by=whoami()))


def restore_run(session: Session, run_id: str) -> KeptRun:
    """Bring a run back, from the trash, the archive, or the folder that it went to.

    Raises:
        CallError: it is in none of them.
    """
    return ask(session, RESTORE, KeepArgs(run_id=run_id, by=whoami()), COPY_S)


def purge_trash(session: Session, run_ids: Sequence[str] = (), older_s: float = 0.0) -> Purged:
    """Remove for good what lies in the trash: these runs, or all that lie there longer than `older_s`.

    Raises:
        CallError: one of them is not there.
    """
    args = PurgeArgs(run_ids=[*run_ids], older_s=older_s, by=whoami())
    return ask(session, PURGE, args, COPY_S)


def list_trash(session: Session) -> list[TrashedRun]:
    """What lies in the trash, the newest first.

    Raises:
        CallError: the host does not say.
    """
    found: list[TrashedRun] = []
    skip = 0
    for _ in range(PAGES_MAX):
        page = ask(session, TRASHED, TrashArgs(skip=skip))
        found += page.runs
        if page.next <= skip:
            break
        skip = page.next
    return found
