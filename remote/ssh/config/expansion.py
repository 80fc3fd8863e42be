"""Tokens, `~` and variables in the values of the user's SSH configuration."""

import os
import pwd
import re
import socket
from collections.abc import Mapping

from remote.hosts.address import Address
from remote.ssh.config.openssh import Asker


def tokens_of(
    asker: Asker, address: Address, hostname: str, port: int, user: str, found: Mapping[str, list[str]]
) -> dict[str, str]:
    """What each `%` token of OpenSSH stands for, of one host."""
    machine = socket.gethostname()
    return {
        "%": "%",
        "d": asker.home,
        "h": hostname,
        "i": str(os.getuid()),
        "k": found.get("hostkeyalias", [address.name])[0],
        "L": machine.split(".")[0],
        "l": machine,
        "n": address.name,
        "p": str(port),
        "r": user,
        "u": pwd.getpwuid(os.getuid()).pw_name,
    }


def expand(text: str, tokens: Mapping[str, str]) -> str:
    """`%h` and its like; a token that OpenSSH would not know either stays as it is."""
    return re.sub(r"%(.)", lambda found: tokens.get(found[1], found[0]), text)


def path_of(text: str, asker: Asker, tokens: Mapping[str, str]) -> str:
    """An absolute path; `~`, `${NAME}` and tokens expanded, the passwd home replaced where $HOME differs."""
    text = re.sub(r"\$\{(\w+)\}", lambda found: asker.environment.get(found[1], ""), expand(text, tokens))
    own = pwd.getpwuid(os.getuid()).pw_dir
    if text == "~" or text.startswith("~/"):
        text = asker.home + text[1:]
    elif text in {f"{own}/.ssh/known_hosts", f"{own}/.ssh/known_hosts2"}:
        text = asker.home + text[len(own) :]
    return os.path.expanduser(text)  # noqa: PTH111  which leaves a user that is not there as it is


def agent_of(value: str, asker: Asker, tokens: Mapping[str, str]) -> str:
    """The agent's socket that IdentityAgent means; empty: none."""
    if value == "none":
        return ""
    if value == "SSH_AUTH_SOCK" or value.startswith("$"):
        return asker.environment.get(value.lstrip("$").strip("{}"), "")
    return path_of(value, asker, tokens)
