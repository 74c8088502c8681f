"""GeoJSON in our own layout, one feature a line, read line by line: a country takes no more room than a Land."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import orjson

Item = TypeVar("Item")
CLOSING = b"]}"


class NotByLine(ValueError):
    """The file is not JSON with one feature a line."""


def head_of(file: Path) -> dict[str, Any]:
    """What the collection says of itself, with no features. Raises ``NotByLine``."""
    with file.open("rb") as stream:
        first = stream.readline().rstrip()
    try:
        head = orjson.loads(first + CLOSING)
    except orjson.JSONDecodeError:
        raise NotByLine(file) from None
    if not isinstance(head, dict) or head.get("features") != []:
        raise NotByLine(file)
    return head


def features_by_line(file: Path) -> Iterator[bytes]:
    """The text of each feature, a JSON object. Raises ``NotByLine``, possibly after some features: together with a
    readable head and objects in all lines, the commas between them make the file JSON.
    """
    with file.open("rb") as stream:
        stream.readline()
        line, after = stream.readline().rstrip(), stream.readline().rstrip()
        while after:
            last = after == CLOSING
            if not line.startswith(b"{") or line.endswith(b",") == last:
                raise NotByLine(file)
            yield line.removesuffix(b",")
            line, after = after, stream.readline().rstrip()
        if line != CLOSING or stream.read().strip():
            raise NotByLine(file)


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """``items`` in groups of ``size``, the last one smaller."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def features(file: Path) -> Iterator[dict[str, Any]]:
    """The features of a file that was checked before, one after the other; in another layout, all at once.

    Raises ``NotByLine`` or ``orjson.JSONDecodeError`` for a file that is broken on the way.
    """
    try:
        head_of(file)
    except NotByLine:
        yield from orjson.loads(file.read_bytes())["features"]
        return
    yield from map(orjson.loads, features_by_line(file))
