"""Inputs of growing size for the pipeline: Germany, Spain and Switzerland, and copies of them.

``python benchmarks/scale_set.py 11000 108000`` prints one geodata folder in which ``praevkarte release --geodata …
--profile groesse-11000`` finds its profile. Shapes are the real ones with all their vertices; a copy is the same, so
many degrees further south that no two copies touch. Keys follow the contract (8 digits); Länder from 17 on are Spain,
Switzerland and copies. Registers and populations are made up from the area, so these profiles are synthetic.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import pandas
import shapely

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import packages  # noqa: E402 - the root has to be on the path first
from packages import GERMAN_PROFILE, cache_folder, german_archive, unpacked  # noqa: E402

from flows import geometry  # noqa: E402
from flows.paths import GEODATA  # noqa: E402
from flows.profile import load_profile  # noqa: E402
from flows.sidecar import sha256_of, sidecar_path  # noqa: E402
from flows.sources.vg250_npm import read_vg250_npm  # noqa: E402

BASE = "thueringen"
# The Land whose register, population and records are real.
REAL_LAND = "16"
REGISTER, POPULATION, PROFILE = "register_2019-12-31.csv", "population.csv", "profile.toml"
GERMANY, SPAIN, SWITZERLAND = "Deutschland", "Spanien", "Schweiz"
COUNTRIES = (GERMANY, SPAIN, SWITZERLAND)
# What each size is made of: the countries of each copy; the first copy lies where it really lies.
SIZES: dict[int, tuple[tuple[str, ...], ...]] = {
    11_000: ((GERMANY,),),
    22_000: (COUNTRIES,),
    54_000: (COUNTRIES, COUNTRIES, (GERMANY,)),
    108_000: (COUNTRIES,) * 5,
}
# Germany's Länder are 01 to 16, each other country is one Land.
LANDS = {SPAIN: "17", SWITZERLAND: "18"}
LANDS_A_COPY = 18
# From the south of the inset of the Canary Islands (34.6°) to List on Sylt (55.06°), with a gap.
DEGREES_A_COPY = 21.0
# The Canary Islands stand nearer to the mainland, as on many maps of Spain; else copies would lie over each other.
CANARIES = ("35", "38")
INSET = (4.0, 7.0)
# Switzerland lies further south than it does: both countries draw their border in their own way.
APART = (0.0, -1.0)
# Those of the page's map (1 m), so that its rounding breaks no shape, however coarse the many make it.
DECIMALS = 5
LAST_PROVINCE = "52"
SPANISH, SWISS = packages.AREAS
SWISS_YEAR = "2026"
REGISTER_DATE = "2019-12-31"
POPULATION_DATE = "2018-12-31"
PERSONS_A_KM2 = 100
# As many bytes of the page's map for each municipality as the base profile allows for its own.
PAGE_MAP_BYTES = 650
MUNICIPALITY, ALONE = "64", "50"


@dataclass(frozen=True, slots=True)
class Country:
    """Municipalities of a country in WGS84: eight-digit keys (sorted), ARS, names and shapes, row by row; names of
    districts and Länder by key.
    """

    keys: list[str]
    ars: list[str]
    names: list[str]
    shapes: geometry.Geometries
    districts: dict[str, str]
    lands: dict[str, str]


def mended(shapes: geometry.Geometries) -> tuple[list[int], geometry.Geometries]:
    """Shapes (WGS84) rounded to ``DECIMALS`` as a valid coverage, and the rows that they are of.

    Rounding, here or by the publisher, makes some rings touch themselves and some neighbours cross. All lines are
    therefore cut where they cross, on the grid of that decimal; every face between them goes to the first
    municipality in which it lies. What has no face left is gone.
    """
    parts, owners = shapely.get_parts(shapely.make_valid(shapes), return_index=True)
    parts, nested = shapely.get_parts(parts, return_index=True)
    areal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    parts, owners = parts[areal], owners[nested][areal]
    lines = shapely.union_all(shapely.boundary(parts), grid_size=10.0**-DECIMALS)
    faces = shapely.get_parts(shapely.polygonize([lines]))
    face, part = shapely.STRtree(parts).query(shapely.point_on_surface(faces), predicate="within")
    order = np.lexsort((owners[part], face))
    taken, first = np.unique(face[order], return_index=True)
    owner = owners[part[order][first]]
    rows = np.unique(owner)
    united = [shapely.coverage_union_all(faces[taken[owner == row]]) for row in rows]
    rounded = shapely.transform(np.array(united, dtype=object), lambda points: np.round(points, DECIMALS))
    return rows.tolist(), rounded


def _whole(shapes: geometry.Geometries) -> bool:
    return bool(shapely.is_valid(shapes).all() and shapely.coverage_is_valid(shapes))


def _district(key: str) -> str:
    return key[:5]


def germany() -> Country:
    """All municipalities of VG250 2016-01-01, read as for the profile "deutschland"."""
    label, archive = german_archive()
    table = read_vg250_npm(archive, label, {}, load_profile(GEODATA, GERMAN_PROFILE))["boundaries"].table
    rows = table.drop_columns(["geometry"]).to_pandas()
    rows["shape"] = geometry.to_wgs84(geometry.from_table(table))
    areas = rows[rows["ebene"] == "gemeinde"].sort_values("schluessel")
    names = {
        level: dict(zip(found["schluessel"], found["name"], strict=True)) for level, found in rows.groupby("ebene")
    }
    taken, shapes = mended(areas["shape"].to_numpy())
    keys, ars, labels = (areas[column].iloc[taken].tolist() for column in ("schluessel", "ars", "name"))
    return Country(keys, ars, labels, shapes, names["kreis"], names["land"])


def spain() -> Country:
    """es-atlas: the key is 17, 0, the province and its three digits of the municipality (INE)."""
    file = unpacked(SPANISH) / "es" / "municipalities.json"
    frame = geopandas.read_file(file, layer="municipalities")
    # What stands behind the last province is land that several municipalities own together.
    frame = frame[frame["id"].str[:2] <= LAST_PROVINCE].sort_values("id", ignore_index=True)
    rows, shapes = mended(frame.geometry.to_numpy())
    codes = [str(frame["id"][row]) for row in rows]
    inset = np.isin([code[:2] for code in codes], CANARIES)
    shapes[inset] = shapely.transform(shapes[inset], lambda points: np.round(points + INSET, DECIMALS))
    provinces = geopandas.read_file(file, layer="provinces", ignore_geometry=True)
    land = LANDS[SPAIN]
    keys = [f"{land}0{code}" for code in codes]
    return Country(
        keys,
        [_ars(key) for key in keys],
        [str(frame["name"][row]) for row in rows],
        shapes,
        {f"{land}0{code}": str(name) for code, name in zip(provinces["id"], provinces["name"], strict=True)},
        {land: SPAIN},
    )


def switzerland() -> Country:
    """swiss-maps: the key is 18, 0, the canton and a number within it; the package has no names."""
    frame = geopandas.read_file(unpacked(SWISS) / SWISS_YEAR / "municipalities.shp").to_crs("OGC:CRS84")
    frame = frame.sort_values(["KTNR", "id"], ignore_index=True)
    rows, shapes = mended(shapely.transform(frame.geometry.to_numpy(), lambda points: points + APART))
    kept = frame.iloc[rows]
    numbers = kept.groupby("KTNR").cumcount() + 1
    land = LANDS[SWITZERLAND]
    keys = [f"{land}0{canton:02d}{number:03d}" for canton, number in zip(kept["KTNR"], numbers, strict=True)]
    return Country(
        keys,
        [_ars(key) for key in keys],
        [f"BFS {number}" for number in kept["id"]],
        shapes,
        {f"{land}0{canton:02d}": f"Kanton {canton}" for canton in kept["KTNR"].unique()},
        {land: SWITZERLAND},
    )


def _ars(key: str) -> str:
    """The ARS of a municipality without an association: its key with four zeros after the district."""
    return f"{_district(key)}0000{key[5:]}"


def _moved(key: str, copy: int) -> str:
    """A key of the first copy as one of the copy ``copy``: another Land, the rest as it was."""
    return f"{int(key[:2]) + LANDS_A_COPY * copy:02d}{key[2:]}"


def copied(country: Country, copy: int) -> Country:
    """The country again, so many degrees further south; copy 0 is the country itself."""
    if copy == 0:
        return country
    step = (0.0, -DEGREES_A_COPY * copy)
    return Country(
        [_moved(key, copy) for key in country.keys],
        [_moved(ars, copy) for ars in country.ars],
        country.names,
        shapely.transform(country.shapes, lambda points: np.round(points + step, DECIMALS)),
        {_moved(key, copy): name for key, name in country.districts.items()},
        {_moved(key, copy): f"{name} (Kopie {copy})" for key, name in country.lands.items()},
    )


def _united(keys: Sequence[str], shapes: geometry.Geometries) -> Iterator[tuple[str, shapely.Geometry]]:
    """The union of the shapes of each key, in order of the keys."""
    order = np.argsort(np.array(keys), kind="stable")
    names, starts = np.unique(np.array(keys)[order], return_index=True)
    for name, group in zip(names.tolist(), np.split(shapes[order], starts[1:]), strict=True):
        yield name, shapely.coverage_union_all(group)


def boundary_frame(parts: Sequence[Country]) -> geopandas.GeoDataFrame:
    """Municipalities, districts and Länder with the columns of the contract ``input/boundaries``."""
    levels: dict[str, list[list[object]]] = {"gemeinde": [], "kreis": [], "land": []}
    for part in parts:
        rows = zip(part.keys, part.ars, part.names, part.shapes, strict=True)
        levels["gemeinde"] += [[key, ars, name, "Gemeinde", shape] for key, ars, name, shape in rows]
        for level, digits, names in (("kreis", 5, part.districts), ("land", 2, part.lands)):
            united = _united([key[:digits] for key in part.keys], part.shapes)
            levels[level] += [[key, key, names[key], level.capitalize(), shape] for key, shape in united]
    table = [[level, *row] for level, rows in levels.items() for row in sorted(rows, key=lambda row: str(row[0]))]
    frame = pandas.DataFrame(table, columns=["ebene", "schluessel", "ars", "name", "bezeichnung", "geometry"])
    frame["nuts"], frame["wirksam_seit"] = "XX", None
    frame["wirksam_seit"] = frame["wirksam_seit"].astype("string")
    return geopandas.GeoDataFrame(frame, geometry="geometry", crs="OGC:CRS84")


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _write_rows(file: Path, rows: Sequence[dict[str, str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)


def _made_up(part: Country) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """A row of register and population for each municipality that the base profile has none of."""
    areas = shapely.area(geometry.transform(part.shapes, geometry.OUTSIDE, geometry.INSIDE)) / 1e6
    for key, ars, name, area in zip(part.keys, part.ars, part.names, areas.tolist(), strict=True):
        if key.startswith(REAL_LAND):
            continue
        persons = str(max(1, round(area * PERSONS_A_KM2)))
        register = {
            "ags": key,
            "ars": ars,
            "gemeinde_amtlich": name,
            "textkennzeichen": MUNICIPALITY,
            "kreis_schluessel": _district(key),
            "kreis_amtlich": part.districts[_district(key)],
            "verband_ars": ars[:9],
            "verband_kennzeichen": ALONE,
            "verband": name,
            "flaeche_km2": f"{area:.4f}",
            "einwohner": persons,
            "postleitzahl": "",
            "gebietsstand": REGISTER_DATE,
        }
        population = {"einwohner": persons, "einwohner_stand": POPULATION_DATE, "gebietsstand": REGISTER_DATE}
        yield register, {"ags": key} | population


def _describe(file: Path, title: str) -> None:
    """The sidecar of a generated input."""
    content = {
        "title": title,
        "origin": "benchmarks/scale_set.py aus npm-Paketen (benchmarks/packages.py); Kopien nach Süden verschoben",
        "url": "",
        "retrieved": "übernommen",
        "licence": "GeoBasis-DE / BKG; Instituto Geográfico Nacional; Bundesamt für Statistik: nur für Messungen",
        "licence_url": "https://gdz.bkg.bund.de",
        "attribution": "© GeoBasis-DE / BKG 2016; © Instituto Geográfico Nacional; © BFS (Daten verändert)",
        "sha256": sha256_of(file),
        "bytes": file.stat().st_size,
        "edited_here": False,
    }
    sidecar_path(file).write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def profile_name(size: int) -> str:
    """The profile of a size in the scale set's geodata folder."""
    return f"groesse-{size}"


