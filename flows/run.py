"""What the stages of one run share: settings, folders and the report each stage gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from flows.profile import Profile, Source
from flows.runners.base import Mapper
from flows.runners.local import map_locally
from flows.store import Store


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt to make a release. Stages hand results to each other through files in ``work``, never in memory."""

    profile: Profile
    day: date
    store: Store
    release_id: str
    work: Path
    anyway: bool = False
    """Publish even inputs that a person has put aside."""
    run_id: str = ""
    """By what name the caller's log knows this run; goes into the release, so a rebuild is given the same."""
    fetching: bool = False
    """Fetch the profile's sources before their last good snapshots are read."""
    last_good: Path | None = None
    """Where those snapshots lie; None: in the store's workspace."""
    mapper: Mapper = map_locally
    """How work that falls into parts is spread; see ``flows.runners``."""

    @property
    def inputs(self) -> Path:
        """Snapshot of the input files, taken by acquire."""
        return self.work / "inputs"

    def original(self, source: Source) -> Path:
        """The run's own copy of an input file as it came, named after its dataset."""
        return self.inputs / (source.dataset + source.file.suffix)

    def snapshot(self, source: Source) -> Path:
        """What the run reads of an input: the copy, or the table that is left of it without the records set aside."""
        left = self.left_over(source.dataset)
        return left if left.is_file() else self.original(source)

    def left_over(self, dataset: str) -> Path:
        """The table of a dataset without the records set aside, with their last published state; see office."""
        return self.work / "left_over" / f"{dataset}.csv"

    @property
    def set_aside(self) -> Path:
        """Which records are set aside and why; no such file when none is."""
        return self.work / "set_aside.json"

    @property
    def reports(self) -> Path:
        """Folder in which the reports for the office are written."""
        return self.work / "reports"

    @property
    def manifest(self) -> Path:
        """What acquire took: one record per dataset, and the fingerprint of the whole."""
        return self.work / "inputs.json"

    @property
    def database(self) -> Path:
        """DuckDB file in which load, join and check work."""
        return self.work / "run.duckdb"

    @property
    def datasets(self) -> Path:
        """Folder with the rows and shapes of the published datasets, as package hands them to its tasks."""
        return self.work / "datasets"

    @property
    def territory(self) -> Path:
        """Folder with the shapes of the map, a folder for each Land."""
        return self.work / "territory"

    @property
    def previous(self) -> Path:
        """The release that this one is compared with; no such folder before the first."""
        return self.work / "previous"

    @property
    def tripped(self) -> Path:
        """Which gates trip, found by package and acted upon by publish."""
        return self.work / "tripped.json"

    @property
    def package(self) -> Path:
        """Folder in which package builds the release."""
        return self.work / "release"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run ends before anything is built (``unchanged``, ``held``, ``blocked``), in words, and about which
    release.
    """

    outcome: str
    text: str
    release_id: str | None


@dataclass(frozen=True, slots=True)
class StageReport:
    """What a stage did: rows per dataset, remarks for the operator (German), and whether it ends the run."""

    rows: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    stop: Stop | None = None
    outcome: str | None = None
    """How the run ended, from the stage that ends it: ``published`` or ``held``."""
