"""`--env` and `--env-file`: what a shell user expects of them, and errors that name the right one."""

from pathlib import Path

import pytest

from remote.protocol.errors import CallError
from tui.commands.environment import read_environment


def test_a_files_quotes_and_exports_are_taken_off_as_a_shell_does(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    file.write_text(
        "# what the run needs\n"
        "PLAIN=one two\n"
        'export QUOTED="one two"  # said twice\n'
        "SINGLE='a\"b$HOME\\n'\n"
        'ESCAPED="say \\"hi\\"\\n"\n'
        "EMPTY=\n"
        "URL=https://x/?a=b#c\n"
    )
    assert read_environment([], str(file)) == {
        "PLAIN": "one two",
        "QUOTED": "one two",
        "SINGLE": 'a"b$HOME\\n',
        "ESCAPED": 'say "hi"\n',
        "EMPTY": "",
        "URL": "https://x/?a=b#c",
    }


def test_the_command_line_wins_and_is_taken_as_it_comes(tmp_path: Path) -> None:
    file = tmp_path / "e"
    file.write_text("A=1\nB=2\n")
    assert read_environment(['B="3"'], str(file)) == {"A": "1", "B": '"3"'}


@pytest.mark.parametrize("line", ["no equals", "1A=x", "A B=x", "=x", 'A="x', "A='x' y"])
def test_a_bad_line_names_the_file_and_the_line_and_never_the_value(tmp_path: Path, line: str) -> None:
    file = tmp_path / "secrets.env"
    file.write_text(f"GOOD=1\n{line}\n")
    with pytest.raises(CallError, match=r"--env-file .*secrets\.env, line 2") as caught:
        read_environment([], str(file))
    assert caught.value.exit_code == 2
    assert "--env NAME" not in caught.value.remedy
    assert line not in caught.value.message


def test_a_bad_pair_names_its_option() -> None:
    with pytest.raises(CallError, match="--env number 2") as caught:
        read_environment(["A=1", "hunter2"], None)
    assert "hunter2" not in str(caught.value)
    assert "--env NAME=VALUE" in caught.value.remedy
