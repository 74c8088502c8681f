"""The map's data: municipalities, simplified until the document fits the profile's budget, with what is known of them.

Picture and lines (``map_picture``, ``map_lines``) are made from the same shapes, so borders run exactly along them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import orjson
import shapely

from flows import geometry
from flows.errors import WrongUsage
from flows.german import number
from flows.site.map_lines import outlines

# The finest shapes keep details of this share of the map's extent, a quarter of a pixel on a screen of 1,000.
FINEST_SHARE = 1 / 4000
# The bytes that shapes take fall with the tolerance about like this power of it (measured for Thuringia and Germany:
# 0.8 to 1), so that the first tolerance tried after the finest one is close to the one that fills the budget.
FALL = 0.9
# Aim a little below the budget, and be content with a document that fills so much of it.
AIM, CONTENT_WITH = 0.94, 0.85
# Attempts to come closer once a document fits, each the cost of one simplification.
REFINEMENTS = 2
# What does not fit although it should have (or is broken by rounding) is tried again this much coarser, at least; after
# each further refusal by the square of that, so that what fits nowhere is given up after a few attempts.
LEAST_STEP = 1.1
# 1.1 m: finer than any tolerance in use, so rounding does not distort shapes.
DECIMALS = 5
# Rounding so far breaks a narrow shape now and then, and among very many surely one: then all have more decimals, at
# first those of the published files. Simplified shapes keep vertices of the boundary file, so they bear them all alike.
MORE_DECIMALS = (geometry.DECIMALS, geometry.DECIMALS + 1)


@dataclass(frozen=True, slots=True)
class Place:
    """A municipality that the map names: a point well inside it, in WGS84."""

    ags: str
    name: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Sign:
    """A committee's sign in one municipality: its kind and status, and its place in the row there (0 the middle)."""

    ags: str
    form: str
    state: str
    slot: float


@dataclass(frozen=True, slots=True)
class MapContent:
    """What the map tells, apart from its shapes.

    ``facts`` are for the scripts; ``keys`` and ``states`` of the municipalities in the order of their shapes; for the
    picture the ``places`` to name, in the order in which they claim room, and the ``signs``.
    """

    facts: Mapping[str, Any]
    keys: Sequence[str]
    states: Sequence[str]
    places: Sequence[Place]
    signs: Sequence[Sign]


@dataclass(frozen=True, slots=True)
class PageMap:
    """The finished map: the document, and the rounded WGS84 shapes it holds (one per municipality, in order)."""

    document: bytes
    shapes: geometry.Geometries


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A map that was tried, and whether it can be the page's: small enough, and no shape broken."""

    made: PageMap
    fits: bool

    @property
    def size(self) -> int:
        return len(self.made.document)


def page_map(content: MapContent, shapes: geometry.Geometries, tolerance: float, limit: int) -> PageMap:
    """Simplify ``shapes`` further until the document fits into ``limit`` bytes.

    ``shapes`` (EPSG:25832, one per municipality, in order) are simplified by ``tolerance`` (m) already: the finest that
    the map shows. A coverage of a Land or a country takes seconds to simplify, so the tolerance that fills the budget
    is reckoned from the size of what was tried last (see ``FALL``) instead of searched for. When that leads to nothing,
    the coarsest shapes show whether anything fits, and what no tolerance saves. Raises ``WrongUsage`` when not even
    they fit.
    """
    extent = extent_of(shapes)
    finest = _page_map(content, shapes, limit)
    if finest.fits:
        return finest.made
    size, ground, refused, step, left = (
        finest.size,
        len(orjson.dumps(content.facts)),
        tolerance,
        LEAST_STEP,
        REFINEMENTS,
    )
    best: PageMap | None = None
    coarsest: PageMap | None = None
    while best is None or (left and len(best.document) < limit * CONTENT_WITH):
        wanted = _next_tolerance(tolerance, size - ground, (limit - ground) * AIM)
        # Never finer than what was refused: sizes do not fall quite evenly.
        tolerance = max(wanted, refused * step)
        if tolerance >= extent:
            best = best or coarsest or _coarsest(content, shapes, finest, limit)
            break
        tried = _page_map(content, shapely.coverage_simplify(shapes, tolerance), limit)
        size = tried.size
        if tried.fits:
            # What is between the two is tried next.
            step = math.sqrt(tolerance / refused)
            best = tried.made if best is None else max(best, tried.made, key=lambda one: len(one.document))
        else:
            refused, step = tolerance, step**2
            if best is None and coarsest is None:
                coarsest = _coarsest(content, shapes, finest, limit)
                ground = len(coarsest.document)
        left -= best is not None
    return best


