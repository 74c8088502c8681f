"""The map of the newest boundaries: survey, committees and figures find their place on a territory of another day.

Kleinland's own changes are known up to the end of 2023; what comes after is told by the lists of the statistical
office. All products are made in their real shape (``products``) and read by the readers of ``flows.sources``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest
import shapely
from conftest import (
    DAY,
    KLEINLAND,
    LAYERS,
    PROFILE,
    VARIANT,
    build_geodata,
    joined_run,
    loaded_run,
    profile_of,
    write_sidecar,
)
from operating import lean, lean_call
from products import Change, Country, auszug_gv, country_of, gebietsaenderungen, vg250_zip

from flows import geometry
from flows.check import find_all
from flows.contracts import load_contract, release_contracts
from flows.errors import Refused, WrongUsage
from flows.findings import Finding
from flows.paths import GEODATA
from flows.profile import Profile, Source, load_profile, on_basis
from flows.rebuild import rebuild_faults
from flows.run import Run
from flows.sidecar import sidecar_path
from flows.sources.auszug_gv import read_auszug_gv
from flows.sources.converted import write_converted
from flows.sources.gebietsaenderungen import read_gebietsaenderungen
from flows.sources.vg250 import read_vg250
from flows.stages import INPUT_STAGES, STAGES, run_stages, store_of
from flows.store import provenance_of

ALDORF, GRONAU, NEUDORNA, EICHEN_OLD, EICHEN = "99001001", "99001006", "99001010", "99001005", "99002005"
FLUR, ILMEN, HAINAU, EICHEN_NEW = "99002001", "99002002", "99002003", "99001020"
NEW_YEAR, LATER = date(2026, 1, 1), date(2025, 12, 31)

Open = Callable[..., duckdb.DuckDBPyConnection]
Examined = tuple[dict[str, list[str]], duckdb.DuckDBPyConnection]


@pytest.fixture(scope="module")
def known(geodata: Path, tmp_path_factory: pytest.TempPathFactory) -> Country:
    """Kleinland after the last change that its own table knows: Hainau is split between Flur and Ilmen."""
    run = joined_run(
        load_profile(geodata, PROFILE), tmp_path_factory.mktemp("known"), territory_date=date(2022, 12, 31)
    )
    return country_of(run).split(HAINAU, FLUR, ILMEN)


@pytest.fixture(scope="module")
def today(known: Country) -> Country:
    """Kleinland in 2026: Gronau went to Aldorf in 2024, Eichen has the key of another district since 2025."""
    return known.merge(GRONAU, ALDORF).rekey(EICHEN, EICHEN_NEW)


@pytest.fixture(scope="module")
def changes(known: Country, today: Country) -> tuple[Change, ...]:
    """What the lists of 2024 and 2025 say of it; Neudorna cedes a tenth to Aldorf and goes on."""
    neudorna, aldorf = known.of(NEUDORNA), known.of(ALDORF)
    moved = date(2025, 3, 1)
    return (
        Change(known.of(GRONAU), "1", aldorf, date(2024, 1, 1)),
        Change(known.of(EICHEN), "3", today.of(EICHEN_NEW), date(2025, 7, 1)),
        Change(neudorna, "2", aldorf, moved, area=591_000, people=70),
        Change(neudorna, "2", neudorna, moved, area=5_319_000, people=630),
    )


def products(
    folder: Path,
    profile: Profile,
    boundaries: tuple[Country, date],
    register: tuple[Country, date],
    changes: Sequence[Change] | None,
) -> dict[str, bytes]:
    """The files that the readers make of the products, by name."""
    country, day = boundaries
    found = dict(read_vg250(vg250_zip(folder, country, day), "VG250", {}, profile))
    book = auszug_gv(folder / "gv.xlsx", *register, LATER)
    found |= read_auszug_gv(book, "AuszugGV", {}, profile)
    if changes is not None:
        listed = gebietsaenderungen(folder / "changes.xlsx", changes)
        found |= read_gebietsaenderungen(listed, "Gebietsänderungen", {}, profile)
    files = [write_converted(dataset, converted, folder) for dataset, converted in found.items()]
    return {file.name: file.read_bytes() for file in files}


def settings_of(files: Mapping[str, bytes], population_date: str = "2018-12-31") -> str:
    """A profile of the current territory that has the products among its own files."""
    sources = "".join(f'{name.partition(".")[0]} = "../{PROFILE}/{name}"\n' for name in sorted(files))
    dates = f'[territory]\nbasis = "aktuell"\npopulation_date = {population_date}\n'
    return f'extends = "{PROFILE}"\n{dates}[sources]\n{sources}'


@pytest.fixture
def current(tmp_path: Path, make_geodata: Callable[..., Path], geodata: Path) -> Callable[..., Path]:
    """``current(boundaries, day, register=…, register_day=…, changes=…, files=…)``: a geodata folder on that basis."""

    def make(
        boundaries: Country,
        day: date = NEW_YEAR,
        register: Country | None = None,
        register_day: date | None = None,
        changes: Sequence[Change] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Path:
        taken = (register or boundaries, register_day or day)
        made = products(tmp_path / "products", load_profile(geodata, PROFILE), (boundaries, day), taken, changes)
        return make_geodata({**made, "profile.toml": settings_of(made), **(files or {})})

    return make


@pytest.fixture
def opened(join_profile: Open) -> Callable[[Path], duckdb.DuckDBPyConnection]:
    """The joined database of a geodata folder."""
    return lambda folder: join_profile(profile_of(folder))


@pytest.fixture(scope="module")
def shown(
    geodata: Path, today: Country, changes: tuple[Change, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The joined database of 2026 with all lists, for the tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("shown")
    made = products(folder, load_profile(geodata, PROFILE), (today, NEW_YEAR), (today, NEW_YEAR), changes)
    profile = profile_of(build_geodata(folder / "geodata", {**made, "profile.toml": settings_of(made)}))
    with duckdb.connect(joined_run(profile, folder / "work").database, read_only=True) as con:
        yield con


@pytest.fixture
def examined(tmp_path: Path) -> Iterator[Callable[[Path], Examined]]:
    """What the checks say of a geodata folder, by rule, and its joined database."""
    with ExitStack() as stack:

        def examine(folder: Path) -> Examined:
            run = joined_run(profile_of(folder), tmp_path / "examined")
            found = by_rule(find_all(run))
            return found, stack.enter_context(duckdb.connect(run.database, read_only=True))

        yield examine


def by_rule(found: Iterable[Finding]) -> dict[str, list[str]]:
    """Findings in words, by the rule that found them."""
    rules: dict[str, list[str]] = {}
    for finding in found:
        rules.setdefault(finding.check, []).append(str(finding))
    return rules


def findings(folder: Path, outputs: Path) -> dict[str, list[str]]:
    """What the checks say of a geodata folder, by rule; nothing when all is well."""
    try:
        run_stages(profile_of(folder), outputs, DAY, INPUT_STAGES)
    except Refused as refused:
        return by_rule(refused.findings)
    return {}


def places(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Municipalities of the map by committee."""
    query = "SELECT gremium_id, list(ags ORDER BY reihe) FROM joined.committee_places GROUP BY gremium_id"
    return dict(con.execute(query).fetchall())


