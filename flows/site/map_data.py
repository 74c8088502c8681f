"""The map of the page: simplified municipalities with what is known of them, as a script for MapLibre and as a picture.

Both come from the same simplified coverage, so district and Land lines run exactly along the municipalities.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import shapely

from flows import geometry
from flows.errors import WrongUsage
from flows.formats.symbology import SIGN_FORMS, SIGN_MARKS
from flows.german import number

# The first attempt keeps details of this share of the map's extent, a quarter of a pixel on a screen of 1,000.
FINEST_SHARE = 1 / 4000
# Steps of bisection between the last tolerance that was too fine and the first that fits.
REFINEMENTS = 2
# 1.1 m: finer than any tolerance in use, so rounding does not distort shapes.
DECIMALS = 5
# A vertex takes at least this much of the script, so hopeless attempts end before they are written.
LEAST_BYTES = 12
PICTURE_WIDTH = 1000
PICTURE_SIGN = 20
PICTURE_FONT = 17
# Width of a letter in a wide sans-serif font as a share of its size: names keep apart in any font.
LETTER_WIDTH = 0.62
NOT_ASKED = "nicht_befragt"


@dataclass(frozen=True, slots=True)
class Place:
    """A municipality that the map names: a point well inside it, in WGS84."""

    ags: str
    name: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class MapContent:
    """What the map tells, apart from its shapes: settings and legend, municipalities by AGS, and in the order in which
    they claim room, the places to name; committees as they stand in the table."""

    head: Mapping[str, Any]
    municipalities: Sequence[Mapping[str, Any]]
    places: Sequence[Place]
    committees: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class PageMap:
    """The finished map: the script, and the rounded WGS84 shapes it holds (one per municipality, in order)."""

    script: bytes
    shapes: geometry.Geometries


def page_map(content: MapContent, shapes: geometry.Geometries, limit: int) -> PageMap:
    """Simplify ``shapes`` (EPSG:25832, one per municipality, in order) until the script fits into ``limit``.

    The tolerance starts at a share of the extent, doubles until the script fits, and is then refined between the last
    two, so that the budget goes into detail. Raises ``WrongUsage`` when not even the coarsest shapes fit.
    """
    west, south, east, north = shapely.total_bounds(shapes)
    extent = max(east - west, north - south)
    finer, tolerance = shapes, extent * FINEST_SHARE
    best = _attempt(content, finer, tolerance, limit)
    if best:
        return best
    while not best:
        finer = shapely.coverage_simplify(finer, tolerance)
        tolerance *= 2
        if tolerance > extent:
            raise WrongUsage(
                f"Die Karte der Seite passt nicht in {number(limit)} Byte. Bitte page_map_bytes im Profil erhöhen."
            )
        best = _attempt(content, finer, tolerance, limit)
    coarse, fine = tolerance, tolerance / 2
    for _ in range(REFINEMENTS):
        middle = math.sqrt(coarse * fine)
        candidate = _attempt(content, finer, middle, limit)
        if candidate:
            coarse, best = middle, candidate
        else:
            fine = middle
    return best


def _attempt(content: MapContent, shapes: geometry.Geometries, tolerance: float, limit: int) -> PageMap | None:
    """The map at this tolerance, or None when it is too large or rounding has broken a shape or opened a gap."""
    simplified = shapely.coverage_simplify(shapes, tolerance)
    if shapely.get_num_coordinates(simplified).sum() * LEAST_BYTES > limit:
        return None
    moved = geometry.transform(simplified, geometry.INSIDE, geometry.OUTSIDE)
    rounded = shapely.transform(moved, lambda points: np.round(points, DECIMALS))
    if not (shapely.is_valid(rounded).all() and shapely.coverage_is_valid(rounded)):
        return None
    script = _script(content, rounded)
    return PageMap(script, rounded) if len(script) <= limit else None


def _script(content: MapContent, shapes: geometry.Geometries) -> bytes:
    """A classic script that sets one constant: pages opened from a folder may load scripts, but fetch nothing."""
    keys = [str(row["ags"]) for row in content.municipalities]
    oriented = shapely.orient_polygons(shapes, exterior_cw=False)
    areas = [
        {"type": "Feature", "properties": properties, "geometry": orjson.loads(text)}
        for properties, text in zip(content.municipalities, shapely.to_geojson(oriented), strict=True)
    ]
    lines = [
        {"type": "Feature", "properties": {"ebene": level}, "geometry": orjson.loads(shapely.to_geojson(line))}
        for level, line in outlines(keys, shapes).items()
    ]
    data = dict(content.head) | {
        "rahmen": shapely.total_bounds(shapes).tolist(),
        "formen": SIGN_FORMS,
        "marken": SIGN_MARKS,
        "orte": [[place.ags, place.name, place.lon, place.lat] for place in content.places],
        "gremien": list(content.committees),
        "linien": {"type": "FeatureCollection", "features": lines},
        "gemeinden": {"type": "FeatureCollection", "features": areas},
    }
    return b"window.KARTE=" + script_safe(orjson.dumps(data)) + b";\n"


def script_safe(text: bytes) -> bytes:
    """JSON that stays data wherever a script may stand: no tag, comment or line end of JavaScript can arise from it."""
    for character in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(character.encode(), f"\\u{ord(character):04x}".encode())
    return text


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


def centre(shape: shapely.Geometry) -> tuple[float, float]:
    """The middle of the largest circle within a shape of EPSG:25832, in rounded WGS84."""
    (x, y), _ = shapely.maximum_inscribed_circle(shape).coords
    point = geometry.transform(np.array([shapely.Point(x, y)]), geometry.INSIDE, geometry.OUTSIDE)[0]
    return round(point.x, DECIMALS), round(point.y, DECIMALS)


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
    drawn = shapely.coverage_simplify(shapely.transform(shapes, frame.place), 1.0)
    states = np.array([row["status"] for row in content.municipalities])
    keys = [str(row["ags"]) for row in content.municipalities]
    places = {place.ags: frame.place(np.array([[place.lon, place.lat]]))[0] for place in content.places}
    signs = _picture_signs(content, places)
    return {
        "width": PICTURE_WIDTH,
        "height": frame.height,
        "areas": {str(state): _path(drawn[states == state]) for state in sorted(set(states))},
        "lines": {level: _path([line]) for level, line in outlines(keys, drawn).items()},
        "signs": signs,
        "names": _picture_names(content.places, places, signs),
        "font": PICTURE_FONT,
        "forms": SIGN_FORMS,
        "marks": SIGN_MARKS,
        "not_asked": NOT_ASKED,
        "scale": round(PICTURE_SIGN / 24, 3),
    }


def _path(shapes: Iterable[shapely.Geometry]) -> str:
    """SVG path data with one decimal and relative steps; a ring or line is one stroke."""
    strokes: list[str] = []
    for part in shapely.get_parts(np.array(list(shapes), dtype=object)):
        rings = shapely.get_rings(part) if part.geom_type == "Polygon" else [part]
        strokes += [_stroke(ring) for ring in rings]
    return "".join(strokes)


def _stroke(line: shapely.Geometry) -> str:
    points = np.round(shapely.get_coordinates(line) * 10).astype(int)
    steps = np.diff(points, axis=0)
    moves = [f"{_tenth(x)} {_tenth(y)}" for x, y in steps[steps.any(axis=1)]]
    return f"M{_tenth(points[0][0])} {_tenth(points[0][1])}l{' '.join(moves)}"


def _tenth(value: int) -> str:
    return f"{value / 10:g}"


def _picture_signs(content: MapContent, places: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Signs of a municipality stand side by side, centred on its point, as the interactive map shows them."""
    return [
        {
            "form": row["form"],
            "state": row["status"],
            "x": round(places[row["ags"]][0] + (row["platz"] - 0.5) * PICTURE_SIGN, 1),
            "y": round(places[row["ags"]][1] - PICTURE_SIGN / 2, 1),
        }
        for row in content.committees
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
