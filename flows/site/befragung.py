"""Page "Befragung": the survey, its published figures and its frame; with a response file, what the answers say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb

from flows.contracts import load_contract
from flows.german import day, number
from flows.load import RESPONSES
from flows.site.auswertung import Evaluation, evaluate
from flows.site.befragung_abbildungen import evaluated_figures, frame_figures, published_figures
from flows.site.diagramme import Cell, Figure, source_link
from flows.site.facts import Row, rows
from flows.site.pages import Site, write_page

REPORT = "bericht.pdf"


@dataclass(frozen=True, slots=True)
class Survey:
    """One wave: its row of ``survey_waves``, what is told of it as (title, text or link), the figures of what is
    published and of the frame, and with a response file an introduction to its evaluation with the figures of that.
    """

    wave: Row
    facts: tuple[tuple[str, Cell], ...]
    published: tuple[Figure, ...]
    frame: tuple[Figure, ...]
    unknown: tuple[str, ...]
    introduction: str
    evaluated: tuple[Figure, ...]


def write_survey(con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``befragung.html``; call it after the report, which it links."""
    wave = site.run.profile.wave
    write_page(
        site,
        "befragung.html",
        "Befragung",
        f"Die Befragung {wave}: was veröffentlicht ist und was nicht." if wave else "Zu diesem Gebiet keine Befragung.",
        surveys=surveys(con, site),
        report_size=(site.run.package / REPORT).stat().st_size,
    )


def surveys(con: duckdb.DuckDBPyConnection, site: Site) -> list[Survey]:
    """Every wave, that of the map first, then the newest."""
    waves = sorted(site.facts.waves, key=lambda wave: wave["welle"] != site.run.profile.wave)
    return [_survey(con, site, wave) for wave in waves]


def _survey(con: duckdb.DuckDBPyConnection, site: Site, wave: Row) -> Survey:
    towns = rows(
        con,
        "SELECT * FROM release.befragung_rahmen WHERE welle = $1 ORDER BY einwohner DESC, ags",
        wave["welle"],
    )
    supplied = con.execute("SELECT count(*) FROM joined.survey_counts WHERE welle = $1", [wave["welle"]]).fetchone()
    evaluation = None
    if supplied and supplied[0]:
        contract = load_contract("input", f"{RESPONSES}_{wave['welle']}")
        evaluation = evaluate(con, contract, wave["welle"], towns)
    return Survey(
        wave=wave,
        facts=tuple(_wave_facts(wave)),
        published=published_figures(site, wave),
        frame=frame_figures(site, wave, towns, evaluation is not None),
        unknown=tuple(_unknown(wave, evaluation is not None)),
        introduction=_introduction(site, evaluation) if evaluation else "",
        evaluated=tuple(evaluated_figures(site, wave, evaluation)) if evaluation else (),
    )


def _introduction(site: Site, evaluation: Evaluation) -> str:
    invented = "Alle Zahlen dieses Abschnitts sind aus erfundenen Antworten gezählt. " if site.synthetic else ""
    return f"{invented}Für diese Ausgabe liegt eine Antwortdatei vor. {evaluation.contract.description}"


def _wave_facts(wave: Row) -> Iterator[tuple[str, Cell]]:
    fields = {field.name: field for field in load_contract("input", "survey_waves").fields}
    said: Mapping[str, Cell] = {
        "herausgeber": wave["herausgeber"],
        "erhoben": day(wave["erhoben"]),
        "grundgesamtheit": wave["grundgesamtheit"],
        "befragt": f"{number(wave['befragt'])} {fields['befragt'].raw['unit']}",
        "geantwortet": f"{number(wave['geantwortet'])} {wave['geantwortet_einheit']}",
        "einwohner_stand": f"{day(wave['einwohner_stand'])} (erschlossen)",
        "gebietsstand": f"{day(wave['gebietsstand'])} (erschlossen)",
        "quelle_url": source_link(wave["quelle_url"], "Quelle der Befragung"),
    }
    for column, value in said.items():
        yield fields[column].title, value


def _unknown(wave: Row, supplied: bool) -> Iterator[str]:
    """What a reader might look for and not find, with the reason; less where a response file was ``supplied``."""
    if not supplied:
        yield (
            "Welche Städte geantwortet haben und was sie geantwortet haben. Die Quelle veröffentlicht nur Summen, und "
            "für diese Ausgabe liegt keine Antwortdatei vor. Deshalb steht bei jeder befragten Stadt „nicht "
            "veröffentlicht“; das sagt nichts darüber, ob sie geantwortet hat."
        )
        yield (
            "Wie viele Städte die Antworten abdecken. Gezählt sind "
            f"{wave['geantwortet_einheit']}; eine Antwort kann für mehrere Städte gelten."
        )
        yield (
            "Die genaue Zahl der Antwortenden mit aktivem Präventionsgremium. Veröffentlicht ist nur die Aussage in "
            "Worten."
        )
    yield f"Auf welcher Grundlage die Städte ausgewählt wurden. {wave['basis_hinweis']}"
    yield (
        f"Was seit der Befragung ({day(wave['erhoben'])}) geschehen ist. Die Gremien auf der Karte stammen aus "
        "öffentlichen Belegen, nicht aus der Befragung; keine Zahl ist aus beidem errechnet."
    )