def hint(ags: str, day: str = "") -> str:
    """Kleinland's hints, and one more about a municipality."""
    line = f"weiterer,kontext,{ags},{day},Titel,,https://a.example/,presse,,Zeigt\n"
    return (KLEINLAND / "hints.csv").read_text(encoding="utf-8") + line


def place_of(con: duckdb.DuckDBPyConnection, ags: str) -> tuple[str | None, str | None]:
    """Where a key of the records leads: the municipality of the map, and which come into question."""
    query = "SELECT DISTINCT ags_karte, moegliche FROM joined.key_resolution WHERE ags = $1"
    (found,) = con.execute(query, [ags]).fetchall()
    return found[0], found[1]


@pytest.mark.slow
def test_a_territory_beyond_the_known_changes_shows_the_product(
    current: Callable[..., Path],
    examined: Callable[[Path], Examined],
    today: Country,
    changes: tuple[Change, ...],
) -> None:
    found, con = examined(current(today, changes=changes))
    assert found == {}
    shown = con.execute("SELECT ags, einwohner, einwohner_stand, gebietsstand FROM joined.municipalities ORDER BY ags")
    assert shown.fetchall() == [(one.ags, one.people, LATER, NEW_YEAR) for one in today.municipalities]
    districts = con.execute("SELECT kreis_schluessel, kreis, gemeinden_anzahl FROM release.kreise ORDER BY 1")
    assert districts.fetchall() == [("99001", "Nordkreis", 3), ("99002", "Südkreis", 2)]
    table = con.execute("SELECT geometry FROM joined.map_geometry WHERE ebene = 'gemeinde'").to_arrow_table()
    assert shapely.coverage_is_valid(geometry.from_table(table))


