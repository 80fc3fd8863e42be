"""A corpus with a name, as a source of text."""

from collections.abc import Iterator
from pathlib import Path

from trainer.config.data_source import CORPUS, corpora_folder
from trainer.data.corpora.corpus_manifest import is_corpus, load
from trainer.data.data_errors import DataError
from trainer.data.display_names import shown
from trainer.data.progress import Pulse
from trainer.data.sources.source import Document
from trainer.data.sources.text_files import TextFiles
from trainer.data.stamps import Stamp

TEXT = "text"


class NamedCorpus(TextFiles):
    """`corpus:NAME`: the shards of one corpus. Its identity is their content, so a changed one is another."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, TEXT)
        self.name = CORPUS + folder.name

    def stamp(self) -> Stamp:
        """See `Source`."""
        if not is_corpus(self.path):
            raise no_corpus(self.path.name)
        return super().stamp()

    def documents(self, pulse: Pulse) -> Iterator[Document]:
        """See `Source`; a gathering that was interrupted is noted."""
        yield from super().documents(pulse)
        if load(self.path).unfinished:
            self.notes.append(
                f"{self.name} is not complete: the same `photinus-train corpus` command goes on with it"
            )


def existing() -> list[str]:
    """Names of the corpora on this host."""
    folder = corpora_folder()
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and is_corpus(path))


def no_corpus(name: str) -> DataError:
    """That there is none of this name, and which there are."""
    names = ", ".join(map(shown, existing()))
    return DataError(
        f"there is no corpus {shown(name)} on this host",
        f"there are {names}" if names else f"make it with `photinus-train corpus build {shown(name)} SOURCE`",
    )
