"""Regular expressions that are compiled when they are first used: most logs need those of one format."""

import re
from typing import Any, cast

_METHODS = ("match", "fullmatch", "search", "findall", "finditer", "split", "sub")


class _Lazy:
    """Stands for a pattern until one of its methods is asked for."""

    def __init__(self, text: str, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        compiled = re.compile(self._text, self._flags)
        self.__dict__.update({method: getattr(compiled, method) for method in _METHODS})
        return self.__dict__[name]


def lazy(text: str, flags: int = 0) -> re.Pattern[str]:
    """The pattern of an expression, compiled at its first use."""
    return cast("re.Pattern[str]", _Lazy(text, flags))
