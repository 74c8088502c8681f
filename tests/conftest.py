"""Fixtures over Kleinland, a made-up Land of ten square municipalities (``tests/kleinland``).

Its tables lie there as an office would hand them in; what is derived from them (the boundary file, the sidecars with
their checksums) is made here, so that no checksum is ever typed. All fixtures give explicit days: no test reads a
clock.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest

from flows.acquire import acquire, settled
from flows.boundary_import import import_boundaries
from flows.database import database as open_database
from flows.database import sql_files
from flows.join import join, set_variables
from flows.load import load
from flows.profile import Profile, load_profile
from flows.run import Run
from flows.sidecar import sha256_of, sidecar_path
from flows.stages import STAGES, Outcome, Stage, run_stages, store_of
from flows.store import Store

# Modules of fixtures that tests also import names from: their asserts are to be told in full, whoever comes first.
pytest.register_assert_rewrite("map_page", "places", "prefect_server", "source_world")

KLEINLAND = Path(__file__).parent / "kleinland"
PROFILE = "kleinland"
# A counterexample may change settings: its profile.toml extends Kleinland's and lies in a folder of its own.
VARIANT = "variante"
# The day for which tests release: after the newest evidence.
DAY = date(2026, 2, 1)
# The day of the boundaries in ``layers_current``.
CURRENT_DAY = date(2026, 1, 1)
LAYERS = ("gem", "krs", "lan")
# What the office maintains by hand may change between two runs, what it downloads must not.
EDITED_HERE = {"survey_waves", "committees", "evidence", "hints", "monitoring", "resources"}

# Whom to name for what is not the Land's own.
OTHER_SOURCES = {"population": "Statistikamt Kleinland, erfundene Daten"}

# Whole releases that tests share: each worker would make them for whatever test comes first.
RELEASES = {"nights", "history", "folder", "thueringen", "demo", "neighbours", "released", "published"}

Overlay = Mapping[str, str | bytes | None]
"""Files by name below the profile's folder; None takes a file away."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that needs one of the shared releases is slow, whatever it does with it."""
    for item in items:
        if isinstance(item, pytest.Function) and RELEASES & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)


