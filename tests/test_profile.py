"""Profiles: everything that one publication sets, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from conftest import KLEINLAND, PROFILE, VARIANT
from packaged import filled_in

from flows.commands.office import LOOKED_AT
from flows.errors import WrongUsage
from flows.office.report import FOLDER as REPORTS
from flows.paths import GEODATA
from flows.profile import Profile, load_profile
from flows.serve import PUBLIC
from flows.settings import profile_names
from flows.sources.snapshots import sources_folder
from flows.stages import run_stages, store_of
from flows.store import Store
from flows.targets.local import LocalTarget

Make = Callable[..., Path]


def variant(make_geodata: Make, settings: str) -> Profile:
    """A profile that extends Kleinland by these settings."""
    return load_profile(make_geodata({"profile.toml": f'extends = "kleinland"\n{settings}'}), VARIANT)


def test_a_profile_holds_the_settings_of_its_file(geodata: Path) -> None:
    profile = load_profile(geodata, PROFILE)
    assert (profile.name, profile.lands, profile.wave) == ("kleinland", ("99",), "2020")
    assert (profile.territory_date, profile.population_date) == (date(2020, 6, 30), date(2018, 12, 31))
    assert {source.dataset for source in profile.sources} >= {"boundaries", "committees", "evidence"}
    assert all(source.file.is_file() for source in profile.sources)


def test_profiles_are_listed_by_name(make_geodata: Make) -> None:
    assert profile_names(make_geodata({"profile.toml": 'extends = "kleinland"\n'})) == ["kleinland", "variante"]


def test_an_extending_profile_replaces_only_what_it_states_again(make_geodata: Make) -> None:
    profile = variant(make_geodata, 'title = "Probe"\n[territory]\ndate = 2018-12-31\n')
    assert (profile.title, profile.territory_date) == ("Probe", date(2018, 12, 31))
    assert (profile.boundaries_date, profile.licence.name) == (date(2016, 1, 1), "dl-de/by-2-0")


def test_sources_lie_beside_the_profile_that_names_them(make_geodata: Make) -> None:
    profile = variant(make_geodata, '[sources]\nhints = "hinweise.csv"\n')
    folders = {source.dataset: source.file.parent.name for source in profile.sources}
    assert folders["hints"] == VARIANT
    assert folders["committees"] == PROFILE


def test_a_source_may_be_a_sheet_of_a_workbook(make_geodata: Make) -> None:
    profile = variant(make_geodata, '[sources]\ncommittees = "gremien.xlsx#Gremien 2026"\n')
    (source,) = (source for source in profile.sources if source.dataset == "committees")
    assert (source.file.name, source.sheet) == ("gremien.xlsx", "Gremien 2026")
    assert source.label == "gremien.xlsx [Gremien 2026]"


def test_an_empty_source_is_left_out(make_geodata: Make) -> None:
    profile = variant(make_geodata, '[sources]\nmonitoring = ""\n')
    assert "monitoring" not in {source.dataset for source in profile.sources}


def test_an_unknown_profile_is_answered_with_those_that_exist(geodata: Path) -> None:
    with pytest.raises(
        WrongUsage, match=r"Das Profil „thuringen“ gibt es nicht in .*\. Vorhanden: kleinland\."
    ) as caught:
        load_profile(geodata, "thuringen")
    assert caught.value.exit_code == 2


def test_an_extended_profile_must_exist(make_geodata: Make) -> None:
    with pytest.raises(WrongUsage, match="Das Profil „grossland“ gibt es nicht"):
        load_profile(make_geodata({"profile.toml": 'extends = "grossland"\n'}), VARIANT)


def test_a_file_that_is_no_toml_is_named(make_geodata: Make) -> None:
    with pytest.raises(WrongUsage, match=r"profile\.toml: die Datei ist kein gültiges TOML"):
        variant(make_geodata, 'lands = ["99"\n')


SETTINGS = (KLEINLAND / "profile.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("setting", ["title", "lands", "synthetic", "wave", "boundaries_date", "[publisher]"])
def test_a_missing_setting_is_named(tmp_path: Path, setting: str) -> None:
    lines = [line for line in SETTINGS.splitlines() if not line.startswith(setting)]
    folder = tmp_path / "lueckenhaft"
    folder.mkdir()
    (folder / "profile.toml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(WrongUsage, match=r"profile\.toml: die Einstellung"):
        load_profile(tmp_path, "lueckenhaft")


def test_a_misspelt_setting_is_named(make_geodata: Make) -> None:
    with pytest.raises(WrongUsage, match=r"„publisher\.mail“ gibt es nicht\. Meinten Sie „publisher\.email“\?"):
        variant(make_geodata, '[publisher]\nmail = "info@praevention.example"\n')


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('[territory]\ndate = "2020-06-30"\n', "„territory.date“ ist '2020-06-30'; erwartet wird ein Datum"),
        ("[survey]\nwave = 2020\n", "„survey.wave“ ist 2020; erwartet wird ein Text"),
        ('lands = "99"\n', "„lands“ ist '99'; erwartet wird eine Liste"),
        ("[gates]\nsmallest = true\n", "„gates.smallest“ ist True; erwartet wird eine Zahl"),
        ('[title]\nkurz = "Karte"\n', "die Einstellung „title.kurz“ gibt es nicht"),
    ],
)
def test_a_setting_of_the_wrong_type_is_named(make_geodata: Make, settings: str, words: str) -> None:
    with pytest.raises(WrongUsage, match=words):
        variant(make_geodata, settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("lands = []\n", "„lands“ ist leer"),
        ('lands = ["99", "99"]\n', "„lands“ nennt 99 mehrmals"),
        ('lands = ["99", "9"]\n', "„lands“ nennt „9“; ein Landesschlüssel hat zwei Ziffern"),
        ('lands = ["Berlin"]\n', "„lands“ nennt „Berlin“; ein Landesschlüssel hat zwei Ziffern"),
        ('[territory]\nchanges_lands = ["99", "99"]\n', "„territory.changes_lands“ nennt 99 mehrmals"),
        (
            '[territory]\nchanges_lands = ["99", "98"]\n',
            "„territory.changes_lands“ nennt 98; dieses Land steht nicht in",
        ),
        ('lands = ["11"]\n', "„territory.changes_lands“ nennt 99; dieses Land steht nicht in „lands“"),
    ],
)
def test_laender_that_cannot_be_meant_are_named(make_geodata: Make, settings: str, words: str) -> None:
    with pytest.raises(WrongUsage, match=words):
        variant(make_geodata, settings)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.0.0.1:8786",
        "http://127.0.0.1:8786",
        "foo://127.0.0.1:8786",
        "tcp://127.0.0.1",
        "tcp://:8786",
        "tcp://[::1:8786",
        "tcp://karte.example:99999",
        "tcp://karte.example:0",
        "tcp://karte.example:8786/",
        "tcp://eine karte:8786",
    ],
)
def test_the_address_of_a_cluster_has_scheme_host_and_port(make_geodata: Make, address: str) -> None:
    with pytest.raises(WrongUsage, match=r"„runner\.dask_address“ ist „.+“; erwartet wird tcp://RECHNER:PORT"):
        variant(make_geodata, f'[runner]\ndask_address = "{address}"\n')


@pytest.mark.parametrize("address", ["", "tcp://10.0.0.5:8786", "tls://karte-1.example:8786", "tcp://[fd00::5]:8786"])
def test_a_cluster_may_be_anywhere(make_geodata: Make, address: str) -> None:
    assert variant(make_geodata, f'[runner]\ndask_address = "{address}"\n').dask_address == address


@pytest.mark.parametrize("section", ["warn_after_days", "hold_after_days"])
def test_a_limit_for_a_misspelt_dataset_is_named(make_geodata: Make, section: str) -> None:
    with pytest.raises(
        WrongUsage, match=rf"\[{section}\] nennt „evidnce“; diesen Datensatz gibt es nicht\. Meinten Sie „evidence“\?"
    ):
        variant(make_geodata, f"[{section}]\nevidnce = 400\n")


def test_a_profile_is_saved_in_utf_8(make_geodata: Make) -> None:
    text = 'extends = "kleinland"\ntitle = "Präventionskarte"\n'
    with pytest.raises(WrongUsage, match=r"profile\.toml: die Datei ist nicht in UTF-8 gespeichert"):
        load_profile(make_geodata({"profile.toml": text.encode("cp1252")}), VARIANT)


def test_a_profile_extends_another_by_its_name(make_geodata: Make) -> None:
    with pytest.raises(WrongUsage, match="„extends“ ist 5; erwartet wird ein Text"):
        load_profile(make_geodata({"profile.toml": "extends = 5\n"}), VARIANT)


def test_a_profile_does_not_extend_itself(make_geodata: Make) -> None:
    with pytest.raises(WrongUsage, match="das Profil erweitert sich selbst"):
        load_profile(make_geodata({"profile.toml": f'extends = "{VARIANT}"\n'}), VARIANT)


def test_where_a_profile_publishes_is_never_inherited(tmp_path: Path) -> None:
    for name, text in (
        (
            "echt",
            SETTINGS.replace('target = ""', 'target = "s3://karte"').replace(
                'base_url = ""', 'base_url = "https://a.b"'
            ),
        ),
        ("probe", 'extends = "echt"\nsynthetic = true\noutputs = "probe"\n'),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "profile.toml").write_text(text, encoding="utf-8")
    real, trial = load_profile(tmp_path, "echt"), load_profile(tmp_path, "probe")
    assert (real.target, real.base_url) == ("s3://karte", "https://a.b")
    assert (trial.target, trial.base_url) == ("", "")


def test_a_profile_that_names_no_place_publishes_under_its_own_name(tmp_path: Path) -> None:
    """Never where the one publishes that it extends: each would take the other's releases for its own."""
    for name, text in (
        ("land", SETTINGS.replace('outputs = "."', 'outputs = "karten/land"')),
        ("kreis", 'extends = "land"\n'),
        ("stadt", 'extends = "kreis"\n'),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "profile.toml").write_text(text, encoding="utf-8")
    assert {name: load_profile(tmp_path, name).outputs for name in profile_names(tmp_path)} == {
        "land": "karten/land",
        "kreis": "kreis",
        "stadt": "stadt",
    }


