"""Programs measured from outside: wall clock, processor time and peak memory of a whole process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCH = Path(__file__).resolve().parent / "launch.py"


@dataclass(frozen=True, slots=True)
class Measured:
    """One or more processes after another: wall and processor (user and system) seconds, peak memory (MB) of the
    largest, and what the last one wrote to its standard output.
    """

    wall: float
    processor: float
    peak_mb: float
    output: str = ""


class Failed(Exception):
    """A measured program ended with an error."""


def measured(command: Sequence[str | Path], cwd: Path, variables: Mapping[str, str] | None = None) -> Measured:
    """Run a program to its end; raises ``Failed`` with the end of what it said when it fails."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as report:
        # -I -S: no packages, so that the launcher stays small.
        launcher = [sys.executable, "-I", "-S", LAUNCH, report.name, *command]
        environment = os.environ | dict(variables or {})
        ended = subprocess.run(launcher, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            words = " ".join(str(part) for part in command)
            raise Failed(f"{words} ended with {ended.returncode}: {ended.stderr[-2000:]}")
        return Measured(**json.load(report), output=ended.stdout)


def together(parts: Iterable[Measured]) -> Measured:
    """Programs run one after another, as one."""
    found = list(parts)
    return Measured(
        sum(part.wall for part in found),
        sum(part.processor for part in found),
        max(part.peak_mb for part in found),
        found[-1].output,
    )
