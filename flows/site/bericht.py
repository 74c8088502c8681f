"""``bericht.pdf``: what the pages "Befragung", "Gremien" and "Monitoring" say, to print and to cite (PDF/UA-1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from flows.formats.symbology import ANY_KIND, SIGN_FORMS, colour, sign
from flows.german import day, number
from flows.metadata.datapackage import attributions
from flows.metadata.rules import READING_RULES, reading_rules
from flows.metadata.text import (
    NO_PUBLISHER,
    citation,
    marks,
    release_address,
    territory_text,
)
from flows.site.befragung import REPORT, Survey, surveys
from flows.site.befragung_abbildungen import dataset_title
from flows.site.bildstil import chart_style, plain_map
from flows.site.diagramme import WIDE, Cell, Figure, Link, layout, picture, source_link
from flows.site.environment import web_address
from flows.site.facts import Row
from flows.site.monitoring import DATASET, GROUPS, monitoring_figures, scope
from flows.site.pages import Site
from flows.site.satz import typeset

TEMPLATE = "bericht.typ"
# Room for a picture on a page below its heading, as height by the width of the text.
TALLEST = 1.15
# A table of fewer rows stays on the page of its chart.
SHORT = 15
# The share of the text's width that a picture takes, so that its letters are about as large as the text.
PICTURE_SHARE = 0.9
# Widths of columns: the first, those of figures (others: 1), and those of the table of committees.
FIRST_COLUMN = 1.3
FIGURE_COLUMN = 0.7
COMMITTEE_WIDTHS = (1.2, 2.2, 1.3, 0.9, 1, 1.5)

Block = dict[str, Any]


def write_report(con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``bericht.pdf``; call it after the map, whose picture it shows."""
    (site.run.package / REPORT).write_bytes(typeset(site.run, TEMPLATE, report_data(con, site), "pdf", ["ua-1"]))


def report_data(con: duckdb.DuckDBPyConnection, site: Site) -> Block:
    """Everything that the report says: cover, and chapters of blocks (``text``, ``list``, ``facts``, ``figure`` …)."""
    run, profile = site.run, site.run.profile
    found = surveys(con, site)
    numbered = _Numbers(site)
    return {
        "title": profile.title,
        "subtitle": found[0].wave["titel"] if found else "Gremien nach öffentlichen Belegen",
        "description": profile.description,
        "release": run.release_id,
        "day": day(run.day),
        "date": [run.day.year, run.day.month, run.day.day],
        "publisher": profile.publisher.name or NO_PUBLISHER,
        "contact": [part for part in (profile.publisher.address, profile.publisher.email) if part],
        "marks": list(marks(profile)),
        "synthetic": site.synthetic,
        "chapters": [
            *(chapter for survey in found for chapter in _survey_chapters(survey, len(found) > 1, numbered)),
            _committee_chapter(site, numbered),
            _monitoring_chapter(site, numbered),
            _unknown_chapter(site, found),
            _sources_chapter(site, found),
        ],
    }


class _Numbers:
    """Numbers figures in the order in which the report shows them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.last = 0

    def figure(self, figure: Figure) -> Block:
        """A figure as a block, its chart drawn with the light colours."""
        self.last += 1
        drawn = picture(figure, WIDE, chart_style()) if figure.drawn else ""
        height = layout(figure.chart, WIDE)["height"] if figure.chart and figure.drawn else 0
        return {
            "kind": "figure",
            "number": number(self.last),
            "title": figure.title,
            "lead": list(figure.lead),
            "picture": str(drawn),
            "alt": figure.spoken,
            "share": min(PICTURE_SHARE, TALLEST * WIDE / height) if height else PICTURE_SHARE,
            "table": _table(figure.columns, figure.rows, figure.right),
            "notes": list(figure.notes),
            "whole": height < TALLEST * WIDE / 2 and len(figure.rows) < SHORT,
        }


def _text(text: str) -> Block:
    return {"kind": "text", "text": text}


def _list(items: Sequence[Cell]) -> Block:
    return {"kind": "list", "items": [_cell(item) for item in items]}


def _cell(cell: Cell) -> Block:
    """A cell for the template; only complete web addresses become links, pages of the release do not."""
    if isinstance(cell, Link):
        return {"text": cell.text, "url": web_address(cell.url) or ""}
    return {"text": cell, "url": ""}


def _table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    right: Sequence[int],
    widths: Sequence[float] = (),
) -> Block | None:
    """A table for the template, None without columns; ``widths`` are shares of the text's width."""
    if not columns:
        return None
    return {
        "columns": list(columns),
        "right": list(right),
        "widths": list(widths or _widths(len(columns), right)),
        "rows": [[_cell(cell) for cell in row] for row in rows],
    }


