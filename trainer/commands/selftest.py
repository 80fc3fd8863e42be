"""`photinus-train selftest`: does this host's device train as its CPU does?"""

import argparse
import json
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING, Any

from trainer.job.environment import granted_threads
from trainer.job.outcome import ExitCode, RefusedError

if TYPE_CHECKING:
    from trainer.loop.checks.device_proof import KindProof
    from trainer.run.device_report import DeviceReport

Commands = argparse._SubParsersAction


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "selftest", help="three steps of every kind of model on the device and on the CPU, compared"
    )
    parser.set_defaults(command=run)
    parser.add_argument(
        "--device", action="append", default=[], metavar="NAME",
        help="cpu, mps, cuda:N; may be given again (default: what a run would take)",
    )  # fmt: skip
    parser.add_argument(
        "--keep", action="store_true",
        help="keep the result in this environment, where `photinus doctor` finds it; a kept one of this "
        "torch, version and device is not worked again",
    )  # fmt: skip
    parser.add_argument("--again", action="store_true", help="with --keep: work it again")
    parser.add_argument("--json", action="store_true", help="one line of JSON on stdout")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Prove each device, and print what came out; 1 where one does not train as the CPU does."""
    names = [name.replace("-", ":") for name in arguments.device or ["auto"]]
    if arguments.keep:
        kept = [keep_proof(name, arguments.json, arguments.again) for name in names]
        if arguments.json:
            print(json.dumps({"kept": [asdict(one) for one in kept]}))
        return ExitCode.OK if all(one.is_good for one in kept) else ExitCode.FAILURE
    reports = [prove_device(name, arguments.json) for name in names]
    if arguments.json:
        print(json.dumps({"devices": reports}))
    return ExitCode.OK if all(report["is_good"] for report in reports) else ExitCode.FAILURE


def keep_proof(name: str, is_quiet: bool, again: bool) -> "DeviceReport":
    """Return what is kept of a device; prove it first, where nothing of this code and torch is.

    Raises:
        RefusedError: there is no such device here, or nothing can be kept here.
    """
    from trainer.evals.subject import device_for
    from trainer.run.device_report import read_report, report_of, write_report
    from trainer.run.requirements import installed_version

    device = device_for(name, granted_threads())
    kept_as, name_of = str(device.place).replace(":", "-"), str(device.facts().get("name", ""))
    report = None if again else read_report(kept_as)
    here = (installed_version("torch"), installed_version("photinus"), name_of)
    if report is None or (report.torch, report.version, report.name) != here:
        report = report_of(prove_device(name, is_quiet), kept_as, *here)
        try:
            write_report(report)
        except OSError as error:
            raise RefusedError(f"{error}: nothing is kept in this environment; leave --keep out") from error
    if not is_quiet:
        print(report.sentence + (f"; {report.remedy}" if report.remedy else ""), flush=True)
    return report


def prove_device(name: str, is_quiet: bool) -> dict[str, Any]:
    """Prove one device, telling each kind as it is done.

    Raises:
        RefusedError: there is no such device here.
    """
    from trainer.device.selftest import compare
    from trainer.evals.subject import device_for
    from trainer.loop.checks.device_proof import TOLERANCES, prove

    began, device = monotonic(), device_for(name, granted_threads())

    def say(line: str) -> None:
        if not is_quiet:
            print(line, flush=True)

    matmul = compare(device.place)
    facts = {"device": str(device.place), **device.facts(), "matmul_error": matmul.error}
    say("  ".join(f"{key} {value}" for key, value in facts.items()))
    say(f"{'kind':20} " + " ".join(f"{what:>10}" for what in TOLERANCES))
    proofs = []
    for proof in prove(device):
        proofs.append(proof)
        for line in lines_of(proof):
            say(line)
    is_good = matmul.is_good and all(proof.is_good for proof in proofs)
    seconds = monotonic() - began
    ending = "trains as the CPU does" if is_good else "does not train as the CPU does"
    say(f"{device.place} {ending} ({len(proofs)} kinds, {seconds:.0f} s)")
    kinds = [proof.to_json() for proof in proofs]
    return finite({**facts, "is_good": is_good, "seconds": round(seconds, 3), "kinds": kinds})


def lines_of(proof: "KindProof") -> list[str]:
    """A row of relative errors, and a line for each difference with its remedy."""
    cells = (f"{error:10.1e}" for error in proof.errors.values())
    return [
        f"{proof.kind:20} {' '.join(cells)}".rstrip(),
        *(
            f"  {one.what} differs: {one.detail or f'relative error {one.error:.2g}'}; {one.remedy}"
            for one in proof.differences
        ),
    ]


def finite(report: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no infinity: null, and `is_good` says what it means."""
    from trainer.evals.plain_json import finite as plain

    values: dict[str, Any] = plain(report)
    return values
