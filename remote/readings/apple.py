"""What a Mac with Apple silicon says of its accelerator and its memory, without sudo. Not tried on a Mac.

The parsers are pure; `tests/remote/apple/` holds samples written after the tools' known formats.
"""

import plistlib
import re
import subprocess
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

IOREG = ("/usr/sbin/ioreg", "-r", "-d", "1", "-w", "0", "-c", "IOAccelerator", "-a")
VM_STAT = ("/usr/bin/vm_stat",)
SYSCTL = ("/usr/sbin/sysctl", "hw.memsize", "vm.swapusage", "kern.memorystatus_vm_pressure_level")
PATIENCE_S = 2.0
LEVELS = {1: "normal", 2: "warning", 4: "critical"}
UNITS = {"B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}

Run: TypeAlias = Callable[[Sequence[str]], bytes]
"""A tool's stdout; empty where it cannot be had."""


def run_tool(argv: Sequence[str]) -> bytes:
    """Run a tool of the system, for at most `PATIENCE_S` seconds."""
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""


def accelerators(run: Run = run_tool) -> list[dict[str, Any]] | None:
    """One row an accelerator, as `telemetry` gives them for NVIDIA's; None where ioreg says nothing."""
    found = parse_ioreg(run(IOREG))
    if found is None:
        return None
    total = parse_sysctl(run(SYSCTL)).get("mem_total")
    return [{**row, "mem_total": total} for row in found]


def pressure(run: Run = run_tool) -> dict[str, Any]:
    """How tight memory is: `level`, `swap_used`, `compressed`, `wired` (bytes); null where unknown."""
    kernel, pages = parse_sysctl(run(SYSCTL)), parse_vm_stat(run(VM_STAT))
    return {
        "level": kernel.get("level"),
        "stalled_percent": None,
        "swap_used": kernel.get("swap_used"),
        "compressed": pages.get("Pages occupied by compressor"),
        "wired": pages.get("Pages wired down"),
    }


def parse_ioreg(output: bytes) -> list[dict[str, Any]] | None:
    """Rows of `ioreg -r -d 1 -w 0 -c IOAccelerator -a`; None where that is no property list of any."""
    try:
        entries = plistlib.loads(output) if output else None
    except (ValueError, plistlib.InvalidFileException, OverflowError, AttributeError):
        return None
    except Exception as error:  # expat's own error type is not exported under a stable name
        if type(error).__name__ == "ExpatError":
            return None
        raise
    if not isinstance(entries, list):
        return None
    return [_row(index, one) for index, one in enumerate(entries) if isinstance(one, dict)] or None


def parse_vm_stat(output: bytes) -> dict[str, int]:
    """Bytes by the names of `vm_stat`'s rows; empty where it cannot be read."""
    text = output.decode("utf-8", "replace")
    size = re.search(r"page size of (\d+) bytes", text)
    if not size:
        return {}
    rows = re.findall(r'^"?([A-Za-z][^":]*)"?:\s+(\d+)\.?\s*$', text, re.MULTILINE)
    return {name: int(count) * int(size[1]) for name, count in rows if name.startswith("Pages")}


def parse_sysctl(output: bytes) -> dict[str, Any]:
    """`mem_total`, `swap_used` (bytes) and `level`, as far as `sysctl` says them."""
    found: dict[str, Any] = {}
    for row in output.decode("utf-8", "replace").splitlines():
        name, _, value = row.partition(":")
        value = value.strip()
        if name == "hw.memsize" and value.isdigit():
            found["mem_total"] = int(value)
        elif name == "kern.memorystatus_vm_pressure_level" and value.isdigit():
            found["level"] = LEVELS.get(int(value))
        elif name == "vm.swapusage" and (used := re.search(r"used = ([\d.,]+)([BKMGT])", value)):
            number = used[1].replace(",", ".")  # some languages write a comma
            found["swap_used"] = int(float(number) * UNITS[used[2]])
    return found


def _row(index: int, entry: dict[str, Any]) -> dict[str, Any]:
    statistics = entry.get("PerformanceStatistics")
    statistics = statistics if isinstance(statistics, dict) else {}
    model = entry.get("model")
    if isinstance(model, bytes):
        model = model.rstrip(b"\0").decode("utf-8", "replace")
    return {
        "device": "mps" if index == 0 else f"mps-{index}",
        "name": model if isinstance(model, str) and model else None,
        "util_percent": _number(statistics, "Device Utilization %"),
        "mem_used": _number(statistics, "In use system memory"),
        "mem_allocated": _number(statistics, "Alloc system memory"),
        "power_w": None,
        "temperature_c": None,
    }


def _number(statistics: dict[str, Any], name: str) -> int | None:
    value = statistics.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
