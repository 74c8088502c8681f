"""Every fault that a source can have, and what the night makes of it: ``docs/faults.md`` says it, and here it is so.

The real flow runs on a real Prefect server over a local server that plays the sources (``source_world``). The first
night went well; in the second a fault happens. Whatever it is, no damaged release is published. At the end thirty
nights in a row, with faults on ten of them.
"""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from conftest import VARIANT
from fault_server import drip, reset, silence, status, typed
from npm_package import FILES, PACKAGE, Layers, Npm, package
from products import (
    days_as_dates,
    decomposed,
    drop_column,
    formula_in,
    half_of,
    keys_as_numbers,
    merge_cells,
    numbers_as_text,
    row_twice,
    set_cell,
    trailing_blanks,
)
from source_world import (
    ALDORF,
    BOUNDARIES,
    CHANGES,
    COMMITTEES,
    EVIDENCE,
    FIRST_NIGHT,
    FLUR,
    NAMES,
    REGISTER,
    TOKEN,
    World,
)

from flows import geometry
from flows.archive import digests_of, kept_digests
from flows.operations import prune
from flows.paths import ROOT
from flows.store import held_ids, held_provenance, locked, provenance_of

pytestmark = [pytest.mark.slow, pytest.mark.prefect, pytest.mark.network]
pytest_plugins = ["prefect_server", "source_world"]

Fault = Callable[[World], object]
TRIES = 3
# The folder of the only programs that a night with a package finds.
PROGRAMS = "programme"


def _archive(world: World) -> bytes:
    return world.server.files[BOUNDARIES].content


def _with_member(world: World, name: str, content: bytes) -> None:
    """Lay the boundaries' zip with another member in it."""
    packed = io.BytesIO(_archive(world))
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    world.server.serve(BOUNDARIES, packed.getvalue())


