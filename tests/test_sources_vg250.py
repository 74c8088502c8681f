"""VG250 as BKG delivers it, and as it might one day: what becomes boundaries, and what is refused."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas
import pandas
import pyogrio
import pytest
import shapely
from conftest import KLEINLAND, LAYERS

from flows import geometry
from flows.errors import Refused
from flows.profile import Profile, load_profile
from flows.sources.converted import Converted
from flows.sources.vg250 import DATASET, read_vg250
from flows.sources.zips import Archive

LABEL = "vg250_01-01.utm32s.gpkg.ebenen.zip"
FOLDER = "vg250_01-01.utm32s.gpkg.ebenen"
STATUS = {f"{FOLDER}/aktualitaet.txt": b"01.01.2025\r\n"}

Layers = dict[str, geopandas.GeoDataFrame]
Edit = Callable[[Layers], Layers]


def kleinland() -> Layers:
    """Kleinland's layers with the product's columns: GF = 4 is land; a lake's rows (GF = 2) have the town's key."""
    layers = {}
    for layer in LAYERS:
        frame = geopandas.read_file(KLEINLAND / "layers" / f"{layer}.geojson").to_crs(geometry.INSIDE)
        frame["WSK"] = pandas.to_datetime(frame["WSK"])
        frame = frame.assign(GF=4, OBJID=[f"DEBKGVG2{number:08}" for number in range(len(frame))], BEGINN=frame["WSK"])
        lake = frame.iloc[:1].assign(GF=2)
        lake["geometry"] = lake.geometry.translate(100_000, 0)
        layers[f"vg250_{layer}"] = pandas.concat([frame, lake], ignore_index=True)
    return layers


def zipped(target: Path, layers: Layers, extra: dict[str, bytes] | None = None, crs: bool = True) -> Path:
    """A product of these layers at ``target``, with ``extra`` files beside the GeoPackage."""
    package = target.with_suffix(".gpkg")
    for name, frame in layers.items():
        written = frame if crs else frame.set_crs(None, allow_override=True)
        pyogrio.write_dataframe(written, package, layer=name, promote_to_multi=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(package, f"{FOLDER}/vg250_ebenen_0101/DE_VG250.gpkg")
        for name, content in (STATUS if extra is None else extra).items():
            archive.writestr(name, content)
    package.unlink()
    return target


@pytest.fixture(scope="module")
def profile(geodata: Path) -> Profile:
    return load_profile(geodata, "kleinland")


Read = Callable[..., Converted]


@pytest.fixture
def read(tmp_path: Path, profile: Profile) -> Read:
    """Read Kleinland's product after an ``edit`` of its layers."""

    def reading(
        edit: Edit = lambda layers: layers,
        lands: tuple[str, ...] = ("99",),
        options: dict[str, str] | None = None,
        **how: Any,
    ) -> Converted:
        file = zipped(tmp_path / "produkt.zip", edit(kleinland()), **how)
        return read_vg250(file, LABEL, options or {}, replace(profile, lands=lands))[DATASET]

    return reading


def told(read: Read, *arguments: Any, **how: Any) -> str:
    """Why the product is refused."""
    with pytest.raises(Refused) as caught:
        read(*arguments, **how)
    assert all(finding.remedy for finding in caught.value.findings)
    return "\n".join(str(finding) for finding in caught.value.findings)


def gem(change: Callable[[geopandas.GeoDataFrame], geopandas.GeoDataFrame]) -> Edit:
    """An edit of the municipalities."""
    return lambda layers: layers | {"vg250_gem": change(layers["vg250_gem"])}


# --- what becomes of it --------------------------------------------------------------------------------------------


