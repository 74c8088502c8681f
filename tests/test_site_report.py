"""The survey's page, the monitoring, their charts, the report and the preview: drawn is what the data say."""

from __future__ import annotations

import csv
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest
from conftest import DAY, KLEINLAND, joined_run, profile_of
from pdf_text import flowing, pdf_pages
from playwright.sync_api import Browser
from site_browser import HOSTILE, Served

from flows.contracts import Contract, Field, load_contract, release_contracts
from flows.database import database as open_database
from flows.datasets import published
from flows.german import number
from flows.join import set_variables
from flows.profile import SYNTHETIC_MARK
from flows.site.auswertung import Answers, Persons, Question, Spread, Withheld, evaluate, size_class, suppressed
from flows.site.befragung import surveys
from flows.site.befragung_abbildungen import question_figure
from flows.site.bericht import TEMPLATE, report_data
from flows.site.bildstil import plain_style
from flows.site.diagramme import FULL, NARROW, OPEN, WIDE, Bar, Chart, Figure, Segment, picture
from flows.site.facts import read_facts
from flows.site.monitoring import scope
from flows.site.pages import Site
from flows.site.satz import typeset
from flows.site.vorschau import preview_data

pytest_plugins = ["site_browser"]

SVG = "{http://www.w3.org/2000/svg}"
Make = Callable[..., Path]
Row = dict[str, str]


class Figures(HTMLParser):
    """What each figure of a page shows: labels and values of its wide chart, and its table's cells, by its id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self.tables: dict[str, list[list[str]]] = {}
        self.texts: dict[str, str] = {}
        self.figure = ""
        self.inside: list[str] = []
        self.wide = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "figure":
            self.figure = attributes["id"] or ""
            self.values[self.figure], self.tables[self.figure], self.texts[self.figure] = [], [], ""
        elif tag == "div" and attributes.get("class") in ("nur-breit", "nur-schmal"):
            self.wide = attributes["class"] == "nur-breit"
        elif tag == "text" and attributes.get("class") == "d-wert" and self.wide:
            self.values[self.figure].append("")
            self.inside.append("value")
        elif tag == "tr" and self.figure:
            self.tables[self.figure].append([])
        elif tag in ("td", "th") and self.figure:
            self.tables[self.figure][-1].append("")
            self.inside.append("cell")
        elif tag == "span" and attributes.get("class") == "nur-vorlesen":
            self.inside.append("hidden")

    def handle_endtag(self, tag: str) -> None:
        if tag == "figure":
            self.figure = ""
        ends = {"text": "value", "td": "cell", "th": "cell", "span": "hidden"}
        if self.inside and ends.get(tag) == self.inside[-1]:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if self.figure:
            self.texts[self.figure] += data
        if self.inside and self.inside[-1] == "value":
            self.values[self.figure][-1] += data
        elif self.inside and self.inside[-1] == "cell":
            self.tables[self.figure][-1][-1] += data

    def rows(self, figure: str) -> list[list[str]]:
        """The rows below a table's heads."""
        return self.tables[figure][1:]


def figures_of(release: Served, page: str) -> Figures:
    return Figures((release.folder / page).read_text(encoding="utf-8"))


def table(release: Served, file: str) -> list[Row]:
    with (release.folder / file).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@contextmanager
def site_of(geodata: Path, work: Path, **settings: object) -> Iterator[tuple[duckdb.DuckDBPyConnection, Site]]:
    """The joined database of a profile and what the pages are made from."""
    run = joined_run(profile_of(geodata), work, **settings)
    with open_database(run.database) as con:
        set_variables(con, run)
        contracts = [published(contract, run.profile.synthetic) for contract in release_contracts()]
        yield con, Site(run, contracts, read_facts(con, run, contracts), {})


# What is published of the survey


