"""Stage 1, acquire: snapshot every input, check that it is the file that was meant, see whether anything changed."""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

from flows.ages import OLD, TOO_OLD, Age, age_notes, ages_of, old_sources
from flows.errors import Refused, SourceUnavailable, WrongUsage
from flows.findings import Finding
from flows.fingerprint import code_fingerprint, fingerprint, inputs_fingerprint, parameters
from flows.german import day as german_day
from flows.profile import Profile, Source
from flows.provenance import read_manifest, write_manifest
from flows.run import Run, StageReport, Stop
from flows.sidecar import read_sidecar, sha256_of
from flows.sources.effective import effective_sources
from flows.sources.fetch import PENDING, UNCHANGED, fetch_all
from flows.sources.snapshots import sources_folder
from flows.store import block_of, held_ids, held_provenance, provenance_of, read_index
from flows.tables import read_table

# What a map of the current territory is made of.
CURRENT_BASES = ("boundaries_current", "register_current", "population_current")


def acquire(run: Run) -> StageReport:
    """Copy the run's inputs to ``run.inputs`` and write ``run.manifest``, from which ``settled`` tells the other stages
    what was found.

    Raises ``SourceUnavailable`` when a file or its sidecar is missing or a source has no good state, ``Refused`` when a
    file that nobody edits by hand differs from the checksum in its sidecar or fetched boundaries are of another day
    than the profile says, and ``WrongUsage`` for a source that cannot be meant or a current territory without its
    boundaries, register or population.
    """
    notes = _fetched(run) if run.fetching else []
    folder = run.last_good or sources_folder(run.store.workspace)
    effective = effective_sources(run.profile, folder, run.work / "combined", run.day)
    run.inputs.mkdir(parents=True, exist_ok=True)
    records: dict[str, dict[str, Any]] = {}
    findings: list[Finding] = []
    for source in effective.sources:
        if not source.file.is_file():
            raise SourceUnavailable(
                f"{source.file}: die Eingabe „{source.dataset}“ fehlt. "
                f"Bitte die Datei bereitstellen oder das Profil „{run.profile.name}“ anpassen."
            )
        sidecar = read_sidecar(source.file)
        copy = run.original(source)
        shutil.copyfile(source.file, copy)
        digest = sha256_of(copy)
        if digest != sidecar.sha256:
            if sidecar.edited_here:
                notes.append(
                    f"{source.file.name} ist von Hand geändert; `praevkarte check --record` hält den Stand fest."
                )
            else:
                remedy = (
                    "Bitte wiederherstellen; ist der neue Stand gewollt, ihn mit `praevkarte check --record-file "
                    f"{source.file.name}` festhalten."
                )
                findings.append(
                    Finding(
                        "herkunft",
                        source.label,
                        "der Inhalt stimmt nicht mit der Prüfsumme der Quelle überein.",
                        remedy,
                    )
                )
        state = {"file": source.file.name, "sheet": source.sheet, "sha256": digest, "bytes": copy.stat().st_size}
        records[source.dataset] = asdict(sidecar) | state
    if findings:
        raise Refused(findings)
    ages = ages_of(records, effective.confirmed, run.day, run.profile)
    profile = _with_findings(run, effective.sources, ages)
    code = code_fingerprint()
    manifest = {
        "eingaben": records,
        "parameter": parameters(profile),
        "code_sha256": code,
        "fingerabdruck": fingerprint(records, profile, code),
        "eingaben_fingerabdruck": inputs_fingerprint(records, profile),
    }
    write_manifest(run, manifest)
    return StageReport(rows={}, notes=(*notes, *age_notes(ages)), stop=standing(run, manifest))


def _fetched(run: Run) -> list[str]:
    """Fetch the profile's sources; returns what the operator should know: what is new, and what failed."""
    states = fetch_all(run.profile, run.store, run.day)
    return [state.text for state in states if state.result not in (UNCHANGED, PENDING)]