@pytest.mark.slow
def test_committees_and_hints_go_where_their_municipality_went(shown: duckdb.DuckDBPyConnection) -> None:
    found = places(shown)
    assert found["eichen-runder-tisch"] == [EICHEN_NEW, ALDORF], "a key of 2019 through two changes, and a merger"
    assert found["eichen-ordnungspartnerschaft"] == [EICHEN_NEW], "a key of 2022"
    assert found["ilmen-runder-tisch"] == [ILMEN], "a key without a day"
    hints = dict(shown.execute("SELECT hinweis_id, ags FROM release.hinweise").fetchall())
    assert hints == {"bachdorf-vorschlag-1": ALDORF, "gronau-treffen-1": ALDORF}


@pytest.mark.slow
def test_the_survey_keeps_its_own_territory_and_its_towns_have_a_place(shown: duckdb.DuckDBPyConnection) -> None:
    frame = shown.execute(
        "SELECT ags, einwohner, einwohner_stand, gebietsstand, ags_karte FROM release.befragung_rahmen ORDER BY ags"
    ).fetchall()
    day, territory = date(2018, 12, 31), date(2020, 6, 30)
    assert frame == [
        (ALDORF, 1500, day, territory, ALDORF),
        (EICHEN_OLD, 1200, day, territory, EICHEN_NEW),
    ]
    surveyed = shown.execute("SELECT ags FROM release.gemeinden WHERE in_befragung ORDER BY ags").fetchall()
    assert surveyed == [(ALDORF,), (EICHEN_NEW,)]


@pytest.fixture
def united(known: Country) -> tuple[Country, list[Change]]:
    """Both surveyed towns have gone to Flur, and the list that says so."""
    listed = [
        Change(known.of(EICHEN), "1", known.of(FLUR), date(2024, 1, 1)),
        Change(known.of(GRONAU), "1", known.of(ALDORF), date(2024, 1, 1)),
        Change(known.of(ALDORF), "1", known.of(FLUR), date(2025, 1, 1)),
    ]
    return known.merge(EICHEN, FLUR).merge(GRONAU, ALDORF).merge(ALDORF, FLUR), listed


@pytest.mark.slow
def test_two_towns_of_the_frame_in_one_municipality_are_one_municipality(
    current: Callable[..., Path], examined: Callable[[Path], Examined], united: tuple[Country, list[Change]]
) -> None:
    country, listed = united
    found, con = examined(current(country, changes=listed))
    assert found == {}
    surveyed = con.execute("SELECT ags, befragung_status FROM release.gemeinden WHERE in_befragung").fetchall()
    assert surveyed == [(FLUR, "nicht_veroeffentlicht")]


