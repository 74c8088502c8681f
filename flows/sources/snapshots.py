"""The last good state of each source, in ``sources/<name>/`` of the workspace; nothing of it is public.

``<product>-<settings>/`` (two digests) holds what was made of one product under one set of settings: a file per
dataset with its sidecar and, of public products, the product. ``state.json`` names the one that counts, and replacing
it is what makes a new one current; the one before stays for a look, all others go.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import shapely

from flows import geometry
from flows.errors import Refused
from flows.findings import Finding
from flows.german import day as german_day
from flows.german import number
from flows.sidecar import Sidecar, read_sidecar, sha256_of, sidecar_path
from flows.sources.converted import Converted, write_converted
from flows.targets.local import LocalTarget, sync

STATE, PRODUCT = "state.json", "produkt"
# A product that covers less than this share of the one before it has lost a part.
LEAST_AREA, LEAST_ROWS = 0.95, 0.6
# Rename on the same file system is what makes a snapshot appear whole.
NEW = ".neu"


@dataclass(frozen=True, slots=True)
class Part:
    """One dataset of a snapshot: its file's name, the file's digest, the day for which it holds (ISO), and how much it
    covers (``extent_of``).
    """

    file: str
    sha256: str
    standing: str | None
    extent: float


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one source, as ``state.json`` holds it; days are ISO texts, empty = never.

    ``settings`` is the digest of what the conversion depends on besides the product: when that changes, the product is
    fetched anew even if the server says that it is the same.
    """

    settings: str = ""
    address: str = ""
    """Digest of the address of the product: what the server said of one file says nothing of another."""
    etag: str = ""
    last_modified: str = ""
    product: str = ""
    previous: str = ""
    """Name of the snapshot before this one."""
    parts: dict[str, Part] = field(default_factory=dict)
    last_success: str = ""
    last_try: str = ""
    last_error: str = ""
    outdated: dict[str, list[str]] = field(default_factory=dict)
    """ETag and Last-Modified of products that are older than they should be, by digest of their address: as long as
    the server says that one is the same, it need not be fetched to be refused again.
    """

    @property
    def snapshot(self) -> str:
        """The name of the snapshot that counts; empty when there is none."""
        return snapshot_name(self.product, self.settings) if self.product else ""

    @property
    def standings(self) -> list[date]:
        """The days for which the parts hold, of those that name one."""
        return [date.fromisoformat(part.standing) for part in self.parts.values() if part.standing]

    @property
    def confirmed(self) -> date | None:
        """The day on which the source last said that this is its present state."""
        return date.fromisoformat(self.last_success) if self.last_success else None


def snapshot_name(product: str, settings: str) -> str:
    """The folder's name of what was made of a product (SHA-256) under some settings (SHA-256)."""
    return f"{product}-{settings[:16]}"


def sources_folder(workspace: Path) -> Path:
    """Where a workspace keeps its sources."""
    return workspace / "sources"


def read_state(folder: Path) -> State:
    """The state of the source in ``folder``; an empty one when there is none, or when it or a file of its snapshot is
    damaged: the source is then fetched anew.
    """
    try:
        values = json.loads((folder / STATE).read_text(encoding="utf-8"))
        parts = {dataset: Part(**part) for dataset, part in values.pop("parts").items()}
        state = State(**values, parts=parts)
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return State()
    files = {_part_file(folder, state, dataset): part.sha256 for dataset, part in parts.items()}
    return state if all(file.is_file() and sha256_of(file) == digest for file, digest in files.items()) else State()


def write_state(folder: Path, state: State) -> None:
    """Replace ``state.json`` in one step; one that says the same is left alone."""
    content = (json.dumps(asdict(state), ensure_ascii=False, indent=2) + "\n").encode("utf-8")
    target = LocalTarget(folder)
    if target.read(STATE) != content:
        target.write(STATE, content)


def _part_file(folder: Path, state: State, dataset: str) -> Path:
    return folder / state.snapshot / state.parts[dataset].file


def files_of(folder: Path, state: State) -> dict[str, Path]:
    """The dataset files of the snapshot that counts."""
    return {dataset: _part_file(folder, state, dataset) for dataset in state.parts}


def product_of(folder: Path, state: State) -> Path | None:
    """The raw product that is kept with the snapshot that counts, if any is."""
    return next(iter(sorted((folder / state.snapshot).glob(f"{PRODUCT}.*"))), None) if state.product else None


class Older(Refused):
    """The product holds for an earlier day than it should."""


def outdated(label: str, message: str) -> Older:
    """The error for a product of which a newer one should be there, and is not yet."""
    remedy = "Der neue Stand ist vermutlich noch nicht erschienen."
    return Older([Finding("aelter", label, message, remedy)], "der vorhandene Stand bleibt")


