"""Destatis "AuszugGV" (Gemeindeverzeichnis): the current register and the current population.

https://www.destatis.de/DE/Themen/Laender-Regionen/Regionales/Gemeindeverzeichnis/_inhalt.html: the second sheet lists
Land, Regierungsbezirk, district, association and municipality one below the other; which of them a row is, says its
Satzart. Keys stand in parts, one to a column. The heading names two days that differ: that of the territory, and above
the population column that of the population.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from flows.contracts import code_list
from flows.errors import Refused
from flows.findings import Finding
from flows.german import day as german_day
from flows.profile import Profile
from flows.sources.converted import Converted, text_table
from flows.sources.sheets import GERMAN_DAY, Row, Sheet, day_of, read_sheet, text_of, whole_number

SHEET = "Onlineprodukt_Gemeinden"
TITLES = (
    "Satzart",
    "Textkennzeichen",
    "Land",
    "RB",
    "Kreis",
    "VB",
    "Gem",
    "Gemeindename",
    "Fläche km²",
    "Bevölkerung insgesamt",
    "männlich",
    "weiblich",
    "je km²",
    "Postleitzahl",
)
KIND, MARK, LAND, RB, DISTRICT, ASSOCIATION, MUNICIPALITY, NAME, AREA, POPULATION = range(1, 11)
MEN, WOMEN, POSTCODE = 11, 12, 14
# Land, Regierungsbezirk, Region, district, association, municipality.
KINDS = ("10", "20", "30", "40", "50", "60")
# For secrecy the offices may alter single counts by a few persons, so that sums do not fit to the last one.
ALTERED = 10
ORIGIN = "Statistisches Bundesamt (Destatis), Gemeindeverzeichnis-Informationssystem (GV-ISys), Auszug"


def _kind(sheet: Sheet, row: int) -> str:
    return text_of(sheet.value(row, KIND))


def _data_rows(sheet: Sheet) -> range:
    """From the first to the last row with a Satzart: the heading stands above them, footnotes below."""
    rows = [number for number in range(1, len(sheet.rows) + 1) if _kind(sheet, number) in KINDS]
    if not rows:
        message = "es gibt keine Zeile mit einer bekannten Satzart (10 bis 60) in der ersten Spalte."
        raise Refused([Finding("spalten", sheet.label, message, "Bitte prüfen, ob sich der Aufbau geändert hat.")])
    return range(rows[0], rows[-1] + 1)


def _territory_day(sheet: Sheet, heading: range) -> date | None:
    """The day after "Gebietsstand", else the first day that the heading names."""
    texts = [text_of(value) for row in heading for value in sheet.rows[row - 1]]
    named = [text.partition("Gebietsstand")[2] for text in texts if "Gebietsstand" in text]
    for text in (*named, *texts):
        if found := GERMAN_DAY.search(text):
            return day_of(found[0])
    return None


def _population_day(sheet: Sheet, heading: range, options: Mapping[str, str]) -> date | None:
    """The day in the heading of the population column; the option ``population_date`` where the heading has none."""
    for row in heading:
        value: Any = sheet.value(row, POPULATION)
        found = GERMAN_DAY.search(text_of(value))
        if day := day_of(found[0] if found else value):
            return day
    return day_of(options.get("population_date", ""))


def _days(sheet: Sheet, heading: range, options: Mapping[str, str]) -> tuple[date, date]:
    """Territory and population day; raises ``Refused`` when one of them is not said."""
    findings = []
    territory, population = _territory_day(sheet, heading), _population_day(sheet, heading, options)
    if territory is None:
        message = "in der Überschrift steht kein Gebietsstand (TT.MM.JJJJ)."
        findings.append(Finding("spalten", sheet.label, message, "Bitte die Quelle prüfen.", heading.stop - 1))
    if population is None:
        message = "über der Spalte steht kein Stichtag der Bevölkerung (TT.MM.JJJJ)."
        remedy = "Bitte den Stichtag prüfen und im Profil bei dieser Quelle als „population_date“ angeben."
        place = f"J ({TITLES[POPULATION - 1]})"
        findings.append(Finding("spalten", sheet.label, message, remedy, heading.stop - 1, place))
    if territory is None or population is None:
        raise Refused(findings)
    return territory, population


def _key(row: Row, *parts: int) -> str:
    lengths = {LAND: 2, RB: 1, DISTRICT: 2, ASSOCIATION: 4, MUNICIPALITY: 3}
    return "".join(row.digits(part, lengths[part]) for part in parts)


def _wanted(sheet: Sheet, row: int, lands: tuple[str, ...]) -> bool:
    return not lands or text_of(sheet.value(row, LAND)).zfill(2) in lands


def _municipality(row: Row, names: Mapping[str, tuple[str, str]], territory: date) -> dict[str, str | None]:
    """One row of ``register_current``; ``names`` has name and mark of districts and associations by key."""
    ars = _key(row, LAND, RB, DISTRICT, ASSOCIATION, MUNICIPALITY)
    mark = row.text(MARK)
    if mark and mark not in (known := [code.code for code in code_list("textkennzeichen")]):
        row.fail(MARK, "dieses Textkennzeichen einer Gemeinde ist nicht bekannt.", f"Bekannt: {', '.join(known)}.")
    district, association = names.get(ars[:5]), names.get(ars[:9])
    if district is None:
        row.fail(DISTRICT, f"zum Kreis {ars[:5]} fehlt die Zeile mit der Satzart 40.", "Bitte die Quelle prüfen.")
    if association is None:
        row.fail(ASSOCIATION, f"zum Verband {ars[:9]} fehlt die Zeile mit der Satzart 50.", "Bitte die Quelle prüfen.")
    people = row.count(POPULATION)
    men, women, both = (whole_number(row.raw(column)) for column in (MEN, WOMEN, POPULATION))
    # The columns have no names to rely on; that they add up shows that they still are what they were.
    if men is not None and women is not None and both is not None and abs(men + women - both) > ALTERED:
        row.fail(POPULATION, f"männlich ({men}) und weiblich ({women}) ergeben eine andere Zahl.")
    return {
        "ags": ars[:5] + ars[9:],
        "ars": ars,
        "gemeinde_amtlich": row.text(NAME),
        "textkennzeichen": mark,
        "kreis_schluessel": ars[:5],
        "kreis_amtlich": district[0] if district else None,
        "verband_ars": ars[:9],
        "verband_kennzeichen": association[1] if association else None,
        "verband": association[0] if association else None,
        "flaeche_km2": f"{row.measure(AREA):.2f}",
        "einwohner": str(people),
        "postleitzahl": row.digits(POSTCODE, 5) if text_of(row.raw(POSTCODE)) else None,
        "gebietsstand": territory.isoformat(),
    }


def _misplaced(sheet: Sheet, rows: range) -> Iterator[Finding]:
    """Rows among the data of which nobody knows what they are."""
    for number in rows:
        kind = _kind(sheet, number)
        if kind not in KINDS and any(text_of(value) for value in sheet.rows[number - 1]):
            remedy = f"Bekannt sind {', '.join(KINDS)}."
            yield Finding(
                "spalten", sheet.label, "die Satzart ist nicht bekannt.", remedy, number, "A (Satzart)", kind or None
            )


def _missing_lands(sheet: Sheet, found: set[str], lands: tuple[str, ...]) -> Iterator[Finding]:
    for land in lands:
        if land not in found:
            message = f"die Datei enthält keine Gemeinde des Landes {land}."
            yield Finding("vollstaendig", sheet.label, message, "Bitte die Quelle prüfen.")


def read_auszug_gv(file: Path, label: str, options: Mapping[str, str], profile: Profile) -> Mapping[str, Converted]:
    """``register_current`` and ``population_current`` of the profile's Länder (an empty list: all).

    Raises ``Refused`` with every cell that is not what it should be, for a Land without municipalities, and when the
    heading does not say for which day the product holds.
    """
    sheet = read_sheet(file, SHEET, label, prefix=True)
    rows = _data_rows(sheet)
    territory, population = _days(sheet, range(1, rows.start), options)
    wanted = [number for number in rows if _wanted(sheet, number, profile.lands)]
    findings = [*_misplaced(sheet, rows)]
    for number in wanted:
        findings.extend(sheet.faults(range(number, number + 1), POSTCODE))
    if findings:
        raise Refused(findings)
    names: dict[str, tuple[str, str]] = {}
    register: list[dict[str, str | None]] = []
    lines: dict[str | None, int] = {}
    for number in wanted:
        row, kind = Row(sheet, number, TITLES, findings), _kind(sheet, number)
        if kind == "40":
            names[_key(row, LAND, RB, DISTRICT)] = (row.text(NAME), "")
        elif kind == "50":
            names[_key(row, LAND, RB, DISTRICT, ASSOCIATION)] = (row.text(NAME), row.text(MARK))
        elif kind == "60":
            register.append(_municipality(row, names, territory))
            ags = register[-1]["ags"]
            if ags in lines:
                row.fail(MUNICIPALITY, f"die Gemeinde {ags} steht schon in Zeile {lines[ags]}.")
            lines.setdefault(ags, number)
    findings.extend(_missing_lands(sheet, {str(row["ags"])[:2] for row in register}, profile.lands))
    if findings:
        raise Refused(findings)
    people: list[dict[str, str | None]] = [
        {
            "ags": row["ags"],
            "einwohner": row["einwohner"],
            "einwohner_stand": population.isoformat(),
            "gebietsstand": territory.isoformat(),
        }
        for row in register
    ]
    said = f"Gebietsstand {german_day(territory)}"
    origin = f"{ORIGIN} {german_day(territory)}"
    return {
        "register_current": Converted(
            text_table("register_current", register), territory, f"Gemeindeverzeichnis, {said}", origin
        ),
        "population_current": Converted(
            text_table("population_current", people),
            population,
            f"Einwohnerzahlen am {german_day(population)}, {said}",
            origin,
        ),
    }
