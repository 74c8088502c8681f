"""Sources over the nights: what is new, what stays, what a failure leaves untouched, and what a release says of it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest
from conftest import KLEINLAND, VARIANT, joined_run, publishing_beside
from fault_server import CSV, XLSX, FaultServer, fault_server, reset, status, typed
from operating import lean, lean_call
from products import (
    LIMESURVEY_MAPPING,
    Change,
    Country,
    auszug_gv,
    country_of,
    gebietsaenderungen,
    limesurvey_csv,
)
from test_sources_vg250 import Layers, kleinland, zipped

from flows.acquire import acquire, settled
from flows.ages import FRESH, OLD, TOO_OLD, UNKNOWN, age_of
from flows.cli import run as praevkarte
from flows.errors import SourceUnavailable, WrongUsage
from flows.fingerprint import parameters
from flows.operations import approve
from flows.profile import Profile, Source, load_profile
from flows.provenance import read_manifest
from flows.rebuild import rebuild
from flows.run import Run, StageReport
from flows.sidecar import sha256_of
from flows.sources.effective import effective_sources
from flows.sources.fetch import KEPT, MISSING, NEW, PENDING, UNCHANGED, SourceState, fetch_all
from flows.sources.http import Clock
from flows.sources.kinds import check_fetches
from flows.sources.snapshots import read_state, sources_folder
from flows.stages import INPUT_STAGES, Outcome, run_stages, store_of
from flows.store import Store

pytestmark = pytest.mark.network

FIRST = date(2026, 2, 1)
VG250, COMMITTEES = "/vg250_01-01.utm32s.gpkg.ebenen.zip", "/s/geheim-4711/download"
TOKEN = "geheim-4711"
# Retries without waiting.
HASTY = Clock(sleep=lambda _seconds: None)


@dataclass
class Office:
    """A profile that fetches, its store, and the nights over it."""

    geodata: Path
    outputs: Path
    server: FaultServer

    @property
    def profile(self) -> Profile:
        return load_profile(self.geodata, VARIANT)

    @property
    def store(self) -> Store:
        return store_of(self.profile, self.outputs)

    def configure(self, text: str) -> None:
        """Give the profile this text instead of its own."""
        profile = publishing_beside('extends = "kleinland"\n' + text)
        (self.geodata / VARIANT / "profile.toml").write_text(profile, encoding="utf-8")

    def night(self, number: int = 0) -> dict[str, SourceState]:
        """Fetch all sources some days after the first; returns their states by name."""
        states = fetch_all(self.profile, self.store, FIRST + timedelta(days=number), HASTY)
        return {state.name: state for state in states}

    def folder(self, name: str) -> Path:
        return sources_folder(self.store.workspace) / name

    def files(self) -> dict[str, bytes]:
        """Every file in the store by its path, with its content."""
        return {
            path.relative_to(self.outputs).as_posix(): path.read_bytes()
            for path in sorted(self.outputs.rglob("*"))
            if path.is_file()
        }

    def acquired(self, number: int = 0) -> tuple[Run, StageReport]:
        """Stage acquire of a night, and what it reported; nothing is fetched again."""
        run = Run(self.profile, FIRST + timedelta(days=number), self.store, "test", self.outputs / ".work" / "test")
        run.work.mkdir(parents=True, exist_ok=True)
        report = acquire(run)
        return settled(run), report


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """``product(edit, stand="01.01.2025")``: Kleinland as a VG250 zip."""

    def made(edit: Callable[[Layers], Layers] = lambda layers: layers, stand: str = "01.01.2025") -> bytes:
        file = tmp_path_factory.mktemp("vg250") / "x.zip"
        return zipped(file, edit(kleinland()), {"aktualitaet.txt": stand.encode()}).read_bytes()

    return made


@pytest.fixture(scope="session")
def boundaries(product: Callable[..., bytes]) -> bytes:
    return product()


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with fault_server() as running:
        yield running


@pytest.fixture
def office(
    make_geodata: Callable[..., Path],
    outputs: Path,
    server: FaultServer,
    boundaries: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> Office:
    """An office that fetches boundaries and, with a secret share link, its committees."""
    server.serve(VG250, boundaries)
    server.serve(COMMITTEES, (KLEINLAND / "committees.csv").read_bytes(), CSV)
    monkeypatch.setenv("SHARE_TOKEN", TOKEN)
    one = Office(make_geodata({"profile.toml": ""}), outputs, server)
    one.configure(
        f"""
        [fetch.grenzen]
        kind = "vg250"
        place = "{server.url(VG250)}"
        [fetch.gremien]
        kind = "table"
        dataset = "committees"
        place = "{server.url("/s/{token}/download")}"
        token = "env:SHARE_TOKEN"
        """
    )
    return one


def results(states: dict[str, SourceState]) -> dict[str, str]:
    return {name: state.result for name, state in states.items()}


# --- good nights ---------------------------------------------------------------------------------------------------


def test_the_first_night_takes_everything(office: Office) -> None:
    assert results(office.night()) == {"grenzen": NEW, "gremien": NEW}

    state = read_state(office.folder("grenzen"))
    sidecar = json.loads(next(office.folder("grenzen").glob("*/*.source.json")).read_text())
    assert state.parts["boundaries_current"].standing == "2025-01-01"
    assert sidecar["retrieved"] == "2026-02-01"
    assert sidecar["attribution"] == "© BKG (2026) dl-de/by-2-0 (Daten verändert)"
    assert sidecar["licence_url"] == "https://www.govdata.de/dl-de/by-2-0"
    assert sidecar["url"] == office.server.url(VG250)
    assert sidecar["sha256"] == state.parts["boundaries_current"].sha256


def test_a_night_without_changes_writes_the_day_and_nothing_else(office: Office) -> None:
    office.night()
    before = office.files()
    assert results(office.night(1)) == {"grenzen": UNCHANGED, "gremien": UNCHANGED}

    after = office.files()
    assert {name for name in after if after[name] != before.get(name)} == {
        "sources/grenzen/state.json",
        "sources/gremien/state.json",
    }
    assert before.keys() == after.keys()
    assert office.server.statuses(VG250) == [200, 304]


def test_the_same_content_in_another_zip_is_nothing_new(office: Office, boundaries: bytes) -> None:
    """What was there already keeps its day of retrieval, and so makes no new release."""
    office.night()
    repacked = io.BytesIO(boundaries)
    with zipfile.ZipFile(repacked, "a") as archive:
        archive.writestr("dokumentation/neu.txt", "neu")
    office.server.serve(VG250, repacked.getvalue())

    assert office.night(400)["grenzen"].result == UNCHANGED
    sidecars = [json.loads(path.read_text()) for path in office.folder("grenzen").glob("*/*.source.json")]
    assert [(sidecar["retrieved"], sidecar["attribution"][:13]) for sidecar in sidecars] == [
        ("2026-02-01", "© BKG (2026) ")
    ] * 2


def test_a_newer_product_takes_the_place_of_the_older(office: Office, product: Callable[..., bytes]) -> None:
    office.night()
    office.server.serve(VG250, product(stand="01.01.2026"))

    assert office.night(1)["grenzen"].result == NEW
    assert read_state(office.folder("grenzen")).parts["boundaries_current"].standing == "2026-01-01"


@pytest.mark.slow
def test_only_this_product_and_the_one_before_stay_on_the_disk(office: Office, product: Callable[..., bytes]) -> None:
    for year in (2022, 2023, 2024, 2025):
        office.server.serve(VG250, product(stand=f"01.01.{year}"))
        office.night()

    assert len([path for path in office.folder("grenzen").iterdir() if path.is_dir()]) == 2


def test_the_office_s_raw_file_is_not_kept(office: Office) -> None:
    """It may hold more than what is taken from it, such as names and e-mail addresses."""
    office.night()

    assert not list(office.folder("gremien").rglob("produkt*"))
    assert list(office.folder("grenzen").rglob("produkt.zip"))


# --- nights that fail ----------------------------------------------------------------------------------------------


def without_half(layers: Layers) -> Layers:
    return layers | {"vg250_gem": layers["vg250_gem"].iloc[:5]}


def renamed_layer(layers: Layers) -> Layers:
    return {name.replace("_gem", "_orte"): frame for name, frame in layers.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (status(404), "die Datei gibt es unter dieser Adresse nicht"),
        (status(500), "der Server antwortet mit 500 (4-mal versucht)"),
        (reset(0.5), "die Verbindung kam nicht zustande oder brach ab"),
        (typed("application/zip", b"<!DOCTYPE html><html>Wartung</html>"), "das ist keine Datei der Art .zip"),
        (typed("application/zip", b""), "die Datei ist leer"),
        (typed("application/zip", b"PK\x03\x04" + b"x" * 5000), "die Datei ist kein vollständiges Zip-Archiv"),
    ],
)
def test_a_source_that_fails_keeps_its_last_good_state_and_the_others_go_on(
    office: Office, fault: Callable[..., int], reason: str
) -> None:
    office.night()
    before = {name: content for name, content in office.files().items() if not name.endswith("state.json")}
    office.server.serve(VG250, b"neu")
    office.server.fail(VG250, fault, times=4)
    office.server.serve(COMMITTEES, (KLEINLAND / "committees.csv").read_bytes() + b"\r\n", CSV)
    states = office.night(3)

    assert results(states) == {"grenzen": KEPT, "gremien": UNCHANGED}
    assert states["grenzen"].text.startswith("grenzen: letzter guter Stand vom 01.02.2026, weil: ")
    assert reason in states["grenzen"].text
    kept = {name: content for name, content in office.files().items() if not name.endswith("state.json")}
    assert before.items() <= kept.items()
    state = read_state(office.folder("grenzen"))
    assert (state.last_success, state.last_try) == ("2026-02-01", "2026-02-04")


@pytest.mark.parametrize(
    ("edit", "stand", "reason"),
    [
        (without_half, "01.01.2026", "die 5 Gemeinden von Kleinland bedecken"),
        (renamed_layer, "01.01.2026", "erwartet wird je eine Ebene, die auf „_gem“ endet"),
        (dict, "01.01.2024", "das Produkt hat den Stand 01.01.2024 und ist älter als der vorhandene (01.01.2025)"),
    ],
)
def test_a_product_that_is_not_what_it_should_be_never_becomes_the_present_one(
    office: Office, product: Callable[..., bytes], edit: Callable[[Layers], Layers], stand: str, reason: str
) -> None:
    office.night()
    office.server.serve(VG250, product(edit, stand))
    state = office.night(1)["grenzen"]

    assert state.result == KEPT
    assert reason in state.error
    assert all(finding.remedy for finding in state.findings)
    assert read_state(office.folder("grenzen")).parts["boundaries_current"].standing == "2025-01-01"


def test_a_source_recovers(office: Office) -> None:
    office.night()
    office.server.fail(VG250, status(404))
    office.night(1)

    assert office.night(2)["grenzen"].result == UNCHANGED
    assert read_state(office.folder("grenzen")).last_error == ""


def test_a_snapshot_that_a_kill_left_behind_does_not_count(
    office: Office, product: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the snapshot was written and before it became the present one."""
    office.night()
    good = read_state(office.folder("grenzen"))
    office.server.serve(VG250, product(stand="01.01.2026"))

    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("flows.sources.snapshots.write_state", killed)
        office.night(1)
    assert read_state(office.folder("grenzen")) == good
    assert office.night(2)["grenzen"].result == NEW


