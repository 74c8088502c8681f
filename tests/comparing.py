"""Small releases to compare: a table of towns with areas, as CSV and GeoJSON, and its description."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flows.compare import Comparison, compare

LIMITS = {
    "rows_lost": 0.05,
    "keys_changed": 0.05,
    "values_changed": 0.5,
    "nulls_gained": 0.1,
    "totals_moved": 0.2,
    "area_lost": 0.00001,
    "area_moved": 0.01,
    "smallest": 3,
}
"""The gates of the default profile."""

TOWNS = 200
FIELDS = (
    {"name": "ags", "type": "string", "title": "Schlüssel"},
    {"name": "name", "type": "string", "title": "Name", "constraints": {"required": True}},
    {"name": "einwohner", "type": "integer", "title": "Einwohner", "unit": "Personen"},
    {"name": "flaeche", "type": "number", "title": "Fläche", "unit": "km²"},
    {"name": "gremien", "type": "integer", "title": "Bekannte Gremien"},
    {"name": "vorsitz", "type": "string", "title": "Vorsitz"},
    {
        "name": "status",
        "type": "string",
        "title": "Status",
        "categories": [{"value": "aktiv", "label": "Aktiv"}, {"value": "ruhend", "label": "Ruhend"}],
    },
)

Row = dict[str, str]


@dataclass(frozen=True)
class Table:
    """A table with its schema; ``shapes`` are GeoJSON geometries by key, or None for a table without a map."""

    name: str
    fields: tuple[dict[str, Any], ...]
    rows: tuple[Row, ...]
    key: tuple[str, ...] = ("ags",)
    shapes: dict[str, Any] | None = None

    def with_rows(self, change: Callable[[int, Row], Row | None]) -> Table:
        """The table with every row changed; a row that becomes None is gone, with its shape."""
        changed = [change(number, dict(row)) for number, row in enumerate(self.rows)]
        rows = tuple(row for row in changed if row)
        keys = {row["ags"] for row in rows}
        shapes = {key: shape for key, shape in self.shapes.items() if key in keys} if self.shapes else None
        return replace(self, rows=rows, shapes=shapes)

    def with_field(self, name: str, **changes: Any) -> Table:
        """The table with another description of one column."""
        fields = tuple({**one, **changes} if one["name"] == name else one for one in self.fields)
        return replace(self, fields=fields)

    def with_columns(self, names: Sequence[str]) -> Table:
        """The table with only these columns in this order."""
        by_name = {one["name"]: one for one in self.fields}
        fields = tuple(by_name.get(name, {"name": name, "type": "string", "title": name}) for name in names)
        rows = tuple({name: row.get(name, "") for name in names} for row in self.rows)
        return replace(self, fields=fields, rows=rows)

    def with_shapes(self, change: Callable[[int, Any], Any]) -> Table:
        """The table with every shape changed."""
        shapes = {key: change(number, shape) for number, (key, shape) in enumerate((self.shapes or {}).items())}
        return replace(self, shapes=shapes)

    def size(self, count: int) -> Table:
        """The first rows only."""
        return self.with_rows(lambda number, row: row if number < count else None)


def square(number: int, shift: float = 0.0) -> dict[str, Any]:
    """A square of a hundredth of a degree, beside the others; ``shift`` moves it to the east (degrees)."""
    x, y = 10 + number % 20 / 100 + shift, 50 + number // 20 / 100
    ring = [[x, y], [x + 0.01, y], [x + 0.01, y + 0.01], [x, y + 0.01], [x, y]]
    return {"type": "Polygon", "coordinates": [[[round(value, 6) for value in point] for point in ring]]}


def _rows() -> Iterator[Row]:
    for number in range(TOWNS):
        yield {
            "ags": f"16{number:06d}",
            "name": f"Ort, {number}" if number % 7 else f"Ort „{number}“\nmit Zeile",
            "einwohner": str(1000 + 37 * number),
            "flaeche": f"{10 + number / 4}",
            "gremien": "1" if number % 20 == 0 else "0",
            "vorsitz": "buergermeister" if number % 20 == 0 else "",
            "status": "aktiv" if number % 2 else "ruhend",
        }


def towns() -> Table:
    """200 towns, of which every twentieth has a committee."""
    rows = tuple(_rows())
    return Table("orte", FIELDS, rows, shapes={row["ags"]: square(number) for number, row in enumerate(rows)})


@dataclass(frozen=True)
class Tables:
    """What a release holds."""

    tables: tuple[Table, ...]
    version: str = "2026.02.01"
    more: tuple[str, ...] = field(default=())
    """Further files, by name."""

    def write(self, folder: Path) -> Path:
        """Write the release to ``folder``."""
        folder.mkdir(parents=True)
        resources: list[dict[str, Any]] = []
        for table in self.tables:
            resources += _write_table(table, folder)
        resources += [{"name": name.replace(".", "_"), "path": name} for name in self.more]
        descriptor = {"version": self.version, "schemaVersion": "1.0.0", "resources": resources}
        (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
        return folder


def _write_table(table: Table, folder: Path) -> Iterator[dict[str, Any]]:
    names = [one["name"] for one in table.fields]
    with (folder / f"{table.name}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(names)
        writer.writerows([row.get(name, "") for name in names] for row in table.rows)
    schema: dict[str, Any] = {"fields": list(table.fields)}
    if table.key:
        schema["primaryKey"] = list(table.key)
    yield {"name": table.name, "path": f"{table.name}.csv", "schema": schema}
    if table.shapes is not None:
        features = [{"type": "Feature", "id": key, "geometry": shape} for key, shape in table.shapes.items()]
        text = json.dumps({"type": "FeatureCollection", "features": features})
        (folder / f"{table.name}.geojson").write_text(text, encoding="utf-8")
        yield {"name": f"{table.name}_geojson", "path": f"{table.name}.geojson"}


def compared(folder: Path, old: Table | Tables, new: Table | Tables, *label: str) -> Comparison:
    """The comparison of two releases, written below ``folder``."""
    before, after = (one if isinstance(one, Tables) else Tables((one,)) for one in (old, new))
    number = len(list(folder.glob("alt*")))
    folders = before.write(folder / f"alt{number}"), replace(after, version="2026.02.02").write(folder / f"neu{number}")
    return compare(*folders, {"orte": label})
