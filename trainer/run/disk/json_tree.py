"""What JSON may hold here: finite numbers within a range, whole characters, and only so much depth."""

DEPTH_MAX = 32
LARGEST = 1 << 64  # nothing that is counted or named here is larger


def why_unfit(value: object, *, depth: int = DEPTH_MAX, largest: float = LARGEST) -> str:
    """Why a decoded JSON value cannot be taken; empty where it can. Never recurses.

    Args:
        value: what a decoder built.
        depth: how many levels it may have.
        largest: no whole number may be farther from 0; a fraction may be any finite number.
    """
    level: list[object] = [value]
    for _ in range(depth):
        below: list[object] = []
        for one in level:
            if isinstance(one, dict):
                below.extend(one)
                below.extend(one.values())
            elif isinstance(one, list):
                below.extend(one)
            elif isinstance(one, str):
                if not one.isascii() and _is_torn(one):
                    return "a text with half a surrogate pair"
            elif isinstance(one, float):
                if not one - one == 0.0:  # noqa: SIM201  NaN and the infinities
                    return "a number that is out of range"
            elif isinstance(one, int) and not -largest <= one <= largest:
                return "a number that is out of range"
        level = below
        if not level:
            return ""
    return f"nested deeper than {depth}"


def _is_torn(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
