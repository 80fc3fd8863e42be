"""Why SSH did not let us in: one sentence and a remedy each."""

from collections.abc import Iterable

from remote.protocol.errors import CallError, Question, QuestionError, TimeoutError_
from remote.protocol.sanitise import clean
from remote.ssh.config.effective import Target


def needs_passphrase(host: str, path: str, *, wrong: bool) -> QuestionError:
    """A key is encrypted, and no other one opened the door."""
    said = f"the passphrase does not open {path}" if wrong else f"{path} is encrypted"
    return QuestionError(
        "needs_passphrase",
        said,
        f"give its passphrase, or load it once: ssh-add {path}",
        Question("passphrase", host, path),
    )


def only_passwords(where: str, methods: Iterable[str]) -> CallError:
    """The server takes no keys from this user."""
    return CallError(
        "auth_refused",
        f"{where} takes no key, only {_listed(methods)}, which Photinus does not offer",
        f"let it take your key: ssh-copy-id {_copy_id(where)}",
        {"methods": list(methods)},
    )


def another_factor(where: str, methods: Iterable[str]) -> CallError:
    """A key is not enough."""
    return CallError(
        "auth_refused",
        f"{where} took the key and wants {_listed(methods)} as well, which Photinus does not offer",
        "let the host accept the key alone from this machine",
        {"methods": list(methods)},
    )


def too_many_keys(where: str, tried: list[str]) -> CallError:
    """The server hung up before the right key came."""
    return CallError(
        "auth_refused",
        f"{where} hung up after {len(tried)} keys: {_listed(tried)}",
        "name the right one in ~/.ssh/config: IdentityFile PATH and IdentitiesOnly yes",
        {"tried": tried},
    )


def refused(target: Target, methods: Iterable[str], tried: list[str], troubles: list[str]) -> CallError:
    """No key was taken; `troubles`: keys that could not even be offered, and why."""
    if tried:
        said = f"{target.where} refused every key: {_listed(tried)}"
    else:
        said = f"there is no key to offer to {target.where} (looked for {_listed(target.identity_files)})"
    if troubles:
        said += f"; not offered: {_listed(troubles)}"
    return CallError(
        "auth_refused",
        said,
        f"ssh-copy-id {_copy_id(target.where)}, and check the user's name"
        if tried
        else f"make a key (ssh-keygen -t ed25519), then ssh-copy-id {_copy_id(target.where)}",
        {"tried": tried, "methods": list(methods), "troubles": troubles},
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


def no_channel(name: str, text: str) -> CallError:
    """The server allows fewer channels than are needed."""
    return TimeoutError_(
        f"{name} opened no further channel: {clean(text)}",
        "wait for a transfer to end, or raise MaxSessions in its sshd_config",
    )


def no_common_algorithm(where: str, text: str) -> CallError:
    """It only speaks what is not safe any more."""
    return CallError(
        "refused",
        f"{where} and Photinus have no safe algorithm in common: {clean(text)}",
        "update the host's SSH server (CBC ciphers, MD5 and SHA-1 are not used)",
    )


def no_handshake(where: str, text: str, last_word: str) -> str:
    """The other end is no SSH server, or hung up."""
    if last_word:
        return f"the ProxyCommand to {where} failed: {clean(last_word)}"
    if "banner" in text or "protocol version" in text:
        return f"{where} does not answer as an SSH server ({clean(text)})"
    return f"{where} hung up during the handshake" + (f": {clean(text)}" if text else "")


def _listed(words: Iterable[str]) -> str:
    found = list(dict.fromkeys(words))
    return ", ".join(found[:6]) + (f" and {len(found) - 6} more" if len(found) > 6 else "")


def _copy_id(where: str) -> str:
    """`user@host:port` as ssh-copy-id takes it."""
    name, _, port = where.rpartition(":")
    return name if port == "22" else f"-p {port} {name}"
