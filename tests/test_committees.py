"""Committees: what their evidence says of them, and no more (truth rules 3 to 5)."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import openpyxl
import pytest
from conftest import KLEINLAND, profile_of

from flows import geometry
from flows.database import sql_files
from flows.errors import Refused
from flows.stages import INPUT_STAGES, Outcome
from flows.tables import read_table

Joined = Callable[..., duckdb.DuckDBPyConnection]
Evidence = tuple[str | None, str | None]


@pytest.fixture(scope="module")
def states() -> Iterator[Callable[..., dict[str, object]]]:
    """The state that the join derives for one committee from (date, status) pairs of evidence."""
    with duckdb.connect() as con:
        for schema in ("input", "staging"):
            con.execute(f"CREATE SCHEMA {schema}")
        con.execute("CREATE TABLE input.committees AS SELECT 'rat' AS gremium_id")
        con.execute(
            "CREATE TABLE input.evidence "
            "(gremium_id VARCHAR, beleg_id VARCHAR, url VARCHAR, belegt_am VARCHAR, status VARCHAR)"
        )
        con.execute(f"CREATE VIEW staging.evidence_periods AS {sql_files('staging')['staging.evidence_periods']}")

        def state(*evidence: Evidence) -> dict[str, object]:
            con.execute("DELETE FROM input.evidence")
            for number, (day, status) in enumerate(evidence, start=1):
                row = ["rat", f"beleg-{number}", f"https://rat.example/{number}", day, status]
                con.execute("INSERT INTO input.evidence VALUES ($1, $2, $3, $4, $5)", row)
            (row,) = con.execute(sql_files("joined")["joined.committee_status"]).to_arrow_table().to_pylist()
            return dict(row)

        yield state


@pytest.mark.parametrize(
    ("evidence", "status", "stand"),
    [
        pytest.param([("2017-03-02", "ruhend"), ("2024-08-21", "aktiv")], "aktiv", "2024-08-21", id="newest"),
        pytest.param([("2024-08-21", "aktiv"), ("2017-03-02", "ruhend")], "aktiv", "2024-08-21", id="in any order"),
        pytest.param([("2024", "aktiv"), (None, "aufgeloest")], "aktiv", "2024", id="undated never counts"),
        pytest.param([(None, "aktiv"), (None, "aktiv")], "stand_unbekannt", None, id="undated alone"),
        pytest.param([(None, None)], "stand_unbekannt", None, id="undated without status"),
        pytest.param([("2015-07-08", None)], "unklar", "2015-07-08", id="dated without status"),
        pytest.param([("2023", None), ("2020-01", "aktiv")], "aktiv", "2020-01", id="newest that shows one"),
        pytest.param([("2023-11", "aktiv"), ("2023-11-20", "aufgeloest")], "unklar", "2023-11-20", id="same time"),
        pytest.param([("2023", "aktiv"), ("2023-11-20", "aktiv")], "aktiv", "2023-11-20", id="same time, agreed"),
        pytest.param([("2023-10-31", "ruhend"), ("2023-11", "aktiv")], "aktiv", "2023-11", id="month after a day"),
        pytest.param([("2023-11-01", "ruhend"), ("2023-11", "aktiv")], "unklar", "2023-11-01", id="day in the month"),
        pytest.param([("2022", "ruhend"), ("2023", "aktiv")], "aktiv", "2023", id="years"),
        pytest.param([("2024-02", "aktiv"), ("2024-02-29", "ruhend")], "unklar", "2024-02-29", id="leap day"),
    ],
)
def test_the_state_is_that_of_the_newest_dated_evidence(
    states: Callable[..., dict[str, object]], evidence: list[Evidence], status: str, stand: str | None
) -> None:
    found = states(*evidence)
    assert (found["status"], found["status_stand"]) == (status, stand)


@pytest.mark.parametrize(
    ("day", "precision"), [("2024-08-21", "tag"), ("2024-08", "monat"), ("2024", "jahr"), (None, "unbekannt")]
)
def test_a_state_is_as_precise_as_its_evidence(
    states: Callable[..., dict[str, object]], day: str | None, precision: str
) -> None:
    assert states((day, "aktiv"))["status_stand_genauigkeit"] == precision


def test_a_state_names_the_evidence_that_it_rests_on(states: Callable[..., dict[str, object]]) -> None:
    found = states(("2017", "ruhend"), ("2024-08-21", "aktiv"), (None, "aktiv"))
    assert (found["status_beleg_id"], found["status_beleg_url"]) == ("beleg-2", "https://rat.example/2")
    undated = states((None, "aktiv"))
    assert (undated["status_beleg_id"], undated["status_beleg_url"]) == (None, None)


def committees(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, object]]:
    """The public records of committees by their id."""
    rows = con.execute("SELECT * FROM release.gremien").to_arrow_table().to_pylist()
    return {row["gremium_id"]: row for row in rows}


def test_every_status_has_a_date_or_says_that_it_has_none(database: duckdb.DuckDBPyConnection) -> None:
    found = committees(database)
    assert {name: (row["status"], row["status_stand"]) for name, row in found.items()} == {
        "aldorf-praeventionsrat": ("aktiv", "2024-08-21"),
        "aldorf-ag-bahnhof": ("unklar", "2021"),
        "eichen-runder-tisch": ("aktiv", "2022-05"),
        "eichen-ordnungspartnerschaft": ("stand_unbekannt", None),
        "ilmen-runder-tisch": ("aktiv", "2020-02-03"),
        "ilmen-praeventionsrat": ("unklar", "2023-11-20"),
    }


def test_topics_and_members_are_those_named_in_any_evidence(database: duckdb.DuckDBPyConnection) -> None:
    rat = committees(database)["aldorf-praeventionsrat"]
    assert rat["mitglieder"] == "kirchen;polizei_land;schulen"
    assert rat["themen"] == "einbruchschutz;vandalismus_graffiti"
    assert rat["belege_anzahl"] == 3
    assert committees(database)["eichen-ordnungspartnerschaft"]["themen"] is None


def test_chair_and_frequency_carry_the_date_of_their_evidence(database: duckdb.DuckDBPyConnection) -> None:
    found = committees(database)
    rat = found["aldorf-praeventionsrat"]
    assert (rat["vorsitz"], rat["vorsitz_stand"]) == ("buergermeister", "2024-08-21")
    assert (rat["turnus"], rat["turnus_stand"]) == ("jaehrlich", "2024-08-21")
    assert found["eichen-runder-tisch"]["turnus_stand"] == "2022-05"
    assert found["ilmen-runder-tisch"]["vorsitz"] is None


def counts(con: duckdb.DuckDBPyConnection, ags: str) -> dict[str, object]:
    """What the map says of the committees of a municipality."""
    query = "SELECT COLUMNS('gremien_.*|status_stand_.*') FROM release.gemeinden WHERE ags = $1"
    (row,) = con.execute(query, [ags]).to_arrow_table().to_pylist()
    return dict(row)


def test_a_municipality_counts_its_committees_by_group_and_state(database: duckdb.DuckDBPyConnection) -> None:
    aldorf = counts(database, "99001001")
    assert (aldorf["gremien_bekannt"], aldorf["gremien_raete"], aldorf["gremien_weitere"]) == (2, 1, 1)
    assert (aldorf["gremien_aktiv"], aldorf["gremien_unklar"], aldorf["gremien_ruhend"]) == (1, 1, 0)
    assert (aldorf["status_stand_aeltester"], aldorf["status_stand_neuester"]) == ("2021", "2024-08-21")
    eichen = counts(database, "99001005")
    assert (eichen["gremien_aktiv"], eichen["gremien_stand_unbekannt"]) == (1, 1)


def test_states_add_up_to_the_known_committees_everywhere(database: duckdb.DuckDBPyConnection) -> None:
    states = " + ".join(
        f"gremien_{code}"
        for (code,) in database.execute("SELECT code FROM meta.codes WHERE liste = 'gremium_status'").fetchall()
    )
    groups = "gremien_raete + gremien_weitere"
    query = f"SELECT count(*) FROM release.gemeinden WHERE gremien_bekannt <> {states} OR gremien_bekannt <> {groups}"
    assert database.execute(query).fetchall() == [(0,)]
    assert states.count("+") == 6


def test_nothing_known_is_a_zero_without_date(database: duckdb.DuckDBPyConnection) -> None:
    flur = counts(database, "99002001")
    assert {value for name, value in flur.items() if name.startswith("gremien_")} == {0}
    assert (flur["status_stand_aeltester"], flur["status_stand_neuester"]) == (None, None)


def test_towns_that_share_a_committee_both_have_it_and_it_has_one_point(database: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT ags FROM release.gremien_gemeinden WHERE gremium_id = 'eichen-runder-tisch' ORDER BY ags"
    assert database.execute(query).fetchall() == [("99001005",), ("99001006",)]
    shared = committees(database)["eichen-runder-tisch"]
    assert (shared["ags"], shared["gemeinden_anzahl"], shared["lage"]) == ("99001005", 2, "symbolisch")
    assert counts(database, "99001006")["gremien_bekannt"] == 1
    assert database.execute("SELECT count(*), count(DISTINCT gremium_id) FROM joined.committee_points").fetchall() == [
        (6, 6)
    ]
    assert database.execute("SELECT gremien_bekannt FROM release.kreise ORDER BY kreis_schluessel").fetchall() == [
        (4,),
        (2,),
    ]


def test_every_point_lies_in_its_municipality(database: duckdb.DuckDBPyConnection) -> None:
    table = database.execute(
        "SELECT p.geometry AS geometry, g.geometry AS gemeinde FROM joined.committee_points p "
        "JOIN release.gremien r USING (gremium_id) "
        "JOIN joined.map_geometry g ON g.ebene = 'gemeinde' AND g.schluessel = r.ags ORDER BY p.gremium_id"
    ).to_arrow_table()
    points = geometry.from_table(table.select(["geometry"]))
    areas = geometry.from_table(table.select(["gemeinde"]).rename_columns(["geometry"]))
    assert [area.contains(point) for area, point in zip(areas, points, strict=True)] == [True] * 6


def test_records_that_may_be_one_body_stay_two_and_are_flagged_both_ways(database: duckdb.DuckDBPyConnection) -> None:
    found = committees(database)
    assert found["ilmen-runder-tisch"]["evtl_identisch_mit"] == "ilmen-praeventionsrat"
    assert found["ilmen-praeventionsrat"]["evtl_identisch_mit"] == "ilmen-runder-tisch"
    ilmen = counts(database, "99002002")
    assert (ilmen["gremien_bekannt"], ilmen["gremien_evtl_identisch"]) == (2, 2)


def test_proposals_and_meetings_are_hints_and_never_counted(database: duckdb.DuckDBPyConnection) -> None:
    hints = database.execute(
        "SELECT art, gemeinde, datum_genauigkeit FROM release.hinweise ORDER BY hinweis_id"
    ).fetchall()
    assert hints == [("vorschlag", "Aldorf", "monat"), ("einmalig", "Gronau", "unbekannt")]
    assert database.execute("SELECT sum(gremien_bekannt) FROM release.gemeinden").fetchall() == [(7,)]


def workbook(*names: str) -> bytes:
    """An Excel workbook as an office would keep it: one sheet per table, years as numbers, days as dates."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in names:
        table = read_table(KLEINLAND / f"{name}.csv", None, name)
        sheet = book.create_sheet(name)
        sheet.append(table.columns)
        for row in table.rows:
            cells: list[object] = list(row)
            for index, (column, text) in enumerate(zip(table.columns, row, strict=True)):
                if text and column == "gegruendet_jahr":
                    cells[index] = int(text)
                elif text and column in ("ags_stand", "belegt_am", "datum") and len(text) == 10:
                    cells[index] = date.fromisoformat(text)
            sheet.append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_the_office_may_keep_its_tables_in_one_workbook(
    make_geodata: Callable[..., Path], database: duckdb.DuckDBPyConnection, join_profile: Joined
) -> None:
    settings = 'extends = "kleinland"\n[sources]\n' + "".join(
        f'{name} = "../kleinland/gremien.xlsx#{name}"\n' for name in ("committees", "evidence", "hints")
    )
    overlay = {"profile.toml": settings, "gremien.xlsx": workbook("evidence", "committees", "hints")}
    con = join_profile(profile_of(make_geodata(overlay)))
    for relation in ("gremien", "gremien_gemeinden", "gremien_belege", "hinweise"):
        query = f"FROM release.{relation} ORDER BY ALL"
        assert con.execute(query).fetchall() == database.execute(query).fetchall()


