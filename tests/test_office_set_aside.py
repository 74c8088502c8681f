"""A faulty record waits, its last published state stays, and everything else is published."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest
from conftest import KLEINLAND, build_geodata, joined_run, profile_of, publishing_beside
from operating import FIRST, lean, lean_call

from flows.archive import forget_inputs
from flows.database import database
from flows.errors import Refused, WrongUsage
from flows.metadata.quality import waiting
from flows.profile import load_profile
from flows.provenance import read_manifest, write_manifest
from flows.rebuild import rebuild_faults
from flows.stages import INPUT_STAGES, Outcome, run_stages, store_of
from flows.store import provenance_of

SETTINGS = 'extends = "kleinland"\n[office]\nset_aside = ["committees", "evidence", "hints"]\n'
DAY = date(2026, 2, 1)
COMMITTEES, EVIDENCE, HINTS, WAVES = (
    (KLEINLAND / f"{name}.csv").read_text(encoding="utf-8")
    for name in ("committees", "evidence", "hints", "survey_waves")
)
# One letter is wrong in a table that Kleinland's release was made from.
MISSPELT_STATUS = EVIDENCE.replace("2022-05,aktiv", "2022-05,aktif")
ROUND_TABLE = "eichen-runder-tisch"


@pytest.fixture(autouse=True)
def lean_releases() -> Iterator[None]:
    with lean():
        yield


class Office:
    """An office that hands in files night after night; on the first, everything was right."""

    def __init__(self, make_geodata: Callable[..., Path], outputs: Path) -> None:
        self._make, self.outputs, self.nights = make_geodata, outputs, 1
        self.store = store_of(profile_of(self.geodata()), outputs)

    def geodata(self, **files: str | bytes) -> Path:
        named = {f"{name}.csv": text for name, text in files.items() if isinstance(text, str)}
        return self._make({"profile.toml": SETTINGS} | named)

    def night(self, geodata: Path | None = None, **files: str) -> Outcome:
        """The next night's run with these tables in place of Kleinland's."""
        profile = profile_of(geodata or self.geodata(**files))
        self.nights += 1
        return run_stages(profile, self.outputs, DAY + timedelta(days=self.nights - 1), call=lean_call)

    def refusal(self, **files: str) -> str:
        """Why the next night's run is refused."""
        with pytest.raises(Refused) as caught:
            self.night(**files)
        return str(caught.value)

    def published(self, dataset: str) -> dict[str, dict[str, str]]:
        """The rows of the latest release by key."""
        text = (self.outputs / "latest" / f"{dataset}.csv").read_text(encoding="utf-8")
        return {next(iter(row.values())): row for row in csv.DictReader(text.splitlines())}

    def provenance(self) -> dict[str, object]:
        return provenance_of(self.store, str(self.store.target.pointer()))

    def set_aside(self) -> tuple[dict[str, list[str]], dict[str, int]]:
        """What the latest release says of records set aside: which keep their state, and how many are left out."""
        done = self.provenance()["zurueckgestellt"]
        assert isinstance(done, dict)
        return done["letzter_stand"], done["ausgelassen"]


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outputs with Kleinland's release."""
    folder = tmp_path_factory.mktemp("erste-nacht")
    geodata = build_geodata(folder / "geodata", {"profile.toml": SETTINGS})
    with lean():
        run_stages(profile_of(geodata), folder / "outputs", DAY, call=lean_call)
    return folder / "outputs"


@pytest.fixture
def office(make_geodata: Callable[..., Path], outputs: Path, first_night: Path) -> Office:
    shutil.copytree(first_night, outputs, symlinks=True)
    return Office(make_geodata, outputs)


@pytest.mark.slow
def test_a_published_committee_keeps_its_last_state_and_the_others_move_on(office: Office) -> None:
    before = office.published("gremien")

    outcome = office.night(evidence=MISSPELT_STATUS.replace("2024-08-21,aktiv", "2025-08-21,ruhend"))

    assert outcome.result == "published"
    after = office.published("gremien")
    assert after[ROUND_TABLE] == before[ROUND_TABLE]
    assert after["aldorf-praeventionsrat"]["status"] == "ruhend" != before["aldorf-praeventionsrat"]["status"]
    assert outcome.reports["check"].notes[-1] == (
        "Gremien: 1 Eintrag zurückgestellt, der letzte Stand bleibt (eichen-runder-tisch)."
    )


@pytest.mark.slow
def test_a_committee_is_set_aside_with_all_its_evidence(office: Office) -> None:
    newer = EVIDENCE + (
        "eichen-runder-tisch-2,eichen-runder-tisch,https://eichen.example/ende,presse,2025-06,ruhend,,,,,Er ruht.\n"
    )
    office.night(committees=COMMITTEES.replace(",runder_tisch,99001005", ",Runder Tisch,99001005"), evidence=newer)

    assert "eichen-runder-tisch-2" not in office.published("gremien_belege")
    assert office.published("gremien")[ROUND_TABLE]["status"] == "aktiv"