STORE = Store(Path(), LocalTarget(Path()))


@pytest.mark.parametrize(
    "name",
    [
        *PUBLIC,
        *(path.parts[0] for path in (STORE.held, STORE.inputs, STORE.work, STORE.journal, sources_folder(Path()))),
        REPORTS,
        LOOKED_AT,
        ".well-known",
        "Releases",
    ],
)
def test_a_place_is_never_one_that_a_store_uses_itself(tmp_path: Path, name: str) -> None:
    """Below a public folder everything is public, inputs too; in the others releases would not be found."""
    (tmp_path / "echt").mkdir()
    for outputs in (name, f"karten/{name}", f"{name}/karten"):
        text = SETTINGS.replace('outputs = "."', f'outputs = "{outputs}"')
        (tmp_path / "echt" / "profile.toml").write_text(text, encoding="utf-8")
        with pytest.raises(WrongUsage, match="kein Teil davon darf mit einem Punkt beginnen oder heißen wie etwas in"):
            load_profile(tmp_path, "echt")


@pytest.mark.parametrize("outputs", ["..", "../andere", "/tmp", "a/../.."])
def test_releases_stay_below_the_outputs_folder(make_geodata: Make, outputs: str) -> None:
    with pytest.raises(WrongUsage, match="muss ein Ordner innerhalb der Ausgaben sein"):
        variant(make_geodata, f'outputs = "{outputs}"\n')