def refuse_outdated(label: str, standings: Iterable[date], expected: date | None) -> None:
    """Raise ``Older`` when the newest of a product's days is before the one that is ``expected`` of its place, if any
    is.
    """
    newest = max(standings, default=None)
    if expected and newest and newest < expected:
        message = f"das Produkt hat den Stand {german_day(newest)}; erwartet wird der {german_day(expected)}."
        raise outdated(label, message)


def refuse_older(label: str, converted: Mapping[str, Converted], state: State, expected: date | None) -> None:
    """Raise ``Older`` when the product holds for an earlier day than the one that is here, or than is ``expected`` of
    the place that it came from.
    """
    refuse_outdated(label, [new.standing for new in converted.values() if new.standing], expected)
    findings = []
    for dataset, new in converted.items():
        old = state.parts[dataset].standing if dataset in state.parts else None
        if old and new.standing and new.standing < date.fromisoformat(old):
            message = (
                f"das Produkt hat den Stand {german_day(new.standing)} und ist älter als der vorhandene "
                f"({german_day(old)})."
            )
            remedy = (
                "Bitte die Adresse prüfen; vermutlich wurde eine alte Datei eingestellt. Soll sie doch gelten, bitte "
                "den Ordner der Quelle unter „sources“ bei den Ausgaben löschen."
            )
            findings.append(Finding("aelter", label, message, remedy))
    if findings:
        raise Older(findings, "der vorhandene Stand bleibt")


def extent_of(content: Converted) -> float:
    """How much a dataset covers: the area of its shapes (km², to the nearest), or its rows."""
    if "geometry" not in content.table.column_names:
        return float(len(content.table))
    return float(round(shapely.area(geometry.from_table(content.table)).sum() / 1e6))


def refuse_shrunken(label: str, converted: Mapping[str, Converted], state: State) -> None:
    """Raise ``Refused`` when a product covers far less than the one that is here: then a part of it is missing.

    Land does not vanish, but municipalities merge: of 849 of one Land a quarter went within two years.
    """
    findings = []
    for dataset, content in converted.items():
        before, now = state.parts[dataset].extent if dataset in state.parts else 0.0, extent_of(content)
        land = "geometry" in content.table.column_names
        if now >= before * (LEAST_AREA if land else LEAST_ROWS):
            continue
        unit = "km²" if land else "Zeilen"
        message = f"im Produkt fehlen {number(int(before - now))} von {number(int(before))} {unit} ({dataset})."
        remedy = (
            "Bitte die Datei ansehen; vermutlich ist sie unvollständig. Soll sie doch gelten, bitte den Ordner der "
            "Quelle unter „sources“ bei den Ausgaben löschen."
        )
        findings.append(Finding("geschrumpft", label, message, remedy))
    if findings:
        raise Refused(findings, "der vorhandene Stand bleibt")


def take(
    folder: Path,
    state: State,
    name: str,
    product: Path | None,
    converted: Mapping[str, Converted],
    sidecars: Mapping[str, Sidecar],
) -> dict[str, Part]:
    """Write the snapshot ``name`` whole, though nothing counts on it yet; returns its parts.

    ``product`` is the file to keep beside the datasets, if any. A dataset whose bytes are those of the present
    snapshot keeps its day of retrieval: nothing was retrieved that was not there.
    """
    new, place = folder / f".{name}{NEW}", folder / name
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    parts = {}
    for dataset, content in converted.items():
        file = write_converted(dataset, content, new)
        standing = content.standing.isoformat() if content.standing else None
        parts[dataset] = Part(file.name, sha256_of(file), standing, extent_of(content))
        sidecar = sidecars[dataset]
        present = state.parts.get(dataset)
        if present and present.sha256 == parts[dataset].sha256:
            sidecar = _as_retrieved(sidecar, read_sidecar(_part_file(folder, state, dataset)))
        write_sidecar(file, sidecar)
    if product:
        shutil.copyfile(product, new / f"{PRODUCT}{product.suffix}")
    for file in sorted(new.iterdir()):
        sync(file)
    sync(new)
    # Nothing counts on a folder of this name: the product would not have been read again otherwise.
    shutil.rmtree(place, ignore_errors=True)
    new.rename(place)
    sync(folder)
    return parts


def _as_retrieved(new: Sidecar, old: Sidecar) -> Sidecar:
    values = asdict(new) | {"retrieved": old.retrieved, "attribution": old.attribution}
    return Sidecar(**values)


def write_sidecar(file: Path, sidecar: Sidecar) -> None:
    """Write the sidecar of ``file`` with its present size and digest."""
    values = asdict(sidecar) | {"sha256": sha256_of(file), "bytes": file.stat().st_size}
    text = json.dumps(values, ensure_ascii=False, indent=2)
    sidecar_path(file).write_text(text + "\n", encoding="utf-8")


def clear(folder: Path, state: State) -> None:
    """Remove every snapshot but the present one and the one before, and what killed calls left."""
    keep = {state.snapshot, state.previous, STATE} - {""}
    for path in folder.iterdir():
        if path.name not in keep:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
