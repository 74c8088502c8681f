"""Two Länder on one map: each is worked on by itself, and what lies between them is found all the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import geopandas
import numpy as np
import pyarrow.parquet
import pytest
import shapely
from conftest import DAY, build_geodata, joined_run, loaded_run, profile_of
from dataset_parts import shapes_in
from two_lands import HEIGHT, NEIGHBOUR, two_lands

from flows import geometry
from flows.checksums import files_of
from flows.database import database
from flows.datasets import OUTSIDE, Dataset, read_datasets
from flows.errors import Refused
from flows.formats.geojson import write_geojson
from flows.formats.geopackage import write_geopackage
from flows.formats.geoparquet import write_geoparquet
from flows.formats.imprint import imprint
from flows.join import join
from flows.run import Run
from flows.stages import run_stages

# Each of them joins a territory of its own.
pytestmark = pytest.mark.slow

Joined = Callable[..., duckdb.DuckDBPyConnection]


def findings(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], float]:
    """What is wrong with the shapes, by kind and key."""
    rows = con.execute("SELECT art, schluessel, mass FROM joined.geometry_findings").fetchall()
    return {(kind, key): measure for kind, key, measure in rows}


def seen_as_a_whole(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], float]:
    """The overlaps of all municipalities of the map, without regard to Länder."""
    table = con.execute(
        "SELECT schluessel, geometry FROM joined.map_geometry WHERE ebene = 'gemeinde'"
    ).to_arrow_table()
    lengths = shapely.length(shapely.coverage_invalid_edges(geometry.from_table(table)))
    keys = table.column("schluessel").to_pylist()
    return {("deckung", key): float(length) for key, length in zip(keys, lengths, strict=True) if length > 0}


@pytest.fixture
def joined(make_geodata: Callable[..., Path], join_profile: Joined) -> Joined:
    """``joined(shift, without)`` is the joined database of Kleinland and its neighbour; see ``two_lands``."""

    def build(shift: float = HEIGHT, without: Sequence[str] = ()) -> duckdb.DuckDBPyConnection:
        return join_profile(profile_of(make_geodata(two_lands(shift, without))))

    return build


def test_two_lands_that_adjoin_are_one_coverage(joined: Joined) -> None:
    con = joined()
    assert findings(con) == {}
    outlines = con.execute("SELECT schluessel FROM joined.map_geometry WHERE ebene = 'land' ORDER BY 1").fetchall()
    assert outlines == [(NEIGHBOUR,), ("99",)]


def test_municipalities_that_overlap_across_the_border_of_two_lands_are_found(joined: Joined) -> None:
    con = joined(HEIGHT - 0.001)
    found = findings(con)
    assert {key[:2] for _, key in found} == {NEIGHBOUR, "99"}
    assert found == seen_as_a_whole(con)
    # Aldorf is Kleinland's in the north, Flur and Hainau are the neighbour's in the south.
    assert {("deckung", key) for key in ("99001001", "98002001", "98002003")} <= found.keys()


def test_a_border_on_which_only_one_land_has_a_point_is_found(
    make_geodata: Callable[..., Path], join_profile: Joined
) -> None:
    files = two_lands()
    layer = json.loads(files["layers/gem.geojson"])
    (nord_flur,) = (one for one in layer["features"] if one["properties"]["AGS"] == "98002001")
    # On the map's plane the middle of an edge lies beside it.
    nord_flur["geometry"]["coordinates"][0].insert(1, [11.01, 50.5375])
    con = join_profile(profile_of(make_geodata(files | {"layers/gem.geojson": json.dumps(layer)})))
    assert {key for kind, key in findings(con) if kind == "deckung"} == {"98002001", "99001001"}
    assert findings(con).items() >= seen_as_a_whole(con).items()


def test_a_land_without_districts_still_has_their_shapes(joined: Joined) -> None:
    con = joined(without=("krs",))
    levels = con.execute(
        "SELECT ebene, count(*) FROM joined.map_geometry WHERE schluessel LIKE '98%' GROUP BY ebene ORDER BY ebene"
    ).fetchall()
    assert levels == [("gemeinde", 10), ("kreis", 2), ("land", 1)]


def test_a_land_without_municipalities_lacks_all_of_its_outline(joined: Joined) -> None:
    con = joined(without=("gem", "krs"))
    given = con.execute("SELECT geometry FROM input.boundaries WHERE schluessel = '98'").to_arrow_table()
    assert findings(con) == {("umriss", NEIGHBOUR): pytest.approx(shapely.area(geometry.from_table(given))[0])}
    assert con.execute("SELECT count(*) FROM joined.map_geometry WHERE schluessel LIKE '98%'").fetchall() == [(0,)]


def test_without_municipalities_of_any_land_there_is_no_map(make_geodata: Callable[..., Path], tmp_path: Path) -> None:
    run = loaded_run(profile_of(make_geodata()), tmp_path / "work")
    with database(run.database) as con:
        con.execute("DELETE FROM input.boundaries")
    join(run)
    with database(run.database) as con:
        assert con.execute("SELECT count(*) FROM joined.map_geometry").fetchall() == [(0,)]
        assert findings(con) == {}


def test_a_boundary_file_read_a_few_rows_at_a_time_is_the_same(
    geodata: Path, make_geodata: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "SELECT * FROM input.boundaries ORDER BY zeile"
    tables = []
    for rows in (1000, 3):
        monkeypatch.setattr("flows.boundary_load.BATCH_ROWS", rows)
        with database(loaded_run(profile_of(geodata), tmp_path / f"zu {rows}").database) as con:
            tables.append(con.execute(query).to_arrow_table())
    assert tables[0].num_rows == 13
    assert tables[0].equals(tables[1])
    table = pyarrow.parquet.read_table(geodata / "kleinland" / "boundaries.parquet")
    shapes = table.column("geometry").to_pylist()
    shapes[7] = shapely.to_wkb(shapely.Point(11, 50.5))
    changed = table.set_column(table.column_names.index("geometry"), table.schema.field("geometry"), [shapes])
    pyarrow.parquet.write_table(changed, tmp_path / "punkt.parquet")
    other = make_geodata({"boundaries.parquet": (tmp_path / "punkt.parquet").read_bytes()})
    with pytest.raises(Refused, match="Zeile 8, Spalte „geometry“: hier steht keine Fläche"):
        loaded_run(profile_of(other), tmp_path / "punkt")


@pytest.fixture(scope="module")
def packaged_lands(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[Dataset]]:
    """A joined run of the two Länder and its datasets."""
    folder = tmp_path_factory.mktemp("laender")
    run = joined_run(profile_of(build_geodata(folder / "geodata", two_lands())), folder / "work")
    with database(run.database) as con:
        return run, read_datasets(con, run.datasets, synthetic=False)


def test_rows_and_shapes_of_all_parts_belong_together(packaged_lands: tuple[Run, list[Dataset]]) -> None:
    _, datasets = packaged_lands
    towns = next(dataset for dataset in datasets if dataset.contract.name == "gemeinden")
    assert towns.shapes is not None
    assert [part.rows for part in towns.shapes.parts] == [10, 7]
    keys = towns.table.column("ags").to_pylist()
    assert keys == sorted(keys)
    # The neighbour's municipalities lie north of Kleinland's northern border.
    middles = shapely.get_y(shapely.centroid(shapes_in(towns, OUTSIDE)))
    assert [key.startswith(NEIGHBOUR) for key in keys] == (middles > 50.5375).tolist()


def test_files_of_several_parts_hold_every_municipality_once(
    packaged_lands: tuple[Run, list[Dataset]], tmp_path: Path
) -> None:
    run, datasets = packaged_lands
    towns = next(dataset for dataset in datasets if dataset.contract.name == "gemeinden")
    keys = towns.table.column("ags").to_pylist()
    write_geojson(towns, tmp_path)
    write_geoparquet(towns, tmp_path)
    write_geopackage(datasets, tmp_path, imprint(run.profile, "test", DAY, []))
    read: dict[str, Any] = {
        "geojson": geopandas.read_file(tmp_path / "gemeinden.geojson"),
        "parquet": geopandas.read_parquet(tmp_path / "gemeinden.parquet"),
        "gpkg": geopandas.read_file(tmp_path / "praeventionskarte.gpkg", layer="gemeinden"),
    }
    for kind, frame in read.items():
        assert frame["ags"].tolist() == keys, kind
        expected = shapes_in(towns) if kind == "gpkg" else shapes_in(towns, OUTSIDE)
        assert shapely.equals(np.array(frame.geometry.array), expected).all(), kind
    assert pyarrow.parquet.ParquetFile(tmp_path / "gemeinden.parquet").metadata.num_row_groups == 2


def test_the_order_in_which_parts_are_worked_on_does_not_show(
    make_geodata: Callable[..., Path], tmp_path: Path
) -> None:
    geodata = make_geodata(two_lands())

    def backwards(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        return [function(item) for item in reversed(items)][::-1]

    folders = []
    for name, settings in (("wie immer", {}), ("rueckwaerts", {"mapper": backwards})):
        outcome = run_stages(profile_of(geodata), tmp_path / name, DAY, **settings)  # type: ignore[arg-type]
        folders.append(tmp_path / name / "releases" / str(outcome.release_id))
    first, second = folders
    assert files_of(first) == files_of(second)
    assert [file for file in files_of(first) if (first / file).read_bytes() != (second / file).read_bytes()] == []