@pytest.mark.slow
@pytest.mark.parametrize(("eichen", "status"), [("ja", "geantwortet"), ("nein", None)])
def test_one_towns_answer_is_not_that_of_the_other_in_the_same_municipality(
    current: Callable[..., Path],
    examined: Callable[[Path], Examined],
    united: tuple[Country, list[Change]],
    eichen: str,
    status: str | None,
) -> None:
    country, listed = united
    header = ",".join(load_contract("input", "survey_responses_2020").column_names)
    replies = f"{header}\n{ALDORF},,ja,,,,,\n{EICHEN_OLD},,{eichen},,,,,\n"
    folder = current(country, changes=listed, files={"survey_responses_2020.csv": replies})
    settings = folder / VARIANT / "profile.toml"
    source = f'survey_responses_2020 = "../{PROFILE}/survey_responses_2020.csv"\n'
    settings.write_text(settings.read_text(encoding="utf-8") + source, encoding="utf-8")
    found, con = examined(folder)
    if status:
        surveyed = con.execute("SELECT ags, befragung_status FROM release.gemeinden WHERE in_befragung").fetchall()
        assert surveyed == [(FLUR, status)]
        assert "wave_on_map" not in found
    else:
        (message,) = found["wave_on_map"]
        assert "Aldorf, Stadt und Eichen, Stadt sind auf der Karte eine Gemeinde" in message
        assert "für die Gemeinde gibt es keinen wahren" in message


@pytest.mark.slow
def test_a_municipality_that_cedes_land_keeps_its_records(
    current: Callable[..., Path],
    opened: Callable[[Path], duckdb.DuckDBPyConnection],
    today: Country,
    changes: tuple[Change, ...],
) -> None:
    con = opened(current(today, changes=changes, files={"hints.csv": hint(NEUDORNA, "2024-06-30")}))
    assert place_of(con, NEUDORNA) == (NEUDORNA, NEUDORNA)


@pytest.mark.slow
def test_a_municipality_that_was_split_leads_nowhere_by_itself(
    current: Callable[..., Path], today: Country, changes: tuple[Change, ...], outputs: Path
) -> None:
    folder = current(today, changes=changes, files={"hints.csv": hint(HAINAU, "2020-01-01")})
    (message,) = findings(folder, outputs)["unknown_keys"]
    assert f"nicht eindeutig (möglich: {FLUR}, {ILMEN})" in message


@pytest.mark.slow
def test_a_key_that_never_was_is_told_from_one_whose_successor_is_unknown(
    current: Callable[..., Path], known: Country, outputs: Path
) -> None:
    folder = current(known.merge(GRONAU, ALDORF), files={"hints.csv": hint("99001099", "2019-12-31")})
    found = findings(folder, outputs)
    assert found.keys() == {"unknown_keys", "successor_unknown"}
    (unknown,) = found["unknown_keys"]
    assert "99001099" in unknown and "gab es am 31.12.2019 nicht" in unknown
    assert {GRONAU} == {message.split("Wert „")[1][:8] for message in found["successor_unknown"]}
    assert any("der Hinweis „Treffen zur Sicherheit am Bad“" in message for message in found["successor_unknown"])


@pytest.mark.slow
def test_a_surveyed_town_without_known_successor_is_named(
    current: Callable[..., Path], today: Country, changes: tuple[Change, ...], outputs: Path
) -> None:
    found = findings(current(today, changes=changes[:1]), outputs)
    towns = [message for message in found["successor_unknown"] if message.startswith("survey_waves.csv")]
    assert len(towns) == 1
    assert "die befragte Stadt Eichen hat keinen Ort auf der Karte" in towns[0]
    assert "gebietsaenderungen" in towns[0], "what to do"


@pytest.mark.slow
def test_a_key_of_the_newest_boundaries_needs_no_change_to_explain_it(
    current: Callable[..., Path], opened: Callable[[Path], duckdb.DuckDBPyConnection], today: Country
) -> None:
    con = opened(current(today, files={"hints.csv": hint(EICHEN_NEW, "2025-08-01")}))
    assert place_of(con, EICHEN_NEW) == (EICHEN_NEW, EICHEN_NEW)


