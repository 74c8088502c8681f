"""Page "Gremien": every committee known from public evidence, to sort, filter and download."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import duckdb

from flows.site.facts import Facts, Row, district_names
from flows.site.orte import place_pages
from flows.site.pages import Site, write_page


def write_committees(_con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``gremien.html``."""
    committees = site.facts.committees
    lands = _lands(site.facts)
    write_page(
        site,
        "gremien.html",
        "Gremien",
        "Alle uns bekannten Präventionsgremien mit Status, Stand und Belegen.",
        pages=place_pages(site.facts),
        lands={key: name for key, name, _ in lands},
        filters={
            "art": _choices(site, "art", (row["art"] for row in committees)),
            "status": _choices(site, "status", (row["status"] for row in committees)),
            "thema": _choices(site, "themen", _listed(committees, "themen")),
            "mitglied": _choices(site, "mitglieder", _listed(committees, "mitglieder")),
            "land": lands,
            "kreis": _districts(site),
        },
    )


def _listed(committees: Iterable[Row], column: str) -> Iterable[str]:
    """Every code in a column of lists, once per committee."""
    return (code for row in committees for code in (row[column] or "").split(";") if code)


def _choices(site: Site, column: str, values: Iterable[str]) -> list[tuple[str, str, int]]:
    """Codes that occur, with label and number of committees, in the order of the code list."""
    counts = Counter(values)
    codes = site.facts.codes["gremien", column]
    return [(code, entry.label, counts[code]) for code, entry in codes.items() if code in counts]


def _lands(facts: Facts) -> list[tuple[str, str, int]]:
    """Länder with committees, by name; none where all committees are in one."""
    counts = Counter(row["kreis_schluessel"][:2] for row in facts.committees)
    found = [(row["land_schluessel"], row["land"]) for row in facts.lands_apart if row["land_schluessel"] in counts]
    return [(key, name, counts[key]) for key, name in found] if len(found) > 1 else []


def _districts(site: Site) -> list[tuple[str, str, int]]:
    """Districts with committees, by name."""
    counts = Counter(row["kreis_schluessel"] for row in site.facts.committees)
    return [(key, name, counts[key]) for key, name in district_names(site.facts.districts).items() if key in counts]
