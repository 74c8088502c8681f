"""The figures of a survey: what is published, the frame that we recomputed, and with a response file its evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flows.german import day, number
from flows.metadata.quality import SMALLEST_COUNT
from flows.site.auswertung import Answers, Evaluation, Group, Persons, Question, Spread, by_size
from flows.site.diagramme import FULL, OPEN, PALE, Bar, Cell, Chart, Figure, Link, Segment, source_link
from flows.site.facts import Row
from flows.site.orte import place_pages
from flows.site.pages import Site

PUBLISHED, RECOMPUTED, COMPUTED = "veroeffentlicht", "nachgerechnet", "berechnet"
# A chart with more bars than this is no picture any more; the table holds all rows.
MOST_BARS = 40
# The status of every surveyed town as long as there is no response file.
UNKNOWN = "nicht_veroeffentlicht"
HIDDEN = "nicht veröffentlicht"
SUPPRESSED = (
    f"Anzahlen von Personen unter {SMALLEST_COUNT} werden nicht veröffentlicht; damit sie sich auch nicht aus Summen "
    "ergeben, fehlen weitere Werte."
)
ANSWERED = (
    "Was die Städte geantwortet haben, stammt aus der Antwortdatei, die für diese Ausgabe vorliegt; die Antwort eines "
    "Gemeindeverbands gilt für alle seine befragten Städte."
)


def published_figures(site: Site, wave: Row) -> tuple[Figure, ...]:
    """What the surveying office published: numbers, and a statement in words."""
    figures = site.facts.figures[wave["welle"]]
    return _published(site, wave, figures), _committees(site, wave, figures)


def frame_figures(site: Site, wave: Row, towns: Sequence[Row], supplied: bool) -> tuple[Figure, ...]:
    """The surveyed ``towns`` (rows of befragung_rahmen, the largest first), with what they answered where a response
    file was ``supplied``.
    """
    return _sizes(site, wave, towns), _towns(site, wave, towns, supplied)


def evaluated_figures(site: Site, wave: Row, evaluation: Evaluation) -> Iterator[Figure]:
    """What the response file of a wave says: who is covered by answers, then question by question."""
    yield _counted(site, wave, evaluation)
    yield _covered(site, wave, "Größenklasse", "groesse", evaluation.sizes)
    yield _covered(site, wave, "Kreis", "kreis", evaluation.districts)
    for question in evaluation.questions:
        yield question_figure(question, wave["welle"], site.synthetic)


def _published(site: Site, wave: Row, figures: Sequence[Row]) -> Figure:
    shown = [row for row in figures if row["herkunft"] == PUBLISHED and row["wert"] is not None]
    labels = site.facts.codes["befragung_kennzahlen", "kennzahl"]
    bars = tuple(Bar(labels[row["kennzahl"]].label, (Segment(row["wert"]),), number(row["wert"])) for row in shown)
    return Figure(
        key=f"ruecklauf-{wave['welle']}",
        title=f"Befragte und Antwortende, Befragung {wave['welle']}",
        lead=("Von der befragenden Stelle veröffentlichte Zahlen.",),
        chart=Chart(bars, max((row["wert"] for row in shown), default=0)),
        columns=("Kennzahl", "Anzahl", "Herkunft", "Quelle"),
        rows=tuple(
            (
                labels[row["kennzahl"]].label,
                number(row["wert"]),
                site.facts.codes["befragung_kennzahlen", "herkunft"][row["herkunft"]].label,
                source_link(row["quelle_url"], labels[row["kennzahl"]].label),
            )
            for row in shown
        ),
        notes=(
            *(row["hinweis"] for row in shown if row["kennzahl"] == "antwortende" and row["hinweis"]),
            f"Die Balken zählen Verschiedenes: befragt wurden Städte, geantwortet haben {wave['geantwortet_einheit']}.",
        ),
        mark=site.synthetic,
    )


def _committees(site: Site, wave: Row, figures: Sequence[Row]) -> Figure:
    """The published statement in words; drawn, where we can read it as a range, without any number."""
    label = site.facts.codes["befragung_kennzahlen", "kennzahl"]["antwortende_mit_aktivem_gremium"].label
    said = [row for row in figures if row["herkunft"] == PUBLISHED and row["wortlaut"]]
    low, high = wave["gremien_anteil_von"], wave["gremien_anteil_bis"]
    chart = None
    drawn: tuple[str, ...] = ()
    if low is not None and high is not None:
        segments = (Segment(low, FULL), Segment(high - low, OPEN), Segment(1 - high, PALE))
        legend = (
            (FULL, "hatten nach der Aussage ein aktives Gremium"),
            (OPEN, "Spielraum der Aussage"),
            (PALE, "übrige Antwortende"),
        )
        chart = Chart((Bar("Alle Antwortenden", segments, "keine Zahl"),), 1, legend)
        drawn = (
            "Wie lang die Teile des Balkens sind, ist unsere Lesart dieser Worte. Eine Zahl lässt sich daraus nicht "
            "ablesen und wird auch nirgends errechnet.",
        )
    return Figure(
        key=f"aussage-{wave['welle']}",
        title=f"{label}, Befragung {wave['welle']}",
        lead=tuple(row["wortlaut"] for row in said),
        chart=chart,
        columns=("Kennzahl", "Veröffentlichte Aussage", "Quelle"),
        rows=tuple((label, row["wortlaut"], source_link(row["quelle_url"], label)) for row in said),
        notes=(*(row["hinweis"] for row in said if row["hinweis"]), *drawn),
        right=(),
        mark=site.synthetic,
    )


def _sizes(site: Site, wave: Row, towns: Sequence[Row]) -> Figure:
    classes = {label: len(group) for label, group in by_size(towns).items()}
    recomputed = [row for row in site.facts.figures[wave["welle"]] if row["herkunft"] == RECOMPUTED]
    return Figure(
        key=f"groessen-{wave['welle']}",
        title=f"Städte der Auswahl nach Einwohnerzahl, {day(wave['einwohner_stand'])}",
        lead=(
            f"{wave['grundgesamtheit']}, von uns nachgerechnet: {number(len(towns))} Städte. Aus amtlichen "
            "Einwohnerzahlen, nicht aus Antworten.",
        ),
        chart=_plain_chart(classes),
        columns=("Einwohner", "Städte"),
        rows=(*((label, number(count)) for label, count in classes.items()), ("zusammen", number(len(towns)))),
        notes=tuple(row["hinweis"] for row in recomputed if row["hinweis"]),
        mark=site.synthetic,
    )


def _towns(site: Site, wave: Row, towns: Sequence[Row], supplied: bool) -> Figure:
    """The frame town by town. What a town answered stands here only where a response file says it (truth rule 1)."""
    status = site.facts.codes["befragung_rahmen", "befragung_status"]
    columns = ("Stadt", "Kreis", f"Einwohner am {day(wave['einwohner_stand'])}")
    extra = ("Status in der Befragung", "Antwort durch", "Angabe zu Gremien") if supplied else ()
    pages = place_pages(site.facts)
    bars = tuple(
        Bar(town["gemeinde"], (Segment(town["einwohner"]),), number(town["einwohner"])) for town in towns[:MOST_BARS]
    )
    return Figure(
        key=f"staedte-{wave['welle']}",
        title=f"{dataset_title(site, 'befragung_rahmen')} {wave['welle']}",
        lead=(
            "Von uns nachgerechnet, die größte Stadt zuerst. Die gestrichelte Linie ist die Mindestgröße der Auswahl.",
            ANSWERED if supplied else f"Status jeder dieser Städte: „{status[UNKNOWN].label}“.",
        ),
        chart=Chart(
            bars,
            max((town["einwohner"] for town in towns), default=0),
            line=(wave["mindestgroesse"], f"Mindestgröße {number(wave['mindestgroesse'])}"),
        ),
        columns=(*columns, *extra),
        rows=tuple(
            (
                _place(town, pages),
                town["kreis"] or town["kreis_schluessel"],
                number(town["einwohner"]),
                *(_said(site, town) if supplied else ()),
            )
            for town in towns
        ),
        notes=_capped(len(towns)),
        right=(2,),
        mark=site.synthetic,
    )


def _place(town: Row, pages: Mapping[str, str]) -> Cell:
    """A town as a link to its page, where it has one."""
    page = pages.get(town["ags_karte"])
    return Link(town["gemeinde"], page, "Seite des Ortes") if page else str(town["gemeinde"])


def dataset_title(site: Site, dataset: str) -> str:
    """The title of a published dataset."""
    return next(contract.title for contract in site.contracts if contract.name == dataset)


def _said(site: Site, town: Row) -> tuple[str, str, str]:
    """Whether a town is covered by an answer, who gave it, and its statement on committees."""
    codes = site.facts.codes
    invented = " (erfunden)" if site.synthetic else ""
    by, committees = town["antwort_durch"], town["antwort_gremien"]
    return (
        codes["befragung_rahmen", "befragung_status"][town["befragung_status"]].label + invented,
        codes["befragung_rahmen", "antwort_durch"][by].label if by else "",
        codes["befragung_rahmen", "antwort_gremien"][committees].label if committees else "",
    )


def _capped(count: int) -> tuple[str, ...]:
    text = f"Das Diagramm zeigt die ersten {number(MOST_BARS)} Zeilen der Tabelle, die Tabelle alle {number(count)}."
    return (text,) if count > MOST_BARS else ()


def _plain_chart(values: Mapping[str, int]) -> Chart:
    bars = tuple(Bar(label, (Segment(value),), number(value)) for label, value in list(values.items())[:MOST_BARS])
    return Chart(bars, max(values.values(), default=0))


def _counted(site: Site, wave: Row, evaluation: Evaluation) -> Figure:
    """The headline figures counted from the response file: respondents and covered towns are two things."""
    labels = site.facts.codes["befragung_kennzahlen", "kennzahl"]
    figures = [row for row in site.facts.figures[wave["welle"]] if row["herkunft"] == COMPUTED]
    counted = {labels[row["kennzahl"]].label: row["wert"] for row in figures}
    return Figure(
        key=f"gezaehlt-{wave['welle']}",
        title=f"Antwortende und abgedeckte Städte, gezählt aus der Antwortdatei {wave['welle']}",
        lead=(
            f"Geantwortet haben {number(evaluation.respondents)} Stellen, darunter "
            f"{number(evaluation.associations)} für einen Gemeindeverband. Ihre Antworten decken "
            f"{number(evaluation.covered)} von {number(evaluation.towns)} befragten Städten ab.",
        ),
        chart=_plain_chart(counted),
        columns=("Kennzahl", "Anzahl"),
        rows=tuple((label, number(value)) for label, value in counted.items()),
        notes=tuple(f"{labels[row['kennzahl']].label}: {row['hinweis']}" for row in figures if row["hinweis"]),
        mark=site.synthetic,
    )


def _covered(site: Site, wave: Row, kind: str, key: str, groups: Sequence[Group]) -> Figure:
    bars = tuple(
        Bar(
            group.label,
            (Segment(group.covered, FULL), Segment(group.towns - group.covered, PALE)),
            f"{number(group.covered)} von {number(group.towns)}",
        )
        for group in groups[:MOST_BARS]
    )
    towns, covered = sum(group.towns for group in groups), sum(group.covered for group in groups)
    total = Group("zusammen", towns, covered)
    return Figure(
        key=f"antwort-{key}-{wave['welle']}",
        title=f"Durch Antworten abgedeckte Städte nach {kind}, Befragung {wave['welle']}",
        lead=(f"Gezählt sind Städte, nicht antwortende Stellen; n = {number(towns)} befragte Städte.",),
        chart=Chart(
            bars,
            max((group.towns for group in groups), default=0),
            ((FULL, "durch eine Antwort abgedeckt"), (PALE, "keine Antwort")),
        ),
        columns=(kind, "Befragte Städte", "Abgedeckt", "Keine Antwort"),
        rows=tuple(
            (group.label, number(group.towns), number(group.covered), number(group.towns - group.covered))
            for group in (*groups, total)
        ),
        notes=_capped(len(groups)),
        right=(1, 2, 3),
        mark=site.synthetic,
    )


def question_figure(question: Question, wave: str, mark: str) -> Figure:
    """The answers to one question with its wording as the wave's contract gives it, n, and who did not answer it."""
    field = question.field
    key, title = f"frage-{field.name}-{wave}", f"{field.title}, Befragung {wave}"
    lead = (field.description,)
    if isinstance(question, Answers):
        counts = dict(question.counts)
        notes = [_base(question)]
        if question.several:
            notes.append("Mehrere Antworten waren möglich; die Summe kann größer sein als n.")
        if question.unnamed:
            notes.append(f"Von keiner Stelle genannt: {', '.join(question.unnamed)}.")
        return Figure(
            key=key,
            title=title,
            lead=lead,
            chart=_plain_chart(counts) if question.given else None,
            columns=("Antwort", "Antwortende Stellen"),
            rows=(
                *((label, number(count)) for label, count in question.counts),
                ("keine Angabe", number(question.missing)),
            ),
            notes=tuple(notes),
            mark=mark,
        )
    if isinstance(question, Persons):
        known = {label: value for label, value in question.sums if value is not None}
        hidden = len(known) < len(question.sums) or question.total is None
        total = HIDDEN if question.total is None else number(question.total)
        return Figure(
            key=key,
            title=title,
            lead=lead,
            chart=_plain_chart(known) if known else None,
            columns=("Größenklasse", str(field.raw["unit"])),
            rows=(
                *((label, HIDDEN if value is None else number(value)) for label, value in question.sums),
                ("zusammen", total),
            ),
            notes=(_base(question), *((SUPPRESSED,) if hidden else ())),
            mark=mark,
        )
    if isinstance(question, Spread):
        values = (
            ("kleinster Wert", question.smallest),
            ("Median", question.median),
            ("größter Wert", question.largest),
        )
        return Figure(
            key=key,
            title=title,
            lead=lead,
            chart=None,
            columns=("Maß", str(field.raw.get("unit", "Wert"))),
            rows=tuple((label, "keine Angabe" if value is None else number(value)) for label, value in values),
            notes=(_base(question),),
            mark=mark,
        )
    return Figure(
        key, title, lead, None, (), (), ("Freie Texte und Datumsangaben werden nicht veröffentlicht.",), (), mark
    )


def _base(question: Answers | Persons | Spread) -> str:
    return f"n = {number(question.given)} antwortende Stellen mit Angabe; ohne Angabe: {number(question.missing)}."