def test_municipalities_districts_and_the_land_with_their_names(read: Read) -> None:
    boundaries = read()
    rows = boundaries.table.drop_columns(["geometry"]).to_pylist()

    assert [(row["ebene"], row["schluessel"]) for row in rows] == sorted(
        (row["ebene"], row["schluessel"]) for row in rows
    )
    assert sum(row["ebene"] == "gemeinde" for row in rows) == 10
    assert rows[0] == {
        "ebene": "gemeinde",
        "schluessel": "99001001",
        "ars": "990010001001",
        "name": "Aldorf",
        "bezeichnung": "Stadt",
        "nuts": "XX001",
        "wirksam_seit": "2010-01-01",
        "gebietsstand": "2025-01-01",
    }
    assert boundaries.title == "Verwaltungsgebiete 1:250 000 (VG250), Stand 01.01.2025"


def test_water_does_not_count(read: Read) -> None:
    """GF = 2 and 3 are the coast's and Lake Constance's waters."""
    shapes = geometry.from_table(read().table)

    assert shapely.total_bounds(shapes)[2] < kleinland()["vg250_gem"].total_bounds[2] - 50_000


def test_the_parts_of_a_municipality_become_one(read: Read) -> None:
    whole = read()

    def halved(frame: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
        west, south, east, north = frame.geometry[0].bounds
        left = shapely.box(west, south, (west + east) / 2, north)
        parts = frame.iloc[[0, 0]].copy()
        parts["geometry"] = [frame.geometry[0].intersection(left), frame.geometry[0].difference(left)]
        return pandas.concat([parts, frame.iloc[1:]], ignore_index=True)

    apart = read(gem(halved))

    assert len(apart.table) == len(whole.table)
    assert shapely.area(geometry.from_table(apart.table)) == pytest.approx(
        shapely.area(geometry.from_table(whole.table))
    )


def test_layers_are_found_by_their_ending(read: Read) -> None:
    def older(layers: Layers) -> Layers:
        return {f"DE_{name.upper()}": frame for name, frame in layers.items()}

    assert read(older).table.equals(read().table)


def test_only_the_lands_of_the_profile_are_taken(read: Read) -> None:
    def with_neighbour(layers: Layers) -> Layers:
        def doubled(frame: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
            other = frame.copy()
            other["AGS"], other["ARS"] = "98" + other["AGS"].str[2:], "98" + other["ARS"].str[2:]
            other["geometry"] = other.geometry.translate(0, -20_000)
            return pandas.concat([frame, other], ignore_index=True)

        return {name: doubled(frame) for name, frame in layers.items()}

    assert read(with_neighbour).table.equals(read().table)
    assert len(read(with_neighbour, lands=()).table) == 2 * len(read().table)


def test_another_declared_system_of_coordinates_is_converted(read: Read) -> None:
    def geographic(layers: Layers) -> Layers:
        return {name: frame.to_crs("EPSG:4258") for name, frame in layers.items()}

    assert shapely.equals_exact(
        geometry.from_table(read(geographic).table), geometry.from_table(read().table), tolerance=0.01
    ).all()


@pytest.mark.parametrize(
    ("extra", "options", "standing"),
    [
        (None, {}, date(2025, 1, 1)),
        ({f"{FOLDER}/dokumentation/aktualitaet.txt": b"31.12.2024"}, {}, date(2024, 12, 31)),
        ({}, {}, date(2011, 1, 1)),
        ({f"{FOLDER}/aktualitaet.txt": b"bald"}, {}, date(2011, 1, 1)),
        (None, {"standing": "2024-06-30"}, date(2024, 6, 30)),
    ],
)
def test_the_territory_date_is_that_of_the_product(
    read: Read, extra: dict[str, bytes] | None, options: dict[str, str], standing: date
) -> None:
    """Its own words first; without any, the first 1 January since the newest change, 1 July 2010."""

    def changed(frame: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
        return frame.assign(WSK=pandas.to_datetime(["2010-07-01", *["1990-10-03"] * (len(frame) - 1)]))

    def calm(layers: Layers) -> Layers:
        old = pandas.Timestamp("1990-10-03")
        return {
            name: changed(frame) if name.endswith("gem") else frame.assign(WSK=old) for name, frame in layers.items()
        }

    boundaries = read(calm, extra=extra, options=options)
    assert boundaries.standing == standing
    assert set(boundaries.table.column("gebietsstand").to_pylist()) == {standing.isoformat()}


# --- what is refused -----------------------------------------------------------------------------------------------


def test_a_renamed_layer(read: Read) -> None:
    def renamed(layers: Layers) -> Layers:
        return {name.replace("_gem", "_gemeinden"): frame for name, frame in layers.items()}

    assert (
        "erwartet wird je eine Ebene, die auf „_gem“ endet; vorhanden: vg250_gemeinden, vg250_krs, vg250_lan."
        in told(read, renamed)
    )


def test_a_missing_and_a_renamed_column(read: Read) -> None:
    missing = told(read, gem(lambda frame: frame.drop(columns="NUTS")))
    assert "Spalte „NUTS“: in der Ebene „vg250_gem“ fehlt die Spalte; vorhanden: AGS, ARS, GEN" in missing

    renamed = told(read, gem(lambda frame: frame.rename(columns={"AGS": "AGS_G"})))
    assert "Spalte „AGS“" in renamed
    assert "Heißt sie jetzt „AGS_G“?" in renamed


def test_half_the_municipalities(read: Read) -> None:
    text = told(read, gem(lambda frame: frame.iloc[:5]))

    assert "die 5 Gemeinden von Kleinland bedecken" in text
    assert "Vermutlich ist die Datei unvollständig." in text


def test_the_wrong_land(read: Read) -> None:
    assert "das Produkt enthält keine Gemeinde mit dem Landesschlüssel 16." in told(read, lands=("16",))


def test_a_district_that_is_missing(read: Read) -> None:
    def fewer(layers: Layers) -> Layers:
        return layers | {"vg250_krs": layers["vg250_krs"].iloc[:1]}

    assert "fehlt die Ebene darüber (kreis 99002)" in told(read, fewer)


def test_a_municipality_that_stands_twice(read: Read) -> None:
    text = told(read, gem(lambda frame: pandas.concat([frame, frame.iloc[[1]]], ignore_index=True)))

    assert "Spalte „AGS“, Wert „99001002“: die Einheit (gemeinde) steht doppelt: Bachdorf" in text


def test_a_key_that_two_municipalities_have(read: Read) -> None:
    def same(frame: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
        return frame.assign(AGS=frame["AGS"].replace("99001003", "99001002"))

    text = told(read, gem(same))
    assert "Wert „99001002“: der Schlüssel steht für verschiedene Einheiten (gemeinde): Bachdorf" in text


def test_a_key_that_became_a_number(read: Read) -> None:
    """Bavaria's keys begin with 09; as a number they lose it."""

    def numbers(layers: Layers) -> Layers:
        return {name: frame.assign(AGS=frame["AGS"].str[1:].astype(int)) for name, frame in layers.items()}

    assert "hat nicht 8 Ziffern" in told(read, numbers, lands=())


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_areas_without_a_system_of_coordinates(read: Read) -> None:
    assert "die Ebene „vg250_gem“ nennt kein bekanntes Bezugssystem; erwartet wird EPSG:25832." in told(read, crs=False)


def test_areas_with_a_wrong_system_of_coordinates(read: Read) -> None:
    def mislabelled(layers: Layers) -> Layers:
        return {name: frame.to_crs(4326).set_crs(25832, allow_override=True) for name, frame in layers.items()}

    assert "liegen nicht in Deutschland; das Bezugssystem stimmt nicht." in told(read, mislabelled)


def test_an_area_that_crosses_itself(read: Read) -> None:
    def crossed(frame: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
        west, south, east, north = frame.geometry[0].bounds
        bow = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
        return frame.assign(geometry=[bow, *frame.geometry[1:]])

    assert "1 Flächen leer oder schneiden sich selbst, zuerst Aldorf (99001001)." in told(read, gem(crossed))


def test_an_area_that_does_not_close(tmp_path: Path, profile: Profile) -> None:
    """The bytes of one corner are wrong in the GeoPackage itself, so that the zip's checksum is right."""
    outline = shapely.box(600_000, 5_600_000, 601_000, 5_601_000)
    whole = shapely.to_wkb(outline)

    def marked(frame: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
        return frame.assign(geometry=[outline, *frame.geometry[1:]])

    file = zipped(tmp_path / "ganz.zip", gem(marked)(kleinland()))
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    broken = {name: content.replace(whole, whole[:-8] + bytes(8)) for name, content in members.items()}
    assert broken != members

    with pytest.raises(Refused, match="die Flächen der Ebene „vg250_gem“ sind beschädigt"):
        read_vg250(made(tmp_path, broken), LABEL, {}, profile)


def test_a_layer_of_water_only(read: Read) -> None:
    assert "hat keine Landflächen (GF = 4)" in told(read, gem(lambda frame: frame.assign(GF=2)))


# --- the zip -------------------------------------------------------------------------------------------------------


def refused_zip(file: Path, unpack: str | None = None) -> str:
    with pytest.raises(Refused) as caught:
        archive = Archive(file, LABEL, 50_000_000)
        archive.unpack(unpack or "x", file.with_name("ziel"))
    assert str(caught.value).startswith(f"{LABEL}: ")
    return str(caught.value)


def made(tmp_path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    file = tmp_path / "x.zip"
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def test_a_zip_that_was_cut_off(tmp_path: Path) -> None:
    file = zipped(tmp_path / "x.zip", kleinland())
    file.write_bytes(file.read_bytes()[:-2000])

    assert "kein vollständiges Zip-Archiv" in refused_zip(file)


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "/etc/passwd", "a/../../x", "..\\x", "C:/x"])
def test_a_zip_that_wants_out_of_its_folder(tmp_path: Path, name: str) -> None:
    file = made(tmp_path, {name: b"x"})

    assert f"das Archiv will außerhalb seines Ordners schreiben („{name}“)" in refused_zip(file)


def test_a_link_in_a_zip(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    file = tmp_path / "x.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(link, "/etc/passwd")

    assert "enthält einen Verweis statt einer Datei" in refused_zip(file)


def test_a_zip_bomb(tmp_path: Path) -> None:
    assert "würde beim Entpacken auf 40 MB anwachsen" in refused_zip(made(tmp_path, {"x": bytes(40_000_000)}))


def test_a_zip_of_many_small_bombs(tmp_path: Path) -> None:
    file = made(tmp_path, {f"x{number}": bytes(9_000_000) for number in range(6)})

    assert "das Archiv würde entpackt 54 MB groß; erlaubt sind 50 MB" in refused_zip(file)


def test_a_zip_with_a_password(tmp_path: Path) -> None:
    file = made(tmp_path, {"x": b"y" * 100}, zipfile.ZIP_STORED)
    content = bytearray(file.read_bytes())
    # The flag "encrypted" of the member, in its own header and in the directory.
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    file.write_bytes(content)

    assert "„x“ ist mit einem Kennwort verschlüsselt" in refused_zip(file)


def test_a_zip_with_a_flipped_bit(tmp_path: Path) -> None:
    file = made(tmp_path, {"x": b"y" * 100}, zipfile.ZIP_STORED)
    file.write_bytes(file.read_bytes().replace(b"yyyy", b"yyyz", 1))

    assert "„x“ ist im Archiv beschädigt" in refused_zip(file)


def test_a_damaged_member_in_another_packing_than_usual(tmp_path: Path) -> None:
    file = made(tmp_path, {"x": bytes(range(256)) * 40}, zipfile.ZIP_LZMA)
    content = bytearray(file.read_bytes())
    content[60:80] = bytes(20)
    file.write_bytes(content)

    assert "„x“ ist im Archiv beschädigt" in refused_zip(file)


@pytest.mark.filterwarnings("ignore:GPKG")
def test_a_geopackage_that_is_none(tmp_path: Path, profile: Profile) -> None:
    file = made(tmp_path, {"DE_VG250.gpkg": b"SQLite format 3\0" + bytes(5000)})

    with pytest.raises(Refused, match="das GeoPackage lässt sich nicht öffnen"):
        read_vg250(file, LABEL, {}, profile)
