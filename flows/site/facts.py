"""What the pages tell, read once from the database: every text that names a place, figure or code comes from here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from flows.contracts import Code, Contract
from flows.german import number, order
from flows.metadata.rules import coverage_rules, recorded
from flows.run import Run
from flows.site.environment import web_address

# German readers look for umlauts beside their vowels.
BY_NAME = "lower(strip_accents(gemeinde)), gemeinde"

Row = dict[str, Any]
Codes = Mapping[tuple[str, str], Mapping[str, Code]]


@dataclass(frozen=True, slots=True)
class Facts:
    """Rows of the public relations (columns as in their contracts), in the order in which pages show them.

    ``committees`` carry labels, places, evidence and related records beside their columns; ``figures`` and
    ``evidence`` are grouped by wave and committee. ``wave`` is the one that the map shows. ``population_date`` is the
    day of the municipalities' populations, None where not one is known.
    """

    codes: Codes
    committees: Sequence[Row]
    municipalities: Sequence[Row]
    population_date: date | None
    towns: Sequence[Row]
    districts: Sequence[Row]
    lands: Sequence[Row]
    wave: str
    waves: Sequence[Row]
    figures: Mapping[str, Sequence[Row]]
    hints: Sequence[Row]
    monitoring: Sequence[Row]
    offers: Sequence[Row]

    @property
    def with_committees(self) -> frozenset[str]:
        """Keys of the municipalities in which a committee is known to us, first-named or shared."""
        return frozenset(place["ags"] for row in self.committees for place in row["places"])

    @property
    def unincorporated(self) -> int:
        """How many of the map's areas are no municipality."""
        return sum(row["gemeindefrei"] for row in self.municipalities)

    @property
    def areas(self) -> str:
        """How many municipalities the map has, and how many areas that are none."""
        count = len(self.municipalities) - self.unincorporated
        municipalities = f"{number(count)} {'Gemeinde' if count == 1 else 'Gemeinden'}"
        if not self.unincorporated:
            return municipalities
        areas = "gemeindefreies Gebiet" if self.unincorporated == 1 else "gemeindefreie Gebiete"
        return f"{municipalities} und {number(self.unincorporated)} {areas}"

    @property
    def lands_apart(self) -> Sequence[Row]:
        """The Länder that readers must tell apart, as they look for them: by name, and none where there is only one."""
        return sorted(self.lands, key=lambda row: order(row["land"])) if len(self.lands) > 1 else ()

    @property
    def coverage(self) -> tuple[str, ...]:
        """What readers must know where not every Land has entries."""
        return coverage_rules(self.lands, self.wave)

    @property
    def not_recorded(self) -> dict[str, str]:
        """The Länder of which no committee is recorded, name by key: nobody can say that somebody looked there."""
        return {row["land_schluessel"]: row["land"] for row in self.lands if not recorded(row)}

    @property
    def answers_public(self) -> bool:
        """Whether a response file was given for the wave that the map shows (truth rule 1)."""
        return any(town["befragung_status"] != "nicht_veroeffentlicht" for town in self.towns)


def read_facts(con: duckdb.DuckDBPyConnection, run: Run, contracts: Sequence[Contract]) -> Facts:
    """Read everything that more than one page needs."""
    codes = _codes(contracts)
    municipalities = rows(con, "SELECT * FROM release.gemeinden ORDER BY ags")
    counted = any(row["einwohner"] is not None for row in municipalities)
    return Facts(
        codes=codes,
        committees=_committees(con, codes),
        municipalities=municipalities,
        population_date=run.profile.population_date if counted else None,
        towns=_towns(con, run.profile.wave),
        districts=rows(con, "SELECT * FROM release.kreise ORDER BY lower(strip_accents(kreis)), kreis_schluessel"),
        lands=rows(con, "SELECT * FROM release.land ORDER BY land_schluessel"),
        wave=run.profile.wave,
        waves=rows(con, "SELECT * FROM input.survey_waves ORDER BY welle DESC"),
        figures=grouped(rows(con, "SELECT * FROM release.befragung_kennzahlen"), "welle"),
        hints=rows(con, f"SELECT * FROM release.hinweise ORDER BY {BY_NAME}, datum DESC NULLS LAST, hinweis_id"),
        monitoring=rows(con, "SELECT * FROM release.monitoring ORDER BY welle DESC, kennzahl_id"),
        offers=rows(con, "SELECT * FROM release.angebote ORDER BY angebot_id"),
    )


