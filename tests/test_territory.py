"""Territory at a date: which land a municipality's key means on which day (Kleinland, see ``tests/kleinland``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import shapely
from conftest import KLEINLAND, PROFILE, Territory, joined_run, loaded_run, profile_of, territory_of

from flows import geometry
from flows.boundary_import import layer_rows
from flows.database import database as open_database
from flows.database import sql_files
from flows.join import set_variables
from flows.partition import read_part, write_part
from flows.profile import load_profile
from flows.territory import FINDINGS, SOURCE, dissolve_land, ring_points

ALDORF, BACHDORF, CELLA, DORNA, EICHEN = "99001001", "99001002", "99001003", "99001004", "99001005"
GRONAU, LINDAU, NEUDORNA, EICHEN_NEW = "99001006", "99001007", "99001010", "99002005"
FLUR, ILMEN, HAINAU = "99002001", "99002002", "99002003"
AT_FIRST = [ALDORF, BACHDORF, CELLA, DORNA, EICHEN, GRONAU, LINDAU, FLUR, ILMEN, HAINAU]

Joined = Callable[..., duckdb.DuckDBPyConnection]


@pytest.fixture(scope="module")
def on(geodata: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[date], Territory]]:
    """The territory of Kleinland on a day."""
    run = loaded_run(load_profile(geodata, PROFILE), tmp_path_factory.mktemp("loaded"))
    with open_database(run.database) as con:
        set_variables(con, run)
        yield lambda day: territory_of(con, day)


@pytest.mark.parametrize(
    ("day", "municipalities"),
    [
        (date(2016, 1, 1), AT_FIRST),
        (date(2017, 12, 31), AT_FIRST),
        (date(2018, 12, 31), [ALDORF, DORNA, EICHEN, GRONAU, LINDAU, FLUR, ILMEN, HAINAU]),
        (date(2019, 12, 31), [ALDORF, EICHEN, GRONAU, NEUDORNA, FLUR, ILMEN, HAINAU]),
        (date(2020, 6, 30), [ALDORF, EICHEN, GRONAU, NEUDORNA, FLUR, ILMEN, HAINAU]),
        (date(2021, 6, 30), [ALDORF, EICHEN, GRONAU, NEUDORNA, FLUR, ILMEN, HAINAU]),
        (date(2021, 7, 1), [ALDORF, GRONAU, NEUDORNA, FLUR, ILMEN, HAINAU, EICHEN_NEW]),
        (date(2022, 12, 31), [ALDORF, GRONAU, NEUDORNA, FLUR, ILMEN, HAINAU, EICHEN_NEW]),
    ],
    ids=str,
)
def test_the_municipalities_of_a_day_follow_from_the_changes(
    on: Callable[[date], Territory], day: date, municipalities: list[str]
) -> None:
    territory = on(day)
    assert list(territory.parts) == municipalities
    assert territory.obstacles is None
    assert sorted(part for parts in territory.parts.values() for part in parts) == AT_FIRST, (
        "no land is lost or doubled"
    )


def test_a_merged_municipality_belongs_to_its_successor(on: Callable[[date], Territory]) -> None:
    assert on(date(2018, 12, 31)).parts[ALDORF] == [ALDORF, BACHDORF]


def test_a_chain_of_changes_is_followed_to_its_end(on: Callable[[date], Territory]) -> None:
    assert on(date(2018, 12, 31)).parts[DORNA] == [CELLA, DORNA]
    assert on(date(2019, 12, 31)).parts[NEUDORNA] == [CELLA, DORNA, LINDAU]


def test_a_new_key_means_the_same_land_in_another_district(on: Callable[[date], Territory]) -> None:
    assert on(date(2021, 6, 30)).parts[EICHEN] == [EICHEN]
    assert on(date(2021, 7, 1)).parts[EICHEN_NEW] == [EICHEN]


@pytest.mark.parametrize(
    ("day", "named"),
    [
        (date(2015, 12, 31), ["Grenzen beginnen erst am 01.01.2016"]),
        (date(2018, 1, 1), ["Bachdorf (99001002)", "Cella (99001003)"]),
        (date(2018, 12, 30), ["Bachdorf (99001002)", "Cella (99001003)"]),
        (date(2019, 6, 30), ["Dorna (99001004)", "Lindau (99001007)"]),
        (date(2023, 6, 30), ["der Tag der Änderung Hainau (99002003)"]),
        (date(2023, 12, 31), ["Hainau (99002003) wurde geteilt", "Flur (99002001)", "Ilmen, Stadt (99002002)"]),
        (date(2024, 1, 1), ["Hainau (99002003) wurde geteilt", "nur bis 31.12.2023 bekannt"]),
    ],
    ids=str,
)
def test_a_day_that_the_changes_cannot_answer_is_refused_naming_them(
    on: Callable[[date], Territory], day: date, named: list[str]
) -> None:
    territory = on(day)
    assert territory.parts == {}
    assert territory.obstacles is not None
    for words in named:
        assert words in territory.obstacles


def test_a_change_that_does_not_concern_the_day_is_not_named(on: Callable[[date], Territory]) -> None:
    assert "Eichen" not in str(on(date(2018, 6, 30)).obstacles)
    assert "Dorna (99001004) →" not in str(on(date(2018, 6, 30)).obstacles)


def test_an_unanswerable_register_date_hinders_nobody(make_geodata: Callable[..., Path], join_profile: Joined) -> None:
    register = (KLEINLAND / "register.csv").read_text(encoding="utf-8")
    later = register.split("\n", 1)[1].replace("2019-12-31", "2024-12-31")
    con = join_profile(profile_of(make_geodata({"register.csv": register + later})))
    assert con.execute("SELECT count(*) FROM joined.municipalities").fetchall() == [(7,)]
    assert con.execute("SELECT DISTINCT textkennzeichen FROM joined.municipalities ORDER BY 1").fetchall() == [
        ("63",),
        ("64",),
    ]


def squares(*keys: str) -> shapely.Geometry:
    """The land of municipalities of the boundary layer, in EPSG:25832."""
    shapes = {
        row["schluessel"]: row["geometry"] for row in layer_rows(KLEINLAND / "layers" / "gem.geojson", "gemeinde")
    }
    wanted = np.array([shapes[key] for key in keys], dtype=object)
    return shapely.union_all(geometry.transform(wanted, geometry.OUTSIDE, geometry.INSIDE))


def shapes_of(con: duckdb.DuckDBPyConnection, level: str) -> dict[str, shapely.Geometry]:
    """Shapes of the map by key, in EPSG:25832."""
    query = "SELECT schluessel, geometry FROM joined.map_geometry WHERE ebene = $1 ORDER BY schluessel"
    table = con.execute(query, [level]).to_arrow_table()
    return dict(zip(table.column("schluessel").to_pylist(), geometry.from_table(table), strict=True))


def test_the_map_shows_the_united_land_without_overlap_or_gap(database: duckdb.DuckDBPyConnection) -> None:
    municipalities = shapes_of(database, "gemeinde")
    assert shapely.equals(municipalities[NEUDORNA], squares(CELLA, DORNA, LINDAU))
    assert shapely.equals(municipalities[ALDORF], squares(ALDORF, BACHDORF))
    assert shapely.coverage_is_valid(np.array(list(municipalities.values())))
    (land,) = shapes_of(database, "land").values()
    assert shapely.equals(land, squares(*AT_FIRST))
    assert database.execute("SELECT count(*) FROM joined.geometry_findings").fetchall() == [(0,)]


@pytest.mark.slow
def test_a_municipality_takes_its_land_into_its_new_district(geodata: Path, join_profile: Joined) -> None:
    profile = load_profile(geodata, PROFILE)
    before = shapes_of(join_profile(profile), "kreis")
    after = shapes_of(join_profile(profile, territory_date=date(2022, 12, 31)), "kreis")
    assert shapely.equals(after["99002"], squares(FLUR, HAINAU, ILMEN, EICHEN))
    assert shapely.equals(before["99002"], squares(FLUR, HAINAU, ILMEN))
    assert shapely.equals(shapely.union_all(list(before.values())), shapely.union_all(list(after.values())))


@pytest.mark.slow
@pytest.mark.parametrize("day", [date(2020, 6, 30), date(2022, 12, 31)], ids=str)
def test_a_record_with_the_old_or_the_new_key_lands_in_the_same_polygon(
    geodata: Path, join_profile: Joined, day: date
) -> None:
    con = join_profile(load_profile(geodata, PROFILE), territory_date=day)
    key = EICHEN if day < date(2021, 7, 1) else EICHEN_NEW
    places = dict(
        con.execute(
            "SELECT gremium_id, ags FROM joined.committee_places WHERE gremium_id LIKE 'eichen%' AND reihe = 1"
        ).fetchall()
    )
    assert places == {"eichen-runder-tisch": key, "eichen-ordnungspartnerschaft": key}
    table = con.execute("SELECT geometry FROM joined.committee_points WHERE gremium_id LIKE 'eichen%'").to_arrow_table()
    assert shapely.contains(squares(EICHEN), geometry.from_table(table)).all()


def test_the_key_of_a_municipality_that_is_gone_leads_to_its_successor(database: duckdb.DuckDBPyConnection) -> None:
    found = database.execute("SELECT ags, gemeinde FROM release.hinweise WHERE hinweis_id = 'bachdorf-vorschlag-1'")
    assert found.fetchall() == [(ALDORF, "Aldorf")]


KEYS_ON_DAYS = {
    # key and the day it was noted: where it leads on the map of 30.06.2020, None for nowhere
    (DORNA, "2018-12-31"): NEUDORNA,
    (DORNA, "2019-06-30"): NEUDORNA,
    (DORNA, "2020-06-30"): None,
    (DORNA, ""): NEUDORNA,
    (CELLA, "2016-06-30"): NEUDORNA,
    (BACHDORF, "2018-12-31"): ALDORF,
    (BACHDORF, "2019-12-31"): None,
    (NEUDORNA, "2020-06-30"): NEUDORNA,
    (NEUDORNA, "2018-12-30"): None,
    (EICHEN, "2021-06-30"): EICHEN,
    (EICHEN, "2021-07-02"): None,
    (EICHEN_NEW, "2021-06-29"): None,
    (EICHEN_NEW, "2021-07-01"): EICHEN,
    (EICHEN_NEW, ""): EICHEN,
    ("99001099", ""): None,
}


def test_a_key_counts_only_on_the_days_when_it_existed(make_geodata: Callable[..., Path], join_profile: Joined) -> None:
    header = (KLEINLAND / "hints.csv").read_text(encoding="utf-8").split("\n", 1)[0]
    rows = [
        f"hinweis-{number},kontext,{key},{day},Titel,,https://a.example/,presse,,Zeigt"
        for number, (key, day) in enumerate(KEYS_ON_DAYS)
    ]
    con = join_profile(profile_of(make_geodata({"hints.csv": "\n".join([header, *rows, ""])})))
    found = con.execute(
        "SELECT h.ags, coalesce(CAST(h.ags_stand AS VARCHAR), ''), k.ags_karte FROM input.hints h "
        "JOIN joined.key_resolution k ON k.ags = h.ags AND k.ags_stand IS NOT DISTINCT FROM h.ags_stand"
    ).fetchall()
    assert {(key, day): target for key, day, target in found} == KEYS_ON_DAYS


def test_a_key_whose_land_lies_in_two_municipalities_of_the_map_leads_nowhere_by_itself(
    make_geodata: Callable[..., Path], join_profile: Joined
) -> None:
    hints = (KLEINLAND / "hints.csv").read_text(encoding="utf-8").replace("99001006,,", "99001010,2019-12-31,")
    con = join_profile(profile_of(make_geodata({"hints.csv": hints})), territory_date=date(2018, 12, 31))
    query = "SELECT ags_karte, moegliche FROM joined.key_resolution WHERE ags = $1"
    assert con.execute(query, [NEUDORNA]).fetchall() == [(None, f"{DORNA}, {LINDAU}")]


def test_population_before_a_change_is_population_after_it(database: duckdb.DuckDBPyConnection) -> None:
    sums = database.execute(
        "SELECT gebietsstand, sum(einwohner) FROM input.population GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert [total for _, total in sums] == [7400, 7400]
    assert database.execute("SELECT sum(einwohner) FROM joined.municipalities").fetchall() == [(7400,)]


def test_population_is_added_up_along_the_changes(make_geodata: Callable[..., Path], join_profile: Joined) -> None:
    lines = (KLEINLAND / "population.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    older = "".join(line for line in lines if "2019-12-31" not in line)
    con = join_profile(profile_of(make_geodata({"population.csv": older})))
    found = con.execute(
        "SELECT ags, einwohner FROM joined.municipalities WHERE ags IN ($1, $2) ORDER BY ags", [ALDORF, NEUDORNA]
    )
    assert found.fetchall() == [(ALDORF, 1500), (NEUDORNA, 700)]


def test_a_municipality_of_which_a_part_is_missing_has_no_population(
    make_geodata: Callable[..., Path], join_profile: Joined
) -> None:
    lines = (KLEINLAND / "population.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    older = "".join(line for line in lines if "2019-12-31" not in line and not line.startswith(LINDAU))
    con = join_profile(profile_of(make_geodata({"population.csv": older})))
    found = con.execute(
        "SELECT ags, einwohner, einwohner_stand FROM joined.municipalities WHERE einwohner IS NULL"
    ).fetchall()
    assert found == [(NEUDORNA, None, None)]
    assert con.execute(
        "SELECT einwohner, einwohner_stand FROM release.kreise WHERE kreis_schluessel = '99001'"
    ).fetchall() == [(None, None)]


def attributes(con: duckdb.DuckDBPyConnection, ags: str) -> dict[str, object]:
    """What is known of a municipality of the map."""
    (row,) = con.execute("SELECT * FROM joined.municipalities WHERE ags = $1", [ags]).to_arrow_table().to_pylist()
    return dict(row)


def test_names_association_and_area_come_from_the_register(database: duckdb.DuckDBPyConnection) -> None:
    gronau = attributes(database, GRONAU)
    assert (gronau["gemeinde"], gronau["verband"], gronau["verband_ars"]) == ("Gronau", "Eichen, Stadt", "990015005")
    assert (gronau["flaeche_km2"], gronau["flaeche_herkunft"]) == (1.97, "gemeindeverzeichnis")
    assert attributes(database, ALDORF)["gemeinde"] == "Aldorf"


@pytest.mark.slow
def test_the_register_says_nothing_of_land_or_keys_of_another_day(geodata: Path, join_profile: Joined) -> None:
    profile = load_profile(geodata, PROFILE)
    early = join_profile(profile, territory_date=date(2017, 12, 31))
    aldorf = attributes(early, ALDORF)
    assert (aldorf["gemeinde_amtlich"], aldorf["flaeche_herkunft"]) == ("Aldorf, Stadt", "geometrie")
    assert aldorf["flaeche_km2"] == pytest.approx(squares(ALDORF).area / 1e6, abs=0.005)
    dorna = attributes(early, DORNA)
    assert (dorna["gemeinde"], dorna["textkennzeichen"], dorna["verband"]) == ("Dorna", None, None)
    late = attributes(join_profile(profile, territory_date=date(2022, 12, 31)), EICHEN_NEW)
    assert (late["gemeinde_amtlich"], late["textkennzeichen"], late["kreis"]) == ("Eichen, Stadt", "63", "Südkreis")
    assert (late["ars"], late["verband_ars"], late["verband"]) == (None, None, None), "a new key has another ARS"
    assert late["flaeche_herkunft"] == "gemeindeverzeichnis", "the land is the same"


def test_points_of_committees_of_one_municipality_differ_and_lie_inside_it() -> None:
    shape = squares(CELLA, DORNA, LINDAU)
    for count in (1, 2, 7):
        points = ring_points(shape, count)
        assert len({(point.x, point.y) for point in points}) == count
        assert shapely.contains(shape, points).all()


@pytest.fixture
def tampered(make_geodata: Callable[..., Path], tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A joined database of Kleinland that a test may change, to see that a guard against our own mistakes works."""
    run = joined_run(profile_of(make_geodata()), tmp_path / "work")
    with open_database(run.database) as con:
        set_variables(con, run)
        yield con


def test_a_municipality_that_the_join_drops_is_noticed(tampered: duckdb.DuckDBPyConnection) -> None:
    tampered.execute("DELETE FROM joined.map_geometry WHERE ebene = 'gemeinde' AND schluessel = $1", [NEUDORNA])
    found = tampered.execute(
        f"SELECT wert, meldung FROM ({sql_files('checks')['checks.lost_land']}) ORDER BY wert"
    ).fetchall()
    assert found == [(key, "die Gemeinde kommt auf der Karte nicht vor.") for key in (CELLA, DORNA, LINDAU)]


def test_a_shape_that_the_join_breaks_is_noticed(tmp_path: Path) -> None:
    bow = shapely.transform(squares(FLUR), lambda points: points[[0, 2, 1, 3, 0]])
    table = pa.table({"ebene": ["gemeinde"], "schluessel": [FLUR]})
    write_part(geometry.with_geometry(table, np.array([bow])), tmp_path / SOURCE)
    dissolve_land(tmp_path)
    kinds = {(row["schluessel"], row["art"]) for row in read_part(tmp_path / FINDINGS).to_pylist()}
    assert (FLUR, "ungueltig") in kinds
