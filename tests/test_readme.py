"""The README stays true: its key table is the binding table's own."""

from pathlib import Path

from tui.keys import markdown

ROOT = Path(__file__).parents[1]
OPEN, CLOSE = "<!-- keys: python -m tui.keys -->", "<!-- /keys -->"


def test_the_readmes_key_table_is_the_one_that_dispatches() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.split(OPEN)[1].split(CLOSE)[0]
    assert table.strip() == "\n".join(markdown()).strip(), (
        "paste the output of `python -m tui.keys` between the marks"
    )


def test_every_page_that_the_readme_names_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = [part.split(")")[0] for part in text.split("](")[1:]]
    assert named
    missing = [name for name in named if not name.startswith("http") and not (ROOT / name).exists()]
    assert missing == []
