"""The race: one input, one set of outputs, five contestants.

From boundaries, register, population and changes of a profile every contestant makes the municipalities, districts and
Länder of the map with all their published columns, as GeoJSON, FlatGeobuf, GeoPackage, GeoParquet, CSV and XLSX, and
the municipalities simplified. What the pipeline finds out about survey and committees comes to the others as finished
tables (``facts_*.csv``), and what a program cannot read (GeoParquet) lies ready in a form that it reads; neither is
counted.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import geopandas

from flows.contracts import load_contract
from flows.datasets import SYNTHETIC_FIELD
from flows.profile import Profile, load_profile
from flows.site.map_data import FINEST_SHARE, extent_of

KEYS = {"gemeinden": "ags", "kreise": "kreis_schluessel", "land": "land_schluessel"}
# What follows from boundaries, register, population and changes; every other column of a layer is given.
MADE = {
    "gemeinden": (
        "ags", "ars", "gemeinde", "gemeinde_amtlich", "textkennzeichen", "kreis_schluessel", "kreis", "verband_ars",
        "verband", "verband_kennzeichen", "einwohner", "einwohner_stand", "flaeche_km2", "flaeche_herkunft",
    ),
    "kreise": (
        "kreis_schluessel", "kreis", "kreis_art", "gemeinden_anzahl", "einwohner", "einwohner_stand", "flaeche_km2",
    ),
    "land": (
        "land_schluessel", "land", "gemeinden_anzahl", "einwohner", "einwohner_stand", "flaeche_km2",
    ),
}  # fmt: skip
INPUTS = ("boundaries", "register", "population", "municipal_changes")
PANDAS_TYPES = {"integer": "Int64", "number": "float64", "boolean": "boolean"}
INSIDE = "EPSG:25832"


def rows_of(file: Path) -> list[dict[str, str]]:
    """A CSV file's rows."""
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_rows(file: Path, columns: Sequence[str], rows: Iterator[Sequence[Any]] | Sequence[Sequence[Any]]) -> None:
    """Write a CSV file."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def successors(changes: Sequence[dict[str, str]], after: str, until: str) -> dict[str, str]:
    """The key that each municipality has after all changes in force after one ISO day and until another."""
    follows = {
        change["ags_alt"]: change["ags_neu"]
        for change in sorted(changes, key=lambda change: change["nach"])
        if after < change["in_kraft_bis"] <= until
    }
    found = {}
    for key in follows:
        last = key
        while last in follows:
            last = follows[last]
        found[key] = last
    return found


def _population_territory(rows: Sequence[dict[str, str]], day: str, territory: str) -> str:
    """Of the tables of a population date the newest whose territory is not later than the map's."""
    return max(
        row["gebietsstand"] for row in rows if row["einwohner_stand"] == day and row["gebietsstand"] <= territory
    )


def _columns(example: Path, layer: str) -> list[str]:
    with (example / f"{layer}.csv").open(encoding="utf-8", newline="") as stream:
        return next(csv.reader(stream))


def _write_facts(example: Path, folder: Path, layer: str) -> dict[str, str]:
    """Write the given columns of a layer, as the pipeline published them; returns their types for pandas."""
    wanted = [KEYS[layer], *(column for column in _columns(example, layer) if column not in MADE[layer])]
    rows = ([row[column] for column in wanted] for row in rows_of(example / f"{layer}.csv"))
    write_rows(folder / f"facts_{layer}.csv", wanted, rows)
    types = {field.name: field.type for field in (*load_contract("release", layer).fields, SYNTHETIC_FIELD)}
    return {column: PANDAS_TYPES.get(types[column], "str") for column in wanted}


def prepare(geodata: Path, name: str, example: Path, folder: Path) -> Path:
    """Lay out the race's input in ``folder``; ``example`` holds the pipeline's output on the same profile.

    Returns the folder. ``tools/`` in it is for the programs that read no GeoParquet: the municipalities with nothing
    but their keys in EPSG:25832, and which municipality of the map each belongs to.
    """
    profile = load_profile(geodata, name)
    files = {source.dataset: source.file for source in profile.sources}
    folder.mkdir(parents=True)
    for dataset in INPUTS:
        shutil.copyfile(files[dataset], folder / f"{dataset}{files[dataset].suffix}")
    settings = _settings(profile, folder)
    settings["facts"] = {layer: _write_facts(example, folder, layer) for layer in KEYS}
    settings["columns"] = {layer: _columns(example, layer) for layer in KEYS}
    settings["tolerance_m"] = _write_tools(folder, settings)
    (folder / "race.json").write_text(json.dumps(settings, ensure_ascii=False, indent=2), encoding="utf-8")
    return folder


def _settings(profile: Profile, folder: Path) -> dict[str, Any]:
    """The days that the profile names, as ISO texts."""
    territory, population = profile.territory_date.isoformat(), profile.population_date.isoformat()
    rows = rows_of(folder / "population.csv")
    return {
        "boundaries_date": profile.boundaries_date.isoformat(),
        "territory_date": territory,
        "population_date": population,
        "population_territory": _population_territory(rows, population, territory),
        "register_date": max(row["gebietsstand"] for row in rows_of(folder / "register.csv")),
    }


def _write_tools(folder: Path, settings: dict[str, Any]) -> float:
    """Write the forms for programs without GeoParquet; returns the tolerance of simplification (m), the pipeline's."""
    tools = folder / "tools"
    tools.mkdir()
    frame = geopandas.read_parquet(folder / "boundaries.parquet").to_crs(INSIDE)
    areas = frame.loc[frame["ebene"] == "gemeinde", ["schluessel", "geometry"]]
    # The newest version that GDAL 3.6 knows.
    areas.to_file(tools / "boundaries.gpkg", layer="boundaries", driver="GPKG", VERSION="1.3")
    areas.to_file(tools / "boundaries.geojson", driver="GeoJSON", COORDINATE_PRECISION=4)
    changes = rows_of(folder / "municipal_changes.csv")
    later = successors(changes, settings["boundaries_date"], settings["territory_date"])
    keys = areas["schluessel"].tolist()
    write_rows(tools / "crosswalk.csv", ["schluessel", "ags"], [[key, later.get(key, key)] for key in keys])
    for level in ("kreis", "land"):
        names = frame.loc[frame["ebene"] == level, ["schluessel", "name", "bezeichnung"]]
        names.to_csv(tools / f"names_{level}.csv", index=False)
    # ogr2ogr takes a folder of tables as one source.
    tables = tools / "tables"
    tables.mkdir()
    facts = (folder / f"facts_{layer}.csv" for layer in KEYS)
    for file in (folder / "register.csv", folder / "population.csv", *facts, *tools.glob("*.csv")):
        shutil.copyfile(file, tables / file.name)
    return extent_of(areas.geometry.to_numpy()) * FINEST_SHARE