def write_sidecar(file: Path) -> None:
    """Describe an input file as it lies there, unless somebody has described it already."""
    path = sidecar_path(file)
    if path.exists():
        return
    content = {
        "title": f"Kleinland: {file.stem}",
        "origin": "erfunden für die Tests",
        "url": f"https://kleinland.example/{file.name}",
        "retrieved": "2026-01-15",
        "licence": "dl-de/by-2-0",
        "licence_url": "https://www.govdata.de/dl-de/by-2-0",
        "attribution": OTHER_SOURCES.get(file.stem, "Kleinland, erfundene Daten"),
        "sha256": sha256_of(file),
        "bytes": file.stat().st_size,
        "edited_here": file.stem in EDITED_HERE,
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _overlay_files(overlay: Path | Overlay | None) -> dict[str, bytes | None]:
    if overlay is None:
        return {}
    if isinstance(overlay, Path):
        files = (path for path in sorted(overlay.rglob("*")) if path.is_file() and path.name != "expected.txt")
        return {path.relative_to(overlay).as_posix(): path.read_bytes() for path in files}
    return {name: text.encode() if isinstance(text, str) else text for name, text in overlay.items()}


def _import_current(layers: Path, target: Path) -> None:
    """Make the boundaries of the current territory from layers of that day, as if they had been fetched."""
    gem, krs, lan = (layers / f"{layer}.geojson" for layer in LAYERS)
    rows = import_boundaries((gem, krs, lan), target)
    table = pyarrow.parquet.read_table(target)
    dated = table.append_column("gebietsstand", pa.array([CURRENT_DAY.isoformat()] * rows))
    pyarrow.parquet.write_table(dated.replace_schema_metadata(table.schema.metadata), target)


def publishing_beside(text: str) -> str:
    """A profile that extends Kleinland and, unless it says otherwise, publishes where Kleinland does: to the outputs
    themselves, where tests look for releases.
    """
    extends = f'extends = "{PROFILE}"\n'
    if extends not in text or re.search(r"^outputs\s*=", text, re.MULTILINE):
        return text
    return text.replace(extends, f'{extends}outputs = "."\n', 1)


def build_geodata(target: Path, overlay: Path | Overlay | None = None) -> Path:
    """Make ``target`` a geodata folder with the profile Kleinland, its files replaced by those of ``overlay``.

    ``overlay`` is a folder or a mapping from file name to content (None: the file is missing). A ``profile.toml`` in it
    becomes the profile "variante" beside Kleinland, which it extends and whose place it shares; a sidecar in it stays
    as it is.
    """
    profile = target / PROFILE
    shutil.copytree(KLEINLAND, profile, copy_function=shutil.copyfile)
    files = _overlay_files(overlay)
    missing = [name for name, content in files.items() if content is None]
    for name, content in files.items():
        if content is not None:
            file = target / VARIANT / name if name == "profile.toml" else profile / name
            if name == "profile.toml":
                # Not every counterexample is in UTF-8.
                content = publishing_beside(content.decode("latin-1")).encode("latin-1")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    if "boundaries.parquet" not in files:
        gem, krs, lan = (profile / "layers" / f"{layer}.geojson" for layer in LAYERS)
        import_boundaries((gem, krs, lan), profile / "boundaries.parquet")
    if (profile / "layers_current").is_dir():
        _import_current(profile / "layers_current", profile / "boundaries_current.parquet")
    for file in sorted(path for path in profile.iterdir() if path.suffix in {".csv", ".xlsx", ".parquet"}):
        write_sidecar(file)
    for name in missing:
        (profile / name).unlink()
    return target


def profile_of(geodata: Path) -> Profile:
    """The profile to test in a geodata folder: the variant where there is one, else Kleinland."""
    return load_profile(geodata, VARIANT if (geodata / VARIANT).is_dir() else PROFILE)


@pytest.fixture(scope="session")
def geodata(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The geodata folder with the profile "kleinland", for all tests that leave it as it is."""
    folder = build_geodata(tmp_path_factory.mktemp("geodata"))
    for path in folder.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return folder


@pytest.fixture
def make_geodata(tmp_path: Path) -> Callable[..., Path]:
    """Call it with an overlay (a folder or a mapping, see ``build_geodata``): a fresh geodata folder comes back."""

    def make(overlay: Path | Overlay | None = None) -> Path:
        number = len(list(tmp_path.glob("geodata*")))
        return build_geodata(tmp_path / f"geodata{number or ''}", overlay)

    return make


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """An empty place for releases."""
    return tmp_path / "outputs"


def _release(
    geodata: Path, outputs: Path, day: date = DAY, stages: tuple[Stage, ...] = STAGES, profile: str | None = None
) -> Outcome:
    settings = load_profile(geodata, profile) if profile else profile_of(geodata)
    return run_stages(settings, outputs, day, stages)


@pytest.fixture(scope="session")
def release() -> Callable[..., Outcome]:
    """``release(geodata, outputs, day=DAY, stages=STAGES, profile=None)`` runs the stages as the command line does."""
    return _release


def loaded_run(profile: Profile, work: Path, day: date = DAY, **settings: object) -> Run:
    """Acquire and load a profile (with other ``settings`` where given) in ``work``."""
    run = Run(replace(profile, **settings), day, store_of(profile, work), "test", work)  # type: ignore[arg-type]
    work.mkdir(parents=True, exist_ok=True)
    acquire(run)
    run = settled(run)
    load(run)
    return run


def joined_run(profile: Profile, work: Path, day: date = DAY, **settings: object) -> Run:
    """Acquire, load and join a profile (with other ``settings`` where given) in ``work``; nothing is checked."""
    run = loaded_run(profile, work, day, **settings)
    join(run)
    return run


@dataclass(frozen=True, slots=True)
class Territory:
    """The municipalities of one day: ``parts`` are those of the boundary file by the key they belong to that day.

    ``obstacles`` says why the day cannot be answered; then there are no parts.
    """

    parts: dict[str, list[str]]
    obstacles: str | None


def territory_of(con: duckdb.DuckDBPyConnection, day: date) -> Territory:
    """Ask the changes in a loaded database for the territory of a day (the SQL of the join, without its shapes)."""
    con.execute("SET VARIABLE territory_date = $1", [day])
    for relation in ("staging.territory_dates", "joined.territory_crosswalk", "joined.territory_units"):
        text = sql_files(relation.split(".")[0])[relation]
        con.execute(f"CREATE OR REPLACE TABLE {relation} AS {text}")
    found = con.execute("SELECT hindernisse FROM staging.territory_dates WHERE stand = $1", [day]).fetchall()
    units = con.execute("SELECT ags, basis FROM joined.territory_units WHERE stand = $1 ORDER BY ags", [day]).fetchall()
    return Territory(dict(units), found[0][0])


@pytest.fixture
def join_profile(tmp_path: Path) -> Iterator[Callable[..., duckdb.DuckDBPyConnection]]:
    """``join_profile(profile, **settings)`` gives the joined database of a profile, e.g. for another territory date."""
    opened: list[duckdb.DuckDBPyConnection] = []

    def build(profile: Profile, day: date = DAY, **settings: object) -> duckdb.DuckDBPyConnection:
        run = joined_run(profile, tmp_path / f"work{len(opened)}", day, **settings)
        con = duckdb.connect(run.database, read_only=True)
        opened.append(con)
        set_variables(con, run)
        return con

    yield build
    for con in opened:
        con.close()


@pytest.fixture(scope="session")
def database(geodata: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Kleinland's database after the join: input, meta, staging, joined and release, to be queried."""
    run = joined_run(load_profile(geodata, PROFILE), tmp_path_factory.mktemp("joined"))
    with open_database(run.database) as con:
        set_variables(con, run)
        yield con


@pytest.fixture
def store(geodata: Path, outputs: Path) -> Store:
    """The store in ``outputs`` that Kleinland publishes to."""
    return store_of(load_profile(geodata, PROFILE), outputs)