@pytest.mark.parametrize("content", ["", "{", "[]", '{"parts": {}, "unbekannt": 1}'])
def test_a_source_with_a_damaged_state_is_fetched_anew(office: Office, content: str) -> None:
    office.night()
    (office.folder("grenzen") / "state.json").write_text(content)

    assert office.night(1)["grenzen"].result == NEW
    assert office.server.statuses(VG250) == [200, 200]


def test_a_snapshot_that_was_damaged_is_fetched_anew(office: Office) -> None:
    """The server would say that nothing changed, and the damage would stay."""
    office.night()
    next(office.folder("gremien").glob("*/committees.csv")).write_bytes(b"kaputt")

    assert office.night(1)["gremien"].result == NEW
    assert "committees" in {source.dataset for source in office.acquired(1)[0].profile.sources}


def test_a_product_is_read_anew_when_the_profile_wants_something_else_of_it(office: Office) -> None:
    office.night()
    path = office.geodata / VARIANT / "profile.toml"
    path.write_text(path.read_text().replace('kind = "vg250"', 'kind = "vg250"\nstanding = "2025-06-30"'))

    assert office.night(1)["grenzen"].result == NEW
    assert office.server.statuses(VG250) == [200, 200]


def test_a_survey_is_read_anew_when_the_register_names_other_towns(office: Office, tmp_path: Path) -> None:
    """Without a frame its respondents are looked up there; the export itself has not changed."""
    place = tmp_path / "umfrage"
    place.mkdir()
    (place / "export.csv").write_bytes(limesurvey_csv([{"G01Q01": "Aldorf", "G01Q02": "A1"}]))
    (office.geodata / VARIANT / "fragen.csv").write_text(LIMESURVEY_MAPPING)
    text = f'kind = "limesurvey"\nwave = "2020"\nmapping = "fragen.csv"\nplace = "{place}"\n'
    office.configure(f"[fetch.umfrage]\n{text}")
    assert office.night()["umfrage"].result == NEW
    register = next(source.file for source in office.profile.sources if source.dataset == "register")
    register.write_text(register.read_text().replace("Aldorf", "Altdorf"))

    state = office.night(1)["umfrage"]
    assert state.result == KEPT
    assert "Meinten Sie „Altdorf“?" in state.error


