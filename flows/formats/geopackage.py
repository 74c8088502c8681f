"""GeoPackage: every dataset of a release in one file, described, related and styled.

GDAL writes the tables; what it has no words for is added with SQL: code lists as constraints (Schema extension), the
contracts' foreign keys, and QGIS's ``layer_styles``. Version 1.3 is the newest that QGIS 3.22 (GDAL 3.3 and later)
opens without a warning; nothing here needs what 1.4 adds.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from flows import geometry
from flows.contracts import Contract, Field
from flows.datasets import INSIDE, SYNTHETIC_FIELD, Dataset
from flows.formats.imprint import STEM, Imprint
from flows.formats.layers import layer_description, layer_stream, layer_title
from flows.formats.qgis_style import style_qml
from flows.formats.relations import Relation, relations

VERSION = "1.3"
GEOMETRY_COLUMN = "geom"
# Where a SQLite file notes the library that wrote it last, as a number of four bytes (sqlite.org/fileformat.html).
LIBRARY_VERSION = slice(96, 100)
# The table of default styles as QGIS makes it.
STYLES_TABLE = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256),
    f_table_schema TEXT(256),
    f_table_name TEXT(256),
    f_geometry_column TEXT(256),
    styleName TEXT(30),
    styleQML TEXT,
    styleSLD TEXT,
    useAsDefault BOOLEAN,
    description TEXT,
    owner TEXT(30),
    ui TEXT(30),
    update_time DATETIME
)
"""


def moment(day: date) -> str:
    """The start of a day as GeoPackage writes moments."""
    return f"{day.isoformat()}T00:00:00.000Z"


@contextmanager
def _gdal_date(day: date) -> Iterator[None]:
    """Make GDAL note ``day``, not the clock, as the time of the last change."""
    import pyogrio

    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": moment(day)})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _write_layer(dataset: Dataset, path: Path, dataset_metadata: dict[str, str] | None) -> None:
    """Add a layer; ``dataset_metadata`` belongs to the file and comes with the first layer, which makes it."""
    import pyogrio

    contract = dataset.contract
    options = {"IDENTIFIER": layer_title(dataset), "DESCRIPTION": layer_description(dataset), "FID": "fid"}
    settings: dict[str, Any] = {}
    if dataset_metadata is not None:
        settings = {"dataset_options": {"VERSION": VERSION}, "dataset_metadata": dataset_metadata}
    if contract.geometry_level is not None:
        options |= {"GEOMETRY_NAME": GEOMETRY_COLUMN, "SPATIAL_INDEX": "YES"}
        kind = contract.raw["geometry"]["type"]
        settings |= {"geometry_name": "geometry", "geometry_type": kind, "crs": geometry.INSIDE}
    pyogrio.write_arrow(
        layer_stream(dataset, None if contract.geometry_level is None else INSIDE),
        path,
        layer=contract.name,
        driver="GPKG",
        append=dataset_metadata is None,
        layer_options=options,
        **settings,
    )


def _describe_file(con: sqlite3.Connection, imprint: Imprint) -> None:
    """Title, sources and licence of the whole (Metadata extension), as schema.org's Dataset in JSON.

    GDAL has made the tables for a record of its own kind; left as that, it would make GDAL 3.12 put an ``.aux.xml``
    beside the file whenever somebody reads it.
    """
    content = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": imprint.title,
        "description": imprint.description,
        "version": imprint.release_id,
        "datePublished": imprint.day.isoformat(),
        "inLanguage": "de",
        "license": imprint.licence.url,
        "isBasedOn": [
            {"@type": "CreativeWork", "creditText": source.text} | ({"url": source.url} if source.url else {})
            for source in imprint.attributions
        ],
    }
    con.execute(
        "UPDATE gpkg_metadata SET md_standard_uri = 'https://schema.org/Dataset', mime_type = 'application/ld+json', "
        "metadata = ?",
        (json.dumps(content, ensure_ascii=False),),
    )


def _constraint(contract: Contract, field: Field) -> str | None:
    """The name of the list of values that a column's cells come from: its code list, or one of its own."""
    if field.separator is not None or not field.allowed:
        return None
    if "codeList" in field.raw:
        return str(field.raw["codeList"])
    return field.name if field.name == SYNTHETIC_FIELD.name else f"{contract.name}_{field.name}"


