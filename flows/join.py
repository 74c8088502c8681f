"""Stage 3, join: territory at the map's date, survey frame, committees and their state, and the public relations."""

from __future__ import annotations

from datetime import date

import duckdb

from flows.database import build_relations, database
from flows.german import day, number
from flows.run import Run, StageReport
from flows.territory import RELATIONS

# So many municipalities without a population, and keys of another day, are named.
SHOWN = 10
FOLDERS = ("staging", "joined", "release")
# Keys of records that the boundaries know, dated on another day than theirs, where no changes are known.
OF_OTHER_DAYS = """
    SELECT DISTINCT ags, ags_stand
    FROM (SELECT ags, ags_stand FROM staging.committee_municipalities UNION SELECT ags, ags_stand FROM input.hints) keys
    JOIN joined.key_resolution USING (ags, ags_stand)
    JOIN staging.land_territories l ON l.land_schluessel = left(ags, 2)
    WHERE bekannt AND NOT nachgefuehrt AND ags_stand <> gebietsstand
    ORDER BY ags, ags_stand
"""


def set_variables(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Make the profile's settings known to the SQL as DuckDB variables."""
    profile = run.profile
    variables = {
        "territory_basis": profile.territory_basis,
        "territory_date": profile.territory_date,
        "boundaries_date": profile.boundaries_date,
        "changes_until": profile.changes_until,
        "changes_lands": list(profile.changes_lands),
        "population_date": profile.population_date,
        "release_date": run.day,
        "wave": profile.wave,
        "lands": list(profile.lands),
        "area_difference": profile.thresholds["area_difference"],
    }
    for variable, value in variables.items():
        # An empty list has no type of its own.
        typed = "CAST($1 AS VARCHAR[])" if isinstance(value, list) else "$1"
        con.execute(f"SET VARIABLE {variable} = {typed}", [value])


def join(run: Run) -> StageReport:
    """Build ``staging``, ``joined`` and ``release`` from ``sql/``; reports the rows of the public relations."""
    with database(run.database) as con:
        set_variables(con, run)
        rows = build_relations(con, FOLDERS, RELATIONS, run)
        unknown = con.execute(
            "SELECT gemeinde FROM joined.municipalities WHERE einwohner IS NULL ORDER BY 1"
        ).fetchall()
        other_days = [f"{key} ({day(standing)})" for key, standing in con.execute(OF_OTHER_DAYS).fetchall()]
    notes = _without_population([name for (name,) in unknown]) if run.profile.territory_basis == "aktuell" else ()
    return StageReport(
        rows={name.removeprefix("release."): count for name, count in rows.items() if name.startswith("release.")},
        notes=(*notes, *_of_other_days(other_days, run.profile.boundaries_date)),
    )


def _without_population(names: list[str]) -> tuple[str, ...]:
    """What the operator should know of municipalities whose land the newest register counts otherwise."""
    if not names:
        return ()
    return (
        f"Ohne Einwohnerzahl ({number(len(names))}), weil das Gebiet im Gemeindeverzeichnis ein anderes ist als auf "
        f"der Karte: {_shown(names)}",
    )


def _of_other_days(keys: list[str], boundaries: date) -> tuple[str, ...]:
    """What the operator should know of records whose municipality may have had another territory than the map shows."""
    if not keys:
        return ()
    return (
        f"Schlüssel eines anderen Tages als die Grenzen ({number(len(keys))}) in Ländern ohne erfasste "
        f"Gebietsänderungen: die Karte zeigt diese Gemeinden mit ihrem Gebiet vom {day(boundaries)}, ob es an jenem "
        f"Tag dasselbe war, ist nicht bekannt: {_shown(keys)}",
    )


def _shown(words: list[str]) -> str:
    return ", ".join(words[:SHOWN]) + (" …" if len(words) > SHOWN else "")
