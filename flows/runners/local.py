"""The runner of one machine: a thread per processor, because shapely, GDAL and pyarrow let others run meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from flows.runners.base import Item, Result


def map_locally(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """A ``Mapper`` that works on as many items at a time as there are processors."""
    threads = min(len(items), os.cpu_count() or 1)
    if threads <= 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads, thread_name_prefix="map") as pool:
        return list(pool.map(function, items))
