"""Make a profile's boundary file from GeoJSON layers: ``python -m flows.boundary_import GEM KRS LAN OUT [LAND …]``.

The layers carry the columns AGS, ARS (or RS), GEN, BEZ, NUTS, WSK and perhaps GF of VG250 (https://gdz.bkg.bund.de) in
WGS84; the result is one GeoParquet 1.1 file with the columns of the contract ``input/boundaries``, in WGS84. A profile
that fetches the layers as a package needs none: ``kind = "vg250_npm"``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas
import pandas

from flows.sources.geojson import read_areas
from flows.sources.vg250_units import LAND, LEVELS, cleaned


def layer_rows(path: Path, level: str, lands: Sequence[str] = ()) -> list[dict[str, Any]]:
    """One row per land feature (GF = 4, or without GF) of the Länder (of all, if none is named), with its shape."""

    def wanted(row: Mapping[str, Any]) -> bool:
        return row.get("GF", LAND) == LAND and (not lands or row["AGS"][:2] in lands)

    features, shapes = read_areas(path.read_bytes(), wanted)
    return [
        {
            "ebene": level,
            "schluessel": row["AGS"],
            "ars": row["ARS"] if "ARS" in row else row["RS"],
            "name": row["GEN"],
            "bezeichnung": row["BEZ"],
            "nuts": row["NUTS"],
            "wirksam_seit": row["WSK"].replace("/", "-"),
            "geometry": shape,
        }
        for row, shape in zip(features, cleaned(shapes), strict=True)
    ]


def import_boundaries(layers: tuple[Path, Path, Path], target: Path, lands: Sequence[str] = ()) -> int:
    """Write the three layers to ``target``, sorted by level and key; returns the number of rows."""
    rows = [row for (level, _), path in zip(LEVELS, layers, strict=True) for row in layer_rows(path, level, lands)]
    frame = geopandas.GeoDataFrame(pandas.DataFrame(rows), geometry="geometry", crs="OGC:CRS84")
    frame = frame.sort_values(["ebene", "schluessel"], ignore_index=True)
    frame.to_parquet(target, index=False, compression="zstd", schema_version="1.1.0", write_covering_bbox=False)
    return len(frame)


if __name__ == "__main__":
    gem, krs, lan, output, *keys = sys.argv[1:]
    print(import_boundaries((Path(gem), Path(krs), Path(lan)), Path(output), keys), "rows")
