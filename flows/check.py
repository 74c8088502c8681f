"""Stage 4, check: run every data test of ``sql/checks``; what they return is why a release is refused."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from flows.contracts import Contract, release_contracts
from flows.database import database, sql_files
from flows.errors import Refused
from flows.findings import Finding
from flows.join import set_variables
from flows.run import Run, StageReport
from flows.validate import check_values, name

COLUMNS = "datensatz, zeile, spalte, wert, meldung, abhilfe"
# Without an answerable territory everything after it is wrong too; only the cause is reported.
ROOT_CHECK = "checks.territory_date"


def _findings(con: duckdb.DuckDBPyConnection, test: str, text: str, labels: dict[str, str]) -> list[Finding]:
    """What one data test returns, by dataset and line."""
    rows = con.execute(f"SELECT {COLUMNS} FROM ({text}) ORDER BY datensatz, zeile, spalte, wert, meldung").fetchall()
    check = test.removeprefix("checks.")
    return [
        Finding(check, labels.get(dataset, dataset), message, remedy or "", line, column, value)
        for dataset, line, column, value, message, remedy in rows
    ]


def contract_findings(con: duckdb.DuckDBPyConnection, contract: Contract) -> list[Finding]:
    """Where a public relation breaks its contract. It has no lines yet, so a record is named by its key."""
    order = ", ".join(name(column) for column in contract.primary_key)
    texts = ", ".join(f"CAST({name(column)} AS VARCHAR) AS {name(column)}" for column in contract.column_names)
    numbered = f"(SELECT row_number() OVER (ORDER BY {order}) AS zeile, {texts} FROM release.{contract.name})"
    found = check_values(con, numbered, contract, contract.name)
    if not found:
        return []
    query = f"SELECT concat_ws(' | ', {order}) FROM release.{contract.name} ORDER BY {order}"
    records = dict(enumerate((f"{contract.name} „{key}“" for (key,) in con.execute(query).fetchall()), start=1))
    return [replace(finding, source=records[finding.row or 0], row=None) for finding in found]


def find_all(run: Run) -> list[Finding]:
    """All findings of all data tests, by the tests' names; then, if there are none, what breaks a release contract.

    A data test names the cause in the operator's file, a contract only the gap that it leaves in the result.
    """
    tests = sql_files("checks")
    with database(run.database) as con:
        set_variables(con, run)
        labels = dict(con.execute("SELECT datensatz, datei FROM meta.sources").fetchall())
        if root := _findings(con, ROOT_CHECK, tests[ROOT_CHECK], labels):
            return root
        findings = [finding for test, text in tests.items() for finding in _findings(con, test, text, labels)]
        return findings or [finding for contract in release_contracts() for finding in contract_findings(con, contract)]


def check(run: Run) -> StageReport:
    """Raise ``Refused`` with every finding, or report how many tests passed."""
    if findings := find_all(run):
        raise Refused(findings)
    count = len(sql_files("checks")) + len(release_contracts())
    return StageReport(notes=(f"{count} Prüfungen ohne Befund",))
