"""`hosts test`: the way to a host, step by step; each step says how it went and what would help."""

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from remote.hosts.address import ssh_words
from remote.hosts.host import Host
from remote.hosts.placement import read_placement
from remote.protocol.arguments import PingArgs, RunsArgs
from remote.protocol.errors import CallError, ErrorCode, QuestionError
from remote.protocol.sanitise import clean_line
from remote.protocol.verbs import PING, RUNS
from remote.session.last_seen import note
from remote.session.link.open_transport import open_transport
from remote.session.session import Session
from remote.transport.base import Answers, ConnectAttempt, Opener, Transport
from remote.transport.login_shell import quotable, shell_ended
from remote.transport.sftp import Sftp

if TYPE_CHECKING:
    from remote.ssh.client import SshClient

WORD = b"photinus-was-here"
DIAL_S = 15.0
HELLO_S = 15.0
SHELL_S = 20.0
HOST_KEY = "host key"
KEY_CODES = frozenset({"key_unknown", "key_changed"})
Ask = Callable[[QuestionError], str]
"""The operator's answer to a question, or an error where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. `ok` None: it could not be tried, which is no fault. `code`: of an error."""

    name: str
    ok: bool | None
    said: str = ""
    remedy: str = ""
    code: ErrorCode | Literal["ok"] = "ok"
    ms: float | None = None


@dataclass(slots=True)
class ConnectivityReport:
    """What a test found. `host_id` is empty where no agent answered."""

    steps: list[Step] = field(default_factory=list)
    host_id: str = ""

    @property
    def failure(self) -> Step | None:
        """The first step that failed."""
        return next((step for step in self.steps if step.ok is False), None)


class ConnectivityTest:
    """One test; `on_step` is called with each step as it ends."""

    def __init__(self, host: Host, on_step: Callable[[Step], None], ask: Ask, answers: Answers) -> None:
        self.report = ConnectivityReport()
        self.ask = ask
        self._host, self._on_step, self._answers = host, on_step, answers
        self._open: tuple[str, float] | None = None
        self._repeats_left = 0

    def add(self, name: str, ok: bool | None, message: str = "", remedy: str = "", **more: Any) -> None:
        """A step has ended."""
        step = Step(name=name, ok=ok, said=clean_line(message), remedy=clean_line(remedy), **more)
        self.report.steps.append(step)
        self._repeats_left -= 1
        if self._repeats_left < 0:
            self._on_step(step)

    def fail(self, name: str, error: CallError | OSError) -> None:
        """A step has failed."""
        if isinstance(error, CallError):
            self.add(name, False, error.message, error.remedy, code=error.code)
        else:
            self.add(name, False, str(error), _remedy_for(name, self._host), code="unreachable")

    def begin(self, stage: str) -> None:
        """The dial is at this stage now: the one before went well; or it waits in it for a person."""
        name, waits, what = stage.partition(" (")
        if waits:
            self._on_step(Step(name=name, ok=None, said=clean_line(what.removesuffix(")"))))
            return
        now = time.monotonic()
        if self._open is not None:
            name, since = self._open
            self.add(HOST_KEY if name == "ssh" else name, True, ms=(now - since) * 1000)
        self._open = (stage, now)

    def reach(self) -> "SshClient | None":
        """Configuration to authentication; None where a step failed."""
        from remote.ssh.client import connect

        while True:
            self._open = None
            done = len(self.report.steps)
            dial = ConnectAttempt(deadline_s=DIAL_S, say=self.begin, answers=self._answers)
            try:
                client = connect(self._host, dial)
            except QuestionError as error:
                try:
                    self._answers.take(error.question, self.ask(error))
                except CallError as unanswered:
                    self._fail_at(unanswered)
                    return None
                self._repeats_left = len(self.report.steps) - done  # they will go as well as before
                del self.report.steps[done:]
            except (CallError, OSError) as error:
                self._fail_at(error)
                return None
            else:
                self.begin("")
                return client

    def _fail_at(self, error: CallError | OSError) -> None:
        name = self._open[0] if self._open else "config"
        is_key = isinstance(error, CallError) and error.code in KEY_CODES
        self.fail(HOST_KEY if is_key else name, error)


def check_connectivity(
    host: Host,
    on_step: Callable[[Step], None],
    ask: Ask,
    answers: Answers | None = None,
    *,
    agent: bool = True,
) -> ConnectivityReport:
    """Walk the way to `host`. Nothing is changed there, except that an agent has a contact with its runs.

    Args:
        on_step: called with each step as it ends.
        ask: asked for what only the operator can decide; what it raises fails the step.
        agent: go on to the agent, where one was deployed.
    """
    walk = ConnectivityTest(host, on_step, ask, answers or Answers())
    if host.is_local:
        if agent:
            _agent_steps(walk, host, open_transport)
        return walk.report
    client = _ssh_steps(walk, host)
    if client is None:
        return walk.report
    try:
        if _shell_step(walk, client, host) and _python_step(walk, client, host) and agent:
            _agent_steps(walk, host, _opener_over(client))
    finally:
        client.close()
    return walk.report


def _opener_over(client: "SshClient") -> Opener:
    """The agent over the connection that was walked: who logs in once touches the key once."""
    from remote.session.link.ssh_pipe import agent_on

    unused = [client]

    def opener(host: Host, dial: ConnectAttempt) -> Transport:
        return agent_on(unused.pop(), host) if unused else open_transport(host, dial)

    return opener


