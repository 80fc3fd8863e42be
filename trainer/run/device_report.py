"""What `photinus-train selftest --keep` leaves in an environment: whether a device trains as its CPU does."""

import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer.run.bounds import why_misfit
from trainer.run.disk.atomic import read_json, write_json
from trainer.run.layout import check_device
from trainer.run.run_errors import RecordError, SpecError

FOLDER = "selftest"
KINDS_MAX, TEXT_MAX = 64, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """One device of one environment.

    Attributes:
        device: as a run names it: `cuda-0`. name: of the hardware, "" where it has none.
        torch, version: of torch, and of our code. at: when that was, epoch seconds.
        kinds: how many kinds of model took part.
        wrong: what differs, a sentence each. remedy: of the first of them.
    """

    device: str
    is_good: bool
    torch: str = ""
    version: str = ""
    name: str = ""
    at: float = 0.0
    seconds: float = 0.0
    kinds: int = 0
    wrong: tuple[str, ...] = ()
    remedy: str = ""

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        what = f"torch {self.torch}, {self.kinds} kinds of model in {self.seconds:.0f} s"
        if self.is_good:
            return f"{self.device} trains as the CPU does ({what})"
        more = f", and {len(self.wrong) - 1} more" if len(self.wrong) > 1 else ""
        first = self.wrong[0] if self.wrong else "it computes wrongly"
        return f"{self.device} does not train as the CPU does: {first}{more} ({what})"


def report_of(found: dict[str, Any], device: str, torch: str, version: str, name: str) -> DeviceReport:
    """Return what is kept of one device of `photinus-train selftest --json`."""
    differences = [
        (f"{kind['kind']}: {one['what']} differs", str(one["remedy"]))
        for kind in found["kinds"]
        for one in kind["differences"]
    ]
    return DeviceReport(
        device=device,
        is_good=bool(found["is_good"]),
        torch=torch,
        version=version,
        name=name,
        at=time.time(),
        seconds=float(found["seconds"]),
        kinds=len(found["kinds"]),
        wrong=tuple(text for text, _ in differences[:KINDS_MAX]),
        remedy=differences[0][1] if differences else "",
    )


def report_path(device: str, prefix: Path | None = None) -> Path:
    """Return where an environment (by default the one that runs this) keeps it.

    Raises:
        SpecError: that is no name of a device.
    """
    return (prefix or Path(sys.prefix)) / FOLDER / f"{check_device(device)}.json"


def write_report(report: DeviceReport, prefix: Path | None = None) -> Path:
    """Keep it; return where.

    Raises:
        OSError: the environment is not ours to write to.
    """
    path = report_path(report.device, prefix)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_json(path, asdict(report))
    return path


def read_report(device: str, prefix: Path | None = None) -> DeviceReport | None:
    """Return what is kept of a device; None where nothing is, or nothing that makes sense."""
    try:
        raw = read_json(report_path(device, prefix))
    except (OSError, RecordError, SpecError):
        return None
    if not isinstance(raw, dict) or raw.get("device") != device:
        return None
    known = {key: raw[key] for key in DeviceReport.__dataclass_fields__ if key in raw}
    wrong = known.get("wrong", [])
    if why_misfit(DeviceReport, known) or not isinstance(wrong, list):
        return None
    known["wrong"] = tuple(str(one)[:TEXT_MAX] for one in wrong[:KINDS_MAX])
    try:
        return DeviceReport(**known)
    except TypeError:
        return None
