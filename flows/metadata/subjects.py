"""Subjects: what a catalogue lists as one dataset. ``geodata/contracts/subjects.json`` says what each is about.

A release contract names its subject; files that hold several datasets belong to ``gesamt``.
"""

from __future__ import annotations

import calendar
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from flows.paths import CONTRACTS
from flows.validate import name as identifier

WHOLE_RELEASE = "gesamt"


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject of the catalogue.

    ``themes`` and ``type`` are EU codes (data-theme, dataset-type). ``coverage`` is the area that it is about:
    ``germany``, ``lands`` (all of the release), ``committees`` (those with a committee), ``survey`` (those with a
    surveyed town) or ``recorded`` (those with either). ``temporal`` names the columns (schema.table.column)
    whose values span the time it is about.
    """

    name: str
    title: str
    title_en: str
    description: str
    description_en: str
    keywords: tuple[str, ...]
    keywords_en: tuple[str, ...]
    themes: tuple[str, ...]
    type: str | None
    coverage: str
    temporal: tuple[str, ...]


def subjects(root: Path = CONTRACTS) -> dict[str, Subject]:
    """All subjects by name, in the order in which a catalogue lists them."""
    content = json.loads((root / "subjects.json").read_text(encoding="utf-8"))
    return {
        name: Subject(
            name,
            raw["title"],
            raw["titleEn"],
            raw["description"],
            raw["descriptionEn"],
            tuple(raw["keywords"]),
            tuple(raw["keywordsEn"]),
            tuple(raw["themes"]),
            raw["type"],
            raw["coverage"],
            tuple(raw["temporal"]),
        )
        for name, raw in content.items()
    }


def first_day(text: str) -> date:
    """The first day that a date of 4, 7 or 10 characters may mean: 2019 is 2019-01-01."""
    return date.fromisoformat(text + "0001-01-01"[len(text) :])


def last_day(text: str) -> date:
    """The last day that a date of 4, 7 or 10 characters may mean: 2019-12 is 2019-12-31."""
    if len(text) == 4:
        return date(int(text), 12, 31)
    if len(text) == 7:
        year, month = int(text[:4]), int(text[5:])
        return date(year, month, calendar.monthrange(year, month)[1])
    return date.fromisoformat(text)


def period(con: duckdb.DuckDBPyConnection, subject: Subject) -> tuple[date, date] | None:
    """First and last day of what the subject is about, from its data; None when no value gives a date."""
    texts: list[str] = []
    for column in subject.temporal:
        schema, table, field = column.split(".")
        found = con.execute(
            f"SELECT DISTINCT CAST({identifier(field)} AS VARCHAR) AS t FROM {schema}.{table} WHERE t IS NOT NULL"
        ).fetchall()
        texts += [text for (text,) in found]
    if not texts:
        return None
    return min(first_day(text) for text in texts), max(last_day(text) for text in texts)