def _ssh_steps(walk: ConnectivityTest, host: Host) -> "SshClient | None":
    from remote.ssh.config.effective import not_honoured_words, target_of

    try:
        target = target_of(host.address, host.name)
    except CallError as error:
        walk.fail("config", error)
        return None
    route = " via ".join([target.where, *(hop.where for hop in reversed(target.hops))])
    parts = [route, *(hop.note for hop in (target, *target.hops) if hop.note)]
    if target.not_honoured:
        parts.append(f"not honoured: {not_honoured_words(target.not_honoured)}")
    walk.add("config", True, "; ".join(parts))
    return walk.reach()


def _shell_step(walk: ConnectivityTest, client: "SshClient", host: Host) -> bool:
    begun = time.monotonic()
    try:
        ran = client.run(f"printf {WORD.decode()}", timeout_s=SHELL_S)
    except (CallError, OSError) as error:
        walk.fail("shell", error)
        return False
    before, found, after = ran.out.partition(WORD)
    ms = (time.monotonic() - begun) * 1000
    if not found:
        output = quotable(ran.err, ran.out)
        why = shell_ended(host.name, ran.code, output, ssh_words(host.address))
        walk.add("shell", False, why.message, why.remedy, code=why.code, ms=ms)
        return False
    noise = len(before) + len(after)
    message = f"prints {noise} bytes of its own, which are skipped" if noise else "quiet"
    walk.add("shell", True, message, ms=ms)
    return True


def _python_step(walk: ConnectivityTest, client: "SshClient", host: Host) -> bool:
    from remote.deploy.plan import choose_python, foresee
    from remote.deploy.survey import probe

    begun = time.monotonic()
    try:
        survey = probe(client, host)
    except (CallError, OSError) as error:
        walk.fail("python", error)
        return False
    ms = (time.monotonic() - begun) * 1000
    try:
        notes = foresee(survey, host)
        python = choose_python(survey, host)
    except CallError as error:
        if not survey.environments:
            walk.add("python", False, error.message, error.remedy, code=error.code, ms=ms)
            return False
        walk.add("python", True, f"a new deploy would be refused: {error.message}; {error.remedy}", ms=ms)
    else:
        parts = [f"{python.label}, {survey.system} {survey.arch}", *(f"note: {note}" for note in notes)]
        walk.add("python", True, "; ".join(parts), ms=ms)
    return _files_step(walk, client, survey.home)


def _files_step(walk: ConnectivityTest, client: "SshClient", home: str) -> bool:
    """Open a channel for files, and read which state root it is, where there is one."""
    begun = time.monotonic()
    try:
        with contextlib.closing(client.sftp()) as sftp:
            walk.report.host_id = _host_id(sftp, home)
    except (CallError, OSError) as error:
        walk.fail("files", error)
        return False
    message = "SFTP" if client.offers_sftp else "the host offers no SFTP; a small server of ours does it"
    walk.add("files", True, message, ms=(time.monotonic() - begun) * 1000)
    return True


def _host_id(sftp: Sftp, home: str) -> str:
    """Which state root it is, where there is one: known before anything is deployed from here."""
    with contextlib.suppress(OSError, ValueError, EOFError):
        with contextlib.closing(sftp.open(f"{home}/host.json", "rb")) as file:
            raw: Any = json.loads(file.read(4096))
        if isinstance(raw, dict) and isinstance(raw.get("host_id"), str):
            return clean_line(raw["host_id"])
    return ""


def _agent_steps(walk: ConnectivityTest, host: Host, opener: Opener) -> None:
    if not host.is_local and read_placement(host) is None:
        walk.add("agent", None, "nothing is deployed yet", f"photinus hosts deploy {host.name}")
        return
    begun = time.monotonic()
    with Session(host, history=0, opener=opener) as session:
        try:
            hello = walk_in(session, walk.ask, HELLO_S)
            ms = (time.monotonic() - begun) * 1000
            devices = ", ".join(hello.devices)
            walk.add("agent", True, f"photinus {hello.version} on {hello.platform}, {devices}", ms=ms)
            session.call(RUNS, RunsArgs(finished=0) if hello.has_pages else RunsArgs())
            rtt = _round_trip(session)
        except CallError as error:
            walk.fail("agent", error)
            return
        walk.add("round trip", True, f"{rtt:.1f} ms", ms=rtt)
        walk.report.host_id = hello.host_id
        note(session)


def _round_trip(session: Session, count: int = 3) -> float:
    """The fastest of a few answers, milliseconds: the slowest tells of the host's load, not of the link."""
    times = []
    for number in range(count):
        begun = time.monotonic()
        session.call(PING, PingArgs(n=(1 << 40) + number))
        times.append((time.monotonic() - begun) * 1000)
    return min(times)


def walk_in(session: Session, ask: Ask, timeout: float) -> Any:
    """Wait for hello and answer what is asked on the way.

    Raises:
        CallError: no hello within `timeout` seconds, a refusal, or a question without an answer.
    """
    while True:
        try:
            return session.wait_connected(timeout)
        except QuestionError as error:
            session.answer(error.question, ask(error))


def _remedy_for(step: str, host: Host) -> str:
    words = ssh_words(host.address)
    return {
        "config": f"look at `ssh -G {words}`",
        "dns": f"is {host.address} spelled right, and is this machine in its network (VPN)?",
        "ssh": f"try `ssh -v {words}`",
        "tcp": "is the machine on and in this network, and does its SSH server run on that port?",
        "auth": f"try `ssh {words}`; `ssh-add -l` lists the keys of your agent",
    }.get(step.split(" via ")[0], f"try `ssh {words}`")