def write_profile(folder: Path, size: int, parts: Sequence[Country]) -> None:
    """Write the input folder of one size: profile, boundaries, register, population and their sidecars."""
    folder.mkdir(parents=True)
    boundaries = folder / "boundaries.parquet"
    options = {"index": False, "compression": "zstd", "schema_version": "1.1.0", "write_covering_bbox": False}
    boundary_frame(parts).to_parquet(boundaries, **options)
    made_up = [rows for part in parts for rows in _made_up(part)]
    real = GEODATA / BASE
    register = list(_rows(real / REGISTER)) + [row for row, _ in made_up]
    population = [
        row
        for row in _rows(real / POPULATION)
        if (row["einwohner_stand"], row["gebietsstand"]) == (POPULATION_DATE, REGISTER_DATE)
    ] + [row for _, row in made_up]
    _write_rows(folder / "register.csv", register)
    _write_rows(folder / "population.csv", population)
    _describe(boundaries, "Verwaltungsgebiete für Messungen")
    _describe(folder / "register.csv", "Gemeindeverzeichnis für Messungen, außerhalb Thüringens erfunden")
    _describe(folder / "population.csv", "Einwohnerzahlen für Messungen, außerhalb Thüringens erfunden")
    count = sum(len(part.keys) for part in parts)
    lands = sorted({land for part in parts for land in part.lands})
    lines = [
        f'extends = "{BASE}"',
        f'title = "Größenreihe: {count} Gemeinden"',
        'description = "Zum Messen: wirkliche Grenzen, außerhalb Thüringens erfundene Zahlen."',
        f"lands = {json.dumps(lands)}",
        "synthetic = true",
        f'outputs = "{profile_name(size)}"',
        "",
        "[territory]",
        # The invented figures are of the municipalities as the boundaries have them: nothing has changed since.
        f"changes_lands = {json.dumps(lands)}",
        "",
        "[thresholds]",
        f"page_map_bytes = {count * PAGE_MAP_BYTES}",
        "",
        "[sources]",
        'boundaries = "boundaries.parquet"',
        'register = "register.csv"',
        'population = "population.csv"',
    ]
    (folder / PROFILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _fingerprint() -> str:
    """What the generated files depend on: this module, the packages and the base profile's tables."""
    digest = hashlib.sha256()
    for file in (Path(__file__), Path(packages.__file__), *(GEODATA / BASE / name for name in (REGISTER, POPULATION))):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def scale_set(sizes: Sequence[int]) -> Path:
    """The geodata folder with the profiles of these sizes and of the base; made when it is not there yet.

    Raises ``Unavailable`` when the packages cannot be had, ``ValueError`` when a country's shapes are no coverage.
    """
    folder = cache_folder() / f"scale-{_fingerprint()}"
    for old in cache_folder().glob("scale-*"):
        if old != folder:
            shutil.rmtree(old)
    # The base as it is now: its settings may have changed, and no size depends on them.
    shutil.rmtree(folder / BASE, ignore_errors=True)
    shutil.copytree(GEODATA / BASE, folder / BASE)
    missing = [size for size in sizes if not (folder / profile_name(size) / PROFILE).is_file()]
    wanted = {name for size in missing for copy in SIZES[size] for name in copy}
    readers = {GERMANY: germany, SPAIN: spain, SWITZERLAND: switzerland}
    countries = {name: readers[name]() for name in COUNTRIES if name in wanted}
    for name, country in countries.items():
        if not _whole(country.shapes):
            raise ValueError(f"{name}: the municipalities are no valid coverage")
    for size in missing:
        parts = [copied(countries[name], number) for number, copy in enumerate(SIZES[size]) for name in copy]
        shutil.rmtree(folder / profile_name(size), ignore_errors=True)
        write_profile(folder / profile_name(size), size, parts)
    return folder


if __name__ == "__main__":
    print(scale_set([int(argument) for argument in sys.argv[1:]] or list(SIZES)))
