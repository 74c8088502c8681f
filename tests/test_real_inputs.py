"""What the project's own inputs give for Thuringia; facts to hold on to, each with its origin."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest
import shapely
from conftest import Territory, joined_run, loaded_run, territory_of

from flows import geometry
from flows.check import check
from flows.database import database as open_database
from flows.datasets import read_datasets
from flows.join import join, set_variables
from flows.paths import GEODATA
from flows.profile import SYNTHETIC_MARK, load_profile
from flows.run import Run

# Thuringia at several dates.
pytestmark = pytest.mark.slow

DAY = date(2026, 11, 22)

# The 36 towns of the survey's frame with their population of 31.12.2018 on the territory of 30.06.2020, as recomputed
# apart from this code from the Gemeindeverzeichnis (© Statistisches Bundesamt, Destatis); largest first.
TOWNS = {
    "16051000": ("Erfurt", 213_699),
    "16053000": ("Jena", 111_407),
    "16052000": ("Gera", 94_152),
    "16055000": ("Weimar", 65_090),
    "16067029": ("Gotha", 45_733),
    "16056000": ("Eisenach", 42_370),
    "16062041": ("Nordhausen", 41_791),
    "16070029": ("Ilmenau", 39_017),
    "16054000": ("Suhl", 36_955),
    "16064046": ("Mühlhausen/Thüringen", 36_200),
    "16077001": ("Altenburg", 32_074),
    "16073077": ("Saalfeld/Saale", 29_457),
    "16070004": ("Arnstadt", 27_304),
    "16073076": ("Rudolstadt", 25_115),
    "16066042": ("Meiningen", 24_852),
    "16072018": ("Sonneberg", 23_830),
    "16071001": ("Apolda", 22_012),
    "16065067": ("Sondershausen", 21_513),
    "16076022": ("Greiz", 20_524),
    "16063003": ("Bad Salzungen", 20_244),
    "16061115": ("Leinefelde-Worbis", 20_124),
    "16066063": ("Schmalkalden, Kurort", 19_732),
    "16068051": ("Sömmerda", 19_034),
    "16064003": ("Bad Langensalza", 17_441),
    "16061045": ("Heilbad Heiligenstadt", 17_105),
    "16076087": ("Zeulenroda-Triebes", 16_487),
    "16077043": ("Schmölln", 13_741),
    "16067072": ("Waltershausen", 12_973),
    "16066092": ("Zella-Mehlis", 12_863),
    "16075085": ("Pößneck", 11_924),
    "16069024": ("Hildburghausen", 11_836),
    "16069043": ("Schleusingen", 10_960),
    "16074018": ("Eisenberg", 10_885),
    "16062066": ("Bleicherode", 10_419),
    "16065003": ("Bad Frankenhausen/Kyffhäuser", 10_230),
    "16077032": ("Meuselwitz", 10_065),
}

# How many municipalities Thuringia had, after the Gemeindeverzeichnis of each of these days.
MUNICIPALITIES = {
    date(2016, 1, 1): 849,
    date(2017, 12, 31): 849,
    date(2018, 12, 31): 821,
    date(2019, 12, 31): 634,
    date(2020, 6, 30): 634,
    date(2020, 12, 31): 633,
    date(2021, 12, 31): 631,
    date(2022, 12, 31): 631,
}
EISENACH, EISENACH_NEW = "16056000", "16063105"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The default profile, loaded but not joined; to be copied."""
    return loaded_run(load_profile(GEODATA, "thueringen"), tmp_path_factory.mktemp("loaded"), DAY)


def copy_of(loaded: Run, work: Path, **settings: date) -> Run:
    """A run of its own over the loaded inputs, with other settings where given."""
    shutil.copyfile(loaded.database, work / loaded.database.name)
    return replace(loaded, work=work, profile=replace(loaded.profile, **settings))


