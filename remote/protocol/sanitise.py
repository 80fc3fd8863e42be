"""Nothing a host says may steer the terminal: escape sequences, controls, bidi and zero-width signs go.

This is the one cleaner of text. What is shown to a person goes through `clean` or `clean_line` where it comes
in; JSON that is printed on a terminal through `escaped`, which keeps every character, as JSON can.
"""

import json
import re

_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor movement
    r"|(?:\x1b[\]P_^X]|[\x9d\x90\x9f\x9e\x98])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, APC, PM, SOS
    r"|\x1b[ -/]*[0-~]?"  # the two- and three-byte escapes
)
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and newline, DEL, C1
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # bidi, zero-width
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\uffa0\ufe00-\ufe0f"  # fillers, selectors
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # format controls of shorthand and of music
    "\U000e0000-\U000e01ef]"  # tag characters and more selectors
)
_STACKED = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{2})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_STEERS = re.compile(f"{_CONTROLS.pattern[:-1]}\ud800-\udfff]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Text that is safe to show; tab and newline stay, everything else that acts on a terminal goes."""
    if text.isascii() and text.isprintable():
        return text
    text = _SURROGATES.sub("\ufffd", text)
    return _STACKED.sub(r"\1", _CONTROLS.sub("", _SEQUENCES.sub("", text)))


def clean_line(text: str) -> str:
    """As `clean`, and on one line: tabs, newlines and the blank Braille pattern become spaces."""
    if text.isascii() and text.isprintable():
        return text
    return clean(text).replace("\n", " ").replace("\t", " ").replace("\u2800", " ")


def steers(text: str) -> bool:
    """Whether a text holds anything that acts on a terminal; tab and newline do not."""
    return not (text.isascii() and text.isprintable()) and _STEERS.search(text) is not None


def escaped(json_text: str) -> str:
    """A line of JSON in which every character that steers a terminal is written as `\\uXXXX`."""
    return _STEERS.sub(lambda found: _escape(found[0]), json_text) if steers(json_text) else json_text


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"


def clean_tree(value: object) -> object:
    """Every text of a decoded JSON value cleaned, keys included."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_tree(item) for item in value]
    if isinstance(value, dict):
        return {clean_line(str(key)): clean_tree(item) for key, item in value.items()}
    return value
