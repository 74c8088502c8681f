"""What the map tells beside its shapes: municipalities, committees with evidence, code lists, as data for the scripts.

Keys are German, like the columns of the release. Dates are ready to read, numbers are numbers. Nothing here derives a
figure: each value stands in a public dataset, and an empty one means "not known to us".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

from flows import german
from flows.contracts import Code
from flows.formats.symbology import SIGN_FORMS, SIGN_MARKS
from flows.metadata.text import territory_text
from flows.site.environment import host, web_address
from flows.site.facts import Codes, Facts, Row, district_names
from flows.site.orte import ASSOCIATION_FREE, place_pages
from flows.site.pages import Site
from flows.site.umleitungen import other_keys

# The kind of an area of which the boundaries say that it is no municipality, and no register says more.
UNINCORPORATED = {"code": "gemeindefrei", "name": "gemeindefreies Gebiet", "definition": "Gehört zu keiner Gemeinde."}
# The usual size classes of German towns (BBSR): each begins at its number of inhabitants and ends before the next.
SIZE_CLASSES = (0, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000)
# The choice of all whose number of inhabitants is not known, where that of others is.
UNKNOWN_SIZE = {"code": "unbekannt", "name": "nicht bekannt"}
# Guides for municipalities that want to found a committee.
FOUNDING = "gremium_gruenden"

Points = Sequence[tuple[float, float]]
"""Longitude and latitude, in WGS84."""


def map_facts(con: duckdb.DuckDBPyConnection, site: Site, places: Points, districts: Mapping[str, Any]) -> Row:
    """All facts of the map, ready for JSON.

    ``places`` are points inside the municipalities, in the order of their keys; ``districts`` points by district key.
    """
    facts, profile = site.facts, site.run.profile
    index = {row["ags"]: number for number, row in enumerate(facts.municipalities)}
    names = district_names(facts.districts)
    sizes = Counter(row["kreis_schluessel"] for row in facts.municipalities)
    return {
        "titel": profile.title,
        "ausgabe": site.run.release_id,
        "synthetisch": site.synthetic,
        "entwurf": profile.draft,
        "welle": profile.wave,
        "gebietsstand": territory_text(profile),
        "einwohnerStand": german.day(facts.population_date) if facts.population_date else "",
        "meldung": profile.publisher.email,
        "formen": SIGN_FORMS,
        "marken": SIGN_MARKS,
        "codes": legend(facts),
        "kreise": [
            [key := row["kreis_schluessel"], names[key], sizes[key], *districts[key]] for row in facts.districts
        ],
        "gemeinden": _municipalities(facts, places),
        "gemeindefrei": [number for number, row in enumerate(facts.municipalities) if row["gemeindefrei"]],
        "nichtErfasst": facts.not_recorded,
        "frueher": _other_keys(con, site, index),
        "antworten": _answers(facts),
        "gremien": [_committee(row, index, facts.codes) for row in facts.committees],
        "hinweise": [_hint(row, index, facts.codes) for row in facts.hints if row["ags"] in index],
        "beratung": [
            {
                "titel": row["titel"],
                "wofuer": row["wofuer"],
                # Beyond their own Land readers must learn whose "Landespräventionsrat" it is.
                "von": row["herausgeber"] if facts.lands_apart else None,
                "bezug": row["bezug"],
                "url": web_address(row["url"]),
            }
            for row in facts.offers
            if row["thema"] == FOUNDING
        ],
    }


def legend(facts: Facts) -> dict[str, list[Row]]:
    """The codes that occur, by filter, in the order of their lists: a choice without a case reads like a finding."""
    codes, committees = facts.codes, facts.committees
    kinds = _present(codes["gremien", "art"], (row["art"] for row in committees))
    groups = {row["art"]: row["gruppe"] for row in committees}
    return {
        "befragung": _present(
            codes["gemeinden", "befragung_status"], (row["befragung_status"] for row in facts.municipalities)
        ),
        "gruppe": _present(codes["gremien", "gruppe"], (row["gruppe"] for row in committees)),
        "art": [kind | {"gruppe": groups[kind["code"]]} for kind in kinds],
        "status": _present(codes["gremien", "status"], (row["status"] for row in committees)),
        "thema": _by_name(codes["gremien", "themen"], committees, "themen"),
        "mitglied": _by_name(codes["gremien", "mitglieder"], committees, "mitglieder"),
        "land": [{"code": row["land_schluessel"], "name": row["land"]} for row in facts.lands_apart],
        "groesse": _sizes(facts.municipalities),
        "gemeinde": [
            *_present(codes["gemeinden", "textkennzeichen"], (row["textkennzeichen"] for row in facts.municipalities)),
            *([UNINCORPORATED] if any(_kind(row) == UNINCORPORATED["code"] for row in facts.municipalities) else []),
        ],
        "verband": [{"name": name} for name in _associations(facts)],
    }


def listed(facts: Facts) -> dict[str, list[Row]]:
    """What the list shows without scripts, by group and size: municipalities with a committee, then surveyed towns, at
    the end those of Länder of which no committee is recorded.
    """
    committees: dict[str, list[Row]] = {}
    for committee in facts.committees:
        for place in committee["places"]:
            committees.setdefault(place["ags"], []).append(committee)
    groups: dict[str, list[Row]] = {"mit": [], "befragt": [], "nicht_erfasst": []}
    pages, not_recorded = place_pages(facts), facts.not_recorded
    for row in sorted(facts.municipalities, key=lambda row: (-(row["einwohner"] or 0), row["ags"])):
        if row["ags"] in pages:
            entry = row | {"page": pages[row["ags"]], "committees": committees.get(row["ags"], [])}
            group = "nicht_erfasst" if row["ags"][:2] in not_recorded else "befragt"
            groups["mit" if entry["committees"] else group].append(entry)
    return groups


def _present(codes: Mapping[str, Code], values: Iterable[str]) -> list[Row]:
    found = set(values)
    return [
        {"code": code.code, "name": code.label, "definition": code.definition}
        for code in codes.values()
        if code.code in found
    ]


def _by_name(codes: Mapping[str, Code], committees: Sequence[Row], column: str) -> list[Row]:
    """The codes of a column of lists that occur, sorted as German readers look for them."""
    found = _present(codes, (code for row in committees for code in _list(row[column])))
    return sorted(found, key=lambda entry: german.order(entry["name"]))


def _list(value: str | None) -> list[str]:
    return value.split(";") if value else []


def _sizes(municipalities: Sequence[Row]) -> list[Row]:
    """The size classes in which there is a municipality; ``bis`` is exclusive, None for the open class. Where not all
    populations are known, those without one are a choice, too: no class may hide them unsaid.
    """
    populations = [row["einwohner"] for row in municipalities if row["einwohner"] is not None]
    ends = (*SIZE_CLASSES[1:], None)
    classes: list[Row] = [
        {"code": str(start), "name": _size_name(start, end), "von": start, "bis": end}
        for start, end in zip(SIZE_CLASSES, ends, strict=True)
        if any(start <= population and (end is None or population < end) for population in populations)
    ]
    return [*classes, UNKNOWN_SIZE] if classes and len(populations) < len(municipalities) else classes


def _size_name(start: int, end: int | None) -> str:
    if end is None:
        return f"ab {german.number(start)}"
    return f"{german.number(start)} bis unter {german.number(end)}" if start else f"unter {german.number(end)}"


def _associations(facts: Facts) -> list[str]:
    """The names of all associations, each once, sorted."""
    return sorted({name for row in facts.municipalities if (name := association(row, facts.codes))})


def association(row: Row, codes: Codes) -> str:
    """``Verwaltungsgemeinschaft Musterland``; nothing for a municipality free of any, or where none is known."""
    kind = row["verband_kennzeichen"]
    if not row["verband"] or not kind or kind == ASSOCIATION_FREE:
        return ""
    return f"{codes['gemeinden', 'verband_kennzeichen'][kind].label} {row['verband'].removesuffix(', Stadt')}"


def _kind(row: Row) -> str | None:
    return row["textkennzeichen"] or (UNINCORPORATED["code"] if row["gemeindefrei"] else None)


def _municipalities(facts: Facts, places: Points) -> dict[str, list[Any]]:
    """The municipalities column by column: names of columns are said once, repeated texts are numbers of a list."""
    codes = legend(facts)
    states = {entry["code"]: number for number, entry in enumerate(codes["befragung"])}
    districts = {row["kreis_schluessel"]: number for number, row in enumerate(facts.districts)}
    associations = {entry["name"]: number for number, entry in enumerate(codes["verband"])}
    marks = {entry["code"]: number for number, entry in enumerate(codes["gemeinde"])}
    found = facts.municipalities
    pages = place_pages(facts)
    return {
        "ags": [row["ags"] for row in found],
        "name": [row["gemeinde"] for row in found],
        "art": [marks.get(_kind(row)) for row in found],
        "kreis": [districts.get(row["kreis_schluessel"]) for row in found],
        "verband": [associations.get(association(row, facts.codes)) for row in found],
        "einwohner": [row["einwohner"] for row in found],
        "befragung": [states[row["befragung_status"]] for row in found],
        "seite": [pages.get(row["ags"], "") for row in found],
        "lon": [lon for lon, _ in places],
        "lat": [lat for _, lat in places],
    }


def _other_keys(con: duckdb.DuckDBPyConnection, site: Site, index: Mapping[str, int]) -> list[list[Any]]:
    """Names and keys of other dates that lead to one municipality for sure: ``[name, key, municipality]``."""
    found = other_keys(con, site.run.profile, list(index))
    return [[row["name"], row["ags"], index[row["ags_karte"]]] for row in found]


def _answers(facts: Facts) -> dict[str, list[str]]:
    """What a supplied response file says of a town, by its key on the map; nothing without such a file."""
    replies: dict[str, list[str]] = {}
    for town in facts.towns:
        texts = [
            facts.codes["befragung_rahmen", column][town[column]].definition
            for column in ("antwort_durch", "antwort_gremien")
            if town[column]
        ]
        if texts and town["ags_karte"]:
            replies.setdefault(town["ags_karte"], []).extend(texts)
    return replies


def _committee(row: Row, index: Mapping[str, int], codes: Codes) -> Row:
    """A committee with all that its panel shows; ``orte`` are numbers of municipalities."""
    return {
        "id": row["gremium_id"],
        "name": row["name"],
        "art": row["art"],
        "gruppe": row["gruppe"],
        "status": row["status"],
        "stand": german.day(row["status_stand"]) if row["status_stand"] else "",
        "orte": [index[place["ags"]] for place in row["places"] if place["ags"] in index],
        "gegruendet": row["founded"],
        "vorsitz": _dated(row, "vorsitz", codes),
        "turnus": _dated(row, "turnus", codes),
        "themen": _list(row["themen"]),
        "mitglieder": _list(row["mitglieder"]),
        "identisch": [name for _, name in row["same"]],
        "teilVon": row["parent"] or "",
        "belege": [_evidence(piece, codes) for piece in row["evidence"]],
    }


def _dated(row: Row, column: str, codes: Codes) -> str:
    """A statement with the date of its evidence: ``Jährlich (Stand 20.01.2026)``; nothing when not known."""
    if not row[column]:
        return ""
    stand = row[f"{column}_stand"]
    label = codes["gremien", column][row[column]].label
    return f"{label} ({f'Stand {german.day(stand)}' if stand else 'Beleg ohne Datum'})"


def _evidence(piece: Row, codes: Codes) -> Row:
    return {
        "datum": german.day(piece["belegt_am"]) if piece["belegt_am"] else "",
        "status": codes["gremien_belege", "status"][piece["status"]].label if piece["status"] else "",
        "quelle": codes["gremien_belege", "quelle_art"][piece["quelle_art"]].label if piece["quelle_art"] else "",
        "zeigt": piece["zeigt"],
        **_link(piece["url"]),
        **_lost(piece),
    }


def _lost(piece: Row) -> Row:
    """What readers must know of an address that led nowhere when it was looked at."""
    if piece["link_zustand"] != "nicht_erreichbar":
        return {}
    return {"zustand": f"Seite nicht mehr erreichbar (geprüft am {german.day(piece['link_geprueft_am'])})"}


def _hint(row: Row, index: Mapping[str, int], codes: Codes) -> Row:
    return {
        "ort": index[row["ags"]],
        "titel": row["titel"],
        "art": codes["hinweise", "art"][row["art"]].label,
        "datum": german.day(row["datum"]) if row["datum"] else "",
        "zeigt": row["zeigt"],
        **_link(row["url"]),
    }


def _link(url: str | None) -> Row:
    address = web_address(url)
    return {"url": address, "rechner": host(address) if address else ""}