def _coarsest(content: MapContent, shapes: geometry.Geometries, finest: _Attempt, limit: int) -> PageMap:
    """The map with as little detail as neighbours allow. Raises ``WrongUsage`` when it does not fit."""
    attempt = _page_map(content, shapely.coverage_simplify(shapes, extent_of(shapes)), limit)
    if not attempt.fits and attempt.size <= limit:
        raise WrongUsage(
            "Die Formen der Karte überlappen sich oder lassen Lücken, auch wenn sie auf den Zentimeter genau sind. "
            "Bitte die Grenzdatei prüfen."
        )
    if not attempt.fits:
        raise WrongUsage(
            f"Die Karte der Seite passt nicht in {number(limit)} Byte. Bitte page_map_bytes im Profil erhöhen: mit den "
            f"gröbsten Formen braucht sie {number(attempt.size)} Byte, mit den feinsten {number(finest.size)}."
        )
    return attempt.made


def _next_tolerance(tolerance: float, size: int, wanted: float) -> float:
    """The tolerance at which shapes that take ``size`` bytes at ``tolerance`` should take the ``wanted`` ones."""
    return tolerance * (size / wanted) ** (1 / FALL) if wanted > 0 else math.inf


def extent_of(shapes: geometry.Geometries) -> float:
    """The longer side of the box around all shapes, in their unit."""
    west, south, east, north = shapely.total_bounds(shapes)
    return float(max(east - west, north - south))


def _sound(rounded: geometry.Geometries) -> bool:
    """Whether rounding has broken no shape and opened no gap."""
    return bool(shapely.is_valid(rounded).all() and shapely.coverage_is_valid(rounded))


def _page_map(content: MapContent, shapes: geometry.Geometries, limit: int) -> _Attempt:
    """The map of these shapes (EPSG:25832), with more decimals where fewer would break shapes that fit."""
    moved = geometry.transform(shapes, geometry.INSIDE, geometry.OUTSIDE)
    for decimals in (DECIMALS, *MORE_DECIMALS):
        rounded = shapely.transform(moved, partial(np.round, decimals=decimals))
        made = PageMap(_document(content, rounded, decimals), rounded)
        if len(made.document) > limit:
            break
        if _sound(rounded):
            return _Attempt(made, fits=True)
    return _Attempt(made, fits=False)


def _document(content: MapContent, shapes: geometry.Geometries, decimals: int) -> bytes:
    """The facts with their shapes, rounded to so many decimals, as JSON.

    Lines and rings are lists of whole numbers: the first point in units of the last decimal, then the step to each next
    one (x, y in turn); a ring leaves out its last point. That is less than half of the same as GeoJSON.
    """
    polygons, owner = shapely.get_parts(shapely.orient_polygons(shapes, exterior_cw=False), return_index=True)
    rings, polygon = shapely.get_rings(polygons, return_index=True)
    areas: list[list[list[Any]]] = [[] for _ in shapes]
    for place in owner.tolist():
        areas[place].append([])
    parts = list(chain.from_iterable(areas))
    for part, steps in zip(polygon.tolist(), _steps(rings, 10**decimals, closed=True), strict=True):
        parts[part].append(steps)
    data = dict(content.facts) | {
        "rahmen": shapely.total_bounds(shapes).tolist(),
        "einheit": 10**decimals,
        "flaechen": areas,
        "linien": {
            level: _steps(shapely.get_parts(found), 10**decimals, closed=False)
            for level, found in outlines(content.keys, shapes).items()
        },
    }
    return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)


def _steps(lines: geometry.Geometries, unit: int, closed: bool) -> list[Any]:
    """Each line as whole numbers, see ``_document``; of ``closed`` ones the last point is left out."""
    coordinates, line = shapely.get_coordinates(lines, return_index=True)
    points = np.round(coordinates * unit).astype(np.int64)
    steps = np.diff(points, axis=0, prepend=0)
    starts = np.flatnonzero(np.diff(line, prepend=-1))
    steps[starts] = points[starts]
    ends = np.append(starts, len(points))[1:] - closed
    flat = steps.ravel()
    return [flat[2 * start : 2 * end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


def _united(keys: Sequence[str], shapes: geometry.Geometries) -> tuple[list[str], geometry.Geometries]:
    """The shapes of each key united, in the order in which the keys first occur."""
    groups: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    united = [shapely.coverage_union_all(shapes[indices]) for indices in groups.values()]
    return list(groups), np.array(united, dtype=object)


def centres(shapes: geometry.Geometries) -> list[tuple[float, float]]:
    """The middles of the largest circles within shapes of EPSG:25832, in rounded WGS84.

    Where names and signs stand, a fiftieth of a shape's size is exact enough; the default costs twice the time.
    """
    circles = shapely.maximum_inscribed_circle(shapes, tolerance=np.sqrt(shapely.area(shapes)) / 50)
    points = shapely.get_point(circles, 0)
    moved = shapely.get_coordinates(geometry.transform(points, geometry.INSIDE, geometry.OUTSIDE))
    return [(lon, lat) for lon, lat in np.round(moved, DECIMALS).tolist()]


def districts_of(keys: Sequence[str], shapes: geometry.Geometries) -> dict[str, shapely.Geometry]:
    """The shapes of municipalities united to districts, by district key."""
    district_keys, districts = _united([key[:5] for key in keys], shapes)
    return dict(zip(district_keys, districts, strict=True))