@pytest.mark.slow
def test_a_new_faulty_record_is_left_out_and_only_counted(office: Office) -> None:
    office.night(
        committees=COMMITTEES + "erika-muster,Neuer Rat,tisch,99001001,2019-12-31,,,,\n",
        evidence=EVIDENCE + "neu-1,erika-muster,https://aldorf.example/neu,presse,2025-01,aktiv,,,,,Er hat getagt.\n",
    )

    assert len(office.published("gremien")) == len(COMMITTEES.splitlines()) - 1
    assert office.set_aside() == ({}, {"committees": 1})
    assert "erika-muster" not in json.dumps(office.provenance()), "what was never published may be a name"


@pytest.mark.slow
def test_a_misspelt_reference_does_not_take_evidence_away_from_its_committee(office: Office) -> None:
    """Without this the committee would fall back to its older evidence: dormant in 2017 instead of active in 2024."""
    office.night(evidence=EVIDENCE.replace("-2,aldorf-praeventionsrat,", "-2,aldorf-preventionsrat,"))

    assert office.published("gremien")["aldorf-praeventionsrat"]["status"] == "aktiv"
    assert "aldorf-praeventionsrat-2" in office.published("gremien_belege")
    assert office.set_aside() == ({"committees": ["aldorf-praeventionsrat"]}, {})


@pytest.mark.slow
def test_a_row_that_no_longer_says_whose_it_is_takes_no_evidence_away(office: Office) -> None:
    """A cell too many at its beginning moved every value of the row into the next column."""
    shifted = EVIDENCE.replace("\naldorf-praeventionsrat-2,", "\n,aldorf-praeventionsrat-2,")
    office.night(evidence=shifted.replace(",Mitteilung der Stadt: Der Rat hat getagt.\n", "\n"))

    assert office.published("gremien")["aldorf-praeventionsrat"]["status"] == "aktiv"
    assert "aldorf-praeventionsrat-2" in office.published("gremien_belege")
    assert office.set_aside() == ({"committees": ["aldorf-praeventionsrat"]}, {})


@pytest.mark.slow
@pytest.mark.parametrize("key", ["", "Treffen am Bad"], ids=["empty", "misspelt"])
def test_a_record_whose_key_is_wrong_keeps_its_last_state_and_is_not_called_new(office: Office, key: str) -> None:
    before = office.published("hinweise")

    office.night(hints=HINTS.replace("\ngronau-treffen-1,", f"\n{key},"))

    assert office.published("hinweise") == before
    assert office.set_aside() == ({"hints": ["gronau-treffen-1"]}, {})


@pytest.mark.slow
def test_a_new_faulty_record_beside_a_wrong_key_is_counted(office: Office) -> None:
    new = ",vorschlag,99001001,2019-12-31,Antrag,,https://aldorf.example/antrag,partei,2025-01,Ein Antrag.\n"
    office.night(hints=HINTS.replace("\ngronau-treffen-1,", "\n,") + new)

    assert "gronau-treffen-1" in office.published("hinweise")
    assert office.set_aside() == ({"hints": ["gronau-treffen-1"]}, {"hints": 1})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dataset", "text"),
    [("committees", COMMITTEES.replace(",runder_tisch,", ",Runder Tisch,")), ("evidence", MISSPELT_STATUS)],
)
def test_a_committee_does_not_wait_without_its_evidence_nor_the_other_way_round(
    office: Office, dataset: str, text: str
) -> None:
    geodata = office.geodata(**{dataset: text})
    settings = SETTINGS.replace('["committees", "evidence", "hints"]', f'["{dataset}", "hints"]')
    (geodata / "variante" / "profile.toml").write_text(publishing_beside(settings), encoding="utf-8")

    with pytest.raises(Refused):
        office.night(geodata)

    assert office.store.target.pointer() == FIRST


@pytest.mark.slow
def test_findings_of_the_data_tests_count_as_well_as_those_of_cells(office: Office) -> None:
    outcome = office.night(
        evidence=MISSPELT_STATUS, hints=HINTS.replace("Einzelnes Treffen", "Fragen an erika@gronau.example: Treffen")
    )

    assert outcome.result == "published"
    assert office.published("hinweise")["gronau-treffen-1"]["zeigt"] == "Einzelnes Treffen ohne Datum."
    assert len(outcome.reports["check"].notes) == 3


