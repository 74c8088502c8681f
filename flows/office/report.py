"""Reports for the office: for every input what is wrong in it, where, how to mend it, and what wants a new look.

One page (HTML, nothing loaded from elsewhere, prints well) and one table (CSV as a German Excel opens it) per input,
and an overview. They quote what the office typed, which may be the very thing that must not become public: they lie in
the workspace, never in a release.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import jinja2

from flows import german
from flows.contracts import load_contract
from flows.errors import Refused
from flows.findings import Finding
from flows.metadata.text import marks
from flows.office.set_aside import RULE, can_wait, read_aside
from flows.office.stale import Stale, stale_committees
from flows.paths import TEMPLATES
from flows.profile import Profile, Source
from flows.provenance import read_manifest
from flows.run import Run
from flows.tables import Table, read_cells
from flows.targets.local import LocalTarget
from flows.validate import day_columns

FOLDER, INDEX, STATE = "reports", "index.html", "stand.json"
# So many rows of one kind stand on a page, which a browser must hold and a person read; the table has all.
SHOWN = 500
LONGEST_VALUE = 300
# A cell that begins so would be a formula to a spreadsheet.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Effect:
    """What a finding means for the release: its name in the table, its heading on the page, and what follows."""

    name: str
    title: str
    text: str


STOPS = Effect(
    "verhindert die Veröffentlichung",
    "Das verhindert die Veröffentlichung",
    "Solange diese Stellen nicht berichtigt sind, bleibt die letzte Ausgabe unverändert.",
)
WAITS = Effect(
    "Eintrag zurückgestellt",
    "Diese Einträge werden zurückgestellt",
    "Sie halten die übrigen Einträge nicht auf. Für sie gilt weiter, was zuletzt veröffentlicht war; waren sie noch "
    "nie veröffentlicht, fehlen sie vorerst. Sobald sie berichtigt sind, kommen sie von selbst dazu.",
)
FOLLOWS = Effect(
    "Folge eines zurückgestellten Eintrags",
    "Das folgt nur aus zurückgestellten Einträgen",
    "Hier ist vermutlich nichts zu tun: Die Stellen verweisen auf einen Eintrag, der zurückgestellt ist.",
)
STALE = Effect(
    "bitte prüfen",
    "Bitte prüfen, ob das noch stimmt",
    "Das sind keine Fehler. Gibt es einen neueren Beleg, bitte ergänzen; der alte bleibt stehen.",
)
EFFECTS = (STOPS, WAITS, FOLLOWS, STALE)

# Kinds of findings by the rule that is broken, the most important first, as headings for the office.
KINDS = {
    RULE: "Einträge lassen sich nicht zurückstellen",
    "personal_data": "Angaben zu Personen",
    "herkunft": "Die Datei ist nicht die, die beschrieben ist",
    "stand": "Der Stand der Datei fehlt",
    "lesbar": "Nicht lesbar",
    "spalten": "Spalten fehlen oder sind unbekannt",
    "pflicht": "Angaben fehlen",
    "duplicate_ids": "Einträge stehen mehrfach da",
    "orphans": "Verweise führen ins Leere",
    "unknown_keys": "Gemeindeschlüssel sind nicht bekannt",
    "muster": "Schlüssel, Kennungen oder Daten haben eine andere Form",
    "codeliste": "Werte stehen nicht in der Liste",
    "typ": "Zahlen, Daten oder Ja/Nein haben eine andere Form",
    "bereich": "Zahlen sind zu groß oder zu klein",
    "evidence_dates": "Daten der Belege",
    "status_without_date": "Status und Datum passen nicht zusammen",
    "committee_without_evidence": "Gremien ohne Beleg",
    "founded_year": "Gründungsjahre",
    "possibly_same": "„Eventuell identisch“ gilt nicht beiderseits",
    "web_addresses": "Internetadressen",
    "spreadsheet_formulas": "Texte beginnen wie eine Formel",
    "survey_respondents": "Antwortende Stellen der Befragung",
    "survey_totals": "Antwortdatei und veröffentlichte Zahlen passen nicht zusammen",
    "survey_frame_size": "Zahl der befragten Städte",
    "wave_missing": "Welle der Befragung fehlt",
    "wave_on_map": "Befragte Städte auf der Karte",
    "territory_date": "Gebietsstand",
    "intervals": "Zeiträume",
    "key_forms": "Schlüssel passen nicht zueinander",
    "flaeche": "Flächen",
    "area_covered": "Flächen decken das Land nicht",
    "area_plausible": "Flächen und Verzeichnis passen nicht zusammen",
    "lost_land": "Land ohne Gemeinde",
    "missing_lands": "Länder fehlen auf der Karte",
    "missing_municipalities": "Gemeinden fehlen",
    "unknown_districts": "Kreise fehlen",
    "population_missing": "Einwohnerzahlen fehlen",
    "population_sums": "Einwohnerzahlen passen nicht zusammen",
    "change_lands": "Länder ohne erfasste Gebietsänderungen",
    "change_shares": "Anteile bei Gebietsänderungen",
    "successor_unknown": "Gemeinden ohne bekannte Nachfolgerin",
    "unreachable_changes": "Gebietsänderungen ohne Anschluss",
    "veraltet": "Stand ist alt oder unbekannt",
}
OTHERS = "Weitere Befunde"
CSV_COLUMNS = ("Wirkung", "Art", "Blatt", "Zeile", "Eintrag", "Spalte", "Wert", "Was ist falsch", "Was ist zu tun")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a report."""

    effect: Effect
    kind: str
    row: int | None
    record: str
    column: str
    column_title: str
    value: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Report:
    """What is to be said of one input; ``entries`` are in the order in which the office should look at them."""

    dataset: str
    title: str
    file: str
    sheet: str
    entries: tuple[Entry, ...]

    def count(self, effect: Effect) -> int:
        """How many entries have this effect."""
        return sum(entry.effect is effect for entry in self.entries)

    def groups(self) -> Iterator[tuple[Effect, list[tuple[str, list[Entry]]]]]:
        """The entries by effect and kind, in order."""
        for effect in EFFECTS:
            kinds: dict[str, list[Entry]] = {}
            for entry in self.entries:
                if entry.effect is effect:
                    kinds.setdefault(entry.kind, []).append(entry)
            if kinds:
                yield effect, list(kinds.items())


