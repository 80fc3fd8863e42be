"""Where the text of a run lies: a source that has a name, or a path that must exist before anything heavy."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.config.config_error import ConfigError

DATA_KEY, TOKENIZER_KEY = "data.source", "data.tokenizer_file"
GENERATED_SOURCES = frozenset({"recall", "brackets", "interleaved", "flip-flop"})
TASK_SOURCES = frozenset({"kv-recall"})
NAMED_SOURCES = GENERATED_SOURCES | TASK_SOURCES | {"python-docs"}
CORPUS = "corpus:"
MIXTURE = "mix:"
PARTS_MAX = 32
_PART = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*\*\s*(.+?)\s*", re.DOTALL)
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


def mixture_parts(source: str) -> list[tuple[float, str]] | None:
    """Return weight and source of each part of `mix:3*a.txt,1*corpus:b`; None for any other source.

    Raises:
        ConfigError: that is no mixture, or a part of it cannot be mixed.
    """
    if not source.startswith(MIXTURE):
        return None
    parts = []
    for word in source.removeprefix(MIXTURE).split(","):
        found = _PART.fullmatch(word)
        if found is None or float(found[1]) == 0:
            raise ConfigError(
                f"{DATA_KEY}: {word!r} is no part of a mixture; write WEIGHT*SOURCE, such as "
                "mix:3*book.txt,1*python-docs (a path has no comma)"
            )
        if found[2] in GENERATED_SOURCES | TASK_SOURCES or found[2].startswith(MIXTURE):
            raise ConfigError(
                f"{DATA_KEY}: {found[2]} cannot be mixed; mix files, folders, corpus:NAME and python-docs"
            )
        parts.append((float(found[1]), found[2]))
    if not 2 <= len(parts) <= PARTS_MAX or len({name for _, name in parts}) < len(parts):
        raise ConfigError(
            f"{DATA_KEY}: a mixture is of 2 to {PARTS_MAX} different sources, such as "
            "mix:3*book.txt,1*python-docs"
        )
    return parts


def absolute_source(text: str) -> str:
    """Return a source as it is stored: a path that exists becomes absolute, anything else stays.

    So a resume from another folder finds the same text, and a word that is no path is shown as it was typed.
    """
    if text.startswith(MIXTURE):
        parts = mixture_parts(text) or []
        return MIXTURE + ",".join(f"{weight:g}*{absolute_source(name)}" for weight, name in parts)
    path = None if text in NAMED_SOURCES or text.startswith(CORPUS) else _existing(text)
    return text if path is None else str(path)


def text_change(spec: Mapping[str, Any], given: str | None = None) -> dict[str, str]:
    """Return what a resume on another host is told of the text of a run of ours; of a command nothing.

    That host then says at once whether it is there. `given`: where it lies there; None: at the same place.
    """
    data = (spec.get("config") or {}).get("data")
    source = given or (data.get("source") if isinstance(data, Mapping) else None)
    return {DATA_KEY: source} if spec.get("kind") == "trainer" and source else {}


def demand_source(text: str, origin: str, env: Mapping[str, str] = os.environ) -> None:
    """Refuse a source that is neither a name nor a path that exists, and a file that is empty.

    Args:
        text: `data.source`.
        origin: where that value came from, for the error.
        env: where `$PHOTINUS_HOME` is looked up.

    Raises:
        ConfigError: naming the path and the remedy.
    """
    if (parts := mixture_parts(text)) is not None:
        for _, name in parts:
            demand_source(name, origin, env)
        return
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