@pytest.fixture(scope="module")
def run(loaded: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The default profile, joined."""
    run = copy_of(loaded, tmp_path_factory.mktemp("thueringen"))
    join(run)
    return run


@pytest.fixture(scope="module")
def thuringia(run: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of the default profile after the join."""
    with open_database(run.database) as con:
        set_variables(con, run)
        yield con


@pytest.fixture(scope="module")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demonstration, joined."""
    return joined_run(load_profile(GEODATA, "demo"), tmp_path_factory.mktemp("demo"), DAY)


@pytest.fixture(scope="module")
def demo(demo_run: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of the demonstration after the join."""
    with open_database(demo_run.database) as con:
        set_variables(con, demo_run)
        yield con


@pytest.fixture(scope="module")
def on(loaded: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[date], Territory]]:
    """The territory of Thuringia on a day."""
    run = copy_of(loaded, tmp_path_factory.mktemp("on"))
    with open_database(run.database) as con:
        set_variables(con, run)
        yield lambda day: territory_of(con, day)


def shapes(con: duckdb.DuckDBPyConnection, query: str) -> geometry.Geometries:
    """The ``geometry`` column of a query, in EPSG:25832."""
    return geometry.from_table(con.execute(query).to_arrow_table())


def shapes_of(con: duckdb.DuckDBPyConnection, level: str) -> geometry.Geometries:
    """Shapes of a level of the map, by key."""
    return shapes(con, f"SELECT geometry FROM joined.map_geometry WHERE ebene = '{level}' ORDER BY schluessel")


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    """The rows of a query."""
    return con.execute(query).fetchall()


# --- territory -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "count"), MUNICIPALITIES.items(), ids=str)
def test_thuringia_has_as_many_municipalities_as_the_register_says(
    on: Callable[[date], Territory], day: date, count: int
) -> None:
    territory = on(day)
    assert (len(territory.parts), territory.obstacles) == (count, None)
    assert sum(len(parts) for parts in territory.parts.values()) == 849, "every key of 2016 resolves"


@pytest.mark.parametrize(
    ("day", "named"),
    [
        (date(2018, 6, 30), ["ist unbekannt (zwischen 31.12.2017 und 31.12.2018)"]),
        (date(2023, 12, 31), ["Dünwald (16064014) wurde geteilt", "Anrode (16064073) wurde geteilt"]),
        (date(2015, 12, 31), ["die Grenzen beginnen erst am 01.01.2016"]),
    ],
    ids=str,
)
def test_a_day_that_the_changes_cannot_answer_is_refused(
    on: Callable[[date], Territory], day: date, named: list[str]
) -> None:
    territory = on(day)
    assert territory.parts == {}
    for words in named:
        assert words in str(territory.obstacles)


def test_the_inputs_break_no_rule(run: Run, demo_run: Run) -> None:
    assert check(run).notes == check(demo_run).notes


def test_a_map_of_another_day_breaks_no_rule_either(loaded: Run, tmp_path: Path) -> None:
    last = date(2022, 12, 31)
    run = copy_of(loaded, tmp_path, territory_date=last, population_date=last)
    join(run)
    assert check(run).notes
    with open_database(run.database) as con:
        assert rows(con, "SELECT count(*) FROM release.gemeinden") == [(631,)]
        eisenach = "SELECT ags, kreis, in_befragung FROM release.gemeinden WHERE gemeinde = 'Eisenach'"
        assert rows(con, eisenach) == [(EISENACH_NEW, "Wartburgkreis", True)]


def test_the_municipalities_are_one_gap_free_coverage_with_the_outline_of_the_land(
    thuringia: duckdb.DuckDBPyConnection,
) -> None:
    municipalities = shapes_of(thuringia, "gemeinde")
    assert shapely.is_valid(municipalities).all()
    assert shapely.coverage_is_valid(municipalities)
    (outline,) = shapes(thuringia, "SELECT geometry FROM input.boundaries WHERE ebene = 'land'")
    united = shapely.coverage_union_all(municipalities)
    assert shapely.area(shapely.symmetric_difference(united, outline)) < 1.0, "less than a square metre"
    assert len(shapes_of(thuringia, "kreis")) == 23


