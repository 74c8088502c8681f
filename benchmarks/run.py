"""Time a release as its users run it: a whole process per run, wall seconds per stage and peak memory.

``python benchmarks/run.py [--profile NAME] [--runs N]`` prints medians; ``make bench`` calls it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measured:
    """One process: what it printed as JSON, wall seconds, peak memory in MB."""

    report: dict[str, object]
    wall: float
    peak_mb: float
    stages: dict[str, float] = field(default_factory=dict)


def run_once(profile: str, outputs: Path) -> Measured:
    """Run ``praevkarte release`` once in a process of its own and account for it when it has ended."""
    command = [sys.executable, "-m", "flows", "release", "--profile", profile, "--outputs", str(outputs), "--json"]
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        out.seek(0)
        report = json.load(out)
    # ru_maxrss is in KiB on Linux.
    return Measured(report, wall, usage.ru_maxrss / 1024, report["sekunden"])


def print_medians(title: str, runs: list[Measured]) -> None:
    """One line per stage and one for the whole process."""
    print(f"\n{title} ({len(runs)} runs, medians)")
    for stage in runs[0].stages:
        print(f"  {stage:<10}{statistics.median(run.stages[stage] for run in runs):8.2f} s")
    walls = [run.wall for run in runs]
    peak = statistics.median(run.peak_mb for run in runs)
    spread = f"({min(walls):.2f} to {max(walls):.2f})"
    print(f"  {'process':<10}{statistics.median(walls):8.2f} s  {spread}, peak {peak:.0f} MB")


def main() -> None:
    """Measure a full release into empty folders, then the run that finds nothing changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", default="thueringen")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="praevkarte-bench-") as folder:
        places = [Path(folder, str(number)) for number in range(arguments.runs)]
        print_medians(f"full release, {arguments.profile}", [run_once(arguments.profile, place) for place in places])
        print_medians("nothing changed", [run_once(arguments.profile, places[0]) for _ in places])


if __name__ == "__main__":
    main()