def _describe_columns(con: sqlite3.Connection, contract: Contract, known: set[str]) -> None:
    """Titles, descriptions and allowed values of the columns (Schema extension); ``known`` are constraints done.

    GDAL has written a part of it; QGIS takes its aliases from ``name``, the standard's word for a label is ``title``.
    """
    con.execute("DELETE FROM gpkg_data_columns WHERE table_name = ?", (contract.name,))
    for field in contract.fields:
        constraint = _constraint(contract, field)
        con.execute(
            "INSERT INTO gpkg_data_columns (table_name, column_name, name, title, description, constraint_name) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (contract.name, field.name, field.title, field.title, field.description, constraint),
        )
        if constraint is None or constraint in known:
            continue
        known.add(constraint)
        labels = {code.code: code.label for code in field.codes}
        con.executemany(
            "INSERT INTO gpkg_data_column_constraints (constraint_name, constraint_type, value, description) "
            "VALUES (?, 'enum', ?, ?)",
            [(constraint, value, labels.get(value, value)) for value in field.allowed],
        )


def _declare(con: sqlite3.Connection, relation: Relation) -> None:
    """Add a foreign key to a table that exists.

    SQLite has no ALTER TABLE for this. A foreign key is nothing but text in the schema, so the text is completed; the
    rows are checked afterwards.
    """
    columns, parents = (
        ", ".join(f'"{name}"' for name in names) for names in (relation.columns, relation.parent_columns)
    )
    clause = f', FOREIGN KEY ({columns}) REFERENCES "{relation.parent}" ({parents}))'
    con.execute(
        "UPDATE sqlite_schema SET sql = substr(sql, 1, length(sql) - 1) || ? WHERE type = 'table' AND name = ?",
        (clause, relation.child),
    )


def _declare_relations(con: sqlite3.Connection, found: Sequence[Relation]) -> None:
    con.execute("PRAGMA writable_schema = ON")
    for relation in found:
        _declare(con, relation)
    con.commit()
    con.execute("PRAGMA writable_schema = RESET")
    if broken := con.execute("PRAGMA foreign_key_check").fetchall():
        raise ValueError(f"rows without the row that they refer to (table, row, parent, key): {broken[:10]}")


def _add_styles(con: sqlite3.Connection, datasets: Sequence[Dataset], day: date) -> None:
    con.execute(STYLES_TABLE)
    con.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', 'Darstellung in QGIS', ?)",
        (moment(day),),
    )
    con.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
        "styleQML, useAsDefault, description, owner, update_time) VALUES ('', '', ?, ?, 'Standard', ?, 1, ?, '', ?)",
        [
            (
                dataset.contract.name,
                GEOMETRY_COLUMN if dataset.contract.geometry_level is not None else "",
                style_qml(dataset),
                layer_title(dataset),
                moment(day),
            )
            for dataset in datasets
        ],
    )


def write_geopackage(datasets: Sequence[Dataset], folder: Path, imprint: Imprint) -> list[str]:
    """Write ``praeventionskarte.gpkg`` with all ``datasets``: EPSG:25832, tables without shapes as attributes.

    Returns the file name. Raises ``ValueError`` when a row refers to one that does not exist.
    """
    path = folder / f"{STEM}.gpkg"
    path.unlink(missing_ok=True)
    with _gdal_date(imprint.day):
        for number, dataset in enumerate(datasets):
            _write_layer(dataset, path, None if number else {"TITLE": imprint.title})
    with path.open("rb") as stream:
        library = stream.read(LIBRARY_VERSION.stop)[LIBRARY_VERSION]
    with closing(sqlite3.connect(path)) as con:
        # The file is not yet anybody's: no need to survive a crash in between.
        con.execute("PRAGMA synchronous = OFF")
        con.execute("PRAGMA journal_mode = MEMORY")
        _describe_file(con, imprint)
        known: set[str] = set()
        for dataset in datasets:
            _describe_columns(con, dataset.contract, known)
        _add_styles(con, datasets, imprint.day)
        con.commit()
        _declare_relations(con, relations(datasets))
        con.execute("VACUUM")
    # Python's SQLite differs from machine to machine, GDAL's is pinned: the file names GDAL's.
    with path.open("r+b") as stream:
        stream.seek(LIBRARY_VERSION.start)
        stream.write(library)
    return [path.name]
