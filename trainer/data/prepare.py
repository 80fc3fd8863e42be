"""The one entry: a configuration in, a corpus ready to train on out."""

import errno
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from trainer.config.data import DataConfig
from trainer.config.data_source import TASK_SOURCES, corpus_folder, mixture_parts
from trainer.data.cache.cache import TokenCache
from trainer.data.cache.fill import fill_entry
from trainer.data.cache.prune import prune
from trainer.data.corpora.named import NamedCorpus
from trainer.data.data_errors import CacheError, ChangedWhileReadError, DataError
from trainer.data.prepared_corpus import Corpus
from trainer.data.progress import DataProgress, Pulse, never, silent
from trainer.data.sources.file_formats import PLAIN, READ, suffix_of
from trainer.data.sources.generated import RULES, GeneratedText
from trainer.data.sources.mixture import Mixture
from trainer.data.sources.python_docs import PythonDocs
from trainer.data.sources.recall import RecallText
from trainer.data.sources.source import TextSource
from trainer.data.sources.text_files import TextFiles
from trainer.data.tokenizers.hugging_face import tokenizer_file
from trainer.data.tokenizers.tokenizer import Tokenizer

FORMAT = "1"
TRIES = 3


def default_cache_dir(env: Mapping[str, str] = os.environ) -> Path:
    """`cache/tokens` below `$PHOTINUS_HOME`, or below `~/.photinus`."""
    home = env.get("PHOTINUS_HOME")
    return (Path(home).expanduser() if home else Path.home() / ".photinus") / "cache" / "tokens"


def open_source(config: DataConfig) -> TextSource:
    """The source that `config.source` names: `python-docs`, a generated one, a corpus, a path, or a mixture.

    Raises:
        ConfigError: what follows `corpus:` is no name.
        DataError: it is a task, which has sequences and no text.
    """
    if (parts := mixture_parts(config.source)) is not None:
        return Mixture(
            [(weight, open_source(msgspec.structs.replace(config, source=name))) for weight, name in parts]
        )
    if config.source == "python-docs":
        return PythonDocs()
    if config.source == "recall":
        return RecallText(config)
    if config.source in RULES:
        return GeneratedText(config)
    if config.source in TASK_SOURCES:
        raise DataError(
            f"{config.source} is a task and no text",
            f"train on it: photinus-train run --data {config.source} --out DIR",
        )
    if folder := corpus_folder(config.source):
        return NamedCorpus(folder)
    return TextFiles(Path(config.source), config.text_field)


def prepare(
    config: DataConfig,
    *,
    cache_dir: Path | None = None,
    progress: Callable[[DataProgress], None] = silent,
    should_stop: Callable[[], bool] = never,
    tokenizer: Tokenizer | None = None,
) -> Corpus:
    """Tokens, tokenizer and floors of `config`, from the cache if they are there and whole, else built.

    Args:
        config: What to read and how to cut it.
        cache_dir: The token cache; default `default_cache_dir()`.
        progress: Told of every stage, about ten times a second.
        should_stop: Polled by every loop.
        tokenizer: One that a model knows, in place of one that is learnt on this text, or named
            by `config.tokenizer_file`.

    Raises:
        DataError: if the text cannot be read, is too little, or the cache cannot be written.
        Stopped: if a stop was asked for; nothing half-made is left behind.
    """
    folder = cache_dir or default_cache_dir()
    try:
        return _prepare(config, TokenCache(folder), Pulse(progress, should_stop), tokenizer)
    except OSError as error:
        where = error.filename or folder
        raise CacheError(f"cannot use {where} ({error.strerror or error})", _remedy(error, folder)) from error


def prepare_or_cached(
    config: DataConfig,
    fingerprint: str,
    *,
    cache_dir: Path | None = None,
    progress: Callable[[DataProgress], None] = silent,
    should_stop: Callable[[], bool] = never,
    warn: Callable[[str], None] = lambda _: None,
    tokenizer: Tokenizer | None = None,
) -> Corpus:
    """`prepare`; where the text cannot be read any more, the tokens that a checkpoint's `fingerprint` names.

    Raises:
        DataError: as `prepare`, and the cache has them not either.
        Stopped: if a stop was asked for.
    """
    try:
        return prepare(
            config, cache_dir=cache_dir, progress=progress, should_stop=should_stop, tokenizer=tokenizer
        )
    except DataError as error:
        found = cached(fingerprint, cache_dir=cache_dir, progress=progress, should_stop=should_stop)
        if found is None:
            raise
        warn(f"{error}; the tokens of that text are in the cache still, and are used")
        return found