def _widths(columns: int, right: Sequence[int]) -> Sequence[float]:
    """Names need more room than texts, and figures less."""
    return [FIGURE_COLUMN if index in right else FIRST_COLUMN if index == 0 else 1 for index in range(columns)]


def _survey_chapters(survey: Survey, several: bool, numbered: _Numbers) -> Iterator[Block]:
    wave = f" {survey.wave['welle']}" if several else ""
    facts = {"kind": "facts", "rows": [[title, _cell(value)] for title, value in survey.facts]}
    yield {
        "title": f"Die Befragung{wave}",
        "blocks": [facts, *(numbered.figure(figure) for figure in survey.published)],
    }
    yield {
        "title": f"Welche Städte befragt wurden{wave}",
        "blocks": [numbered.figure(figure) for figure in survey.frame],
    }
    if survey.evaluated:
        yield {
            "title": f"Auswertung der Antworten{wave}",
            "blocks": [_text(survey.introduction), *(numbered.figure(figure) for figure in survey.evaluated)],
        }


def _committee_chapter(site: Site, numbered: _Numbers) -> Block:
    committees = site.facts.committees
    blocks = [
        *(_text(rule) for rule in site.facts.coverage),
        _text(
            f"{'Die Gremien stammen nicht aus der Befragung. ' if site.facts.waves else ''}{READING_RULES[1]} "
            "Kein Eintrag heißt: uns nicht bekannt."
        ),
        _text(
            f"Uns bekannte Gremien: {number(len(committees))}. "
            f"Gemeinden mit mindestens einem: {number(len(site.facts.with_committees))}."
        ),
        _map(site, numbered),
    ]
    for group in site.facts.codes["gremien", "gruppe"].values():
        found = [row for row in committees if row["gruppe"] == group.code]
        if found:
            blocks += [{"kind": "heading", "text": group.label}, _committee_table(group.definition, found)]
    pairs = {frozenset((row["name"], name)): row["gemeinde"] for row in committees for _, name in row["same"]}
    if same := [f"{place}: {' und '.join(sorted(names))}" for names, place in pairs.items()]:
        blocks += [_text("Möglicherweise dasselbe Gremium, nicht entschieden:"), _list(same)]
    return {"title": "Gremien nach öffentlichen Belegen", "blocks": blocks}


def _committee_table(lead: str, found: Sequence[Row]) -> Block:
    columns = ("Gemeinde", "Gremium", "Art", "Status", "Stand", "Beleg")
    rows = [
        (
            ", ".join([row["gemeinde"], *row["others"]]),
            row["name"],
            row["kind"],
            row["state"],
            day(row["status_stand"]) if row["status_stand"] else "nur Belege ohne Datum",
            source_link(row["link"] or row["evidence"][0]["url"], "Beleg"),
        )
        for row in found
    ]
    return {"kind": "table", "lead": lead, "table": _table(columns, rows, (), COMMITTEE_WIDTHS)}


