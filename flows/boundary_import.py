"""Make a profile's boundary file from GeoJSON layers: ``python -m flows.boundary_import GEM KRS LAN OUT``.

The layers carry the columns AGS, ARS, GEN, BEZ, NUTS, WSK of VG250 (https://gdz.bkg.bund.de) in WGS84; the result
is one GeoParquet 1.1 file with the columns of the contract ``input/boundaries``, in WGS84 as delivered.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import geopandas
import pandas
import shapely

LEVELS = ("gemeinde", "kreis", "land")


def layer_rows(path: Path, level: str) -> list[dict[str, Any]]:
    """One row per feature of a GeoJSON layer, with shapely geometry."""
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    return [
        {
            "ebene": level,
            "schluessel": feature["properties"]["AGS"],
            "ars": feature["properties"]["ARS"],
            "name": feature["properties"]["GEN"],
            "bezeichnung": feature["properties"]["BEZ"],
            "nuts": feature["properties"]["NUTS"],
            "wirksam_seit": feature["properties"]["WSK"].replace("/", "-"),
            "geometry": shapely.from_geojson(json.dumps(feature["geometry"])),
        }
        for feature in features
    ]


def import_boundaries(layers: tuple[Path, Path, Path], target: Path) -> int:
    """Write the three layers to ``target``, sorted by level and key; returns the number of rows."""
    rows = [row for level, path in zip(LEVELS, layers, strict=True) for row in layer_rows(path, level)]
    frame = geopandas.GeoDataFrame(pandas.DataFrame(rows), geometry="geometry", crs="OGC:CRS84")
    frame = frame.sort_values(["ebene", "schluessel"], ignore_index=True)
    frame.to_parquet(target, index=False, compression="zstd", schema_version="1.1.0", write_covering_bbox=False)
    return len(frame)


if __name__ == "__main__":
    *inputs, output = (Path(argument) for argument in sys.argv[1:])
    print(import_boundaries((inputs[0], inputs[1], inputs[2]), output), "rows")
