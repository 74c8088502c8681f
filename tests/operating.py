"""Releases of Kleinland to operate on, in a local folder and in an object store; the fixtures stand in ``places``.

A release takes seconds to build, so each is built once per session, with few files, and copied for the test that needs
it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import obstore
import pytest
from conftest import PROFILE

from flows.checksums import differences, write_manifest
from flows.database import database
from flows.datasets import read_datasets
from flows.errors import PipelineError
from flows.formats.csv_file import write_csv
from flows.formats.geojson import write_geojson
from flows.load import read_rows
from flows.metadata.datapackage import write_datapackage
from flows.operations import clear_work, recover
from flows.package import compare_with_previous, fetch_previous
from flows.profile import Profile, load_profile
from flows.provenance import write_provenance
from flows.run import Run, StageReport
from flows.stages import Caller, Outcome, Stage, call_directly, run_stages, store_of
from flows.store import Store, locked
from flows.targets.local import LocalTarget
from flows.targets.s3 import ObjectTarget

# The three nights of the history: a first release, an ordinary edit, and a bad file that is held.
FIRST, SECOND, HELD = "2026.02.01", "2026.02.02", "2026.02.03"
NIGHTS = {FIRST: date(2026, 2, 1), SECOND: date(2026, 2, 2), HELD: date(2026, 2, 3)}
LATER = date(2026, 2, 10)

# What must not be public and slipped into the first release; the second, an ordinary edit, no longer has it.
SECRET = "Erika Musterfrau-Geheim"

_KLEINLAND = Path(__file__).parent / "kleinland"


def _table(name: str) -> list[str]:
    return (_KLEINLAND / name).read_text(encoding="utf-8").splitlines()


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def first_inputs() -> dict[str, str]:
    """Kleinland with a name in an evidence text."""
    return {"evidence.csv": _joined(_table("evidence.csv")).replace("Der Rat hat getagt.", f"{SECRET} hat getagt.")}


def second_inputs() -> dict[str, str]:
    """An ordinary edit: one committee added, the status of another changed by newer evidence."""
    committee = "flur-praeventionsrat,Präventionsrat Flur,praeventionsrat,99002001,2019-12-31,,,,"
    evidence = (
        "flur-praeventionsrat-1,flur-praeventionsrat,https://flur.example/rat,gemeinde,2025-05-01,aktiv,,,,,"
        "Mitteilung der Gemeinde: Der Rat hat getagt.",
        "eichen-runder-tisch-2,eichen-runder-tisch,https://eichen.example/ende,amtsblatt,2025-06-01,ruhend,,,,,"
        "Amtsblatt: Der Runde Tisch ruht.",
    )
    return {
        "committees.csv": _joined([*_table("committees.csv"), committee]),
        "evidence.csv": _joined([*_table("evidence.csv"), *evidence]),
    }


def bad_inputs() -> dict[str, str]:
    """Most committees have vanished overnight; every check of the inputs passes."""
    committees, evidence = _table("committees.csv"), _table("evidence.csv")
    return {
        "committees.csv": _joined([committees[0], *(line for line in committees if line.startswith("aldorf"))]),
        "evidence.csv": _joined([evidence[0], *(line for line in evidence if line.startswith("aldorf"))]),
    }


def mended_inputs() -> dict[str, str]:
    """The second night's tables with one hint more."""
    hint = "ilmen-vorschlag-1,vorschlag,99002002,,Antrag,,https://ilmen.example/antrag,partei,2025-01,Ein Antrag."
    return second_inputs() | {"hints.csv": _joined([*_table("hints.csv"), hint])}


INPUTS: Mapping[str, Callable[[], dict[str, str]]] = {FIRST: first_inputs, SECOND: second_inputs, HELD: bad_inputs}


