"""``ogr2ogr`` (GDAL) on the race's task: joins and unions by SQL in a GeoPackage, then each format.

Debian's build writes no GeoParquet. ``-simplify`` takes every polygon for itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PROGRAM = "ogr2ogr"
LAYERS = ("gemeinden", "kreise", "land")
KEYS = {"gemeinden": "ags", "kreise": "kreis_schluessel", "land": "land_schluessel"}
OUTSIDE = ("-t_srs", "OGC:CRS84")

Command = list[str]


def _given(settings: Mapping[str, Any], layer: str) -> dict[str, str]:
    """The given columns of a layer as expressions; all columns of a CSV file are text."""
    types = settings["facts"][layer].items()
    return {
        name: f"CAST(f.{name} AS INTEGER)" if kind == "Int64" else f"f.{name}"
        for name, kind in types
        if name != KEYS[layer]
    }


def _select(settings: Mapping[str, Any], layer: str, expressions: Mapping[str, str], tables: str) -> str:
    columns = ", ".join(f"{expressions[name]} AS {name}" for name in settings["columns"][layer])
    key = KEYS[layer]
    return f"SELECT {columns}, a.geom AS geom FROM {tables} LEFT JOIN facts_{layer} f ON f.{key} = a.key ORDER BY a.key"


def _areas(key: str) -> str:
    """The municipalities of the boundary file united by a key."""
    return (
        f"(SELECT {key} AS key, ST_Union(b.geom) AS geom FROM boundaries b "
        "JOIN crosswalk c ON c.schluessel = b.schluessel GROUP BY 1) a"
    )


def _population(settings: Mapping[str, Any]) -> str:
    return (
        "(SELECT ags, CAST(einwohner AS INTEGER) AS einwohner, einwohner_stand FROM population "
        f"WHERE einwohner_stand = '{settings['population_date']}' "
        f"AND gebietsstand = '{settings['population_territory']}')"
    )


def municipalities_sql(settings: Mapping[str, Any]) -> str:
    """The statement that makes the municipalities."""
    registered = {
        name: f"r.{name}"
        for name in (
            "ars", "gemeinde_amtlich", "textkennzeichen", "verband_ars", "verband", "verband_kennzeichen",
        )
    }  # fmt: skip
    expressions = registered | _given(settings, "gemeinden")
    expressions |= {
        "ags": "a.key",
        "gemeinde": "CASE WHEN r.gemeinde_amtlich LIKE '%, Stadt' "
        "THEN substr(r.gemeinde_amtlich, 1, length(r.gemeinde_amtlich) - 7) ELSE r.gemeinde_amtlich END",
        "kreis_schluessel": "substr(a.key, 1, 5)",
        "kreis": "k.name",
        "einwohner": "p.einwohner",
        "einwohner_stand": "p.einwohner_stand",
        "flaeche_km2": "round(CAST(r.flaeche_km2 AS REAL), 2)",
        "flaeche_herkunft": "'gemeindeverzeichnis'",
    }
    tables = (
        f"{_areas('c.ags')} LEFT JOIN register r ON r.ags = a.key AND r.gebietsstand = '{settings['register_date']}' "
        f"LEFT JOIN {_population(settings)} p ON p.ags = a.key "
        "LEFT JOIN names_kreis k ON k.schluessel = substr(a.key, 1, 5)"
    )
    return _select(settings, "gemeinden", expressions, tables)


def level_sql(settings: Mapping[str, Any], layer: str) -> str:
    """The statement that makes the districts (``kreise``) or the Länder (``land``)."""
    level, digits = {"kreise": ("kreis", 5), "land": ("land", 2)}[layer]
    expressions = _given(settings, layer) | {
        f"{level}_schluessel": "a.key",
        level: "n.name",
        "kreis_art": "n.bezeichnung",
        "gemeinden_anzahl": "t.anzahl",
        "einwohner": "t.einwohner",
        "einwohner_stand": "t.einwohner_stand",
        "flaeche_km2": "round(ST_Area(a.geom) / 1e6, 2)",
    }
    totals = (
        f"(SELECT substr(m.ags, 1, {digits}) AS key, count(*) AS anzahl, sum(p.einwohner) AS einwohner, "
        "min(p.einwohner_stand) AS einwohner_stand "
        f"FROM (SELECT DISTINCT ags FROM crosswalk) m LEFT JOIN {_population(settings)} p ON p.ags = m.ags "
        "GROUP BY 1) t"
    )
    tables = (
        f"{_areas(f'substr(c.ags, 1, {digits})')} JOIN {totals} ON t.key = a.key "
        f"LEFT JOIN names_{level} n ON n.schluessel = a.key"
    )
    return _select(settings, layer, expressions, tables)


def commands(source: Path, work: Path, target: Path, settings: Mapping[str, Any]) -> dict[str, list[Command]]:
    """The commands of each step, in order; ``bare`` starts the program only, ``start`` reads the joined
    layers, too."""
    tables, joined = str(work / "tables.gpkg"), str(work / "joined.gpkg")
    tools = source / "tools"
    statements = {"gemeinden": municipalities_sql(settings)}
    statements |= {layer: level_sql(settings, layer) for layer in LAYERS[1:]}
    join: list[Command] = [
        [PROGRAM, "-f", "GPKG", tables, str(tools / "boundaries.gpkg")],
        # A folder of CSV files is a source with as many tables.
        [PROGRAM, "-f", "GPKG", "-update", tables, str(tools / "tables")],
    ]
    for layer, statement in statements.items():
        update = [] if layer == LAYERS[0] else ["-update"]
        options = ["-nln", layer, "-nlt", "MULTIPOLYGON", "-sql", statement]
        join.append([PROGRAM, "-f", "GPKG", *update, joined, tables, *options])

    def each(ending: str, driver: str, *options: str, layers: Sequence[str] = LAYERS) -> list[Command]:
        return [[PROGRAM, "-f", driver, str(target / f"{layer}{ending}"), joined, layer, *options] for layer in layers]

    simplified = str(target / "simplified" / "gemeinden.geojson")
    simplify = ["-simplify", str(settings["tolerance_m"]), *OUTSIDE, "-lco", "COORDINATE_PRECISION=6"]
    return {
        "bare": [[PROGRAM, "--version"]],
        "start": [[PROGRAM, "-f", "Memory", "none", joined]],
        "join": join,
        "simplify": [[PROGRAM, "-f", "GeoJSON", simplified, joined, "gemeinden", *simplify]],
        "geojson": each(".geojson", "GeoJSON", *OUTSIDE, "-lco", "RFC7946=YES", "-lco", "COORDINATE_PRECISION=6"),
        "flatgeobuf": each(".fgb", "FlatGeobuf", *OUTSIDE),
        "geopackage": [[PROGRAM, "-f", "GPKG", str(target / "layers.gpkg"), joined]],
        "csv": each(".csv", "CSV"),
        "xlsx": [[PROGRAM, "-f", "XLSX", str(target / "tables.xlsx"), joined]],
    }
