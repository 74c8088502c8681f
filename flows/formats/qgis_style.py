"""Layer styles for QGIS 3.22 and newer: how a dataset is drawn, and how its columns and codes read in German.

The same XML goes into the ``.qml`` beside the GeoJSON, into ``layer_styles`` of the GeoPackage and into the project, so
a dataset looks the same whichever way it is opened. It is written from a template: QGIS is not needed for a release.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from flows.contracts import Code, Contract, Field
from flows.datasets import Dataset
from flows.formats.symbology import colour, present, sign
from flows.paths import TEMPLATES

# The oldest QGIS that must open the files silently: newer ones know how to read its XML.
QGIS_VERSION = "3.22.0"
# Columns that formats add for themselves (GeoPackage, GeoJSON) and readers need not see.
TECHNICAL = ("fid", "id")
# QGIS's numbers of geometry types (QgsWkbTypes::GeometryType).
GEOMETRY_NUMBERS = {"Point": 0, "MultiPolygon": 2, None: 4}
SURVEY_COLUMN, STATUS_COLUMN, KIND_COLUMN, GROUP_COLUMN = "befragung_status", "status", "art", "gruppe"
NOT_ASKED = "nicht_befragt"
# Millimetres on the map.
OUTLINE_WIDTHS = {"kreis": 0.2, "land": 0.5}


@dataclass(frozen=True, slots=True)
class FormField:
    """A column as QGIS shows it: its German title, the widget, and for a value map its labels with their values."""

    name: str
    title: str
    widget: str
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Area:
    """One class of municipalities: fill as QGIS writes colours, and whether its towns are outlined as surveyed."""

    code: Code
    colour: str
    surveyed: bool


@dataclass(frozen=True, slots=True)
class Sign:
    """One class of committees: ``picture`` is its SVG in base64, ``number`` its place among the layer's symbols."""

    code: Code
    colour: str
    picture: str
    number: int


@dataclass(frozen=True, slots=True)
class SignKind:
    """The signs of one kind of committee."""

    code: Code
    signs: tuple[Sign, ...]


@dataclass(frozen=True, slots=True)
class SignGroup:
    """The kinds of one group: councils in the survey's sense are counted apart from other forms."""

    code: Code
    kinds: tuple[SignKind, ...]


@cache
def environment() -> jinja2.Environment:
    """Templates for XML: everything that is filled in is escaped."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def qgis_colour(name: str) -> str:
    """A colour of the map as QGIS writes it: red, green, blue and opacity in decimals."""
    text = colour(name)
    return ",".join([*(str(int(text[place : place + 2], 16)) for place in (1, 3, 5)), "255"])


def form_field(field: Field) -> FormField:
    """How a column is shown. Lists of codes stay text: QGIS maps whole cells only."""
    if field.codes and field.separator is None:
        return FormField(field.name, field.title, "ValueMap", tuple((code.label, code.code) for code in field.codes))
    if field.type == "boolean":
        return FormField(field.name, field.title, "ValueMap", (("ja", "true"), ("nein", "false")))
    if field.type == "date":
        return FormField(field.name, field.title, "DateTime")
    if field.raw.get("format") == "uri":
        return FormField(field.name, field.title, "ExternalResource")
    return FormField(field.name, field.title, "TextEdit")


def _areas(dataset: Dataset) -> dict[str, Any]:
    areas = [
        Area(code, qgis_colour(f"gebiet-{code.code}"), code.code != NOT_ASKED)
        for code in present(dataset, SURVEY_COLUMN)
    ]
    colours = {"border": "grenze", "surveyed": "befragt", "text": "schrift", "halo": "hof"}
    return {
        "kind": "areas",
        "column": SURVEY_COLUMN,
        "areas": areas,
        "colours": {name: qgis_colour(f"karte-{part}") for name, part in colours.items()},
    }


def _signs(dataset: Dataset) -> dict[str, Any]:
    pairs = set(zip(*(dataset.table.column(name).to_pylist() for name in (KIND_COLUMN, STATUS_COLUMN)), strict=True))
    kinds: list[SignKind] = []
    count = 0
    for kind in present(dataset, KIND_COLUMN):
        signs = []
        for status in present(dataset, STATUS_COLUMN):
            if (kind.code, status.code) in pairs:
                picture = base64.b64encode(sign(kind.code, status.code).encode()).decode("ascii")
                signs.append(Sign(status, qgis_colour(f"gremium-{status.code}"), picture, count))
                count += 1
        kinds.append(SignKind(kind, tuple(signs)))
    groups = [
        SignGroup(group, tuple(kind for kind in kinds if kind.code.extra[GROUP_COLUMN] == group.code))
        for group in present(dataset, GROUP_COLUMN)
    ]
    columns = {"group": GROUP_COLUMN, "kind": KIND_COLUMN, "status": STATUS_COLUMN}
    return {"kind": "signs", "columns": columns, "groups": groups, "kinds": kinds}


def _drawing(dataset: Dataset) -> dict[str, Any]:
    level = dataset.contract.geometry_level
    if level is None:
        return {"kind": "table"}
    if level == "gremium":
        return _signs(dataset)
    if level == "gemeinde":
        return _areas(dataset)
    return {
        "kind": "outline",
        "width": OUTLINE_WIDTHS[level],
        "colours": {"outline": qgis_colour(f"karte-{level}")},
    }


def display_expression(contract: Contract) -> str:
    """What names a row in lists and labels, as a QGIS expression: the place's or committee's name, else the key."""
    level = contract.geometry_level
    columns = contract.primary_key if level is None else ("name" if level == "gremium" else level,)
    return " || ' ' || ".join(f'"{column}"' for column in columns)


def style_of(dataset: Dataset) -> dict[str, Any]:
    """What the layer template needs to know about a dataset."""
    kind = dataset.contract.raw["geometry"]["type"] if dataset.contract.geometry_level else None
    drawing = _drawing(dataset)
    return drawing | {
        "display": display_expression(dataset.contract),
        "labelled": drawing["kind"] in ("areas", "signs"),
        "geometry": GEOMETRY_NUMBERS[kind],
        "technical": TECHNICAL,
        "fields": [form_field(field) for field in dataset.contract.fields],
    }


def style_qml(dataset: Dataset) -> str:
    """The dataset's style as the text of a ``.qml`` file."""
    template = environment().get_template("qgis_style.qml.j2")
    return template.render(version=QGIS_VERSION, style=style_of(dataset)) + "\n"


def write_qml(dataset: Dataset, folder: Path) -> list[str]:
    """Write ``<name>.qml``, which QGIS applies to a ``<name>.geojson`` in the same folder; returns the file name."""
    name = f"{dataset.contract.name}.qml"
    (folder / name).write_text(style_qml(dataset), encoding="utf-8")
    return [name]


def layers_from_top(datasets: Sequence[Dataset]) -> list[Dataset]:
    """The datasets with shapes in the order in which they lie on the map: signs, outlines, areas."""
    order = ("gremium", "land", "kreis", "gemeinde")
    shown = [dataset for dataset in datasets if dataset.contract.geometry_level is not None]
    return sorted(shown, key=lambda dataset: order.index(str(dataset.contract.geometry_level)))
