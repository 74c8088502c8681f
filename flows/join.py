"""Stage 3, join: territory at the map's date, survey frame, committees and their state, and the public relations."""

from __future__ import annotations

import duckdb

from flows.database import build_relations, database
from flows.run import Run, StageReport
from flows.territory import RELATIONS

FOLDERS = ("staging", "joined", "release")


def set_variables(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Make the profile's settings known to the SQL as DuckDB variables."""
    profile = run.profile
    variables = {
        "territory_date": profile.territory_date,
        "boundaries_date": profile.boundaries_date,
        "changes_until": profile.changes_until,
        "population_date": profile.population_date,
        "release_date": run.day,
        "wave": profile.wave,
        "lands": list(profile.lands),
        "area_difference": profile.thresholds["area_difference"],
    }
    for variable, value in variables.items():
        con.execute(f"SET VARIABLE {variable} = $1", [value])


def join(run: Run) -> StageReport:
    """Build ``staging``, ``joined`` and ``release`` from ``sql/``; reports the rows of the public relations."""
    with database(run.database) as con:
        set_variables(con, run)
        rows = build_relations(con, FOLDERS, RELATIONS)
    return StageReport(
        rows={name.removeprefix("release."): count for name, count in rows.items() if name.startswith("release.")}
    )
