"""Names that other people chose, made fit to be shown: no file name may steer a terminal."""

LONGEST = 200


def shown(name: object) -> str:
    """`name` on one line, with escapes for what is not printable (controls, direction marks, stray bytes).

    Longer ones lose their middle, so that folder and suffix stay.
    """
    text = str(name)
    if not text.isprintable():
        text = "".join(one if one.isprintable() else _escaped(one) for one in text)
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]}…{text[1 - LONGEST // 2 :]}"
    return text


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
