"""Page "Monitoring": Germany-wide figures by wave, each with its definition and base.

Only figures of the same indicator, base and area stand in one chart across waves; all others stand beside those of
their own wave and base. Nothing joins two figures by a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from flows.contracts import Field
from flows.german import day, number
from flows.site.diagramme import PALE, Bar, Chart, Figure, Segment, source_link
from flows.site.facts import Row
from flows.site.pages import Site, write_page

DATASET = "monitoring"
# Headings of the two groups of figures.
GROUPS = ("Über mehrere Wellen", "Nach Welle und Bezug")
PERCENT, WHOLE = "Prozent", 100


def write_monitoring(_con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``monitoring.html``."""
    write_page(
        site,
        "monitoring.html",
        "Monitoring",
        "Kommunales Monitoring: bundesweite Kennzahlen nach Welle und Bezug.",
        scope=scope(site),
        groups=[
            (key, title, figures)
            for key, title, figures in zip(("wellen", "einzeln"), GROUPS, monitoring_figures(site), strict=True)
            if figures
        ],
    )


def scope(site: Site) -> tuple[str, str]:
    """For what area the figures hold, and for what they say nothing."""
    areas = list(dict.fromkeys(row["gebiet"] for row in site.facts.monitoring))
    others = [row["land"] for row in site.facts.lands if row["land"] not in areas]
    called = f"{others[0]} allein" if len(others) == 1 else "einzelne Länder"
    nothing = f"Für {called} sagen sie nichts. " if others else ""
    return (
        f"Alle Zahlen gelten für: {', '.join(areas)}.",
        f"{nothing}Jede Zahl steht mit ihrer Welle und ihrem Bezug; Zahlen mit verschiedenem Bezug sind nicht "
        "vergleichbar.",
    )


def monitoring_figures(site: Site) -> tuple[list[Figure], list[Figure]]:
    """The indicators that several waves share, and what is left by wave and base, the newest wave first."""
    figures = sorted(site.facts.monitoring, key=lambda row: (row["welle"], row["kennzahl_id"]))
    series: dict[tuple[str, str, str], list[Row]] = {}
    for row in figures:
        series.setdefault((row["indikator"], row["bezug"], row["gebiet"]), []).append(row)
    shared = [found for found in series.values() if len({row["welle"] for row in found}) > 1]
    single: dict[tuple[int, str, str], list[Row]] = {}
    for found in series.values():
        if len({row["welle"] for row in found}) == 1:
            single.setdefault((found[0]["welle"], found[0]["bezug"], found[0]["gebiet"]), []).extend(found)
    newest_first = sorted(single.items(), key=lambda item: (-item[0][0], item[0][1:]))
    return (
        [_across_waves(site, position, found) for position, found in enumerate(shared, 1)],
        [_of_one_wave(site, position, found) for position, (_, found) in enumerate(newest_first, 1)],
    )


def _value_field(site: Site) -> Field:
    contract = next(contract for contract in site.contracts if contract.name == DATASET)
    return next(field for field in contract.fields if field.name == "wert")


def _value(site: Site, row: Row) -> str:
    return f"{number(row['wert'])} {_value_field(site).raw['unit']}"


def _period(row: Row) -> str:
    return f"{day(row['zeitraum_von'])} bis {day(row['zeitraum_bis'])}"


def _chart(site: Site, found: Sequence[Row], labels: Sequence[str]) -> Chart:
    """A bar of a share shows what it is a share of: the outlined rest is the whole."""
    share = _value_field(site).raw["unit"] == PERCENT
    bars = tuple(
        Bar(
            label,
            (Segment(row["wert"]), *((Segment(WHOLE - row["wert"], PALE),) if share else ())),
            _value(site, row),
        )
        for label, row in zip(labels, found, strict=True)
    )
    return Chart(bars, WHOLE if share else max(row["wert"] for row in found))


def _asked(row: Row) -> str:
    return number(row["fallzahl"]) if row["fallzahl"] is not None else "nicht angegeben"


def _meaning(site: Site, row: Row) -> tuple[str, str]:
    """Definition of the indicator and of its base."""
    codes = site.facts.codes
    indicator, base = codes[DATASET, "indikator"][row["indikator"]], codes[DATASET, "bezug"][row["bezug"]]
    return f"{indicator.label}: {indicator.definition}", f"Bezug „{base.label}“, der ganze Balken: {base.definition}"


def _across_waves(site: Site, position: int, found: Sequence[Row]) -> Figure:
    indicator = site.facts.codes[DATASET, "indikator"][found[0]["indikator"]]
    return Figure(
        key=f"wellen-{position}",
        title=f"{indicator.label} nach Wellen, {found[0]['gebiet']}",
        lead=_meaning(site, found[0]),
        chart=_chart(site, found, [f"Welle {row['welle']}: {_period(row)}" for row in found]),
        columns=("Welle", "Zeitraum", "Wert", "Befragte der Welle", "Quelle"),
        rows=tuple(
            (
                f"Welle {row['welle']}",
                _period(row),
                _value(site, row),
                _asked(row),
                source_link(row["quelle_url"], f"Quelle der Kennzahl, Welle {row['welle']}"),
            )
            for row in found
        ),
        notes=(f"Gleiche Kennzahl, gleicher Bezug, gleiches Gebiet ({found[0]['gebiet']}).", *_absent(found)),
        right=(2, 3),
        mark=site.synthetic,
    )


def _absent(found: Sequence[Row]) -> Iterator[str]:
    waves = {row["welle"] for row in found}
    absent = [str(wave) for wave in range(min(waves), max(waves)) if wave not in waves]
    if absent:
        yield f"Uns nicht bekannt ist diese Kennzahl für Welle {', '.join(absent)}."


def _of_one_wave(site: Site, position: int, found: Sequence[Row]) -> Figure:
    first = found[0]
    indicators = site.facts.codes[DATASET, "indikator"]
    base = site.facts.codes[DATASET, "bezug"][first["bezug"]]
    _, base_meaning = _meaning(site, first)
    return Figure(
        key=f"welle-{position}",
        title=f"Welle {first['welle']}, Bezug: {base.label}, {first['gebiet']}",
        lead=(f"Zeitraum {_period(first)}. Befragte der Welle: {_asked(first)}.", base_meaning),
        chart=_chart(site, found, [indicators[row["indikator"]].label for row in found]),
        columns=("Kennzahl", "Wert", "Definition", "Quelle"),
        rows=tuple(
            (
                indicators[row["indikator"]].label,
                _value(site, row),
                indicators[row["indikator"]].definition,
                source_link(row["quelle_url"], f"Quelle der Kennzahl {indicators[row['indikator']].label}"),
            )
            for row in found
        ),
        notes=(f"Mit Kennzahlen anderer Wellen oder mit anderem Bezug nicht vergleichbar. Gebiet: {first['gebiet']}.",),
        mark=site.synthetic,
    )
