"""What makes a host contact its own runs when it starts: a systemd user unit, a LaunchAgent. Pure texts."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

CONTACT = ("-I", "-m", "remote.agent", "--contact")


def unit_name(home: str) -> str:
    """One for each state root: two of them on one account do not take each other's place."""
    return f"photinus-contact-{_mark(home)}.service"


def label(home: str) -> str:
    """The same for launchd."""
    return f"dev.photinus.contact.{_mark(home)}"


def _mark(home: str) -> str:
    return hashlib.sha256(home.encode()).hexdigest()[:8]


def systemd_unit(python: str, home: str) -> str:
    """A user unit that runs one contact when the user's manager starts.

    What the contact started lives on in the unit's group: `RemainAfterExit` and `KillMode=process` keep
    systemd from ending it with the contact.

    Raises:
        ValueError: a path that no unit can hold.
    """
    return f"""\
# Made by `photinus hosts autostart`; `photinus hosts autostart NAME --remove` takes it away.
[Unit]
Description=Photinus: resume runs after a restart of this machine

[Service]
Type=oneshot
RemainAfterExit=yes
KillMode=process
TimeoutStartSec=infinity
Environment={_quoted(f"PHOTINUS_HOME={home}")}
ExecStart={" ".join(_word(word) for word in (python, *CONTACT))}

[Install]
WantedBy=default.target
"""


def launch_agent(python: str, home: str, log: str) -> bytes:
    """A property list that runs one contact when the user logs in.

    `AbandonProcessGroup` keeps launchd from ending what the contact started, `Interactive` from slowing it.
    """
    import plistlib  # it brings an XML parser along

    return plistlib.dumps(
        {
            "Label": label(home),
            "ProgramArguments": [python, *CONTACT],
            "EnvironmentVariables": {"PHOTINUS_HOME": home},
            "RunAtLoad": True,
            "AbandonProcessGroup": True,
            "ProcessType": "Interactive",
            "StandardErrorPath": log,
            "StandardOutPath": log,
        }
    )


def systemd_files(user_home: Path, python: str, home: str) -> dict[Path, bytes | Path]:
    """Path -> content, or the target of a symbolic link: the unit, and what enables it."""
    folder = user_home / ".config" / "systemd" / "user"
    return {
        folder / unit_name(home): systemd_unit(python, home).encode(),
        folder / "default.target.wants" / unit_name(home): folder / unit_name(home),
    }


def launchd_files(user_home: Path, python: str, home: str) -> dict[Path, bytes | Path]:
    """The same for macOS: one property list."""
    path = user_home / "Library" / "LaunchAgents" / f"{label(home)}.plist"
    return {path: launch_agent(python, home, f"{home}/contact.log")}


def systemd_notes(user: str, lingers: bool) -> Sequence[str]:
    """What the unit does and cannot do, a sentence each."""
    if lingers:
        return (f"it runs at every start of the machine, before anybody logs in ({user} lingers)",)
    return (
        f"{user} does not linger: it runs at your first login after a start of the machine, not before, and "
        "what runs ends with your last logout. On the host: loginctl enable-linger",
    )


def launchd_notes(filevault: bool | None) -> Sequence[str]:
    """The same for macOS; `filevault`: None where it could not be read."""
    notes = [
        "a LaunchAgent runs when you log in on the Mac itself, not at its start: turn on automatic login"
    ]
    if filevault is None:
        notes.append("whether FileVault is on could not be read; with FileVault there is no automatic login")
    elif filevault:
        notes.append(
            "FileVault is on: after a restart the Mac waits for your password, and nothing runs before it; "
            "`sudo fdesetup authrestart` passes it once"
        )
    return notes


def _word(text: str) -> str:
    """One word of ExecStart: systemd expands `$NAME` there."""
    return _quoted(text.replace("$", "$$"))


def _quoted(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"a path with control characters cannot stand in a unit: {text!r}")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