@pytest.mark.slow
@pytest.mark.parametrize("name", ["thueringen", "demo"])
def test_the_published_figures_are_drawn_as_the_table_and_the_file_have_them(
    name: str, request: pytest.FixtureRequest
) -> None:
    release: Served = request.getfixturevalue(name)
    figures = figures_of(release, "befragung.html")
    published = [
        number(int(row["wert"]))
        for row in table(release, "befragung_kennzahlen.csv")
        if row["herkunft"] == "veroeffentlicht" and row["wert"]
    ]
    assert figures.values["ruecklauf-2020"] == [row[1] for row in figures.rows("ruecklauf-2020")]
    assert sorted(figures.values["ruecklauf-2020"]) == sorted(published) == ["24", "36"]


@pytest.mark.slow
@pytest.mark.slow
def test_the_share_with_committees_is_given_in_words_only(thueringen: Served) -> None:
    figures = figures_of(thueringen, "befragung.html")
    said = [row["wortlaut"] for row in table(thueringen, "befragung_kennzahlen.csv") if row["wortlaut"]]
    assert [row[1] for row in figures.rows("aussage-2020")] == said
    assert figures.values["aussage-2020"] == ["keine Zahl"]
    shown = figures.texts["aussage-2020"].replace("Abbildung 2", "").replace("Befragung 2020", "")
    assert not re.search(r"\d", shown), "the source gives no number, so neither chart nor table may"


@pytest.mark.slow
@pytest.mark.slow
def test_every_town_of_the_frame_is_drawn_with_its_population(thueringen: Served) -> None:
    figures = figures_of(thueringen, "befragung.html")
    towns = sorted(table(thueringen, "befragung_rahmen.csv"), key=lambda row: (-int(row["einwohner"]), row["ags"]))
    expected = [number(int(row["einwohner"])) for row in towns]
    assert figures.values["staedte-2020"] == expected
    assert [row[0] for row in figures.rows("staedte-2020")] == [row["gemeinde"] for row in towns]
    assert [row[2] for row in figures.rows("staedte-2020")] == expected
    *classes, total = figures.rows("groessen-2020")
    assert sum(int(count) for _, count in classes) == int(total[1]) == len(towns) == 36


@pytest.mark.slow
@pytest.mark.slow
def test_without_a_response_file_nothing_is_said_of_a_single_towns_answer(thueringen: Served) -> None:
    page = (thueringen.folder / "befragung.html").read_text(encoding="utf-8")
    report = flowing("".join(pdf_pages((thueringen.folder / "bericht.pdf").read_bytes())))
    heads = figures_of(thueringen, "befragung.html").tables["staedte-2020"][0]
    assert len(heads) == 3, "town, district, population"
    for wording in ("Nicht geantwortet", "Aktives Gremium", "Kein Gremium", "Auswertung der Antworten"):
        assert wording not in page
        assert flowing(wording) not in report
    assert "das sagt nichts darüber, ob sie geantwortet hat" in page


@pytest.mark.slow
@pytest.mark.slow
def test_what_is_not_known_depends_on_whether_there_is_a_response_file(thueringen: Served, demo: Served) -> None:
    without, given = ((release.folder / "befragung.html").read_text(encoding="utf-8") for release in (thueringen, demo))
    for unknown in ("Welche Städte geantwortet haben", "Wie viele Städte die Antworten", "Die genaue Zahl der"):
        assert f"<li>{unknown}" in without
        assert f"<li>{unknown}" not in given
    for page in (without, given):
        assert "<li>Auf welcher Grundlage die Städte ausgewählt wurden." in page
        assert "Von uns nachgerechnet, die größte Stadt zuerst." in page


def test_a_statement_that_we_cannot_read_as_a_range_is_not_drawn(make_geodata: Make, tmp_path: Path) -> None:
    header, wave = (KLEINLAND / "survey_waves.csv").read_text(encoding="utf-8").splitlines()
    vague = wave.replace(",0.5,1,", ",,,")
    assert vague != wave
    geodata = make_geodata({"survey_waves.csv": f"{header}\n{vague}\n"})
    with site_of(geodata, tmp_path / "work") as (con, site):
        statement = surveys(con, site)[0].published[1]
    assert statement.chart is None
    assert statement.rows[0][1].startswith("Mehr als die Hälfte")  # type: ignore[union-attr]


