"""Responses exported from LimeSurvey (https://www.limesurvey.org): CSV with question codes as its header.

The export knows nothing of our contract. A mapping file says what becomes of each question, one line per answer:

    frage,antwort,spalte,wert
    G01Q01,,einheit,                                    the answer as it is: a key or the name of a town or association
    G01Q03,A2,gremien,ruhend                            a coded answer
    G02Q01[SQ003],Y,themen,vandalismus_graffiti         a box that was ticked; several of them make up a list

Questions that the mapping does not name stay in the export: it may hold names and addresses.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flows.contracts import Contract, Field, load_contract
from flows.errors import Refused, WrongUsage
from flows.findings import Finding
from flows.profile import Profile
from flows.sources.converted import Converted, text_table
from flows.spelling import nearest, plain
from flows.tables import Table, read_table

MAPPING_COLUMNS = ("frage", "antwort", "spalte", "wert")
FRAME_COLUMNS = ("ags", "gemeinde", "verband_ars", "verband", "verband_kennzeichen")
UNIT, ANSWERED, RECEIVED = "einheit", "geantwortet", "eingegangen_am"
SUBMITTED = "submitdate"
# What LimeSurvey writes for a box that was not ticked, by what it writes for one that was.
UNTICKED = {"Y": "N", "Ja": "Nein"}
# LimeSurvey dates every answer of an anonymised survey so.
NO_DAY = "1980-01-01"
KEY = re.compile(r"[0-9]{8}|[0-9]{9}")
# Associations of one member bear its name; a reply under that name is the town's.
ONE_MEMBER = ("50", "58")


@dataclass(frozen=True, slots=True)
class Question:
    """What becomes of one question: ``column`` of the contract, and the value by answer; no answers: taken as it is."""

    code: str
    column: Field
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Respondents:
    """Who may have answered: keys by name as people write it, and all names for suggestions.

    ``keys`` is None when no frame was given; whether a key belongs to the survey is then only known after the join.
    """

    by_name: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]
    keys: frozenset[str] | None


@dataclass(slots=True)
class _Notes:
    """What is wrong, by the table that it is wrong in."""

    label: str
    findings: list[Finding] = field(default_factory=list)

    def add(
        self, check: str, message: str, remedy: str, row: int | None, column: str | None, value: str | None = None
    ) -> None:
        self.findings.append(Finding(check, self.label, message, remedy, row, column, value))


def _near(value: str, known: tuple[str, ...] | list[str]) -> str:
    near = difflib.get_close_matches(value, known, n=1)
    return f"Meinten Sie „{near[0]}“?" if near else "Bitte prüfen."


def _read_mapping(file: Path, contract: Contract) -> list[Question]:
    """The questions of a mapping file; raises ``Refused`` when it names what the contract does not have."""
    table = read_table(file, None, file.name)
    if missing := [column for column in MAPPING_COLUMNS if column not in table.columns]:
        message = f"die Spalte „{missing[0]}“ fehlt; gebraucht werden {', '.join(MAPPING_COLUMNS)}."
        raise Refused([Finding("spalten", file.name, message, "Bitte ergänzen.", 1, missing[0])])
    notes = _Notes(file.name)
    fields = {column.name: column for column in contract.fields}
    questions: dict[str, tuple[Field, dict[str, str]]] = {}
    for line, cells in zip(table.lines, table.rows, strict=True):
        row = dict(zip(table.columns, cells, strict=True))
        code, answer, column, value = (row[name] or "" for name in MAPPING_COLUMNS)
        if not code or column not in fields:
            place, wrong = ("spalte", column) if code else ("frage", code)
            remedy = _near(column, list(fields)) if code else "Bitte ergänzen."
            notes.add("spalten", "das gibt es nicht im Vertrag der Welle.", remedy, line, place, wrong or None)
            continue
        allowed = fields[column].allowed
        if value and allowed and value not in allowed:
            message = f"dieser Wert steht nicht in der Liste von „{column}“."
            notes.add("codeliste", message, _near(value, allowed), line, "wert", value)
        known, values = questions.setdefault(code, (fields[column], {}))
        if known.name != column or answer in values or bool(answer) != bool(value):
            message = "zu einer Frage gehören eine Spalte und je Antwort genau ein Wert, oder keine Antworten."
            notes.add("spalten", message, "Bitte berichtigen.", line, "frage", code)
        values[answer] = value
    if notes.findings:
        raise Refused(notes.findings)
    return [
        Question(code, column, {} if set(values) == {""} else values) for code, (column, values) in questions.items()
    ]


def _daily(name: str) -> str:
    """A name without what people leave out: the designation after the comma, case, blanks. Less than
    ``spelling.plain`` takes away, because two towns must not become one.
    """
    return " ".join(name.partition(",")[0].split()).casefold()


def _respondents(profile: Profile, frame: str | None) -> Respondents:
    """From the frame of the wave (a table as the published ``befragung_rahmen``), else from the profile's register.

    Raises ``Refused`` for a frame without one of ``FRAME_COLUMNS``.
    """
    if frame:
        file = profile.folder / frame
        table = read_table(file, None, file.name)
        if missing := [column for column in FRAME_COLUMNS if column not in table.columns]:
            message = f"die Spalte „{missing[0]}“ fehlt; gebraucht werden {', '.join(FRAME_COLUMNS)}."
            remedy = "Bitte ergänzen; die veröffentlichte Tabelle „befragung_rahmen“ hat alle."
            raise Refused([Finding("spalten", file.name, message, remedy, 1, missing[0])])
        name = "gemeinde"
    else:
        source = next((source for source in profile.sources if source.dataset == "register"), None)
        if source is None:
            return Respondents({}, (), None)
        table = read_table(source.file, source.sheet, source.label)
        name = "gemeinde_amtlich"
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    by_name: dict[str, dict[str, str]] = {}
    for row in rows:
        units = [(row.get("ags"), row.get(name))]
        if row.get("verband_kennzeichen") not in ONE_MEMBER:
            units.append((row.get("verband_ars"), row.get("verband")))
        for key, title in units:
            if key and title:
                by_name.setdefault(_daily(title), {})[key] = title.partition(",")[0]
    names = tuple(dict.fromkeys(title for found in by_name.values() for title in found.values()))
    keys = frozenset(key for row in rows for key in (row.get("ags"), row.get("verband_ars")) if key)
    return Respondents({title: tuple(found) for title, found in by_name.items()}, names, keys if frame else None)


def _unit(value: str, respondents: Respondents, notes: _Notes, line: int, question: str) -> str:
    """The key of a respondent, from a key or a name."""
    if KEY.fullmatch(value):
        if respondents.keys is not None and value not in respondents.keys:
            message = "diese Stelle gehört nicht zum Rahmen der Befragung."
            notes.add("einheit", message, "Bitte den Schlüssel prüfen.", line, question, value)
        return value
    found = respondents.by_name.get(_daily(value), ())
    if len(found) == 1:
        return found[0]
    if found:
        message = f"so heißen mehrere Stellen ({', '.join(found)})."
        notes.add("einheit", message, "Bitte den Schlüssel eintragen.", line, question, value)
    else:
        guess = nearest(value, {plain(name): name for name in respondents.names})
        remedy = f"Meinten Sie „{guess[0]}“?" if guess else "Bitte den Schlüssel eintragen."
        notes.add(
            "einheit", "eine Stadt oder einen Verband dieses Namens kennen wir nicht.", remedy, line, question, value
        )
    return value


def _answers(question: Question, given: str, notes: _Notes, line: int) -> Iterator[str]:
    """What a question contributes to its column."""
    if not given:
        return
    if not question.values:
        yield given
    elif given in question.values:
        yield question.values[given]
    elif not (len(question.values) == 1 and UNTICKED.get(next(iter(question.values))) == given):
        remedy = f"{_near(given, list(question.values))} Sonst bitte die Zuordnung ergänzen."
        notes.add("zuordnung", "diese Antwort steht nicht in der Zuordnung.", remedy, line, question.code, given)


def _response(
    row: Mapping[str, str | None],
    contract: Contract,
    questions: list[Question],
    respondents: Respondents,
    notes: _Notes,
    line: int,
) -> dict[str, str | None]:
    """One row of the contract from one row of the export."""
    if SUBMITTED in row and not row[SUBMITTED]:
        message = "diese Antwort ist nicht abgeschickt."
        notes.add("unvollstaendig", message, "Bitte nur vollständige Antworten exportieren.", line, SUBMITTED)
    values: dict[str, list[str]] = {column.name: [] for column in contract.fields}
    for question in questions:
        given = (row[question.code] or "").strip()
        if question.column.name == UNIT and given:
            given = _unit(given, respondents, notes, line, question.code)
        for value in _answers(question, given, notes, line):
            if value not in values[question.column.name]:
                values[question.column.name].append(value)
    response: dict[str, str | None] = {}
    for column in contract.fields:
        found = values[column.name]
        if len(found) > 1 and not column.separator:
            message = f"für „{column.name}“ gibt es mehrere Angaben ({', '.join(found)})."
            notes.add("zuordnung", message, "Bitte Antwort und Zuordnung prüfen.", line, column.name)
        response[column.name] = (column.separator or "").join(found) or None
    if not response[UNIT]:
        message = "es steht nicht da, wer geantwortet hat."
        notes.add("einheit", message, "Bitte in LimeSurvey nachtragen.", line, UNIT)
    # Whoever is in the export has answered; those who are not have no row.
    answered = next(column for column in contract.fields if column.name == ANSWERED)
    response[ANSWERED] = response[ANSWERED] or answered.boolean_words[0]
    day = (row.get(SUBMITTED) or "")[:10]
    response[RECEIVED] = response[RECEIVED] or (day if day != NO_DAY else None) or None
    return response


def _check_questions(table: Table, questions: list[Question], label: str) -> None:
    """Raise ``Refused`` for questions of the mapping that the export does not have."""
    findings = [
        Finding(
            "spalten", label, "diese Frage der Zuordnung fehlt.", _near(question.code, table.columns), 1, question.code
        )
        for question in questions
        if question.code not in table.columns
    ]
    if findings:
        raise Refused(findings)


def read_limesurvey(file: Path, label: str, options: Mapping[str, str], profile: Profile) -> Mapping[str, Converted]:
    """``survey_responses_<wave>`` of the option ``wave``, by the mapping file of the option ``mapping``.

    Both it and the option ``frame`` (a CSV with the towns of the wave) are files in the profile's folder. Without a
    frame, names are looked up in the profile's register. Raises ``Refused`` with every answer that cannot be told, a
    respondent who is unknown or has answered twice, an answer that was not sent off; ``WrongUsage`` when one of the two
    files is missing.
    """
    dataset = f"survey_responses_{options['wave']}"
    contract = load_contract("input", dataset)
    mapping = profile.folder / options["mapping"]
    frame = options.get("frame")
    for file_name, what in ((options["mapping"], "die Zuordnung der Fragen"), (frame, "der Rahmen der Befragung")):
        if file_name and not (profile.folder / file_name).is_file():
            raise WrongUsage(f"{file_name}: {what} fehlt im Ordner des Profils „{profile.name}“.")
    questions = _read_mapping(mapping, contract)
    table = read_table(file, None, label)
    _check_questions(table, questions, label)
    respondents = _respondents(profile, frame)
    notes = _Notes(label)
    responses: list[dict[str, str | None]] = []
    lines: dict[str, int] = {}
    for line, cells in zip(table.lines, table.rows, strict=True):
        row = dict(zip(table.columns, cells, strict=True))
        response = _response(row, contract, questions, respondents, notes, line)
        responses.append(response)
        unit = response[UNIT]
        if unit and unit in lines:
            message = f"diese Stelle hat schon in Zeile {lines[unit]} geantwortet."
            notes.add(
                "doppelt", message, "Bitte klären, welche Antwort gilt, und die andere löschen.", line, UNIT, unit
            )
        elif unit:
            lines[unit] = line
    if notes.findings:
        raise Refused(notes.findings)
    content = text_table(dataset, responses)
    return {dataset: Converted(content, None, contract.title, "Ausfuhr der Antworten aus LimeSurvey")}