def test_a_sheet_that_the_workbook_lacks_is_named(
    make_geodata: Callable[..., Path], release: Callable[..., Outcome], outputs: Path
) -> None:
    settings = 'extends = "kleinland"\n[sources]\ncommittees = "../kleinland/gremien.xlsx#Gremien"\n'
    geodata = make_geodata({"profile.toml": settings, "gremien.xlsx": workbook("committees", "evidence")})
    with pytest.raises(
        Refused, match=r"gremien\.xlsx \[Gremien\]: das Blatt „Gremien“ fehlt; vorhanden: committees, evidence\."
    ):
        release(geodata, outputs, stages=INPUT_STAGES)


def test_committees_may_be_absent_altogether(make_geodata: Callable[..., Path], join_profile: Joined) -> None:
    settings = 'extends = "kleinland"\n[sources]\ncommittees = ""\nevidence = ""\nhints = ""\n'
    con = join_profile(profile_of(make_geodata({"profile.toml": settings})))
    assert con.execute("SELECT count(*) FROM release.gremien").fetchall() == [(0,)]
    # Nobody can say that somebody looked.
    for level in ("gemeinden", "kreise", "land"):
        assert con.execute(f"SELECT DISTINCT gremien_bekannt FROM release.{level}").fetchall() == [(None,)]


@pytest.mark.slow
def test_evidence_newer_than_the_release_is_refused(
    geodata: Path, release: Callable[..., Outcome], outputs: Path
) -> None:
    with pytest.raises(Refused, match="das Datum liegt nach dem Tag der Ausgabe"):
        release(geodata, outputs, day=date(2024, 8, 20), stages=INPUT_STAGES)
