"""CSV after RFC 4180 with the ``.csvt`` that keeps QGIS from guessing types."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

from flows.datasets import Dataset

# Types of https://giswiki.hsr.ch/GeoCSV, as GDAL and QGIS read them.
CSVT_TYPES = {
    "string": "String",
    "integer": "Integer",
    "number": "Real",
    "boolean": "String",
    "date": "Date",
    "yearmonth": "String",
}


def cell(value: object) -> str:
    """One value as CSV text: empty for missing, ISO dates, decimal point, the contract's words for booleans."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def write_csv(dataset: Dataset, folder: Path) -> list[str]:
    """Write ``<name>.csv`` (UTF-8 without BOM, comma, CRLF) and ``<name>.csvt``; returns both file names."""
    stem = dataset.contract.name
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(dataset.table.column_names)
    columns = [column.to_pylist() for column in dataset.table.columns]
    writer.writerows([cell(value) for value in row] for row in zip(*columns, strict=True))
    (folder / f"{stem}.csv").write_bytes(buffer.getvalue().encode("utf-8"))
    types = ",".join(f'"{CSVT_TYPES[field.type]}"' for field in dataset.contract.fields)
    (folder / f"{stem}.csvt").write_bytes(types.encode("ascii") + b"\r\n")
    return [f"{stem}.csv", f"{stem}.csvt"]
