"""The contestants of the race, each measured from outside, and the verdict on what they wrote."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import shapely
from equal import references_of, verdicts
from measure import Measured, measured, together
from packages import Unavailable
from peers import mapshaper, ogr2ogr
from race import prepare

from flows.paths import ROOT

PIPELINE, SCRIPT, OGR, MAPSHAPER = "pipeline", "geopandas", "ogr2ogr", "mapshaper"
# The pipeline once more, one file after another.
STEPWISE = "stepwise"
STEPS = ("join", "simplify", "geojson", "flatgeobuf", "geopackage", "geoparquet", "csv", "xlsx")
# What the programs pay for starting, and for starting and reading the joined layers.
BARE, START = "bare", "start"
PEERS = Path(__file__).resolve().parent / "peers"
VARIABLES = {"PYTHONPATH": str(ROOT)}


@dataclass
class Result:
    """What a contestant needed (medians) and what is wrong with its files, by step."""

    seconds: dict[str, float] = field(default_factory=dict)
    """By step; of the pipeline one file after another, so that steps compare."""
    processors: dict[str, float] = field(default_factory=dict)
    """The same in seconds of processors, which other work on the machine disturbs less."""
    commands: dict[str, int] = field(default_factory=dict)
    """How many processes a step takes, for programs that are started anew for each."""
    wall: float = 0.0
    """End to end; of the pipeline with its formats side by side, as in a release."""
    processor: float = 0.0
    peak_mb: float = 0.0
    wrong: dict[str, str] = field(default_factory=dict)
    vertices: int = 0


@dataclass(frozen=True, slots=True)
class Once:
    """The task done once: seconds by step, on the wall and of processors, and the whole."""

    seconds: Mapping[str, float]
    processors: Mapping[str, float]
    whole: Measured


Attempt = Callable[[Path], Once]
"""Do the task once into an empty folder."""


def _python(script: str, *arguments: Path | str) -> Measured:
    return measured([sys.executable, PEERS / script, *arguments], ROOT, VARIABLES)


def _told(whole: Measured) -> Once:
    """What a script told of its steps."""
    told = json.loads(whole.output)
    return Once(told["seconds"], told["processor"], whole)


def pipeline_once(geodata: Path, profile: str, target: Path, *switches: str) -> Once:
    """The pipeline on the race's task."""
    return _told(_python("pipeline.py", geodata, profile, target, *switches))


def script_once(source: Path, target: Path) -> Once:
    """The geopandas script."""
    return _told(_python("geopandas_script.py", source, target))


def floor_once(source: Path, example: Path, target: Path) -> dict[str, float]:
    """Reading and writing as many bytes as the pipeline does."""
    told: dict[str, float] = json.loads(_python("floor.py", source, example, _fresh(target)).output)
    return told


def program_once(commands: Callable[[Path, Path], Mapping[str, list[list[str]]]], target: Path) -> Once:
    """A program's commands, step by step; every step but the first reads what the first has left behind."""
    work = _fresh(target.with_name(f"{target.name}-work"))
    (target / "simplified").mkdir()
    steps = commands(work, target)
    order = ["join", *(step for step in steps if step != "join")]
    found = {step: together(measured(command, work) for command in steps[step]) for step in order}
    shutil.rmtree(work)
    counted = together(part for step, part in found.items() if step not in (BARE, START))
    return Once(
        {step: part.wall for step, part in found.items()},
        {step: part.processor for step, part in found.items()},
        counted,
    )


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _medians(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {step: statistics.median(run[step] for run in runs) for step in runs[0]}


def result_of(steps: Sequence[Once], wholes: Sequence[Once]) -> Result:
    """Medians: the steps of some runs, the whole of the same or others."""
    return Result(
        seconds=_medians([run.seconds for run in steps]),
        processors=_medians([run.processors for run in steps]),
        wall=statistics.median(run.whole.wall for run in wholes),
        processor=statistics.median(run.whole.processor for run in wholes),
        peak_mb=statistics.median(run.whole.peak_mb for run in wholes),
    )


def _program(name: str, source: Path, program: Path) -> Callable[[Path, Path], dict[str, list[list[str]]]]:
    """The commands of a contestant that is a program, for a folder to work in and one to write to."""
    settings = json.loads((source / "race.json").read_text(encoding="utf-8"))

    def commands(work: Path, target: Path) -> dict[str, list[list[str]]]:
        if name == OGR:
            return ogr2ogr.commands(source, work, target, settings)
        return mapshaper.commands(program, source, work, target, settings)

    return commands


def find_ogr2ogr() -> Path:
    """GDAL's program; raises ``Unavailable`` without it."""
    found = shutil.which(ogr2ogr.PROGRAM)
    if found is None:
        raise Unavailable("ogr2ogr is not installed (Debian package gdal-bin)")
    return Path(found)


def compete(geodata: Path, profile: str, runs: int, folder: Path, find_mapshaper: Callable[[], Path]) -> dict[str, Any]:
    """Let all contestants do the task on a profile; returns the figures as plain values.

    They take turns, so that what else the machine does disturbs all of them alike. ``missing`` says which contestant
    could not take part and why.
    """
    _fresh(folder)
    pipeline_once(geodata, profile, _fresh(folder / PIPELINE))
    source = prepare(geodata, profile, folder / PIPELINE, folder / "input")
    attempts: dict[str, Attempt] = {
        STEPWISE: lambda target: pipeline_once(geodata, profile, target, "--steps"),
        PIPELINE: lambda target: pipeline_once(geodata, profile, target),
        SCRIPT: lambda target: script_once(source, target),
    }
    missing: dict[str, str] = {}
    counts: dict[str, dict[str, int]] = {}
    for name, find in ((OGR, find_ogr2ogr), (MAPSHAPER, find_mapshaper)):
        try:
            commands = _program(name, source, find())
        except Unavailable as reason:
            missing[name] = str(reason)
            continue
        attempts[name] = partial(program_once, commands)
        counts[name] = {step: len(lines) for step, lines in commands(folder, folder).items()}
    done: dict[str, list[Once]] = {name: [] for name in attempts}
    for _ in range(runs):
        for name, attempt in attempts.items():
            done[name].append(attempt(_fresh(folder / name)))
    results = {name: result_of(done[STEPWISE if name == PIPELINE else name], found) for name, found in done.items()}
    del results[STEPWISE]
    for name, count in counts.items():
        results[name].commands = count
    # The prepared forms are no input: only what every contestant reads counts.
    (source / "tools").rename(folder / "tools")
    floors = [floor_once(source, folder / PIPELINE, folder / "floor") for _ in range(max(runs, 3))]
    references = references_of(folder / SCRIPT)
    for name, result in results.items():
        steps = tuple(step for step in STEPS if step in result.seconds)
        result.wrong, facts = verdicts(folder / name, steps, references)
        result.vertices = facts["vertices"]
    shapes = references["gemeinden"].geometry.to_numpy()
    return {
        "profile": profile,
        "runs": runs,
        "features": len(shapes),
        "vertices": int(shapely.get_num_coordinates(shapes).sum()),
        "read_mb": floors[0]["read"] / 1e6,
        "written_mb": floors[0]["written"] / 1e6,
        "floor": statistics.median(one["floor"] for one in floors),
        "missing": missing,
        "results": {name: asdict(result) for name, result in results.items()},
    }
