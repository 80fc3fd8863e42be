"""Verbs by their words: a test says and reads plain values, as they stand on the wire."""

from collections.abc import Callable, Mapping
from typing import Any

from remote.protocol.errors import CallError
from remote.protocol.results import as_answered
from remote.protocol.verbs import VERBS
from remote.session.session import CALL_S, Session


def args_of(verb: str, values: Mapping[str, Any]) -> Any:
    """A verb's arguments, of whatever sense they are: it is the host that checks them."""
    kind = VERBS[verb].args
    names = dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
    return kind(**{names[word]: value for word, value in values.items()})


def call(
    session: Session, verb: str, args: Mapping[str, Any] | None = None, timeout: float = CALL_S
) -> dict[str, Any]:
    """The answer of a verb."""
    return dict(as_answered(session.call(VERBS[verb], args_of(verb, args or {}), timeout)))


def call_async(
    session: Session,
    verb: str,
    args: Mapping[str, Any],
    on_done: Callable[[Mapping[str, Any] | CallError], None],
    timeout: float = CALL_S,
) -> None:
    """The same without waiting."""
    session.call_async(
        VERBS[verb],
        args_of(verb, args),
        lambda answer: on_done(answer if isinstance(answer, CallError) else as_answered(answer)),
        timeout,
    )
