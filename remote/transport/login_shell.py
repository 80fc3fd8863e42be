"""The login shell between sshd and our command: whether our command reads yet, and why it never did."""

import re

from remote.protocol.errors import CallError
from remote.protocol.sanitise import clean_line

READY = b"photinus-reads-now\n"
READY_S = 20.0
QUOTED = 200
GUARD = "[[ $- == *i* ]] || return"
START_UP = f"let its start-up files (~/.bashrc, ~/.profile, ...) do nothing without a terminal: {GUARD}"
ASK = "ask whoever runs the host for"
REMEDIES = (
    (r"password.*(expire|change)|(expire|change).*password", "ssh -t {words}, and set a new password there"),
    (r"not available|nologin|disabled|locked|expired", f"{ASK} an account with a login shell"),
    (r"sftp (connections )?only|only.* sftp", f"{ASK} an account that may run commands, not files alone"),
    (r"restricted", f"the account has a restricted shell (rbash): {ASK} another one"),
    (r"not a (tty|terminal)|no tty|requires? a (tty|terminal)", START_UP),
)
OTHERWISE = (
    f"if a start-up file says so, {START_UP}; if the account or the key is bound to one command "
    "(ForceCommand, command=), use another"
)
SILENT = f"look for `exec`, `exit` or a missing program: {START_UP}; or the account has no login shell"


def announced(command: str) -> str:
    """The command, which says first that it is there; a word that every shell takes as it stands.

    A start-up file with `exec zsh` leaves a shell that would carry out whatever we send as commands.
    """
    return f"echo {READY.decode().strip()}; {command}"


class ReadyWord:
    """Listens for the word in what comes, and takes it out. Used by one thread.

    `is_late`: nobody waits for it any more; nothing was sent.
    """

    def __init__(self) -> None:
        self.is_received = self.is_late = False
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What may be handed on of all that came so far; what could be the word's beginning waits."""
        if self.is_received:
            return data
        self._held += data
        before, word, after = self._held.partition(READY)
        if word:
            self.is_received, self._held = True, b""
            return before + after
        sizes = range(min(len(READY), len(self._held)), 0, -1)
        begun = next((size for size in sizes if READY.startswith(self._held[-size:])), 0)
        out, self._held = self._held[: len(self._held) - begun], self._held[len(self._held) - begun :]
        return out

    def rest(self) -> bytes:
        """What was held back, at the end."""
        held, self._held = self._held, b""
        return held


def quotable(*streams: bytes | str) -> str:
    """What the far end said, as it can be quoted in a sentence: clean, one line, its end if it is long."""
    texts = (one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in streams)
    words = " ".join(" ".join(clean_line(text).split()) for text in texts if text.strip())
    return words if len(words) <= QUOTED else "..." + words[3 - QUOTED :]


def shell_remedy(output: str, words: str) -> str:
    """What helps where a login shell printed this and ran no command of ours; `words`: the host for `ssh`."""
    return remedy_by_words(output, words) or (OTHERWISE if output else SILENT)


def remedy_by_words(output: str, words: str) -> str:
    """What helps against what a shell says of itself; empty where that is not known."""
    remedy = next((text for pattern, text in REMEDIES if re.search(pattern, output, re.IGNORECASE)), "")
    return remedy.format(words=words)


def shell_waits(name: str, output: str) -> CallError:
    """A start-up file on `name` reads our input: it asks for something."""
    return CallError(
        "refused",
        f"the login shell on {name} waited for input for {READY_S:g} s before it ran a command"
        + (f": {output}" if output else ""),
        f"look for `read`, `select` or `ssh-add`: {START_UP}",
        {"said": output},
    )


def shell_ended(name: str, code: int, output: str, words: str) -> CallError:
    """The login shell of `name` ended before it ran a command, with what it printed."""
    return CallError(
        "refused",
        f"the login shell on {name} ended with code {code} before it ran a command"
        + (f": {output}" if output else ""),
        shell_remedy(output, words),
        {"code": code, "said": output},
    )
