"""Stage 4, check: run every data test of ``sql/checks``; what they return is why a release is refused."""

from __future__ import annotations

from flows.contracts import release_contracts
from flows.database import database, sql_files
from flows.errors import Refused
from flows.findings import Finding
from flows.join import set_variables
from flows.run import Run, StageReport
from flows.validate import check_values

COLUMNS = "datensatz, zeile, spalte, wert, meldung, abhilfe"


def find_all(run: Run) -> list[Finding]:
    """All findings of all data tests, in the order of the tests' names, then by dataset and line."""
    findings: list[Finding] = []
    with database(run.database) as con:
        set_variables(con, run)
        labels = dict(con.execute("SELECT datensatz, datei FROM meta.sources").fetchall())
        for name, text in sql_files("checks").items():
            rows = con.execute(
                f"SELECT {COLUMNS} FROM ({text}) ORDER BY datensatz, zeile, spalte, wert, meldung"
            ).fetchall()
            for dataset, line, column, value, message, remedy in rows:
                check = name.removeprefix("checks.")
                findings.append(
                    Finding(check, labels.get(dataset, dataset), message, remedy or "", line, column, value)
                )
        for contract in release_contracts():
            texts = ", ".join(f'CAST("{field}" AS VARCHAR) AS "{field}"' for field in contract.column_names)
            numbered = f"(SELECT CAST(NULL AS BIGINT) AS zeile, {texts} FROM release.{contract.name})"
            findings += check_values(con, numbered, contract, contract.name)
    return findings


def check(run: Run) -> StageReport:
    """Raise ``Refused`` with every finding, or report how many tests passed."""
    if findings := find_all(run):
        raise Refused(findings)
    count = len(sql_files("checks")) + len(release_contracts())
    return StageReport(notes=(f"{count} Prüfungen ohne Befund",))