def test_a_persons_mailbox_is_no_contact(make_geodata: Make) -> None:
    with pytest.raises(WrongUsage, match=r"erika\.muster@praevention\.example; veröffentlicht werden nur"):
        variant(make_geodata, '[publisher]\nemail = "erika.muster@praevention.example"\n')


def test_synthetic_and_real_releases_never_share_a_target(make_geodata: Make, tmp_path: Path) -> None:
    target = f'target = "{tmp_path / "ziel"}"\n'
    real = variant(make_geodata, target)
    store_of(real, tmp_path).target.write(
        "releases.json", b'{"ausgaben": [{"ausgabe": "2026.11.22", "status": "veroeffentlicht"}], "sperren": []}'
    )
    trial = variant(make_geodata, f'synthetic = true\noutputs = "demo"\n{target}')
    with pytest.raises(WrongUsage, match="liegen schon echte Ausgaben"):
        run_stages(trial, tmp_path, date(2026, 11, 22))


@pytest.mark.parametrize("outputs", [".", "", "./", "x/.."])
def test_a_synthetic_profile_never_publishes_beside_real_releases(make_geodata: Make, outputs: str) -> None:
    with pytest.raises(WrongUsage, match="damit Beispieldaten nie neben echten stehen"):
        variant(make_geodata, f'synthetic = true\noutputs = "{outputs}"\n')


def test_a_synthetic_release_has_ids_of_its_own(make_geodata: Make, tmp_path: Path) -> None:
    profile = variant(make_geodata, 'synthetic = true\noutputs = "demo"\n')
    assert store_of(profile, tmp_path).prefix == "demo-"
    assert store_of(load_profile(make_geodata(), PROFILE), tmp_path).prefix == ""


