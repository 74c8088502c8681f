"""Products of BKG, Destatis and LimeSurvey in their real shape, made from the repository's own data.

A ``Country`` is what such a product tells of a Land on one day; ``country_of`` takes it from a joined run, and
``merge``, ``rekey`` and ``split`` make later years of it. Each product has parameters, or takes edits, that break it.
"""

from __future__ import annotations

import csv
import io
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import geopandas
import openpyxl
import pandas
import pyogrio
import shapely
from openpyxl.worksheet.worksheet import Worksheet

from flows import geometry
from flows.run import Run

Edit = Callable[[Worksheet], None]
"""What is done to a finished sheet to break it."""

FIRST_ROW = 7
"""The row of the first Land in the AuszugGV."""
FIRST_CHANGE = 5
"""The row of the first change in the Gebietsänderungen."""


@dataclass(frozen=True)
class Municipality:
    """One municipality as register and boundaries tell of it; ``shape`` in EPSG:25832, ``area`` in km²."""

    ags: str
    name: str
    mark: str
    association: str
    association_name: str
    association_mark: str
    area: float
    people: int
    postcode: str
    shape: shapely.Geometry

    @property
    def ars(self) -> str:
        return f"{self.ags[:5]}{self.association}{self.ags[5:]}"


@dataclass(frozen=True)
class Country:
    """Municipalities, districts and Länder (name and designation by key) on one day."""

    municipalities: tuple[Municipality, ...]
    districts: Mapping[str, tuple[str, str]]
    lands: Mapping[str, str]

    def of(self, ags: str) -> Municipality:
        """The municipality with a key."""
        (found,) = (one for one in self.municipalities if one.ags == ags)
        return found

    def without(self, *keys: str) -> Country:
        """The country without some municipalities: a product with holes."""
        return replace(self, municipalities=tuple(one for one in self.municipalities if one.ags not in keys))

    def _with(self, *units: Municipality) -> Country:
        rest = self.without(*(unit.ags for unit in units)).municipalities
        return replace(self, municipalities=tuple(sorted((*rest, *units), key=lambda one: one.ags)))

    def _noded(self, part: shapely.Geometry) -> Country:
        """The same shapes with the corners of ``part`` among their own, so that they still fit together."""
        corners = shapely.multipoints(shapely.get_coordinates(part))
        return self._with(*(replace(one, shape=shapely.snap(one.shape, corners, 1e-3)) for one in self.municipalities))

    def merge(self, old: str, into: str) -> Country:
        """``old`` is dissolved and goes to ``into``."""
        gone, stays = self.of(old), self.of(into)
        whole = shapely.union_all([gone.shape, stays.shape])
        united = replace(stays, area=stays.area + gone.area, people=stays.people + gone.people, shape=whole)
        return self.without(old)._with(united)

    def rekey(self, old: str, new: str) -> Country:
        """``old`` has the key ``new`` from now on, perhaps in another district."""
        return self.without(old)._with(replace(self.of(old), ags=new))

    def split(self, old: str, west: str, east: str) -> Country:
        """``old`` is dissolved; its western half goes to ``west``, its eastern one to ``east``."""
        gone = self.of(old)
        left, bottom, right, top = gone.shape.bounds
        middle = (left + right) / 2
        country = self.without(old)._noded(shapely.box(left, bottom, middle, top).intersection(gone.shape))
        for into, box in ((west, (left, bottom, middle, top)), (east, (middle, bottom, right, top))):
            part = shapely.intersection(gone.shape, shapely.box(*box))
            stays = country.of(into)
            share = part.area / gone.shape.area
            people = gone.people - round(gone.people * (1 - share)) if into == west else round(gone.people * share)
            country = country._with(
                replace(
                    stays,
                    area=stays.area + gone.area * share,
                    people=stays.people + people,
                    shape=shapely.union_all([stays.shape, part]),
                )
            )
        return country


def country_of(run: Run) -> Country:
    """The country that a joined run shows, with the population of its population date."""
    with duckdb.connect(run.database, read_only=True) as con:
        table = con.execute(
            "SELECT m.*, g.geometry FROM joined.municipalities m "
            "JOIN joined.map_geometry g ON g.ebene = 'gemeinde' AND g.schluessel = m.ags ORDER BY m.ags"
        ).to_arrow_table()
        lands = dict(con.execute("SELECT schluessel, name FROM input.boundaries WHERE ebene = 'land'").fetchall())
    shapes = geometry.from_table(table)
    units, districts = [], {}
    for row, shape in zip(table.drop_columns(["geometry"]).to_pylist(), shapes, strict=True):
        districts[row["kreis_schluessel"]] = (row["kreis"], row["kreis_art"])
        association = row["verband_ars"][5:] if row["verband_ars"] else f"0{row['ags'][5:]}"
        units.append(
            Municipality(
                row["ags"],
                row["gemeinde_amtlich"],
                row["textkennzeichen"] or "64",
                association,
                row["verband"] or row["gemeinde_amtlich"],
                row["verband_kennzeichen"] or "50",
                row["flaeche_km2"],
                row["einwohner"],
                "99" + row["ags"][5:],
                shape,
            )
        )
    return Country(tuple(units), districts, lands)