def test_the_land_has_one_true_hole(thuringia: duckdb.DuckDBPyConnection) -> None:
    (land,) = shapes_of(thuringia, "land")
    holes = [shapely.Polygon(ring).area for part in shapely.get_parts(land) for ring in part.interiors]
    assert [round(area / 1e6, 2) for area in holes] == [0.17]


def test_names_and_associations_are_those_of_the_register(thuringia: duckdb.DuckDBPyConnection) -> None:
    columns = "ags, ars, gemeinde_amtlich, textkennzeichen, verband_ars, verband, verband_kennzeichen, flaeche_km2"
    register = rows(thuringia, f"SELECT {columns} FROM input.register ORDER BY ags")
    assert rows(thuringia, f"SELECT {columns} FROM release.gemeinden ORDER BY ags") == register
    assert len(register) == 634


def test_areas_of_the_map_are_those_of_the_register_within_half_a_percent(thuringia: duckdb.DuckDBPyConnection) -> None:
    query = (
        "SELECT median(abs(g.flaeche_m2 / 1e6 / r.flaeche_km2 - 1)) FROM joined.map_areas g "
        "JOIN input.register r ON r.ags = g.schluessel WHERE g.ebene = 'gemeinde'"
    )
    ((median,),) = rows(thuringia, query)
    assert median == pytest.approx(0.005, abs=0.001)


def test_population_before_the_changes_is_population_after_them(thuringia: duckdb.DuckDBPyConnection) -> None:
    query = (
        "SELECT sum(einwohner) FROM input.population WHERE einwohner_stand = DATE '2018-12-31' "
        "GROUP BY gebietsstand ORDER BY gebietsstand"
    )
    before, after = rows(thuringia, query)
    assert before == after == rows(thuringia, "SELECT sum(einwohner) FROM release.gemeinden")[0]
    assert rows(thuringia, "SELECT einwohner FROM release.land") == [before]


@pytest.mark.parametrize(
    ("day", "key"), [(date(2020, 6, 30), EISENACH), (date(2022, 12, 31), EISENACH_NEW)], ids=["old map", "new map"]
)
def test_a_record_of_eisenach_lands_in_the_same_polygon_with_either_key(
    loaded: Run, tmp_path: Path, day: date, key: str
) -> None:
    run = copy_of(loaded, tmp_path, territory_date=day)
    with open_database(run.database) as con:
        con.execute(
            "INSERT INTO input.committees BY NAME SELECT * FROM (VALUES "
            f"(98, 'alt', 'Rat', 'praeventionsrat', '{EISENACH}', DATE '2020-12-31'), "
            f"(99, 'neu', 'Rat', 'praeventionsrat', '{EISENACH_NEW}', DATE '2021-12-31')) "
            "AS records (zeile, gremium_id, name, art, ags, ags_stand)"
        )
    join(run)
    with open_database(run.database) as con:
        places = "SELECT gremium_id, ags FROM joined.committee_places WHERE gremium_id IN ('alt', 'neu') ORDER BY ALL"
        assert rows(con, places) == [("alt", key), ("neu", key)]
        points = shapes(con, "SELECT geometry FROM joined.committee_points WHERE gremium_id IN ('alt', 'neu')")
        (land,) = shapes(con, f"SELECT geometry FROM input.boundaries WHERE schluessel = '{EISENACH}'")
    assert len(points) == 2
    assert shapely.contains(land, points).all()


# --- survey --------------------------------------------------------------------------------------------------------


