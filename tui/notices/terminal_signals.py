"""How a cockpit calls whoever looks elsewhere: the terminal's bell, and a desktop notice (OSC 9, 777)."""

from dataclasses import dataclass

from remote.protocol.sanitise import clean_line
from tui.notices.notice import Level, is_level

TEXT_MAX = 200


@dataclass(frozen=True, slots=True)
class TerminalSignals:
    """The least level for each of them; None: never."""

    bell: Level | None = None
    osc9: Level | None = None
    osc777: Level | None = None

    def of(self, text: str, level: Level, *, in_tmux: bool = False) -> str:
        """What is written to the terminal for an alert; nothing of the text can steer it."""
        said = clean_line(text[:TEXT_MAX]).replace(";", ",")
        parts = (
            (self.bell, "\a"),
            (self.osc9, _passed(f"\x1b]9;{said}\x1b\\", in_tmux)),
            (self.osc777, _passed(f"\x1b]777;notify;Photinus;{said}\x1b\\", in_tmux)),
        )
        return "".join(text for least, text in parts if least is not None and is_level(level, least))


def _passed(sequence: str, in_tmux: bool) -> str:
    """The same through tmux, which keeps what it does not know to itself (`allow-passthrough on`)."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\" if in_tmux else sequence
