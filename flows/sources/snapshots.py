"""The last good state of each source, in ``sources/<name>/`` of the workspace; nothing of it is public.

``<product>-<settings>/`` (two digests) holds what was made of one product under one set of settings: a file per
dataset with its sidecar and, of public products, the product. ``state.json`` names the one that counts, and replacing
it is what makes a new one current; the one before stays for a look, all others go.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path

import shapely

from flows import geometry
from flows.errors import Refused, SourceUnavailable, WrongUsage
from flows.findings import Finding
from flows.german import day as german_day
from flows.german import number
from flows.profile import Profile
from flows.sidecar import Sidecar, read_sidecar, record, sha256_of
from flows.sources.converted import Converted, write_converted
from flows.targets.local import LocalTarget, sync

STATE, PRODUCT = "state.json", "produkt"
# The boundaries of the survey, whose day the profile states.
BOUNDARIES = "boundaries"
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
        return [day for dataset in self.parts if (day := self.standing_of(dataset))]

    def standing_of(self, dataset: str) -> date | None:
        """The day for which a part holds, if it names one."""
        day = self.parts[dataset].standing
        return date.fromisoformat(day) if day else None

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


def recorded(folder: Path) -> State:
    """What ``state.json`` says of the source in ``folder``, whatever became of the files; an empty state when there is
    none or it is damaged.
    """
    try:
        values = json.loads((folder / STATE).read_text(encoding="utf-8"))
        parts = {dataset: Part(**part) for dataset, part in values.pop("parts").items()}
        return State(**values, parts=parts)
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return State()


def read_state(folder: Path) -> State:
    """The state of the source in ``folder``; one without a snapshot when there is none, or when a file of it is
    damaged: the source is then fetched anew.
    """
    state = recorded(folder)
    files = {_part_file(folder, state, dataset): part.sha256 for dataset, part in state.parts.items()}
    whole = all(file.is_file() and sha256_of(file) == digest for file, digest in files.items())
    return state if whole else State(last_try=state.last_try, last_error=state.last_error)


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


def digest_of(address: str) -> str:
    """An address as states note it: it may hold a secret."""
    return hashlib.sha256(address.encode()).hexdigest()


def product_of(folder: Path, address: str) -> Path | None:
    """The raw product that is kept, if it came from this address: also when what was made of it is damaged."""
    state = recorded(folder)
    if not state.product or state.address != digest_of(address):
        return None
    return next(iter(sorted((folder / state.snapshot).glob(f"{PRODUCT}.*"))), None)


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
        old = state.standing_of(dataset) if dataset in state.parts else None
        if old and new.standing and new.standing < old:
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


def other_day(label: str, standing: date | None, profile: Profile) -> list[Finding]:
    """What is wrong when the survey's boundaries hold for another day than the profile's ``territory.boundaries_date``:
    the changes are followed from that day, and the pages name it.
    """
    if standing is None or standing == profile.boundaries_date:
        return []
    message = (
        f"die Grenzen haben den Gebietsstand {german_day(standing)}; das Profil nennt den "
        f"{german_day(profile.boundaries_date)}."
    )
    remedy = "Bitte „territory.boundaries_date“ im Profil berichtigen oder die passende Version eintragen."
    return [Finding("produkt", label, message, remedy)]


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
    product: Path | None,
    converted: Mapping[str, Converted],
    sidecar_of: Callable[[str, date], Sidecar],
    today: date,
) -> dict[str, Part]:
    """Write the snapshot that ``state`` names whole, though nothing counts on it yet; returns its parts.

    ``product`` is the file to keep beside the datasets, if any; ``sidecar_of`` makes a dataset's sidecar for its day of
    retrieval. A dataset keeps that of the snapshot before where the product or its own bytes are the same: nothing was
    retrieved that was not there.
    """
    new, place = folder / f".{state.snapshot}{NEW}", folder / state.snapshot
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    before, parts = recorded(folder), {}
    for dataset, content in converted.items():
        file = write_converted(dataset, content, new)
        standing = content.standing.isoformat() if content.standing else None
        parts[dataset] = Part(file.name, sha256_of(file), standing, extent_of(content))
        retrieved = today
        old = before.parts.get(dataset)
        if old and (before.product == state.product or old.sha256 == parts[dataset].sha256):
            retrieved = _retrieved(_part_file(folder, before, dataset)) or today
        write_sidecar(file, sidecar_of(dataset, retrieved))
    if product:
        shutil.copyfile(product, new / f"{PRODUCT}{product.suffix}")
    for file in sorted(new.iterdir()):
        sync(file)
    sync(new)
    # Nothing counts on a folder of this name, or it is damaged: the product would not have been read again otherwise.
    shutil.rmtree(place, ignore_errors=True)
    new.rename(place)
    sync(folder)
    return parts


def _retrieved(file: Path) -> date | None:
    """The day on which a dataset was retrieved; None where its sidecar is damaged."""
    try:
        return date.fromisoformat(read_sidecar(file).retrieved)
    except (SourceUnavailable, WrongUsage, ValueError):
        return None


def write_sidecar(file: Path, sidecar: Sidecar) -> None:
    """Write the sidecar of ``file`` with its present size and digest."""
    record(file, replace(sidecar, sha256=sha256_of(file), bytes=file.stat().st_size))


def clear(folder: Path, state: State) -> None:
    """Remove every snapshot but the present one and the one before, and what killed calls left."""
    keep = {state.snapshot, state.previous, STATE} - {""}
    _remove(path for path in folder.iterdir() if path.name not in keep)


def clear_unfinished(folder: Path) -> None:
    """Remove what killed calls left, and no snapshot: a damaged one may hold the only copy of its product."""
    _remove(folder.glob(".*"))


def _remove(paths: Iterable[Path]) -> None:
    for path in list(paths):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
