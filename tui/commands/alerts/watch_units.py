"""What makes a laptop watch from login on: a systemd user unit, a LaunchAgent. Pure texts."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

WATCH = ("-I", "-m", "photinus", "alerts", "watch")
STAYS_DOWN = "2 3 4"  # a fault of the settings, or another sender: trying again would not help
PAUSE_S = 30


def watch_unit_name(home: str) -> str:
    """One for each state root."""
    return f"photinus-alerts-{_mark(home)}.service"


def watch_label(home: str) -> str:
    """The same for launchd."""
    return f"dev.photinus.alerts.{_mark(home)}"


def systemd_watch(python: str, env: Mapping[str, str]) -> str:
    """A user unit that watches, and begins again when it fails.

    Raises:
        ValueError: a path that no unit can hold.
    """
    settings = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in env.items())
    return f"""\
# Made by `photinus alerts autostart`; the same with --remove takes it away.
[Unit]
Description=Photinus: alerts of training runs

[Service]
{settings}ExecStart={" ".join(_quoted(word.replace("$", "$$")) for word in (python, *WATCH))}
Restart=on-failure
RestartSec={PAUSE_S}
RestartPreventExitStatus={STAYS_DOWN}

[Install]
WantedBy=default.target
"""


def launchd_watch(python: str, home: str, env: Mapping[str, str]) -> bytes:
    """A property list that does the same."""
    import plistlib  # it brings an XML parser along

    log = f"{home}/client/alerts/watch.log"
    return plistlib.dumps(
        {
            "Label": watch_label(home),
            "ProgramArguments": [python, *WATCH],
            "EnvironmentVariables": dict(env),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": PAUSE_S,
            "ProcessType": "Background",
            "StandardErrorPath": log,
            "StandardOutPath": log,
        }
    )


def systemd_watch_files(
    config: Path, python: str, home: str, env: Mapping[str, str]
) -> dict[Path, bytes | Path]:
    """Path -> content, or the target of a symbolic link: the unit, and what enables it."""
    folder, name = config / "systemd" / "user", watch_unit_name(home)
    unit = folder / name
    return {unit: systemd_watch(python, env).encode(), folder / "default.target.wants" / name: unit}


def launchd_watch_files(
    user_home: Path, python: str, home: str, env: Mapping[str, str]
) -> dict[Path, bytes | Path]:
    """The same for macOS: one property list."""
    path = user_home / "Library" / "LaunchAgents" / f"{watch_label(home)}.plist"
    return {path: launchd_watch(python, home, env)}


def begin_words(kind: str, home: str, path: Path, uid: int) -> Sequence[Sequence[str]]:
    """The commands that make it known and begin it now."""
    if kind == "launchd":
        return (("launchctl", "bootstrap", f"gui/{uid}", str(path)),)
    name = watch_unit_name(home)
    return (("systemctl", "--user", "daemon-reload"), ("systemctl", "--user", "restart", name))


def end_words(kind: str, home: str, uid: int) -> Sequence[Sequence[str]]:
    """The commands that end it now."""
    if kind == "launchd":
        return (("launchctl", "bootout", f"gui/{uid}/{watch_label(home)}"),)
    return (("systemctl", "--user", "stop", watch_unit_name(home)),)


def _mark(home: str) -> str:
    return hashlib.sha256(home.encode()).hexdigest()[:8]


def _quoted(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"a path with control characters cannot stand in a unit: {text!r}")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