# --- products with another address each time -----------------------------------------------------------------------


@pytest.fixture(scope="session")
def country(geodata: Path, tmp_path_factory: pytest.TempPathFactory) -> Country:
    return country_of(joined_run(load_profile(geodata, "kleinland"), tmp_path_factory.mktemp("land")))


@pytest.mark.slow
def test_the_register_is_that_of_the_newest_quarter_that_has_come_out(
    office: Office, country: Country, tmp_path: Path
) -> None:
    """Until a quarter's file comes out, that of a year ago lies at its address, or none."""
    address = office.server.url("/AuszugGV{quarter}QAktuell.xlsx") + "?__blob=publicationFile&key=geheim"
    office.configure(f'[fetch.verzeichnis]\nkind = "auszug_gv"\nplace = "{address}"\n')

    def lay(quarter: int, standing: date) -> None:
        content = auszug_gv(tmp_path / "x.xlsx", country, standing, standing).read_bytes()
        office.server.serve(f"/AuszugGV{quarter}QAktuell.xlsx", content, XLSX)

    def standing() -> str | None:
        return read_state(office.folder("verzeichnis")).parts["register_current"].standing

    lay(4, date(2024, 12, 31))
    lay(3, date(2025, 9, 30))
    assert office.night()["verzeichnis"].result == NEW
    assert standing() == "2025-09-30"
    sidecar = json.loads(next(office.folder("verzeichnis").glob("*/register_current.csv.source.json")).read_text())
    assert sidecar["url"] == office.server.url("/AuszugGV3QAktuell.xlsx?__blob=publicationFile")

    assert office.night(1)["verzeichnis"].result == UNCHANGED
    assert office.server.statuses("/AuszugGV3QAktuell.xlsx") == [200, 304]

    lay(4, date(2025, 12, 31))
    assert office.night(2)["verzeichnis"].result == NEW
    assert standing() == "2025-12-31"

    # The year-old file was fetched once, and no more while it stayed the same.
    assert office.server.statuses("/AuszugGV4QAktuell.xlsx") == [200, 304, 200]

    # In April the first quarter's is the one to look for, and there is none yet.
    assert office.night(60)["verzeichnis"].result == UNCHANGED
    assert office.server.statuses("/AuszugGV1QAktuell.xlsx") == [404]

    # A year on, the file that was taken then still lies at the fourth quarter's address, and is no more what is wanted.
    lay(3, date(2026, 9, 30))
    assert office.night(340)["verzeichnis"].result == NEW
    assert standing() == "2026-09-30"


