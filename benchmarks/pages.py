"""Tables that a benchmark makes, put into a page of docs between two marks."""

from pathlib import Path


def put(page: Path, mark: str, made: str) -> None:
    """Replace what stands between the marks of `page`.

    Raises:
        SystemExit: it lacks a mark; the message names both.
    """
    page.write_text(replaced(page.read_text("utf-8"), mark, made, page.name), "utf-8")


def replaced(text: str, mark: str, made: str, name: str = "the page") -> str:
    """Return `text` with `made` between `<!-- MARK:begin -->` and `<!-- MARK:end -->`.

    Raises:
        SystemExit: a mark is missing.
    """
    begin, end = f"<!-- {mark}:begin -->", f"<!-- {mark}:end -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{name} lacks the lines {begin} and {end}; add both, in this order")
    return f"{before}{begin}\n\n{made}\n\n{end}{after}"