# --- BKG VG250 ---------------------------------------------------------------------------------------------------


def _designation(mark: str) -> str:
    return {"61": "Kreisfreie Stadt", "63": "Stadt"}.get(mark, "Gemeinde")


def _rows(units: Iterable[tuple[str, str, str, str, shapely.Geometry]], day: date) -> list[dict[str, Any]]:
    rows = []
    for ags, ars, name, designation, shape in units:
        # Parts that lie apart have rows of their own.
        for part in shapely.get_parts(shape):
            row = {"ADE": 6, "GF": 4, "AGS": ags, "ARS": ars, "GEN": name, "BEZ": designation, "NUTS": f"DE{ags[:1]}00"}
            rows.append(row | {"WSK": f"{day:%Y-%m-%d}", "EWZ": 0, "geometry": shapely.MultiPolygon([part])})
    return rows


def _water(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with waters off the coast that carry the key of a unit: GF 1 to 3, outside the land."""
    east = max(row["geometry"].bounds[2] for row in rows)
    south = min(row["geometry"].bounds[1] for row in rows)
    waters = []
    for structure in (1, 2, 3):
        sea = shapely.box(east + 1000 * structure, south, east + 1000 * structure + 500, south + 500)
        waters.append(rows[0] | {"GF": structure, "geometry": shapely.MultiPolygon([sea])})
    return [*rows, *waters]


def vg250_layers(country: Country, day: date) -> dict[str, list[dict[str, Any]]]:
    """Rows of the four layers by their endings; districts and Länder are the municipalities' outlines."""
    members: dict[str, list[Municipality]] = {}
    for one in country.municipalities:
        for key in (one.ags[:2], one.ags[:5], one.ars[:9]):
            members.setdefault(key, []).append(one)
    whole = {key: shapely.union_all([one.shape for one in found]) for key, found in members.items()}
    gem = [
        (one.ags, one.ars, one.name.partition(",")[0], _designation(one.mark), one.shape)
        for one in country.municipalities
    ]
    associations = {one.ars[:9]: one.association_name for one in country.municipalities}
    layers = {
        "gem": gem,
        "vwg": [
            (f"{key[:5]}000", key, name.partition(",")[0], "Verwaltungsgemeinschaft", whole[key])
            for key, name in associations.items()
        ],
        "krs": [(key, key, *names, whole[key]) for key, names in country.districts.items() if key in whole],
        "lan": [(key, key, name, "Freistaat", whole[key]) for key, name in country.lands.items() if key in whole],
    }
    return {ending: _water(_rows(units, day)) for ending, units in layers.items()}


def vg250_zip(
    folder: Path,
    country: Country,
    day: date,
    *,
    layer_names: Mapping[str, str] | None = None,
    drop_columns: Sequence[str] = (),
    rename_columns: Mapping[str, str] | None = None,
    crs: str | None = "EPSG:25832",
    twice: str | None = None,
    edit: Callable[[dict[str, list[dict[str, Any]]]], None] | None = None,
) -> Path:
    """BKG's zip with a GeoPackage of the layers ``vg250_gem``, ``vwg``, ``krs``, ``lan`` and the status file.

    ``layer_names`` renames single layers (by ending), ``twice`` repeats the row of a municipality, ``crs`` other than
    EPSG:25832 mislabels the coordinates, ``edit`` changes the rows before they are written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    package = folder / "DE_VG250.gpkg"
    package.unlink(missing_ok=True)
    layers = vg250_layers(country, day)
    if twice:
        layers["gem"] += [row for row in layers["gem"] if row["AGS"] == twice and row["GF"] == 4]
    if edit:
        edit(layers)
    for ending, rows in layers.items():
        frame = geopandas.GeoDataFrame(pandas.DataFrame(rows), geometry="geometry", crs=crs)
        frame = frame.drop(columns=list(drop_columns)).rename(columns=dict(rename_columns or {}))
        pyogrio.write_dataframe(frame, package, layer=(layer_names or {}).get(ending, f"vg250_{ending}"))
    target = folder / "vg250_01-01.utm32s.gpkg.ebenen.zip"
    inside = "vg250_01-01.utm32s.gpkg.ebenen/vg250_ebenen_0101"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(package, f"{inside}/DE_VG250.gpkg")
        archive.writestr("vg250_01-01.utm32s.gpkg.ebenen/aktualitaet.txt", f"Stand: {day:%d.%m.%Y}\n")
    package.unlink()
    return target


# --- Destatis AuszugGV ---------------------------------------------------------------------------------------------


def _register_rows(country: Country) -> list[list[Any]]:
    rows: list[list[Any]] = []
    seen: set[str] = set()
    for one in country.municipalities:
        land, region, district, association, number = (
            one.ags[:2],
            one.ags[2],
            one.ags[3:5],
            one.association,
            one.ags[5:],
        )
        upper = [
            (land, ["10", None, land, None, None, None, None, country.lands[land]]),
            (one.ags[:5], ["40", "43", land, region, district, None, None, country.districts[one.ags[:5]][0]]),
            (
                one.ars[:9],
                ["50", one.association_mark, land, region, district, association, None, one.association_name],
            ),
        ]
        rows += [row for key, row in upper if key not in seen]
        seen |= {key for key, _ in upper}
        men = one.people // 2
        density = round(one.people / one.area) if one.area else 0
        row = ["60", one.mark, land, region, district, association, number, one.name, one.area, one.people]
        rows.append([*row, men, one.people - men, density, one.postcode, "11,02912", "50,97803", "R01", "Region", "3"])
    return rows


def auszug_gv(
    target: Path,
    country: Country,
    territory: date,
    population: date | None,
    *,
    sheet: str | None = None,
    edits: Sequence[Edit] = (),
) -> Path:
    """Destatis' register: a title sheet, then "Onlineprodukt_Gemeinden…" with six heading rows, the data and footnotes.

    ``population`` None: the heading does not say of which day the population is.
    """
    book = openpyxl.Workbook()
    book.active.title = "Deckblatt"
    book.active.append(["Gemeindeverzeichnis-Informationssystem GV-ISys"])
    table = book.create_sheet(sheet or f"Onlineprodukt_Gemeinden{territory:%d%m%Y}")
    title = f"Alle politisch selbständigen Gemeinden mit ausgewählten Merkmalen am {territory:%d.%m.%Y} (4. Quartal)"
    counted = f"{population:%d.%m.%Y} (Jahr)" if population else None
    keys = "Amtlicher Regionalschlüssel (ARS)"
    people = "Bevölkerung auf Grundlage des Zensus 2022 2)"
    table.append([title])
    table.append([])
    table.append(
        ["Satzart", "Text-\nkenn-\nzeichen", keys, None, None, None, None, "Gemeindename", "Fläche km2 1)", people]
    )
    parts = ["Land", "RB", "Kreis", "VB", "Gem", None, None, "insgesamt", "männlich", "weiblich", "je km2"]
    table.append([None, None, *parts])
    table.append([None, None, f"Gebietsstand am {territory:%d.%m.%Y}", *[None] * 6, counted])
    table.append([])
    # Only the heading has merged cells.
    table.merge_cells("C3:G3")
    table.merge_cells("J3:M3")
    for row in _register_rows(country):
        table.append(row)
    table.append([])
    table.append(["1) Fläche nach dem Liegenschaftskataster."])
    table.append([f"© Statistisches Bundesamt (Destatis), {territory.year + 1}"])
    for edit in edits:
        edit(table)
    target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)
    return target


# --- Destatis Gebietsänderungen ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """One row of the Gebietsänderungen: (a part of) ``old`` goes to ``new``; ``kind`` 1 to 4, ``area`` in m²."""

    old: Municipality
    kind: str
    new: Municipality
    legal: date
    area: int | None = None
    people: int | None = None
    statistical: date | None = None

    def row(self, number: int) -> list[Any]:
        area = round(self.old.area * 1e6) if self.area is None else self.area
        people = self.old.people if self.people is None else self.people
        days = [f"{day:%d.%m.%Y}" for day in (self.legal, self.statistical or self.legal)]
        old, new = ([one.ars, one.ags, one.name] for one in (self.old, self.new))
        return [number, "Gemeinde", *old, self.kind, area, people, *new, *days]


def gebietsaenderungen(
    target: Path, changes: Sequence[Change], *, sheet: str = "Gebietsaenderungen", edits: Sequence[Edit] = ()
) -> Path:
    """Destatis' list of one year, with the change of an association (without AGS) between those of municipalities."""
    book = openpyxl.Workbook()
    book.active.title = "Erläuterungen"
    table = book.create_sheet(sheet)
    table.append(["Namens-, Grenz- und Schlüsselnummernänderungen bei Gemeinden und Gemeindeverbänden"])
    table.append([])
    headings = [
        "lfd. Nr.",
        "Regionale Einheit",
        "Regionalschlüssel",
        "AGS",
        "Name",
        "Art 1)",
        "Fläche in m²",
        "Einwohner",
    ]
    table.append([*headings, "Regionalschlüssel", "AGS", "Name", "juristisch", "statistisch"])
    table.append([])
    for number, change in enumerate(changes, start=1):
        table.append(change.row(number))
        if number == 1:
            day = f"{change.legal:%d.%m.%Y}"
            table.append(
                [900, "Gemeindeverband", "160619999", None, "VG A", 1, None, None, "160619998", None, "VG B", day, day]
            )
    table.append([])
    table.append(["1) 1 = Auflösung, 2 = Ausgliederung, 3 = Schlüsseländerung, 4 = Namensänderung"])
    for edit in edits:
        edit(table)
    target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)
    return target


