"""The survey: who was asked by our recomputation, and what is known of the answers (truth rules 1, 2 and 4)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from conftest import KLEINLAND, profile_of

from flows.errors import Refused
from flows.stages import INPUT_STAGES, Outcome

Joined = Callable[..., duckdb.DuckDBPyConnection]
Make = Callable[..., Path]

HEADER = "einheit,eingegangen_am,geantwortet,gremien,themen,mitglieder,turnus,unterstuetzungsbedarf"
RESPONSES = """extends = "kleinland"
[sources]
survey_responses_2020 = "../kleinland/survey_responses_2020.csv"
"""
ALDORF, EICHEN, EICHEN_ASSOCIATION = "99001001", "99001005", "990015005"


def with_responses(*rows: str) -> dict[str, str]:
    """An overlay with a response file of the wave 2020."""
    return {"profile.toml": RESPONSES, "survey_responses_2020.csv": "\n".join([HEADER, *rows, ""])}


def reply(unit: str, committees: str = "") -> str:
    """A row of a respondent that answered."""
    return f"{unit},2020-06-10,ja,{committees},,,,"


def silence(unit: str) -> str:
    """A row of a unit that did not answer."""
    return f"{unit},,nein,,,,,"


def frame(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, str | None, str | None]]:
    """What is public of each surveyed town's answer: (befragung_status, antwort_durch, antwort_gremien) by key."""
    columns = "ags, befragung_status, antwort_durch, antwort_gremien"
    rows = con.execute(f"SELECT {columns} FROM release.befragung_rahmen").fetchall()
    return {ags: (status, by, committees) for ags, status, by, committees in rows}


def figures(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int | None]:
    """The headline figures by (kennzahl, herkunft)."""
    rows = con.execute("SELECT kennzahl, herkunft, wert FROM release.befragung_kennzahlen").fetchall()
    return {(name, origin): value for name, origin, value in rows}


def test_the_frame_holds_the_towns_of_the_minimum_size_on_the_waves_territory(
    database: duckdb.DuckDBPyConnection,
) -> None:
    rows = database.execute(
        "SELECT ags, gemeinde, einwohner, gebietsstand::VARCHAR FROM release.befragung_rahmen ORDER BY ags"
    )
    assert rows.fetchall() == [(ALDORF, "Aldorf", 1500, "2020-06-30"), (EICHEN, "Eichen", 1200, "2020-06-30")]


