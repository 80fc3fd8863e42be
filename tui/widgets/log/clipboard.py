"""Text for the clipboard of whoever sits before the terminal (OSC 52), through tmux too."""

from base64 import b64encode

MOST = 60_000  # bytes: more is refused by common terminals, and by tmux
TMUX = "set -g set-clipboard on", "set -g allow-passthrough on"


def osc52(text: str, *, in_tmux: bool) -> tuple[str, int]:
    """What is written to the terminal, and how many characters of the text it holds."""
    data = text.encode()[:MOST].decode(errors="ignore")
    sequence = f"\x1b]52;c;{b64encode(data.encode()).decode()}\x07"
    if in_tmux:
        sequence = "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return sequence, len(data)


def told(text: str, kept: int, *, in_tmux: bool) -> str:
    """What can be said of it: nobody answers whether it arrived."""
    lines = text[:kept].count("\n") + 1
    said = f"{lines:,} line{'' if lines == 1 else 's'} sent to the terminal"
    if kept < len(text):
        said += f" (the first {kept:,} of {len(text):,} characters)"
    if in_tmux:
        said += f". In tmux that needs: {TMUX[0]}, and {TMUX[1]}"
    return said
