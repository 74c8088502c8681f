"""An office with all its sources on a local server that plays BKG, Destatis and the office's share; a plug-in.

The made-up Land of the tests in 2026, its products in their real shape, and the nightly flow over them on a real
Prefect server. Releases are written lean (``operating``); everything else is as in production.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import KLEINLAND, PROFILE, VARIANT, build_geodata, joined_run
from fault_server import CSV, XLSX, ZIP, FaultServer, fault_server
from operating import lean, lean_build
from prefect_server import Prefect
from products import (
    LIMESURVEY_MAPPING,
    Change,
    Country,
    auszug_gv,
    country_of,
    gebietsaenderungen,
    limesurvey_csv,
    vg250_zip,
)

from flows.profile import Profile, load_profile
from flows.stages import Outcome, store_of
from flows.store import Store, published_ids
from flows.verify import index_faults, release_faults

TOKEN = "geheim-4711"
BOUNDARIES, REGISTER, CHANGES = "/vg250.zip", "/auszug_gv.xlsx", "/gebietsaenderungen.xlsx"
COMMITTEES, EVIDENCE, SURVEY = "/s/geheim-4711/gremien", "/s/geheim-4711/belege", "/s/geheim-4711/umfrage"
NAMES = {
    BOUNDARIES: "grenzen",
    REGISTER: "verzeichnis",
    CHANGES: "aenderungen",
    COMMITTEES: "gremien",
    EVIDENCE: "belege",
    SURVEY: "umfrage",
}
FIRST_NIGHT = date(2026, 2, 1)
TERRITORY = date(2026, 1, 1)
# An hour of failures passes in no time, and a server that drips is given up after two seconds.
COMPRESSED = 'seconds = "2"\ntries = "3"\nwait_seconds = "0.01"\n'
ALDORF, GRONAU, EICHEN, EICHEN_NEW = "99001001", "99001006", "99002005", "99001020"
HAINAU, FLUR, ILMEN = "99002003", "99002001", "99002002"


@dataclass(frozen=True)
class Lands:
    """The Land after the last change that its own table knows, and as the products of 2026 show it."""

    known: Country
    today: Country

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the statistical office lists for the years between."""
        return (
            Change(self.known.of(GRONAU), "1", self.known.of(ALDORF), date(2024, 1, 1)),
            Change(self.known.of(EICHEN), "3", self.today.of(EICHEN_NEW), date(2025, 7, 1)),
        )


@dataclass(frozen=True)
class Night:
    """How one run of the flow ended: its message, the outcome (None: it failed), and every remark of its stages."""

    message: str
    outcome: Outcome | None
    latest: str | None

    @property
    def result(self) -> str:
        """``published``, ``unchanged``, ``held``, ``blocked``, or ``failed``."""
        return self.outcome.result if self.outcome else "failed"

    @property
    def text(self) -> str:
        """All that the office reads of the night."""
        notes = [note for report in self.outcome.reports.values() for note in report.notes] if self.outcome else []
        return "\n".join([self.message, *notes])


@dataclass
class World:
    """The office: what its server serves, where its inputs and releases lie, and its nights."""

    lands: Lands
    server: FaultServer
    geodata: Path
    outputs: Path
    scratch: Path
    flow: Callable[..., Any]
    good: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    """The sources as they should be, content and media type by path: made once, so that unchanged is the same bytes."""

    @property
    def profile(self) -> Profile:
        return load_profile(self.geodata, VARIANT)

    @property
    def store(self) -> Store:
        return store_of(self.profile, self.outputs)

    # --- what is served ----------------------------------------------------------------------------------------

    def table(self, path: str) -> str:
        """The office's table at a path as it is served now."""
        return self.server.files[path].content.decode()

    def serve_table(self, path: str, text: str, encoding: str = "utf-8") -> None:
        self.server.serve(path, text.encode(encoding), CSV)

    def serve_boundaries(self, country: Country | None = None, day: date = TERRITORY, **broken: Any) -> None:
        file = vg250_zip(self.scratch, country or self.lands.today, day, **broken)
        self.server.serve(BOUNDARIES, file.read_bytes(), ZIP)

    def serve_register(self, country: Country | None = None, day: date = TERRITORY, **broken: Any) -> None:
        people = day - timedelta(days=1)
        file = auszug_gv(self.scratch / "gv.xlsx", country or self.lands.today, day, people, **broken)
        self.server.serve(REGISTER, file.read_bytes(), XLSX)

    def serve_changes(self, *changes: Change, **broken: Any) -> None:
        file = gebietsaenderungen(self.scratch / "ga.xlsx", changes or self.lands.changes, **broken)
        self.server.serve(CHANGES, file.read_bytes(), XLSX)

    def serve_survey(self, *answers: dict[str, str], **broken: Any) -> None:
        rows = answers or ({"G01Q01": ALDORF, "G01Q02": "A1", "G02Q01[SQ001]": "Y"},)
        self.server.serve(SURVEY, limesurvey_csv(rows, **broken), CSV)

    def serve_everything(self) -> None:
        """All sources as they should be, and no faults."""
        self.server.recover()
        if not self.good:
            self.serve_boundaries()
            self.serve_register()
            self.serve_changes()
            self.serve_survey()
            for path, name in ((COMMITTEES, "committees"), (EVIDENCE, "evidence")):
                self.serve_table(path, (KLEINLAND / f"{name}.csv").read_text(encoding="utf-8"))
            self.good |= {path: (file.content, file.content_type) for path, file in self.server.files.items()}
        for path, (content, kind) in self.good.items():
            self.server.serve(path, content, kind)

    # --- nights ------------------------------------------------------------------------------------------------

    def night(self, number: int) -> Night:
        """The flow, so many nights after the first."""
        day = FIRST_NIGHT + timedelta(days=number)
        places = {"geodata": self.geodata, "outputs": self.outputs}
        state = self.flow(profile=VARIANT, day=day, gebietsstand="aktuell", return_state=True, **places)
        outcome = state.result() if state.is_completed() else None
        return Night(state.message, outcome, self.store.target.pointer())

    def releases(self) -> list[str]:
        return published_ids(self.store)

    def damage(self) -> list[str]:
        """What is wrong with any release, the pointer or the index."""
        found = index_faults(self.store)
        found += [fault for one in self.releases() for fault in release_faults(self.store, one)]
        return [str(fault) for fault in found]

    def files(self) -> dict[str, bytes]:
        """Every file below the outputs by its path."""
        found = (path for path in sorted(self.outputs.rglob("*")) if path.is_file() and not path.is_symlink())
        return {path.relative_to(self.outputs).as_posix(): path.read_bytes() for path in found}


