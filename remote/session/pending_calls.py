"""Verbs on their way: which request waits for which answer, across reconnects."""

from dataclasses import dataclass
from typing import Any, TypeVar

from remote.protocol.answers import Answer, OnDone
from remote.protocol.arguments import VerbArgs
from remote.protocol.errors import CallError, ProtocolError, TimeoutError_, UnreachableError
from remote.protocol.messages import Reply
from remote.protocol.sanitise import clean, clean_tree
from remote.protocol.values import read_as
from remote.protocol.verbs import Verb
from remote.session.link.connection import Connection

R = TypeVar("R")


@dataclass(eq=False, slots=True)
class Call:
    """One verb, sent again after a lost link if it may be (`Verb.repeatable`)."""

    verb: Verb[Any, Any]
    args: VerbArgs
    deadline: float
    on_done: OnDone[Any]
    sent: int = 0


class CallTable:
    """The calls that have no answer yet. Used by the session's own thread only."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def add(self, call: Call) -> None:
        """Take a call; `send` sends it."""
        self._calls.append(call)

    def send(self, connection: Connection) -> None:
        """Send what was not sent on this connection."""
        for call in [call for call in self._calls if not call.sent]:
            try:
                call.sent = connection.send(call.verb, call.args)
            except (TypeError, ValueError) as error:
                self._finish(
                    call, CallError("bad_request", f"{call.verb.name}: arguments cannot be sent: {error}")
                )

    def answer(self, reply: Reply) -> bool:
        """Hand a reply to its call; False if nobody waits for it."""
        call = next((call for call in self._calls if call.sent and call.sent == reply.id), None)
        if call is None:
            return False
        self._finish(call, answer_to(call.verb, reply))
        return True

    def link_lost(self, reason: str) -> None:
        """Mark what may be sent again as unsent; the rest fails."""
        for call in [call for call in self._calls if call.sent]:
            if call.verb.repeatable:
                call.sent = 0
            else:
                self._finish(
                    call,
                    UnreachableError(
                        f"the link was lost during {call.verb.name}: {reason}",
                        "it may have been done all the same: look before you ask again",
                    ),
                )

    def refuse(self, error: CallError, *, except_always: bool) -> None:
        """Fail what this host will not answer."""
        for call in list(self._calls):
            if not (except_always and call.verb.always):
                self._finish(call, error)

    def expire(self, now: float, link_up: bool, reason: str) -> None:
        """Fail what is past its deadline: a time-out where the host is reachable."""
        for call in [call for call in self._calls if now >= call.deadline]:
            if link_up:
                self._finish(call, TimeoutError_(f"no answer to {call.verb.name} in time", "try again"))
            else:
                why = f": {reason}" if reason else ""
                self._finish(
                    call, UnreachableError(f"the host was not reached{why}", "check the link, try again")
                )

    @property
    def has_delicate(self) -> bool:
        """Whether a call is on its way that a lost link would fail, for it may not be sent twice."""
        return any(call.sent and not call.verb.repeatable for call in self._calls)

    def next_deadline(self) -> float | None:
        """The nearest deadline, monotonic seconds."""
        return min((call.deadline for call in self._calls), default=None)

    def _finish(self, call: Call, answer: Answer[Any]) -> None:
        self._calls.remove(call)
        call.on_done(answer)


def answer_to(verb: Verb[Any, R], reply: Reply) -> Answer[R]:
    """A host's answer as the verb's own structure, safe to show; one that makes no sense is an error."""
    if (error := reply.error) is None:
        try:
            return read_as(verb.result, reply.result, verb.texts)
        except ProtocolError as wrong:
            return wrong
    detail = clean_tree(error.detail)
    return CallError(
        error.code,
        clean(error.message),
        clean(error.remedy),
        detail if isinstance(detail, dict) else {},
    )
