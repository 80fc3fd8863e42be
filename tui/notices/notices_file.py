"""`client/alerts/notices.yaml`: the channels, as one person may write them and nobody else may read them."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from remote.hosts.client_state import client_folder
from trainer.config.config_error import ConfigError, UntrustedError
from trainer.config.yaml_values import parse_yaml
from trainer.run.disk.ownership import why_untrusted
from trainer.run.disk.small_record import open_plain
from trainer.run.run_errors import RecordError
from tui.notices.notice import LEVELS, Level
from tui.notices.notice_channel import KINDS, NoticeChannel, why_no_url
from tui.notices.quiet_hours import QuietHours
from tui.notices.terminal_signals import TerminalSignals

NAME = "notices.yaml"
SIZE_MAX, CHANNELS_MAX, WORDS_MAX, WORD_MAX = 1 << 16, 20, 100, 4096
TOP = ("channels", "level", "rules", "hosts", "quiet", "cockpit")
SIGNALS = ("bell", "osc9", "osc777")
KEYS = ("kind", "url", "token", "command", "level", "rules", "hosts", "allow_http")
RULES = (
    "ended", "nan", "spike", "plateau", "rising", "locked", "clamp", "warfare", "stall", "memory", "disk",
    "orphan", "lost", "back", "refused", "asks", "key_changed", "left_out",
)  # fmt: skip
_CHANNEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,49}")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_OWN = re.compile(r"own\.[A-Za-z0-9_-]{1,40}")
_LINE = re.compile(r"\bline (\d+)")
EXAMPLE = """\
channels:
  phone: {kind: ntfy, url: "https://ntfy.example.org/my-topic", level: warning}
  team: {kind: slack, url: "https://hooks.example.org/services/...", rules: [ended, nan]}
  bell: {kind: command, command: [notify-send, Photinus]}
