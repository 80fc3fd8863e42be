"""The line above a log: how much there is, what is left out of it, what is looked for."""

from rich.text import Text

from tui.theme import DIM, STRONG, hue
from tui.widgets.lines import Part, line
from tui.widgets.log.log_styles import LEVELS
from tui.widgets.log.log_view import LogView


def log_title(log: LogView) -> Text:
    """One line."""
    parts: list[Part] = [("▌" if log.has_focus else " ", hue("blue")), ("log", STRONG)]
    count, kept = len(log.content.ring), log.content.filtered
    if kept is None:
        parts.append((f"  {count:,} lines", DIM))
    else:
        words = [f"|{kept.text}"] if kept.text else []
        words += [LEVELS[kept.level]] if kept.level else []
        so_far = "" if kept.done else " so far"
        parts += [
            (f"  {len(kept.numbers):,} of {count:,} lines{so_far}", DIM),
            (f"  {', '.join(words)}", hue("amber")),
        ]
    parts.append(("   following" if log.follow else "   f follows", DIM))
    if log.wraps:
        parts.append(("   wrapped", DIM))
    if (searched := log.searched) is not None:
        matches = f"{len(searched.numbers):,} match{'' if len(searched.numbers) == 1 else 'es'}"
        so_far = "" if searched.done else " so far, esc ends it"
        parts += [(f"   /{searched.text}", hue("amber")), (f" {matches}{so_far}", DIM)]
    return line(*parts)
