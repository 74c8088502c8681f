"""Build a published release again from its recorded inputs and parameters, and compare the bytes."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from flows.archive import kept_input
from flows.checksums import differences, read_manifest
from flows.errors import WrongUsage
from flows.findings import Finding
from flows.fingerprint import code_fingerprint
from flows.join import join
from flows.load import load
from flows.operations import add_approval
from flows.package import build
from flows.profile import Licence, Profile, Publisher, Source
from flows.provenance import FILE, manifest_of, write_manifest
from flows.run import Run
from flows.store import Store, folder_of, provenance_of, published_ids


def recorded_profile(provenance: dict[str, Any]) -> Profile:
    """The profile as a release recorded it; its sources name the original files, which are not read."""
    settings = provenance["parameter"]
    return Profile(
        name=settings["profil"],
        folder=Path(),
        title=settings["titel"],
        description=settings["beschreibung"],
        lands=tuple(settings["laender"]),
        synthetic=settings["synthetisch"],
        outputs="",
        publisher=Publisher(**settings["herausgeber"]),
        licence=Licence(settings["lizenz"]["name"], settings["lizenz"]["titel"], settings["lizenz"]["url"]),
        base_url=settings["basis_url"],
        territory_date=date.fromisoformat(settings["gebietsstand"]),
        boundaries_date=date.fromisoformat(settings["grenzen_stand"]),
        changes_until=date.fromisoformat(settings["aenderungen_bis"]),
        population_date=date.fromisoformat(settings["einwohner_stand"]),
        wave=settings["welle"],
        thresholds=settings["schwellen"],
        gates=settings["vergleich"],
        target="",
        signature_key="",
        sources=tuple(
            Source(source["datensatz"], Path(source["datei"]), source["blatt"]) for source in provenance["quellen"]
        ),
    )


def rebuild(store: Store, release_id: str, work: Path) -> Path:
    """Build ``release_id`` again in ``work``; returns the folder.

    Raises ``WrongUsage`` when an input or the release it was compared with is no longer kept, or when this code is not
    the code that built it.
    """
    provenance = provenance_of(store, release_id)
    if provenance["code_sha256"] != code_fingerprint():
        raise WrongUsage(
            f"{release_id} wurde mit einem anderen Stand des Programms gebaut ({provenance['code_sha256'][:12]}…). "
            "Bitte diesen Stand auschecken und erneut prüfen."
        )
    profile = recorded_profile(provenance)
    run = Run(profile, date.fromisoformat(provenance["datum"]), store, release_id, work)
    run.inputs.mkdir(parents=True)
    for source, record in zip(profile.sources, provenance["quellen"], strict=True):
        kept = kept_input(store, record["sha256"])
        if kept is None:
            raise WrongUsage(
                f"{release_id}: die Eingabe {record['datei']} ({record['sha256']}) ist nicht mehr aufbewahrt."
            )
        shutil.copyfile(kept, run.snapshot(source))
    previous = provenance["vorherige"]
    if previous and previous not in published_ids(store):
        raise WrongUsage(f"{release_id}: die Ausgabe {previous}, mit der verglichen wurde, gibt es nicht mehr.")
    write_manifest(run, manifest_of(provenance))
    load(run)
    join(run)
    build(run, previous)
    if approval := provenance.get("freigabe"):
        add_approval(run.package, approval)
    return run.package


def rebuild_faults(store: Store, release_id: str) -> list[Finding]:
    """Files that differ between a release and its rebuild; empty when they are byte-identical."""
    with tempfile.TemporaryDirectory(prefix="praevkarte-rebuild-") as name:
        built = rebuild(store, release_id, Path(name))
        expected, found = read_manifest(folder_of(store, release_id)), read_manifest(built)
        wrong = differences(built)
    names = sorted(file for file in expected.keys() | found.keys() if expected.get(file) != found.get(file))
    remedy = f"Bitte {FILE} und die Fassung der Werkzeuge vergleichen."
    return [
        Finding("neubau", f"{release_id}/{file}", wrong.get(file, "der neue Bau ergibt andere Bytes."), remedy)
        for file in names
    ]