def test_the_drawn_statement_leaves_room_for_what_it_leaves_open(geodata: Path, tmp_path: Path) -> None:
    with site_of(geodata, tmp_path / "work") as (con, site):
        chart = surveys(con, site)[0].published[1].chart
    assert chart is not None
    assert [(segment.kind, segment.value) for segment in chart.bars[0].segments][:2] == [(FULL, 0.5), (OPEN, 0.5)]


def test_several_waves_stand_one_after_the_other_that_of_the_map_first(make_geodata: Make, tmp_path: Path) -> None:
    header, wave = (KLEINLAND / "survey_waves.csv").read_text(encoding="utf-8").splitlines()
    later = wave.replace("2020,Befragung", "2024,Befragung").replace("2020-06,", "2024-06,")
    geodata = make_geodata({"survey_waves.csv": f"{header}\n{wave}\n{later}\n"})
    with site_of(geodata, tmp_path / "work") as (con, site):
        found = surveys(con, site)
        keys = [figure.key for survey in found for figure in (*survey.published, *survey.frame)]
    assert [survey.wave["welle"] for survey in found] == ["2020", "2024"]
    assert len(keys) == len(set(keys))


def test_where_no_town_reaches_the_minimum_there_is_no_empty_chart(make_geodata: Make, tmp_path: Path) -> None:
    header, wave = (KLEINLAND / "survey_waves.csv").read_text(encoding="utf-8").splitlines()
    geodata = make_geodata({"survey_waves.csv": f"{header}\n{wave.replace(',1000,', ',1000000,')}\n"})
    with site_of(geodata, tmp_path / "work") as (con, site):
        survey = surveys(con, site)[0]
        drawn = {figure.key: figure.drawn for figure in (*survey.published, *survey.frame)}
    assert drawn == {"ruecklauf-2020": True, "aussage-2020": True, "groessen-2020": False, "staedte-2020": False}


# The answers of a response file


@pytest.mark.slow
@pytest.mark.slow
def test_the_demonstrations_answers_add_up_to_the_published_totals(demo: Served) -> None:
    figures = figures_of(demo, "befragung.html")
    counted = {
        row["kennzahl"]: row["wert"]
        for row in table(demo, "befragung_kennzahlen.csv")
        if row["herkunft"] == "berechnet"
    }
    assert counted == {"antwortende": "24", "abgedeckte_staedte": "23", "antwortende_mit_aktivem_gremium": "9"}
    assert sorted(figures.values["gezaehlt-2020"]) == sorted(counted.values())
    assert "Durch Antworten abgedeckte Städte: Städte, für die sie selbst" in figures.texts["gezaehlt-2020"]
    for key in ("antwort-groesse-2020", "antwort-kreis-2020"):
        *groups, total = figures.rows(key)
        assert total == ["zusammen", "36", "23", "13"], "towns, not respondents"
        assert [sum(int(row[column]) for row in groups) for column in (1, 2, 3)] == [36, 23, 13]
        assert figures.values[key] == [f"{covered} von {towns}" for _, towns, covered, _ in groups]
    assert figures.rows("frage-gremien-2020") == [
        ["Aktives Gremium", "9"],
        ["Ruhendes Gremium", "4"],
        ["Kein Gremium", "11"],
        ["keine Angabe", "0"],
    ]


@pytest.mark.slow
@pytest.mark.slow
def test_every_question_of_the_waves_contract_is_evaluated_with_its_wording_and_base(demo: Served) -> None:
    figures = figures_of(demo, "befragung.html")
    questions = load_contract("input", "survey_responses_2020").fields[3:]
    assert len(questions) == 5
    for field in questions:
        text = figures.texts[f"frage-{field.name}-2020"]
        assert field.title in text
        assert field.description in text
        assert re.search(r"n = \d+ antwortende Stellen mit Angabe; ohne Angabe: \d+\.", text)
        *shown, (nothing, missing) = figures.rows(f"frage-{field.name}-2020")
        assert figures.values[f"frage-{field.name}-2020"] == [count for _, count in shown]
        assert nothing == "keine Angabe"
        if not field.separator:
            assert sum(int(count) for _, count in shown) + int(missing) == 24