def _half_an_archive(world: World) -> None:
    whole = _archive(world)
    world.server.serve(BOUNDARIES, whole[: len(whole) // 2])


def _another_land(world: World) -> None:
    """Boundaries of a Land with another key."""
    country = world.lands.today
    for one in country.municipalities:
        country = country.rekey(one.ags, "98" + one.ags[2:])
    moved = {"98" + key[2:]: names for key, names in country.districts.items()}
    world.serve_boundaries(type(country)(country.municipalities, moved, {"98": "Nachbarland"}))


def _in_degrees(world: World) -> None:
    """Boundaries in another reference system, rightly declared."""

    def moved(layers: dict[str, list[dict[str, Any]]]) -> None:
        for row in (row for rows in layers.values() for row in rows):
            (row["geometry"],) = geometry.transform(np.array([row["geometry"]]), geometry.INSIDE, "EPSG:4258")

    world.serve_boundaries(edit=moved, crs="EPSG:4258")


def _committees(world: World, old: str, new: str) -> None:
    table = world.table(COMMITTEES)
    assert table.count(old) == 1
    world.serve_table(COMMITTEES, table.replace(old, new))


def _semicolons(world: World) -> None:
    """The committees as an older Excel saves them."""
    text = world.table(COMMITTEES).replace(";", "|").replace(",", ";").replace("|", ",")
    # A list within a cell is separated by semicolons, so its cell is quoted.
    text = text.replace("99001005,99001006", '"99001005;99001006"')
    world.serve_table(COMMITTEES, text.replace("Präventionsrat Aldorf", "Präventionsrat Äldorf"), "windows-1252")


def _keep_lines(world: World, path: str, *beginnings: str) -> None:
    """Only those lines of a table that begin so."""
    lines = world.table(path).splitlines(keepends=True)
    world.serve_table(path, "".join(line for line in lines if line.startswith(beginnings)))


def _most_records_gone(world: World) -> None:
    for path in (COMMITTEES, EVIDENCE):
        _keep_lines(world, path, "gremium_id", "beleg_id", "aldorf")


def _new_committee(world: World, key: str) -> None:
    row = f"neu-runder-tisch,Runder Tisch Neu,runder_tisch,{key},2026-01-01,,,,\n"
    world.serve_table(COMMITTEES, world.table(COMMITTEES) + row)
    evidence = (
        "neu-runder-tisch-1,neu-runder-tisch,https://neu.example/tisch,gemeinde,2026-01-05,aktiv,,,,,Mitteilung.\n"
    )
    world.serve_table(EVIDENCE, world.table(EVIDENCE) + evidence)


def _package(world: World, content: bytes, sha512: str = "", place: str = PACKAGE) -> Npm:
    """From now on the office takes its boundaries from an npm package; until that succeeds it has its own file."""
    npm = Npm(world.scratch / PROGRAMS)
    world.geodata = shutil.copytree(world.geodata, world.scratch / "geodata")
    profile = world.geodata / VARIANT / "profile.toml"
    fetch = f'[fetch.paket]\nkind = "vg250_npm"\nplace = "{place}"\nsha512 = "{sha512 or npm.has(content)}"\n'
    profile.chmod(0o644)
    profile.write_text(profile.read_text(encoding="utf-8") + fetch + 'standing = "2016-01-01"\n', encoding="utf-8")
    return npm


def _first_five(layers: Layers) -> None:
    del layers[FILES["gem"]][5:]


def _without_client(world: World) -> None:
    npm = _package(world, package())
    (npm.folder / "npm").unlink()


def _other_checksum(world: World) -> None:
    npm = _package(world, package())
    npm.has(package(edit=lambda layers: layers[FILES["gem"]].pop()))


FAULTS: dict[str, Fault] = {
    # The connection.
    "unchanged": World.serve_everything,
    "not-found": lambda world: world.server.fail(BOUNDARIES, status(404)),
    "forbidden": lambda world: world.server.fail(COMMITTEES, status(403)),
    "too-many-requests": lambda world: world.server.fail(BOUNDARIES, status(429, retry_after="0")),
    "wait-too-long": lambda world: world.server.fail(BOUNDARIES, status(429, retry_after="3600"), times=TRIES),
    "error-once": lambda world: world.server.fail(REGISTER, status(500)),
    "error-for-an-hour": lambda world: world.server.fail(REGISTER, status(500), times=TRIES),
    "reset-once": lambda world: world.server.fail(BOUNDARIES, reset()),
    "reset-always": lambda world: world.server.fail(BOUNDARIES, reset(), times=TRIES),
    "slow-drip": lambda world: world.server.fail(BOUNDARIES, drip, times=TRIES),
    "silence": lambda world: world.server.fail(CHANGES, silence, times=TRIES),
    # The file.
    "web-page": lambda world: world.server.fail(EVIDENCE, typed("text/html", b"<title>Anmelden</title>")),
    "wrong-type": lambda world: world.server.fail(REGISTER, typed("application/pdf")),
    "truncated-zip": _half_an_archive,
    "zip-bomb": lambda world: _with_member(world, "bombe.gpkg", bytes(200_000_000)),
    "path-escape": lambda world: _with_member(world, "../../flucht.txt", b"hinaus"),
    # Boundaries.
    "layer-renamed": lambda world: world.serve_boundaries(layer_names={"gem": "vg250_orte"}),
    "column-missing": lambda world: world.serve_boundaries(drop_columns=("GF",)),
    "column-renamed": lambda world: world.serve_boundaries(rename_columns={"AGS": "SCHLUESSEL"}),
    "half-the-municipalities": lambda world: world.serve_boundaries(half_of(world.lands.today)),
    "crs-other": _in_degrees,
    "crs-mislabelled": lambda world: world.serve_boundaries(crs="EPSG:25833"),
    "crs-missing": lambda world: world.serve_boundaries(crs=None),
    "wrong-land": _another_land,
    "older-than-before": lambda world: world.serve_boundaries(day=date(2025, 1, 1)),
    "municipality-twice": lambda world: world.serve_boundaries(twice=ALDORF),
    # A package.
    "package-client-missing": _without_client,
    "package-offline": lambda world: _package(world, package()).fails("npm error code ENOTFOUND"),
    "package-gone": lambda world: _package(world, package()).fails("npm error code E404"),
    "package-other-checksum": _other_checksum,
    "package-damaged": lambda world: _package(world, package()[:-300]),
    "package-half-the-municipalities": lambda world: _package(world, package(edit=_first_five)),
    # Workbooks.
    "register-key-twice": lambda world: world.serve_register(edits=[row_twice(10)]),
    "register-column-missing": lambda world: world.serve_register(edits=[drop_column(3)]),
    "register-formula": lambda world: world.serve_register(edits=[formula_in("J10")]),
    "register-merged-cells": lambda world: world.serve_register(edits=[merge_cells("H10:H11")]),
    "register-sheet-renamed": lambda world: world.serve_register(sheet="Tabelle1"),
    "register-numbers-as-text": lambda world: world.serve_register(edits=[numbers_as_text]),
    "register-keys-as-numbers": lambda world: world.serve_register(edits=[keys_as_numbers]),
    "register-blanks-and-nfd": lambda world: world.serve_register(edits=[trailing_blanks, decomposed]),
    "changes-dates-as-dates": lambda world: world.serve_changes(edits=[days_as_dates]),
    "changes-date-as-words": lambda world: world.serve_changes(edits=[set_cell("L5", "Neujahr 2024")]),
    "successor-unknown": lambda world: world.serve_boundaries(world.lands.today.rekey(ALDORF, "99001099")),
    # The office's tables and survey.
    "windows-1252": _semicolons,
    "committees-column-missing": lambda world: _committees(world, "art,ags,", "artt,ags,"),
    "record-unknown-town": lambda world: _new_committee(world, "99001099"),
    "record-misspelt-code": lambda world: _committees(
        world, "runder_tisch,99001005;99001006", "rundertisch,99001005;99001006"
    ),
    "records-left-without-body": lambda world: _keep_lines(world, COMMITTEES, "gremium_id,", "aldorf"),
    "most-records-gone": _most_records_gone,
    "answered-twice": lambda world: world.serve_survey(
        {"G01Q01": ALDORF, "G01Q02": "A1"}, {"G01Q01": "Aldorf", "G01Q02": "A3"}
    ),
    "answer-of-unknown-town": lambda world: world.serve_survey({"G01Q01": "Nirgendwo", "G01Q02": "A1"}),
    "answer-of-misspelt-town": lambda world: world.serve_survey({"G01Q01": "Alldorf", "G01Q02": "A1"}),
    "answer-outside-the-frame": lambda world: world.serve_survey({"G01Q01": FLUR, "G01Q02": "A1"}),
}


ROW = re.compile(r"^\| `(?P<fault>[a-z0-9-]+)` \| .+ \| (?P<night>[a-z ]+) \| `(?P<said>.+)` \|$", re.MULTILINE)
DOCUMENTED = {row["fault"]: row for row in ROW.finditer((ROOT / "docs" / "faults.md").read_text(encoding="utf-8"))}
# How each kind of night ends, and what its remarks hold.
NIGHTS = {
    "nothing changed": ("unchanged", ""),
    "last good kept": ("unchanged", "letzter guter Stand vom 01.02.2026, weil: "),
    "own file kept": ("unchanged", "paket: fehlt, weil: "),
    "published": ("published", ""),
    "record set aside": ("published", " zurückgestellt, "),
    "held": ("held", ""),
    "refused": ("failed", "Abgelehnt: "),
}
REMARKS = tuple(remark for _, remark in NIGHTS.values() if remark)


def test_every_fault_is_documented_and_every_documented_fault_is_tried() -> None:
    assert DOCUMENTED.keys() == FAULTS.keys()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_as_documented(world: World, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world.releases()
    FAULTS[fault](world)
    if fault.startswith("package-"):
        # No test may find the real client.
        monkeypatch.setenv("PATH", str(world.scratch / PROGRAMS))
    night = world.night(1)
    result, remark = NIGHTS[DOCUMENTED[fault]["night"]]

    assert night.result == result, night.text
    assert [one for one in REMARKS if one in night.text] == [one for one in REMARKS if one == remark]
    assert DOCUMENTED[fault]["said"] in night.text
    assert TOKEN not in night.text
    assert world.releases() == before + (["2026.02.02"] if result == "published" else [])
    assert night.latest == world.releases()[-1]
    assert world.damage() == []


def test_a_night_after_the_fault_is_as_good_as_any(world: World) -> None:
    """What failed is fetched again, and nothing of the failure remains."""
    FAULTS["truncated-zip"](world)
    world.night(1)
    world.serve_everything()

    night = world.night(2)
    assert (night.result, night.text) == ("unchanged", "Nichts geändert: 2026.02.01 ist aktuell.")


def test_a_source_that_failed_keeps_no_other_from_being_published(world: World) -> None:
    FAULTS["reset-always"](world)
    FAULTS["windows-1252"](world)

    night = world.night(1)
    assert night.result == "published"
    assert "grenzen: letzter guter Stand" in night.text


def test_a_night_without_changes_writes_only_when_it_was(world: World) -> None:
    """The day on which each source was last confirmed and the end of the run; nothing in a release, nothing public."""
    world.night(1)
    before = world.files()
    world.night(2)

    after = world.files()
    assert before.keys() == after.keys()
    assert {name for name in after if after[name] != before[name]} == {
        ".betrieb/lauf.json",
        *(f"sources/{name}/state.json" for name in NAMES.values()),
    }


def test_the_token_of_a_share_stands_in_no_file_and_no_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.server.fail(COMMITTEES, status(403))
    FAULTS["answered-twice"](world)
    world.night(1)

    assert TOKEN not in caplog.text
    assert [name for name, content in world.files().items() if TOKEN.encode() in content] == []


# --- thirty nights -------------------------------------------------------------------------------------------------

MONTH = 30
KEEP_DAYS = 10

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
RESULTS = dict.fromkeys(range(1, MONTH + 1), "unchanged") | {
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


def bytes_of(world: World) -> int:
    return sum(len(content) for content in world.files().values())


def test_thirty_nights_publish_what_they_should_and_the_disk_stays_within_the_rule(world: World) -> None:
    results, sizes, published = {}, {}, list(world.releases())
    for number in range(1, MONTH + 1):
        for deed in DEEDS.get(number, ()):
            deed(world)
        night = world.night(number)
        results[number] = night.result
        day = FIRST_NIGHT + timedelta(days=number)
        if night.result == "published":
            published.append(f"{day:%Y.%m.%d}")
        with locked(world.store):
            prune(world.store, KEEP_DAYS, day)
        sizes[number] = bytes_of(world)

        assert world.damage() == [], f"night {number}: {night.text}"
        assert night.latest == published[-1]
        limit = f"{day - timedelta(days=KEEP_DAYS):%Y.%m.%d}"
        assert world.releases() == [one for one in published if one >= limit or one == published[-1]]
        needed = {digest for one in world.releases() for digest in digests_of(provenance_of(world.store, one))}
        needed |= {digest for one in held_ids(world.store) for digest in _held_digests(world, one)}
        assert kept_digests(world.store) == needed

    assert results == RESULTS
    assert held_ids(world.store) == [f"{FIRST_NIGHT + timedelta(days=29):%Y.%m.%d}"]
    assert sizes[30] < 2 * sizes[1] + max(sizes.values()) / 2


def _held_digests(world: World, release_id: str) -> set[str]:
    return digests_of(held_provenance(world.store, release_id))
