"""The geographic formats: each tells the same as the CSV, describes itself, and comes out the same to the byte."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import geopandas
import geoparquet_validator
import numpy as np
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from dataset_parts import shapes_in, with_shapes
from every_format import SOURCES, decode_tiles, write_all
from pmtiles.reader import MmapSource, Reader

from flows import geometry
from flows.contracts import Contract, code_list, release_contracts
from flows.datasets import OUTSIDE, Dataset, Shapes, read_datasets
from flows.errors import WrongUsage
from flows.formats import pmtiles
from flows.formats.csv_file import cell
from flows.formats.geopackage import write_geopackage
from flows.formats.imprint import STEM, Imprint, imprint
from flows.formats.pmtiles import tiles, zoom_range
from flows.formats.qgis_project import project_xml
from flows.formats.qgis_style import style_qml
from flows.formats.relations import relations
from flows.formats.symbology import ANY_KIND, SIGN_FORMS, SIGN_MARKS, colour, sign
from flows.profile import SYNTHETIC_MARK, Profile, load_profile

Values = Mapping[tuple[str, ...], tuple[str, ...]]
"""Rows by key, every value as the CSV writes it."""

GPKG, TILES, PROJECT = (f"{STEM}.{ending}" for ending in ("gpkg", "pmtiles", "qgz"))


@pytest.fixture(scope="session")
def profile(geodata: Path) -> Profile:
    return load_profile(geodata, "kleinland")


@pytest.fixture(scope="session")
def datasets(database: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    """Kleinland's datasets as a release publishes them."""
    return read_datasets(database, tmp_path_factory.mktemp("teile"), synthetic=False)


