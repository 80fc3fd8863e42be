"""`photinus-train causality`: what in a trained model matters, with controls, on one screen."""

import argparse
import json
from textwrap import fill
from typing import TYPE_CHECKING

from trainer.commands.progress_line import ProgressLine
from trainer.commands.subject_arguments import add_subject, demand, subject_of
from trainer.job.outcome import ExitCode, RefusedError

if TYPE_CHECKING:
    from trainer.evals.causality.intervention import Nudge
    from trainer.evals.causality.results import CausalityReport, Findings

WIDTH = 110
Commands = argparse._SubParsersAction


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "causality", help="does a token reach another, and does R do anything? With an untrained twin"
    )
    parser.set_defaults(command=run)
    add_subject(parser)
    parser.add_argument(
        "--documents",
        type=int,
        default=60,
        metavar="N",
        help="held-out documents (default: 60; 0: all), at least 20",
    )
    parser.add_argument("--seed", type=int, default=0, help="of random nudges, shuffles and bootstrap draws")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Examine, and print the verdict."""
    from trainer.evals.causality.analysis import causality
    from trainer.evals.causality.conclusions import verdict

    demand(("--documents", arguments.documents >= 0, "0 (all) or more"))
    subject = subject_of(arguments)
    with ProgressLine() as progress:
        try:
            report = causality(subject, arguments.documents, arguments.seed, progress.say)
        except ValueError as error:
            raise RefusedError(str(error)) from error
        finally:
            subject.corpus.close()
    shown = verdict(report)
    print(
        json.dumps({**report.to_json(), "verdict": shown})
        if arguments.json
        else "\n".join(lines(report, shown))
    )
    return ExitCode.OK


def lines(report: "CausalityReport", verdict: str) -> list[str]:
    """One screen, the verdict at its end."""
    out = [
        f"{report.name} ({report.kind}, step {report.step:,})",
        f"{report.documents} held-out documents of {report.source}, {report.tokens:,} tokens",
    ]
    for title, found in (("trained", report.trained), ("untrained twin", report.untrained)):
        ce = found.scores.ce
        out += [
            "",
            f"== {title}: CE {ce.value:.4f} [{ce.low:.4f}, {ce.high:.4f}] nats a token",
        ]
        out += _findings(found)
    return [
        *out,
        "",
        *fill(f"VERDICT  {verdict}", WIDTH, subsequent_indent=" " * 9, break_on_hyphens=False).splitlines(),
    ]


def _findings(found: "Findings") -> list[str]:
    from trainer.evals.causality.intervention import LEVEL

    rows = [
        row
        for name, words in (
            ("memory", found.memory.words),
            ("reach", found.reach.words),
            ("wiring", found.wiring.words),
            ("intervention", found.intervention.words),
            ("correlation", found.correlation.words),
            *((("coherence", found.agreement.words),) if found.agreement else ()),
        )
        for row in fill(f"  {name:14}{words}", WIDTH, subsequent_indent=" " * 16).splitlines()
    ]
    if found.wiring.per_layer:
        layers = "  ".join(f"{delta.value:+.4f}" for delta in found.wiring.per_layer)
        rows.append(f"  what each bank hands on held at its mean, one bank at a time, delta CE: {layers}")
    if found.intervention.nudges:
        rows.append(
            f"  coherence {found.intervention.own:.3f}; deviations scaled by s, beside random nudges:"
        )
        rows.append(
            f"     s  coherence, delta CE [{100 * LEVEL:.1f} %]     the same of random nudges           ratio"
        )
    return rows + [
        f"  {nudge.scale:4.2f}  {nudge.achieved:.3f}  {nudge.delta_ce!s:28}  {nudge.random:.3f}  "
        f"{nudge.random_ce!s:28}  {_ratio(nudge)}"
        for nudge in found.intervention.nudges
    ]


def _ratio(nudge: "Nudge") -> str:
    ratio = nudge.ratio
    if nudge.is_about_nothing:
        return "of nothing"
    if not (abs(ratio.low) < 100 and abs(ratio.high) < 100):
        return "not determined"
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
