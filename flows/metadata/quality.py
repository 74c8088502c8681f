"""``quality.md``: what the release covers and what it does not, how old its evidence is, and what was checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from flows.contracts import Contract, Field
from flows.database import sql_files
from flows.datasets import Dataset
from flows.metadata.rules import coverage_rules, register_rules
from flows.metadata.subjects import last_day
from flows.metadata.text import land_rows, write_text
from flows.provenance import read_manifest
from flows.run import Run
from flows.validate import name

# Counts of persons below this are not published (domain rule on suppression).
SMALLEST_COUNT = 3
PERSONS = "Personen"
# Origin of a survey figure that comes from a response file (code list kennzahl_herkunft).
COMPUTED = "berechnet"
# The newest evidence of a committee is counted as older than so many years.
AGES = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Gaps:
    """Empty cells of one column."""

    dataset: str
    field: Field
    empty: int
    rows: int


@dataclass(frozen=True, slots=True)
class SmallCounts:
    """A column that counts persons: its smallest value above 0 and how many cells lie above 0 and below the limit."""

    dataset: str
    field: Field
    smallest: int | None
    below: int


def months_since(text: str, day: date) -> int:
    """Completed months to ``day`` from the last day that a date of 4, 7 or 10 characters may mean; at least 0."""
    newest = last_day(text)
    months = (day.year - newest.year) * 12 + day.month - newest.month - (day.day < newest.day)
    return max(0, months)


def duration(months: int) -> str:
    """Months in words: „5 Monate“, „2 Jahre“, „2 Jahre 1 Monat“."""
    years, rest = divmod(months, 12)
    parts = [f"{years} {'Jahr' if years == 1 else 'Jahre'}"] if years else []
    if rest or not years:
        parts.append(f"{rest} {'Monat' if rest == 1 else 'Monate'}")
    return " ".join(parts)


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = con.execute(query).to_arrow_table().to_pylist()
    return rows


def _labels(contract: Contract, column: str) -> dict[str, str]:
    field = next(field for field in contract.fields if field.name == column)
    return {code.code: code.label for code in field.codes}


def _counted(
    con: duckdb.DuckDBPyConnection, contract: Contract, column: str, where: str = "true"
) -> list[tuple[str, int]]:
    """How many rows (``where`` holds) have each code of a column, by its label, in the order of the code list; codes
    that occur only.

    A line "answered: 0" would read as if nobody had, where in truth nothing is public.
    """
    query = f"SELECT {name(column)}, count(*) FROM release.{contract.name} WHERE {where} GROUP BY ALL"
    found = dict(con.execute(query).fetchall())
    return [(label, found[code]) for code, label in _labels(contract, column).items() if code in found]


def gaps(datasets: Sequence[Dataset]) -> list[Gaps]:
    """Every column with at least one empty cell, in the order of the datasets and their columns."""
    return [
        Gaps(dataset.contract.name, field, column.null_count, len(column))
        for dataset in datasets
        for field, column in zip(dataset.contract.fields, dataset.table.columns, strict=True)
        if column.null_count
    ]


def small_counts(datasets: Sequence[Dataset]) -> list[SmallCounts]:
    """Every column that counts persons, by its unit."""
    found = []
    for dataset in datasets:
        for field, column in zip(dataset.contract.fields, dataset.table.columns, strict=True):
            if field.raw.get("unit") == PERSONS:
                values = [value for value in column.to_pylist() if value]
                below = sum(value < SMALLEST_COUNT for value in values)
                found.append(SmallCounts(dataset.contract.name, field, min(values, default=None), below))
    return found


def committees(con: duckdb.DuckDBPyConnection, contract: Contract, day: date) -> list[dict[str, Any]]:
    """Every committee with its evidence in figures: pieces, undated ones, newest date and its age in months."""
    rows = _rows(
        con,
        "SELECT g.gremium_id, g.name, g.gemeinde, g.status, g.status_stand, count(b.beleg_id) AS belege, "
        "count(b.beleg_id) FILTER (WHERE b.belegt_am IS NULL) AS undatiert, list(b.belegt_am) AS daten "
        "FROM release.gremien g JOIN release.gremien_belege b USING (gremium_id) "
        "GROUP BY ALL ORDER BY g.gemeinde, g.name, g.gremium_id",
    )
    labels = _labels(contract, "status")
    for row in rows:
        newest = max((text for text in row.pop("daten") if text), key=last_day, default=None)
        row |= {"neuester": newest, "monate": months_since(newest, day) if newest else None}
        row["status"] = labels[row["status"]]
    return rows


def _survey(con: duckdb.DuckDBPyConnection, figures: Contract) -> list[dict[str, Any]]:
    rows = _rows(con, "SELECT * FROM release.befragung_kennzahlen ORDER BY welle, kennzahl, herkunft")
    kinds, origins = _labels(figures, "kennzahl"), _labels(figures, "herkunft")
    return [row | {"kennzahl": kinds[row["kennzahl"]], "herkunft": origins[row["herkunft"]]} for row in rows]


def _coverage(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return _rows(
        con,
        "SELECT count(*) FILTER (WHERE NOT gemeindefrei) AS gemeinden, "
        "count(*) FILTER (WHERE gemeindefrei) AS gemeindefrei, count(*) FILTER (WHERE in_befragung) AS befragt, "
        "count(*) FILTER (WHERE gremien_bekannt > 0) AS mit_gremium, "
        "(SELECT count(*) FROM release.gremien) AS gremien, "
        "(SELECT count(*) FROM release.gremien_belege) AS belege, "
        "(SELECT count(*) FROM release.gremien_belege WHERE belegt_am IS NULL) AS belege_undatiert, "
        "(SELECT count(*) FROM release.hinweise) AS hinweise, "
        "(SELECT count(*) FROM release.hinweise WHERE datum IS NULL) AS hinweise_undatiert "
        "FROM release.gemeinden",
    )[0]


def waiting(con: duckdb.DuckDBPyConnection, run: Run) -> tuple[list[dict[str, Any]], int]:
    """Records that keep their last published state while a change to them is looked at (place, name and kind), and how
    many new ones are not published yet. What the office typed is not shown.
    """
    done = read_manifest(run).get("zurueckgestellt", {"letzter_stand": {}, "ausgelassen": {}})
    keys = done["letzter_stand"]
    known = con.execute(
        "SELECT 'Gremium' AS art, gemeinde, name FROM release.gremien WHERE gremium_id IN (SELECT unnest($1)) "
        "UNION ALL SELECT 'Hinweis', gemeinde, titel FROM release.hinweise WHERE hinweis_id IN (SELECT unnest($2)) "
        "ORDER BY ALL",
        [keys.get("committees", []), keys.get("hints", [])],
    )
    return known.to_arrow_table().to_pylist(), sum(done["ausgelassen"].values())


def write_quality(con: duckdb.DuckDBPyConnection, run: Run, datasets: Sequence[Dataset]) -> None:
    """Write ``quality.md`` into the package."""
    contracts = {dataset.contract.name: dataset.contract for dataset in datasets}
    records = committees(con, contracts["gremien"], run.day)
    parameters = read_manifest(run)["parameter"]
    figures = contracts["befragung_kennzahlen"]
    computed = _labels(figures, "herkunft")[COMPUTED]
    rows = _survey(con, figures)
    kept, new = waiting(con, run)
    lands = land_rows(datasets)
    dated = [record["monate"] for record in records if record["monate"] is not None]
    write_text(
        run,
        "quality.md",
        coverage=_coverage(con),
        rules=coverage_rules(lands, run.profile.wave),
        gap_rules=register_rules(run.profile, lands),
        kept=kept,
        new=new,
        statuses=_counted(con, contracts["gemeinden"], "befragung_status", "NOT gemeindefrei"),
        committee_statuses=_counted(con, contracts["gremien"], "status"),
        figures=rows,
        computed=computed if any(row["herkunft"] == computed for row in rows) else None,
        committees=[
            record | {"alter": None if record["monate"] is None else duration(record["monate"])} for record in records
        ],
        undated=len(records) - len(dated),
        older=[(years, sum(months >= years * 12 for months in dated)) for years in AGES],
        gaps=gaps(datasets),
        small=small_counts(datasets),
        limit=SMALLEST_COUNT,
        checks=[check.removeprefix("checks.") for check in sql_files("checks")],
        datasets=datasets,
        thresholds=parameters["schwellen"] | parameters.get("vergleich", {}),
    )
