"""The map as a still picture: what the template of ``assets/karte.svg`` is filled with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from flows import geometry
from flows.formats.symbology import SIGN_FORMS, SIGN_MARKS
from flows.site.map_data import MapContent, Place
from flows.site.map_lines import outlines
from flows.site.svg import path_data

PICTURE_WIDTH = 1000
# Details smaller than a triangle of this side are left out; the picture need not bear zooming.
PICTURE_TOLERANCE = 2.0
PICTURE_SIGN = 20
PICTURE_FONT = 17
# Width of a letter in a wide sans-serif font as a share of its size: names keep apart in any font.
LETTER_WIDTH = 0.67
NOT_ASKED = "nicht_befragt"


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
"""Left, top, right and bottom in the picture."""


def _covers(box: Box, x: float, y: float) -> bool:
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