def test_a_municipality_that_is_no_town_is_not_asked_however_large(database: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT einwohner, in_befragung, befragung_status FROM release.gemeinden WHERE gemeinde = $1"
    assert database.execute(query, ["Flur"]).fetchall() == [(2000, False, "nicht_befragt")]
    assert database.execute(query, ["Ilmen"]).fetchall() == [(900, False, "nicht_befragt")]


def test_at_least_the_minimum_counts(make_geodata: Make, join_profile: Joined) -> None:
    header, wave = (KLEINLAND / "survey_waves.csv").read_text(encoding="utf-8").splitlines()
    towns_by_minimum = {1501: 0, 1201: 1, 1200: 2, 901: 2, 900: 3}
    waves = [
        wave.replace("2020,B", f"{minimum:04},B").replace(",1000,", f",{minimum},") for minimum in towns_by_minimum
    ]
    con = join_profile(profile_of(make_geodata({"survey_waves.csv": "\n".join([header, *waves, ""])})))
    query = (
        "SELECT w.mindestgroesse, count(f.ags) FROM input.survey_waves w "
        "LEFT JOIN joined.survey_frame f USING (welle) GROUP BY w.mindestgroesse"
    )
    assert dict(con.execute(query).fetchall()) == towns_by_minimum


def test_without_a_response_file_nobodys_answer_is_public(database: duckdb.DuckDBPyConnection) -> None:
    unpublished = ("nicht_veroeffentlicht", None, None)
    assert frame(database) == {ALDORF: unpublished, EICHEN: unpublished}
    found = database.execute("SELECT DISTINCT befragung_status FROM release.gemeinden ORDER BY ALL").fetchall()
    assert found == [("nicht_befragt",), ("nicht_veroeffentlicht",)]


def test_without_a_response_file_only_published_and_recomputed_figures_are_given(
    database: duckdb.DuckDBPyConnection,
) -> None:
    assert figures(database) == {
        ("befragte_staedte", "veroeffentlicht"): 2,
        ("antwortende", "veroeffentlicht"): 1,
        ("antwortende_mit_aktivem_gremium", "veroeffentlicht"): None,
        ("rahmen_staedte", "nachgerechnet"): 2,
    }
    wording = database.execute(
        "SELECT wortlaut FROM release.befragung_kennzahlen WHERE wortlaut IS NOT NULL"
    ).fetchall()
    assert wording == [("Mehr als die Hälfte der antwortenden Stellen hatte ein aktives Präventionsgremium.",)]


def test_a_reply_of_an_association_covers_the_surveyed_towns_in_it(make_geodata: Make, join_profile: Joined) -> None:
    con = join_profile(profile_of(make_geodata(with_responses(reply(EICHEN_ASSOCIATION, "aktiv"), silence(ALDORF)))))
    assert frame(con) == {
        ALDORF: ("nicht_geantwortet", None, None),
        EICHEN: ("geantwortet", "verband", "aktiv"),
    }
    gronau = con.execute("SELECT befragung_status FROM release.gemeinden WHERE gemeinde = 'Gronau'").fetchall()
    assert gronau == [("nicht_befragt",)], "a member of the association that was not surveyed stays so"


def test_a_town_and_its_association_are_two_respondents_and_one_covered_town(
    make_geodata: Make, join_profile: Joined
) -> None:
    both = with_responses(reply(EICHEN, "keine"), reply(EICHEN_ASSOCIATION, "aktiv"))
    con = join_profile(profile_of(make_geodata(both)))
    found = figures(con)
    assert found["antwortende", "berechnet"] == 2
    assert found["abgedeckte_staedte", "berechnet"] == 1
    assert found["antwortende_mit_aktivem_gremium", "berechnet"] == 1
    assert frame(con)[EICHEN] == ("geantwortet", "beide", "keine"), "the town's own statement comes first"


def test_where_the_town_states_nothing_its_association_speaks_for_it(make_geodata: Make, join_profile: Joined) -> None:
    responses = with_responses(reply(EICHEN), reply(EICHEN_ASSOCIATION, "ruhend"))
    assert frame(join_profile(profile_of(make_geodata(responses))))[EICHEN] == ("geantwortet", "beide", "ruhend")


def test_a_town_that_the_file_does_not_name_has_not_answered(make_geodata: Make, join_profile: Joined) -> None:
    con = join_profile(profile_of(make_geodata(with_responses(reply(ALDORF, "aktiv")))))
    assert frame(con)[EICHEN] == ("nicht_geantwortet", None, None)
    found = con.execute(
        "SELECT ags, befragung_status FROM release.gemeinden WHERE in_befragung ORDER BY ags"
    ).fetchall()
    assert found == [(ALDORF, "geantwortet"), (EICHEN, "nicht_geantwortet")]


def test_answers_to_questions_stay_out_of_the_public_tables(make_geodata: Make, join_profile: Joined) -> None:
    row = f"{ALDORF},2020-06-10,ja,aktiv,alkohol;diebstahl,polizei_land,jaehrlich,ja"
    con = join_profile(profile_of(make_geodata(with_responses(row))))
    assert con.execute("SELECT frage, antwort FROM input.survey_answers ORDER BY frage").fetchall() == [
        ("mitglieder", "polizei_land"),
        ("themen", "alkohol;diebstahl"),
        ("turnus", "jaehrlich"),
        ("unterstuetzungsbedarf", "ja"),
    ]
    columns = con.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'release'"
    ).fetchall()
    assert ("unterstuetzungsbedarf",) not in columns
    assert con.execute("SELECT themen FROM release.gremien WHERE themen LIKE '%alkohol%'").fetchall() == []


@pytest.mark.slow
def test_replies_that_agree_with_the_published_figures_are_accepted(
    make_geodata: Make, release: Callable[..., Outcome], outputs: Path
) -> None:
    geodata = make_geodata(with_responses(reply(EICHEN_ASSOCIATION, "aktiv"), silence(ALDORF)))
    assert release(geodata, outputs, stages=INPUT_STAGES).reports["check"].notes


@pytest.mark.slow
def test_replies_that_contradict_the_published_statement_are_refused(
    make_geodata: Make, release: Callable[..., Outcome], outputs: Path
) -> None:
    geodata = make_geodata(with_responses(reply(EICHEN_ASSOCIATION, "ruhend")))
    with pytest.raises(Refused, match="melden 0 von 1 antwortenden Stellen ein aktives Gremium"):
        release(geodata, outputs, stages=INPUT_STAGES)


def test_a_survey_says_nothing_of_committee_records(
    make_geodata: Make, join_profile: Joined, database: duckdb.DuckDBPyConnection
) -> None:
    answered = join_profile(profile_of(make_geodata(with_responses(reply(ALDORF, "keine"), reply(EICHEN, "keine")))))
    for query in (
        "FROM release.gremien ORDER BY ALL",
        "SELECT COLUMNS('gremien_.*') FROM release.gemeinden ORDER BY ags",
        "FROM release.monitoring ORDER BY ALL",
    ):
        assert answered.execute(query).fetchall() == database.execute(query).fetchall()


def test_monitoring_figures_keep_wave_base_and_area(database: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT welle, bezug, wert, gebiet, zeitraum_von, zeitraum_bis FROM release.monitoring"
    found = database.execute(query).fetchall()
    assert found == [(5, "befragte_amtspersonen", 38.5, "Deutschland", "2023-05", "2023-10")]