def _with_findings(run: Run, sources: tuple[Source, ...], ages: tuple[Age, ...]) -> Profile:
    """The profile with what was found: old sources, and the dates of the current territory where the map shows that."""
    profile = replace(run.profile, old=old_sources(ages, OLD), too_old=old_sources(ages, TOO_OLD))
    if profile.territory_basis != "aktuell":
        return profile
    given = {source.dataset: source for source in sources}
    if missing := [dataset for dataset in CURRENT_BASES if dataset not in given]:
        raise WrongUsage(
            f"Das Profil „{profile.name}“ soll den aktuellen Gebietsstand zeigen; dazu fehlt: {', '.join(missing)}. "
            "Bitte unter [fetch] die Quellen „vg250“ und „auszug_gv“ eintragen."
        )
    boundaries, population = (given[f"{dataset}_current"] for dataset in ("boundaries", "population"))
    territory = _newest(_parquet_values(run.original(boundaries), "gebietsstand"), boundaries)
    counted = _newest(_table_values(run.original(population), population, "einwohner_stand"), population)
    return replace(profile, territory_date=territory, population_date=counted)


def _parquet_values(file: Path, column: str) -> set[str]:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(file, columns=[column])
    except (pa.ArrowException, OSError):
        return set()
    return {str(value) for name in table.column_names for value in table.column(name).to_pylist() if value}


def _table_values(file: Path, source: Source, column: str) -> set[str]:
    table = read_table(file, source.sheet, source.label)
    if column not in table.columns:
        return set()
    place = table.columns.index(column)
    return {row[place] or "" for row in table.rows}


def _newest(days: set[str], source: Source) -> date:
    """The newest of ISO days; whether each of them is one is the contract's business, one at least is needed here."""
    known = []
    for text in days:
        try:
            known.append(date.fromisoformat(text))
        except ValueError:
            continue
    if not known:
        remedy = "Bitte die Quelle mit `praevkarte fetch` neu laden."
        raise Refused([Finding("stand", source.label, "die Datei nennt keinen Stand.", remedy)])
    return max(known)


def settled(run: Run) -> Run:
    """The run as the stages after acquire see it: the sources that were taken, old ones, the dates of the territory."""
    manifest = read_manifest(run)
    settings, records = manifest["parameter"], manifest["eingaben"]
    profile = replace(
        run.profile,
        sources=tuple(Source(name, Path(record["file"]), record["sheet"]) for name, record in records.items()),
        territory_date=date.fromisoformat(settings["gebietsstand"]),
        population_date=date.fromisoformat(settings["einwohner_stand"]),
        old=tuple(settings["quellen_alt"]),
        too_old=tuple(settings["quellen_zu_alt"]),
    )
    return replace(run, profile=profile)


def standing(run: Run, manifest: dict[str, Any]) -> Stop | None:
    """Why nothing need be built: the latest release is this, or its inputs wait for a person or were put aside."""
    latest = run.store.target.pointer()
    if latest and provenance_of(run.store, latest)["fingerabdruck"] == manifest["fingerabdruck"]:
        return Stop("unchanged", f"Nichts geändert: {latest} ist aktuell.", latest)
    same = ("eingaben_fingerabdruck", "code_sha256", "parameter")
    for held in held_ids(run.store):
        record = held_provenance(run.store, held)
        # Built otherwise, or compared with what is not the latest any more, it is to be built and compared anew.
        if all(record[key] == manifest[key] for key in same) and record["vorherige"] == latest:
            return Stop("held", f"{held} aus denselben Eingaben wartet schon auf Freigabe.", held)
    noted = None if run.anyway else block_of(read_index(run.store), manifest["eingaben_fingerabdruck"])
    if noted is None:
        return None
    text = (
        f"Diese Eingaben sind gesperrt, seit {german_day(noted['datum'])} (Ausgabe {noted['ausgabe']}, "
        f"Grund: {noted['grund']}). Mit `praevkarte release --anyway` werden sie trotzdem veröffentlicht."
    )
    return Stop("blocked", text, latest)