def _sentence(text: str) -> str:
    """A message as a sentence of its own: its place stands before it in a list, but not in a table."""
    return text[:1].upper() + text[1:]


def _titles(dataset: str) -> dict[str, str]:
    return {field.name: field.title for field in load_contract("input", dataset).fields}


def _table(run: Run, source: Source) -> Table | None:
    """An input as the office sees it, or None for one that cannot be read or is no table."""
    file = run.original(source)
    if file.suffix == ".parquet" or not file.is_file():
        return None
    try:
        return read_cells(file, source.sheet, source.label, day_columns(load_contract("input", source.dataset)))
    except Refused:
        return None


def _records(table: Table | None, dataset: str) -> dict[int, str]:
    """What people know a line by: the first column of the key, by line."""
    key = load_contract("input", dataset).primary_key
    if table is None or not key or key[0] not in table.columns:
        return {}
    place = table.columns.index(key[0])
    return {line: row[place] or "" for line, row in zip(table.lines, table.rows, strict=True)}


def _entry(effect: Effect, finding: Finding, records: dict[int, str], titles: dict[str, str]) -> Entry:
    return Entry(
        effect,
        KINDS.get(finding.check, OTHERS),
        finding.row,
        records.get(finding.row or 0, ""),
        finding.column or "",
        titles.get(finding.column or "", ""),
        finding.value or "",
        _sentence(finding.message),
        finding.remedy,
    )


def _stale_entries(stale: Iterable[Stale]) -> Iterator[Entry]:
    remedy = "Bitte nach einem neueren Beleg suchen und ihn mit seinem Datum ergänzen."
    for one in stale:
        yield Entry(STALE, KINDS["veraltet"], one.row, one.key, "", "", one.name, one.text, remedy)


def _rank(entry: Entry) -> tuple[int, int]:
    kinds = list(KINDS.values())
    return EFFECTS.index(entry.effect), kinds.index(entry.kind) if entry.kind in kinds else len(kinds)


