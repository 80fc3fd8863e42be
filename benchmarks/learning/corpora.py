"""The texts of the study, and that all contenders are of one size."""

import shutil
from pathlib import Path

from benchmarks.learning.contenders import CONTENDERS, SUBJECT, Setting, config_of
from benchmarks.learning.ledger import RESULTS
from trainer.config.data import DataConfig
from trainer.data import prepare
from trainer.models import build

SCRATCH = RESULTS.parent / "scratch" / "learning"
PARAMETERS_WITHIN = 0.03


def sources(books: Path | None) -> dict[str, str]:
    """Corpus -> `data.source`; the books are copied, so that nothing else of their folder is read."""
    found = {"python-docs": "python-docs"}
    if books is None:
        return found
    texts = sorted(books.glob("*.txt"))
    if not texts:
        raise SystemExit(f"there is no .txt file in {books}")
    place = SCRATCH / "books"
    place.mkdir(parents=True, exist_ok=True)
    for old in {path.name for path in place.iterdir()} - {path.name for path in texts}:
        (place / old).unlink()
    for path in texts:
        copy = place / path.name
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            shutil.copyfile(path, copy)
    return found | {"books": str(place)}


def fingerprint_of(source: str) -> str:
    """Of the tokens of a corpus."""
    with prepare(DataConfig(source=source)) as corpus:
        return corpus.fingerprint


def check_sizes() -> None:
    """End with a word where a contender is not within 3 % of the subject."""
    sizes = {name: _parameters(name) for name in CONTENDERS}
    for name, count in sizes.items():
        if abs(count / sizes[SUBJECT] - 1) > PARAMETERS_WITHIN:
            raise SystemExit(
                f"{name} has {count} parameters, {SUBJECT} {sizes[SUBJECT]}: more than 3 % apart"
            )


def _parameters(name: str) -> int:
    config = config_of(name, Setting(1e-3), "python-docs", steps=1, seed=0)
    return build(config.model, 256).parameter_count()
