"""The QGIS project: opens the GeoPackage beside it with German layers, forms, relations and attribution.

Everything in it is relative and made from the contracts; no base map is fetched from the net.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows import geometry
from flows.datasets import SYNTHETIC_FIELD, Dataset
from flows.formats.imprint import STEM, Imprint
from flows.formats.layers import layer_description, layer_title, shapes_of
from flows.formats.qgis_style import QGIS_VERSION, environment, layers_from_top, style_of
from flows.formats.relations import relations
from flows.profile import SYNTHETIC_MARK

# The oldest time that a zip file can hold: the project has no other.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
# Room around the map, as a share of its larger side.
MARGIN = 0.03
GEOMETRY_WORDS = {"Point": "Point", "MultiPolygon": "Polygon"}


@dataclass(frozen=True, slots=True)
class ProjectLayer:
    """A dataset in the project."""

    id: str
    title: str
    description: str
    source: str
    geometry: str
    wkb_type: str
    style: dict[str, Any]


def layer_id(name: str) -> str:
    """A dataset's id in the project, the same in all releases; QGIS replaces ids of less than ten characters."""
    return f"{STEM}_{name}"


def project_layer(dataset: Dataset) -> ProjectLayer:
    """A dataset as a layer that reads the GeoPackage in the project's own folder."""
    contract = dataset.contract
    kind = contract.raw["geometry"]["type"] if contract.geometry_level is not None else None
    return ProjectLayer(
        id=layer_id(contract.name),
        title=layer_title(dataset),
        description=layer_description(dataset),
        source=f"./{STEM}.gpkg|layername={contract.name}",
        geometry=GEOMETRY_WORDS[kind] if kind else "No geometry",
        wkb_type=kind or "NoGeometry",
        style=style_of(dataset),
    )


def _view(datasets: Sequence[Dataset]) -> list[float]:
    """The extent (EPSG:25832, metres) that shows all shapes with some room around them."""
    extents = [part.extent for dataset in datasets for part in shapes_of(dataset).parts]
    wests, souths, easts, norths = zip(*extents, strict=True)
    west, south, east, north = min(wests), min(souths), max(easts), max(norths)
    room = MARGIN * max(east - west, north - south)
    return [round(float(value)) for value in (west - room, south - room, east + room, north + room)]


def project_xml(datasets: Sequence[Dataset], imprint: Imprint) -> str:
    """The project as QGIS XML; the layers lie in the order signs, outlines, areas, then the tables."""
    import pyproj

    shown = layers_from_top(datasets)
    synthetic = any(SYNTHETIC_FIELD in dataset.contract.fields for dataset in datasets)
    template = environment().get_template("qgis_project.qgs.j2")
    return template.render(
        version=QGIS_VERSION,
        authority=geometry.INSIDE,
        wkt=pyproj.CRS(geometry.INSIDE).to_wkt(),
        imprint=imprint,
        attribution=" · ".join(source.text for source in imprint.attributions),
        mark=SYNTHETIC_MARK if synthetic else "",
        layers=[project_layer(dataset) for dataset in shown],
        tables=[project_layer(dataset) for dataset in datasets if dataset.contract.geometry_level is None],
        relations=[
            {
                "name": relation.name,
                "title": relation.title,
                "child": layer_id(relation.child),
                "parent": layer_id(relation.parent),
                "pairs": list(zip(relation.columns, relation.parent_columns, strict=True)),
            }
            for relation in relations(datasets)
        ],
        bounds=_view(shown),
    )


def write_qgis_project(datasets: Sequence[Dataset], folder: Path, imprint: Imprint) -> list[str]:
    """Write ``praeventionskarte.qgz`` beside the GeoPackage that it opens; returns the file name."""
    name = f"{STEM}.qgz"
    # The same on every system: made by Unix, an ordinary file that all may read, stored, because what zlib makes of it
    # depends on the machine.
    entry = zipfile.ZipInfo(f"{STEM}.qgs", ZIP_TIME)
    entry.compress_type = zipfile.ZIP_STORED
    entry.create_system, entry.external_attr = 3, 0o100644 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, project_xml(datasets, imprint))
    (folder / name).write_bytes(buffer.getvalue())
    return [name]
