"""A map of several Länder of which not all are known equally well: nothing is said of one that holds for another."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest
from conftest import KLEINLAND, profile_of
from two_lands import NEIGHBOUR, two_lands

from flows.metadata.text import coverage_rules, land_names, territory_text
from flows.profile import Profile
from flows.stages import Outcome

ALDORF = "99001001"


@pytest.fixture
def both(make_geodata: Callable[..., Path]) -> Profile:
    """The profile of Kleinland and its neighbour."""
    return profile_of(make_geodata(two_lands()))


@pytest.fixture
def joined(both: Profile, join_profile: Callable[..., duckdb.DuckDBPyConnection]) -> duckdb.DuckDBPyConnection:
    return join_profile(both)


def test_each_municipality_is_of_the_day_to_which_its_land_is_known(joined: duckdb.DuckDBPyConnection) -> None:
    days = joined.execute("SELECT DISTINCT left(ags, 2), gebietsstand FROM release.gemeinden ORDER BY 1").fetchall()
    assert days == [(NEIGHBOUR, date(2016, 1, 1)), ("99", date(2020, 6, 30))]
    for relation, key in (("kreise", "kreis_schluessel"), ("land", "land_schluessel")):
        found = joined.execute(f"SELECT DISTINCT left({key}, 2), gebietsstand FROM release.{relation} ORDER BY 1")
        assert found.fetchall() == days


def test_of_a_land_without_register_only_the_boundaries_speak(joined: duckdb.DuckDBPyConnection) -> None:
    found = joined.execute(
        "SELECT ags, ars, gemeinde, gemeinde_amtlich, textkennzeichen, verband, einwohner, einwohner_stand, "
        "flaeche_herkunft, in_befragung, befragung_status, gremien_bekannt "
        f"FROM release.gemeinden WHERE left(ags, 2) = '{NEIGHBOUR}' ORDER BY ags"
    ).fetchall()
    unknown = (None, None, None, None, "geometrie", False, "nicht_befragt", 0)
    assert len(found) == 10, "all municipalities of the boundary file, though the same ones merged in Kleinland"
    assert found[0] == ("98001001", "980010001001", "Nord-Aldorf", "Nord-Aldorf", *unknown)
    assert {row[4:] for row in found} == {unknown}


def test_totals_of_the_other_land_are_those_that_it_has_alone(
    joined: duckdb.DuckDBPyConnection, database: duckdb.DuckDBPyConnection
) -> None:
    query = "SELECT * FROM release.land WHERE land_schluessel = '99'"
    assert joined.execute(query).fetchall() == database.execute(query).fetchall()
    query = "SELECT * FROM release.gemeinden WHERE left(ags, 2) = '99' ORDER BY ags"
    assert joined.execute(query).fetchall() == database.execute(query).fetchall()


def test_nothing_is_missing_where_nothing_is_known(joined: duckdb.DuckDBPyConnection) -> None:
    for check in ("missing_municipalities", "population_missing", "change_lands"):
        text = (Path(__file__).parents[1] / "sql" / "checks" / f"{check}.sql").read_text(encoding="utf-8")
        assert joined.execute(text).fetchall() == [], check


def test_a_land_whose_changes_are_known_must_be_complete(
    both: Profile, join_profile: Callable[..., duckdb.DuckDBPyConnection]
) -> None:
    con = join_profile(both, changes_lands=(NEIGHBOUR, "99"))
    text = (Path(__file__).parents[1] / "sql" / "checks" / "missing_municipalities.sql").read_text(encoding="utf-8")
    found = {row[3] for row in con.execute(text).fetchall()}
    assert {"98001001", "98002003"} <= found
    assert {key[:2] for key in found} == {NEIGHBOUR}


def test_the_day_of_the_territory_is_said_with_its_land(both: Profile) -> None:
    assert territory_text(both) == "30.06.2020 (99), 01.01.2016 (übrige Länder)"
    assert territory_text(replace(both, lands=("99",))) == "30.06.2020"
    assert territory_text(replace(both, changes_lands=())) == "01.01.2016"
    newest = replace(both, territory_basis="aktuell", territory_date=date(2026, 1, 1))
    assert territory_text(newest) == "01.01.2026"


def test_laender_are_called_by_their_names() -> None:
    assert land_names(["01", "15", "16"]) == "Schleswig-Holstein, Sachsen-Anhalt, Thüringen"


def test_readers_learn_where_nobody_has_looked() -> None:
    def land(name: str, committees: int, towns: int) -> dict[str, object]:
        return {"land": name, "gremien_bekannt": committees, "befragte_staedte": towns}

    assert coverage_rules([land("Kleinland", 3, 2)]) == ()
    assert coverage_rules([land("Kleinland", 3, 0), land("Nachbarland", 0, 0)]) == (
        "Gremien gibt es in dieser Ausgabe nur für Kleinland; für die übrigen Länder enthält sie dazu nichts, und "
        "eine 0 heißt dort nicht, dass gesucht wurde.",
        "Befragungen enthält diese Ausgabe nicht; eine 0 heißt nicht, dass gesucht wurde.",
    )
    assert coverage_rules([land("Kleinland", 3, 2), land("Nachbarland", 0, 0)]) == (
        "Gremien und Befragungen gibt es in dieser Ausgabe nur für Kleinland; für die übrigen Länder enthält sie dazu "
        "nichts, und eine 0 heißt dort nicht, dass gesucht wurde.",
    )


FOREST = "98001002"


def with_forest() -> dict[str, str]:
    """Both Länder; one area of the neighbour is unincorporated, says the boundary file."""
    files = two_lands()
    layer = json.loads(files["layers/gem.geojson"])
    for feature in layer["features"]:
        if feature["properties"]["AGS"] == FOREST:
            feature["properties"]["BEZ"] = "Gemeindefreies Gebiet"
    return files | {"layers/gem.geojson": json.dumps(layer)}


def test_an_unincorporated_area_is_no_municipality(
    make_geodata: Callable[..., Path], join_profile: Callable[..., duckdb.DuckDBPyConnection]
) -> None:
    con = join_profile(profile_of(make_geodata(with_forest())))
    assert con.execute("SELECT ags FROM release.gemeinden WHERE gemeindefrei").fetchall() == [(FOREST,)]
    query = f"SELECT gemeinden_anzahl FROM release.land WHERE land_schluessel = '{NEIGHBOUR}'"
    assert con.execute(query).fetchall() == [(9,)]
    query = f"SELECT gemeinden_anzahl FROM release.kreise WHERE kreis_schluessel = '{FOREST[:5]}'"
    assert con.execute(query).fetchall() == [(6,)]


def test_where_a_register_tells_its_mark_counts(
    make_geodata: Callable[..., Path], join_profile: Callable[..., duckdb.DuckDBPyConnection]
) -> None:
    register = (KLEINLAND / "register.csv").read_text(encoding="utf-8")
    assert register.count(",64,") > 1
    con = join_profile(profile_of(make_geodata({"register.csv": register.replace(",64,", ",66,", 1)})))
    found = con.execute("SELECT textkennzeichen FROM release.gemeinden WHERE gemeindefrei").fetchall()
    assert found == [("66",)]
    assert con.execute("SELECT gemeinden_anzahl FROM release.land").fetchall() == [(6,)]


@pytest.mark.slow
def test_a_release_says_the_days_and_the_gaps_of_both_laender(
    make_geodata: Callable[..., Path], release: Callable[..., Outcome], outputs: Path
) -> None:
    release(make_geodata(with_forest()), outputs)
    latest = outputs / "latest"
    descriptor = json.loads((latest / "datapackage.json").read_text(encoding="utf-8"))
    assert descriptor["gebietsstandJeLand"] == {NEIGHBOUR: "2016-01-01", "99": "2020-06-30"}
    said = "30.06.2020 (99), 01.01.2016 (übrige Länder)"
    for document in ("README.md", "quality.md", "index.html", "methode.html", "gremien.html"):
        assert said in (latest / document).read_text(encoding="utf-8"), document
    gap = "Gremien und Befragungen gibt es in dieser Ausgabe nur für Kleinland"
    for document in ("README.md", "quality.md", "index.html", "methode.html"):
        assert gap in (latest / document).read_text(encoding="utf-8"), document
    for document in ("index.html", "methode.html"):
        text = (latest / document).read_text(encoding="utf-8")
        assert "16 Gemeinden und 1 gemeindefreies Gebiet" in text, document
    page_map = json.loads((latest / "assets" / "karte.json").read_text(encoding="utf-8"))
    forest = page_map["gemeinden"]["ags"].index(FOREST)
    assert page_map["codes"]["gemeinde"][page_map["gemeinden"]["art"][forest]]["name"] == "gemeindefreies Gebiet"
    assert page_map["gemeindefrei"] == 1
