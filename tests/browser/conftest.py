"""The same operator as in the tests from end to end."""

from tests.end_to_end.conftest import operator

__all__ = ["operator"]
