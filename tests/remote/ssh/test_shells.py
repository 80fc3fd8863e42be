"""What stands between the login shell and our agent: noise, shells that leave, questions."""

from pathlib import Path

import pytest

from remote.protocol.errors import CallError, QuestionError
from remote.session.link.link_state import Timings
from remote.session.session import Session, connect
from remote.session.updates import AgentTalk
from tests.remote.calling import call
from tests.remote.ssh.sessions import PATIENCE, QUICK, StartSshd, is_connected, losses, placed
from tests.sshd.client import Laptop, make_key
from tests.sshd.server import Sshd, User
from tests.waiting import wait_until


@pytest.mark.parametrize(
    ("user", "noise"),
    [
        (User("plain"), ""),
        (User("noisy", bashrc="echo hello; echo there >&2"), "hello"),
        (User("garbled", bashrc=r"printf '\033[2J\033]0;evil\007\xff{\"event\":1}\n'"), '{"event":1}'),
        (User("unended", bashrc="printf 'no newline'"), "no newline"),
        (User("slow", bashrc="sleep 0.3"), ""),
        (User("fishy", shell="/usr/bin/fish"), ""),
        (User("dashing", shell="/bin/dash"), ""),
    ],
)
def test_whatever_a_login_shell_prints_the_agent_is_heard(
    start_sshd: StartSshd, user: User, noise: str
) -> None:
    if not Path(user.shell).exists():
        pytest.skip(f"no {user.shell} here")
    sshd = start_sshd([user])
    with connect(placed(sshd, user.name), timings=QUICK) as session:
        assert call(session, "runs")["runs"] == []
        talk = "".join(one.text for one in session.drain() if isinstance(one, AgentTalk))
    assert noise in talk
    assert "\x1b" not in talk


@pytest.mark.parametrize(
    ("bashrc", "said"),
    [
        ("echo go away; exit 3", r"code 3: go away"),
        ("exit 0", r"code 0"),
        ("echo no >&2; exit 1", r"code 1: no"),
    ],
)
def test_a_shell_that_leaves_is_quoted_and_not_tried_again(
    start_sshd: StartSshd, bashrc: str, said: str
) -> None:
    sshd = start_sshd([User("leaving", bashrc=bashrc)])
    session = Session(placed(sshd, "leaving"), timings=QUICK).start()
    try:
        with pytest.raises(CallError, match=said) as caught:
            session.wait_connected(15.0)
        assert caught.value.code == "refused"
        assert ".bashrc" in caught.value.remedy
        assert session.link.phase == "refused"
        (sshd.home("leaving") / ".bashrc").write_text("")
        session.reconnect_now()
        wait_until(is_connected(session), 15.0, "the mended shell")
    finally:
        session.close()


def test_a_shell_that_waits_for_input_is_quoted_and_tried_again(start_sshd: StartSshd) -> None:
    sshd = start_sshd([User("asking", bashrc="echo which project?; sleep 30")])
    timings = Timings(hello_s=0.3, backoff_s=(0.05,))
    with Session(placed(sshd, "asking"), timings=timings) as session:
        told: list[str] = []

        def reasons() -> list[str]:
            told.extend(losses(session.drain()))
            return told

        wait_until(lambda: len(reasons()) == 2, 15.0, "two vain attempts")
    assert told == ["no hello in 0.3 s; the host's shell printed: which project?"] * 2


def test_a_missing_environment_asks_for_a_deploy(sshd: Sshd) -> None:
    host = placed(sshd)
    (sshd.folder / "python-box").unlink()
    with pytest.raises(CallError, match="nothing is deployed") as caught:
        connect(host, timings=QUICK)
    assert (caught.value.code, caught.value.remedy) == ("need_deploy", "photinus hosts deploy box")
    sshd.place(host)
    (sshd.folder / "python-box").write_text("#!/bin/sh\nexec python3 -S -c 'import remote.agent'\n")
    (sshd.folder / "python-box").chmod(0o755)
    with pytest.raises(CallError, match="No module named") as caught:
        connect(host, timings=QUICK)
    assert caught.value.code == "need_deploy"


def test_questions_hold_the_link_until_they_are_answered(sshd: Sshd, laptop: Laptop) -> None:
    host = sshd.host(trusted=False)
    sshd.place(host, env=PATIENCE)
    key = laptop.key
    make_key(key, passphrase="open sesame")
    with (sshd.folder / "authorized_keys").open("a") as file:
        file.write(key.with_suffix(".pub").read_text())
    session = Session(host, timings=QUICK).start()
    try:
        with pytest.raises(QuestionError) as caught:
            session.wait_connected(15.0)
        assert caught.value.code == session.link.phase == "key_unknown"
        attempts = session.link.attempt
        question = session.link.question
        assert question is not None
        assert question.fingerprint == sshd.host_key_fingerprint
        with pytest.raises(QuestionError):
            call(session, "runs", timeout=5.0)
        session.answer(question, "")
        assert session.link.phase == "key_unknown", "an empty reply declines"
        session.answer(question, "yes")
        wait_until(lambda: session.link.phase == "needs_passphrase", 15.0, "the next question")
        question = session.link.question
        assert question is not None
        assert question.subject == str(key)
        assert session.link.attempt == attempts, "nothing was retried meanwhile"
        session.answer(question, "open sesame")
        wait_until(is_connected(session), 15.0, "the link")
        assert session.link.question is None
        sshd.change_host_key()
        wait_until(lambda: session.link.phase == "key_changed", 15.0, "the hard stop")
        assert sshd.host_key_fingerprint in session.link.reason
    finally:
        session.close()
