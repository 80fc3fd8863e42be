import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.protocol.sanitise import clean, clean_line, clean_tree


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;my title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("\x9d0;title\x9cafter", "after"),
        ("\x1bPq#0\x1b\\after", "after"),
        ("a\x00b\x08c\x7fd\re", "abcde"),
        ("user\u202egpj.exe", "usergpj.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("tag\U000e0041", "tag"),
        ("half \ud800", "half \ufffd"),
        ("tab\tand\nnewline", "tab\tand\nnewline"),
        ("λ=0.3 übung 数", "λ=0.3 übung 数"),
        ("lone \x1b", "lone "),
        ("cut off \x1b[3", "cut off "),
    ],
)
def test_only_what_is_to_be_read_is_left(said: str, shown: str) -> None:
    assert clean(said) == shown


@given(st.text())
def test_no_control_and_no_format_character_gets_through(said: str) -> None:
    shown = clean(said)
    assert not [sign for sign in shown if unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\t\n"]
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200b\u200f\ufeff")
    assert clean(shown) == shown


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"])))
def test_printable_ascii_is_left_alone(said: str) -> None:
    assert clean(said) == said


def test_a_line_is_one_line_and_a_tree_is_cleaned_throughout() -> None:
    assert clean_line("a\nb\tc") == "a b c"
    tree = {"a\x1b[1m": ["\x07b", {"c": "d\u202e"}], "n": 1, "none": None}
    assert clean_tree(tree) == {"a": ["b", {"c": "d"}], "n": 1, "none": None}
