"""Load test of a release by wrk (apt): nginx with docs/deploy/nginx.conf, the same behind docs/deploy/nginx-cache.conf,
and ``praevkarte serve``.

``python benchmarks/serving.py [--outputs FOLDER] [--seconds N]`` needs nginx and wrk, serves ``latest`` of FOLDER on
127.0.0.1 and writes ``benchmarks/serving.md``. Servers and generator share the machine's processors, so a second number
matters more than requests per second: the server's processor time per request, which a busy machine changes little.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import geopandas
import pyarrow.parquet
import pyogrio
import requests
from pmtiles.reader import MmapSource, Reader

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from nginx_server import PROGRAM, Nginx, RangedFile, cache_before, nginx  # noqa: E402 - the tests' folder has to be on the path first

SCRIPT = Path(__file__).with_suffix(".lua")
RESULTS = Path(__file__).with_suffix(".md")
CONNECTIONS = (1, 16, 128)
WORKERS = 2
# What GDAL and the map's tile reader ask for at a time (bytes).
PART = 16_384
# Seconds after which an answer counts as an error.
PATIENCE = 60
TICKS = os.sysconf("SC_CLK_TCK")
PAGE, TABLE, TILES, FEATURES = "index.html", "gemeinden.geojson", "praeventionskarte.pmtiles", "gemeinden.fgb"
COLUMNS, LIBRARY = "gemeinden.parquet", "assets/maplibre-gl.js"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that readers do: its name, the file below ``latest/``, what the script asks, and of whom."""

    title: str
    file: str
    asks: str
    compressed: bool = False


CASES = (
    Case("start page, compressed", PAGE, "gzip", compressed=True),
    Case("start page, as it is", PAGE, "plain"),
    Case("first visit to the map, compressed", PAGE, "visit", compressed=True),
    Case("municipalities as GeoJSON, compressed", TABLE, "gzip", compressed=True),
    Case("municipalities as GeoJSON, as it is", TABLE, "plain"),
    Case("16 kB anywhere in the PMTiles", TILES, "ranges"),
    Case("16 kB anywhere in the FlatGeobuf", FEATURES, "ranges"),
    Case("start page again (304)", PAGE, "again"),
)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its name, its origin, the main processes that work for it, whether it compresses."""

    name: str
    origin: str
    pids: tuple[int, ...]
    compresses: bool = True


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: requests a second, latencies (ms), megabytes a second, the server's CPU (cores; ms a request)."""

    rate: float
    p50: float
    p95: float
    p99: float
    megabytes: float
    cores: float
    cost: float
    errors: int


