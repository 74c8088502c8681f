"""A profile for another Land: what ``praevkarte profile new`` writes, and that it can be released without code."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest
from npm_package import FILES, PACKAGE, Layers, Npm, package, properties_of

from flows.cli import run as praevkarte
from flows.contracts import Code, code_list
from flows.errors import WrongUsage
from flows.office.profile_new import TABLES, make_profile, planned
from flows.paths import GEODATA
from flows.profile import Profile, load_profile
from flows.sidecar import read_sidecar, sha256_of
from flows.sources.kinds import check_fetches
from flows.stages import Outcome

TODAY = date(2026, 2, 1)
LAND, NAME = "15", "sachsen-anhalt"


@pytest.fixture
def geodata(tmp_path: Path) -> Path:
    """A geodata folder with the project's own profiles, without their files."""
    folder = tmp_path / "geodata"
    for name in ("thueringen", "deutschland"):
        (folder / name).mkdir(parents=True)
        shutil.copyfile(GEODATA / name / "profile.toml", folder / name / "profile.toml")
    return folder


def edit(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        text, count = re.subn(old, new, text)
        assert count, old
    file.write_text(text, encoding="utf-8")


def made(geodata: Path, *lands: str, name: str | None = None) -> Profile:
    new = planned(lands, name)
    make_profile(geodata, new, TODAY)
    return load_profile(geodata, new.name)


# --- all of Germany ------------------------------------------------------------------------------------------------


def test_germany_has_every_land_and_never_thuringias_boundaries() -> None:
    """Thuringia's boundary file must not stand in for a country whose own could not be fetched."""
    germany = load_profile(GEODATA, "deutschland")

    assert germany.lands == tuple(land.code for land in code_list("land"))
    assert "boundaries" not in {source.dataset for source in germany.sources}
    assert [fetch.kind for fetch in germany.fetches] == ["vg250_npm"]
    check_fetches(germany)


# --- what is written -----------------------------------------------------------------------------------------------


def test_a_profile_has_every_setting_and_needs_no_other(geodata: Path) -> None:
    profile = made(geodata, LAND)

    assert (profile.name, profile.lands, profile.title) == (NAME, (LAND,), "Präventionskarte Sachsen-Anhalt")
    assert profile.outputs == NAME
    assert profile.draft
    check_fetches(profile)
    assert "extends" not in (profile.folder / "profile.toml").read_text(encoding="utf-8")


def test_nothing_is_said_that_only_another_office_can_say(geodata: Path) -> None:
    """An office's name, addresses, law, survey and records are its own, though they were filled in for Germany."""
    edit(
        geodata / "deutschland" / "profile.toml",
        (r"\A", '[publisher]\nname = "Amt"\nemail = "info@amt.example"\n[survey]\nwave = "2020"\n'),
        (r"(?s)\A(.*?)(# All of Germany.*?\n)(?=\[thresholds\])", r"\2\n\1"),
    )
    assert load_profile(geodata, "deutschland").publisher.name == "Amt"

    profile = made(geodata, LAND)
    told = [*asdict(profile.publisher).values(), *asdict(profile.privacy).values()]
    told += [*asdict(profile.accessibility).values(), profile.base_url, profile.target, profile.signature_key]
    assert not any(told)
    assert profile.wave == ""
    assert profile.changes_lands == ()
    assert {source.file.parent for source in profile.sources} == {profile.folder}
    assert not profile.notices.recipients


def test_what_holds_for_every_land_is_that_of_germany(geodata: Path) -> None:
    profile, germany = made(geodata, LAND), load_profile(geodata, "deutschland")

    assert profile.fetches == germany.fetches
    assert profile.boundaries_date == germany.boundaries_date == profile.territory_date
    assert (profile.gates, profile.licence) == (germany.gates, germany.licence)
    assert (profile.set_aside, profile.stale_after) == (germany.set_aside, germany.stale_after)


def test_the_tables_are_empty_and_known_by_their_sidecars(geodata: Path) -> None:
    profile = made(geodata, LAND)

    assert [source.dataset for source in profile.sources] == list(TABLES)
    for source in profile.sources:
        head, *records = source.file.read_text(encoding="utf-8").splitlines()
        thuringia = (GEODATA / "thueringen" / source.file.name).read_text(encoding="utf-8").splitlines()[0]
        assert (head, records) == (thuringia, [])
        sidecar = read_sidecar(source.file)
        assert (sidecar.sha256, sidecar.edited_here) == (sha256_of(source.file), True)
        assert sidecar.attribution == "Präventionskarte Sachsen-Anhalt"


# Thuringia has one.
@pytest.mark.parametrize("land", [land for land in code_list("land") if land.code != "16"], ids=lambda land: land.code)
def test_every_land_can_have_one(geodata: Path, land: Code) -> None:
    profile = made(geodata, land.code)

    assert profile.lands == (land.code,)
    assert profile.title.endswith(land.label)
    assert re.fullmatch(r"[a-z-]+", profile.name)


def test_several_laender_in_the_order_of_their_keys(geodata: Path) -> None:
    profile = made(geodata, "15", "04", "15")
    assert (profile.name, profile.lands) == ("bremen-sachsen-anhalt", ("04", "15"))
    assert profile.title == "Präventionskarte Bremen, Sachsen-Anhalt"

    assert made(geodata, "14", "16", name="mitte").name == "mitte"


def test_a_folder_that_is_there_stays_as_it_is(geodata: Path) -> None:
    made(geodata, LAND)
    committees = geodata / NAME / "committees.csv"
    committees.write_text("gepflegt", encoding="utf-8")

    with pytest.raises(WrongUsage, match="das gibt es schon und bleibt, wie es ist"):
        made(geodata, LAND)
    assert committees.read_text(encoding="utf-8") == "gepflegt"


@pytest.mark.parametrize(
    ("lands", "name", "wrong"),
    [
        (("17",), None, "--land 17: diesen Landesschlüssel gibt es nicht. Möglich: 01 Schleswig-Holstein, 02 Hamburg"),
        (("1",), None, "--land 1: diesen Landesschlüssel gibt es nicht"),
        (("15",), "../fremd", "--name ../fremd: erlaubt sind Kleinbuchstaben"),
        (("15",), "releases", "--name releases: so heißt schon etwas in den Ausgaben selbst"),
        (("15",), "inputs", "--name inputs: so heißt schon etwas in den Ausgaben selbst"),
    ],
)
def test_a_profile_that_cannot_be_meant(geodata: Path, lands: tuple[str, ...], name: str | None, wrong: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        made(geodata, *lands, name=name)
    assert wrong in str(caught.value)
    assert sorted(path.name for path in geodata.iterdir()) == ["deutschland", "thueringen"]


def test_the_command_says_what_it_wrote_and_what_comes_next(geodata: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert praevkarte(["profile", "new", "--land", LAND, "--geodata", str(geodata)]) == 0
    told = capsys.readouterr().out
    assert f"Geschrieben: {geodata / NAME / 'profile.toml'}" in told.replace("\n", "")
    assert f"1. Grenzen laden, einmalig mit npm: praevkarte fetch --profile {NAME}" in told

    command = ["profile", "new", "--land", "04", "--geodata", str(geodata), "--date", "2026-02-01", "--json"]
    assert praevkarte(command) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["profil"], answer["laender"], len(answer["dateien"])) == ("bremen", ["04"], 1 + 2 * len(TABLES))
    assert praevkarte(command) == 2, "the folder is there now"


# --- from an empty folder to a release -----------------------------------------------------------------------------


def saxony_anhalt(layers: Layers) -> None:
    """The made-up Land's units with the keys of Sachsen-Anhalt; the last municipality is a forest without one."""
    for layer in FILES:
        for row in properties_of(layers, layer):
            row.update(AGS=LAND + row["AGS"][2:], RS=LAND + row["RS"][2:], WSK="2016/01/01")
    for row in properties_of(layers, "lan"):
        row.update(GEN="Sachsen-Anhalt", BEZ="Land")
    *_, last = properties_of(layers, "gem")
    last.update(GEN="Hainwald", BEZ="Gemeindefreies Gebiet")


@pytest.fixture
def country(geodata: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The geodata folder, with a small product of Sachsen-Anhalt in the place of Germany's."""
    npm = Npm(tmp_path / "programme")
    monkeypatch.setenv("PATH", str(npm.folder), prepend=":")
    sha512 = npm.has(package(edit=saxony_anhalt))
    edit(
        geodata / "deutschland" / "profile.toml",
        (r'place = ".+"', f'place = "{PACKAGE}"'),
        (r'sha512 = ".+"', f'sha512 = "{sha512}"'),
    )
    return geodata


def records(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def texts(folder: Path) -> dict[str, str]:
    """Everything that people read in a release, by file; scripts and codebooks speak of every Land."""
    files = [*folder.glob("*.html"), *folder.glob("*.md"), *folder.glob("ort/*.html"), folder / "CITATION.cff"]
    return {file.name: file.read_text(encoding="utf-8") for file in files}


@pytest.mark.slow
def test_sachsen_anhalt_from_an_empty_folder_to_its_first_committee(
    country: Path, outputs: Path, release: Callable[..., Outcome]
) -> None:
    command = ["profile", "new", "--land", LAND, "--geodata", str(country), "--date", TODAY.isoformat(), "--quiet"]
    assert praevkarte(command) == 0

    first = release(country, outputs, TODAY, profile=NAME)
    assert first.result == "published"
    folder = outputs / NAME / "releases" / str(first.release_id)
    towns = records(folder, "gemeinden.csv")
    assert len(towns) == 10
    assert {row["ags"][:2] for row in towns} == {LAND}
    assert "Hainwald" in {row["gemeinde"] for row in towns}
    assert {(row["einwohner"], row["befragung_welle"], row["gremien_bekannt"]) for row in towns} == {("", "", "")}
    assert records(folder, "gremien.csv") == []
    pages = texts(folder)
    for name, text in pages.items():
        assert "Thüringen" not in text, name
        assert "2020" not in text, name
    assert "Zu diesem Gebiet liegt uns keine Befragung vor." in pages["befragung.html"]
    assert "Quellen im Netz" not in pages["methode.html"]

    town = next(row["ags"] for row in towns if row["gemeinde"] == "Aldorf")
    for table, record in (
        ("committees", f"aldorf-rat,Präventionsrat Aldorf,praeventionsrat,{town},2016-01-01,,,,"),
        ("evidence", "aldorf-rat-1,aldorf-rat,https://aldorf.example/rat,gemeinde,2026-01-05,aktiv,,,,,Mitteilung."),
    ):
        with (country / NAME / f"{table}.csv").open("a", encoding="utf-8", newline="") as stream:
            stream.write(f"{record}\r\n")
    second = release(country, outputs, date(2026, 2, 2), profile=NAME)
    assert second.result == "published"
    folder = outputs / NAME / "releases" / str(second.release_id)
    assert [(row["ags"], row["status"]) for row in records(folder, "gremien.csv")] == [(town, "aktiv")]
    assert "Präventionsrat Aldorf" in texts(folder)[f"{town}-aldorf.html"]
