"""The published file formats: the one place where media types and their German names stand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: ending, name for readers, media type, and its EU file-type code where there is one
    (http://publications.europa.eu/resource/authority/file-type/)."""

    ending: str
    title: str
    media_type: str
    eu_code: str | None = None


FORMATS = {
    item.ending: item
    for item in (
        Format(".csv", "CSV", "text/csv", "CSV"),
        Format(".geojson", "GeoJSON", "application/geo+json", "GEOJSON"),
        Format(".gpkg", "GeoPackage", "application/geopackage+sqlite3", "GPKG"),
        Format(".fgb", "FlatGeobuf", "application/flatgeobuf"),
        Format(".parquet", "GeoParquet", "application/vnd.apache.parquet", "PARQUET"),
        Format(".xlsx", "Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX"),
        Format(".pmtiles", "PMTiles", "application/vnd.pmtiles"),
    )
}