def test_the_frame_is_the_36_towns(thuringia: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT ags, gemeinde, einwohner FROM release.befragung_rahmen"
    assert {ags: (name, population) for ags, name, population in rows(thuringia, query)} == TOWNS
    smallest = sorted(TOWNS.values(), key=lambda town: town[1])[:3]
    assert smallest == [("Meuselwitz", 10_065), ("Bad Frankenhausen/Kyffhäuser", 10_230), ("Bleicherode", 10_419)]


def test_six_towns_of_the_frame_administer_neighbours(thuringia: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT gemeinde FROM release.befragung_rahmen WHERE verband_kennzeichen = '58' ORDER BY gemeinde"
    names = ["Bad Salzungen", "Bleicherode", "Eisenberg", "Meiningen", "Schmölln", "Zeulenroda-Triebes"]
    assert [name for (name,) in rows(thuringia, query)] == names


def test_the_default_output_states_no_answer_of_any_town(thuringia: duckdb.DuckDBPyConnection) -> None:
    answers = "SELECT DISTINCT befragung_status, antwort_durch, antwort_gremien FROM release.befragung_rahmen"
    assert rows(thuringia, answers) == [("nicht_veroeffentlicht", None, None)]
    by_town = "SELECT befragung_status, count(*) FROM release.gemeinden GROUP BY 1 ORDER BY 1"
    assert rows(thuringia, by_town) == [("nicht_befragt", 598), ("nicht_veroeffentlicht", 36)]
    assert rows(thuringia, "SELECT count(*) FROM input.survey_responses") == [(0,)]


def test_the_default_output_gives_only_published_and_recomputed_figures(thuringia: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT kennzahl, herkunft, wert FROM release.befragung_kennzahlen ORDER BY ALL"
    assert rows(thuringia, query) == [
        ("antwortende", "veroeffentlicht", 24),
        ("antwortende_mit_aktivem_gremium", "veroeffentlicht", None),
        ("befragte_staedte", "veroeffentlicht", 36),
        ("rahmen_staedte", "nachgerechnet", 36),
    ]
    assert "erschlossen" in str(
        rows(thuringia, "SELECT hinweis FROM release.befragung_kennzahlen WHERE kennzahl = 'rahmen_staedte'")
    )


def test_nothing_in_the_default_output_is_synthetic(thuringia: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    for dataset in read_datasets(thuringia, tmp_path / "teile", synthetic=False):
        assert dataset.table.num_rows
        assert "synthetisch" not in dataset.table.column_names
        assert "synthetisch" not in str(dataset.table.to_pylist()).lower()


def test_every_record_of_the_demonstration_says_that_it_is_synthetic(
    demo: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for dataset in read_datasets(demo, tmp_path / "teile", load_profile(GEODATA, "demo").synthetic):
        assert dataset.contract.column_names[-1] == "synthetisch"
        assert set(dataset.table.column("synthetisch").to_pylist()) == {SYNTHETIC_MARK}, dataset.contract.name


def test_the_demonstration_reproduces_the_published_totals(demo: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT kennzahl, wert FROM release.befragung_kennzahlen WHERE herkunft = 'berechnet' ORDER BY ALL"
    assert rows(demo, query) == [
        ("abgedeckte_staedte", 23),
        ("antwortende", 24),
        ("antwortende_mit_aktivem_gremium", 9),
    ]
    assert rows(demo, "SELECT count(*) FROM release.befragung_rahmen") == [(36,)]
    associations = rows(demo, "SELECT count(*) FROM input.survey_responses WHERE geantwortet AND length(einheit) = 9")
    assert associations == [(4,)]
    by_status = "SELECT befragung_status, count(*) FROM release.befragung_rahmen GROUP BY 1 ORDER BY 1"
    assert rows(demo, by_status) == [("geantwortet", 23), ("nicht_geantwortet", 13)]


# --- committees ----------------------------------------------------------------------------------------------------


def test_20_bodies_in_14_municipalities_rest_on_37_of_the_53_pieces_of_evidence(
    thuringia: duckdb.DuckDBPyConnection,
) -> None:
    assert rows(thuringia, "SELECT count(*), count(DISTINCT ags) FROM release.gremien") == [(20, 14)]
    assert rows(thuringia, "SELECT count(*) FROM release.gemeinden WHERE gremien_bekannt > 0") == [(14,)]
    assert rows(thuringia, "SELECT count(*) FROM release.gremien_belege") == [(37,)]
    by_kind = rows(thuringia, "SELECT art, count(*) FROM release.hinweise GROUP BY 1 ORDER BY 1")
    assert by_kind == [("einmalig", 4), ("kontext", 6), ("vorschlag", 6)]


STATES = {
    # newest dated evidence decides, and its date goes with it
    "nordhausen-kriminalpraeventiver-rat": ("aktiv", "2024-08-21"),
    "weimar-kriminalpraeventiver-rat": ("aktiv", "2008-03-06"),
    "altenburg-kriminalpraeventiver-rat": ("aktiv", "2026-02"),
    # dated evidence that shows no status
    "gerstungen-sicherheitspartnerschaft": ("unklar", "2015-07-08"),
    # undated evidence alone
    "eisenach-treff-sicherheit": ("stand_unbekannt", None),
    "erfurt-ag-suchtpraevention": ("stand_unbekannt", None),
    "meuselwitz-kommunalpraeventiver-rat": ("stand_unbekannt", None),
}


@pytest.mark.parametrize(("committee", "state"), STATES.items())
def test_the_state_of_a_committee_is_what_its_evidence_shows(
    thuringia: duckdb.DuckDBPyConnection, committee: str, state: tuple[str, str | None]
) -> None:
    query = "SELECT status, status_stand FROM release.gremien WHERE gremium_id = $1"
    assert thuringia.execute(query, [committee]).fetchall() == [state]


def test_exactly_the_undated_committees_have_an_unknown_state(thuringia: duckdb.DuckDBPyConnection) -> None:
    unknown = {name for name, (status, _) in STATES.items() if status == "stand_unbekannt"}
    query = "SELECT gremium_id FROM release.gremien WHERE status = 'stand_unbekannt' OR status_stand IS NULL"
    assert {name for (name,) in rows(thuringia, query)} == unknown


def test_nordhausen_was_dormant_before_it_was_active(thuringia: duckdb.DuckDBPyConnection) -> None:
    query = (
        "SELECT DISTINCT left(belegt_am, 4), status FROM release.gremien_belege "
        "WHERE gremium_id = 'nordhausen-kriminalpraeventiver-rat' ORDER BY ALL"
    )
    assert rows(thuringia, query) == [("2017", "ruhend"), ("2022", "aktiv"), ("2024", "aktiv")]


def test_the_two_records_of_meuselwitz_point_at_each_other_and_stay_two(thuringia: duckdb.DuckDBPyConnection) -> None:
    query = (
        "SELECT gremium_id, evtl_identisch_mit FROM release.gremien WHERE evtl_identisch_mit IS NOT NULL ORDER BY ALL"
    )
    pair = ("meuselwitz-kommunalpraeventiver-rat", "meuselwitz-runder-tisch")
    assert rows(thuringia, query) == [pair, pair[::-1]]


def test_every_committee_stands_at_a_point_of_its_own_in_its_municipality(thuringia: duckdb.DuckDBPyConnection) -> None:
    table = thuringia.execute(
        "SELECT p.geometry, g.geometry AS gemeinde FROM joined.committee_points p "
        "JOIN release.gremien r USING (gremium_id) "
        "JOIN joined.map_geometry g ON g.ebene = 'gemeinde' AND g.schluessel = r.ags"
    ).to_arrow_table()
    points = geometry.from_table(table.select(["geometry"]))
    areas = geometry.from_table(table.select(["gemeinde"]).rename_columns(["geometry"]))
    assert shapely.contains_properly(areas, points).all()
    assert len(np.unique(shapely.get_coordinates(points), axis=0)) == 20


def test_monitoring_is_germany_wide_only(thuringia: duckdb.DuckDBPyConnection) -> None:
    assert rows(thuringia, "SELECT DISTINCT gebiet FROM release.monitoring") == [("Deutschland",)]


def test_the_change_of_herrnschwende_is_the_corrected_one() -> None:
    with (GEODATA / "thueringen" / "municipal_changes.csv").open(encoding="utf-8", newline="") as stream:
        changes = [(row["gemeinde_alt"], row["gemeinde_neu"]) for row in csv.DictReader(stream)]
    assert ("Herrnschwende", "Weißensee, Stadt") in changes
