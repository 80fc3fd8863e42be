"""Whether the host's accelerators were seen to train as its CPU does: what `photinus-train selftest` kept."""

import sys
from collections.abc import Iterator, Sequence

from remote.agent.context import Context
from remote.protocol.finding import Finding
from remote.protocol.version import version
from trainer.run.device_report import DeviceReport, read_report
from trainer.run.requirements import installed_version, missing_for_training


def check(ctx: Context, _deep: bool) -> Iterator[Finding]:
    """Accelerators that train otherwise than the CPU, or of which that is not known."""
    if missing_for_training():
        return
    for device in accelerators(ctx.devices()):
        report = read_report(device)
        if report is None or not is_current(report):
            yield untried(device, report)
        elif not report.is_good:
            yield Finding(
                level="problem",
                about=device,
                what=report.sentence,
                why="what is trained there may come out wrong, without any error",
                remedy=report.remedy or command(device, "--again"),
            )


def facts(devices: Sequence[str]) -> dict[str, str]:
    """What is known of each, in one line."""
    reports = [read_report(device) for device in accelerators(devices)]
    known = [report.sentence for report in reports if report is not None and is_current(report)]
    return {"selftest": "; ".join(known)} if known else {}


def accelerators(devices: Sequence[str]) -> list[str]:
    """The devices that are compared with the CPU."""
    return [device for device in devices if device != "cpu"]


def is_current(report: DeviceReport) -> bool:
    """Whether it is of the torch and the code that are here now."""
    return (report.torch, report.version) == (installed_version("torch"), version())


def untried(device: str, report: DeviceReport | None) -> Finding:
    """What is said of a device of which nothing is known that still holds."""
    before = f" since (torch {report.torch}, photinus {report.version})" if report else ""
    return Finding(
        level="note",
        about=device,
        what=f"nobody has seen whether {device} trains as the CPU does{before}",
        why="a driver or a build of torch may compute wrongly without any error; the test takes minutes",
        remedy=command(device),
    )


def command(device: str, *more: str) -> str:
    """Return what tries it, as a run: it waits for the device, and is watched and stopped as any run."""
    words = ["-P", "-m", "trainer", "selftest", "--keep", *more, "--device", device]
    return f"photinus start --device {device} --queue --command -- {sys.executable} {' '.join(words)}"
