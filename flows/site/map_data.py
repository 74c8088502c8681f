"""The map of the page: simplified municipalities with what is known of them, for the scripts and as a picture.

Both come from the same simplified coverage, so district and Land lines run exactly along the municipalities.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import shapely

from flows import geometry
from flows.errors import WrongUsage
from flows.formats.symbology import SIGN_FORMS, SIGN_MARKS
from flows.german import number
from flows.site.svg import path_data

# The finest shapes keep details of this share of the map's extent, a quarter of a pixel on a screen of 1,000.
FINEST_SHARE = 1 / 4000
# Steps of bisection between the last tolerance that was too fine and the first that fits.
REFINEMENTS = 2
# 1.1 m: finer than any tolerance in use, so rounding does not distort shapes.
DECIMALS = 5
# A vertex takes at least this much of the document, so hopeless attempts end before they are written.
LEAST_BYTES = 4
PICTURE_WIDTH = 1000
# Details smaller than a triangle of this side are left out; the picture need not bear zooming.
PICTURE_TOLERANCE = 2.0
PICTURE_SIGN = 20
PICTURE_FONT = 17
# Width of a letter in a wide sans-serif font as a share of its size: names keep apart in any font.
LETTER_WIDTH = 0.67
NOT_ASKED = "nicht_befragt"


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


def page_map(content: MapContent, shapes: geometry.Geometries, tolerance: float, limit: int) -> PageMap:
    """Simplify ``shapes`` further until the document fits into ``limit`` bytes.

    ``shapes`` (EPSG:25832, one per municipality, in order) are simplified by ``tolerance`` (m) already: the finest that
    the map shows. It doubles until the document fits and is then refined between the last two, so that the budget goes
    into detail. Raises ``WrongUsage`` when not even the coarsest shapes fit.
    """
    best = _attempt(content, shapes, limit)
    if best:
        return best
    finer, simplified, extent = shapes, shapes, extent_of(shapes)
    while not best:
        finer = simplified
        tolerance *= 2
        if tolerance > extent:
            raise WrongUsage(
                f"Die Karte der Seite passt nicht in {number(limit)} Byte. Bitte page_map_bytes im Profil erhöhen."
            )
        simplified = shapely.coverage_simplify(finer, tolerance)
        best = _attempt(content, simplified, limit)
    coarse, fine = tolerance, tolerance / 2
    for _ in range(REFINEMENTS):
        middle = math.sqrt(coarse * fine)
        candidate = _attempt(content, shapely.coverage_simplify(finer, middle), limit)
        if candidate:
            coarse, best = middle, candidate
        else:
            fine = middle
    return best


def extent_of(shapes: geometry.Geometries) -> float:
    """The longer side of the box around all shapes, in their unit."""
    west, south, east, north = shapely.total_bounds(shapes)
    return float(max(east - west, north - south))


def _attempt(content: MapContent, shapes: geometry.Geometries, limit: int) -> PageMap | None:
    """The map of these shapes, or None when it is too large or rounding has broken a shape or opened a gap."""
    if shapely.get_num_coordinates(shapes).sum() * LEAST_BYTES > limit:
        return None
    moved = geometry.transform(shapes, geometry.INSIDE, geometry.OUTSIDE)
    rounded = shapely.transform(moved, lambda points: np.round(points, DECIMALS))
    if not (shapely.is_valid(rounded).all() and shapely.coverage_is_valid(rounded)):
        return None
    document = _document(content, rounded)
    return PageMap(document, rounded) if len(document) <= limit else None


def _document(content: MapContent, shapes: geometry.Geometries) -> bytes:
    """The facts with their shapes as JSON.

    Lines and rings are lists of whole numbers: the first point in units of the last decimal, then the step to each next
    one (x, y in turn); a ring leaves out its last point. That is less than half of the same as GeoJSON.
    """
    lines = outlines(content.keys, shapes)
    data = dict(content.facts) | {
        "rahmen": shapely.total_bounds(shapes).tolist(),
        "einheit": 10**DECIMALS,
        "flaechen": [
            [[_steps(ring)[:-2] for ring in shapely.get_rings(part)] for part in shapely.get_parts(shape)]
            for shape in shapely.orient_polygons(shapes, exterior_cw=False)
        ],
        "linien": {level: [_steps(line) for line in shapely.get_parts(found)] for level, found in lines.items()},
    }
    return orjson.dumps(data)


def _steps(line: shapely.Geometry) -> list[int]:
    points = np.round(shapely.get_coordinates(line) * 10**DECIMALS).astype(np.int64)
    steps: list[int] = np.concatenate([points[:1], np.diff(points, axis=0)]).ravel().tolist()
    return steps


def outlines(keys: Sequence[str], shapes: geometry.Geometries) -> dict[str, shapely.Geometry]:
    """Lines between districts (``kreis``) and around Länder (``land``), along the edges of the given coverage."""
    district_keys, districts = _united([key[:5] for key in keys], shapes)
    _, lands = _united([key[:2] for key in district_keys], districts)
    land = shapely.union_all(shapely.boundary(lands))
    district = shapely.difference(shapely.union_all(shapely.boundary(districts)), land)
    return {"kreis": shapely.line_merge(district), "land": shapely.line_merge(land)}


def _united(keys: Sequence[str], shapes: geometry.Geometries) -> tuple[list[str], geometry.Geometries]:
    """The shapes of each key united, in the order in which the keys first occur."""
    groups: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    united = [shapely.coverage_union_all(shapes[indices]) for indices in groups.values()]
    return list(groups), np.array(united, dtype=object)


def centres(shapes: geometry.Geometries) -> list[tuple[float, float]]:
    """The middles of the largest circles within shapes of EPSG:25832, in rounded WGS84."""
    points = shapely.get_point(shapely.maximum_inscribed_circle(shapes), 0)
    moved = shapely.get_coordinates(geometry.transform(points, geometry.INSIDE, geometry.OUTSIDE))
    return [(lon, lat) for lon, lat in np.round(moved, DECIMALS).tolist()]


def districts_of(keys: Sequence[str], shapes: geometry.Geometries) -> dict[str, shapely.Geometry]:
    """The shapes of municipalities united to districts, by district key."""
    district_keys, districts = _united([key[:5] for key in keys], shapes)
    return dict(zip(district_keys, districts, strict=True))


@dataclass(frozen=True, slots=True)
class Frame:
    """How Mercator coordinates lie in the picture."""

    west: float
    north: float
    scale: float
    height: int

    def place(self, points: Any) -> Any:
        """Longitude and latitude as x and y of the picture."""
        x, y = _mercator(points).T
        return np.column_stack([(x - self.west) * self.scale, (self.north - y) * self.scale])


def _mercator(points: Any) -> Any:
    lon, lat = np.radians(points).T
    return np.column_stack([lon, np.log(np.tan(np.pi / 4 + lat / 2))])


def picture_frame(shapes: geometry.Geometries) -> Frame:
    """The frame in which the given WGS84 shapes fill the picture's width, with a margin for signs at the edge."""
    west, south, east, north = shapely.total_bounds(shapely.transform(shapes, _mercator))
    margin = (east - west) / 50
    scale = PICTURE_WIDTH / (east - west + 2 * margin)
    return Frame(west - margin, north + margin, scale, math.ceil((north - south + 2 * margin) * scale))