def _map(site: Site, numbered: _Numbers) -> Block:
    """The map of the release with its legend."""
    codes, facts = site.facts.codes, site.facts
    states = {row["befragung_status"] for row in facts.municipalities}
    committees = facts.committees
    kinds = {row["status"] for row in committees}
    areas = [code for code in codes["gemeinden", "befragung_status"].values() if code.code in states]
    forms = [code for code in codes["gremien", "art"].values() if code.code in {row["art"] for row in committees}]
    signs = [code for code in codes["gremien", "status"].values() if code.code in kinds]
    numbered.last += 1
    title = f"Gemeinden und bekannte Gremien, Gebietsstand {territory_text(site.run.profile)}"
    return {
        "kind": "map",
        "number": number(numbered.last),
        "title": title,
        "picture": plain_map(site.run),
        "alt": f"{f'{site.synthetic}. ' if site.synthetic else ''}Karte: {title}. "
        "Alle Angaben der Karte stehen in den Tabellen.",
        "areas": [{"colour": colour(f"gebiet-{code.code}"), "text": code.label} for code in areas if facts.waves],
        "signs": [
            *({"picture": _outline(code.code), "text": code.label} for code in forms),
            *({"picture": sign(ANY_KIND, code.code), "text": code.label} for code in signs),
        ],
        "note": "Das Zeichen steht in der Gemeinde, nicht am Sitz des Gremiums. "
        f"{attributions(site.run)[0]['attribution']}.",
    }


def _outline(kind: str) -> str:
    """The outline that tells a kind of committee, without a status."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 28 28">'
        f'<path d="{SIGN_FORMS[kind]}" fill="none" stroke="{colour("karte-schrift")}" stroke-width="2"/></svg>'
    )


def _monitoring_chapter(site: Site, numbered: _Numbers) -> Block:
    blocks = [_text(text) for text in scope(site)]
    for title, figures in zip(GROUPS, monitoring_figures(site), strict=True):
        if figures:
            blocks += [{"kind": "heading", "text": title}, *(numbered.figure(figure) for figure in figures)]
    title = dataset_title(site, DATASET)
    return {"title": title, "blocks": blocks if site.facts.monitoring else [_text("Kennzahlen liegen uns nicht vor.")]}


def _unknown_chapter(site: Site, found: Sequence[Survey]) -> Block:
    blocks = [block for survey in found for block in (_text(f"{survey.wave['titel']}:"), _list(survey.unknown))]
    return {
        "title": "Was nicht bekannt ist, und warum",
        "blocks": [*blocks, _text("Für alle Angaben gilt:"), _list(reading_rules(site.run.profile, site.facts.lands))],
    }


def _sources_chapter(site: Site, found: Sequence[Survey]) -> Block:
    profile = site.run.profile
    named = [
        *(_source_entry(survey.wave["herausgeber"], survey.wave["quelle_url"]) for survey in found),
        *(
            _source_entry(f"{one['attribution']} – {one['title']}", one.get("path", ""))
            for one in attributions(site.run)
        ),
        *(
            _source_entry(f"Monitoring, Welle {wave}", url)
            for wave, url in dict.fromkeys((row["welle"], row["quelle_url"]) for row in site.facts.monitoring)
        ),
    ]
    address = release_address(site.run)
    return {
        "title": "Quellen, Lizenz und Zitat",
        "blocks": [
            {"kind": "sources", "items": named},
            _text("Die Fundstellen der Gremien stehen vollständig in gremien_belege.csv und NOTICE.txt der Ausgabe."),
            {"kind": "heading", "text": "Lizenz"},
            _list([Link(f"{profile.licence.title} ({profile.licence.name})", profile.licence.url, "Lizenztext")]),
            {"kind": "heading", "text": "Zitat"},
            _text(citation(site.run)),
            *([_list([Link(address, address, "Ausgabe")])] if address else []),
        ],
    }


def _source_entry(text: str, url: str) -> Block:
    """A source with its whole address, as far as it has one that may become a link."""
    return {"text": text, "url": web_address(url) or ""}
