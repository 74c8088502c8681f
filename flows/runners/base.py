"""What a runner gives to the stages: a way to call one function for many items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Mapper(Protocol):
    """Calls a plain module-level function for each item; the results come in the order of the items.

    An item may be worked on by another machine: items and results are paths and small values, what is large lies as
    Parquet in the run's work folder. What a function raises, the mapper raises.
    """

    def __call__(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]: ...
