"""Where the text of a run lies: a source that has a name, or a path that must exist before anything heavy."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from trainer.config.config_error import ConfigError

DATA_KEY = "data.source"
GENERATED_SOURCES = frozenset({"recall", "brackets", "interleaved", "flip-flop"})
NAMED_SOURCES = GENERATED_SOURCES | {"python-docs"}
CORPUS = "corpus:"
CORPUS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def corpora_folder(env: Mapping[str, str] = os.environ) -> Path:
    """`corpora` below `$PHOTINUS_HOME`, or below `~/.photinus`: one folder a corpus."""
    home = env.get("PHOTINUS_HOME")
    return (Path(home).expanduser() if home else Path.home() / ".photinus") / "corpora"


def corpus_folder(source: str, env: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder that `corpus:NAME` means, whether it exists or not; None for any other source.

    Raises:
        ConfigError: that is no name of a corpus, and so must not touch a path.
    """
    if not source.startswith(CORPUS):
        return None
    name = source.removeprefix(CORPUS)
    if not CORPUS_NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name of a corpus; take 1 to 64 letters, digits, '_', '-' or '.', "
            "beginning with a letter or digit"
        )
    return corpora_folder(env) / name


def absolute_source(text: str) -> str:
    """Return a source as it is stored: a path that exists becomes absolute, anything else stays.

    So a resume from another folder finds the same text, and a word that is no path is shown as it was typed.
    """
    path = None if text in NAMED_SOURCES or text.startswith(CORPUS) else _existing(text)
    return text if path is None else str(path)


def demand_source(text: str, origin: str, env: Mapping[str, str] = os.environ) -> None:
    """Refuse a source that is neither a name nor a path that exists, and a file that is empty.

    Args:
        text: `data.source`.
        origin: where that value came from, for the error.
        env: where `$PHOTINUS_HOME` is looked up.

    Raises:
        ConfigError: naming the path and the remedy.
    """
    corpus = corpus_folder(text, env)
    if corpus and not corpus.is_dir():
        raise ConfigError(
            f"{DATA_KEY} = {text!r} ({origin}): there is no corpus in {corpus}; "
            f"make it with `photinus-train corpus build {corpus.name} SOURCE`"
        )
    path = corpus or (None if text in NAMED_SOURCES else _existing(text))
    if path and path.is_file() and path.stat().st_size == 0:
        raise ConfigError(
            f"{DATA_KEY} = {text!r} ({origin}): {path} is empty; give --data a text of at least 8 KiB, or "
            "name python-docs or recall"
        )
    if text in NAMED_SOURCES or path:
        return
    raise ConfigError(
        f"{DATA_KEY} = {text!r} ({origin}): there is no file or folder {Path(text).absolute()} to be read; "
        "give --data the path of a text or of a folder of texts, or name python-docs or recall, "
        "or corpus:NAME"
    )


def _existing(text: str) -> Path | None:
    try:
        path = Path(os.path.expanduser(text))  # noqa: PTH111  `~nobody` stays, and is then not there
        return path.absolute() if path.exists() else None
    except (OSError, RuntimeError, ValueError):  # no right to look, `~` of nobody, a null byte
        return None
