"""``dataset.jsonld``: the release for search engines (https://schema.org/Dataset), also to be embedded in the page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import duckdb

from flows.datasets import Dataset
from flows.metadata.datapackage import attributions, status_of
from flows.metadata.inventory import DataFile
from flows.metadata.rules import described, lands_of
from flows.metadata.subjects import WHOLE_RELEASE, Subject, period, subjects
from flows.metadata.text import citation, land_rows, marks, release_address
from flows.run import Run

FILE = "dataset.jsonld"


def _download(run: Run, file: DataFile) -> dict[str, Any]:
    return {
        "@type": "DataDownload",
        "name": f"{file.title} ({file.format.title})",
        "contentUrl": f"{release_address(run) or ''}{quote(file.path)}",
        "encodingFormat": file.format.media_type,
        "contentSize": f"{file.bytes} B",
        "sha256": file.sha256,
    }


def _places(datasets: Sequence[Dataset]) -> dict[str, dict[str, Any]]:
    """The Länder by key, with their bounding boxes as schema.org writes them: south west north east, in degrees."""
    places = {}
    for dataset in datasets:
        if dataset.contract.geometry_level == "land" and dataset.shapes is not None:
            rows = dataset.table.select(["land_schluessel", "land"]).to_pylist()
            for row, bounds in zip(rows, dataset.shapes.bounds().tolist(), strict=True):
                west, south, east, north = bounds
                box = {"@type": "GeoShape", "box": f"{south} {west} {north} {east}"}
                places[row["land_schluessel"]] = {"@type": "Place", "name": row["land"], "geo": box}
    return places


def _about(con: duckdb.DuckDBPyConnection, run: Run, subject: Subject, datasets: Sequence[Dataset]) -> dict[str, Any]:
    lands, places = land_rows(datasets), _places(datasets)
    german, _ = described(subject, lands, run.profile.wave)
    content: dict[str, Any] = {
        "description": " ".join([*marks(run.profile), german]),
        "keywords": list(subject.keywords),
    }
    if covered := lands_of(subject, lands):
        content["spatialCoverage"] = [places[land] for land in covered]
    if days := period(con, subject):
        content["temporalCoverage"] = f"{days[0].isoformat()}/{days[1].isoformat()}"
    return content


def dataset_jsonld(
    con: duckdb.DuckDBPyConnection, run: Run, datasets: Sequence[Dataset], files: Sequence[DataFile]
) -> dict[str, Any]:
    """The release as one schema.org Dataset with a part per subject.

    File addresses are relative in a draft. ``datasets`` give the area.
    """
    profile = run.profile
    offered = [file for file in files if not file.companion]
    parts: list[Mapping[str, Any]] = [
        {"@type": "Dataset", "name": f"{profile.title}: {subject.title}"}
        | _about(con, run, subject, datasets)
        | {
            "license": profile.licence.url,
            "distribution": [_download(run, file) for file in offered if file.subject == subject.name],
        }
        for subject in subjects().values()
        if subject.name != WHOLE_RELEASE and any(file.subject == subject.name for file in offered)
    ]
    content: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": profile.title,
        "alternateName": f"praeventionskarte-{profile.name}",
    }
    content |= _about(con, run, subjects()[WHOLE_RELEASE], datasets)
    content |= {
        "description": " ".join([*marks(profile), profile.description]),
        "version": run.release_id,
        "datePublished": run.day.isoformat(),
        "creativeWorkStatus": status_of(profile),
        "inLanguage": "de",
        "isAccessibleForFree": True,
        "license": profile.licence.url,
        "creditText": "; ".join(source["attribution"] for source in attributions(run)),
        "citation": citation(run),
        "distribution": [_download(run, file) for file in offered if file.subject == WHOLE_RELEASE],
        "hasPart": parts,
    }
    if address := release_address(run):
        content["url"] = address
    if profile.publisher.name:
        publisher = {"@type": "Organization", "name": profile.publisher.name}
        optional = {"email": profile.publisher.email, "url": profile.publisher.url}
        publisher |= {key: value for key, value in optional.items() if value}
        content |= {"publisher": publisher, "creator": publisher}
    return content


def write_jsonld(
    con: duckdb.DuckDBPyConnection, run: Run, datasets: Sequence[Dataset], files: Sequence[DataFile]
) -> None:
    """Write ``dataset.jsonld`` into the package."""
    text = json.dumps(dataset_jsonld(con, run, datasets, files), ensure_ascii=False, indent=2)
    (run.package / FILE).write_text(text + "\n", encoding="utf-8")