@contextmanager
def praevkarte_serve(outputs: Path) -> Iterator[Server]:
    """``praevkarte serve`` in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "flows", "serve", "--outputs", str(outputs), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        give_up = time.monotonic() + PATIENCE
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            if process.poll() is not None or time.monotonic() > give_up:
                raise SystemExit(f"{' '.join(command)} does not answer")
            time.sleep(0.1)
        yield Server("praevkarte serve", f"http://127.0.0.1:{port}", (process.pid,), compresses=False)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def cpu_seconds(pids: tuple[int, ...]) -> float:
    """Processor time (s) of processes and their children, as the kernel counts it."""
    children = [Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split() for pid in pids]
    total = 0
    for one in (*pids, *(int(child) for found in children for child in found)):
        # The name, in brackets, may hold spaces; utime and stime are the 14th and 15th field.
        fields = Path(f"/proc/{one}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def files_of_a_visit(origin: str) -> list[str]:
    """What a browser loads that has nothing yet: the start page, what it names, and the library its script loads."""
    page = requests.get(f"{origin}/latest/{PAGE}", timeout=PATIENCE).text
    named = dict.fromkeys(re.findall(r'(?:href|src)="(assets/[^"#]+)"', page))
    return [f"/latest/{name}" for name in (PAGE, *named, LIBRARY)]


def arguments_of(case: Case, server: Server) -> list[str]:
    """What the script needs to know for a case."""
    answer = requests.head(f"{server.origin}/latest/{case.file}", headers={"Accept-Encoding": "identity"}, timeout=30)
    answer.raise_for_status()
    if case.asks == "ranges":
        return [case.asks, answer.headers["Content-Length"], str(PART)]
    if case.asks == "visit":
        return [case.asks, *files_of_a_visit(server.origin)]
    return [case.asks, answer.headers["ETag"]] if case.asks == "again" else [case.asks]


def measure(case: Case, server: Server, connections: int, seconds: int) -> Measured:
    """Ask ``server`` for a case over so many connections at a time."""
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    command += ["--timeout", f"{PATIENCE}s", "--script", str(SCRIPT), f"{server.origin}/latest/{case.file}", "--"]
    asked = arguments_of(case, server)
    before = cpu_seconds(server.pids)
    done = subprocess.run([*command, *asked], capture_output=True, text=True, check=True)
    used = cpu_seconds(server.pids) - before
    found = json.loads(done.stdout.splitlines()[-1])
    duration, count = found["seconds"], max(found["requests"], 1)
    # Several files are one visit.
    each = len(asked) - 1 if case.asks == "visit" else 1
    return Measured(
        rate=found["requests"] / each / duration,
        p50=found["p50"],
        p95=found["p95"],
        p99=found["p99"],
        megabytes=found["bytes"] / duration / 1e6,
        cores=used / duration,
        cost=used / count * each * 1000,
        errors=found["errors"],
    )


def machine(load: tuple[float, float, float]) -> list[str]:
    """What the figures were measured on and with, as a list."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    server = subprocess.run([str(PROGRAM), "-v"], capture_output=True, text=True, check=True).stderr.strip()
    generator = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False).stdout.split()[1]
    return [
        f"- {os.cpu_count()} cores ({model}), {memory:.0f} GB, Linux {platform.release()}",
        f"- {server.rpartition(' ')[2]} with {WORKERS} workers, the cache as many; wrk {generator} with one thread",
        f"- Python {platform.python_version()}, starlette {version('starlette')}, uvicorn {version('uvicorn')}",
        f"- load average before the first run: {', '.join(f'{value:.2f}' for value in load)}",
    ]


def row(server: Server, connections: int, one: Measured) -> str:
    """A line of a table."""
    digits = 1 if one.rate < 100 else 0
    cells = [server.name, str(connections), f"{one.rate:,.{digits}f}", f"{one.p50:.2f}", f"{one.p95:.2f}"]
    cells += [f"{one.p99:.2f}", f"{one.megabytes:,.0f}", f"{one.cores:.2f}", f"{one.cost:.3f}", str(one.errors)]
    return f"| {' | '.join(cells)} |"


def table(case: Case, servers: list[Server], seconds: int) -> list[str]:
    """One case: every server at every number of connections."""
    head = ["server", "connections", "requests/s", "p50 ms", "p95 ms", "p99 ms", "MB/s", "CPU, cores"]
    head += ["CPU ms/request", "errors"]
    said = ["One request is one visit here: all its files; the latency is that of a file.", ""]
    lines = [
        f"## {case.title}",
        "",
        *(said if case.asks == "visit" else []),
        f"| {' | '.join(head)} |",
        f"|---{'|--:' * (len(head) - 1)}|",
    ]
    for server in servers:
        if case.compressed and not server.compresses:
            continue
        for connections in CONNECTIONS:
            lines.append(row(server, connections, measure(case, server, connections, seconds)))
            print(f"{case.title}: {lines[-1]}", flush=True)
    return [*lines, ""]