# --- LimeSurvey ------------------------------------------------------------------------------------------------------

LIMESURVEY_MAPPING = """\
frage,antwort,spalte,wert
G01Q01,,einheit,
G01Q02,A1,gremien,aktiv
G01Q02,A2,gremien,ruhend
G01Q02,A3,gremien,keine
G02Q01[SQ001],Y,themen,einbruchschutz
G02Q01[SQ002],Y,themen,vandalismus_graffiti
G02Q02,Y,unterstuetzungsbedarf,ja
G02Q02,N,unterstuetzungsbedarf,nein
"""


def limesurvey_csv(
    rows: Sequence[Mapping[str, str]],
    *,
    encoding: str = "utf-8",
    delimiter: str = ",",
    drop_columns: Sequence[str] = (),
    rename_columns: Mapping[str, str] | None = None,
) -> bytes:
    """An export with question codes as header; a row states the answers that are not empty, by code."""
    codes = ["id", "submitdate", "lastpage", "startlanguage", "ipaddr", "G01Q01", "G01Q02"]
    codes += ["G02Q01[SQ001]", "G02Q01[SQ002]", "G02Q02", "G09Q01"]
    codes = [code for code in codes if code not in drop_columns]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow([(rename_columns or {}).get(code, code) for code in codes])
    for number, row in enumerate(rows, start=1):
        common = {"id": str(number), "submitdate": "2020-06-15 10:31:02", "lastpage": "9", "startlanguage": "de"}
        answers = common | {"ipaddr": "192.0.2.7", "G02Q01[SQ001]": "N", "G02Q01[SQ002]": "N"} | dict(row)
        writer.writerow([answers.get(code, "") for code in codes])
    return buffer.getvalue().encode(encoding)


