"""`photinus-train evaluate`: how good a trained model is and what its oscillators do, on one screen."""

import argparse
import json
from textwrap import fill
from typing import TYPE_CHECKING

from trainer.commands.progress_line import ProgressLine
from trainer.commands.subject_arguments import add_subject, demand, subject_of
from trainer.commands.tasks.task_page import task_lines
from trainer.config.data_source import TASK_SOURCES
from trainer.job.outcome import ExitCode, RefusedError

if TYPE_CHECKING:
    from trainer.evals.bootstrap import Interval
    from trainer.evals.evaluation import ModelEvaluation

WIDTH = 110
Commands = argparse._SubParsersAction


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "evaluate", help="CE beside n-gram floors, coherence beside chance, u, sampled text, recall"
    )
    parser.set_defaults(command=run)
    add_subject(parser)
    parser.add_argument(
        "--documents", type=int, default=60, metavar="N", help="held-out documents (default: 60; 0: all)"
    )
    parser.add_argument(
        "--texts", type=int, default=24, metavar="N", help="sampled texts a temperature (default: 24)"
    )
    parser.add_argument(
        "--length", type=int, default=200, metavar="N", help="tokens of a sampled text (default: 200)"
    )
    parser.add_argument(
        "--sequences",
        type=int,
        default=1024,
        metavar="N",
        help="validation sequences of a task (default: 1024)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of nudges, shuffles, draws and probes (default: 0)"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Evaluate, and print what came out."""
    demand(
        ("--documents", arguments.documents >= 0, "0 (all) or more"),
        ("--sequences", arguments.sequences >= 1, "at least 1"),
        ("--texts", arguments.texts >= 1, "at least 1"),
        ("--length", arguments.length >= 1, "at least 1"),
    )
    from trainer.evals.evaluation import EvaluationDepth, evaluate
    from trainer.evals.tasks.task_evaluation import evaluate_task

    asked = EvaluationDepth(arguments.documents, arguments.texts, arguments.length, arguments.seed)
    subject = subject_of(arguments)
    with ProgressLine() as progress:
        try:
            if subject.config.data.source in TASK_SOURCES:
                told = evaluate_task(subject, arguments.sequences, progress.say)
                page, values = task_lines(told), told.to_json()
            else:
                found = evaluate(subject, asked, progress.say)
                page, values = lines(found), found.to_json()
        except ValueError as error:
            raise RefusedError(str(error)) from error
        finally:
            subject.corpus.close()
    print(json.dumps(values) if arguments.json else "\n".join(page))
    return ExitCode.OK


def lines(found: "ModelEvaluation") -> list[str]:
    """One screen."""
    return [
        f"{found.name} ({found.kind}, step {found.step:,})",
        *fill(
            f"{found.documents} held-out documents of {found.source}, {found.tokens:,} tokens in windows of "
            f"{found.context}; [95 % intervals over documents]",
            WIDTH,
        ).splitlines(),
        "",
        *_scores(found),
        *_oscillation(found),
        *_sweep(found),
        *_u(found),
        *_texts(found),
        *_recall(found),
    ]


def _scores(found: "ModelEvaluation") -> list[str]:
    scores = found.scores
    rate = (
        ""
        if found.entropy_rate is None
        else f"; entropy rate of the source {found.entropy_rate:.4f} nats/byte"
    )
    return [
        f"CE            {_plain(scores.ce, 4)} nats/token",
        f"perplexity    {_plain(scores.perplexity)};  bits per byte {_plain(scores.bits_per_byte, 4)}{rate}",
        *(
            f"  {floor.name:11} {floor.ce.value:.4f} on the same tokens; the model is {_beside(floor.below)}"
            for floor in scores.floors
        ),
    ]


def _beside(below: "Interval") -> str:
    return f"below by {below}" if below.value >= 0 else f"above by {below.negated()}"


def _oscillation(found: "ModelEvaluation") -> list[str]:
    seen = found.oscillation
    if seen is None:
        return [f"coherence     does not apply: {found.absent['oscillation']}"]
    layers = "  ".join(f"{layer.value:+.3f}" for layer in seen.layers)
    return [
        f"coherence C   {_plain(seen.coherence)};  by chance C0 {_plain(seen.chance)}",
        f"  beyond      (C - C0)/(1 - C0) = {_plain(seen.beyond)};  by layer {layers}",
        f"  R           {_plain(seen.R)};  mean |z| {_plain(seen.amplitude)}",
    ]


def _sweep(found: "ModelEvaluation") -> list[str]:
    if not found.sweep.nudges:
        return [f"phases        does not apply: {found.absent['sweep']}"]
    head = "deviations from the mean phase scaled by s: coherence, change of CE (by random nudges as large)"
    return [
        f"phases        {head}",
        *(
            f"  s {nudge.scale:4.2f}      {nudge.achieved:.3f}  {nudge.delta_ce}  ({nudge.random_ce})"
            for nudge in found.sweep.nudges
        ),
    ]


def _u(found: "ModelEvaluation") -> list[str]:
    if found.u is None:
        return [f"u             does not apply: {found.absent.get('u', 'no u')}"]
    return [
        f"u             median {_plain(found.u.median)};  at the low end {_share(found.u.low)}, "
        f"at the high {_share(found.u.high)}",
        *(f"  {change.name:19} change of CE {change.delta_ce}" for change in found.u_changes),
    ]


def _texts(found: "ModelEvaluation") -> list[str]:
    return [
        f"sampled text  different words, pairs and triples of all, {found.texts[0].distinct[0].n} texts each",
        *(
            f"  {_source(row.source):16} " + "   ".join(_plain(share) for share in row.distinct)
            for row in found.texts
        ),
    ]


def _recall(found: "ModelEvaluation") -> list[str]:
    if not found.recall:
        return [f"recall        does not apply: {found.absent['recall']}"]
    from trainer.evals.recall import CHANCE

    widest = max(100 * (point.high - point.low) / 2 for point in found.recall)
    distances = sorted({point.distance for point in found.recall})
    rows = [
        f"recall        right answers in % by distance in bytes; {found.recall[0].n} probes a point, "
        f"+- {widest:.0f} at most, chance {100 * CHANCE:.0f}",
        "  bindings   " + "".join(f"{distance:>7}" for distance in distances),
    ]
    for bindings in sorted({point.bindings for point in found.recall}):
        by = {point.distance: point.accuracy for point in found.recall if point.bindings == bindings}
        cells = "".join(f"{100 * by[one]:7.1f}" if one in by else f"{'-':>7}" for one in distances)
        rows.append(f"  {bindings:<11}" + cells)
    return rows


def _plain(one: "Interval", digits: int = 3) -> str:
    if not one.n:
        return "none"
    return f"{one.value:.{digits}f} [{one.low:.{digits}f}, {one.high:.{digits}f}]"


def _share(one: "Interval") -> str:
    return f"{one.value:.1%} [{one.low:.1%}, {one.high:.1%}]"


def _source(source: str) -> str:
    return f"temperature {source}" if source[0].isdigit() else source
