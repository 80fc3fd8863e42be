"""The rows of the Hosts screen, and everything that is known of one of them."""

import textwrap

from rich.style import Style
from rich.text import Text

from remote.hosts.host import Host
from tui.store.facts import age_fact, link_fact
from tui.store.hosts import HostRecord
from tui.store.words import shortened
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets import lines
from tui.widgets.keyed_table import Cells

# Column, title, and its width from 150 and 98 columns on, and below; 0 leaves it out.
COLUMNS: tuple[tuple[str, str, tuple[int, int, int]], ...] = (
    ("host", "host", (24, 20, 16)),
    ("link", "link", (26, 24, 20)),
    ("address", "address", (30, 22, 18)),
    ("version", "photinus", (14, 9, 8)),
    ("platform", "platform", (12, 0, 0)),
    ("devices", "devices", (14, 0, 0)),
    ("heard", "data age", (12, 9, 0)),
)


def columns(width: int) -> list[tuple[str, str, int]]:
    """Name, title and width of each column that a terminal of so many cells has."""
    tier = 0 if width >= 150 else 1 if width >= 98 else 2
    return [(name, title, widths[tier]) for name, title, widths in COLUMNS if widths[tier]]


def host_cells(host: HostRecord, now: float, width: int) -> Cells:
    """One host. What was never heard is n/a."""
    hello, address = host.hello, host.config.address if host.config else ""
    wide = {name: cells for name, _, cells in columns(width)}
    link = link_fact(host, now)
    return {
        "host": lines.line((shortened(host.name, wide["host"], 4), STRONG)),
        "link": lines.fact(link, detail=len(link.text) <= wide["link"]),
        "address": lines.line((shortened(address or "this machine", wide["address"], 10), DIM)),
        "version": _known(hello.version if hello else ""),
        "platform": _known(hello.platform if hello else ""),
        "devices": _known(", ".join(host.devices)),
        "heard": lines.fact(age_fact(host.received_at, now)),
    }


def _known(text: str) -> Text:
    return lines.line((text or "n/a", PLAIN if text else FAINT))


def about(host: HostRecord, twins: list[str], now: float, width: int) -> list[Text]:
    """Everything that is known of one host: its link, what its file says, what its agent or shell printed.

    `twins`: other names under which the same state root is known: its runs are listed twice. Sentences are
    wrapped at `width`.
    """
    config, link = host.config or Host(host.name), host.link
    facts = [("address", config.address or "this machine")]
    facts += [(name, str(getattr(config, name))) for name in ("home", "python", "checkpoints")]
    facts.append(("auto-pull", config.auto_pull))
    facts.append(
        ("x and K", {"none": "act at once", "name": "ask for the run's name"}.get(config.confirm, ""))
    )
    has_reason = bool(link.reason) and not link.is_up
    rows = [
        lines.line((f"{'link':<12}", DIM)) + lines.fact(link_fact(host, now), detail=link.phase != "refused")
    ]
    if has_reason:
        rows += _wrapped("because", link.reason, hue("amber"), width)
        rows += _wrapped("do", link.remedy, hue("blue"), width)
    if host.question is not None:
        rows.append(lines.line((f"{'':<12}", DIM), ("! answers it", hue("blue", bold=True))))
    rows += [lines.line((f"{name:<12}", DIM), (text, PLAIN)) for name, text in facts if text]
    if hello := host.hello:
        rows.append(
            lines.line((f"{'agent':<12}", DIM), (f"photinus {hello.version}, python {hello.python}", PLAIN))
        )
        rows.append(lines.line((f"{'host id':<12}", DIM), (hello.host_id, DIM)))
    if twins:
        rows.append(
            lines.line((f"{'twin':<12}", DIM), (f"the same state root as {', '.join(twins)}", hue("amber")))
        )
    printed = list(host.talk)[-3:]
    return [*rows, *(lines.line((f"{'it printed':<12}", DIM), (text, FAINT)) for text in printed)]


def _wrapped(name: str, text: str, style: Style, width: int) -> list[Text]:
    """A sentence under its name, on as many lines as it needs; no word of a command is cut in two."""
    parts = textwrap.wrap(text, max(width - 12, 20), break_on_hyphens=False)
    heads = [name, *("" for _ in parts)]
    return [lines.line((f"{head:<12}", DIM), (part, style)) for head, part in zip(heads, parts, strict=False)]
