"""The reports tell the office in plain German what is wrong, where, and what to do, and give nothing away."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import DAY, KLEINLAND, profile_of
from operating import lean, lean_call
from test_counterexamples import READING_RULES

from flows import stages
from flows.checksums import files_of
from flows.errors import Refused
from flows.findings import Finding
from flows.office.report import CSV_COLUMNS, EFFECTS, KINDS, STOPS, Effect, Entry, Report, csv_of, write_reports
from flows.office.stale import stale_committees
from flows.paths import SQL
from flows.run import Run, StageReport
from flows.stages import INPUT_STAGES, run_stages
from flows.tables import Table, read_table

Make = Callable[..., Path]
# What a careless or malicious hand may type.
NASTY = '=HYPERLINK("https://böse.example")<script>alert(1)</script> & "x"'


def table(name: str) -> Table:
    return read_table(KLEINLAND / f"{name}.csv", None, name)


def entry(effect: Effect = STOPS, kind: str = "Angaben fehlen", **values: object) -> Entry:
    content = {"row": 2, "record": "aldorf", "column": "name", "column_title": "Name", "value": "", "message": "M."}
    return Entry(effect, kind, **(content | {"remedy": "R."} | values))  # type: ignore[arg-type]


def report(*entries: Entry, dataset: str = "committees") -> Report:
    return Report(dataset, "Gremien", "gremien.xlsx", "Gremien", entries)


class Texts(HTMLParser):
    """The texts of a page and the tags that it uses."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags |= {tag}
        self.texts += [f"{name}={value}" for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page(geodata: Path, folder: Path, *entries: Entry) -> Texts:
    """The page of a report on these entries."""
    write_reports(folder, profile_of(geodata), DAY, "Es wurde nichts veröffentlicht.", [report(*entries)], [])
    parsed = Texts()
    parsed.feed((folder / "committees.html").read_text(encoding="utf-8"))
    return parsed


def test_every_rule_has_a_heading_in_german() -> None:
    data_tests = {path.stem for path in (SQL / "checks").glob("*.sql")}
    assert data_tests | READING_RULES <= KINDS.keys()
    assert len(set(KINDS.values())) == len(KINDS)


def test_what_stops_the_publication_comes_first_and_is_counted_at_the_head(geodata: Path, tmp_path: Path) -> None:
    found = [entry(effect, record=f"nr{number}") for number, effect in enumerate(EFFECTS)]
    parsed = page(geodata, tmp_path, *found)

    places = [parsed.texts.index(f"nr{number}") for number in range(len(EFFECTS))]
    assert places == sorted(places)
    head = "".join(parsed.texts[: places[0]])
    assert all(f"{effect.name[0].upper()}{effect.name[1:]}: 1" in head for effect in EFFECTS)


def test_a_page_shows_what_was_typed_and_runs_none_of_it(geodata: Path, tmp_path: Path) -> None:
    parsed = page(geodata, tmp_path, entry(value=NASTY, record=NASTY, message=NASTY))

    assert parsed.texts.count(NASTY) == 3
    assert not parsed.tags & {"script", "link", "img", "iframe", "form"}
    assert any("default-src 'none'" in text for text in parsed.texts)


def test_a_page_with_very_many_findings_stays_readable(geodata: Path, tmp_path: Path) -> None:
    parsed = page(geodata, tmp_path, *(entry(row=line, value="x" * 5000) for line in range(2, 1500)))

    assert "… und 998 weitere; alle stehen in der CSV-Datei." in parsed.texts
    assert len((tmp_path / "committees.html").read_bytes()) < 500_000
    assert (tmp_path / "committees.csv").read_text(encoding="utf-8-sig").count("\n") == 1499


def test_the_table_opens_in_a_german_excel_and_computes_nothing() -> None:
    content = csv_of(
        report(entry(value=NASTY, message="Ein „Satz“; mit Semikolon"), entry(value="-1"), entry(value="@x"))
    )

    assert content.startswith("\ufeffWirkung;Art;Blatt;".encode())
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == list(CSV_COLUMNS)
    assert [row[6] for row in rows[1:]] == [f"'{NASTY}", "'-1", "'@x"]
    assert rows[1][2:4] == ["Gremien", "2"]
    assert rows[1][7] == "Ein „Satz“; mit Semikolon"


def test_old_and_undated_committees_are_listed_the_oldest_first() -> None:
    found = stale_committees(table("committees"), table("evidence"), 24, date(2025, 12, 1))

    assert [stale.key for stale in found] == [
        "ilmen-runder-tisch",
        "aldorf-ag-bahnhof",
        "eichen-runder-tisch",
        "ilmen-praeventionsrat",
        "eichen-ordnungspartnerschaft",
    ]
    assert (found[0].row, found[0].name) == (6, "Runder Tisch Ilmen")
    assert found[0].text == (
        "Stand älter als 24 Monate: bitte prüfen. Der neueste Beleg ist von 03.02.2020 (5 Jahre 9 Monate alt)."
    )
    assert found[-1].text.startswith("Kein Beleg hat ein Datum")


@pytest.mark.parametrize(("day", "stale"), [(date(2026, 8, 20), False), (date(2026, 8, 21), True)])
def test_a_committee_is_stale_from_the_day_on_which_its_newest_evidence_is_that_old(day: date, stale: bool) -> None:
    keys = {one.key for one in stale_committees(table("committees"), table("evidence"), 24, day)}
    assert ("aldorf-praeventionsrat" in keys) == stale


def test_a_date_that_is_none_is_a_finding_and_not_called_undated() -> None:
    evidence = Table(("gremium_id", "belegt_am"), (("aldorf-praeventionsrat", "2024-13"),), (2,))
    assert stale_committees(table("committees"), evidence, 24, DAY) == []


# --- reports of runs -----------------------------------------------------------------------------------------------


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the stages that are called only for the sake of the reports."""
    called: list[str] = []

    def noted(name: str, function: Callable[[Run], StageReport]) -> Callable[[Run], StageReport]:
        def call(run: Run) -> StageReport:
            called.append(name)
            return function(run)

        return call

    for name in ("load_records", "join", "check_records"):
        monkeypatch.setattr(stages, name, noted(name, getattr(stages, name)))
    return called


@pytest.mark.slow
def test_every_run_replaces_the_reports_and_a_night_without_change_leaves_them(
    make_geodata: Make, outputs: Path, looks: list[str]
) -> None:
    good, faulty = (
        make_geodata(),
        make_geodata({"hints.csv": (KLEINLAND / "hints.csv").read_text().replace(",partei,", ",,")}),
    )
    reports = outputs / "reports"

    def night(geodata: Path) -> None:
        run_stages(profile_of(geodata), outputs, DAY, call=lean_call)

    with lean():
        night(good)
        assert "In dieser Datei ist nichts zu tun." in (reports / "hints.html").read_text(encoding="utf-8")
        assert "5" in (reports / "index.html").read_text(encoding="utf-8")

        with pytest.raises(Refused):
            night(faulty)
        assert "Angaben fehlen" in (reports / "hints.csv").read_text(encoding="utf-8-sig")
        assert "Es wurde nichts veröffentlicht" in (reports / "hints.html").read_text(encoding="utf-8")

        night(good)
        assert looks == ["load_records", "join", "check_records"], "the reports were on other inputs"
        assert "Angaben fehlen" not in (reports / "hints.csv").read_text(encoding="utf-8-sig")

        before = {file: file.stat().st_mtime_ns for file in outputs.rglob("*")}
        night(good)
        assert len(looks) == 3
        changed = [file for file, stamp in before.items() if file.is_file() and file.stat().st_mtime_ns != stamp]
        assert [file.name for file in changed if not file.name.startswith(".")] == []


@pytest.mark.slow
def test_no_report_gets_into_a_release(geodata: Path, outputs: Path) -> None:
    with lean():
        outcome = run_stages(profile_of(geodata), outputs, DAY, call=lean_call)

    assert not [name for name in files_of(outputs / "releases" / str(outcome.release_id)) if "reports" in name]


@pytest.mark.slow
def test_a_look_writes_reports_only_where_it_is_told(geodata: Path, tmp_path: Path) -> None:
    outputs, wanted = tmp_path / "outputs", tmp_path / "berichte"
    run_stages(profile_of(geodata), outputs, DAY, INPUT_STAGES, reports=wanted)

    assert not outputs.exists()
    assert {"index.html", "committees.html", "committees.csv"} <= {file.name for file in wanted.iterdir()}


def test_findings_outside_the_inputs_stand_in_the_overview(geodata: Path, tmp_path: Path) -> None:
    other = Finding("vergleich", "gemeinden.csv", "<etwas> fehlt.")
    write_reports(tmp_path, profile_of(geodata), DAY, "", [report()], [other])

    assert "gemeinden.csv: &lt;etwas&gt; fehlt." in (tmp_path / "index.html").read_text(encoding="utf-8")
