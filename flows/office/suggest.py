"""Suggestions for what was meant: municipality keys by name or near miss, references by near miss.

Code lists are answered by ``flows.validate``, which knows them; here stands what only the other inputs can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from flows.contracts import load_contract
from flows.errors import Refused
from flows.findings import Finding
from flows.run import Run
from flows.spelling import nearest, plain
from flows.tables import Table, read_cells

# Columns that hold a municipality's key, and the checks that say it is none.
KEY_COLUMNS = ("ags", "einheit")
KEY_CHECKS = ("muster", "unknown_keys", "survey_respondents")
# Columns of inputs that name a municipality by its key.
NAMED = (("ags", "gemeinde_amtlich"), ("ags_neu", "gemeinde_neu"), ("ags_alt", "gemeinde_alt"))
DAILY_NAME = re.compile(r"[/(,]")
DIGITS = re.compile(r"[0-9]+")
KEY_LENGTH = 8
# More than so many would be no help.
MOST_KEYS = 3
# A file that is wrong in every line needs no suggestion in every line.
MOST = 300


@dataclass(frozen=True, slots=True)
class Known:
    """What records can refer to: names of municipalities by key, and identifiers by dataset."""

    municipalities: dict[str, str]
    identifiers: dict[str, tuple[str, ...]]


def tables_of(run: Run) -> Iterator[tuple[str, Table]]:
    """The run's inputs that can be read as tables, by dataset."""
    for source in run.profile.sources:
        file = run.snapshot(source)
        if file.suffix == ".parquet" or not file.is_file():
            continue
        try:
            yield source.dataset, read_cells(file, source.sheet, source.label)
        except Refused:
            # Why it cannot be read is a finding already.
            continue


def _pairs(table: Table, one: str, other: str) -> Iterator[tuple[str, str]]:
    if one not in table.columns or other not in table.columns:
        return
    first, second = table.columns.index(one), table.columns.index(other)
    for row in table.rows:
        key, name = row[first], row[second]
        if key and name:
            yield key, name


def known_of(run: Run) -> Known:
    """What the inputs of a run know; of a key with several names, the register's."""
    municipalities: dict[str, str] = {}
    identifiers: dict[str, tuple[str, ...]] = {}
    for dataset, table in tables_of(run):
        for one, other in NAMED:
            for key, name in _pairs(table, one, other):
                if one == "ags" or key not in municipalities:
                    municipalities[key] = name
        key_columns = load_contract("input", dataset).primary_key
        if len(key_columns) == 1 and key_columns[0] in table.columns:
            place = table.columns.index(key_columns[0])
            identifiers[dataset] = tuple(sorted({row[place] or "" for row in table.rows}))
    return Known(municipalities, identifiers)


def _misreadings(value: str) -> Iterator[str]:
    """Keys from which a slip of the finger makes ``value``, the likeliest first: the zero in front that spreadsheets
    take away, two digits exchanged, one digit wrong (the last ones first: the district is seldom), one left out.
    """
    yield value.zfill(KEY_LENGTH)
    places = range(len(value) - 1, -1, -1)
    yield from (value[: i - 1] + value[i] + value[i - 1] + value[i + 1 :] for i in places if i)
    yield from (value[:i] + digit + value[i + 1 :] for i in places for digit in "0123456789")
    yield from (value[:i] + digit + value[i:] for i in range(len(value), -1, -1) for digit in "0123456789")


def _by_key(value: str, known: Known) -> list[str]:
    """The keys that a wrong one may have been meant to be."""
    found = dict.fromkeys(key for key in _misreadings(value) if key in known.municipalities)
    return list(found)[:MOST_KEYS]


def keys_by_name(municipalities: dict[str, str]) -> dict[str, list[str]]:
    """Keys of municipalities by their plain name, the whole and the one in daily use: Mühlhausen for
    "Mühlhausen/Thüringen, Stadt".
    """
    names: dict[str, list[str]] = {}
    for key, name in municipalities.items():
        for form in {plain(name), plain(DAILY_NAME.split(name)[0])}:
            names.setdefault(form, []).append(key)
    return names


def _by_name(value: str, names: dict[str, list[str]]) -> list[str]:
    """The keys of the municipalities whose name comes nearest; several may share it."""
    return [key for name in nearest(value, {name: name for name in names}) for key in sorted(names[name])]


def _key_suggestion(value: str, known: Known, names: dict[str, list[str]]) -> str:
    # Nine digits name an association.
    if value in known.municipalities or (DIGITS.fullmatch(value) and len(value) > KEY_LENGTH):
        return ""
    keys = _by_key(value, known) if DIGITS.fullmatch(value) else _by_name(value, names)
    return _asked([f"„{key}“ ({known.municipalities[key]})" for key in keys])


def _asked(options: Sequence[str]) -> str:
    return f"Meinten Sie {' oder '.join(options)}?" if options else ""


def _target(dataset: str, column: str) -> str | None:
    """The dataset that a column refers to."""
    for reference in load_contract("input", dataset).raw.get("foreignKeys", []):
        if reference["fields"] == [column]:
            return str(reference["reference"]["resource"] or dataset)
    return None


def enriched(run: Run, findings: Sequence[Finding]) -> list[Finding]:
    """The same findings, their remedies with a suggestion where the inputs tell what may have been meant."""
    datasets = {source.label: source.dataset for source in run.profile.sources}
    wanted = [
        finding
        for finding in findings
        if finding.value and finding.column and finding.source in datasets
        and (finding.check == "orphans" or (finding.check in KEY_CHECKS and finding.column in KEY_COLUMNS))
    ]  # fmt: skip
    if not wanted:
        return list(findings)
    known = known_of(run)
    names = keys_by_name(known.municipalities)
    asked: dict[tuple[str, str, str], str] = {}
    for finding in wanted:
        place = (finding.source, str(finding.column), str(finding.value))
        if place in asked or len(asked) >= MOST:
            continue
        if finding.check == "orphans":
            identifiers = known.identifiers.get(_target(datasets[finding.source], place[1]) or "", ())
            near = nearest(place[2], {plain(identifier): identifier for identifier in identifiers})
            asked[place] = _asked([f"„{identifier}“" for identifier in near])
        else:
            asked[place] = _key_suggestion(place[2], known, names)
    marked = set(map(id, wanted))
    return [_with(finding, asked) if id(finding) in marked else finding for finding in findings]


def _with(finding: Finding, asked: dict[tuple[str, str, str], str]) -> Finding:
    suggestion = asked.get((finding.source, str(finding.column), str(finding.value)))
    return replace(finding, remedy=f"{finding.remedy} {suggestion}".strip()) if suggestion else finding
