"""A finished release folder of Kleinland, made by the writers in their order, for the tests of its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

from conftest import DAY, joined_run

from flows.checksums import write_manifest
from flows.database import database
from flows.datasets import Dataset
from flows.datasets import read_datasets as read_datasets_of
from flows.formats.csv_file import write_csv
from flows.formats.geojson import write_geojson
from flows.formats.xlsx import write_xlsx
from flows.load import read_rows
from flows.metadata.catalog import write_catalog
from flows.metadata.changes import write_changes
from flows.metadata.citation import write_citation
from flows.metadata.codebook import write_codebook
from flows.metadata.codelists import write_code_lists
from flows.metadata.datapackage import write_datapackage
from flows.metadata.inventory import OPTIONAL, PAGES, data_files
from flows.metadata.jsonld import write_jsonld
from flows.metadata.notice import write_licence, write_notice
from flows.metadata.quality import write_quality
from flows.metadata.readme import write_readme
from flows.metadata.text import marks
from flows.profile import Accessibility, Privacy, Profile, Publisher
from flows.provenance import write_provenance
from flows.run import Run

PUBLISHER = Publisher(
    "Präventionsstelle Kleinland",
    "poststelle@kleinland.example",
    "https://kleinland.example/stelle",
    "Marktplatz 1, 99999 Kleinstadt",
    "Leitung der Präventionsstelle",
)
PRIVACY = Privacy(
    "datenschutz@kleinland.example", "Die Seiten liefert das Rechenzentrum Kleinland aus, ohne Protokolle."
)
ACCESSIBILITY = Accessibility(
    "Selbstbewertung vom 1. Juni 2026",
    "barrierefreiheit@kleinland.example",
    "Ausgleichsstelle, Marktplatz 2, Kleinstadt",
)
ADDRESS = "https://karte.kleinland.example"


def filled_in(profile: Profile) -> Profile:
    """The profile with everything that makes a release more than a draft."""
    return replace(profile, publisher=PUBLISHER, base_url=ADDRESS, privacy=PRIVACY, accessibility=ACCESSIBILITY)


def fill_in(file: Path) -> None:
    """Fill in ``profile.toml`` what ``filled_in`` fills in a profile."""
    settings = {"base_url": ADDRESS} | asdict(PUBLISHER) | asdict(PRIVACY) | asdict(ACCESSIBILITY)
    text = file.read_text(encoding="utf-8")
    for name, value in settings.items():
        assert text.count(f'\n{name} = ""\n') == 1, name
        text = text.replace(f'\n{name} = ""\n', f'\n{name} = "{value}"\n')
    file.write_text(text, encoding="utf-8")


def synthetic(profile: Profile) -> Profile:
    """The profile of a demonstration."""
    return replace(profile, synthetic=True, outputs="demo")


def read_datasets(run: Run) -> list[Dataset]:
    """All published datasets of a joined run."""
    with database(run.database) as con:
        return read_datasets_of(con, run.datasets, run.profile.synthetic)


def write_release(run: Run, datasets: Sequence[Dataset]) -> None:
    """Write data, metadata and manifest of a joined run into its package; the site is a stand-in."""
    run.package.mkdir()
    contracts = [dataset.contract for dataset in datasets]
    run.manifest.write_text(
        json.dumps(json.loads(run.manifest.read_text(encoding="utf-8")) | {"vorherige": None, "schema": "1.0.0"}),
        encoding="utf-8",
    )
    files: dict[str, list[str]] = {}
    for dataset in datasets:
        written = write_csv(dataset, run.package)
        if dataset.shapes is not None:
            written += write_geojson(dataset, run.package)
        files[dataset.contract.name] = [name for name in written if not name.endswith(".csvt")]
    write_xlsx(run, datasets)
    write_code_lists(run, contracts)
    write_codebook(run, contracts)
    write_datapackage(run, contracts)
    titles = {contract.name: contract.title for contract in contracts}
    write_changes(None, run.package, run.release_id, titles, "1.0.0", run.profile.synthetic)
    described = data_files(run, contracts)
    head = " ".join(marks(run.profile))
    for page in (name for name in PAGES if name not in OPTIONAL):
        (run.package / page).write_text(f"<!doctype html><title>{head}</title>", encoding="utf-8")
    with database(run.database) as con:
        write_provenance(run, read_rows(con))
        write_catalog(con, run, contracts, described)
        write_jsonld(con, run, datasets, described)
        write_citation(run)
        write_licence(run)
        write_notice(con, run, contracts)
        write_quality(con, run, datasets)
        write_readme(con, run, datasets, files)
    write_manifest(run.package)


def packaged(profile: Profile, work: Path, day: date = DAY, release_id: str | None = None) -> Run:
    """Join a profile's inputs in ``work`` and write its release there."""
    run = replace(joined_run(profile, work, day), release_id=release_id or f"{day:%Y.%m.%d}")
    write_release(run, read_datasets(run))
    return run
