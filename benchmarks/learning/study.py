"""The study: run what is missing, one run at a time; a kill loses the run in progress and nothing else."""

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.learning.contenders import CONTENDERS
from benchmarks.learning.corpora import SCRATCH, check_sizes, fingerprint_of, sources
from benchmarks.learning.cost import measure
from benchmarks.learning.fingerprint import digest, function_of
from benchmarks.learning.kernels import add_kernels, use_kernels
from benchmarks.learning.ledger import RESULTS, Ledger, Trial, append, read
from benchmarks.learning.plan import NEED_COST, STAGES, Scope, missing
from benchmarks.learning.trial import perform
from trainer.run.locks import Flock


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--books", type=Path, help="folder of .txt files: the corpus `books`; left out without"
    )
    parser.add_argument("--stages", default=",".join(STAGES), help=f"of {', '.join(STAGES)}; default all")
    parser.add_argument("--models", default=",".join(CONTENDERS), help="of them; default all")
    parser.add_argument("--corpora", default="python-docs,books")
    parser.add_argument("--threads", type=int, default=1)
    add_kernels(parser)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--plan", action="store_true", help="print what is known to be missing and end")


def main(options: argparse.Namespace) -> int:
    """Run until nothing is missing."""
    texts = sources(options.books)
    corpora = tuple(name for name in options.corpora.split(",") if name in texts)
    scope = Scope(tuple(options.models.split(",")), corpora, digest(), use_kernels(options.kernels))
    stages = options.stages.split(",")
    check_sizes()
    functions = {name: function_of(name) for name in CONTENDERS}
    fingerprints = {name: fingerprint_of(source) for name, source in texts.items()}

    def now() -> Ledger:
        return read(options.results, functions, fingerprints)

    if options.plan:
        for trial in missing(now(), scope, stages):
            print(trial.name)
        return 0
    SCRATCH.mkdir(parents=True, exist_ok=True)
    while True:
        ledger = now()
        stage, todo = next_stage(ledger, scope, stages)
        if stage in NEED_COST and scope.cost(ledger) is None:
            append(options.results, measure(options.threads))
            continue
        claimed = first_free(todo)
        if claimed is None:
            return 0
        trial, claim = claimed
        with claim:
            if now().of(trial):
                continue
            say(f"{trial.name} (1 of {len(todo)} of {stage})")
            run = perform(trial, texts[trial.corpus], options.threads)
            append(options.results, run)
            say(f"  {run.val_ce} in {run.cpu_s} CPU s")


def next_stage(ledger: Ledger, scope: Scope, stages: Iterable[str]) -> tuple[str, list[Trial]]:
    """The first stage that misses anything, be it a cost, and what it misses; ("", []) where none does."""
    for stage in stages:
        todo = missing(ledger, scope, [stage])
        if todo or (stage in NEED_COST and scope.cost(ledger) is None):
            return stage, todo
    return "", []


def first_free(todo: Iterable[Trial]) -> tuple[Trial, Flock] | None:
    """The first trial that no other process is running, and the lock that says so."""
    for trial in todo:
        if claim := Flock.now(SCRATCH / f"{trial.name}.lock"):
            return trial, claim
    return None


def say(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)