def picture(content: MapContent, shapes: geometry.Geometries) -> dict[str, Any]:
    """What the SVG template needs: path data by class, lines by level, signs and names in picture coordinates."""
    frame = picture_frame(shapes)
    drawn = shapely.coverage_simplify(shapely.transform(shapes, frame.place), PICTURE_TOLERANCE)
    states = np.array(content.states)
    places = {place.ags: frame.place(np.array([[place.lon, place.lat]]))[0] for place in content.places}
    signs = _picture_signs(content, places)
    return {
        "width": PICTURE_WIDTH,
        "height": frame.height,
        "areas": {str(state): path_data(drawn[states == state]) for state in sorted(set(states))},
        "lines": {level: path_data([line]) for level, line in outlines(content.keys, drawn).items()},
        "signs": signs,
        "names": _picture_names(content.places, places, signs),
        "font": PICTURE_FONT,
        "forms": SIGN_FORMS,
        "marks": SIGN_MARKS,
        "not_asked": NOT_ASKED,
        "scale": round(PICTURE_SIGN / 24, 3),
    }


def _picture_signs(content: MapContent, places: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Signs of a municipality stand side by side, centred on its point, as the interactive map shows them."""
    return [
        {
            "form": sign.form,
            "state": sign.state,
            "x": round(places[sign.ags][0] + (sign.slot - 0.5) * PICTURE_SIGN, 1),
            "y": round(places[sign.ags][1] - PICTURE_SIGN / 2, 1),
        }
        for sign in content.signs
    ]


def _picture_names(
    ordered: Sequence[Place], places: Mapping[str, Any], signs: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Names in the order given, leaving out those that would cover a name or sign already there."""
    taken = [(sign["x"], sign["y"], sign["x"] + PICTURE_SIGN, sign["y"] + PICTURE_SIGN) for sign in signs]
    names = []
    for place in ordered:
        x, y = (round(float(value), 1) for value in places[place.ags])
        half = len(place.name) * PICTURE_FONT * LETTER_WIDTH / 2
        top = y + (PICTURE_SIGN / 2 if any(_covers(box, x, y) for box in taken) else -PICTURE_FONT / 2)
        box = (x - half, top, x + half, top + PICTURE_FONT)
        if any(_overlap(box, other) for other in taken) or box[0] < 0 or box[2] > PICTURE_WIDTH:
            continue
        taken.append(box)
        names.append({"name": place.name, "x": x, "y": round(top + PICTURE_FONT * 0.85, 1)})
    return names


Box = tuple[float, float, float, float]


def _covers(box: Box, x: float, y: float) -> bool:
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