@pytest.mark.slow
@pytest.mark.slow
def test_every_figure_of_the_demonstration_is_marked_as_invented(demo: Served) -> None:
    for page in ("befragung.html", "monitoring.html"):
        figures = figures_of(demo, page)
        assert figures.texts
        assert all(SYNTHETIC_MARK in text for text in figures.texts.values())


def question(**raw: object) -> Field:
    """A column of a made-up wave."""
    described = {"title": "Titel", "description": "Beschreibung.", **raw}
    return Field(str(raw["name"]), str(raw["type"]), "Titel", "Beschreibung.", described)


@pytest.fixture
def made_up_wave() -> Iterator[Mapping[str, Question]]:
    """The evaluation of a made-up wave with the questions that the wave of 2020 does not have, by column."""
    fields = (
        question(name="buero", type="boolean", trueValues=["ja"], falseValues=["nein"]),
        question(name="personal", type="integer", unit="Personen"),
        question(name="mittel", type="number", unit="Euro"),
        question(name="anmerkung", type="string"),
        question(name="seit", type="date"),
    )
    contract = Contract("survey_responses_2031", "Welle", "Eine erfundene Welle.", fields, {})
    towns = [
        {"ags": f"9900100{index}", "einwohner": size, "kreis": "Nord", "kreis_schluessel": "99001"}
        | {"befragung_status": "geantwortet"}
        for index, size in enumerate((12_000, 15_000, 30_000, 60_000))
    ]
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA input")
        con.execute("CREATE SCHEMA joined")
        con.execute(
            "CREATE TABLE input.survey_responses_2031 AS SELECT * FROM (VALUES "
            "('99001000', true, true, 1, 100.5, 'Frau Beispiel', DATE '2019-05-04'), "
            "('99001001', true, true, 1, NULL, NULL, NULL), ('99001002', true, false, 7, 300.0, NULL, NULL), "
            "('99001003', true, NULL, 20, 200.0, NULL, NULL), ('99001009', false, true, 50, 9.0, NULL, NULL)) "
            "AS t (einheit, geantwortet, buero, personal, mittel, anmerkung, seit)"
        )
        con.execute(
            "CREATE TABLE joined.survey_replies AS SELECT '2031' AS welle, einheit, einheit AS ags "
            "FROM input.survey_responses_2031 WHERE geantwortet"
        )
        found = evaluate(con, contract, "2031", towns)
    yield {one.field.name: one for one in found.questions}


def test_who_did_not_answer_is_not_counted(made_up_wave: Mapping[str, Question]) -> None:
    office = made_up_wave["buero"]
    assert isinstance(office, Answers)
    assert office.counts == (("Ja", 2), ("Nein", 1))
    assert (office.given, office.missing) == (3, 1)


def test_small_counts_of_persons_cannot_be_told_from_sums(made_up_wave: Mapping[str, Question]) -> None:
    staff = made_up_wave["personal"]
    assert isinstance(staff, Persons)
    assert staff.sums == (
        ("10.000 bis unter 20.000", None),
        ("20.000 bis unter 50.000", None),
        ("50.000 bis unter 100.000", 20),
    )
    assert staff.total == 29
    figure = question_figure(staff, "2031", "")
    assert figure.chart is not None
    assert [bar.text for bar in figure.chart.bars] == ["20"], "a hidden sum has no bar"
    assert [row[1] for row in figure.rows] == ["nicht veröffentlicht", "nicht veröffentlicht", "20", "29"]


def test_amounts_are_told_by_their_middle_and_ends(made_up_wave: Mapping[str, Question]) -> None:
    money = made_up_wave["mittel"]
    assert isinstance(money, Spread)
    assert (money.smallest, money.median, money.largest, money.given) == (100.5, 200.0, 300.0, 3)
    assert question_figure(money, "2031", "").rows[0] == ("kleinster Wert", "100,5")