@pytest.mark.slow
def test_the_other_half_of_a_pair_waits_too(office: Office) -> None:
    """One of two records that may be the same no longer says so; the other, faulty, keeps a state that does."""
    alone = COMMITTEES.replace(",2020,genau,,ilmen-praeventionsrat", ",2020,genau,,").replace(
        "99002002,,,,,ilmen-runder-tisch", "99002002,,2100x,,,"
    )

    office.night(committees=alone)

    pair = office.published("gremien")
    assert pair["ilmen-runder-tisch"]["evtl_identisch_mit"] == "ilmen-praeventionsrat"
    assert pair["ilmen-praeventionsrat"]["evtl_identisch_mit"] == "ilmen-runder-tisch"


@pytest.mark.slow
def test_a_record_that_the_office_took_out_is_gone(office: Office) -> None:
    kept = [line for line in COMMITTEES.splitlines() if not line.startswith("eichen-ordnung")]
    evidence = [line for line in MISSPELT_STATUS.splitlines() if not line.startswith("eichen-ordnung")]
    office.night(committees="\n".join(kept) + "\n", evidence="\n".join(evidence) + "\n")

    assert "eichen-ordnungspartnerschaft" not in office.published("gremien")
    assert ROUND_TABLE in office.published("gremien")


@pytest.mark.slow
def test_the_next_night_with_the_same_files_changes_nothing_and_a_mended_one_is_published(office: Office) -> None:
    office.night(evidence=MISSPELT_STATUS)

    assert office.night(evidence=MISSPELT_STATUS).result == "unchanged"

    assert office.night(evidence=EVIDENCE.replace("2022-05,aktiv", "2025-05,aktiv")).result == "published"
    assert office.published("gremien")[ROUND_TABLE]["status_stand"] == "2025-05"
    assert "zurueckgestellt" not in office.provenance()


@pytest.mark.slow
def test_a_state_that_stays_for_several_nights_is_handed_on(office: Office) -> None:
    before = office.published("gremien")[ROUND_TABLE]
    for title in ("Runder Tisch A", "Runder Tisch B"):
        office.night(
            evidence=MISSPELT_STATUS, committees=COMMITTEES.replace("Arbeitsgruppe Bahnhof", f"Arbeitsgruppe {title}")
        )

    assert office.published("gremien")[ROUND_TABLE] == before
    assert office.nights == 3


@pytest.mark.slow
def test_a_release_with_records_set_aside_is_rebuilt_byte_by_byte(office: Office) -> None:
    release_id = office.night(evidence=MISSPELT_STATUS).release_id

    assert rebuild_faults(office.store, str(release_id)) == []


@pytest.mark.slow
def test_records_of_a_workbook_are_set_aside_like_those_of_a_table(office: Office) -> None:
    geodata = office.geodata()
    book = openpyxl.Workbook()
    for title, text in (("Gremien", COMMITTEES), ("Belege", MISSPELT_STATUS)):
        sheet = book.create_sheet(title)
        for row in csv.reader(text.splitlines()):
            sheet.append(row)
    file = geodata / "kleinland" / "gremien.xlsx"
    book.save(file)
    sidecar = json.loads((geodata / "kleinland" / "evidence.csv.source.json").read_text(encoding="utf-8"))
    file.with_name("gremien.xlsx.source.json").write_text(json.dumps(sidecar), encoding="utf-8")
    profile = geodata / "variante" / "profile.toml"
    sheets = (
        '[sources]\ncommittees = "../kleinland/gremien.xlsx#Gremien"\nevidence = "../kleinland/gremien.xlsx#Belege"\n'
    )
    profile.write_text(publishing_beside(SETTINGS + sheets), encoding="utf-8")

    outcome = office.night(geodata)

    assert outcome.result == "published"
    assert office.published("gremien")[ROUND_TABLE]["status"] == "aktiv"
    report = (office.outputs / "reports" / "evidence.csv").read_text(encoding="utf-8-sig")
    assert ";Belege;6;eichen-runder-tisch-1;status;aktif;" in report
    assert rebuild_faults(office.store, str(outcome.release_id)) == []


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"evidence": EVIDENCE[:900]}, "evidence.csv, Zeile 6: die Zeile hat 5 Zellen"),
        ({"evidence": MISSPELT_STATUS.replace("beleg_id,", "beleg,")}, "Spalte „beleg_id“: die Spalte fehlt"),
        ({"evidence": MISSPELT_STATUS, "survey_waves": WAVES.replace("2020-06,", "2020-13,")}, "survey_waves.csv"),
    ],
    ids=["cut off", "column missing", "another file is faulty"],
)
def test_what_is_wrong_with_a_file_as_a_whole_refuses_the_release(
    office: Office, files: Mapping[str, str], message: str
) -> None:
    assert message in office.refusal(**files)
    assert office.store.target.pointer() == FIRST


def test_a_file_of_which_most_records_are_faulty_is_not_read_by_halves(office: Office) -> None:
    said = office.refusal(committees=COMMITTEES.replace("99001", "9901").replace("99002", "9902"))

    assert said.startswith("committees.csv: 6 von 6 Einträgen sind betroffen; dann stimmt wohl die Datei nicht")


