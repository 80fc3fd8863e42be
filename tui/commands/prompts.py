"""What only the operator can decide before a host is reached, asked on the terminal; scripts get an error."""

import argparse
import getpass
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from remote.actions.connectivity import Ask, walk_in
from remote.hosts.host import Host
from remote.protocol.errors import CallError, Question, QuestionError, UnreachableError
from remote.protocol.sanitise import clean_line
from remote.session.session import Session
from tui.commands.output import say

PATIENCE_S = 15.0
QUIET_S = 3.0


def at_a_terminal() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def read_line(prompt: str) -> str:
    """One line that was typed, `no` where the input ends; the prompt goes to stderr, stdout is data."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    if typed := sys.stdin.readline():
        return typed.strip()
    say("")
    return "no"


@dataclass(slots=True)
class Prompter:
    """Answers questions, each once: what was right for one link is used for the next one.

    Attributes:
        accepted, proxies: fingerprints of host keys and of ProxyCommands that the command line has accepted.
        command: what a script would add the option to; empty: `photinus hosts test NAME`.
        interactive, line, secret: whether somebody is there, and how they are asked.
    """

    accepted: Collection[str] = ()
    proxies: Collection[str] = ()
    command: str = ""
    interactive: Callable[[], bool] = at_a_terminal
    line: Callable[[str], str] = read_line
    secret: Callable[[str], str] = getpass.getpass
    _given: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def asker(self, name: str) -> Ask:
        """What answers the questions of one link, to the host of that name."""
        tried: set[tuple[str, str, str]] = set()

        def ask(error: QuestionError) -> str:
            question = error.question
            known = (question.kind, question.subject, question.fingerprint)
            if known in tried:
                self._given.pop(known, None)  # it was wrong
            tried.add(known)
            if known not in self._given:
                self._given[known] = self._answer(error, name)
            return self._given[known]

        return ask

    def _answer(self, error: QuestionError, name: str) -> str:
        """The operator's answer.

        Raises:
            CallError: nobody is there, or they declined; the remedy is what a script would give.
        """
        question = error.question
        if question.kind == "host_key" and self.accepted:
            return self._compared(error)
        if question.fingerprint and question.fingerprint in self.proxies:
            return question.fingerprint
        if not self.interactive():
            raise for_a_script(error, self.command or f"photinus hosts test {name}")
        text = {"host_key": self._host_key, "passphrase": self._passphrase, "proxy_command": self._proxy}[
            question.kind
        ](question)
        if not text:
            raise CallError(error.code, f"{error.message}: not answered", error.remedy)
        return text

    def confirm(self, prompt: str) -> bool:
        """Yes, or just the return key; False where nobody is there."""
        return self.interactive() and self.line(f"{prompt} [Y/n] ").lower() in ("", "y", "yes")

    def _compared(self, error: QuestionError) -> str:
        shown = error.question.fingerprint
        if shown in self.accepted:
            return shown
        raise CallError(
            error.code,
            f"{error.message}, and not the {' or '.join(map(clean_line, self.accepted))} that was accepted",
            "ask whoever runs the host which key it has; do not connect before you know",
        )

    def _host_key(self, question: Question) -> str:
        say(f"{clean_line(question.subject)} is not known yet. It shows the key")
        say(f"  {clean_line(question.key_type)} {clean_line(question.fingerprint)}")
        say("Compare it with the host's own, there: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
        typed = self.line("Trust it from now on? (yes, no, or the fingerprint) ")
        while typed not in ("yes", "no", "", question.fingerprint):
            wrong = "That is not the key that it shows. " if typed.startswith("SHA256:") else ""
            typed = self.line(f"{wrong}Type yes, no, or the fingerprint: ")
        return question.fingerprint if typed in ("yes", question.fingerprint) else ""

    def _passphrase(self, question: Question) -> str:
        return self.secret(f"Passphrase of {clean_line(question.subject)}: ")

    def _proxy(self, question: Question) -> str:
        say(f"{clean_line(question.host)} is reached through this command of your ssh configuration:")
        say(f"  {clean_line(question.subject)}")
        return "yes" if self.line("Run it, now and whenever it reads like this? (yes, no) ") == "yes" else ""


def for_a_script(error: QuestionError, command: str) -> QuestionError:
    """The same question, its remedy the exact option that answers it."""
    question = error.question
    if question.kind == "passphrase":
        return error
    option, first = "--accept-proxy-command", "read the command, then: "
    if question.kind == "host_key":
        option = "--accept-host-key"
        first = (
            "compare it with the host's own (there: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then: "
        )
    return QuestionError(
        error.code, error.message, f"{first}{command} {option} {question.fingerprint}", question
    )


def prompter_of(args: argparse.Namespace, command: str = "") -> Prompter:
    """A desk that knows what the command line has accepted."""
    return Prompter(args.accept_host_key, args.accept_proxy_command, command)


DESK = Prompter()


def reach(
    host: Host,
    prompter: Prompter = DESK,
    timeout: float = PATIENCE_S,
    *,
    history: int = 0,
    telemetry_s: float = 0.0,
) -> Session:
    """A session whose host answered hello, questions asked on the way; the last two are a `Session`'s.

    Raises:
        CallError: it cannot be reached, refused us, or a question was not answered.
    """
    session = Session(host, history=history, telemetry_s=telemetry_s).start()
    try:
        _walk_in_aloud(session, prompter.asker(host.name), timeout)
    except BaseException:
        session.close()
        raise
    return session


def _walk_in_aloud(session: Session, ask: Ask, timeout: float) -> None:
    """Walk in; what takes longer than a person waits without a word is told, with its reason."""
    if timeout > QUIET_S:
        try:
            walk_in(session, ask, QUIET_S)
        except UnreachableError as error:
            timeout -= QUIET_S
            say(f"{clean_line(error.message)}; trying for {timeout:g} s more")
        else:
            return
    walk_in(session, ask, timeout)