def settings(server: FaultServer) -> str:
    """The profile of an office that fetches everything."""
    share = f'token = "env:SHARE_TOKEN"\n{COMPRESSED}'

    def shared(path: str) -> str:
        return server.url(path.replace(TOKEN, "{token}"))

    return f"""
extends = "{PROFILE}"
[office]
set_aside = ["committees", "evidence", "hints"]
[fetch.grenzen]
kind = "vg250"
place = "{server.url(BOUNDARIES)}"
{COMPRESSED}
[fetch.verzeichnis]
kind = "auszug_gv"
place = "{server.url(REGISTER)}"
{COMPRESSED}
[fetch.aenderungen]
kind = "gebietsaenderungen"
place = "{server.url(CHANGES)}"
{COMPRESSED}
[fetch.gremien]
kind = "table"
dataset = "committees"
place = "{shared(COMMITTEES)}"
{share}
[fetch.belege]
kind = "table"
dataset = "evidence"
place = "{shared(EVIDENCE)}"
{share}
[fetch.umfrage]
kind = "limesurvey"
wave = "2020"
mapping = "fragen.csv"
place = "{shared(SURVEY)}"
{share}
"""


@pytest.fixture(scope="session")
def lands(geodata: Path, tmp_path_factory: pytest.TempPathFactory) -> Lands:
    profile = load_profile(geodata, PROFILE)
    run = joined_run(profile, tmp_path_factory.mktemp("known"), territory_date=date(2022, 12, 31))
    known = country_of(run).split(HAINAU, FLUR, ILMEN)
    return Lands(known, known.merge(GRONAU, ALDORF).rekey(EICHEN, EICHEN_NEW))


@pytest.fixture(scope="module")
def office_server() -> Iterator[FaultServer]:
    with fault_server() as running:
        yield running


@pytest.fixture(scope="module")
def nightly_flow(server: Prefect) -> Callable[..., Any]:
    """The nightly flow in this process, on the Prefect server of the tests, with lean releases."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.refresh import nightly

    def run(**parameters: Any) -> Any:
        # For the length of a night only: other tests of this session build whole releases.
        with pytest.MonkeyPatch.context() as patch, lean(), temporary_settings({PREFECT_API_URL: server.url}):
            patch.setenv("SHARE_TOKEN", TOKEN)
            patch.setattr("flows.package.build", lean_build)
            return nightly(**parameters)

    return run


@pytest.fixture(scope="module")
def first_night(
    lands: Lands,
    office_server: FaultServer,
    nightly_flow: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> World:
    """The office after a first good night; tests take copies of it (``world``)."""
    folder = tmp_path_factory.mktemp("amt")
    overlay = {"profile.toml": settings(office_server), f"../{VARIANT}/fragen.csv": LIMESURVEY_MAPPING}
    geodata = build_geodata(folder / "geodata", overlay)
    world = World(lands, office_server, geodata, folder / "outputs", folder / "scratch", nightly_flow)
    world.serve_everything()
    night = world.night(0)
    assert night.result == "published", night.text
    return world


@pytest.fixture
def world(first_night: World, tmp_path: Path) -> World:
    """A copy of the office after its first night, with every source as it should be."""
    shutil.copytree(first_night.outputs, tmp_path / "outputs", symlinks=True)
    copy = World(
        first_night.lands,
        first_night.server,
        first_night.geodata,
        tmp_path / "outputs",
        tmp_path / "scratch",
        first_night.flow,
        first_night.good,
    )
    copy.serve_everything()
    return copy