@pytest.mark.parametrize(("column", "said"), [("anmerkung", "Beispiel"), ("seit", "2019")])
def test_free_text_and_dates_are_not_published(made_up_wave: Mapping[str, Question], column: str, said: str) -> None:
    withheld = made_up_wave[column]
    assert isinstance(withheld, Withheld)
    figure = question_figure(withheld, "2031", "")
    assert said not in str(figure)
    assert figure.notes == ("Freie Texte und Datumsangaben werden nicht veröffentlicht.",)


@pytest.mark.parametrize(
    ("values", "shown", "total"),
    [
        ((5, 9, 0), (5, 9, 0), 14),
        ((2, 9, 5), (None, 9, None), 16),
        ((1, 1, 8, 4), (None, None, 8, None), 14),
        ((1, 2, 8), (None, None, None), 11),
        ((2, 0), (None, 0), None),
        ((1, 1), (None, None), None),
        ((2,), (None,), None),
        ((), (), 0),
    ],
)
def test_counts_of_persons_below_three_are_hidden_with_what_would_reveal_them(
    values: tuple[int, ...], shown: tuple[int | None, ...], total: int | None
) -> None:
    assert suppressed(values) == (shown, total)


def test_no_hidden_count_of_persons_follows_from_what_is_shown() -> None:
    """Every published table of up to three counts has another origin that looks the same, for each hidden cell."""
    origins: dict[object, list[tuple[int, ...]]] = {}
    cells = range(7)
    for values in [(a, b, c) for a in cells for b in cells for c in cells]:
        origins.setdefault(suppressed(values), []).append(values)
    for values in [(a, b, c) for a in cells for b in cells for c in cells]:
        published = suppressed(values)
        for place, shown in enumerate(published[0]):
            if shown is None and 0 < values[place] < 3:
                assert len({other[place] for other in origins[published]}) > 1, (values, published)


@pytest.mark.parametrize(
    ("population", "label"),
    [
        (999, "unter 1.000"),
        (10_000, "10.000 bis unter 20.000"),
        (19_999, "10.000 bis unter 20.000"),
        (700_000, "500.000 und mehr"),
    ],
)
def test_size_classes_are_those_of_official_statistics(population: int, label: str) -> None:
    assert size_class(population) == label


# Monitoring


@pytest.mark.slow
@pytest.mark.slow
def test_every_monitoring_figure_stands_once_with_wave_base_and_source(thueringen: Served) -> None:
    figures = figures_of(thueringen, "monitoring.html")
    rows = table(thueringen, "monitoring.csv")
    drawn = sorted(value for values in figures.values.values() for value in values)
    assert drawn == sorted(f"{number(float(row['wert']))} Prozent" for row in rows)
    for key, values in figures.values.items():
        cells = [cell for row in figures.rows(key) for cell in row]
        assert all(value in cells for value in values)
        assert all(area in figures.texts[key] for area in {row["gebiet"] for row in rows})


@pytest.mark.slow
@pytest.mark.slow
def test_figures_of_different_bases_never_share_a_chart(thueringen: Served) -> None:
    figures = figures_of(thueringen, "monitoring.html")
    waves = {key: figures.rows(key) for key in figures.tables if key.startswith("wellen-")}
    assert {tuple(row[0] for row in rows) for rows in waves.values()} == {("Welle 2", "Welle 5", "Welle 6")}
    bases = [text for key, text in figures.texts.items() if key.startswith("welle-")]
    assert len(bases) == len({(row["welle"], row["bezug"]) for row in table(thueringen, "monitoring.csv")}) - 3
    assert not any("Bezug: Vorfälle" in text and "Bezug: Letzter Vorfall" in text for text in bases)


@pytest.mark.slow
@pytest.mark.slow
def test_the_monitoring_says_that_it_is_not_about_this_land(thueringen: Served) -> None:
    said = "Für Thüringen allein sagen sie nichts."
    page = (thueringen.folder / "monitoring.html").read_text(encoding="utf-8")
    assert said in page
    assert flowing(said) in flowing("".join(pdf_pages((thueringen.folder / "bericht.pdf").read_bytes())))


