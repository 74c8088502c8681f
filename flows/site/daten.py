"""Page "Daten": every dataset with its columns, files and sizes."""

from __future__ import annotations

from pathlib import Path

import duckdb

from flows.contracts import Contract
from flows.formats.catalogue import FORMATS
from flows.metadata.changes import PURGED
from flows.site.facts import Row
from flows.site.pages import Site, write_page


def write_data(con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``daten.html``."""
    write_page(
        site,
        "daten.html",
        "Daten",
        "Alle Datensätze zum Herunterladen, mit Spalten, Formaten, Lizenz und Zitat.",
        downloads=[_download(con, site, contract) for contract in site.contracts],
        further={
            name: None if name in PURGED else size
            for name, size in sorted(site.files.items())
            if Path(name).stem not in {contract.name for contract in site.contracts}
        },
    )


def _download(con: duckdb.DuckDBPyConnection, site: Site, contract: Contract) -> Row:
    """One dataset with its rows and its files in the order of the catalogue of formats."""
    count = con.execute(f"SELECT count(*) FROM release.{contract.name}").fetchall()[0][0]
    return {
        "contract": contract,
        "rows": count,
        "files": [
            (contract.name + ending, kind.title, site.files[contract.name + ending])
            for ending, kind in FORMATS.items()
            if contract.name + ending in site.files
        ],
    }