def rows(con: duckdb.DuckDBPyConnection, query: str, *values: Any) -> list[Row]:
    """The rows of a query as dictionaries."""
    found: list[Row] = con.execute(query, list(values)).to_arrow_table().to_pylist()
    return found


def district_names(districts: Sequence[Row]) -> dict[str, str]:
    """What readers call each district, by key: with its kind where another one has the same name, as Munich's two."""
    times = Counter(row["kreis"] for row in districts)
    return {
        row["kreis_schluessel"]: f"{row['kreis']} ({row['kreis_art']})" if times[row["kreis"]] > 1 else row["kreis"]
        for row in districts
    }


def _codes(contracts: Sequence[Contract]) -> Codes:
    """Code lists by dataset and column."""
    return {
        (contract.name, field.name): {code.code: code for code in field.codes}
        for contract in contracts
        for field in contract.fields
        if field.codes
    }


def grouped(found: Sequence[Row], key: str) -> dict[str, list[Row]]:
    """Rows by the value of a column."""
    groups: dict[str, list[Row]] = {}
    for row in found:
        groups.setdefault(row[key], []).append(row)
    return groups


def _committees(con: duckdb.DuckDBPyConnection, codes: Codes) -> list[Row]:
    """The committees in the order of the table, each with its places, evidence and related records."""
    found = rows(con, f"SELECT * FROM release.gremien ORDER BY {BY_NAME}, name, gremium_id")
    names = {row["gremium_id"]: row["name"] for row in found}
    evidence = grouped(
        rows(con, "SELECT * FROM release.gremien_belege ORDER BY belegt_am DESC NULLS LAST, beleg_id"), "gremium_id"
    )
    places = grouped(
        rows(con, f"SELECT gremium_id, ags, gemeinde FROM release.gremien_gemeinden ORDER BY {BY_NAME}, ags"),
        "gremium_id",
    )
    return [
        row
        | {
            "form": row["art"],
            "kind": codes["gremien", "art"][row["art"]].label,
            "state": codes["gremien", "status"][row["status"]].label,
            "founded": _founded(row, codes),
            "link": web_address(row["status_beleg_url"] or evidence[row["gremium_id"]][0]["url"]),
            "evidence": evidence[row["gremium_id"]],
            "places": places[row["gremium_id"]],
            "others": [place["gemeinde"] for place in places[row["gremium_id"]] if place["ags"] != row["ags"]],
            "same": [(other, names[other]) for other in (row["evtl_identisch_mit"] or "").split(";") if other in names],
            "parent": names.get(row["uebergeordnet_id"]),
        }
        for row in found
    ]


def _founded(row: Row, codes: Codes) -> str:
    """``1995``, ``spätestens 2019``, or nothing."""
    if row["gegruendet_jahr"] is None:
        return ""
    precision = row["gegruendet_genauigkeit"]
    if precision in (None, "genau"):
        return str(row["gegruendet_jahr"])
    return f"{codes['gremien', 'gegruendet_genauigkeit'][precision].label.lower()} {row['gegruendet_jahr']}"


def _towns(con: duckdb.DuckDBPyConnection, wave: str) -> list[Row]:
    return rows(
        con,
        "SELECT r.*, g.gremien_bekannt FROM release.befragung_rahmen r "
        "LEFT JOIN release.gemeinden g ON g.ags = r.ags_karte "
        "WHERE r.welle = $1 ORDER BY lower(strip_accents(r.gemeinde)), r.ags",
        wave,
    )