@pytest.mark.slow
def test_nothing_is_said_against_figures_that_are_about_this_land(make_geodata: Make, tmp_path: Path) -> None:
    header, row = (KLEINLAND / "monitoring.csv").read_text(encoding="utf-8").splitlines()
    with site_of(make_geodata(), tmp_path / "work") as (_con, site):
        land = site.facts.lands[0]["land"]
        assert f"Für {land} allein sagen sie nichts." in scope(site)[1]
    own = row.replace("komo-5-betroffene", "komo-9-eigene").replace("Deutschland", land)
    geodata = make_geodata({"monitoring.csv": f"{header}\n{row}\n{own}\n"})
    with site_of(geodata, tmp_path / "own") as (_con, site):
        areas, further = scope(site)
    assert areas == f"Alle Zahlen gelten für: Deutschland, {land}."
    assert "sagen sie nichts" not in further


# Charts


def chart_of(*bars: Bar, mark: str = "") -> Figure:
    chart = Chart(bars, max(segment.value for bar in bars for segment in bar.segments))
    return Figure("probe", "Probe", (), chart, (), (), mark=mark)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_hostile_label_stays_text_in_a_chart(width: int) -> None:
    drawn = picture(chart_of(Bar(HOSTILE, (Segment(3),), "3")), width, "text { fill: red }")
    texts = "".join(element.text or "" for element in ElementTree.fromstring(drawn).iter(f"{SVG}text"))
    assert HOSTILE.replace(" ", "") in texts.replace(" ", "")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_bar_is_as_long_as_its_value(width: int) -> None:
    drawn = picture(
        chart_of(Bar("a", (Segment(40),), "40"), Bar("b", (Segment(10),), "10")), width, "text { fill: red }"
    )
    long, short = (float(element.attrib["width"]) for element in ElementTree.fromstring(drawn).iter(f"{SVG}rect"))
    assert long == pytest.approx(4 * short, abs=0.5)
    assert long < width


def test_a_chart_says_in_words_what_it_shows_and_that_it_is_invented() -> None:
    drawn = ElementTree.fromstring(
        picture(chart_of(Bar("Orte", (Segment(3),), "3"), mark=SYNTHETIC_MARK), WIDE, "a {}")
    )
    assert drawn.attrib["role"] == "img"
    assert drawn.attrib["aria-label"] == f"{SYNTHETIC_MARK}. Balkendiagramm: Probe. Orte: 3"
    assert SYNTHETIC_MARK in [element.text for element in drawn.iter(f"{SVG}text")]