def lean_build(run: Run, previous: str | None) -> StageReport:
    """A release of few files: what operations and comparison read, and a page's data to be withdrawn with it."""
    shutil.rmtree(run.package, ignore_errors=True)
    (run.package / "assets").mkdir(parents=True)
    with database(run.database) as con:
        datasets = read_datasets(con, run.datasets, run.profile.synthetic)
        contracts = [dataset.contract for dataset in datasets]
        fetch_previous(run, previous, contracts)
        for dataset in datasets:
            write_csv(dataset, run.package)
            (run.package / f"{dataset.contract.name}.csvt").unlink()
            if dataset.shapes is not None:
                write_geojson(dataset, run.package)
        write_datapackage(run, contracts)
        compare_with_previous(run, contracts)
        write_provenance(run, read_rows(con))
        texts = con.execute("SELECT zeigt FROM release.gremien_belege ORDER BY beleg_id").fetchall()
        (run.package / "assets" / "karte.json").write_text("\n".join(text for (text,) in texts), encoding="utf-8")
    write_manifest(run.package)
    return StageReport(rows={dataset.contract.name: dataset.table.num_rows for dataset in datasets})


def lean_call(stage: Stage, run: Run) -> StageReport:
    """The stages as they are, but for the packaging."""
    return lean_build(run, run.store.target.pointer()) if stage.name == "package" else call_directly(stage, run)


def _code() -> str:
    return "c0de" * 16


@contextmanager
def lean() -> Iterator[None]:
    """One state of the program, whoever edits it while the tests run; rebuilds are as lean as the releases."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.acquire.code_fingerprint", _code)
        patch.setattr("flows.rebuild.code_fingerprint", _code)
        patch.setattr("flows.rebuild.build", lean_build)
        yield


class WouldBuild(Exception):
    """A run found nothing that keeps it from building a release."""


def _stop_before_building(stage: Stage, run: Run) -> StageReport:
    if stage.name == "load":
        raise WouldBuild
    return call_directly(stage, run)


@dataclass(frozen=True)
class Place:
    """A workspace and a target to try operations on, and the geodata folders of the nights."""

    profile: Profile
    outputs: Path
    geodata: Mapping[str, Path]

    @property
    def store(self) -> Store:
        return store_of(self.profile, self.outputs)

    @contextmanager
    def open(self) -> Iterator[Store]:
        """The store as a command holds it."""
        store = self.store
        with locked(store):
            recover(store)
            yield store
            clear_work(store)

    def profile_with(self, inputs: str | Path) -> Profile:
        """The place's profile with the inputs of a night or of a geodata folder."""
        geodata = self.geodata[inputs] if isinstance(inputs, str) else inputs
        return replace(self.profile, sources=load_profile(geodata, PROFILE).sources)

    def run(self, inputs: str | Path, day: date = LATER, call: Caller = lean_call, **options: Any) -> Outcome:
        """A run over the inputs of a night or of a geodata folder."""
        with lean():
            return run_stages(self.profile_with(inputs), self.outputs, day, call=call, **options)

    def night(self, inputs: str | Path, day: date = LATER, anyway: bool = False) -> str:
        """How a run over inputs ends, or ``builds`` when it would go on to build a release."""
        try:
            return self.run(inputs, day, call=_stop_before_building, anyway=anyway).result
        except WouldBuild:
            return "builds"

    def files(self) -> dict[str, bytes]:
        """Every file of workspace and target by name."""
        found = {
            f"workspace/{path.relative_to(self.outputs)}": path.read_bytes()
            for path in self.outputs.rglob("*")
            if path.is_file()
        }
        target = self.store.target
        if isinstance(target, ObjectTarget):
            for item in (item for batch in obstore.list(target.store) for item in batch):
                found[f"target/{item['path']}"] = bytes(obstore.get(target.store, item["path"]).bytes())
        return found


def target_names(outputs: Path) -> list[str]:
    """Ids of the releases that lie in local outputs."""
    return LocalTarget(outputs).folders("releases")


def latest_verifies(store: Store) -> bool:
    """Whether ``latest`` points to a release whose files all match its manifest, checked with nothing but these."""
    latest = store.target.pointer()
    if latest is None:
        return False
    folder = store.target.local(f"releases/{latest}", store.workspace.parent / "pruefung")
    return not differences(folder) and (folder / "provenance.json").is_file()


def message(error: pytest.ExceptionInfo[PipelineError]) -> str:
    """What the operator reads."""
    return str(error.value)
