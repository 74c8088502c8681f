"""Kleinland with a neighbour to the north: the same municipalities under keys of another Land, shifted."""

from __future__ import annotations

import json
from collections.abc import Collection

from conftest import KLEINLAND, LAYERS

# Degrees from Kleinland's southern border to its northern one: shifted so far, the neighbour's towns adjoin.
HEIGHT = 0.0375
NEIGHBOUR = "98"
PROFILE_TEXT = """extends = "kleinland"
lands = ["98", "99"]

[territory]
changes_lands = ["99"]
"""


def two_lands(shift: float = HEIGHT, without: Collection[str] = ()) -> dict[str, str]:
    """An overlay for ``build_geodata``: the neighbour lies ``shift`` degrees further north than Kleinland, and lacks
    the layers named in ``without`` (gem, krs, lan).
    """
    files = {"profile.toml": PROFILE_TEXT}
    for layer in LAYERS:
        content = json.loads((KLEINLAND / "layers" / f"{layer}.geojson").read_text(encoding="utf-8"))
        if layer not in without:
            content["features"] += [_moved(feature, shift) for feature in content["features"]]
        files[f"layers/{layer}.geojson"] = json.dumps(content)
    return files


def _moved(feature: dict[str, object], shift: float) -> dict[str, object]:
    copy = json.loads(json.dumps(feature))
    for key in ("AGS", "ARS"):
        copy["properties"][key] = NEIGHBOUR + copy["properties"][key][2:]
    copy["properties"]["GEN"] = f"Nord-{copy['properties']['GEN']}"
    for ring in copy["geometry"]["coordinates"]:
        for point in ring:
            point[1] = round(point[1] + shift, 6)
    return dict(copy)