@pytest.mark.slow
def test_a_record_may_be_newer_than_the_boundaries(
    current: Callable[..., Path],
    opened: Callable[[Path], duckdb.DuckDBPyConnection],
    known: Country,
    changes: tuple[Change, ...],
) -> None:
    of_2025 = known.merge(GRONAU, ALDORF)
    con = opened(
        current(of_2025, date(2025, 1, 1), changes=changes, files={"hints.csv": hint(EICHEN_NEW, "2025-08-01")})
    )
    assert place_of(con, EICHEN_NEW) == (EICHEN, EICHEN)
    assert place_of(con, EICHEN_OLD) == (EICHEN, EICHEN)


@pytest.mark.slow
def test_a_key_that_came_and_went_after_the_boundaries_means_its_land_on_them(
    current: Callable[..., Path],
    opened: Callable[[Path], duckdb.DuckDBPyConnection],
    known: Country,
    today: Country,
    changes: tuple[Change, ...],
) -> None:
    gone = Change(today.of(EICHEN_NEW), "1", known.of(NEUDORNA), date(2025, 10, 1))
    of_2025 = known.merge(GRONAU, ALDORF)
    hints = {"hints.csv": hint(EICHEN_NEW, "2025-08-01")}
    con = opened(current(of_2025, date(2025, 1, 1), changes=(*changes[:2], gone), files=hints))
    assert place_of(con, EICHEN_NEW) == (EICHEN, EICHEN)


@pytest.mark.slow
def test_changes_that_the_own_table_covers_are_not_counted_twice(
    current: Callable[..., Path], opened: Callable[[Path], duckdb.DuckDBPyConnection], known: Country
) -> None:
    early = Change(known.of(ALDORF), "1", known.of(FLUR), date(2023, 6, 1))
    con = opened(current(known, changes=[early]))
    assert place_of(con, ALDORF) == (ALDORF, ALDORF)
    own = len((KLEINLAND / "municipal_changes.csv").read_text(encoding="utf-8").splitlines()) - 1
    assert con.execute("SELECT count(*) FROM release.gebietsaenderungen").fetchall() == [(own,)]


def test_newer_changes_that_the_map_follows_are_published(shown: duckdb.DuckDBPyConnection) -> None:
    newer = shown.execute(
        "SELECT ags_alt, ags_neu, nach, in_kraft_bis, flaechenanteil, einwohneranteil FROM release.gebietsaenderungen "
        "WHERE in_kraft_bis > DATE '2023-12-31' ORDER BY ALL"
    ).fetchall()
    assert newer == [
        (GRONAU, ALDORF, date(2023, 12, 31), date(2024, 1, 1), 1.0, 1.0),
        (NEUDORNA, ALDORF, date(2025, 2, 28), date(2025, 3, 1), 0.1, 0.1),
        (EICHEN, EICHEN_NEW, date(2025, 6, 30), date(2025, 7, 1), 1.0, 1.0),
    ]


def people(con: duckdb.DuckDBPyConnection) -> dict[str, int | None]:
    """Population by municipality of the map."""
    return dict(con.execute("SELECT ags, einwohner FROM joined.municipalities ORDER BY ags").fetchall())


@pytest.mark.slow
def test_figures_of_an_older_register_are_added_up_along_the_changes(
    current: Callable[..., Path],
    examined: Callable[[Path], Examined],
    known: Country,
    today: Country,
    changes: tuple[Change, ...],
) -> None:
    faults, con = examined(current(today, register=known, register_day=date(2023, 12, 31), changes=changes[:2]))
    assert faults == {}
    found = people(con)
    assert found[ALDORF] == known.of(ALDORF).people + known.of(GRONAU).people
    assert found[EICHEN_NEW] == known.of(EICHEN).people
    areas = dict(con.execute("SELECT ags, flaeche_km2 FROM joined.municipalities").fetchall())
    assert areas[ALDORF] == pytest.approx(known.of(ALDORF).area + known.of(GRONAU).area, abs=0.01)