@pytest.mark.slow
def test_the_lists_of_changes_of_all_years_and_one_that_has_not_come_out(
    office: Office, country: Country, tmp_path: Path
) -> None:
    first, second, *_ = country.municipalities
    merged = Change(second, "1", first, date(2025, 1, 1))
    address = office.server.url("/{year}.xlsx")
    office.configure(f'[fetch.umbau]\nkind = "gebietsaenderungen"\nplace = "{address}"\nsince = "2024"\n')
    for year in (2024, 2025):
        content = gebietsaenderungen(tmp_path / "x.xlsx", [merged]).read_bytes()
        office.server.serve(f"/{year}.xlsx", content, XLSX)

    assert results(office.night()) == {"umbau_2024": NEW, "umbau_2025": NEW, "umbau_2026": PENDING}
    profile = replace(office.profile, territory_basis="aktuell")
    effective = effective_sources(profile, sources_folder(office.store.workspace), tmp_path / "zusammen", FIRST)
    assert "municipal_changes_current" in effective.confirmed


# --- secrets -------------------------------------------------------------------------------------------------------


def test_the_share_link_is_in_no_file(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    office.night()
    office.server.fail(COMMITTEES, status(403), times=2)
    office.night(1)
    arguments = ["--geodata", str(office.geodata), "--outputs", str(office.outputs), "--profile", VARIANT]
    praevkarte(["fetch", *arguments, "--json"])

    shown = capsys.readouterr()
    assert TOKEN not in shown.out + shown.err
    assert "403" in shown.out
    assert not [name for name, content in office.files().items() if TOKEN.encode() in content]
    sidecar = json.loads(next(office.folder("gremien").glob("*/*.source.json")).read_text())
    assert sidecar["url"] == f"http://127.0.0.1:{office.server.port}"


def test_a_missing_token_is_a_failure_like_any_other(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.night()
    monkeypatch.delenv("SHARE_TOKEN")
    state = office.night(1)["gremien"]

    assert state.result == KEPT
    assert "das Token fehlt. Bitte die Umgebungsvariable „SHARE_TOKEN“ setzen." in state.error


def test_a_token_in_the_profile_is_refused_without_showing_it(office: Office) -> None:
    path = office.geodata / VARIANT / "profile.toml"
    path.write_text(path.read_text().replace("env:SHARE_TOKEN", TOKEN))

    with pytest.raises(WrongUsage, match="nie das Token selbst") as caught:
        office.night()
    assert TOKEN not in str(caught.value)


# --- watched folders -----------------------------------------------------------------------------------------------


@pytest.fixture
def share(office: Office, tmp_path: Path) -> Path:
    """A folder in which the office lays its committees."""
    place = tmp_path / "ablage"
    office.configure(f'[fetch.gremien]\nkind = "table"\ndataset = "committees"\nplace = "{place}"\n')
    place.mkdir()
    return place


def lay(file: Path, content: bytes, seconds: int) -> None:
    import os

    file.write_bytes(content)
    os.utime(file, (seconds, seconds))


def test_the_newest_finished_file_of_a_folder_counts(office: Office, share: Path) -> None:
    good = (KLEINLAND / "committees.csv").read_bytes()
    lay(share / "Gremien 2025.csv", b"alt", 100)
    lay(share / "Gremien 2026.csv", good, 200)
    for name in ("~$Gremien.csv", ".gremien.csv", "Gremien.csv.part", "Notizen.docx"):
        lay(share / name, b"unfertig", 300)

    assert office.night()["gremien"].result == NEW
    assert office.night(1)["gremien"].result == UNCHANGED


def test_an_empty_folder_leaves_the_file_of_the_profile(office: Office, share: Path) -> None:
    state = office.night()["gremien"]

    assert state.result == MISSING
    assert state.error.startswith(f"Quelle „gremien“: im Ordner {share} liegt keine Datei *.xlsx, *.csv.")
    run, _ = office.acquired()
    assert read_manifest(run)["eingaben"]["committees"]["origin"] == "erfunden für die Tests"


def test_a_file_with_a_wrong_column_keeps_the_last_good_one(office: Office, share: Path) -> None:
    good = (KLEINLAND / "committees.csv").read_bytes()
    lay(share / "Gremien.csv", good, 100)
    office.night()
    lay(share / "Gremien.csv", good.replace(b"gremium_id", b"gremiumid", 1), 200)
    state = office.night(1)["gremien"]

    assert state.result == KEPT
    assert "Gremien.csv, Zeile 1, Spalte „gremium_id“: die Spalte fehlt." in state.error


def test_a_workbook_that_no_reader_expects_fails_alone(office: Office, share: Path) -> None:
    """Packed in a way that no spreadsheet program writes, and damaged."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("[Content_Types].xml", bytes(range(256)) * 40)
    content = bytearray(packed.getvalue())
    content[80:100] = bytes(20)
    lay(share / "Gremien.xlsx", bytes(content), 100)
    state = office.night()["gremien"]

    assert state.result == MISSING
    assert "die Datei ließ sich nicht lesen (LZMAError); sie ist beschädigt oder anders aufgebaut." in state.error


# --- what a run makes of it ----------------------------------------------------------------------------------------


def test_a_fetched_table_takes_the_place_of_the_profile_s_file(office: Office) -> None:
    office.night()
    run, _ = office.acquired()

    record = read_manifest(run)["eingaben"]["committees"]
    assert record["retrieved"] == "2026-02-01"
    assert record["attribution"] == "Kleinland, erfundene Daten"
    assert [source.dataset for source in run.profile.sources].count("committees") == 1


def test_current_boundaries_are_no_input_of_the_survey_s_map(office: Office, product: Callable[..., bytes]) -> None:
    """A new VG250 must not make a new release of a map that does not show it."""
    office.night()
    before = read_manifest(office.acquired()[0])
    office.server.serve(VG250, product(stand="01.01.2026"))
    office.night(1)

    assert "boundaries_current" not in before["eingaben"]
    after = read_manifest(office.acquired(1)[0])
    assert after["eingaben_fingerabdruck"] == before["eingaben_fingerabdruck"]


def test_a_map_of_the_present_has_the_dates_of_its_products(office: Office) -> None:
    office.night()
    for dataset, origin in (("register", "register.csv"), ("population", "population.csv")):
        folder = office.geodata / "kleinland"
        newer = (folder / origin).read_text().replace("2018-12-31", "2024-12-31")
        (folder / f"{dataset}_current.csv").write_text(newer)
        sidecar = json.loads((folder / f"{origin}.source.json").read_text())
        described = json.dumps(sidecar | {"edited_here": True})
        (folder / f"{dataset}_current.csv.source.json").write_text(described)
    current = {
        dataset: office.geodata / "kleinland" / f"{dataset}_current.csv" for dataset in ("register", "population")
    }
    sources = (*office.profile.sources, *(Source(f"{name}_current", file) for name, file in current.items()))
    profile = replace(office.profile, territory_basis="aktuell", sources=sources)
    run = Run(profile, FIRST, office.store, "test", office.outputs / ".work" / "test")
    acquire(run)

    assert settled(run).profile.territory_date == date(2025, 1, 1)
    assert settled(run).profile.population_date == date(2024, 12, 31)
    assert settled(run).profile.boundaries_date == profile.boundaries_date


def test_the_population_of_the_present_may_be_a_sheet_of_a_workbook(office: Office, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.create_sheet("Zahlen").append(("ags", "einwohner", "einwohner_stand", "gebietsstand"))
    book["Zahlen"].append(("99001001", 5, date(2024, 12, 31), "2025-01-01"))
    book.save(tmp_path / "zahlen.xlsx")
    described = (office.geodata / "kleinland" / "population.csv.source.json").read_text()
    for name, content in (("zahlen.xlsx", None), ("register.csv", b"ags\r\n99001001\r\n")):
        if content:
            (tmp_path / name).write_bytes(content)
        sidecar = json.dumps(json.loads(described) | {"edited_here": True})
        (tmp_path / f"{name}.source.json").write_text(sidecar)
    office.night()
    given = (
        Source("register_current", tmp_path / "register.csv"),
        Source("population_current", tmp_path / "zahlen.xlsx", "Zahlen"),
    )
    profile = replace(office.profile, territory_basis="aktuell", sources=(*office.profile.sources, *given))
    run = Run(profile, FIRST, office.store, "test", office.outputs / ".work" / "test")
    acquire(run)

    assert settled(run).profile.population_date == date(2024, 12, 31)


def test_a_map_of_the_present_without_its_sources(office: Office) -> None:
    office.night()
    run = Run(replace(office.profile, territory_basis="aktuell"), FIRST, office.store, "test", office.outputs / "w")

    with pytest.raises(WrongUsage, match="dazu fehlt: register_current, population_current"):
        acquire(run)


def test_a_needed_source_that_was_never_had_ends_the_run(office: Office, server: FaultServer) -> None:
    server.files.clear()
    office.night()
    run = Run(replace(office.profile, territory_basis="aktuell"), FIRST, office.store, "test", office.outputs / "w")

    with pytest.raises(SourceUnavailable, match="von „boundaries_current“ gibt es keinen guten Stand") as caught:
        acquire(run)
    assert "(404)" in str(caught.value)
    assert "`praevkarte fetch`" in str(caught.value)


def test_the_years_of_a_dataset_come_together(office: Office, tmp_path: Path) -> None:
    office.configure(
        '[fetch.jahr_2024]\nkind = "gebietsaenderungen"\nplace = "a"\n'
        '[fetch.jahr_2025]\nkind = "gebietsaenderungen"\nplace = "b"\n'
    )
    for year in (2024, 2025):
        _snapshot_of_changes(office.folder(f"jahr_{year}"), year)
    profile = replace(office.profile, territory_basis="aktuell")
    effective = effective_sources(profile, sources_folder(office.store.workspace), tmp_path / "zusammen", FIRST)

    file = next(source.file for source in effective.sources if source.dataset == "municipal_changes_current")
    assert file.read_bytes() == b"a,b\r\n2024,1\r\n2025,1\r\n"
    sidecar = json.loads(file.with_name(f"{file.name}.source.json").read_text())
    assert sidecar["title"] == "Änderungen 2024; Änderungen 2025"
    assert sidecar["retrieved"] == "2025-02-01"
    assert effective.confirmed["municipal_changes_current"] == date(2024, 2, 1)


def _snapshot_of_changes(folder: Path, year: int) -> None:
    name = f"{'0' * 64}-{'1' * 16}"
    (folder / name).mkdir(parents=True)
    file = folder / name / "municipal_changes_current.csv"
    file.write_bytes(f"a,b\r\n{year},1\r\n".encode())
    words = ("origin", "url", "licence", "licence_url", "attribution", "sha256")
    sidecar = dict.fromkeys(words, "erfunden") | {"title": f"Änderungen {year}", "retrieved": f"{year}-02-01"}
    file.with_name(f"{file.name}.source.json").write_text(json.dumps(sidecar | {"bytes": 0, "edited_here": False}))
    part = {"file": file.name, "sha256": sha256_of(file), "standing": None, "extent": 1.0}
    state = {"settings": "1" * 64, "product": "0" * 64, "parts": {"municipal_changes_current": part}}
    (folder / "state.json").write_text(json.dumps(state | {"last_success": f"{year}-02-01"}))


@pytest.mark.slow
def test_a_look_at_the_inputs_fetches_nothing(office: Office, release: Callable[..., Outcome]) -> None:
    office.night()
    asked = len(office.server.requests)
    rows = release(office.geodata, office.outputs, stages=INPUT_STAGES).reports["load"].rows

    assert rows["committees"] > 0
    assert len(office.server.requests) == asked


# --- ages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "state"), [(0, FRESH), (30, FRESH), (31, OLD), (90, OLD), (91, TOO_OLD), (-5, FRESH), (None, UNKNOWN)]
)
def test_a_source_is_old_after_its_limit_and_too_old_after_the_next(
    geodata: Path, days: int | None, state: str
) -> None:
    profile = replace(load_profile(geodata, "kleinland"), warn_after={"committees": 30}, hold_after={"committees": 90})
    retrieved = None if days is None else FIRST - timedelta(days=days)

    assert age_of("committees", retrieved, FIRST, profile).state == state
    assert age_of("register", retrieved, FIRST, profile).state in (FRESH, UNKNOWN)


def test_what_is_confirmed_every_night_does_not_age(office: Office) -> None:
    office.configure(
        (office.geodata / VARIANT / "profile.toml").read_text().partition("\n")[2]
        + "[warn_after_days]\ncommittees = 30\n"
    )
    office.night()
    office.night(300)

    assert settled(office.acquired(300)[0]).profile.old == ()
    run, report = office.acquired(331)
    assert run.profile.old == ("committees",)
    assert "committees: Stand vom 28.11.2026, 31 Tage alt; das ist alt, bitte erneuern." in report.notes
    assert parameters(run.profile) == parameters(office.acquired(340)[0].profile)


@pytest.fixture
def ageing(office: Office) -> Office:
    """An office whose committees may be 30 days old, and 90 without a person's word."""
    text = (office.geodata / VARIANT / "profile.toml").read_text().partition("\n")[2]
    office.configure(f"{text}[warn_after_days]\ncommittees = 30\n[hold_after_days]\ncommittees = 90\n")
    return office


@pytest.mark.slow
def test_a_source_grows_old_over_the_nights(ageing: Office, tmp_path: Path) -> None:
    """Published; old, which the release says; too old, so a person decides; approved; recovered."""

    def night(number: int) -> Outcome:
        with lean():
            return run_stages(ageing.profile, ageing.outputs, FIRST + timedelta(days=number), call=lean_call)

    assert night(0).result == "published"
    served = ageing.server.files.pop(COMMITTEES)
    assert night(1).result == "unchanged"
    old = night(31)
    assert old.result == "published"
    assert any(note.startswith("gremien: letzter guter Stand vom 01.02.2026") for note in old.reports["acquire"].notes)
    assert night(32).result == "unchanged"
    held = night(91)
    assert held.result == "held"
    assert "committees: die Quelle ist älter als die 90 Tage" in (Path(held.address or "") / "bericht.md").read_text()
    assert night(92).result == "held"
    assert (ageing.outputs / "latest").readlink().name == old.release_id
    assert approve(
        ageing.store, str(held.release_id), "Neueres gibt es nicht", "Fachstelle", FIRST + timedelta(days=92)
    )
    assert night(93).result == "unchanged"
    ageing.server.files[COMMITTEES] = served
    assert night(94).result == "published"
    settings = json.loads((ageing.outputs / "latest" / "provenance.json").read_text())["parameter"]
    assert settings["quellen_alt"] == settings["quellen_zu_alt"] == []

    with lean():
        again = rebuild(ageing.store, str(old.release_id), tmp_path / "rebuilt")
    sums = ageing.outputs / "releases" / str(old.release_id) / "SHA256SUMS"
    assert (again / "SHA256SUMS").read_bytes() == sums.read_bytes()


# --- the profile's words -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('kind = "vg251"\nplace = "x"', "die Art „vg251“ gibt es nicht. Möglich: vg250, auszug_gv"),
        ('kind = "vg250"\nplace = "http://bkg.example/x"', "„place“: die Adresse muss mit https:// beginnen"),
        ('kind = "vg250"\nplace = "x"\nsheet = "1"', "„sheet“ gibt es bei dieser Art nicht. Möglich: standing"),
        ('kind = "vg250"\nplace = "x"\nstanding = "heute"', "„standing“ ist kein Datum in der Form JJJJ-MM-TT."),
        ('kind = "vg250"\nplace = "x"\nmegabytes = "1,5"', "„megabytes“ muss eine Zahl größer als 0 sein"),
        ('kind = "vg250"\nplace = "x"\npattern = "/ablage/*.zip"', "„pattern“ muss ein Muster für Dateinamen sein"),
        ('kind = "vg250"\nplace = "x"\npattern = ""', "„pattern“ muss ein Muster für Dateinamen sein"),
        ('kind = "table"\nplace = "x"', "die Angabe „dataset“ fehlt."),
        (
            'kind = "table"\nplace = "x"\ndataset = "gibtsnicht"',
            "für den Datensatz „gibtsnicht“ gibt es keinen Vertrag",
        ),
        ('kind = "table"\nplace = "https://c.example/{token}"\ndataset = "committees"', "aber „token“ fehlt"),
        ('kind = "gebietsaenderungen"\nplace = "https://d.example/{year}.xlsx"', "gehören zusammen"),
        ('kind = "vg250"\nplace = "ordner/{year}"', "gibt es nur in Adressen öffentlicher Produkte"),
        ('kind = "vg250"\nplace = "x"\n[fetch.b]\nkind = "vg250"\nplace = "y"', "liefert schon [fetch.a]."),
    ],
)
def test_a_fetch_that_cannot_be_meant(office: Office, settings: str, message: str) -> None:
    office.configure(f"[fetch.a]\n{settings}\n")

    with pytest.raises(WrongUsage) as caught:
        check_fetches(office.profile)
    assert message in str(caught.value)


# --- the command ---------------------------------------------------------------------------------------------------


def test_the_command_tells_each_source_in_a_line(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--geodata", str(office.geodata), "--outputs", str(office.outputs), "--profile", VARIANT]
    assert praevkarte(["fetch", *arguments, "--date", "2026-02-01"]) == 0
    assert capsys.readouterr().out == "grenzen: neu\ngremien: neu\n"

    office.server.fail(VG250, status(404))
    assert praevkarte(["fetch", *arguments, "--date", "2026-02-02"]) == 0
    assert capsys.readouterr().out.startswith("grenzen: letzter guter Stand vom 01.02.2026, weil: ")


def test_the_command_fails_only_without_any_state(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    office.server.files.pop(VG250)
    arguments = ["--geodata", str(office.geodata), "--outputs", str(office.outputs), "--profile", VARIANT]

    assert praevkarte(["fetch", *arguments]) == 3
    shown = capsys.readouterr()
    assert "gremien: neu" in shown.out
    assert "Ohne jeden Stand: grenzen." in shown.err
    assert praevkarte(["fetch", *arguments, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["quellen"][0]["result"] == MISSING
