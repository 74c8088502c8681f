"""What the oldest QGIS in use (3.22) and GDAL's own validator make of the default profile's files."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely
from conftest import joined_run
from dataset_parts import shapes_in
from every_format import SOURCES, decode_tiles, write_all

from flows.contracts import Field
from flows.database import database as open_database
from flows.datasets import INSIDE, OUTSIDE, Dataset, read_datasets
from flows.formats.imprint import STEM, imprint
from flows.formats.pmtiles import zoom_range
from flows.formats.relations import relations
from flows.formats.symbology import colour
from flows.paths import GEODATA
from flows.profile import load_profile

pytestmark = [pytest.mark.slow, pytest.mark.qgis]

# QGIS's module belongs to the system's interpreter.
PYTHON = "/usr/bin/python3"
INSPECT = Path(__file__).parent / "qgis_inspect.py"
DAY = date(2026, 2, 1)
GPKG_TYPES = {
    "string": "String",
    "yearmonth": "String",
    "integer": "Integer64",
    "number": "Real",
    "boolean": "Boolean",
    "date": "Date",
}

Answer = Mapping[str, Any]


def qgis(*arguments: str) -> Answer:
    """What QGIS says; no message of its own or of GDAL's may come with it."""
    done = subprocess.run([PYTHON, INSPECT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["messages"] == []
    result: Answer = answer["result"]
    return result


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    run = joined_run(load_profile(GEODATA, "thueringen"), tmp_path_factory.mktemp("thueringen"), DAY)
    with open_database(run.database) as con:
        return read_datasets(con, run.datasets, synthetic=False)


@pytest.fixture(scope="module")
def written(datasets: list[Dataset], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all formats, moved after it was written: nothing may depend on where it was made."""
    made = tmp_path_factory.mktemp("gemacht") / "release"
    facts = imprint(load_profile(GEODATA, "thueringen"), "2026.02.01", DAY, SOURCES)
    write_all(datasets, made, facts)
    moved = tmp_path_factory.mktemp("anderswo") / "Präventionskarte 2026"
    shutil.move(made, moved)
    return moved


@pytest.fixture(scope="module")
def project(written: Path) -> Answer:
    return qgis("project", str(written / f"{STEM}.qgz"))


def source_of(written: Path, dataset: Dataset, kind: str) -> str:
    name = dataset.contract.name
    return f"{written / f'{STEM}.gpkg'}|layername={name}" if kind == "gpkg" else str(written / f"{name}.{kind}")


@pytest.fixture(scope="module")
def layers(written: Path, datasets: list[Dataset]) -> Answer:
    """Every layer of every format, opened on its own; by format and dataset."""
    wanted = [
        (kind, dataset)
        for dataset in datasets
        for kind in ("gpkg", "csv", *(("geojson", "fgb") if dataset.shapes is not None else ()))
    ]
    answer = qgis("layers", *(source_of(written, dataset, kind) for kind, dataset in wanted))
    return {(kind, dataset.contract.name): answer[source_of(written, dataset, kind)] for kind, dataset in wanted}


def spatial(datasets: Sequence[Dataset]) -> list[Dataset]:
    return [dataset for dataset in datasets if dataset.shapes is not None]


def choices_of(field: Field) -> dict[str, str]:
    """The value map that a column should have."""
    if field.type == "boolean":
        return {"true": "ja", "false": "nein"}
    return {} if field.separator else {code.code: code.label for code in field.codes}


def assert_reads_in_german(layer: Answer, dataset: Dataset) -> None:
    for field in dataset.contract.fields:
        shown = layer["fields"][field.name]
        assert shown["alias"] == field.title
        assert shown["choices"] == choices_of(field)
        assert (shown["widget"] == "ValueMap") == bool(choices_of(field))
        if field.raw.get("format") == "uri":
            assert shown["widget"] == "ExternalResource"


# Layers on their own


def test_every_layer_opens_with_all_its_rows(layers: Answer, datasets: list[Dataset]) -> None:
    rows = {dataset.contract.name: dataset.table.num_rows for dataset in datasets}
    assert len(layers) == 2 * len(datasets) + 2 * len(spatial(datasets))
    for (kind, name), layer in layers.items():
        assert layer["valid"], (kind, name)
        assert layer["count"] == rows[name], (kind, name)


def test_layers_lie_where_they_belong(layers: Answer, datasets: list[Dataset]) -> None:
    for dataset in spatial(datasets):
        for kind, authority in (("gpkg", "EPSG:25832"), ("geojson", "EPSG:4326"), ("fgb", "EPSG:4326")):
            layer = layers[kind, dataset.contract.name]
            assert layer["crs"] == authority
            assert layer["geometry"].removeprefix("Multi") == dataset.contract.raw["geometry"]["type"].removeprefix(
                "Multi"
            )
            drawn = shapely.from_wkb(layer["shapes"])
            assert shapely.is_valid(drawn).all()
            expected = shapes_in(dataset, INSIDE if kind == "gpkg" else OUTSIDE)
            assert shapely.area(drawn).sum() == pytest.approx(shapely.area(expected).sum())


def test_geopackage_columns_have_the_types_of_the_contract(layers: Answer, datasets: list[Dataset]) -> None:
    for dataset in datasets:
        fields = layers["gpkg", dataset.contract.name]["fields"]
        assert {name: field["type"] for name, field in fields.items()} == {"fid": "Integer64"} | {
            field.name: GPKG_TYPES[field.type] for field in dataset.contract.fields
        }


def test_geopackage_opens_with_german_forms_and_legends_by_itself(layers: Answer, datasets: list[Dataset]) -> None:
    for dataset in datasets:
        layer = layers["gpkg", dataset.contract.name]
        assert_reads_in_german(layer, dataset)
        assert "fid" in layer["hidden"]


def test_geojson_takes_its_style_from_the_file_beside_it(layers: Answer, datasets: list[Dataset]) -> None:
    for dataset in spatial(datasets):
        beside, packed = (layers[kind, dataset.contract.name] for kind in ("geojson", "gpkg"))
        assert_reads_in_german(beside, dataset)
        for part in ("renderer", "legend", "labels", "display"):
            assert beside[part] == packed[part]


def test_flatgeobuf_names_its_columns_in_german(layers: Answer, datasets: list[Dataset]) -> None:
    for dataset in spatial(datasets):
        fields = layers["fgb", dataset.contract.name]["fields"]
        assert {name: field["alias"] for name, field in fields.items()} == {
            field.name: field.title for field in dataset.contract.fields
        }


def test_keys_in_csv_are_text(layers: Answer, datasets: list[Dataset], written: Path) -> None:
    delimited = {
        dataset.contract.name: f"{(written / dataset.contract.name).as_uri()}.csv?delimiter=,&detectTypes=yes"
        for dataset in datasets
    }
    answer = qgis("layers", *delimited.values())
    for dataset in datasets:
        for layer in (layers["csv", dataset.contract.name], answer[delimited[dataset.contract.name]]):
            for field in dataset.contract.fields:
                if field.type == "string":
                    assert layer["fields"][field.name]["type"] in ("String", "text"), field.name
    towns = layers["csv", "gemeinden"]
    keys = [row[list(towns["fields"]).index("ags")] for row in towns["rows"]]
    assert all(isinstance(key, str) and len(key) == 8 for key in keys)


# The project


def test_the_project_opens_elsewhere_with_every_layer(project: Answer, datasets: list[Dataset], written: Path) -> None:
    layers = project["layers"]
    assert set(layers) == {f"{STEM}_{dataset.contract.name}" for dataset in datasets}
    for dataset in datasets:
        layer = layers[f"{STEM}_{dataset.contract.name}"]
        assert layer["valid"]
        assert layer["count"] == dataset.table.num_rows
        assert layer["name"] == dataset.contract.title
        assert layer["abstract"] == dataset.contract.description
        assert_reads_in_german(layer, dataset)
    assert all(source.startswith(str(written)) for source in project["sources"].values())


def test_the_project_draws_signs_over_outlines_over_areas_and_keeps_tables_apart(
    project: Answer, datasets: list[Dataset]
) -> None:
    assert project["order"] == [f"{STEM}_{name}" for name in ("gremien", "land", "kreise", "gemeinden")]
    tables = [f"{STEM}_{dataset.contract.name}" for dataset in datasets if dataset.shapes is None]
    assert project["groups"] == {"Tabellen": tables}
    assert project["crs"] == "EPSG:25832"


def test_the_project_looks_like_the_geopackage(project: Answer, layers: Answer, datasets: list[Dataset]) -> None:
    for dataset in spatial(datasets):
        layer, packed = project["layers"][f"{STEM}_{dataset.contract.name}"], layers["gpkg", dataset.contract.name]
        for part in ("renderer", "legend", "labels", "display", "hidden", "rows"):
            assert layer[part] == packed[part], part


def test_every_relation_of_the_contracts_leads_to_its_rows(project: Answer, datasets: list[Dataset]) -> None:
    tables = {dataset.contract.name: dataset.table for dataset in datasets}
    found = project["relations"]
    assert set(found) == {relation.name for relation in relations(datasets)}
    for relation in relations(datasets):
        read = found[relation.name]
        assert read["valid"]
        assert (read["child"], read["parent"]) == (f"{STEM}_{relation.child}", f"{STEM}_{relation.parent}")
        column = tables[relation.child].column(relation.columns[0])
        assert read["related"] == len(column) - column.null_count


def test_the_project_names_sources_and_licence(project: Answer) -> None:
    assert project["title"] == "Präventionskarte Thüringen"
    assert project["copyright"] == "Kleinland & Nachbarn"
    assert project["heading"] == ""
    assert "Quellen: Kleinland & Nachbarn" in project["abstract"]
    assert project["links"] == ["https://www.govdata.de/dl-de/by-2-0", "https://kleinland.example/?a=1&b=2"]
    assert project["created"] == "2026-02-01T00:00:00"
    assert {layer["attribution"] for layer in project["layers"].values()} == {"Kleinland & Nachbarn"}


def test_a_committee_is_shown_with_the_date_of_its_status(project: Answer) -> None:
    layer = project["layers"][f"{STEM}_gremien"]
    shapes = {
        10: r"\(Stand [0-9]{2}\.[0-9]{2}\.[0-9]{4}\)$",
        7: r"\(Stand [0-9]{2}/[0-9]{4}\)$",
        4: r"\(Stand [0-9]{4}\)$",
    }
    labels = layer["fields"]["status"]["choices"]
    for row, tip in zip(layer["rows"], layer["tips"], strict=True):
        values = dict(zip(layer["fields"], row, strict=True))
        day = values["status_stand"]
        assert f"<b>{values['name']}</b>" in tip
        assert f"Status: {labels[values['status']]}" in tip
        assert re.search(shapes[len(day)], tip) if day else tip.endswith("Stand unbekannt"), tip


def test_the_map_shows_the_colours_of_what_occurs_and_no_others(written: Path, tmp_path: Path) -> None:
    drawn = qgis("picture", str(written / f"{STEM}.qgz"), str(tmp_path / "karte.png"))["colours"]
    for part in ("gebiet-nicht_befragt", "gebiet-nicht_veroeffentlicht", "karte-befragt", "gremium-aktiv"):
        assert drawn.get(colour(part), 0) > 20, part
    for part in ("gebiet-geantwortet", "gebiet-nicht_geantwortet"):
        assert drawn.get(colour(part), 0) == 0, part
    assert drawn[colour("gebiet-nicht_befragt")] > drawn[colour("gebiet-nicht_veroeffentlicht")]


def test_looking_at_a_release_leaves_it_as_it_was(written: Path, tmp_path: Path) -> None:
    copy = tmp_path / "release"
    shutil.copytree(written, copy)
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    qgis("project", str(copy / f"{STEM}.qgz"))
    qgis("layers", *(str(path) for path in copy.glob("*.[fg]*")))
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


# GeoPackage and tiles at full size


def validate(path: Path) -> subprocess.CompletedProcess[str]:
    command = [PYTHON, "-m", "osgeo_utils.samples.validate_gpkg", "--extra", "--warning-as-error", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_gdals_validator_finds_nothing_in_the_geopackage(written: Path) -> None:
    done = validate(written / f"{STEM}.gpkg")
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_that_validator_finds_a_wrong_date(written: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gpkg"
    content = (written / f"{STEM}.gpkg").read_bytes()
    broken.write_bytes(content.replace(b"2026-02-01T00:00:00.000Z", b"2026-02-01 00:00:00.000Z"))
    assert validate(broken).returncode != 0


def test_every_municipality_is_in_the_tiles_at_every_zoom(written: Path, datasets: list[Dataset]) -> None:
    towns = next(dataset for dataset in datasets if dataset.contract.name == "gemeinden")
    first, last = zoom_range(towns)
    for zoom in range(first, last + 1):
        features = decode_tiles(written / f"{STEM}.pmtiles", zoom, "gemeinden")
        assert {feature["properties"]["ags"] for feature in features} == set(towns.table.column("ags").to_pylist())