# --- What people and programs do to sheets -----------------------------------------------------------------------


def set_cell(place: str, value: Any) -> Edit:
    """Another value in one cell."""

    def edit(sheet: Worksheet) -> None:
        sheet[place] = value

    return edit


def formula_in(place: str) -> Edit:
    """A formula that no program has calculated yet."""
    return set_cell(place, "=1+1")


def merge_cells(area: str) -> Edit:
    """Cells united with their neighbours."""
    return lambda sheet: sheet.merge_cells(area)


def drop_column(column: int) -> Edit:
    """A column taken out; those behind it move up."""
    return lambda sheet: sheet.delete_cols(column)


def row_twice(row: int) -> Edit:
    """A row that stands twice, the second time at once below."""

    def edit(sheet: Worksheet) -> None:
        values = [cell.value for cell in sheet[row]]
        sheet.insert_rows(row + 1)
        for column, value in enumerate(values, start=1):
            sheet.cell(row + 1, column, value)

    return edit


def every_text(change: Callable[[str], Any]) -> Edit:
    """Something done to every text of the sheet."""

    def edit(sheet: Worksheet) -> None:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str):
                    cell.value = change(cell.value)

    return edit


trailing_blanks = every_text(lambda text: f"{text} \u00a0")
decomposed = every_text(lambda text: unicodedata.normalize("NFD", text))


def keys_as_numbers(sheet: Worksheet) -> None:
    """Parts of keys, Satzart and postcode as number cells, their leading zeros lost."""
    for row in sheet.iter_rows(min_row=FIRST_ROW):
        for cell in row:
            if isinstance(cell.value, str) and cell.value.isdigit():
                cell.value = int(cell.value)


def numbers_as_text(sheet: Worksheet) -> None:
    """Counts with thousands separators, measures with a decimal comma."""
    for row in sheet.iter_rows(min_row=FIRST_ROW):
        for cell in row:
            if isinstance(cell.value, int):
                cell.value = f"{cell.value:,}".replace(",", ".")
            elif isinstance(cell.value, float):
                cell.value = f"{cell.value:,.2f}".translate(str.maketrans(",.", ".,"))


def days_as_dates(sheet: Worksheet) -> None:
    """Days as date cells instead of texts."""
    for row in sheet.iter_rows(min_row=FIRST_CHANGE, min_col=12, max_col=13):
        for cell in row:
            if isinstance(cell.value, str):
                cell.value = datetime.strptime(cell.value, "%d.%m.%Y")


def half_of(country: Country) -> Country:
    """Every second municipality."""
    return country.without(*(one.ags for one in country.municipalities[::2]))