def test_a_plain_style_sheet_keeps_the_light_colours_where_they_are_used() -> None:
    css = (
        ":root { --a: #111111; --b: var(--a); }\n"
        "@media (prefers-color-scheme: dark) { :root { --a: #eeeeee; } .x { fill: red; } }\n"
        ".flag { fill: var(--b); stroke: var(--unknown); }\n"
        ".kind-1 { --own: var(--b); } .kind-2 { --own: #222222; }\n"
        ".sign .form { fill: var(--own); }"
    )
    plain = plain_style(css)
    assert "var(" not in plain
    assert "eeeeee" not in plain
    assert "red" not in plain
    assert ".flag { fill: #111111 }" in plain
    rules = dict(re.findall(r"([^{}]+)\{ fill: (#[0-9]+) \}", plain))
    first = next(selector for selector, colour in rules.items() if "kind-1" in selector and colour == "#111111")
    assert ".sign.kind-1 .form" in first
    assert ".kind-1 .sign .form" in first
    assert any("kind-2" in selector and colour == "#222222" for selector, colour in rules.items())


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("page_name", ["befragung.html", "monitoring.html"])
@pytest.mark.slow
def test_no_text_of_a_chart_lies_on_another_or_leaves_it(
    browser: Browser, demo: Served, page_name: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{demo.address}/{page_name}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = page.evaluate(
        """() => {
            const wrong = [];
            let charts = 0, smallest = 99;
            for (const svg of document.querySelectorAll('svg.diagramm')) {
                if (!svg.getBoundingClientRect().width) continue;
                charts += 1;
                const frame = svg.getBoundingClientRect();
                const texts = [...svg.querySelectorAll('text')];
                const boxes = texts.map((text) => text.getBoundingClientRect());
                const scale = frame.width / svg.viewBox.baseVal.width;
                smallest = Math.min(smallest, scale * parseFloat(getComputedStyle(texts[0]).fontSize));
                boxes.forEach((box, at) => {
                    if (box.left < frame.left - 1 || box.right > frame.right + 1) wrong.push(texts[at].textContent);
                    boxes.slice(at + 1).forEach((other, further) => {
                        const across = Math.min(box.right, other.right) - Math.max(box.left, other.left);
                        const down = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
                        if (across > 1 && down > 3) {
                            wrong.push(`${texts[at].textContent} / ${texts[at + 1 + further].textContent}`);
                        }
                    });
                });
            }
            return { wrong, charts, smallest };
        }"""
    )
    assert found["wrong"] == []
    assert found["charts"] > 3
    assert found["smallest"] >= 11, "letters must be readable"
    page.close()


# The report and the preview


@pytest.mark.slow
@pytest.mark.parametrize("name", ["thueringen", "demo"])
def test_the_report_counts_its_pages_and_names_its_day_and_sources(name: str, request: pytest.FixtureRequest) -> None:
    release: Served = request.getfixturevalue(name)
    content = (release.folder / "bericht.pdf").read_bytes()
    pages = [flowing(page) for page in pdf_pages(content)]
    assert len(pages) > 5
    day = DAY.strftime("%d.%m.%Y")
    for position, page in enumerate(pages[1:], 2):
        assert f"Seite{position}von{len(pages)}" in page
        assert f"Stand{day}" in page
    assert day in pages[0]
    package = json.loads((release.folder / "datapackage.json").read_text(encoding="utf-8"))
    assert all(flowing(source["attribution"]) in pages[-1] for source in package["sources"])
    assert flowing(package["licenses"][0]["title"]) in pages[-1]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in content
    assert b"/Lang(de-DE)" in content
    assert b"/Outlines" in content


@pytest.mark.slow
@pytest.mark.slow
def test_the_report_holds_what_the_pages_say(demo: Served) -> None:
    report = flowing("".join(pdf_pages((demo.folder / "bericht.pdf").read_bytes())))
    for page in ("befragung.html", "monitoring.html"):
        for rows in figures_of(demo, page).tables.values():
            assert all(flowing(cell) in report for row in rows for cell in row)
    committees = table(demo, "gremien.csv")
    assert committees
    for row in committees:
        assert flowing(row["name"]) in report
    assert flowing("nur Belege ohne Datum") in report
    assert flowing("Alle Zahlen dieses Abschnitts sind aus erfundenen Antworten gezählt.") in report


@pytest.mark.slow
@pytest.mark.slow
def test_marks_stand_on_every_page_of_the_report(demo: Served, thueringen: Served) -> None:
    for page in pdf_pages((demo.folder / "bericht.pdf").read_bytes()):
        assert flowing(SYNTHETIC_MARK) in flowing(page)
        assert "Entwurf,nichtveröffentlicht" in flowing(page)
    for page in pdf_pages((thueringen.folder / "bericht.pdf").read_bytes()):
        assert "SYNTHETISCH" not in page
        assert "Entwurf,nichtveröffentlicht" in flowing(page)


@pytest.mark.slow
def test_the_page_links_the_report(folder: Path) -> None:
    assert 'href="bericht.pdf"' in (folder / "befragung.html").read_text(encoding="utf-8")
    assert (folder / "bericht.pdf").read_bytes().startswith(b"%PDF-1.7")


@pytest.mark.slow
def test_hostile_names_are_text_in_the_report(folder: Path) -> None:
    assert flowing(HOSTILE) in flowing("".join(pdf_pages((folder / "bericht.pdf").read_bytes())))


def lend_map(site: Site, release: Path) -> None:
    """Give a release that is not there yet the map of another."""
    assets = site.run.package / "assets"
    assets.mkdir(parents=True)
    (assets / "karte.svg").write_bytes((release / "assets" / "karte.svg").read_bytes())


COMMAND = '#panic("x") *fett* $x^2$ @ref \\u{1F} `roh` <marke> // weg'


@pytest.mark.slow
def test_commands_of_the_typesetting_program_are_text_and_the_same_data_give_the_same_bytes(
    geodata: Path, folder: Path, tmp_path: Path
) -> None:
    with site_of(geodata, tmp_path / "work", title=COMMAND) as (con, site):
        lend_map(site, folder)
        data = report_data(con, site)
        first, second = (typeset(site.run, TEMPLATE, data, "pdf", ["ua-1"]) for _ in range(2))
    assert first == second
    assert flowing(COMMAND) in flowing(pdf_pages(first)[0])


def test_only_web_addresses_become_links_in_the_report(geodata: Path, folder: Path, tmp_path: Path) -> None:
    with site_of(geodata, tmp_path / "work") as (con, site):
        lend_map(site, folder)
        waves = [wave | {"quelle_url": "javascript:alert(1)"} for wave in site.facts.waves]
        data = report_data(con, replace(site, facts=replace(site.facts, waves=waves)))
        content = typeset(site.run, TEMPLATE, data, "pdf", ["ua-1"])
    assert b"javascript" not in content
    assert "javascript:alert(1)" in flowing("".join(pdf_pages(content)))


@pytest.mark.parametrize("synthetic", [False, True])
def test_the_preview_says_what_the_release_holds_and_how_far_it_may_be_trusted(
    geodata: Path, folder: Path, tmp_path: Path, synthetic: bool
) -> None:
    with site_of(geodata, tmp_path / "work", synthetic=synthetic) as (_con, site):
        lend_map(site, folder)
        data = preview_data(site)
    committees = len(list(csv.DictReader((KLEINLAND / "committees.csv").open(encoding="utf-8", newline=""))))
    assert [value for value, _ in data["figures"]] == [str(committees), "2"]
    assert data["draft"] == "Entwurf, nicht veröffentlicht"
    assert data["synthetic"] == (SYNTHETIC_MARK if synthetic else "")
    assert data["day"] == DAY.strftime("%d.%m.%Y")
    assert data["attribution"] == "Kleinland, erfundene Daten"
    assert "var(" not in data["map"], "a custom property would be black"


def png_size(file: Path) -> tuple[int, int]:
    width, height = struct.unpack(">II", file.read_bytes()[16:24])
    return width, height


@pytest.mark.slow
@pytest.mark.slow
def test_the_preview_is_a_small_picture_of_the_size_that_networks_show(thueringen: Served, demo: Served) -> None:
    for release in (thueringen, demo):
        picture_file = release.folder / "vorschau.png"
        assert png_size(picture_file) == (1200, 630)
        assert picture_file.stat().st_size < 250_000
    assert (thueringen.folder / "vorschau.png").read_bytes() != (demo.folder / "vorschau.png").read_bytes()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.slow
def test_the_page_prints_as_a_report_on_a4(browser: Browser, demo: Served) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740}, color_scheme="dark")
    page.goto(f"{demo.address}/befragung.html")
    page.emulate_media(media="print", color_scheme="light")
    assert not page.locator("nav").first.is_visible()
    assert page.locator("#staedte-2020 .nur-breit").is_visible()
    assert not page.locator("#staedte-2020 .nur-schmal").is_visible()
    assert page.get_by_text(SYNTHETIC_MARK).first.is_visible()
    printed = page.pdf(prefer_css_page_size=True)
    sizes = {tuple(float(part) for part in box.split()) for box in re.findall(rb"/MediaBox \[([0-9. ]+)\]", printed)}
    assert len(sizes) == 1
    assert sizes.pop() == pytest.approx((0, 0, 595, 842), abs=1.5)
    page.close()
