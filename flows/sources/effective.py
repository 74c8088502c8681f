"""Which files a run reads: the profile's own, and in their place or beside them the last good snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from flows.errors import Refused, SourceUnavailable
from flows.links.file import links_sources
from flows.profile import Fetch, Profile, Source
from flows.sidecar import Sidecar, read_sidecar
from flows.sources.kinds import KINDS, check_fetches, fetches_of
from flows.sources.snapshots import BOUNDARIES, files_of, other_day, read_state, write_sidecar

# Datasets of the current territory, of no use to a map of the survey's.
CURRENT = "_current"
# What the map is made of, the one that it prefers first.
MAP = ("boundaries_current", BOUNDARIES)


@dataclass(frozen=True, slots=True)
class Effective:
    """The sources of a run, and for those that were fetched the day on which each was last confirmed."""

    sources: tuple[Source, ...]
    confirmed: Mapping[str, date]


@dataclass(frozen=True, slots=True)
class _Part:
    fetch: Fetch
    file: Path
    confirmed: date


def used(dataset: str, profile: Profile) -> bool:
    """Whether the profile's map needs a dataset: what is not needed must not make a new release when it changes."""
    return profile.territory_basis == "aktuell" or not dataset.endswith(CURRENT)


def effective_sources(profile: Profile, folder: Path, scratch: Path, day: date) -> Effective:
    """The profile's sources, replaced and completed by the snapshots below ``folder`` (the workspace's ``sources``) and
    by what the check of the evidence links found there.

    Several fetches of one dataset are put together in ``scratch``; ``day`` tells of which years there are any. Raises
    ``SourceUnavailable`` for a fetch without a good state, unless its product may still be to come, or the profile has
    a file of that dataset: that is the last good state then. Raises ``Refused`` for boundaries of another day than the
    profile says: even a last good state would be published under a false one.
    """
    check_fetches(profile)
    found: dict[str, list[_Part]] = {}
    own = {source.dataset: source for source in profile.sources}
    for fetch in fetches_of(profile, day):
        state = read_state(folder / fetch.name)
        files = files_of(folder / fetch.name, state)
        for dataset in KINDS[fetch.kind].datasets(fetch.options):
            if not used(dataset, profile):
                continue
            if dataset in files and state.confirmed:
                standing = state.standing_of(dataset)
                if dataset == BOUNDARIES and (findings := other_day(fetch.name, standing, profile)):
                    raise Refused(findings)
                found.setdefault(dataset, []).append(_Part(fetch, files[dataset], state.confirmed))
            elif dataset not in own and not fetch.pending:
                raise SourceUnavailable(_without_state(fetch, dataset, state.last_error))
    fetched = {dataset: _source(dataset, parts, scratch) for dataset, parts in found.items()}
    checked = links_sources(folder) if "evidence" in own or "evidence" in fetched else {}
    sources = checked | {dataset: source for dataset, source in own.items() if used(dataset, profile)} | fetched
    confirmed = {dataset: min(part.confirmed for part in parts) for dataset, parts in found.items()}
    # The first source is the map's own: its attribution stands below the map.
    ordered = sorted(sources.values(), key=lambda source: (*MAP, source.dataset).index(source.dataset))
    return Effective(tuple(ordered), confirmed)


def _without_state(fetch: Fetch, dataset: str, error: str) -> str:
    why = f" Zuletzt: {error}" if error else ""
    return (
        f"Quelle „{fetch.name}“: von „{dataset}“ gibt es keinen guten Stand.{why} Bitte die Ursache beheben und "
        "`praevkarte fetch` aufrufen, oder die Quelle im Profil unter [fetch] entfernen."
    )


def _source(dataset: str, parts: list[_Part], scratch: Path) -> Source:
    """One file for a dataset: the snapshot, or those of several fetches (tables with the same header) one after the
    other.
    """
    if len(parts) == 1:
        return Source(dataset, parts[0].file)
    scratch.mkdir(parents=True, exist_ok=True)
    file = scratch / parts[0].file.name
    contents = [part.file.read_bytes() for part in parts]
    # A contract's column names hold no line breaks, so the header is the first line.
    file.write_bytes(b"".join([contents[0], *(content.partition(b"\r\n")[2] for content in contents[1:])]))
    write_sidecar(file, _together([read_sidecar(part.file) for part in parts]))
    return Source(dataset, file)


def _together(sidecars: list[Sidecar]) -> Sidecar:
    """The sidecar of a file made of several: every different word of theirs, the latest retrieval."""

    def joined(field: str) -> str:
        return "; ".join(dict.fromkeys(str(getattr(sidecar, field)) for sidecar in sidecars))

    return replace(
        sidecars[0],
        title=joined("title"),
        origin=joined("origin"),
        attribution=joined("attribution"),
        retrieved=max(sidecar.retrieved for sidecar in sidecars),
    )
