"""`photinus-train causality`: what in a trained model matters, with controls, on one screen."""

import argparse
import json
from typing import TYPE_CHECKING

from trainer.commands.subject import add_subject, subject_of
from trainer.endings import ExitCode, RefusedError

if TYPE_CHECKING:
    from trainer.evals.causality.report import Findings, Report

Commands = argparse._SubParsersAction


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "causality", help="does a token reach another, and does R do anything? With an untrained twin"
    )
    parser.set_defaults(command=run)
    add_subject(parser)
    parser.add_argument(
        "--documents", type=int, default=60, metavar="N", help="held-out documents (default: 60; 0: all)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of random nudges, shuffles and bootstrap draws")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Examine, and print the verdict."""
    from trainer.evals.causality.report import causality

    subject = subject_of(arguments)
    try:
        report = causality(subject, arguments.documents, arguments.seed)
    except ValueError as error:
        raise RefusedError(str(error)) from error
    finally:
        subject.corpus.close()
    print(json.dumps(report.to_json()) if arguments.json else "\n".join(lines(report)))
    return ExitCode.OK


def lines(report: "Report") -> list[str]:
    """One screen."""
    head = f"{report.name} ({report.kind}, step {report.step:,})"
    text = f"{report.documents} held-out documents of {report.source}, {report.tokens:,} tokens"
    out = [head, text, ""]
    for title, found in (("trained", report.trained), ("untrained twin", report.untrained)):
        out += [f"== {title}", *_findings(found), ""]
    out.append(f"VERDICT  {report.trained.verdict}")
    if report.untrained.is_functional:
        out.append("         but the untrained twin passes too, so this test says nothing here")
    return out


def _findings(found: "Findings") -> list[str]:
    rows = [
        f"  reach         {found.reach.words}",
        f"  wiring        {found.wiring.words}",
        f"  intervention  {found.intervention.words}",
        f"  correlation   {found.correlation.words}",
    ]
    if found.wiring.per_layer:
        layers = "  ".join(f"{delta:+.3f}" for delta in found.wiring.per_layer)
        rows.append(f"  delta CE with one bank's order parameters constant, by layer: {layers}")
    if found.intervention.nudges:
        rows.append(
            f"  coherence {found.intervention.own:.3f}; "
            "deviations from the mean phase scaled by s, against random nudges of equal size:"
        )
        rows.append(
            "      s  coherence  delta CE [interval]             random                         ratio"
        )
    rows += [
        f"   {nudge.scale:4.2f}      {nudge.achieved:.3f}  {nudge.delta_ce!s:30}  "
        f"{nudge.random_ce!s:30} {nudge.ratio.value:6.2f} [{nudge.ratio.low:.2f}, {nudge.ratio.high:.2f}]"
        for nudge in found.intervention.nudges
    ]
    return rows
