"""How a pickle is built, told from its instructions alone: nothing is made of it, or hashed.

A tuple of two tuples of two tuples takes a few bytes a level; to hash or print it takes time without end.
"""

import pickletools
from dataclasses import dataclass, field

OPS_MAX = 2_000_000  # some thirty a tensor
TUPLE_DEPTH_MAX = 8  # weights need three
TUPLE_SIZE_MAX = 4_096  # with all that lies in it, counted as often as it stands there
WORK_MAX = 20_000_000
PLAIN = frozenset({
    "BININT", "BININT1", "BININT2", "BINFLOAT", "BINUNICODE", "SHORT_BINSTRING", "LONG1", "NONE", "NEWTRUE",
    "NEWFALSE", "GLOBAL",
})  # fmt: skip
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
HOLDERS = frozenset({"EMPTY_LIST", "EMPTY_DICT"})
SILENT = frozenset({"PROTO", "STOP"})


class PickleShapeError(ValueError):
    """A pickle is built as no weights are; the message says how."""


@dataclass(frozen=True, slots=True)
class _Value:
    """What stands for a value: how deep tuples lie in one another there, and how much they hold."""

    depth: int = 0
    size: int = 1


_ONE = _Value()
_MARK = _Value(-1)


@dataclass(slots=True)
class _Walk:
    stack: list[_Value] = field(default_factory=list)
    memo: dict[int, _Value] = field(default_factory=dict)
    work: int = 0

    def pop(self) -> _Value:
        if not self.stack:
            raise PickleShapeError("it takes what nobody gave")
        return self.stack.pop()

    def since_mark(self) -> list[_Value]:
        found: list[_Value] = []
        while (one := self.pop()) is not _MARK:
            found.append(one)
        return found[::-1]

    def close_tuple(self, parts: list[_Value]) -> None:
        depth = 1 + max((one.depth for one in parts), default=0)
        size = 1 + sum(one.size for one in parts)
        if depth > TUPLE_DEPTH_MAX or size > TUPLE_SIZE_MAX:
            raise PickleShapeError(f"tuples lie {depth} deep in one another, with {size:,} values")
        self.work += size
        self.stack.append(_Value(depth, size))

    def demand_keys(self, keys: list[_Value]) -> None:
        if any(one.depth for one in keys):
            raise PickleShapeError("a key of a dictionary is a tuple")


def check_shape(raw: bytes) -> None:
    """Follow the instructions of a pickle as torch knows them.

    Raises:
        PickleShapeError: too many, others, tuples too deep or too large, or keys that are tuples.
        ValueError: it is no pickle.
    """
    walk = _Walk()
    for count, (code, argument, _) in enumerate(pickletools.genops(raw)):
        if count > OPS_MAX or walk.work > WORK_MAX:
            raise PickleShapeError("it has instructions without end")
        if isinstance(argument, int) and code.name == "LONG_BINPUT" and argument > len(raw):
            raise PickleShapeError("it asks for memory without end")
        _follow(walk, code.name, argument)


def _follow(walk: _Walk, name: str, argument: object) -> None:
    stack = walk.stack
    if name in PLAIN or name in HOLDERS:
        stack.append(_ONE)
    elif name in ("BINPUT", "LONG_BINPUT") and isinstance(argument, int):
        walk.memo[argument] = stack[-1] if stack else walk.pop()
    elif name in ("BINGET", "LONG_BINGET") and isinstance(argument, int):
        stack.append(walk.memo.get(argument, _ONE))
    elif name == "MARK":
        stack.append(_MARK)
    elif name == "EMPTY_TUPLE":
        walk.close_tuple([])
    elif name == "TUPLE":
        walk.close_tuple(walk.since_mark())
    elif name in TUPLES:
        walk.close_tuple([walk.pop() for _ in range(TUPLES[name])])
    elif name == "BINPERSID":
        walk.pop()
        stack.append(_ONE)
    elif name == "REDUCE":  # what is called may hash or print what it is given
        walk.work += walk.pop().size
        walk.pop()
        stack.append(_ONE)
    elif name in ("BUILD", "APPEND"):
        walk.pop()
    elif name == "APPENDS":
        walk.since_mark()
    elif name == "SETITEM":
        walk.pop()
        walk.demand_keys([walk.pop()])
    elif name == "SETITEMS":
        walk.demand_keys(walk.since_mark()[::2])
    elif name not in SILENT:
        raise PickleShapeError(f"it uses {name}, which weights do not need")
