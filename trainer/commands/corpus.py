"""`photinus-train corpus build|add|stats`: texts gathered under a name, and what they are made of."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trainer.commands import corpus_report as report
from trainer.config.config_error import ConfigError
from trainer.config.data import DataConfig
from trainer.config.data_source import (
    CORPUS,
    CORPUS_NAME,
    NAMED_SOURCES,
    absolute_source,
    corpora_folder,
    corpus_folder,
    demand_source,
)
from trainer.job.outcome import ExitCode, RefusedError

if TYPE_CHECKING:
    from trainer.commands.bars import Bars
    from trainer.data.corpora.gather import GatherResult
    from trainer.data.progress import Pulse

Commands = argparse._SubParsersAction

GUTENBERG = "https://www.gutenberg.org"
SOURCES = """a SOURCE is
  a file (.txt .md .rst .jsonl, .gz or .zip of them) or a folder of such files
  gutenberg:NUMBER[,NUMBER...]   books of Project Gutenberg, fetched one at a time, kept for all corpora
  preset:kssm-log                the books that the K-SSM log names
  preset:kssm-log-as-run         the books that its numbers really fetch"""


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    parser = commands.add_parser("corpus", help="gather texts under a name; count what a text is made of")
    verbs = parser.add_subparsers(required=True, metavar="build|add|stats")
    for verb, helps in (
        ("build", "gather a new corpus"),
        ("add", "add to a corpus; what it has is passed over"),
    ):
        one = verbs.add_parser(
            verb, help=helps, epilog=SOURCES, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        one.set_defaults(command=gather_command, verb=verb)
        one.add_argument("name", metavar="NAME", help="train on it with --data corpus:NAME")
        one.add_argument("sources", metavar="SOURCE", nargs="+", help="see below")
        one.add_argument(
            "--field", default="text", metavar="KEY", help="of the text in .jsonl (default: text)"
        )
        one.add_argument(
            "--gutenberg",
            default=GUTENBERG,
            metavar="URL",
            help=f"where to fetch books (default: {GUTENBERG})",
        )
        one.add_argument(
            "--pause", type=float, default=2.0, metavar="S", help="seconds between requests (default: 2)"
        )
        one.add_argument(
            "--book-mb", type=float, default=32.0, metavar="MB", help="fetch no larger book (default: 32)"
        )
        one.add_argument(
            "--offline", action="store_true", help="fetch nothing; books of earlier fetches only"
        )
        one.add_argument("--json", action="store_true", help="one line of JSON on stdout")
    stats = verbs.add_parser("stats", help="documents, characters, splits, floors, tokenizers")
    stats.set_defaults(command=stats_command)
    stats.add_argument("name", metavar="NAME|PATH", help="a corpus, or what --data takes")
    stats.add_argument("--field", default="text", metavar="KEY", help="of the text in .jsonl (default: text)")
    stats.add_argument(
        "--vocab", type=int, default=4096, metavar="N", help="of the byte pairs (default: 4096)"
    )
    stats.add_argument("--quick", action="store_true", help="without splits, floors and tokenizers")
    stats.add_argument("--json", action="store_true", help="one line of JSON on stdout")


def gather_command(arguments: argparse.Namespace) -> ExitCode:
    """Gather, and say what came of it."""
    from trainer.commands.bars import Bars
    from trainer.commands.interrupts import Interrupts
    from trainer.data import DataError, Stopped
    from trainer.data.progress import Pulse

    bars = Bars()
    try:
        with Interrupts() as asked:
            folder, outcome = gathered(arguments, Pulse(bars, asked), bars)
    except (Stopped, KeyboardInterrupt):
        bars.say("photinus-train: stopped; what is whole is kept, and the same command goes on with it")
        return ExitCode.FAILURE
    except DataError as error:
        raise RefusedError(str(error)) from error
    except OSError as error:
        bars.say(f"photinus-train: {report.disk_trouble(error)}")
        return ExitCode.FAILURE
    finally:
        bars.clear()
    for line in report.misses(folder.name, arguments.gutenberg, outcome):
        bars.say(line)
    if not any(outcome.manifest.documents):
        raise RefusedError(f"there is no text in {', '.join(map(repr, arguments.sources))}; nothing was made")
    print(report.summary_json(folder, outcome) if arguments.json else report.summary(folder, outcome))
    return ExitCode.FAILURE if outcome.missing or outcome.barren else ExitCode.OK


def gathered(arguments: argparse.Namespace, pulse: "Pulse", bars: "Bars") -> "tuple[Path, GatherResult]":
    """Check every word, then hold the corpus and gather into it."""
    from trainer.data.corpora.corpus_lock import held
    from trainer.data.corpora.gather import Means, gather
    from trainer.data.corpora.polite_http import Fetcher, Manners
    from trainer.data.corpora.requested import parse_sources
    from trainer.data.corpora.shelf import Shelf
    from trainer.data.prepare import default_cache_dir

    folder = corpora_folder() / checked_name(arguments.name)
    check_options(arguments)
    sources = parse_sources(arguments.sources)
    shelf = Shelf(default_cache_dir().parent / "gutenberg", arguments.gutenberg)
    manners = Manners(pause_s=arguments.pause, most_bytes=round(arguments.book_mb * 1e6))
    fetcher = None if arguments.offline else Fetcher(manners, pulse)
    with held(folder, is_new=arguments.verb == "build"):
        means = Means(pulse, shelf, fetcher, bars.say, arguments.field)
        return folder, gather(folder, sources, means)


def checked_name(name: str) -> str:
    """Return the name of a corpus, with or without `corpus:`.

    Raises:
        ConfigError: it is none.
    """
    name = name.removeprefix(CORPUS)
    corpus_folder(CORPUS + name)
    return name


def check_options(arguments: argparse.Namespace) -> None:
    """Refuse options that mean nothing.

    Raises:
        ConfigError: naming the option.
    """
    where = urlsplit(arguments.gutenberg)
    if where.scheme not in ("http", "https") or not where.hostname:
        raise ConfigError(f"--gutenberg {arguments.gutenberg!r} is no address; write {GUTENBERG}")
    if not 0 <= arguments.pause <= 3600:
        raise ConfigError(f"--pause {arguments.pause}: give 0 to 3600 seconds")
    if not 0 < arguments.book_mb <= 4000:
        raise ConfigError(f"--book-mb {arguments.book_mb}: give more than 0, at most 4000")


def stats_command(arguments: argparse.Namespace) -> ExitCode:
    """Count, and print what there is."""
    from trainer.commands.bars import Bars
    from trainer.commands.interrupts import Interrupts
    from trainer.data import DataError, Stopped
    from trainer.data.progress import Pulse
    from trainer.data.stats import count

    if not 512 <= arguments.vocab <= 32768:
        raise ConfigError(f"--vocab {arguments.vocab}: give 512 to 32768")
    config = DataConfig(source=source_of(arguments.name), text_field=arguments.field)
    bars = Bars()
    try:
        with Interrupts() as asked:
            stats = count(config, arguments.vocab, Pulse(bars, asked), tokenize=not arguments.quick)
    except (Stopped, KeyboardInterrupt):
        bars.say("photinus-train: stopped")
        return ExitCode.FAILURE
    except DataError as error:
        raise RefusedError(str(error)) from error
    finally:
        bars.clear()
    print(json.dumps(stats.to_json()) if arguments.json else "\n".join(report.stats_lines(stats)))
    return ExitCode.OK


def source_of(word: str) -> str:
    """What `--data` would call it: a corpus of that name before anything else.

    Raises:
        ConfigError: there is nothing of that name.
    """
    if not word.startswith(CORPUS) and CORPUS_NAME.fullmatch(word) and (corpora_folder() / word).is_dir():
        word = CORPUS + word
    source = absolute_source(word)
    if source not in NAMED_SOURCES and not source.startswith((CORPUS, "/")):
        raise ConfigError(
            f"there is no corpus, file or folder {word!r}; `ls {corpora_folder()}` shows the corpora"
        )
    demand_source(source, "NAME")
    return source