def read_in_part(running: Nginx, release: Path) -> list[str]:
    """What it takes to read a little of a file by ranges, by nginx's own account."""
    lines = ["## Reading a part", "", "| read | requests | bytes | of | share |", "|---|--:|--:|--:|--:|"]

    def account(title: str, file: Path, before: str) -> None:
        written = running.log.read_text(encoding="utf-8").removeprefix(before).splitlines()
        fields = [line.split() for line in written if f"/{file.name} " in line]
        sent, size = sum(int(field[4]) for field in fields), file.stat().st_size
        lines.append(f"| {title} | {len(fields)} | {sent:,} | {size:,} | {sent / size:.1%} |")

    features = release / FEATURES
    # Otherwise GDAL looks for files beside it.
    pyogrio.set_gdal_config_options({"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"})
    whole = geopandas.read_file(features)
    before = running.log.read_text(encoding="utf-8")
    spot = whole.geometry.iloc[0].representative_point()
    found = geopandas.read_file(f"/vsicurl/{running.origin}/latest/{FEATURES}", bbox=spot.bounds)
    account(f"{len(found)} of {len(whole)} municipalities from the FlatGeobuf (GDAL)", features, before)

    tiles = release / TILES
    with tiles.open("rb") as handle:
        header = Reader(MmapSource(handle)).header()
    before = running.log.read_text(encoding="utf-8")

    def part(offset: int, length: int) -> bytes:
        asked = {"Range": f"bytes={offset}-{offset + length - 1}", "Accept-Encoding": "identity"}
        return requests.get(f"{running.origin}/latest/{TILES}", headers=asked, timeout=PATIENCE).content

    zoom = header["min_zoom"]
    east, north = header["center_lon_e7"] / 1e7, math.radians(header["center_lat_e7"] / 1e7)
    across = int((east + 180) / 360 * 2**zoom)
    down = int((1 - math.asinh(math.tan(north)) / math.pi) / 2 * 2**zoom)
    if Reader(part).get(zoom, across, down) is None:
        raise SystemExit(f"{tiles}: no tile {zoom}/{across}/{down} in the middle")
    account("the tile in the middle of the first zoom from the PMTiles", tiles, before)

    columns = release / COLUMNS
    before = running.log.read_text(encoding="utf-8")
    with RangedFile(f"{running.origin}/latest/{COLUMNS}") as remote:
        names = [name for name in pyarrow.parquet.read_schema(columns).names if name not in ("geometry", "bbox")]
        pyarrow.parquet.read_table(remote, columns=names)
    account(f"{len(names)} columns without the shapes from the GeoParquet (pyarrow)", columns, before)
    return [*lines, ""]


def main() -> None:
    """Measure every case on every server and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outputs", type=Path, default=ROOT / "outputs")
    parser.add_argument("--seconds", type=int, default=5, help="for each figure")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    release = (arguments.outputs / "latest").resolve()
    if PROGRAM is None or shutil.which("wrk") is None:
        raise SystemExit("nginx and wrk have to be installed: apt-get install nginx wrk")
    if not release.is_dir():
        raise SystemExit(f"{arguments.outputs}: no release; make one with praevkarte release")
    lines = [
        "# Serving a release: load test",
        "",
        "Written by `python benchmarks/serving.py`; what it means: [docs/scale.md](../docs/scale.md).",
        "",
        *machine(os.getloadavg()),
        f"- {arguments.seconds} s a figure over loopback; generator and server share the processors, so requests/s are",
        "  a lower bound and the CPU of a request is what to reckon with",
        "",
        "| file | bytes |",
        "|---|--:|",
        *(f"| {name} | {(release / name).stat().st_size:,} |" for name in (PAGE, TABLE, TILES, FEATURES, COLUMNS)),
        "",
    ]
    with (
        tempfile.TemporaryDirectory(prefix="praevkarte-bench-") as folder,
        nginx(arguments.outputs.resolve(), Path(folder, "nginx"), WORKERS) as running,
        cache_before(running, Path(folder, "cache"), WORKERS) as cache,
        praevkarte_serve(arguments.outputs.resolve()) as simple,
    ):
        servers = [
            Server("nginx", running.origin, (running.pid,)),
            Server("nginx behind the cache", cache.origin, (running.pid, cache.pid)),
            simple,
        ]
        for case in CASES:
            lines += table(case, servers, arguments.seconds)
        lines += read_in_part(running, release)
    arguments.results.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
