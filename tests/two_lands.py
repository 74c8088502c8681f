"""Kleinland and a neighbour: a Land of two square municipalities of which nothing but the boundaries is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from conftest import KLEINLAND, LAYERS

NEIGHBOUR = "98"
RAND, ZELL = "98001001", "98001002"
# West and east of each municipality in degrees; Rand shares the whole eastern edge of Kleinland's Flur.
SQUARES = {RAND: ("Rand", 11.08, 11.10), ZELL: ("Zell", 11.10, 11.12)}
SOUTH, NORTH = 50.525, 50.5375
PROFILE_TOML = f'extends = "kleinland"\nlands = ["{NEIGHBOUR}", "99"]\n'


def _feature(key: str, name: str, kind: str, longitudes: list[float]) -> dict[str, Any]:
    ring = [[x, SOUTH] for x in longitudes] + [[x, NORTH] for x in reversed(longitudes)]
    names = {"AGS": key, "ARS": key if len(key) < 8 else f"{key[:5]}0001{key[5:]}", "GEN": name, "BEZ": kind}
    properties = names | {"NUTS": "XY001", "WSK": "2010/01/01"}
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
    }


def neighbour(squares: Mapping[str, tuple[str, float, float]] = SQUARES) -> dict[str, list[dict[str, Any]]]:
    """The neighbour's features by layer; ``squares`` of other sizes overlap or leave a gap."""
    edges = sorted({edge for _, west, east in SQUARES.values() for edge in (west, east)})
    return {
        "gem": [_feature(key, name, "Gemeinde", [west, east]) for key, (name, west, east) in squares.items()],
        "krs": [_feature(f"{NEIGHBOUR}001", "Randkreis", "Landkreis", edges)],
        "lan": [_feature(NEIGHBOUR, "Nachbarland", "Land", edges)],
    }


def two_lands(features: Mapping[str, list[dict[str, Any]]] | None = None, settings: str = "") -> dict[str, str]:
    """Files that put the neighbour's ``features`` beside Kleinland, and a profile ``variante`` that shows both Länder;
    ``settings`` are added to it.
    """
    added = neighbour() if features is None else features
    files = {"profile.toml": PROFILE_TOML + settings}
    for layer in LAYERS:
        content = json.loads((KLEINLAND / "layers" / f"{layer}.geojson").read_text(encoding="utf-8"))
        content["features"] += added[layer]
        files[f"layers/{layer}.geojson"] = json.dumps(content)
    return files