@pytest.mark.slow
def test_a_figure_that_belongs_to_other_land_is_not_shown(
    current: Callable[..., Path],
    examined: Callable[[Path], Examined],
    known: Country,
    today: Country,
    changes: tuple[Change, ...],
) -> None:
    faults, con = examined(current(today, register=known, register_day=date(2023, 12, 31), changes=changes))
    found = people(con)
    assert (found[NEUDORNA], found[ALDORF]) == (None, None), "nobody knows how many live where the line now runs"
    assert found[FLUR] == known.of(FLUR).people
    assert con.execute("SELECT einwohner FROM release.land").fetchall() == [(None,)], "and no sum with a hole"
    assert faults == {}, "until both products are of one year, the map does without"


@pytest.mark.slow
def test_a_register_newer_than_the_boundaries_tells_nothing_of_what_has_merged_since(
    current: Callable[..., Path],
    opened: Callable[[Path], duckdb.DuckDBPyConnection],
    known: Country,
    today: Country,
    changes: tuple[Change, ...],
) -> None:
    con = opened(current(known, date(2023, 12, 31), register=today, register_day=NEW_YEAR, changes=changes[:2]))
    found = people(con)
    assert (found[ALDORF], found[GRONAU]) == (None, None)
    assert found[EICHEN] == known.of(EICHEN).people, "only the key is another"
    assert found[FLUR] == known.of(FLUR).people


@pytest.mark.slow
def test_a_municipality_that_only_the_register_knows_is_named(
    current: Callable[..., Path], known: Country, today: Country, changes: tuple[Change, ...], outputs: Path
) -> None:
    folder = current(today, register=known, register_day=date(2023, 12, 31), changes=changes[1:2])
    named = [message for message in findings(folder, outputs)["successor_unknown"] if "register_current" in message]
    assert len(named) == 1
    assert "Gronau (Gemeindeverzeichnis vom 31.12.2023) steht nicht in den Grenzen der Karte" in named[0]


@pytest.mark.slow
def test_a_municipality_that_only_the_boundaries_know_is_named(
    current: Callable[..., Path], known: Country, outputs: Path
) -> None:
    folder = current(known, register=known.without(FLUR, GRONAU))
    named = findings(folder, outputs)["missing_municipalities"]
    assert len(named) == 2
    assert "Flur steht in den Grenzen vom 01.01.2026, aber nicht im Gemeindeverzeichnis vom 01.01.2026" in named[1]


@pytest.mark.slow
def test_a_register_that_misses_a_part_of_a_municipality_gives_no_figure_for_the_rest(
    current: Callable[..., Path], known: Country, today: Country, changes: tuple[Change, ...], outputs: Path
) -> None:
    folder = current(today, register=known.without(GRONAU), register_day=date(2023, 12, 31), changes=changes[:2])
    (message,) = findings(folder, outputs)["missing_municipalities"]
    assert "Gronau fehlt im Gemeindeverzeichnis vom 31.12.2023" in message


@pytest.mark.slow
def test_a_municipality_of_the_register_without_a_population_is_named(
    current: Callable[..., Path], today: Country, changes: tuple[Change, ...], outputs: Path
) -> None:
    folder = current(today, changes=changes)
    file = folder / PROFILE / "population_current.csv"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith(FLUR)), encoding="utf-8", newline="")
    sidecar_path(file).unlink()
    write_sidecar(file)
    (message,) = findings(folder, outputs)["missing_municipalities"]
    assert "Flur steht im Gemeindeverzeichnis vom 01.01.2026, hat aber keine Einwohnerzahl" in message


