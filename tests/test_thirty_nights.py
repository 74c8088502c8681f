"""Thirty nights in a row, faults on ten of them: what is published is what should be, and the disk does not fill."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from fault_server import reset, status, typed
from source_world import (
    ALDORF,
    BOUNDARIES,
    COMMITTEES,
    EVIDENCE,
    FIRST_NIGHT,
    FLUR,
    REGISTER,
    World,
)

from flows.archive import digests_of, kept_digests
from flows.operations import prune
from flows.store import held_ids, locked, provenance_of

pytestmark = [pytest.mark.slow, pytest.mark.prefect, pytest.mark.network]
pytest_plugins = ["prefect_server", "source_world"]

NIGHTS = 30
KEEP_DAYS = 10
TRIES = 3

Deed = Callable[[World], None]


def committee(number: int) -> Deed:
    """The office enters a committee with its evidence."""

    def enter(world: World) -> None:
        name = f"runde-{number}"
        add(world, COMMITTEES, f"{name},Runde {number},runder_tisch,{FLUR},2026-01-01,,,,")
        shown = "gemeinde,2026-01-05,aktiv,,,,,Mitteilung der Gemeinde."
        add(world, EVIDENCE, f"{name}-1,{name},https://flur.example/{number},{shown}")

    return enter


def add(world: World, path: str, line: str) -> None:
    world.serve_table(path, f"{world.table(path)}{line}\n")


def replaced(path: str, old: str, new: str) -> Deed:
    return lambda world: world.serve_table(path, world.table(path).replace(old, new))


def failing(path: str, fault: Callable[..., int], times: int = TRIES) -> Deed:
    return lambda world: world.server.fail(path, fault, times=times)


def without_most_committees(world: World) -> None:
    for path in (COMMITTEES, EVIDENCE):
        lines = world.table(path).splitlines(keepends=True)
        world.serve_table(path, "".join(lines[:2]))


def healed(world: World) -> None:
    """The boundaries and the survey are again what they were."""
    world.serve_boundaries()
    world.serve_survey()


MISSPELT = ("runder_tisch,99001005;99001006", "rundertisch,99001005;99001006")
# What the office and the world do before each night; every other night nothing happens.
DEEDS: dict[int, tuple[Deed, ...]] = {
    2: (failing(BOUNDARIES, status(404), times=1),),
    3: (committee(3),),
    5: (failing(REGISTER, status(500)),),
    8: (committee(8), failing(BOUNDARIES, reset())),
    10: (lambda world: world.serve_boundaries(layer_names={"gem": "vg250_orte"}),),
    11: (healed,),
    13: (replaced(COMMITTEES, *MISSPELT),),
    14: (replaced(COMMITTEES, *reversed(MISSPELT)),),
    18: (failing(EVIDENCE, typed("text/html", b"Anmelden"), times=1), committee(18)),
    20: (replaced(COMMITTEES, "Runde 3", "Dritte Runde"),),
    22: (lambda world: world.serve_survey({"G01Q01": ALDORF}, {"G01Q01": "Aldorf"}),),
    23: (healed,),
    24: (failing(BOUNDARIES, status(429, retry_after="3600")),),
    26: (lambda world: world.serve_survey({"G01Q01": FLUR, "G01Q02": "A1"}),),
    27: (healed,),
    29: (without_most_committees,),
}
# Night 18 publishes nothing of the new committee, whose evidence did not come through; night 19 does. In night 27 the
# survey is back: retrieved anew after another state, it has a new day of retrieval.
RESULTS = dict.fromkeys(range(1, NIGHTS + 1), "unchanged") | {
    3: "published",
    8: "published",
    13: "published",
    14: "published",
    18: "published",
    19: "published",
    20: "published",
    26: "failed",
    27: "published",
    29: "held",
    30: "held",
}


@pytest.fixture
def month(world: World) -> Iterator[World]:
    yield world
    world.server.recover()


def bytes_of(world: World) -> int:
    return sum(len(content) for content in world.files().values())


def test_thirty_nights_publish_what_they_should_and_the_disk_stays_within_the_rule(month: World) -> None:
    results, sizes, published = {}, {}, list(month.releases())
    for number in range(1, NIGHTS + 1):
        for deed in DEEDS.get(number, ()):
            deed(month)
        night = month.night(number)
        results[number] = night.result
        day = FIRST_NIGHT + timedelta(days=number)
        if night.result == "published":
            published.append(f"{day:%Y.%m.%d}")
        with locked(month.store):
            prune(month.store, KEEP_DAYS, day)
        sizes[number] = bytes_of(month)

        assert month.damage() == [], f"night {number}: {night.text}"
        assert night.latest == published[-1]
        limit = f"{day - timedelta(days=KEEP_DAYS):%Y.%m.%d}"
        assert month.releases() == [one for one in published if one >= limit or one == published[-1]]
        needed = {digest for one in month.releases() for digest in digests_of(provenance_of(month.store, one))}
        needed |= {digest for one in held_ids(month.store) for digest in _held_digests(month, one)}
        assert kept_digests(month.store) == needed

    assert results == RESULTS
    assert held_ids(month.store) == [f"{FIRST_NIGHT + timedelta(days=29):%Y.%m.%d}"]
    assert sizes[30] < 2 * sizes[1] + max(sizes.values()) / 2


def _held_digests(world: World, release_id: str) -> set[str]:
    from flows.store import held_provenance

    return digests_of(held_provenance(world.store, release_id))
