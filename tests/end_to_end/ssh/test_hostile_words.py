"""Names, paths and arguments that a shell would act on: no shell ever sees them."""

from collections.abc import Callable

import pytest

from remote.actions import StartRequest, start_run
from remote.hosts.host import Host
from remote.protocol.errors import CallError
from remote.session.session import Session, connect
from remote.ssh.client import connect as ssh_connect
from remote.transport.base import ConnectAttempt
from tests.end_to_end.ssh.box import QUICK
from tests.remote.calling import call
from tests.sshd.client import Laptop
from tests.sshd.server import Sshd, User
from tests.trials import trials
from tests.waiting import wait_until

WORDS = (
    "$(touch pwned)", "`touch pwned`", "; touch pwned", "| touch pwned", "a\ntouch pwned\n", "&& touch pwned",
    "' ; touch pwned ; '", '" ; touch pwned ; "', "%(touch pwned)", "-oProxyCommand=touch pwned", "--help",
    "../../../tmp/x", "~root", "$HOME", "*", "\x1b]0;owned\x07", "\u202etxt.exe", "x" * 300,
)  # fmt: skip
Record = Callable[[str, object], None]


@pytest.fixture
def noisy(start_sshd: Callable[..., Sshd]) -> Sshd:
    """A host whose shell prints on both streams before anything else."""
    return start_sshd([User("noisy", bashrc="echo welcome; echo warning >&2; cd /")])


@pytest.fixture
def session(noisy: Sshd) -> Session:
    host = noisy.host("noisy")
    noisy.place(host)
    return connect(host, timeout=20.0, timings=QUICK)


def pwned(sshd: Sshd, laptop: Laptop) -> list[str]:
    return [str(path) for root in (sshd.folder, laptop.home) for path in root.rglob("pwned")]


@pytest.mark.chaos
@pytest.mark.claim("hostile run names, arguments and paths over SSH: no shell ever sees them")
def test_words_arrive_as_they_are_and_nobody_acts_on_them(
    noisy: Sshd, session: Session, laptop: Laptop, record_property: Record
) -> None:
    words = WORDS[:: trials(3, 1)]
    with session:
        for word in words:
            request = StartRequest(name=word, kind="command", argv=("/usr/bin/printf", "%s\\0", word, "end"))
            outcome = start_run(session, request, timeout=20.0)
            assert outcome.run is not None, f"{word!r}: {outcome.message}"
            run_id = outcome.run.run_id
            log = noisy.home("noisy") / ".photinus" / "runs" / run_id / "log" / "001.log"
            wait_until(lambda: log.read_bytes() == word.encode() + b"\0end\0", 20.0, f"{word!r} in its log")  # noqa: B023
            assert outcome.run.name.isprintable()
            assert run_id.replace("-", "").replace(".", "").isalnum()
            assert session.wait_run(run_id, lambda run: run.is_terminal, 20.0)
            for verb in ("run", "stop", "tail"):
                with pytest.raises(CallError):
                    call(session, verb, {"run_id": word, **({"req_id": "r1"} if verb == "stop" else {})})
    assert pwned(noisy, laptop) == []
    record_property("trials", len(words))


@pytest.mark.parametrize("word", WORDS)
def test_an_address_that_is_none_reaches_no_program(laptop: Laptop, word: str) -> None:
    with pytest.raises(CallError) as caught:
        ssh_connect(Host("box", address=f"{word}:x"), ConnectAttempt(deadline_s=5.0))
    assert caught.value.code == "bad_request"


def test_a_shell_that_is_asked_does_act_on_them(noisy: Sshd, laptop: Laptop) -> None:
    """The control: `ssh host 'echo WORD'` is how it goes wrong, and the search finds it."""
    noisy.ssh("noisy", f"cd {noisy.home('noisy')}; echo {WORDS[0]}")
    assert pwned(noisy, laptop) == [str(noisy.home("noisy") / "pwned")]
