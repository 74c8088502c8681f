"""Destatis "Namens-, Grenz- und Schlüsseländerungen": one row per municipality and receiver, one workbook per year.

Types: 1 dissolved, 2 partly ceded, 3 key, 4 name ("3, 4" for both). A unit that is split has one row per receiver; one
that only cedes land has a row for what remains of it, too, so that its rows add up to the whole. That is where the
shares come from. The list is kept by hand: types and days come as numbers, dates or texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from flows.errors import Refused
from flows.findings import Finding
from flows.profile import Profile
from flows.sources.converted import Converted, text_table
from flows.sources.sheets import Row, Sheet, read_sheet, text_of, whole_number

SHEET = "Gebietsaenderungen"
TITLES = (
    "Nummer",
    "Ebene",
    "Regionalschlüssel alt",
    "AGS alt",
    "Name alt",
    "Art der Änderung",
    "Fläche in m²",
    "Einwohner",
    "Regionalschlüssel neu",
    "AGS neu",
    "Name neu",
    "juristisch wirksam",
    "statistisch wirksam",
)
NUMBER, LEVEL, ARS_OLD, AGS_OLD, NAME_OLD, TYPE, AREA, PEOPLE, ARS_NEW, AGS_NEW, NAME_NEW, LEGAL, STATISTICAL = range(
    1, 14
)
MUNICIPALITY = "Gemeinde"
KEY = re.compile(r"[0-9]{8}")
DISSOLVED, CEDED, NEW_KEY, NEW_NAME = "1234"
# The statistical offices' sign for "nothing".
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Part:
    """What one row says: a part of a municipality (``area`` in m², ``people``) and who has it from the day on.

    ``area`` and ``people`` are None where the cell is empty. ``still`` is the last day on which the old state certainly
    held, ``since`` the first day of the new one.
    """

    row: Row
    number: str
    old: str
    old_name: str
    types: frozenset[str]
    area: int | None
    people: int | None
    new: str
    new_name: str
    still: date
    since: date


def _municipalities(sheet: Sheet) -> Iterator[int]:
    """Rows about a municipality. Associations and districts have no AGS, headings no level."""
    for number in range(1, len(sheet.rows) + 1):
        level, key = (text_of(sheet.value(number, column)) for column in (LEVEL, AGS_OLD))
        if level == MUNICIPALITY or KEY.fullmatch(key):
            yield number


def _wanted(sheet: Sheet, row: int, lands: tuple[str, ...]) -> bool:
    keys = (text_of(sheet.value(row, column)).zfill(8) for column in (AGS_OLD, AGS_NEW))
    return not lands or any(key[:2] in lands for key in keys)


def _moved(row: Row, column: int) -> int | None:
    """Area or people that move; None when the cell is empty."""
    text = text_of(row.raw(column))
    if text in ("", NOTHING):
        return 0 if text else None
    found = whole_number(row.raw(column))
    if found is None:
        row.fail(column, "erwartet wird eine ganze Zahl.")
    return found


def _types(row: Row) -> frozenset[str]:
    text = text_of(row.raw(TYPE))
    found = frozenset(re.findall(r"[0-9]+", text))
    if not found or not found <= {DISSOLVED, CEDED, NEW_KEY, NEW_NAME} or re.sub(r"[1-4,.;/+ ]|und", "", text):
        row.fail(TYPE, "diese Art der Änderung gibt es nicht.", "Bekannt sind 1, 2, 3 und 4.")
    return found


def _check_ars(row: Row, column: int, ags: str) -> None:
    """A regional key, where the row has one, is the AGS with the association in the middle."""
    ars = text_of(row.raw(column))
    if ars and ars.zfill(12)[:5] + ars.zfill(12)[9:] != ags:
        row.fail(column, f"der Regionalschlüssel passt nicht zum Gemeindeschlüssel {ags}.")


def _part(sheet: Sheet, number: int, findings: list[Finding]) -> Part | None:
    row = Row(sheet, number, TITLES, findings)
    if text_of(row.raw(LEVEL)) != MUNICIPALITY:
        row.fail(LEVEL, "eine Zeile mit Gemeindeschlüssel gehört zur Ebene „Gemeinde“.")
    old, new = row.digits(AGS_OLD, 8), row.digits(AGS_NEW, 8)
    _check_ars(row, ARS_OLD, old)
    _check_ars(row, ARS_NEW, new)
    legal = row.day(LEGAL)
    statistical = row.day(STATISTICAL) if text_of(row.raw(STATISTICAL)) else legal
    part = (text_of(row.raw(NUMBER)), old, row.text(NAME_OLD), _types(row), _moved(row, AREA), _moved(row, PEOPLE))
    new_name = row.text(NAME_NEW)
    if legal is None or statistical is None:
        return None
    # Where law and statistics count from different days, nobody knows which of the two a key with a date follows.
    still, since = min(legal, statistical) - timedelta(days=1), max(legal, statistical)
    return Part(row, *part, new, new_name, still, since)


def _shares(parts: list[Part]) -> Iterator[tuple[Part, float, float]]:
    """Receivers of one municipality on one day with their shares of its area and people; what remains is no change."""
    first = parts[0]
    types = frozenset().union(*(part.types for part in parts))
    receivers = list(dict.fromkeys(part.new for part in parts))
    if not types & {DISSOLVED, CEDED}:
        if len(receivers) > 1:
            first.row.fail(AGS_NEW, f"{first.old} erhält mehrere neue Schlüssel ({', '.join(receivers)}).")
        elif first.new != first.old:
            yield first, 1.0, 1.0
        return
    if receivers == [first.old]:
        first.row.fail(AGS_NEW, "eine Gemeinde kann nicht in sich selbst aufgehen.")
        return
    if len(receivers) == 1:
        if DISSOLVED in types:
            yield first, 1.0, 1.0
        else:
            first.row.fail(
                AGS_NEW,
                f"zu {first.old} fehlt die Zeile mit der verbleibenden Fläche; der Anteil ist nicht bekannt.",
                "Bitte die Zeile ergänzen.",
            )
        return
    if DISSOLVED not in types and first.old not in receivers:
        first.row.fail(
            AGS_NEW,
            f"zu {first.old} fehlt die Zeile mit der verbleibenden Fläche; die Anteile sind nicht bekannt.",
            "Bitte die Zeile ergänzen.",
        )
        return
    empty = [part for part in parts if part.area is None or part.people is None]
    for part in empty:
        column = AREA if part.area is None else PEOPLE
        part.row.fail(column, "bei einer Teilung wird die Angabe gebraucht.", "Bitte ergänzen; „-“ bedeutet nichts.")
    area, people = sum(part.area or 0 for part in parts), sum(part.people or 0 for part in parts)
    if empty or not area:
        if not empty:
            first.row.fail(AREA, f"die Teile von {first.old} haben zusammen keine Fläche.")
        return
    for receiver in receivers:
        given = [part for part in parts if part.new == receiver]
        part_area = sum(part.area or 0 for part in given) / area
        # Of nobody, any share is as true as another.
        part_people = sum(part.people or 0 for part in given) / people if people else part_area
        if receiver != first.old:
            yield given[0], part_area, part_people


def _twice(parts: list[Part]) -> None:
    """The same row a second time would count twice."""
    seen: dict[tuple[object, ...], Part] = {}
    for part in parts:
        key = (part.old, part.new, part.types, part.area, part.people, part.since)
        if key in seen:
            part.row.fail(AGS_OLD, f"dieselbe Änderung steht schon in Zeile {seen[key].row.number}.")
        seen.setdefault(key, part)


def _change(part: Part, area: float, people: float) -> dict[str, str | None]:
    number = f", Nr. {part.number}" if part.number else ""
    return {
        "ags_alt": part.old,
        "gemeinde_alt": part.old_name,
        "ags_neu": part.new,
        "gemeinde_neu": part.new_name,
        "nach": part.still.isoformat(),
        "in_kraft_bis": part.since.isoformat(),
        "flaechenanteil": str(round(area, 4)),
        "einwohneranteil": str(round(people, 4)),
        "quelle": f"Destatis, Gebietsänderungen{number}",
    }


def read_gebietsaenderungen(
    file: Path, label: str, _options: Mapping[str, str], profile: Profile
) -> Mapping[str, Converted]:
    """``municipal_changes_current``: changes of keys and land in the profile's Länder (an empty list: all).

    A new name alone changes neither and is left out. Raises ``Refused`` with every cell that is not what it should be,
    and for a list without any municipality, which is one of another layout.
    """
    sheet = read_sheet(file, SHEET, label, prefix=True)
    numbers = list(_municipalities(sheet))
    if not numbers:
        message = f"es gibt keine Zeile mit der Ebene „{MUNICIPALITY}“ in der zweiten Spalte."
        remedy = "Bitte prüfen, ob sich der Aufbau geändert hat."
        raise Refused([Finding("spalten", sheet.label, message, remedy)])
    wanted = [number for number in numbers if _wanted(sheet, number, profile.lands)]
    findings = [finding for number in wanted for finding in sheet.faults(range(number, number + 1), STATISTICAL)]
    if findings:
        raise Refused(findings)
    parts = [part for number in wanted if (part := _part(sheet, number, findings)) is not None]
    if findings:
        raise Refused(findings)
    _twice(parts)
    groups: dict[tuple[str, date], list[Part]] = {}
    for part in parts:
        groups.setdefault((part.old, part.since), []).append(part)
    changes = [_change(*shares) for group in groups.values() for shares in _shares(group)]
    if findings:
        raise Refused(sorted(findings, key=lambda finding: finding.row or 0))
    return {
        "municipal_changes_current": Converted(
            text_table("municipal_changes_current", changes),
            max((part.since for part in parts), default=None),
            "Gebietsänderungen der Gemeinden",
            "Statistisches Bundesamt (Destatis), Namens-, Grenz- und Schlüsseländerungen der Gemeinden",
        )
    }
