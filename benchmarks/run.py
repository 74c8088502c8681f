"""Measure the pipeline against other ways of doing the same, and how its cost grows: ``make bench``.

``python benchmarks/run.py`` lets the contestants race on Thuringia and on Germany, times whole releases of both, prints
the report and writes ``benchmarks/results.md``. ``--sizes 11000,54000,108000`` adds how the cost grows up to the last
size. ``--quick`` races once on Thuringia and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import pyarrow.parquet  # noqa: E402 - the root has to be on the path first
import shapely  # noqa: E402
from contest import VARIABLES, compete, pipeline_once  # noqa: E402
from machine import machine, versions  # noqa: E402
from measure import Measured, measured  # noqa: E402
from packages import Unavailable, mapshaper  # noqa: E402
from results import report  # noqa: E402
from scale_set import profile_name, scale_set  # noqa: E402

from flows import geometry  # noqa: E402
from flows.paths import GEODATA, ROOT  # noqa: E402
from flows.profile import load_profile  # noqa: E402

RESULTS = HERE / "results.md"
LAND = "thueringen"
GERMANY = 11_000


def release_once(geodata: Path, profile: str, outputs: Path) -> Measured:
    """``praevkarte release`` as its users run it: a process of its own."""
    places = ["--geodata", str(geodata), "--profile", profile, "--outputs", str(outputs)]
    return measured([sys.executable, "-m", "flows", "release", *places, "--json"], ROOT, VARIABLES)


def count(geodata: Path, profile: str) -> tuple[int, int]:
    """Municipalities of a profile's boundary file, and their vertices."""
    source = next(source for source in load_profile(geodata, profile).sources if source.dataset == "boundaries")
    table = pyarrow.parquet.read_table(source.file, columns=["geometry"], filters=[("ebene", "=", "gemeinde")])
    return len(table), int(shapely.get_num_coordinates(geometry.from_table(table)).sum())


def release(geodata: Path, profile: str, runs: int) -> dict[str, Any]:
    """Whole releases into empty folders, then one that finds nothing changed; medians."""
    features, vertices = count(geodata, profile)
    with tempfile.TemporaryDirectory(prefix="praevkarte-bench-") as folder:
        places = [Path(folder, str(number)) for number in range(runs)]
        found = [release_once(geodata, profile, place) for place in places]
        again = [release_once(geodata, profile, places[0]) for _ in places]
    stages = [json.loads(one.output)["sekunden"] for one in found]
    return {
        "profile": profile,
        "features": features,
        "vertices": vertices,
        "stages": {stage: statistics.median(one[stage] for one in stages) for stage in stages[0]},
        "wall": statistics.median(one.wall for one in found),
        "processor": statistics.median(one.processor for one in found),
        "peak_mb": statistics.median(one.peak_mb for one in found),
        "unchanged": statistics.median(one.wall for one in again),
    }


def size_of(geodata: Path, profile: str, runs: int) -> dict[str, Any]:
    """A release and, step by step, the race's task; medians."""
    found = release(geodata, profile, runs)
    steps: list[dict[str, float]] = []
    peaks: list[float] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="praevkarte-bench-") as folder:
            target = Path(folder, "output")
            target.mkdir()
            once = pipeline_once(geodata, profile, target, "--steps")
        steps.append(dict(once.seconds))
        peaks.append(once.whole.peak_mb)
    return found | {
        "steps": {step: statistics.median(one[step] for one in steps) for step in steps[0]},
        "steps_peak_mb": statistics.median(peaks),
    }


@cache
def _mapshaper() -> Path:
    return mapshaper()


def _mapshaper_or_none() -> Path | None:
    try:
        return _mapshaper()
    except Unavailable:
        return None


def race_on(geodata: Path, profile: str, runs: int) -> dict[str, Any]:
    """Let the contestants race in a folder that goes afterwards."""
    with tempfile.TemporaryDirectory(prefix="praevkarte-bench-") as folder:
        return compete(geodata, profile, runs, Path(folder, "race"), _mapshaper)


def _sizes(text: str) -> list[int]:
    return sorted({GERMANY, *(int(part) for part in text.split(",") if part)})


def main(arguments: Sequence[str]) -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one race on Thuringia; writes nothing")
    parser.add_argument("--sizes", default="", help="sizes of the scale set, e.g. 54000,108000")
    parser.add_argument("--runs", type=int, default=3, help="runs of each measurement (of sizes over 11,000: one)")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args(arguments)
    # Nobody asks the clock of the releases, and nothing is sent anywhere.
    os.environ["DO_NOT_TRACK"] = "1"
    about = machine()
    if options.quick:
        races, releases, sizes = [race_on(GEODATA, LAND, 1)], [], []
    else:
        wanted = _sizes(options.sizes)
        scales = scale_set(wanted)
        germany = profile_name(GERMANY)
        races = [race_on(GEODATA, LAND, options.runs), race_on(scales, germany, options.runs)]
        first = size_of(scales, germany, options.runs)
        releases = [release(GEODATA, LAND, options.runs), first]
        sizes = [first, *(size_of(scales, profile_name(size), 1) for size in wanted[1:])]
    text = report(races, releases, sizes, about, versions(_mapshaper_or_none()))
    print(text)
    if options.json:
        figures = {"races": races, "releases": releases, "sizes": sizes}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if not options.quick:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