def cached(
    fingerprint: str,
    *,
    cache_dir: Path | None = None,
    progress: Callable[[DataProgress], None] = silent,
    should_stop: Callable[[], bool] = never,
) -> Corpus | None:
    """The tokens of this fingerprint where the cache still has them, whether or not their text is there.

    Raises:
        Stopped: if a stop was asked for.
    """
    folder = cache_dir or default_cache_dir()
    if not (folder / fingerprint).is_dir():
        return None
    return TokenCache(folder).open(fingerprint, Pulse(progress, should_stop))


def _prepare(config: DataConfig, cache: TokenCache, pulse: Pulse, tokenizer: Tokenizer | None) -> Corpus:
    source = open_source(config)
    if tokenizer is None and config.tokenizer_file:
        tokenizer = tokenizer_file(Path(config.tokenizer_file))
    prune(cache, config.cache_days, config.cache_gb)
    for _ in range(TRIES):
        corpus = _open_or_build(config, source, cache, pulse, tokenizer)
        if corpus:
            prune(cache, config.cache_days, config.cache_gb)
            return corpus
    raise ChangedWhileReadError(
        f"{source.name} changed each time it was read", "let it rest, then start again"
    )


def _open_or_build(
    config: DataConfig,
    source: TextSource,
    cache: TokenCache,
    pulse: Pulse,
    tokenizer: Tokenizer | None = None,
) -> Corpus | None:
    """None if the input changed meanwhile."""
    stamp = source.stamp()
    content = cache.content_hash(source, stamp, pulse)
    settings = settings_of(config, content)
    if tokenizer is not None:
        settings["tokenizer"] = f"given {hashlib.sha256(tokenizer.to_json()).hexdigest()}"
    fingerprint = fingerprint_of(settings)

    def unchanged() -> bool:
        if source.stamp().digest != stamp.digest:
            return False
        return stamp.settled or source.content_hash(pulse) == content

    if corpus := cache.open(fingerprint, pulse):
        return corpus
    with cache.build_lock(fingerprint, pulse):
        if corpus := cache.open(fingerprint, pulse):  # by whom we waited for
            return corpus
        fill = partial(
            fill_entry,
            source=source,
            config=config,
            fingerprint=fingerprint,
            settings=settings,
            pulse=pulse,
            given=tokenizer,
        )
        if not cache.build(fingerprint, fill, unchanged):
            return None
        built = cache.open(fingerprint, pulse)
    return replace(built, from_cache=False) if built else None


def settings_of(config: DataConfig, content: str) -> dict[str, str]:
    """Everything that the tokens depend on, readable: our format, the content's hash, cut and tokenizer."""
    settings = {
        "format": FORMAT,
        "content": content,
        "tokenizer": "byte" if config.tokenizer == "byte" else f"bpe {config.vocab}",
        "val_fraction": repr(config.val_fraction),
        "block_kib": str(config.block_kib),
        "max_mb": repr(config.max_mb),
    }
    return settings | ({"reset": config.reset} if config.reset != "never" else {})


def fingerprint_under(config: DataConfig, corpus: Corpus, then: str) -> str:
    """The fingerprint that the text of `config` would have under the suffix of the path `then`.

    Its own where the suffix says another way of reading, or the text is no lone file: a folder's names count.

    Raises:
        DataError: the text cannot be read.
    """
    source, suffix = open_source(config), suffix_of(then)
    if (
        not isinstance(source, TextFiles)
        or not source.path.is_file()
        or _own_way(suffix_of(source.path.name))
    ):
        return corpus.fingerprint
    if _own_way(suffix):
        return corpus.fingerprint
    source.stamp()
    content = source.content_hash_as(suffix, Pulse(silent, never))
    return fingerprint_of({**corpus.meta.settings, "content": content})


def _own_way(suffix: str) -> bool:
    """Whether a file of this suffix is read otherwise than as plain text."""
    return suffix in READ - PLAIN


def fingerprint_of(settings: Mapping[str, str]) -> str:
    """32 hex digits over the settings."""
    return hashlib.sha256(msgspec.json.encode(settings, order="sorted")).hexdigest()[:32]


def _remedy(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"make room on the disk of {folder}, or point PHOTINUS_HOME at another"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "check its owner and permissions, or point PHOTINUS_HOME at a folder of yours"
    return "check the disk, then start again"