quiet: {from: "22:00", to: "07:00", but: error}"""


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """What the file says."""

    channels: tuple[NoticeChannel, ...] = ()
    quiet: QuietHours = field(default_factory=QuietHours)
    cockpit: TerminalSignals = field(default_factory=TerminalSignals)


def notices_path() -> Path:
    """Where it lies."""
    return client_folder("alerts", NAME)


def read_settings(path: Path) -> NoticeSettings:
    """The settings; no channel where there is no file.

    Raises:
        UntrustedError: another user could read or could have written it.
        ConfigError: it cannot be read, or is at fault: a line each, none of which shows a value.
    """
    try:
        fd = open_plain(path, ours=True)
    except FileNotFoundError:
        return NoticeSettings()
    except RecordError as error:
        raise ConfigError(f"{error}; mend it or move it away") from error
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(fd)
        if why := why_untrusted(path, found) or why_untrusted(path.parent):
            raise UntrustedError(f"the channels are not read, since a command may stand there: {why}")
        if found.st_mode & 0o077:
            raise UntrustedError(f"{path} holds secrets and other users may read it; run: chmod 600 {path}")
        data = file.read(SIZE_MAX + 1)
    if len(data) > SIZE_MAX:
        raise ConfigError(f"{path} is larger than {SIZE_MAX:,} bytes: no list of channels; move it away")
    return parse_settings(data, str(path))


def read_channels() -> NoticeSettings:
    """The settings, which name a channel at least.

    Raises:
        ConfigError: there is none, or as `read_settings`.
    """
    settings = read_settings(notices_path())
    if not settings.channels:
        remedy = f"write it (chmod 600), such as:\n\n{EXAMPLE}\n\nthen: photinus alerts test"
        raise ConfigError(f"there is no channel in {notices_path()}", remedy)
    return settings


def parse_settings(data: bytes, where: str) -> NoticeSettings:
    """The settings in a text; `where` names it in errors.

    Raises:
        ConfigError: as `read_settings`.
    """
    try:
        told = parse_yaml(data.decode("utf-8"), where)
    except (ConfigError, UnicodeDecodeError) as error:
        line = _LINE.search(str(error))  # and nothing else of it: it may quote an address
        at = f" (line {line[1]})" if line else ""
        raise ConfigError(f"{where} is not YAML, or has a key twice{at}; mend it at that place") from None
    if told is None:
        return NoticeSettings()
    if not isinstance(told, dict) or not isinstance(told.get("channels") or {}, dict):
        raise ConfigError(f"{where} must have `channels:`, each a name with `kind:` and `url:` below it")
    channels, faults = [], list(_unknown("the file", told, TOP))
    quiet, cockpit = _quiet(told.get("quiet"), faults), _cockpit(told.get("cockpit"), faults)
    usual = {key: told[key] for key in ("level", "rules", "hosts") if told.get(key) is not None}
    named = told.get("channels") or {}
    if len(named) > CHANNELS_MAX:
        faults.append(f"there are more than {CHANNELS_MAX} channels; keep fewer")
    for name, raw in list(named.items())[:CHANNELS_MAX]:
        if (made := _channel(name, raw, usual, faults)) is not None:
            channels.append(made)
    if faults:
        raise ConfigError("\n".join(f"{where}: {fault}" for fault in faults))
    return NoticeSettings(tuple(channels), quiet, cockpit)


def _channel(name: object, raw: object, usual: Mapping[str, Any], faults: list[str]) -> NoticeChannel | None:
    if not isinstance(name, str) or not _CHANNEL.fullmatch(name):
        faults.append("a channel's name has up to 50 letters, digits and . _ -; rename it")
        return None
    if not isinstance(raw, dict):
        faults.append(f"channel {name} must have `kind:` and `url:` below it")
        return None
    before = len(faults)
    faults += _unknown(f"channel {name}", raw, KEYS)
    values = {**usual, **raw}
    kind = next((one for one in KINDS if one == values.get("kind")), None)
    if kind is None:
        faults.append(f"kind of channel {name} must be one of {', '.join(KINDS)}")
    url, token, command = values.get("url", ""), values.get("token", ""), values.get("command")
    if kind == "command":
        if not _are_words(command) or not command:
            faults.append(f"command of channel {name} must be a list of words: [notify-send, Photinus]")
    elif not isinstance(url, str) or not url:
        faults.append(f"channel {name} has no `url:`; give it one")
    elif why := why_no_url(url, values.get("allow_http") is True):
        faults.append(f"url of channel {name} {why}")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or len(token) > 1000:
        faults.append(f"token of channel {name} must be a text of plain characters; put it in quotes")
    level = values.get("level", "information")
    if level not in LEVELS:
        faults.append(f"level of channel {name} must be one of {', '.join(LEVELS)}")
    rules, hosts = values.get("rules", []), values.get("hosts", [])
    if not _are_words(rules) or not all(rule in RULES or _OWN.fullmatch(rule) for rule in rules):
        faults.append(f"rules of channel {name} must be a list of some of {', '.join(RULES)}, own.NAME")
    if not _are_words(hosts):
        faults.append(f"hosts of channel {name} must be a list of names")
    if kind is None or len(faults) > before:
        return None
    return NoticeChannel(
        name, kind, url=url, token=token, command=tuple(command or ()), level=level,
        rules=frozenset(rules), hosts=frozenset(hosts),
    )  # fmt: skip


def _quiet(raw: object, faults: list[str]) -> QuietHours:
    if raw is None:
        return QuietHours()
    if not isinstance(raw, dict):
        faults.append('quiet must be hours: {from: "22:00", to: "07:00"}')
        return QuietHours()
    faults += _unknown("quiet", raw, ("from", "to", "but"))
    times = [_TIME.fullmatch(_word(raw.get(key))) for key in ("from", "to")]
    but = raw.get("but")
    if but is not None and but not in LEVELS:
        faults.append(f"but of quiet must be one of {', '.join(LEVELS)}")
    if None in times:
        faults.append('quiet must have `from:` and `to:` as times of the day in quotes: "22:00"')
        return QuietHours()
    begins, ends = (int(time[1]) * 60 + int(time[2]) for time in times if time)
    return QuietHours(begins, ends, but if but in LEVELS else None)


def _cockpit(raw: object, faults: list[str]) -> TerminalSignals:
    if raw is None:
        return TerminalSignals()
    if not isinstance(raw, dict) or not all(level in LEVELS for level in raw.values()):
        faults.append(f"cockpit must be a level for each: {{bell: error}}; levels are {', '.join(LEVELS)}")
        return TerminalSignals()
    faults += _unknown("cockpit", raw, SIGNALS)
    return TerminalSignals(**{name: raw.get(name) for name in SIGNALS})


def _unknown(what: str, told: Mapping[object, object], known: tuple[str, ...]) -> Iterator[str]:
    for key in told:
        if key not in known:
            close = get_close_matches(_word(key), known, 1)
            yield f"{what} has a key that is unknown; " + (
                f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
            )


def _word(value: object) -> str:
    """A text, cut; of anything else nothing: a number may have more digits than can be written."""
    return value[:50] if isinstance(value, str) else ""


def _are_words(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= WORDS_MAX
        and all(isinstance(one, str) and one and "\0" not in one and len(one) <= WORD_MAX for one in value)
    )


def cockpit_signals() -> tuple[Callable[[str, Level], str], str]:
    """What a cockpit writes to its terminal for an alert; and why that is nothing, empty where it is well."""
    try:
        settings = read_settings(notices_path())
    except ConfigError as error:
        return lambda *_: "", f"no bell and no desktop notices: {error}"

    def written(text: str, level: Level) -> str:
        if settings.quiet.holds(level, datetime.now()):
            return ""
        return settings.cockpit.of(text, level, in_tmux="TMUX" in os.environ)

    return written, ""
