"""A kill at any point leaves the last release intact; the next operation completes or clears away what was begun."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from killing import PUBLISH, Attempt, Killer, killer
from operating import FIRST, HELD, SECOND, SECRET, Place, latest_verifies, mended_inputs

from flows.checksums import differences
from flows.store import published_ids
from flows.targets.local import LocalTarget
from flows.verify import index_faults, release_faults, tombstone_faults, withdrawn_ids

# Processes of their own, killed.
pytestmark = pytest.mark.slow

pytest_plugins = ["places"]

on_local = pytest.mark.parametrize("kind", ["ordner"], indirect=True)
on_remote = pytest.mark.parametrize("kind", [pytest.param("objektspeicher", marks=pytest.mark.network)], indirect=True)


@pytest.fixture(scope="session")
def server() -> Iterator[Killer]:
    with killer() as running:
        yield running


@dataclass(frozen=True)
class Trial:
    """A place on which operations are killed, and which can be set up again."""

    killer: Killer
    set_up: Callable[[], Place]
    geodata: Path

    def attempt(self, place: Place, operation: str, about: str, **when: Any) -> tuple[bool, tuple[str, ...]]:
        """Make one attempt; returns whether it was killed, and its steps if it was not."""
        variables = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        ended = self.killer.attempt(
            Attempt(
                operation,
                about,
                str(place.outputs),
                place.profile.target,
                str(self.geodata),
                environment=variables,
                **when,
            )
        )
        return ended.killed, ended.steps


@pytest.fixture
def trial(
    server: Killer, place_after: Callable[[str | None], Place], outputs: Path, make_geodata: Callable[..., Path]
) -> Trial:
    """Two releases published, a third held."""

    def set_up() -> Place:
        shutil.rmtree(outputs, ignore_errors=True)
        return place_after(HELD)

    return Trial(server, set_up, make_geodata(mended_inputs()))


def visible_halves(place: Place) -> list[str]:
    """Folders below ``releases/`` that readers see and whose files do not match their manifest."""
    target = place.store.target
    if not isinstance(target, LocalTarget):
        return []  # objects come one by one; what counts there is what the index and the pointer name
    return [name for name in target.folders("releases") if differences(target.root / "releases" / name)]


def leftovers(place: Place) -> list[str]:
    """What should not lie there once everything is completed."""
    hidden = (path.relative_to(place.outputs) for path in place.outputs.rglob(".*"))
    return sorted(str(path) for path in hidden if path.name != ".lock")


def contents(place: Place) -> dict[str, bytes]:
    return {name: content for name, content in place.files().items() if not name.endswith(".lock")}


def complete(place: Place) -> None:
    """What any next operation does first."""
    with place.open():
        pass


def check_sound(place: Place) -> None:
    store = place.store
    assert latest_verifies(store)
    assert [one for release_id in published_ids(store) for one in release_faults(store, release_id)] == []
    assert [one for release_id in withdrawn_ids(store) for one in tombstone_faults(store, release_id)] == []
    assert index_faults(store) == []
    assert leftovers(place) == []


# --- named points --------------------------------------------------------------------------------------------------


POINTS = {
    "a publication before its journal": (PUBLISH, "rename .journal.json", SECOND),
    "a publication before its release appears": (PUBLISH, r"rename releases/2026\.02\.04$", SECOND),
    "a publication before the index": (PUBLISH, "rename releases.json", "2026.02.04"),
    "a publication before latest.json": (PUBLISH, "rename latest.json", "2026.02.04"),
    "a publication before the pointer": (PUBLISH, r"rename latest$", "2026.02.04"),
    "a publication before its journal is closed": (PUBLISH, "remove .journal.json", "2026.02.04"),
    "a publication while its inputs are kept": (PUBLISH, "write inputs/", SECOND),
    "an approval before the release appears": ("approve", f"rename releases/{HELD}$", SECOND),
    "an approval before the pointer": ("approve", r"rename latest$", HELD),
    "an approval while the held copy goes": ("approve", "rename held/", HELD),
    "a rejection before the index": ("reject", "rename releases.json", SECOND),
    "a rejection while the held copy goes": ("reject", "rename held/", SECOND),
    "a rollback before the index": ("rollback", "rename releases.json", FIRST),
    "a rollback before the pointer": ("rollback", r"rename latest$", FIRST),
    "a withdrawal before the index": ("withdraw", "rename releases.json", SECOND),
    "a withdrawal while the tombstone is made": ("withdraw", "write .work/tombstone", SECOND),
    "a withdrawal while the data go": ("withdraw", f"rmdir .*{FIRST}.new", SECOND),
    "a withdrawal while a comparison is emptied": ("withdraw", "write .work/purge", SECOND),
    "a withdrawal before latest.json is renewed": ("withdraw", "rename latest.json", SECOND),
    "a withdrawal while inputs go": ("withdraw", "remove .*inputs/", SECOND),
    "a pruning before the data go": ("prune", f"rename releases/.{FIRST}.gone", SECOND),
}
ABOUT = {PUBLISH: "2026-02-04", "approve": HELD, "reject": HELD, "rollback": FIRST, "withdraw": FIRST, "prune": ""}


@on_local
@pytest.mark.parametrize(("operation", "before", "latest"), POINTS.values(), ids=POINTS.keys())
def test_a_kill_leaves_a_release_that_verifies_and_is_mended(
    trial: Trial, operation: str, before: str, latest: str
) -> None:
    """``latest`` is what it is after the next operation has completed or cleared away what was begun."""
    place = trial.set_up()

    killed, steps = trial.attempt(place, operation, ABOUT[operation], before=before)

    assert killed, steps
    assert latest_verifies(place.store)
    assert visible_halves(place) == []
    complete(place)
    check_sound(place)
    assert place.store.target.pointer() == latest


# --- every point ---------------------------------------------------------------------------------------------------


def kill_everywhere(trial: Trial, operation: str, pace: int = 1) -> None:
    """Kill an operation before every ``pace``-th step; afterwards it leads where it leads when it is not killed."""
    place = trial.set_up()
    untouched = contents(place)
    killed, steps = trial.attempt(place, operation, ABOUT[operation])
    assert not killed
    assert len(steps) > 10
    expected = contents(place)
    for step in range(1, len(steps) + 1, pace):
        place = trial.set_up()
        killed, _ = trial.attempt(place, operation, ABOUT[operation], step=step)
        where = f"{operation}, step {step}: {steps[step - 1]}"
        assert killed, where
        if place.store.target.swaps or operation != "withdraw":
            assert latest_verifies(place.store), where
        else:
            # While the files of the latest release change one by one, latest may point elsewhere or to nothing.
            assert place.store.target.pointer() is None or latest_verifies(place.store), where
        assert visible_halves(place) == [], where
        complete(place)
        check_sound(place)
        assert contents(place) in (untouched, expected), where
        trial.attempt(place, operation, ABOUT[operation])
        assert contents(place) == expected, where


@on_local
@pytest.mark.parametrize("operation", ["approve", "reject", "rollback", "withdraw", "prune"])
def test_a_kill_at_every_step_in_a_folder(trial: Trial, operation: str) -> None:
    kill_everywhere(trial, operation)


@on_remote
@pytest.mark.parametrize("operation", ["approve", "reject", "rollback", "withdraw", "prune"])
def test_a_kill_at_steps_of_an_object_store(trial: Trial, operation: str) -> None:
    kill_everywhere(trial, operation, pace={"approve": 23, "withdraw": 23}.get(operation, 7))


@on_local
def test_withdrawn_data_are_gone_after_a_kill_in_the_midst(trial: Trial) -> None:
    place = trial.set_up()
    killed, _ = trial.attempt(place, "withdraw", FIRST, before=f"rmdir .*{FIRST}.new")
    assert killed

    complete(place)

    assert [name for name, content in place.files().items() if SECRET.encode() in content] == []


@on_local
def test_a_killed_run_leaves_no_lock_for_the_next_night(trial: Trial) -> None:
    place = trial.set_up()
    killed, _ = trial.attempt(place, PUBLISH, "2026-02-04", before="run.duckdb")
    assert killed
    assert (place.outputs / ".lock").read_text(encoding="utf-8")

    assert place.night(SECOND) == "unchanged"
    assert leftovers(place) == []


@on_remote
def test_a_dead_holders_lock_on_an_object_store_is_taken_over(trial: Trial) -> None:
    place = trial.set_up()
    killed, _ = trial.attempt(place, "rollback", FIRST, before="put latest.json")
    assert killed

    complete(place)

    assert place.store.target.pointer() == FIRST
    assert latest_verifies(place.store)
