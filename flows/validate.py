"""Check a table of texts against its contract, in SQL that is generated from the contract.

DuckDB does the work, so that the cost per cell stays small at 100,000 municipalities; the messages are the operator's.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

import duckdb

from flows.contracts import Contract, Field
from flows.findings import Finding
from flows.spelling import nearest, plain
from flows.tables import GERMAN_DAY, iso_day

TYPE_PATTERNS = {
    "integer": r"-?[0-9]+",
    "number": r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "yearmonth": r"[0-9]{4}-(0[1-9]|1[0-2])",
}
TYPE_WORDS = {
    "integer": "eine ganze Zahl ohne Punkte und Leerzeichen",
    "number": "eine Zahl mit Punkt als Dezimalzeichen",
    "date": "ein Datum in der Form JJJJ-MM-TT oder TT.MM.JJJJ",
    "yearmonth": "ein Monat in der Form JJJJ-MM",
}
# The forms of a date that a text may have, each with an example; a pattern may allow some of them.
DATE_FORMS = {"JJJJ": "2019", "JJJJ-MM": "2019-03", "JJJJ-MM-TT": "2019-03-31"}
NO_DATE = "2019-13-31"
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# What Excel shows, and saves, of a typed 2019-03: "Mrz 19", "Mär 19", "März 2019", in English "Mar-19".
EXCEL_MONTH = re.compile(
    r"(jan|feb|mrz|mär|mar|apr|mai|may|jun|jul|aug|sep|okt|oct|nov|dez|dec)[a-zä]*[. -]+([0-9]{4}|[0-9]{2})",
    re.IGNORECASE,
)
NO_SUCH_DAY = "diesen Tag gibt es im Kalender nicht."
MEND = "Bitte berichtigen."

# Code lists are short: what comes half-way near is worth asking.
CLOSE_CODE = 0.6


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def name(text: str) -> str:
    """A text as an SQL identifier."""
    return '"' + text.replace('"', '""') + '"'


def _date_forms(contract_field: Field) -> dict[str, str]:
    """The forms of a date that a column takes, each with an example; none for a column without dates."""
    if contract_field.type in ("date", "yearmonth"):
        form = "JJJJ-MM-TT" if contract_field.type == "date" else "JJJJ-MM"
        return {form: DATE_FORMS[form]}
    pattern = contract_field.raw.get("constraints", {}).get("pattern")
    if contract_field.type != "string" or not pattern or re.fullmatch(pattern, NO_DATE):
        return {}
    return {form: example for form, example in DATE_FORMS.items() if re.fullmatch(pattern, example)}


def day_columns(contract: Contract) -> frozenset[str]:
    """The columns that may hold a full date, alone or beside months and years."""
    return frozenset(field.name for field in contract.fields if "JJJJ-MM-TT" in _date_forms(field))


def months_too(contract: Contract) -> frozenset[str]:
    """Those of the columns with full dates that may also hold a month."""
    return frozenset(field.name for field in contract.fields if {"JJJJ-MM-TT", "JJJJ-MM"} <= _date_forms(field).keys())


def _values(contract_field: Field) -> str:
    """Expression for the single values of a cell: one row each, lists split at their separator."""
    column = name(contract_field.name)
    if contract_field.separator:
        return f"unnest(string_split({column}, {quoted(contract_field.separator)}))"
    return column


def _rules(contract_field: Field) -> Iterator[tuple[str, str, str, str]]:
    """The rules of one column as (check, SQL condition that a wrong value ``v`` fulfils, message, remedy)."""
    constraints = contract_field.raw.get("constraints", {})
    kind = contract_field.type
    well_typed = "true"
    if kind == "boolean":
        words = contract_field.boolean_words
        yield (
            "typ",
            f"v NOT IN ({quoted(words[0])}, {quoted(words[1])})",
            f"erlaubt sind nur „{words[0]}“ und „{words[1]}“.",
            "",
        )
    elif kind in TYPE_PATTERNS:
        # The pattern alone would let through days that no calendar has and numbers that nothing can hold.
        castable = f"TRY_CAST(v AS {contract_field.duckdb_type}) IS NOT NULL"
        well_typed = f"regexp_full_match(v, {quoted(TYPE_PATTERNS[kind])}) AND {castable}"
        yield "typ", f"NOT ({well_typed})", f"erwartet wird {TYPE_WORDS[kind]}.", MEND
    if pattern := constraints.get("pattern"):
        example = contract_field.raw.get("example", "")
        yield (
            "muster",
            f"NOT regexp_full_match(v, {quoted(pattern)})",
            "das hat nicht die vereinbarte Form.",
            f"Richtig ist zum Beispiel „{example}“.",
        )
    if allowed := contract_field.allowed:
        inside = ", ".join(quoted(value) for value in allowed)
        yield "codeliste", f"v NOT IN ({inside})", "das steht nicht in der Liste der erlaubten Werte.", ""
    for bound, sign, word in (("minimum", "<", "kleiner als"), ("maximum", ">", "größer als")):
        if bound in constraints:
            condition = f"{well_typed} AND TRY_CAST(v AS DOUBLE) {sign} {constraints[bound]}"
            yield "bereich", condition, f"der Wert ist {word} {constraints[bound]}.", MEND


def _suggestion(contract_field: Field, value: str) -> str:
    parts = [part for part in re.split(r"[,;/\s]+", value) if part]
    if contract_field.separator and parts and all(part in contract_field.allowed for part in parts):
        return f"Mehrere Angaben bitte mit „{contract_field.separator}“ trennen, ohne Leerzeichen."
    # People write what a code means as often as the code itself.
    words = {plain(code.label): code.code for code in contract_field.codes}
    words |= {plain(allowed): allowed for allowed in contract_field.allowed}
    if near := nearest(value, words, cutoff=CLOSE_CODE):
        return f"Meinten Sie „{near[0]}“?"
    return "Erlaubt: " + ", ".join(contract_field.allowed) + "."


def _date_words(value: str, forms: dict[str, str], message: str, remedy: str) -> tuple[str, str]:
    """Message and remedy for a cell that is no date of these ``forms``: as given, or better where the value tells."""
    if EXCEL_MONTH.fullmatch(value):
        form = "JJJJ-MM" if "JJJJ-MM" in forms else next(iter(forms))
        return (
            "Excel hat diese Zelle umgeschrieben.",
            f"Bitte die Spalte als Text formatieren und das Datum als {form} eintragen, zum Beispiel {forms[form]}.",
        )
    if "JJJJ-MM-TT" in forms and (DAY.fullmatch(value) or (GERMAN_DAY.fullmatch(value) and not iso_day(value))):
        return NO_SUCH_DAY, MEND
    if len(forms) > 1:
        return f"erlaubt sind {', '.join(forms)} und TT.MM.JJJJ.", remedy
    return message, remedy


def _pattern_words(contract_field: Field, value: str, message: str) -> str:
    """What to say of a cell that breaks its pattern: that a name stands where a key of digits belongs."""
    of_digits = str(contract_field.raw.get("example", "")).isdigit()
    named = any(sign.isalpha() for sign in value) and not any(sign.isdigit() for sign in value)
    return "hierher gehört der Schlüssel aus Ziffern, nicht der Name." if of_digits and named else message


def check_header(contract: Contract, columns: tuple[str, ...], source: str) -> list[Finding]:
    """Missing and unknown columns of a table, as findings in line 1."""
    findings = [
        Finding(
            "spalten",
            source,
            "die Spalte fehlt.",
            "Bitte ergänzen." if field.required else "Bitte ergänzen; sie darf leer bleiben, wenn nichts bekannt ist.",
            1,
            field.name,
        )
        for field in contract.fields
        if field.name not in columns
    ]
    for column in columns:
        if column not in contract.column_names:
            near = difflib.get_close_matches(column, contract.column_names, n=1)
            remedy = f"Meinten Sie „{near[0]}“?" if near else "Bitte entfernen."
            findings.append(Finding("spalten", source, "diese Spalte ist nicht vereinbart.", remedy, 1, column))
    return findings


def check_values(con: duckdb.DuckDBPyConnection, relation: str, contract: Contract, source: str) -> list[Finding]:
    """Every cell of ``relation`` (texts, with the line number in ``zeile``) that breaks the contract, in line order."""
    queries: list[str] = []
    texts: list[tuple[str, Field, str, str]] = []
    for column in contract.fields:
        target = name(column.name)
        if column.required:
            queries.append(f"SELECT {len(texts)} AS rule, zeile, NULL AS v FROM {relation} WHERE {target} IS NULL")
            texts.append(("pflicht", column, "die Angabe fehlt.", "Bitte ergänzen."))
        for check, condition, message, remedy in _rules(column):
            values = f"SELECT zeile, {_values(column)} AS v FROM {relation} WHERE {target} IS NOT NULL"
            queries.append(f"SELECT {len(texts)} AS rule, zeile, v FROM ({values}) WHERE {condition}")
            texts.append((check, column, message, remedy))
    if not queries:
        return []
    found = con.execute(" UNION ALL ".join(queries) + " ORDER BY zeile, rule, v").fetchall()
    findings = []
    for rule, line, value in found:
        check, column, message, remedy = texts[rule]
        if check in ("typ", "muster") and (forms := _date_forms(column)):
            message, remedy = _date_words(value, forms, message, remedy)
        elif check == "muster":
            message = _pattern_words(column, value, message)
        hint = remedy or (_suggestion(column, value) if column.allowed else "")
        findings.append(Finding(check, source, message, hint, line, column.name, value))
    return findings
