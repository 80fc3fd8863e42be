"""Where the text of a run lies: a source that has a name, or a path that must exist before anything heavy."""

from pathlib import Path

from trainer.config.errors import ConfigError

DATA_KEY = "data.source"
NAMED_SOURCES = frozenset({"python-docs", "recall"})


def absolute_source(text: str) -> str:
    """Return a source as it is stored: a path that exists becomes absolute, anything else stays.

    So a resume from another folder finds the same text, and a word that is no path is shown as it was typed.
    """
    path = None if text in NAMED_SOURCES else _existing(text)
    return text if path is None else str(path)


def demand_source(text: str, origin: str) -> None:
    """Refuse a source that is neither a name nor a path that exists, and a file that is empty.

    Args:
        text: `data.source`.
        origin: where that value came from, for the error.

    Raises:
        ConfigError: naming the path and the remedy.
    """
    path = None if text in NAMED_SOURCES else _existing(text)
    if path and path.is_file() and path.stat().st_size == 0:
        raise ConfigError(
            f"{DATA_KEY} = {text!r} ({origin}): {path} is empty; give --data a text of at least 8 KiB, or "
            "name python-docs or recall"
        )
    if text in NAMED_SOURCES or path:
        return
    raise ConfigError(
        f"{DATA_KEY} = {text!r} ({origin}): there is no file or folder {Path(text).absolute()} to be read; "
        "give --data the path of a text or of a folder of texts, or name python-docs or recall"
    )


def _existing(text: str) -> Path | None:
    try:
        path = Path(text).expanduser()
        return path.absolute() if path.exists() else None
    except (OSError, RuntimeError, ValueError):  # no right to look, `~` of nobody, a null byte
        return None