def reports_of(run: Run, findings: Sequence[tuple[Effect, Finding]]) -> list[Report]:
    """A report on every input of the run, in the profile's order, with what is stale on the day of the run."""
    wanted = {finding.source for _, finding in findings}
    tables = {
        source.dataset: _table(run, source)
        for source in run.profile.sources
        if source.label in wanted or source.dataset in ("committees", "evidence")
    }
    committees, evidence = tables.get("committees"), tables.get("evidence")
    stale = stale_committees(committees, evidence, run.profile.stale_after, run.day) if committees and evidence else []
    reports = []
    for source in run.profile.sources:
        records, titles = _records(tables.get(source.dataset), source.dataset), _titles(source.dataset)
        entries = [_entry(effect, one, records, titles) for effect, one in findings if one.source == source.label]
        entries += _stale_entries(stale) if source.dataset == "committees" else ()
        title = load_contract("input", source.dataset).title
        ordered = tuple(sorted(entries, key=_rank))
        reports.append(Report(source.dataset, title, source.file.name, source.sheet or "", ordered))
    return reports


def safe(text: str) -> str:
    """A text that a spreadsheet shows instead of computing it."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def csv_of(report: Report) -> bytes:
    """The report as a German Excel opens it: UTF-8 with its mark, semicolons, no cell a formula."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for entry in report.entries:
        row = "" if entry.row is None else str(entry.row)
        cells = (entry.effect.name, entry.kind, report.sheet, row, entry.record, entry.column, entry.value)
        writer.writerow([safe(cell) for cell in (*cells, entry.message, entry.remedy)])
    return buffer.getvalue().encode("utf-8-sig")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]} …"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    environment.filters |= {"zahl": german.number, "datum": german.day, "gekuerzt": _short}
    return environment


def write_reports(
    folder: Path,
    profile: Profile,
    day: date,
    result: str,
    reports: Sequence[Report],
    others: Sequence[Finding] = (),
    notes: Sequence[str] = (),
) -> None:
    """Write page and table of every report and the overview into ``folder``.

    ``result`` says how the run ended; ``others`` are findings that lie in no input, ``notes`` what the stages remarked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    common = {
        "title": profile.title,
        "marks": marks(profile),
        "day": day,
        "result": result,
        "effects": EFFECTS,
        "index": INDEX,
        "shown": SHOWN,
    }
    page, overview = (_environment().get_template(f"{name}.html.j2") for name in ("pruefbericht", "pruefberichte"))
    for report in reports:
        (folder / f"{report.dataset}.html").write_text(page.render(report=report, **common), encoding="utf-8")
        (folder / f"{report.dataset}.csv").write_bytes(csv_of(report))
    text = overview.render(reports=reports, others=others, notes=notes, **common)
    (folder / INDEX).write_text(text, encoding="utf-8")


def report_run(run: Run, result: str, notes: Sequence[str], refused: Refused | None = None) -> None:
    """Write the reports on a run's inputs into ``run.reports``, however it ended; ``notes`` are the stages' remarks."""
    aside = read_aside(run)
    found = refused.findings if refused else ()
    impossible = any(finding.check == RULE for finding in found)
    effects = [(WAITS if not impossible and can_wait(run, finding) else STOPS, finding) for finding in found]
    effects += [(WAITS, finding) for finding in aside.findings if finding not in found]
    effects += [(FOLLOWS, finding) for finding in aside.follows]
    labels = {source.label for source in run.profile.sources}
    others = [finding for _, finding in effects if finding.source not in labels]
    write_reports(run.reports, run.profile, run.day, result, reports_of(run, effects), others, notes)
    (run.reports / STATE).write_text(json.dumps({"fingerabdruck": _fingerprint(run)}), encoding="utf-8")


def _fingerprint(run: Run) -> str | None:
    return str(read_manifest(run)["fingerabdruck"]) if run.manifest.is_file() else None


def reported(run: Run) -> bool:
    """Whether the reports in the workspace are on these very inputs."""
    content = LocalTarget(run.store.workspace).read(f"{FOLDER}/{STATE}")
    return content is not None and json.loads(content)["fingerabdruck"] == _fingerprint(run)


def install_reports(run: Run) -> None:
    """Let the reports of a run take the place of the last ones, in one step; a run without leaves those."""
    if run.reports.is_dir():
        LocalTarget(run.store.workspace).install(run.reports, FOLDER)