@pytest.mark.slow
def test_names_and_associations_come_from_the_register_and_keys_from_the_boundaries(
    current: Callable[..., Path], opened: Callable[[Path], duckdb.DuckDBPyConnection], known: Country
) -> None:
    con = opened(current(known))
    query = "SELECT ars, gemeinde_amtlich, textkennzeichen, verband, verband_kennzeichen FROM joined.municipalities "
    assert con.execute(query + "WHERE ags = $1", [FLUR]).fetchall() == [("990025001001", "Flur", "64", "Südtal", "54")]
    (ilmen,) = con.execute(query + "WHERE ags = $1", [ILMEN]).fetchall()
    assert ilmen[1:] == ("Ilmen, Stadt", "63", "Ilmen, Stadt", "50")


def test_without_current_boundaries_there_is_no_current_map(make_geodata: Callable[..., Path], outputs: Path) -> None:
    folder = make_geodata({"profile.toml": settings_of({})})
    with pytest.raises(WrongUsage, match="boundaries_current, register_current, population_current"):
        run_stages(profile_of(folder), outputs, DAY, INPUT_STAGES)


@pytest.mark.slow
def test_the_settled_dates_stand_in_the_release_and_it_is_rebuilt_byte_by_byte(
    current: Callable[..., Path], today: Country, changes: tuple[Change, ...], outputs: Path
) -> None:
    profile = profile_of(current(today, changes=changes))
    with lean():
        outcome = run_stages(profile, outputs, DAY, STAGES, call=lean_call)
        assert outcome.release_id is not None
        assert [str(fault) for fault in rebuild_faults(store_of(profile, outputs), outcome.release_id)] == []
        assert run_stages(profile, outputs, DAY, STAGES, call=lean_call).result == "unchanged"
    settings = provenance_of(store_of(profile, outputs), outcome.release_id)["parameter"]
    assert settings["gebietsstand_art"] == "aktuell"
    assert (settings["gebietsstand"], settings["einwohner_stand"]) == ("2026-01-01", "2025-12-31")
    package = json.loads((outputs / "latest" / "datapackage.json").read_text(encoding="utf-8"))
    assert package["gebietsstand"] == "2026-01-01"


def test_the_survey_basis_knows_nothing_of_current_products(
    current: Callable[..., Path], tmp_path: Path, database: duckdb.DuckDBPyConnection, today: Country
) -> None:
    profile = replace(profile_of(current(today)), territory_basis="befragung")
    with duckdb.connect(joined_run(profile, tmp_path / "work").database, read_only=True) as con:
        for contract in release_contracts():
            query = f"SELECT * FROM release.{contract.name} ORDER BY ALL"
            assert con.execute(query).fetchall() == database.execute(query).fetchall()
        sources = con.execute("SELECT datensatz FROM meta.sources").fetchall()
    assert not [dataset for (dataset,) in sources if dataset.endswith("_current")]


def test_the_basis_can_be_chosen_for_one_run(geodata: Path) -> None:
    profile = load_profile(geodata, PROFILE)
    assert on_basis(profile, None) is profile
    assert on_basis(profile, "aktuell").territory_basis == "aktuell"
    with pytest.raises(WrongUsage, match="erlaubt ist „befragung“ oder „aktuell“"):
        on_basis(profile, "heute")


@pytest.mark.parametrize("land", ["16", "99"])
def test_only_a_german_land_must_lie_in_germany(make_geodata: Callable[..., Path], tmp_path: Path, land: str) -> None:
    layers = {}
    for layer in LAYERS:
        text = (KLEINLAND / "layers" / f"{layer}.geojson").read_text(encoding="utf-8")
        # From 11° to 31° east.
        layers[f"layers/{layer}.geojson"] = text.replace("[11.", "[31.").replace('"AGS": "99', f'"AGS": "{land}')
    profile = profile_of(make_geodata(layers))
    if land == "16":
        with pytest.raises(Refused, match="liegen nicht in Deutschland"):
            loaded_run(profile, tmp_path / "here")
    else:
        loaded_run(profile, tmp_path / "abroad")