def test_the_file_is_named_in_which_the_faults_lie(office: Office) -> None:
    said = office.refusal(evidence=EVIDENCE.replace(",aktiv,", ",Aktiv!,"))

    assert said.startswith(
        "evidence.csv: 5 von 6 Einträgen in committees.csv sind betroffen; dann stimmt wohl die Datei nicht"
    )


@pytest.mark.slow
def test_a_committee_taken_out_to_which_something_still_refers_is_named(office: Office) -> None:
    """With its evidence it was taken out on purpose; what refers to it is then to be changed, too."""
    named = HINTS.replace("Treffen zur Sicherheit am Bad,,", "Treffen zur Sicherheit am Bad,eichen-runder-tisch,")
    office.night(hints=named)

    kept = [
        "\n".join(line for line in text.splitlines() if ROUND_TABLE not in line) + "\n"
        for text in (COMMITTEES, EVIDENCE)
    ]
    said = office.refusal(committees=kept[0], evidence=kept[1], hints=named)

    first, second = said.splitlines()
    assert first == (
        "hints.csv: „eichen-runder-tisch“ steht nicht mehr in committees.csv; Zeile 3 verweist noch darauf. Bitte den "
        "Verweis ändern oder leeren, oder den Eintrag wieder aufnehmen."
    )
    assert second.startswith("hints.csv, Zeile 3, Spalte „gremium_id“, Wert „eichen-runder-tisch“: der Verweis führt")


def test_without_the_kept_inputs_of_the_last_release_nothing_is_set_aside(office: Office) -> None:
    """Else a record that readers know would vanish because of a typing error."""
    forget_inputs(office.store, [])

    said = office.refusal(evidence=MISSPELT_STATUS)

    assert "der zuletzt veröffentlichte Stand von committees.csv (2026.02.01) ist nicht mehr aufbewahrt" in said


@pytest.mark.slow
def test_a_state_that_no_longer_fits_the_rest_refuses_the_release(office: Office) -> None:
    """The last state names a committee above it that the office took out."""
    gone = "".join(line for line in COMMITTEES.splitlines(True) if not line.startswith("aldorf-praeventionsrat"))
    evidence = "".join(line for line in EVIDENCE.splitlines(True) if not line.startswith("aldorf-praeventionsrat"))

    said = office.refusal(committees=gone.replace("aldorf-praeventionsrat,\n", "X,\n"), evidence=evidence)

    assert "der zuletzt veröffentlichte Stand fehlerhafter Einträge passt nicht zu den übrigen" in said
    assert "er verweist auf „aldorf-praeventionsrat“, und das steht nicht mehr in committees.csv" in said


@pytest.mark.slow
def test_a_look_at_the_inputs_shows_all_findings(office: Office) -> None:
    files = {"evidence": MISSPELT_STATUS, "hints": HINTS.replace(",99001006,", ",99001999,")}
    with pytest.raises(Refused) as caught:
        run_stages(profile_of(office.geodata(**files)), office.outputs, DAY, INPUT_STAGES)

    assert [(finding.source, finding.row) for finding in caught.value.findings] == [
        ("evidence.csv", 6),
        ("hints.csv", 3),
    ]
    assert caught.value.consequence.startswith("die betroffenen Einträge würden zurückgestellt")


def test_without_leave_of_the_profile_nothing_is_set_aside(make_geodata: Callable[..., Path], outputs: Path) -> None:
    with pytest.raises(Refused):
        run_stages(profile_of(make_geodata({"evidence.csv": MISSPELT_STATUS})), outputs, DAY, call=lean_call)


def test_answers_of_a_survey_are_never_set_aside(make_geodata: Callable[..., Path]) -> None:
    settings = 'extends = "kleinland"\n[office]\nset_aside = ["survey_responses_2020"]\n'
    with pytest.raises(WrongUsage, match="survey_responses_2020"):
        load_profile(make_geodata({"profile.toml": settings}), "variante")


def test_readers_learn_what_is_looked_at_without_blame(office: Office) -> None:
    run = joined_run(profile_of(office.geodata()), office.outputs / "work")
    done = {"letzter_stand": {"committees": [ROUND_TABLE], "hints": ["gronau-treffen-1"]}, "ausgelassen": {"hints": 2}}
    write_manifest(run, read_manifest(run) | {"zurueckgestellt": done | {"eingang": {}}})
    with database(run.database) as con:
        kept, new = waiting(con, run)

    assert [(row["art"], row["gemeinde"], row["name"]) for row in kept] == [
        ("Gremium", "Eichen", "Runder Tisch Eichen und Gronau"),
        ("Hinweis", "Gronau", "Treffen zur Sicherheit am Bad"),
    ]
    assert new == 2
