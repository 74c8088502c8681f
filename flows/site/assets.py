"""The files that pages load: our own from ``flows/assets``, MapLibre GL JS from the package ``maplibre``."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from flows.paths import ASSETS
from flows.run import Run

FOLDER = "assets"
MAPLIBRE_FILES = ("maplibre-gl.js", "maplibre-gl.css")


def copy_assets(run: Run) -> None:
    """Copy all of ``flows/assets`` and MapLibre's files (the package is found, not imported) to ``assets/``."""
    folder = run.package / FOLDER
    shutil.copytree(ASSETS, folder, copy_function=shutil.copyfile, dirs_exist_ok=True)
    spec = find_spec("maplibre")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("maplibre")
    source = Path(spec.submodule_search_locations[0]) / "srcjs"
    for name in MAPLIBRE_FILES:
        shutil.copyfile(source / name, folder / name)
