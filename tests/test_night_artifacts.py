"""What the office reads of a night in Prefect's web page; Prefect itself is not needed for it."""

from __future__ import annotations

from flows.errors import Refused, SourceUnavailable
from flows.findings import Finding
from flows.nights.artifacts import SHOWN, check_rows, summary
from flows.nights.recorded import failure_message
from flows.paths import GEODATA
from flows.profile import SYNTHETIC_MARK, load_profile
from flows.run import StageReport
from flows.stages import Outcome


def finding(number: int) -> Finding:
    return Finding("typ", "evidence.csv", "das ist kein Datum.", "Bitte berichtigen.", number, "belegt_am", "gestern")


def test_a_refusal_names_the_first_finding_and_counts_the_rest() -> None:
    one = failure_message(Refused([finding(2)]))
    assert one == (
        "Abgelehnt: 1 Befund; es wurde nichts veröffentlicht. "
        "evidence.csv, Zeile 2, Spalte „belegt_am“, Wert „gestern“: das ist kein Datum. Bitte berichtigen."
    )
    many = failure_message(Refused([finding(line) for line in range(2, 1202)]))
    assert many.startswith("Abgelehnt: 1.200 Befunde; es wurde nichts veröffentlicht. evidence.csv, Zeile 2,")
    assert many.endswith("(und 1.199 weitere)")


def test_a_missing_source_is_named() -> None:
    error = SourceUnavailable("population.csv: die Eingabe fehlt.")
    assert failure_message(error) == "Fehler: population.csv: die Eingabe fehlt."
    assert check_rows(None, error) == [
        {"Ergebnis": "nicht zu Ende geprüft", "Umfang": "population.csv: die Eingabe fehlt."}
    ]


def test_every_finding_is_a_row_of_the_check_results_until_a_page_is_full() -> None:
    rows = check_rows(None, Refused([finding(line) for line in range(2, 5)]))
    assert [row["Zeile"] for row in rows] == [2, 3, 4]
    assert rows[0] == {
        "Prüfung": "typ",
        "Quelle": "evidence.csv",
        "Zeile": 2,
        "Spalte": "belegt_am",
        "Wert": "gestern",
        "Meldung": "das ist kein Datum.",
        "Abhilfe": "Bitte berichtigen.",
    }
    full = check_rows(None, Refused([finding(line) for line in range(SHOWN + 7)]))
    assert len(full) == SHOWN + 1
    assert full[-1]["Meldung"].startswith("… und 7 weitere")


def test_a_run_that_stops_early_does_not_claim_to_have_checked() -> None:
    stopped = Outcome("unchanged", "Nichts geändert: 2026.02.01 ist aktuell.", "2026.02.01", None)
    assert check_rows(stopped, None) == [
        {"Ergebnis": "nicht erneut geprüft", "Umfang": "Nichts geändert: 2026.02.01 ist aktuell."}
    ]


def test_a_held_release_names_the_gates_that_hold_it() -> None:
    reports = {"check": StageReport(notes=("38 Prüfungen ohne Befund",)), "publish": StageReport(notes=("halb leer",))}
    held = Outcome("held", "2026.02.02 wartet auf Freigabe.", "2026.02.02", None, reports)
    assert check_rows(held, None) == [
        {"Ergebnis": "keine Befunde", "Umfang": "38 Prüfungen ohne Befund"},
        {"Ergebnis": "Freigabe nötig", "Umfang": "halb leer"},
    ]


def test_the_summary_of_invented_data_says_so() -> None:
    outcome = Outcome("unchanged", "Nichts geändert", "demo-2026.02.01", None)
    demo = summary("Titel", "Nichts geändert", [], load_profile(GEODATA, "demo"), outcome)
    assert SYNTHETIC_MARK in demo
    real = summary("Titel", "Nichts geändert", [], load_profile(GEODATA, "thueringen"), outcome)
    assert SYNTHETIC_MARK not in real


def test_the_summary_shows_markup_in_a_file_as_text() -> None:
    text = summary("Titel", "Wert „<b>|[x](http://x.example)“", [], None, None)
    assert r"Wert „\<b\>\|\[x\](http://x.example)“" in text
