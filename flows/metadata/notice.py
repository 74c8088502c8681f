"""``LICENSE.txt`` and ``NOTICE.txt``: under which licence the release stands and whom to name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from flows.contracts import Contract
from flows.metadata.lineage import inputs_of, is_source_of
from flows.metadata.text import followed, land_names, write_text
from flows.profile import Profile
from flows.provenance import read_manifest
from flows.run import Run
from flows.validate import name, quoted

SCRIPTS = "assets"


@dataclass(frozen=True, slots=True)
class Site:
    """A web site that the data points to: its host, how many addresses on it, and the datasets that name them."""

    host: str
    addresses: int
    datasets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UsedSource:
    """An input with its record in the acquire manifest, and the titles of the datasets that are made from it."""

    record: dict[str, str]
    datasets: tuple[str, ...]


def cited_sites(con: duckdb.DuckDBPyConnection, contracts: Sequence[Contract]) -> list[Site]:
    """Every web site to which a published column of addresses points, by host."""
    parts = [
        f"SELECT {quoted(contract.name)} AS datensatz, {name(field.name)} AS url FROM release.{contract.name}"
        for contract in contracts
        for field in contract.fields
        if field.raw.get("format") == "uri"
    ]
    rows = con.execute(
        "SELECT regexp_extract(lower(url), '^https?://(?:www\\.)?([^/?#:]+)', 1) AS host, count(DISTINCT url), "
        f"list_sort(list_distinct(list(datensatz))) FROM ({' UNION ALL '.join(parts)}) "
        "WHERE url IS NOT NULL GROUP BY host ORDER BY host"
    ).fetchall()
    return [Site(host, count, tuple(datasets)) for host, count, datasets in rows]


def used_sources(run: Run, contracts: Sequence[Contract]) -> list[UsedSource]:
    """Every input of the run with the datasets made from it, in the profile's order."""
    inputs = {contract.title: inputs_of(contract) for contract in contracts}
    return [
        UsedSource(record, tuple(title for title, names in inputs.items() if is_source_of(dataset, names)))
        for dataset, record in read_manifest(run)["eingaben"].items()
    ]


def script_notices(run: Run) -> dict[str, str]:
    """What the page's scripts by others say of their own licence at their head, by file."""
    found: dict[str, str] = {}
    for file in sorted((run.package / SCRIPTS).glob("*.js")):
        text = file.read_text(encoding="utf-8")
        head = text[: text.find("*/")] if text.startswith("/*") else ""
        if "@license" in head:
            lines = (line.strip("/* ").removeprefix("@license ") for line in head.splitlines())
            found[f"{SCRIPTS}/{file.name}"] = ". ".join(line.rstrip(".") for line in lines if line)
    return found


def converted_for(profile: Profile) -> str:
    """How the data of the sources were brought to one territory date, as part of a sentence; empty where none was."""
    lands = followed(profile)
    if not lands:
        return ""
    where = "" if len(lands) == len(profile.lands) else f"für {land_names(lands)} "
    return f"{where}auf einen Gebietsstand umgerechnet"


def write_licence(run: Run) -> None:
    """Write ``LICENSE.txt`` into the package."""
    write_text(run, "LICENSE.txt")


def write_notice(con: duckdb.DuckDBPyConnection, run: Run, contracts: Sequence[Contract]) -> None:
    """Write ``NOTICE.txt`` into the package; call it after the page, whose scripts it names."""
    write_text(
        run,
        "NOTICE.txt",
        sources=used_sources(run, contracts),
        sites=cited_sites(con, contracts),
        scripts=script_notices(run),
        converted=converted_for(run.profile),
    )