@pytest.fixture(scope="session")
def synthetic_datasets(database: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    return read_datasets(database, tmp_path_factory.mktemp("teile"), synthetic=True)


@pytest.fixture(scope="session")
def facts(profile: Profile) -> Imprint:
    return imprint(profile, "2026.02.01", date(2026, 2, 1), SOURCES)


@pytest.fixture(scope="session")
def written(datasets: list[Dataset], facts: Imprint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Kleinland in every format."""
    folder = tmp_path_factory.mktemp("formate") / "release"
    write_all(datasets, folder, facts)
    return folder


@pytest.fixture(scope="session")
def written_synthetic(
    synthetic_datasets: list[Dataset], profile: Profile, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("formate") / "synthetisch"
    facts = imprint(replace(profile, synthetic=True), "demo-2026.02.01", date(2026, 2, 1), SOURCES)
    write_all(synthetic_datasets, folder, facts)
    return folder


@pytest.fixture
def package(written: Path) -> Iterator[sqlite3.Connection]:
    """The GeoPackage, opened for reading."""
    with closing(sqlite3.connect(f"file:{written / GPKG}?mode=ro", uri=True)) as con:
        yield con


def spatial(datasets: Sequence[Dataset]) -> list[Dataset]:
    return [dataset for dataset in datasets if dataset.shapes is not None]


def by_name(datasets: Sequence[Dataset], name: str) -> Dataset:
    return next(dataset for dataset in datasets if dataset.contract.name == name)


def keyed(contract: Contract, rows: Sequence[Mapping[str, Any]]) -> Values:
    """Rows by primary key in the words of the CSV; columns that a format adds for itself are left out."""
    result = {
        tuple(cell(row[name]) for name in contract.primary_key): tuple(
            cell(row.get(name)) for name in contract.column_names
        )
        for row in rows
    }
    assert len(result) == len(rows)
    return result


def csv_rows(folder: Path, contract: Contract) -> Values:
    text = (folder / f"{contract.name}.csv").read_bytes().decode("utf-8")
    return keyed(contract, list(csv.DictReader(io.StringIO(text, newline=""))))


# Every format holds the same rows and values


@pytest.mark.slow
@pytest.mark.parametrize("contract", release_contracts(), ids=lambda contract: contract.name)
def test_geopackage_holds_the_rows_and_values_of_the_csv(
    contract: Contract, written: Path, package: sqlite3.Connection
) -> None:
    package.row_factory = sqlite3.Row
    rows = [dict(row) for row in package.execute(f'SELECT * FROM "{contract.name}"')]
    truths = {field.name for field in contract.fields if field.type == "boolean"}
    for row in rows:
        row |= {name: bool(row[name]) for name in truths if row[name] is not None}
    assert keyed(contract, rows) == csv_rows(written, contract)


SPATIAL = [contract for contract in release_contracts() if contract.geometry_level]


@pytest.mark.parametrize("contract", SPATIAL, ids=lambda contract: contract.name)
def test_geojson_flatgeobuf_and_geoparquet_hold_the_rows_and_values_of_the_csv(
    contract: Contract, written: Path
) -> None:
    expected = csv_rows(written, contract)
    collection = json.loads((written / f"{contract.name}.geojson").read_bytes())
    assert keyed(contract, [feature["properties"] for feature in collection["features"]]) == expected
    _, table = pyogrio.read_arrow(written / f"{contract.name}.fgb")
    assert keyed(contract, table.drop_columns(["wkb_geometry"]).to_pylist()) == expected
    assert keyed(contract, pq.read_table(written / f"{contract.name}.parquet").to_pylist()) == expected


@pytest.mark.parametrize("name", ["gemeinden", "gremien"])
def test_tiles_hold_the_rows_and_values_of_the_csv(name: str, written: Path, datasets: list[Dataset]) -> None:
    contract = by_name(datasets, name).contract
    _, deepest = zoom_range(by_name(datasets, "gemeinden"))
    features = decode_tiles(written / TILES, deepest, name)
    once = {json.dumps(feature["properties"], sort_keys=True) for feature in features}
    assert keyed(contract, [json.loads(text) for text in once]) == csv_rows(written, contract)


@pytest.mark.parametrize("contract", SPATIAL, ids=lambda contract: contract.name)
def test_all_formats_hold_the_same_shapes(contract: Contract, written: Path, datasets: list[Dataset]) -> None:
    dataset = by_name(datasets, contract.name)
    keys = dataset.table.column(contract.primary_key[0]).to_pylist()

    def shapes(frame: geopandas.GeoDataFrame) -> geometry.Geometries:
        return np.array(frame.set_index(contract.primary_key[0]).geometry.loc[keys].array)

    package = geopandas.read_file(written / GPKG, layer=contract.name)
    assert package.crs == geometry.INSIDE
    assert shapely.equals_exact(shapely.normalize(shapes(package)), shapely.normalize(_whole(shapes_in(dataset)))).all()
    expected = shapely.normalize(_whole(geometry.to_wgs84(shapes(package))))
    for frame in (
        geopandas.read_file(written / f"{contract.name}.geojson"),
        geopandas.read_file(written / f"{contract.name}.fgb"),
        geopandas.read_parquet(written / f"{contract.name}.parquet"),
    ):
        assert frame.crs in ("EPSG:4326", "OGC:CRS84")
        assert shapely.equals_exact(shapely.normalize(_whole(shapes(frame))), expected).all()


def _whole(shapes: geometry.Geometries) -> geometry.Geometries:
    """Lone polygons as multipolygons, as formats that know one kind a layer have them."""
    return np.array([shapely.MultiPolygon([shape]) if shape.geom_type == "Polygon" else shape for shape in shapes])


def test_a_land_without_committees_has_all_formats(datasets: list[Dataset], facts: Imprint, tmp_path: Path) -> None:
    level = {"gremien", "gremien_gemeinden", "gremien_belege", "hinweise"}
    bare = [
        replace(item, table=item.table.slice(0, 0), shapes=None if item.shapes is None else Shapes(()))
        if item.contract.name in level
        else item
        for item in datasets
    ]
    write_all(bare, tmp_path / "leer", facts)
    assert len(geopandas.read_file(tmp_path / "leer" / GPKG, layer="gremien")) == 0
    assert len(geopandas.read_parquet(tmp_path / "leer" / "gremien.parquet")) == 0
    assert len(geopandas.read_file(tmp_path / "leer" / "gremien.fgb")) == 0


# The same bytes, wherever and whenever


def test_two_builds_at_two_times_in_two_places_are_the_same_to_the_byte(
    datasets: list[Dataset], facts: Imprint, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `written` was made before, elsewhere, with as many threads as the machine has.
    monkeypatch.setenv("TIPPECANOE_MAX_THREADS", "1")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    other = tmp_path / "an einem anderen Ort"
    names = write_all(datasets, other, facts)
    assert sorted(names) == sorted(path.name for path in other.iterdir())
    assert sorted(names) == sorted(path.name for path in written.iterdir())
    assert [name for name in names if (other / name).read_bytes() != (written / name).read_bytes()] == []


def test_no_file_says_where_or_by_whom_it_was_made(written: Path) -> None:
    places = [str(written).encode(), str(Path.home()).encode(), str(Path(sys.prefix)).encode()]
    with zipfile.ZipFile(written / PROJECT) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents |= {path.name: path.read_bytes() for path in written.iterdir()}
    with (written / TILES).open("rb") as stream:
        contents["tiles"] = json.dumps(Reader(MmapSource(stream)).metadata()).encode()
    assert [(name, place) for name, content in contents.items() for place in places if place in content] == []


# GeoPackage


def test_geopackage_has_the_newest_version_that_qgis_3_22_opens_silently(package: sqlite3.Connection) -> None:
    assert package.execute("PRAGMA application_id").fetchone() == (0x47504B47,)
    assert package.execute("PRAGMA user_version").fetchone() == (10300,)
    assert package.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_geopackage_lists_every_dataset_in_german(package: sqlite3.Connection, datasets: list[Dataset]) -> None:
    listed = package.execute(
        "SELECT table_name, data_type, identifier, description, srs_id, last_change FROM gpkg_contents "
        "WHERE table_name != 'layer_styles'"
    ).fetchall()
    assert listed == [
        (
            dataset.contract.name,
            "attributes" if dataset.shapes is None else "features",
            dataset.contract.title,
            dataset.contract.description,
            0 if dataset.shapes is None else 25832,
            "2026-02-01T00:00:00.000Z",
        )
        for dataset in datasets
    ]


def test_geopackage_columns_have_the_types_of_the_contract(
    package: sqlite3.Connection, datasets: list[Dataset]
) -> None:
    kinds = {"string": "TEXT", "integer": "INTEGER", "number": "REAL", "boolean": "BOOLEAN", "date": "DATE"}
    for dataset in datasets:
        columns = {row[1]: row for row in package.execute(f'PRAGMA table_info("{dataset.contract.name}")')}
        for field in dataset.contract.fields:
            _, _, kind, required, *_ = columns[field.name]
            assert kind == kinds.get(field.type, "TEXT"), field.name
            assert bool(required) == field.required, field.name


def test_geopackage_describes_every_column_and_every_code(package: sqlite3.Connection, datasets: list[Dataset]) -> None:
    extensions = package.execute("SELECT table_name, extension_name FROM gpkg_extensions").fetchall()
    assert ("gpkg_data_columns", "gpkg_schema") in extensions
    assert ("gpkg_data_column_constraints", "gpkg_schema") in extensions
    for dataset in datasets:
        described = {
            row[0]: row[1:]
            for row in package.execute(
                "SELECT column_name, name, title, description, constraint_name FROM gpkg_data_columns "
                "WHERE table_name = ?",
                (dataset.contract.name,),
            )
        }
        for field in dataset.contract.fields:
            name, title, description, constraint = described.pop(field.name)
            assert (name, title, description) == (field.title, field.title, field.description)
            allowed = package.execute(
                "SELECT value, description FROM gpkg_data_column_constraints "
                "WHERE constraint_name = ? AND constraint_type = 'enum' ORDER BY rowid",
                (constraint,),
            ).fetchall()
            if field.separator:
                assert constraint is None
            elif field.codes:
                assert allowed == [(code.code, code.label) for code in field.codes]
            else:
                assert [value for value, _ in allowed] == list(field.allowed)
        assert described == {}


def test_geopackage_declares_the_relations_of_the_contracts(
    package: sqlite3.Connection, datasets: list[Dataset]
) -> None:
    declared = {
        (dataset.contract.name, column, parent, parent_column)
        for dataset in datasets
        for _, _, parent, column, parent_column, *_ in package.execute(
            f'PRAGMA foreign_key_list("{dataset.contract.name}")'
        )
    }
    assert declared == {
        (relation.child, *relation.columns, relation.parent, *relation.parent_columns)
        for relation in relations(datasets)
    }
    assert ("gremien_belege", "gremium_id", "gremien", "gremium_id") in declared
    assert ("gremien", "uebergeordnet_id", "gremien", "gremium_id") in declared


def test_geopackage_takes_no_evidence_for_a_committee_that_does_not_exist(written: Path, tmp_path: Path) -> None:
    copy = tmp_path / GPKG
    copy.write_bytes((written / GPKG).read_bytes())
    with closing(sqlite3.connect(copy)) as con:
        con.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            con.execute("UPDATE gremien_belege SET gremium_id = 'gibt-es-nicht' WHERE fid = 1")
            con.commit()


def test_a_row_that_refers_to_nothing_stops_the_geopackage(
    datasets: list[Dataset], facts: Imprint, tmp_path: Path
) -> None:
    without = [
        with_shapes(item, item.table.slice(1), shapes_in(item)[1:], tmp_path)
        if item.contract.name == "gremien"
        else item
        for item in datasets
    ]
    with pytest.raises(ValueError, match="gremien_belege"):
        write_geopackage(without, tmp_path, facts)


def test_geopackage_has_a_spatial_index_over_every_shape(package: sqlite3.Connection, datasets: list[Dataset]) -> None:
    for dataset in spatial(datasets):
        (entries,) = package.execute(f'SELECT count(*) FROM "rtree_{dataset.contract.name}_geom"').fetchone()
        assert entries == dataset.table.num_rows


def test_geopackage_names_licence_and_sources(package: sqlite3.Connection) -> None:
    ((scope, text),) = package.execute(
        "SELECT reference_scope, metadata FROM gpkg_metadata JOIN gpkg_metadata_reference ON md_file_id = id"
    ).fetchall()
    record = json.loads(text)
    assert scope == "geopackage"
    assert record["name"] == "Präventionskarte Kleinland"
    assert record["license"] == "https://www.govdata.de/dl-de/by-2-0"
    assert [source["creditText"] for source in record["isBasedOn"]] == ["Kleinland & Nachbarn"]


def test_reading_the_geopackage_leaves_nothing_beside_it(written: Path, tmp_path: Path) -> None:
    copy = tmp_path / GPKG
    copy.write_bytes((written / GPKG).read_bytes())
    geopandas.read_file(copy, layer="land")
    assert list(tmp_path.iterdir()) == [copy]


# FlatGeobuf, GeoParquet


def test_flatgeobuf_is_found_by_place_and_says_what_it_is(written: Path, datasets: list[Dataset]) -> None:
    for dataset in spatial(datasets):
        path = written / f"{dataset.contract.name}.fgb"
        info = pyogrio.read_info(path)
        assert info["layer_metadata"]["TITLE"] == dataset.contract.title
        assert info["layer_metadata"]["DESCRIPTION"] == dataset.contract.description
        assert info["capabilities"]["fast_spatial_filter"]
    towns = by_name(datasets, "gemeinden")
    inside = shapes_in(towns, OUTSIDE)[0].representative_point()
    found = geopandas.read_file(written / "gemeinden.fgb", bbox=inside.bounds)
    assert found["ags"].tolist() == [towns.table.column("ags")[0].as_py()]


def test_geoparquet_passes_an_independent_validator(written: Path, datasets: list[Dataset]) -> None:
    for dataset in spatial(datasets):
        report = geoparquet_validator.check(str(written / f"{dataset.contract.name}.parquet"))
        assert geoparquet_validator.conformant(report), geoparquet_validator.failed(report)


def test_that_validator_finds_a_wrong_bounding_box(written: Path, tmp_path: Path) -> None:
    table = pq.read_table(written / "gemeinden.parquet")
    geo = json.loads(table.schema.metadata[b"geo"])
    geo["columns"]["geometry"]["bbox"] = [0.0, 0.0]
    broken = tmp_path / "gemeinden.parquet"
    pq.write_table(table.replace_schema_metadata({b"geo": json.dumps(geo).encode()}), broken)
    assert not geoparquet_validator.conformant(geoparquet_validator.check(str(broken)))


def test_geoparquet_is_compressed_typed_and_has_a_box_for_every_row(written: Path, datasets: list[Dataset]) -> None:
    for dataset in spatial(datasets):
        path = written / f"{dataset.contract.name}.parquet"
        file = pq.ParquetFile(path)
        geo = json.loads(file.schema_arrow.metadata[b"geo"])
        assert geo["version"] == "1.1.0"
        assert geo["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
        group = file.metadata.row_group(0)
        assert {group.column(number).compression for number in range(group.num_columns)} == {"ZSTD"}
        kinds = {field.name: str(field.type) for field in dataset.table.schema}
        assert {name: str(file.schema_arrow.field(name).type) for name in kinds} == kinds


def test_duckdb_reads_geoparquet_with_its_crs_and_boxes(written: Path, datasets: list[Dataset]) -> None:
    relation = duckdb.sql(
        "SELECT typeof(geometry), bool_and(bbox.xmin <= bbox.xmax), count(*) "
        f"FROM '{written / 'gemeinden.parquet'}' GROUP BY 1"
    ).fetchall()
    assert relation == [("GEOMETRY('OGC:CRS84')", True, by_name(datasets, "gemeinden").table.num_rows)]


# PMTiles


@pytest.mark.parametrize("name", ["gemeinden", "gremien"])
def test_every_row_is_in_the_tiles_at_every_zoom(name: str, written: Path, datasets: list[Dataset]) -> None:
    dataset = by_name(datasets, name)
    (key,) = dataset.contract.primary_key
    first, last = zoom_range(by_name(datasets, "gemeinden"))
    assert first < last
    for zoom in range(first, last + 1):
        features = decode_tiles(written / TILES, zoom, name)
        assert {feature["properties"][key] for feature in features} == set(dataset.table.column(key).to_pylist())


def test_tiles_say_what_they_are(written: Path, datasets: list[Dataset]) -> None:
    with (written / TILES).open("rb") as stream:
        reader = Reader(MmapSource(stream))
        header, metadata = reader.header(), reader.metadata()
    assert header["version"] == 3
    assert (header["min_zoom"], header["max_zoom"]) == zoom_range(by_name(datasets, "gemeinden"))
    assert metadata["name"] == "Präventionskarte Kleinland"
    assert '<a href="https://kleinland.example/?a=1&amp;b=2">Kleinland &amp; Nachbarn</a>' in metadata["attribution"]
    assert [layer["id"] for layer in metadata["vector_layers"]] == ["gemeinden", "gremien"]


def test_a_land_of_a_quarter_of_the_size_begins_and_ends_two_zooms_deeper(
    datasets: list[Dataset], tmp_path: Path
) -> None:
    towns = by_name(datasets, "gemeinden")
    first, last = zoom_range(towns)
    shapes = shapes_in(towns)
    corner = shapely.total_bounds(shapes)[:2]
    small = shapely.transform(shapes, lambda points: corner + (points - corner) / 4)
    assert zoom_range(with_shapes(towns, towns.table, small, tmp_path)) == (first + 2, last + 2)


def test_an_error_meanwhile_ends_tippecanoe_and_leaves_no_file(
    datasets: list[Dataset], facts: Imprint, tmp_path: Path
) -> None:
    folder = tmp_path / "release"
    folder.mkdir()
    with pytest.raises(RuntimeError, match="anderswo"), tiles(datasets, folder, facts):
        raise RuntimeError("anderswo")
    assert list(folder.iterdir()) == []
    assert list(tmp_path.iterdir()) == [folder]


def test_a_failure_of_tippecanoe_is_told_in_its_words(
    datasets: list[Dataset], facts: Imprint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pmtiles, "feature_lines", lambda *_: [b'{"type": "Feature", "geometry": '])
    folder = tmp_path / "release"
    folder.mkdir()
    with pytest.raises(ChildProcessError, match="EOF"), tiles(datasets, folder, facts):
        pass
    assert list(folder.iterdir()) == []


# QGIS: styles and project (what QGIS makes of them: test_qgis.py)


def legend(text: str) -> list[str]:
    root = ElementTree.fromstring(text.partition("\n")[2])
    entries = [*root.iter("category"), *root.iter("rule")]
    return [entry.attrib["label"] for entry in entries if "label" in entry.attrib]


def test_a_legend_shows_only_what_occurs(datasets: list[Dataset]) -> None:
    towns = by_name(datasets, "gemeinden")
    found = set(towns.table.column("befragung_status").to_pylist())
    assert legend(style_qml(towns)) == [code.label for code in code_list("befragung_status") if code.code in found]
    assert "Geantwortet" not in legend(style_qml(towns))


def test_a_form_shows_every_code_by_its_label(datasets: list[Dataset]) -> None:
    root = ElementTree.fromstring(style_qml(by_name(datasets, "gremien")).partition("\n")[2])
    fields = {field.attrib["name"]: field for field in root.iter("field")}
    entries = [
        (option.attrib["name"], option.attrib["value"]) for option in fields["status"].iterfind(".//Option[@value]")
    ]
    assert entries == [(code.label, code.code) for code in code_list("gremium_status")]


def test_a_dataset_looks_the_same_beside_the_geojson_in_the_geopackage_and_in_the_project(
    written: Path, package: sqlite3.Connection, datasets: list[Dataset]
) -> None:
    stored = dict(package.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault = 1"))
    assert set(stored) == {dataset.contract.name for dataset in datasets}
    with zipfile.ZipFile(written / PROJECT) as archive:
        project = archive.read(f"{STEM}.qgs").decode("utf-8")
    for dataset in spatial(datasets):
        beside = (written / f"{dataset.contract.name}.qml").read_text(encoding="utf-8")
        assert stored[dataset.contract.name] == beside
        body = beside[beside.index("<flags>") : beside.rindex("</qgis>")].strip()
        assert body in project


def test_every_kind_and_status_has_a_sign_and_every_survey_status_a_colour_of_its_own() -> None:
    """A code that is added to a list needs an outline in SIGN_FORMS, or a stroke in SIGN_MARKS and colours."""
    statuses = [code.code for code in code_list("gremium_status")]
    kinds = [code.code for code in code_list("gremium_art")]
    assert (list(SIGN_FORMS), list(SIGN_MARKS)) == (kinds, statuses)
    signs = {sign(kind, status) for kind in kinds for status in statuses}
    assert len(signs) == len(statuses) * len(kinds)
    assert all(ElementTree.fromstring(text).tag.endswith("svg") for text in signs)
    areas = [colour(f"gebiet-{code.code}") for code in code_list("befragung_status")]
    assert len(set(areas)) == len(areas)


def test_a_code_that_nobody_has_drawn_is_named() -> None:
    with pytest.raises(WrongUsage, match=r"gremium_art\.csv, Code „stammtisch“: für ihn ist noch kein Zeichen"):
        sign("stammtisch", "aktiv")


def test_signs_differ_without_colour() -> None:
    statuses = [code.code for code in code_list("gremium_status")]
    grey = set()
    for status in statuses:
        text = sign(ANY_KIND, status)
        for name in (f"gremium-{status}", "karte-hof"):
            text = text.replace(colour(name), "#000000" if name != "karte-hof" else "#ffffff")
        grey.add(text)
    assert len(grey) == len(statuses)


def test_the_project_names_only_its_neighbour_and_nothing_on_the_net(datasets: list[Dataset], facts: Imprint) -> None:
    root = ElementTree.fromstring(project_xml(datasets, facts).strip().partition("\n")[2])
    sources = [element.text for element in root.iter("datasource")]
    assert sorted(str(source) for source in sources) == sorted(
        f"./{GPKG}|layername={dataset.contract.name}" for dataset in datasets
    )
    assert {element.text for element in root.iter("provider")} == {"ogr"}


def test_titles_within_a_dataset_are_unique(datasets: list[Dataset]) -> None:
    # GeoPackage wants one title for one column, and so do readers of a form.
    for dataset in datasets:
        titles = [field.title for field in dataset.contract.fields]
        assert len(set(titles)) == len(titles), dataset.contract.name


# The mark of a synthetic release


def test_every_file_of_a_synthetic_release_says_so(written_synthetic: Path) -> None:
    mark = SYNTHETIC_MARK.encode()
    with zipfile.ZipFile(written_synthetic / PROJECT) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with (written_synthetic / TILES).open("rb") as stream:
        contents[TILES] = json.dumps(Reader(MmapSource(stream)).metadata(), ensure_ascii=False).encode()
    for path in written_synthetic.glob("*.[fg]*"):
        contents[path.name] = path.read_bytes()
    for path in written_synthetic.glob("*.parquet"):
        contents[path.name] = str(pq.read_table(path).column("synthetisch").to_pylist()).encode()
    assert len(contents) == 2 + 4 + 4 + 4 + 1
    assert [name for name, content in contents.items() if mark not in content] == []


def test_titles_of_layers_and_of_the_project_carry_the_mark(written_synthetic: Path) -> None:
    with closing(sqlite3.connect(written_synthetic / GPKG)) as con:
        titles = con.execute("SELECT identifier, description FROM gpkg_contents WHERE table_name != 'layer_styles'")
        assert all(title.endswith(SYNTHETIC_MARK) and text.startswith(SYNTHETIC_MARK) for title, text in titles)
    with zipfile.ZipFile(written_synthetic / PROJECT) as archive:
        root = ElementTree.fromstring(archive.read(f"{STEM}.qgs").decode("utf-8").strip().partition("\n")[2])
    assert SYNTHETIC_MARK in str(root.findtext("title"))
    assert all(SYNTHETIC_MARK in str(element.text) for element in root.iter("layername"))
    assert root.findtext("properties/TitleLabel/Label") == SYNTHETIC_MARK