# --- Thuringia ---------------------------------------------------------------------------------------------------

YEAR_END = date(2022, 12, 31)
# After the newest evidence.
REAL_DAY = date(2026, 12, 1)


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Thuringia on the last day that its changes answer exactly."""
    work = tmp_path_factory.mktemp("exact")
    profile = load_profile(GEODATA, "thueringen")
    return joined_run(profile, work, REAL_DAY, territory_date=YEAR_END, population_date=YEAR_END)


def thuringia(work: Path, country: Country, day: date) -> Run:
    """The joined run of the default profile on the boundaries of a day; no lists of newer changes."""
    profile = load_profile(GEODATA, "thueringen")
    made = products(work / "products", profile, (country, day), (country, day), None)
    files = [work / name for name in made]
    for file in files:
        file.write_bytes(made[file.name])
        write_sidecar(file)
    sources = (*profile.sources, *(Source(file.stem, file) for file in files))
    return joined_run(replace(profile, territory_basis="aktuell", sources=sources), work / "run", REAL_DAY)


def answers(run: Run, query: str) -> list[tuple[object, ...]]:
    """What the joined database of a run says."""
    with duckdb.connect(run.database, read_only=True) as con:
        return con.execute(query).fetchall()


@pytest.mark.slow
def test_thuringias_boundaries_of_2022_say_what_the_changes_say(exact: Run, tmp_path: Path) -> None:
    country = country_of(exact)
    run = thuringia(tmp_path, country, YEAR_END)
    assert find_all(run) == []
    municipalities = answers(run, "SELECT ags, gemeinde, kreis, einwohner FROM joined.municipalities ORDER BY ags")
    assert len(municipalities) == 631
    for query in (
        "SELECT ags, gemeinde, kreis, einwohner FROM joined.municipalities ORDER BY ags",
        "SELECT ags, ags_karte, einwohner FROM release.befragung_rahmen ORDER BY ags",
        "SELECT gremium_id, ags, ags_angabe FROM joined.committee_places ORDER BY ALL",
        "SELECT hinweis_id, ags FROM release.hinweise ORDER BY ALL",
        "SELECT ags, in_befragung, gremien_bekannt FROM release.gemeinden ORDER BY ALL",
    ):
        assert answers(run, query) == answers(exact, query)
    frame = dict(answers(run, "SELECT ags, ags_karte FROM release.befragung_rahmen"))
    assert len(frame) == 36
    assert frame["16056000"] == "16063105", "Eisenach, the only one of the 36 towns with another key since"


@pytest.mark.slow
def test_thuringias_boundaries_of_2023_are_shown_though_two_municipalities_were_split(
    exact: Run, tmp_path: Path
) -> None:
    country = country_of(exact)
    # Anrode went to three municipalities; that its third part goes with the second one here changes no key.
    country = country.split("16064014", "16061118", "16064071").split("16064073", "16061118", "16064071")
    with (GEODATA / "thueringen" / "municipal_changes.csv").open(encoding="utf-8", newline="") as stream:
        mergers = [row for row in csv.DictReader(stream) if row["in_kraft_bis"] == "2023-12-31"]
    for row in mergers:
        if row["flaechenanteil"] == "1.0":
            country = country.merge(row["ags_alt"], row["ags_neu"])
    run = thuringia(tmp_path, country, date(2023, 12, 31))
    assert find_all(run) == []
    assert answers(run, "SELECT count(*), sum(einwohner) FROM joined.municipalities") == [
        (624, sum(one.people for one in country.municipalities))
    ]
    assert len(answers(run, "SELECT ags_karte FROM release.befragung_rahmen WHERE ags_karte IS NOT NULL")) == 36
    placed = answers(run, "SELECT count(*) FROM release.gremien")
    assert placed == answers(exact, "SELECT count(*) FROM release.gremien")
