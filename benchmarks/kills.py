"""Kill publish, rollback and withdraw at random moments and see whether ``latest`` verifies each time.

``python benchmarks/kills.py [--kills N] [--seed N]`` works on Kleinland, the made-up Land of the tests: half of the
kills come before a random step (a change of a file), half after a random time. After each it checks that ``latest``
points to a release whose files all match its manifest and that no folder in ``releases/`` is half; then that the next
operation completes or clears away what was begun, and that the operation, called again, gets through.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import PROFILE, build_geodata  # noqa: E402 - the tests' folder has to be on the path first
from killing import PUBLISH, Attempt, Ending, Killer, killer  # noqa: E402
from operating import FIRST, INPUTS, NIGHTS, Place, latest_verifies, lean, lean_call, mended_inputs  # noqa: E402

from flows.checksums import differences  # noqa: E402
from flows.profile import load_profile  # noqa: E402
from flows.stages import run_stages  # noqa: E402
from flows.store import published_ids  # noqa: E402
from flows.verify import index_faults, release_faults, tombstone_faults, withdrawn_ids  # noqa: E402

ABOUT = {PUBLISH: "2026-02-04", "rollback": FIRST, "withdraw": FIRST}


@dataclass
class Tally:
    """What became of the kills of one operation."""

    kills: Counter[str] = field(default_factory=Counter)
    verified: int = 0
    completed: int = 0
    undone: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.kills.total()


@dataclass(frozen=True)
class Bench:
    """The releases to begin with, and where to try."""

    killer: Killer
    base: Path
    outputs: Path
    geodata: Path

    @property
    def place(self) -> Place:
        return Place(load_profile(self.geodata, PROFILE), self.outputs, {})

    def set_up(self) -> None:
        """Bring back the releases to begin with."""
        shutil.rmtree(self.outputs, ignore_errors=True)
        shutil.copytree(self.base, self.outputs, symlinks=True)

    def attempt(self, operation: str, **when: float) -> Ending:
        """One attempt, killed at a ``step`` or after ``seconds``, or not at all."""
        attempt = Attempt(operation, ABOUT[operation], str(self.outputs), "", str(self.geodata))
        return self.killer.attempt(replace(attempt, **when))

    def signs(self) -> dict[str, bytes]:
        """What tells the outcome: the index and where ``latest`` points."""
        return {name: self.place.store.target.read(name) or b"" for name in ("releases.json", "latest.json")}


def history(folder: Path) -> Path:
    """Build the releases to begin with, one of them held."""
    outputs = folder / "base"
    with lean():
        for release_id, inputs in INPUTS.items():
            geodata = build_geodata(folder / f"geodata-{release_id}", inputs())
            run_stages(load_profile(geodata, PROFILE), outputs, NIGHTS[release_id], call=lean_call)
    return outputs


def what_is_wrong(place: Place) -> list[str]:
    """What a reader could meet after a kill that must not be."""
    store = place.store
    wrong = [] if latest_verifies(store) else [f"latest ({store.target.pointer()}) does not verify"]
    releases = place.outputs / "releases"
    return wrong + [f"{name} is half" for name in store.target.folders("releases") if differences(releases / name)]


def what_is_left(place: Place) -> list[str]:
    """What is wrong once the next operation has completed or cleared away what was begun."""
    store = place.store
    findings = [one for release_id in published_ids(store) for one in release_faults(store, release_id)]
    findings += [one for release_id in withdrawn_ids(store) for one in tombstone_faults(store, release_id)]
    hidden = [str(path) for path in place.outputs.rglob(".*") if path.name != ".lock"]
    return what_is_wrong(place) + [str(one) for one in (*findings, *index_faults(store))] + hidden


def trial(bench: Bench, operation: str, tally: Tally, expected: dict[str, bytes], **when: float) -> bool:
    """Kill an operation once and look; returns whether it was killed in time."""
    bench.set_up()
    before = bench.signs()
    if not bench.attempt(operation, **when).killed:
        return False
    label = f"{operation} {when}"
    found = what_is_wrong(bench.place)
    tally.kills["step" if "step" in when else "time"] += 1
    tally.verified += not found
    with bench.place.open():
        pass
    found += what_is_left(bench.place)
    if bench.signs() == expected:
        tally.completed += 1
    elif bench.signs() == before:
        tally.undone += 1
    else:
        found.append("neither done nor undone")
    bench.attempt(operation)
    if bench.signs() != expected:
        found.append("the second call leads elsewhere")
    tally.faults += [f"{label}: {one}" for one in found]
    return True


def measure(bench: Bench, kills: int, chance: random.Random) -> dict[str, Tally]:
    """``kills`` kills in turn over the operations."""
    tallies = {operation: Tally() for operation in ABOUT}
    whole: dict[str, tuple[float, list[int], dict[str, bytes]]] = {}
    for operation in ABOUT:
        bench.set_up()
        ended = bench.attempt(operation)
        # Steps in .work touch nothing that anybody reads; the kills by time meet those.
        counting = [number for number, step in enumerate(ended.steps, start=1) if " .work" not in step]
        whole[operation] = (ended.seconds, counting, bench.signs())
    done = 0
    while done < kills:
        operation = list(ABOUT)[done % len(ABOUT)]
        seconds, steps_that_count, expected = whole[operation]
        if done // len(ABOUT) % 2:
            killed = trial(bench, operation, tallies[operation], expected, seconds=chance.uniform(0, seconds))
        else:
            killed = trial(bench, operation, tallies[operation], expected, step=chance.choice(steps_that_count))
        done += killed
    return tallies


def print_table(tallies: Mapping[str, Tally]) -> None:
    """One line per operation."""
    print(f"{'operation':<12}{'kills':>7}{'by step':>9}{'by time':>9}{'verified':>10}{'completed':>11}{'undone':>8}")
    for operation, one in tallies.items():
        kills = f"{one.total:>7}{one.kills['step']:>9}{one.kills['time']:>9}"
        print(f"{operation:<12}{kills}{one.verified:>10}{one.completed:>11}{one.undone:>8}")


def main() -> None:
    """Kill, count, print; exits with 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="praevkarte-kills-") as name, killer() as server:
        folder = Path(name)
        geodata = build_geodata(folder / "geodata", mended_inputs())
        bench = Bench(server, history(folder), folder / "outputs", geodata)
        tallies = measure(bench, options.kills, random.Random(options.seed))
    print_table(tallies)
    total, verified = (sum(getattr(tally, name) for tally in tallies.values()) for name in ("total", "verified"))
    seconds = time.perf_counter() - started
    print(f"{total} kills (seed {options.seed}), latest verified after {verified}; {seconds:.0f} s")
    faults = [fault for tally in tallies.values() for fault in tally.faults]
    for fault in faults:
        print(fault, file=sys.stderr)
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
