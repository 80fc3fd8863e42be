"""Why SSH did not let us in: one sentence and a remedy each."""

from collections.abc import Iterable

from remote.hosts.address import ssh_words
from remote.protocol.errors import CallError, Question, QuestionError, TimeoutError_
from remote.protocol.sanitise import clean
from remote.ssh.config.effective import Target
from remote.transport.login_shell import quotable


def needs_passphrase(host: str, path: str, *, wrong: bool) -> QuestionError:
    """A key is encrypted, and no other one opened the door."""
    sentence = f"the passphrase does not open {path}" if wrong else f"{path} is encrypted"
    return QuestionError(
        "needs_passphrase",
        sentence,
        f"give its passphrase, or load it once: ssh-add {path}",
        Question("passphrase", host, path),
    )


def only_passwords(target: Target, methods: Iterable[str], message: str) -> CallError:
    """The server takes no keys from this user."""
    return CallError(
        "auth_refused",
        f"{target.where} takes no key, only {_listed(methods)}, which Photinus does not offer"
        + _quoted(message),
        _by_openssh(target) or f"let it take your key: ssh-copy-id {target.words}",
        {"methods": list(methods), "said": message},
    )


def another_factor(target: Target, methods: Iterable[str], message: str) -> CallError:
    """A key is not enough."""
    return CallError(
        "auth_refused",
        f"{target.where} took the key and wants {_listed(methods)} as well, which Photinus does not offer"
        + _quoted(message),
        _by_openssh(target)
        or "there is no way for a host itself (docs/hosts.md): have it take the key alone from this machine",
        {"methods": list(methods), "said": message},
    )


def hung_up(target: Target, tried: list[str], message: str) -> CallError:
    """The server hung up: before the right key came, or because it will not have us at all."""
    count = len(dict.fromkeys(tried))
    remedy = "name the right one in ~/.ssh/config: IdentityFile PATH and IdentitiesOnly yes"
    if count < 2:
        remedy = "ask whoever runs the host: " if message else ""
        remedy += f"its log says more, and so does: ssh -v {target.words}"
    keys = "1 key" if count == 1 else f"{count} keys"
    return CallError(
        "auth_refused",
        f"{target.where} hung up after {keys}: {_listed(tried)}{_quoted(message)}",
        remedy,
        {"tried": tried, "said": message},
    )


def refused(
    target: Target, methods: Iterable[str], tried: list[str], troubles: list[str], message: str
) -> CallError:
    """No key was taken; `troubles`: keys that could not even be offered, and why."""
    if tried:
        sentence = f"{target.where} refused every key: {_listed(tried)}"
    else:
        sentence = f"there is no key to offer to {target.where} (looked for {_listed(target.identity_files)})"
    if troubles:
        sentence += f"; not offered: {_listed(troubles)}"
    sentence += _quoted(message)
    return CallError(
        "auth_refused",
        sentence,
        f"ssh-copy-id {target.words}, and check the user's name"
        if tried
        else f"make a key (ssh-keygen -t ed25519), then ssh-copy-id {target.words}",
        {"tried": tried, "methods": list(methods), "troubles": troubles, "said": message},
    )


def no_jump(before: str, where: str, code: int, text: str) -> Exception:
    """A jump host did not open the way: for good (1, 3: forbidden, unknown), or just now."""
    if code in (1, 3):
        return CallError(
            "refused",
            f"{before} does not forward to {where}: {clean(text)}",
            "AllowTcpForwarding yes in its sshd_config",
        )
    return OSError(f"{before} cannot reach {where}: {clean(text)}")


def no_channel(name: str) -> CallError:
    """The server allows fewer channels than are needed."""
    return TimeoutError_(
        f"{name} opened no further channel",
        "wait for a transfer to end, or raise MaxSessions in its sshd_config",
    )


def no_session(name: str) -> CallError:
    """The server lets us in and opens nothing: forwarding only."""
    return CallError(
        "refused", f"{name} opens no session on a connection", "MaxSessions 2 or more in its sshd_config"
    )


def no_commands(name: str, output: str) -> CallError:
    """The server opened a session and would run nothing in it."""
    return CallError(
        "refused",
        f"{name} runs no commands" + (f": {quotable(output)}" if output else ""),
        "use an account and a key that may run commands there (no ForceCommand internal-sftp, no command=)",
    )


def no_sftp(name: str, output: str) -> CallError:
    """The server has no SFTP, or something else stands in its place."""
    return CallError(
        "refused",
        f"{name} offers no SFTP" + (f": {quotable(output)}" if output else ""),
        "Subsystem sftp internal-sftp in its sshd_config, then restart its SSH server",
    )


def no_common_algorithm(where: str, text: str, first: str, setting: str) -> CallError:
    """It only speaks what is not safe any more, or what we do not know; `setting`: what would let us in."""
    if first.startswith("SSH-1."):
        sentence = f"{where} speaks an SSH of before 2006: {quotable(first)}"
        return CallError("refused", sentence, "update its SSH server")
    update = "update the host's SSH server (CBC ciphers, MD5 and SHA-1 are not used)"
    return CallError(
        "refused",
        f"{where} and Photinus have no safe algorithm in common: {clean(text)}",
        f"{setting} in its sshd_config lets us in; if it does not know that, {update}" if setting else update,
    )


def no_handshake(where: str, text: str, first: str, last_words: str) -> str:
    """No SSH server, or one that hung up. `first`: its first words; `last_words`: of a ProxyCommand."""
    if last_words:
        return f"the ProxyCommand to {where} failed: {quotable(last_words)}"
    if "banner" in text or "protocol version" in text:
        answer = f"its first words: {quotable(first)}" if first.strip() else "it said nothing"
        return f"{where} does not answer as an SSH server ({answer})"
    return f"{where} hung up during the handshake" + (f": {clean(text)}" if text else "")


def _listed(words: Iterable[str]) -> str:
    found = list(dict.fromkeys(words))
    return ", ".join(found[:6]) + (f" and {len(found) - 6} more" if len(found) > 6 else "")


def _quoted(message: str) -> str:
    return f"; it said: {quotable(message)}" if message.strip() else ""


def _by_openssh(target: Target) -> str:
    """The way through a jump host that wants more than a key: OpenSSH itself, with its master."""
    if not target.is_jump:
        return ""
    name = target.alias
    words = ssh_words(name)
    return (
        f"in ~/.ssh/config, in place of ProxyJump: ProxyCommand ssh -W %h:%p {words}; and open a "
        f"master first (ControlMaster and ControlPath for {name}): ssh -fN {words}"
    )
