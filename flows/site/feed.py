"""``aenderungen.atom``: a feed of the releases with what changed in each (RFC 4287), for readers who subscribe.

An entry says in counts how a release differs from the one before, never a value: when a release is withdrawn, the
values that comparisons repeat are purged, and a feed reader's copy could not be. The entries of earlier releases are
taken over from the feed of the release that this one is compared with, so the feed follows from the same inputs as
everything else. It knows nothing of what happened to a release later; the entry of a withdrawn one leads to its
tombstone, which does.
"""

from __future__ import annotations

import csv
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import duckdb

from flows.compare import CHANGED, GONE, NEW, SCHEMA
from flows.german import number
from flows.metadata.changes import NO_PREVIOUS, READING, TABLE
from flows.metadata.text import NO_PUBLISHER, marks
from flows.provenance import read_manifest
from flows.run import Run
from flows.site.environment import environment
from flows.site.pages import Site
from flows.store import release_day

FILE = "aenderungen.atom"
ATOM = "{http://www.w3.org/2005/Atom}"
# Of ids that say nothing about where the feed lies (RFC 4287, 4.2.6): they stay when the publisher's address changes.
NAMESPACE = uuid.UUID("6f1f5a5e-3c0f-5d0a-9b58-0b8f6f1d6a42")
# A release a working day, and who looks in every two months misses none; ``releases.json`` knows all of them.
MOST_ENTRIES = 50
WORDS = {NEW: "neu", CHANGED: "geändert", GONE: "entfallen"}
"""Kinds of changed rows in words, in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One release as the feed tells it: its id and what changed in it, in words."""

    release_id: str
    summary: str

    @property
    def day(self) -> date:
        """The day of the release."""
        return release_day(self.release_id)


@dataclass(frozen=True, slots=True)
class Changes:
    """How a release differs from ``previous``: rows per dataset and kind, and changes of columns."""

    previous: str
    rows: Mapping[str, Mapping[str, int]]
    columns: int


def changes_of(run: Run) -> Changes | None:
    """What ``changes.csv`` in the package holds, counted; None when there was no release to compare with.

    A row counts once, however many of its values changed.
    """
    previous = read_manifest(run)["vorherige"]
    if previous is None:
        return None
    keys: dict[str, dict[str, set[str]]] = {}
    columns = 0
    with (run.package / TABLE).open(encoding="utf-8", newline="") as stream:
        for line in csv.DictReader(stream):
            if line["art"] == SCHEMA:
                columns += 1
            else:
                keys.setdefault(line["datensatz"], {}).setdefault(line["art"], set()).add(line["schluessel"])
    rows = {name: {kind: len(found[kind]) for kind in WORDS if kind in found} for name, found in keys.items()}
    return Changes(previous, rows, columns)


def counted(rows: Mapping[str, int]) -> str:
    """``2 neu, 1 geändert``."""
    return ", ".join(f"{number(rows[kind])} {word}" for kind, word in WORDS.items() if kind in rows)


def summary(changes: Changes | None, titles: Mapping[str, str]) -> str:
    """What changed, in sentences; ``titles`` are the datasets in their order."""
    if changes is None:
        return NO_PREVIOUS
    parts = [f"{title} {counted(changes.rows[name])}" for name, title in titles.items() if name in changes.rows]
    rows = f"Zeilen je Datensatz: {'; '.join(parts)}. {READING}" if parts else "Kein Wert hat sich geändert."
    columns = f" Änderungen an Spalten: {number(changes.columns)}." if changes.columns else ""
    return f"Verglichen mit Ausgabe {changes.previous}. {rows}{columns}"


def _earlier(run: Run) -> list[Entry]:
    """The entries of the release that this one is compared with; none when it has no feed."""
    file = run.previous / FILE
    if not file.is_file():
        return []
    feed = ElementTree.parse(file).getroot()
    return [
        Entry(entry.find(f"{ATOM}category").attrib["term"], entry.findtext(f"{ATOM}summary", ""))  # type: ignore[union-attr]
        for entry in feed.iter(f"{ATOM}entry")
    ]


def entries(site: Site) -> list[Entry]:
    """This release and those before it, newest first."""
    run = site.run
    told = summary(changes_of(run), {contract.name: contract.title for contract in site.contracts})
    own = Entry(run.release_id, " ".join([*marks(run.profile), told]))
    return [own, *_earlier(run)][:MOST_ENTRIES]


def _identifier(*names: str) -> str:
    return uuid.uuid5(NAMESPACE, "/".join(names)).urn


def write_feed(_con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``aenderungen.atom``; its links are relative to ``releases/<id>/`` while no public address is set."""
    run, base = site.run, site.run.profile.base_url
    text = (
        environment()
        .get_template(f"{FILE}.j2")
        .render(
            run=run,
            profile=run.profile,
            marks=marks(run.profile),
            synthetic=site.synthetic,
            author=run.profile.publisher.name or NO_PUBLISHER,
            identifier=_identifier(run.profile.name),
            own=f"{base}/latest/{FILE}" if base else FILE,
            page=f"{base}/latest/daten.html" if base else "daten.html",
            entries=[
                {
                    "identifier": _identifier(run.profile.name, entry.release_id),
                    "release_id": entry.release_id,
                    "day": entry.day,
                    "summary": entry.summary,
                    "address": f"{base}/releases/{entry.release_id}/" if base else f"../{entry.release_id}/index.html",
                }
                for entry in entries(site)
            ],
        )
    )
    (run.package / FILE).write_text(f"{text}\n", encoding="utf-8")
