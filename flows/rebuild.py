"""Build a published release again from its recorded inputs and parameters, and compare the bytes."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from flows.archive import kept_input
from flows.checksums import MANIFEST, parse_manifest, read_manifest
from flows.errors import WrongUsage
from flows.findings import Finding
from flows.fingerprint import code_fingerprint
from flows.join import join
from flows.load import load
from flows.operations import add_approval
from flows.package import build
from flows.profile import Accessibility, Licence, Notices, Privacy, Profile, Publisher, Source
from flows.provenance import FILE, manifest_of, write_manifest
from flows.run import Run
from flows.sidecar import sha256_of
from flows.store import Store, provenance_of, published_ids


class NotRebuildable(WrongUsage):
    """A release that cannot be built again here and now; says nothing about its files."""


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
        privacy=Privacy(**settings["datenschutz"]),
        accessibility=Accessibility(**settings["barrierefreiheit"]),
        base_url=settings["basis_url"],
        territory_basis=settings["gebietsstand_art"],
        territory_date=date.fromisoformat(settings["gebietsstand"]),
        boundaries_date=date.fromisoformat(settings["grenzen_stand"]),
        changes_until=date.fromisoformat(settings["aenderungen_bis"]),
        changes_lands=tuple(settings["aenderungen_laender"]),
        population_date=date.fromisoformat(settings["einwohner_stand"]),
        wave=settings["welle"],
        tiles=settings["kacheln"],
        thresholds=settings["schwellen"],
        gates=settings["vergleich"],
        target="",
        signature_key="",
        sources=tuple(
            Source(source["datensatz"], Path(source["datei"]), source["blatt"]) for source in provenance["quellen"]
        ),
        fetches=(),
        warn_after=settings["warnen_nach_tagen"],
        hold_after=settings["anhalten_nach_tagen"],
        set_aside=(),
        stale_after=0,
        notices=Notices((), "", 0),
        old=tuple(settings["quellen_alt"]),
        too_old=tuple(settings["quellen_zu_alt"]),
    )


def rebuild(store: Store, release_id: str, work: Path) -> Path:
    """Build ``release_id`` again in ``work``; returns the folder.

    Raises ``NotRebuildable`` when an input or the release it was compared with is no longer kept, or when this code is
    not the code that built it.
    """
    provenance = provenance_of(store, release_id)
    if provenance["code_sha256"] != code_fingerprint():
        raise NotRebuildable(
            f"{release_id} wurde mit einem anderen Stand des Programms gebaut ({provenance['code_sha256'][:12]}…) und "
            "lässt sich nur mit diesem neu bauen. Bitte ihn auschecken und erneut aufrufen."
        )
    previous = provenance["vorherige"]
    if previous and previous not in published_ids(store):
        raise NotRebuildable(
            f"{release_id} wurde mit {previous} verglichen, deren Daten nicht mehr da sind, und lässt sich deshalb "
            "nicht neu bauen. Die Prüfsummen prüft `praevkarte verify` ohne --rebuild."
        )
    profile = recorded_profile(provenance)
    # A workspace of its own: the store's may be in use by another run.
    apart = Store(work / "workspace", store.target, store.prefix, store.signature_key)
    day, run_id = date.fromisoformat(provenance["datum"]), provenance.get("lauf", "")
    run = Run(profile, day, apart, release_id, work, run_id=run_id)
    run.inputs.mkdir(parents=True)
    for source, record in zip(profile.sources, provenance["quellen"], strict=True):
        kept = kept_input(store, record["sha256"])
        if kept is None:
            raise NotRebuildable(
                f"{release_id}: die Eingabe {record['datei']} ({record['sha256'][:12]}…) ist nicht mehr aufbewahrt."
            )
        shutil.copyfile(kept, run.snapshot(source))
        if sha256_of(run.snapshot(source)) != record["sha256"]:
            raise NotRebuildable(f"{kept}: die aufbewahrte Eingabe {record['datei']} ist beschädigt.")
    write_manifest(run, manifest_of(provenance))
    load(run)
    join(run)
    build(run, previous)
    if approval := provenance.get("freigabe"):
        add_approval(run.package, approval)
    return run.package


def rebuild_faults(store: Store, release_id: str) -> list[Finding]:
    """Files that differ between a release, which verifies, and its rebuild; empty when they are byte-identical."""
    prefix = f"releases/{release_id}"
    expected = parse_manifest(store.target.read(f"{prefix}/{MANIFEST}") or b"")
    with tempfile.TemporaryDirectory(prefix="praevkarte-rebuild-") as name:
        found = read_manifest(rebuild(store, release_id, Path(name)))
    remedy = f"Bitte {FILE} und die Fassungen der Werkzeuge vergleichen."
    texts = dict.fromkeys(expected.keys() & found.keys(), "der neue Bau ergibt andere Bytes.")
    texts |= dict.fromkeys(expected.keys() - found.keys(), "der neue Bau ergibt diese Datei nicht.")
    texts |= dict.fromkeys(found.keys() - expected.keys(), "diese Datei des neuen Baus fehlt der Ausgabe.")
    return [
        Finding("neubau", f"{release_id}/{file}", text, remedy)
        for file, text in sorted(texts.items())
        if expected.get(file) != found.get(file)
    ]
