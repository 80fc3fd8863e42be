"""Questions: asked where somebody is there, an error with its remedy where nobody is."""

import io
import os
import pty
import select
import subprocess
import sys

import pytest

from remote.hosts.host import Host
from remote.protocol.errors import CallError, Question, QuestionError, UnreachableError
from tests.remote.calling import call
from tests.sshd.client import Laptop
from tests.sshd.server import Sshd
from tests.waiting import wait_until
from tui.commands import prompts as asking
from tui.commands.prompts import Prompter, reach

KEY = QuestionError(
    "key_unknown", "box is not known yet", "--accept-host-key SHA256:abc",
    Question("host_key", "box", "ada@box", "ssh-ed25519", "SHA256:abc"),
)  # fmt: skip
PHRASE = QuestionError("needs_passphrase", "locked", "ssh-add", Question("passphrase", "box", "/k"))
PROXY = QuestionError(
    "proxy_unconfirmed",
    "a command",
    "",
    Question("proxy_command", "box", "nc %h\x1b[31m", fingerprint="SHA256:p"),
)


def prompter(*answers: str, accepted: tuple[str, ...] = (), there: bool = True) -> tuple[Prompter, list[str]]:
    """Somebody who gives these answers, and the prompts that they saw."""
    left, prompts = list(answers), list[str]()

    def say(prompt: str) -> str:
        prompts.append(prompt)
        return left.pop(0)

    return Prompter(accepted, interactive=lambda: there, line=say, secret=say), prompts


@pytest.mark.parametrize("question", [KEY, PHRASE, PROXY])
def test_where_nobody_is_the_question_is_an_error(question: QuestionError) -> None:
    with pytest.raises(QuestionError) as caught:
        prompter(there=False)[0].asker("box")(question)
    assert caught.value.exit_code == 3


def test_a_script_is_told_the_very_words_to_give() -> None:
    remedies = []
    for question in (KEY, PROXY, PHRASE):
        with pytest.raises(QuestionError) as caught:
            prompter(there=False)[0].asker("rack")(question)
        remedies.append(caught.value.remedy)
    assert remedies[0].endswith("then: photinus hosts test rack --accept-host-key SHA256:abc")
    assert remedies[1].endswith("then: photinus hosts test rack --accept-proxy-command SHA256:p")
    assert remedies[2] == "ssh-add"
    assert Prompter(proxies=["SHA256:p"], interactive=lambda: False).asker("rack")(PROXY)


@pytest.mark.parametrize("typed", ["yes", "SHA256:abc"])
def test_a_key_is_accepted_by_yes_or_by_itself(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert prompter(typed)[0].asker("box")(KEY)
    told = capsys.readouterr()
    assert ("ssh-ed25519 SHA256:abc" in told.err, told.out) == (True, "")


@pytest.mark.parametrize("typed", [[""], ["no"], ["y", "no"], ["SHA256:abcd", ""]])
def test_anything_else_accepts_no_key(typed: list[str]) -> None:
    someone, prompts = prompter(*typed)
    with pytest.raises(CallError, match="not answered"):
        someone.asker("box")(KEY)
    assert len(prompts) == len(typed)


def test_the_end_of_the_input_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    there = Prompter(interactive=lambda: True)
    assert (there.confirm("Deploy?"), there.confirm("Deploy?")) == (True, False)


def test_a_key_of_the_command_line_is_compared_and_nobody_is_asked() -> None:
    someone, prompts = prompter(accepted=("SHA256:abc",), there=False)
    assert someone.asker("box")(KEY) == "SHA256:abc"
    other, _ = prompter("yes", accepted=("SHA256:xyz",))
    with pytest.raises(CallError, match="not the SHA256:xyz"):
        other.asker("box")(KEY)
    assert prompts == []


def test_a_proxy_command_is_shown_harmlessly_and_confirmed(capsys: pytest.CaptureFixture[str]) -> None:
    assert prompter("yes")[0].asker("box")(PROXY)
    assert ("nc %h" in (err := capsys.readouterr().err), "\x1b" in err) == (True, False)
    with pytest.raises(CallError):
        prompter("y")[0].asker("box")(PROXY)


def test_a_passphrase_is_asked_once_for_all_links_and_again_when_it_was_wrong() -> None:
    someone, prompts = prompter("wrong", "right")
    first = someone.asker("box")
    assert [first(PHRASE), first(PHRASE)] == ["wrong", "right"]
    assert someone.asker("box")(PHRASE) == "right"
    assert len(prompts) == 2
    with pytest.raises(CallError):
        prompter("")[0].asker("box")(PHRASE)


def test_a_session_is_reached_through_its_questions(sshd: Sshd, laptop: Laptop) -> None:
    host = sshd.host("plain", name="box", trusted=False)
    sshd.place(host)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-f", laptop.key], check=True)
    nobody, _ = prompter(there=False)
    with pytest.raises(QuestionError) as caught:
        reach(host, nobody)
    assert caught.value.code == "key_unknown"
    someone, prompts = prompter("yes", "open", "open sesame")
    with reach(host, someone) as session:
        assert call(session, "status")["home"] == str(sshd.home("plain") / ".photinus")
    assert len(prompts) == 3
    with pytest.raises(QuestionError) as caught:  # the key is stored, the passphrase is not
        reach(host, nobody)
    assert caught.value.code == "needs_passphrase"


def test_a_host_that_is_away_is_unreachable_within_the_time(laptop: Laptop) -> None:
    with pytest.raises(UnreachableError):
        reach(Host("box", "me@127.0.0.1:1"), prompter(there=False)[0], timeout=0.5)


def test_what_takes_longer_is_told_with_its_reason(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(asking, "QUIET_S", 0.5)
    with pytest.raises(UnreachableError, match=r"not reached in 0\.1 s") as caught:
        reach(Host("box", "me@127.0.0.1:1"), prompter(there=False)[0], timeout=0.6)
    assert (
        "box was not reached in 0.5 s: 127.0.0.1 port 1: Connection refused; trying"
        in capsys.readouterr().err
    )
    assert "photinus hosts test box" in caught.value.remedy


def test_a_person_at_a_terminal_adds_a_host(sshd: Sshd, laptop: Laptop) -> None:
    words = [sys.executable, "-P", "-m", "tui", "hosts", "add", "box", sshd.address("plain")]
    master, slave = pty.openpty()
    child = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    seen = b""

    def hears(word: bytes) -> bool:
        nonlocal seen
        while select.select([master], [], [], 0)[0]:
            try:
                seen += os.read(master, 4096)
            except OSError:  # the child has left
                break
        return word in seen

    try:
        wait_until(lambda: hears(b"Trust it from now on?"), 20.0, "the question")
        assert sshd.host_key_fingerprint.encode() in seen
        os.write(master, b"yes\n")
        wait_until(lambda: hears(b"Deploy Photinus to box now?"), 20.0, "the offer")
        assert seen.count(b"ok     tcp") == 1  # told once, although it was gone through twice
        os.write(master, b"n\n")
        wait_until(lambda: hears(b"box was added"), 20.0, "the end")
        assert child.wait(10) == 0
    finally:
        child.kill()
        child.wait()
        os.close(master)