def test_a_profile_is_a_draft_until_somebody_answers_for_it(make_geodata: Make, geodata: Path) -> None:
    assert load_profile(geodata, PROFILE).draft
    public = 'base_url = "https://praevention.example/karte/"\n'
    sections = """[publisher]
name = "Präventionsstelle"
email = "info@praevention.example"
address = "Markt 1, 99999 Eichen"
represented_by = "Leitung der Präventionsstelle"
[privacy]
officer = "datenschutz@praevention.example"
hosting = "Die Stelle liefert die Seiten selbst aus, ohne Protokolle."
[accessibility]
assessed = "Selbstbewertung vom 1. Juni 2026"
feedback = "barrierefreiheit@praevention.example"
enforcement = "Ausgleichsstelle, Markt 2, 99999 Eichen"
"""
    assert not variant(make_geodata, public + sections).draft
    assert variant(make_geodata, sections).missing == ("öffentliche Internetadresse",)


@pytest.mark.parametrize(
    ("setting", "title"),
    [
        ("represented_by", "Vertretung"),
        ("officer", "Datenschutzbeauftragte"),
        ("enforcement", "Durchsetzungsstelle"),
    ],
)
def test_a_draft_names_each_statement_that_is_missing(geodata: Path, setting: str, title: str) -> None:
    profile = filled_in(load_profile(geodata, PROFILE))
    part = next(name for name in ("publisher", "privacy", "accessibility") if hasattr(getattr(profile, name), setting))
    lacking = replace(profile, **{part: replace(getattr(profile, part), **{setting: ""})})
    assert (lacking.draft, lacking.missing) == (True, (title,))


def test_a_draft_stays_on_this_machine(geodata: Path, outputs: Path) -> None:
    draft = replace(load_profile(geodata, PROFILE), target="s3://gibtesnicht/x")
    with pytest.raises(WrongUsage, match=r"ist ein Entwurf und darf nicht nach .* Bitte ergänzen: Herausgeber, "):
        run_stages(draft, outputs, date(2026, 2, 1))


@pytest.mark.parametrize("setting", ["privacy]\nofficer", "accessibility]\nfeedback"])
def test_every_published_address_is_a_function_mailbox(make_geodata: Make, setting: str) -> None:
    with pytest.raises(WrongUsage, match=r"nur Funktionspostfächer\. Erlaubt ist vor dem @: info, kontakt, "):
        variant(make_geodata, f'[{setting} = "erika.muster@praevention.example"\n')


def test_notices_are_not_published_and_go_to_whom_the_operator_wants(make_geodata: Make) -> None:
    notices = '[notices]\nsender = "noreply@karte.example"\nrecipients = ["admin-dienst@karte.example"]\n'
    told = variant(make_geodata, notices).notices
    assert (told.sender, told.recipients) == ("noreply@karte.example", ("admin-dienst@karte.example",))


def test_a_territory_basis_is_one_of_two(make_geodata: Make) -> None:
    with pytest.raises(WrongUsage, match="erlaubt ist „befragung“ oder „aktuell“"):
        variant(make_geodata, '[territory]\nbasis = "morgen"\n')


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("[warn_after_days]\nevidence = -1\n", "erwartet wird eine Zahl von Tagen"),
        ('[hold_after_days]\nevidence = "400"\n', "erwartet wird eine Zahl von Tagen"),
        ('[fetch.grenzen]\nkind = "vg250"\n', "braucht „kind“ und „place“"),
        ('[fetch.grenzen]\nkind = "vg250"\nplace = 5\n', "alle Angaben sind Texte"),
        ("[sources]\nhints = 5\n", "„sources.hints“ ist 5; erwartet wird ein Text"),
        ("warn_after_days = 400\n", r"ist ein Abschnitt und wird \[warn_after_days\] geschrieben"),
        ('fetch = "vg250"\n', r"ist ein Abschnitt und wird \[fetch\] geschrieben"),
    ],
)
def test_sections_with_names_of_their_own_are_checked_too(make_geodata: Make, settings: str, message: str) -> None:
    with pytest.raises(WrongUsage, match=message):
        variant(make_geodata, settings)


def test_the_public_address_has_no_slash_at_its_end(make_geodata: Make) -> None:
    assert variant(make_geodata, 'base_url = "https://praevention.example/karte/"\n').base_url.endswith("/karte")


def test_the_default_profile_is_a_real_draft_without_responses() -> None:
    profile = load_profile(GEODATA, "thueringen")
    assert (profile.synthetic, profile.draft, profile.outputs) == (False, True, ".")
    assert not [source for source in profile.sources if source.dataset.startswith("survey_responses")]


def test_the_demonstration_differs_from_the_default_only_in_what_it_invents() -> None:
    default, demo = load_profile(GEODATA, "thueringen"), load_profile(GEODATA, "demo")
    assert (demo.synthetic, demo.outputs) == (True, "demo")
    assert set(demo.sources) - set(default.sources) == {demo.sources[-1]}
    assert demo.sources[-1].dataset == "survey_responses_2020"
    assert "DEMONSTRATION" in demo.title
    assert demo.territory_date == default.territory_date
