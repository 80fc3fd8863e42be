"""The documentation inside the running interpreter."""

import ast
import subprocess
import sys
import sysconfig
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from trainer.data.data_errors import DataError
from trainer.data.progress import Pulse
from trainer.data.sources.python_docs import PythonDocs, docstrings, library_files

LIBRARY = Path(sysconfig.get_paths()["stdlib"])


def parsed_docstrings(source: str) -> list[str]:
    nodes = ast.walk(ast.parse(source))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = [ast.get_docstring(node) for node in nodes if isinstance(node, kinds)]
    return [text for text in found if text]


def test_stepping_over_lexemes_finds_what_a_full_parse_finds() -> None:
    files = [path for path in library_files(LIBRARY) if path.parent.name != "pydoc_data"][::8]
    wanted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for path in files:
        source = path.read_text("utf-8", errors="replace")
        wanted.update(parsed_docstrings(source))
        found.update(docstrings(source))
    total = sum(len(text) * count for text, count in wanted.items())
    missed = sum(len(text) * count for text, count in (wanted - found).items())
    invented = sum(len(text) * count for text, count in (found - wanted).items())
    assert total > 100_000
    assert missed < 0.05 * total  # one-line strings in single quotes are not looked for
    assert invented < 0.01 * total


def test_strings_that_are_no_docstrings_are_not_taken() -> None:
    source = textwrap.dedent('''
        """Module."""
        TEXT = """data:
        """
        def f(x="""default"""):  # a comment with """quotes"""
            r"""Doc \\n."""
            return {"a":
                    1}, """value"""
    ''')
    assert list(docstrings(source)) == ["Module.", "Doc \\n."]


def test_documentation_is_plenty_the_same_each_time_and_without_repeats() -> None:
    first, second = ([doc.text for doc in PythonDocs().documents(Pulse())] for _ in range(2))
    assert first == second
    assert len(set(first)) == len(first)
    assert 1_000_000 < sum(map(len, first)) < 6_000_000


def test_no_library_module_is_imported_for_it() -> None:
    script = """
        import sys
        from trainer.data.progress import Pulse
        from trainer.data.sources.python_docs import PythonDocs
        before = set(sys.modules)
        count = sum(1 for _ in PythonDocs().documents(Pulse()))
        print(count, sorted(set(sys.modules) - before - {"encodings.utf_8_sig"}))
    """
    answer = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    count, _, imported = answer.stdout.partition(" ")
    assert int(count) > 100
    assert imported.strip() == "[]"


def test_a_python_without_documentation_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('"""Little."""')
    with pytest.raises(DataError, match="--data"):
        list(PythonDocs(tmp_path).documents(Pulse()))
