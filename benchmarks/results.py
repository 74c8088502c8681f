"""The report of a benchmark: every figure comes from the run, and so does the choice of the words that explain it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contest import BARE, MAPSHAPER, OGR, PIPELINE, SCRIPT, START, STEPS

from flows.stages import STAGES

FASTER_THAN_SCRIPT, TIMES_FLOOR, GROWTH = 5.0, 8.0, 1.15
TITLES = {
    PIPELINE: "(a) pipeline",
    SCRIPT: "(b) geopandas script",
    OGR: "(c) ogr2ogr",
    MAPSHAPER: "(d) mapshaper",
}
STEP_TITLES = {
    "join": "read, join, dissolve",
    "shapes": "shapes in both systems",
    "simplify": "simplify, to GeoJSON",
    "geojson": "GeoJSON",
    "flatgeobuf": "FlatGeobuf",
    "geopackage": "GeoPackage",
    "geoparquet": "GeoParquet",
    "csv": "CSV",
    "xlsx": "XLSX",
}
SHOWN = ("join", "shapes", *STEPS[1:])
INTRODUCTION = """\
# Benchmarks

Written by `make bench`; do not edit. What is compared stands in `benchmarks/race.py`, the contestants in
`benchmarks/peers/`. Seconds are wall clock, medians; memory is the peak of the largest process.
"""
TASK = """\
The task: from boundaries, register, population and changes make municipalities, districts and Länder with all
published columns, each as GeoJSON, FlatGeobuf, GeoPackage, GeoParquet, CSV and XLSX, and the municipalities simplified.
What the pipeline finds out about survey and committees is given to the others as finished tables, and what a program
cannot read is converted for it before the clock starts. Steps of (a) and (b) are timed inside the process; (c) and (d)
start anew for each step. Steps of (a) are timed one file after another; end to end it writes files side by side, as in
a release. Its join includes its contracts, with every cell held against them, and the findings on the coverage.
Moving shapes to WGS84 and rounding them, which the others do for every file anew, it does once: “shapes in both
systems”. All take turns, run by run.

Every file is held against the layers of (b): the same features, values and outlines, a valid coverage. **A struck
figure is that of a wrong answer**, which has lost whatever its time; what is wrong stands below the table.
"""
GROWTH_NOTE = """\
Copies of Germany, Spain and Switzerland with their real vertices, each further south (`benchmarks/scale_set.py`).
Spanish and Swiss municipalities have fewer vertices than German ones, so the cost is given for each municipality and
for each 1,000 vertices; the goal is the former. Formats are timed one after another, without the tiles.
"""
WHY = {
    SCRIPT: (
        "Both write with the same GDAL, GEOS and Arrow: only GeoJSON, XLSX and the dissolve leave much to gain. "
        "What the pipeline does beyond the script lies in “read, join, dissolve”: contracts for every cell, keys "
        "followed through all changes and dates, findings on the coverage. And it simplifies the coverage as a whole, "
        "where the script takes each polygon for itself and opens gaps. A higher ratio needs less of that, or more "
        "processors: the work on shapes and the formats are spread over them."
    ),
    "floor": (
        "The floor reads and writes bytes that are already made. Decoding, uniting, moving and encoding {vertices} "
        "vertices for five files costs more than moving their bytes into the disk's cache; of the others, which make "
        "no more files, the nearest is at {nearest} times the floor. Fewer formats would change it, or coordinates "
        "that need not be written as text."
    ),
    "geopackage": (
        "the pipeline's file has more in it (titles, allowed values, foreign keys, QGIS styles), is compacted, and its "
        "shapes come from Parquet; ogr2ogr copies from one GeoPackage to another. Writing the shapes once, when they "
        "are joined, would change it."
    ),
    "csv": (
        "the pipeline writes cell by cell in the contract's words with Python's csv module; ogr2ogr does the same in "
        "C++. Writing from Arrow's columns would change it."
    ),
    "xlsx": (
        "the pipeline's workbook has a cover sheet, a dictionary, styles, notes on every heading and a column of "
        "labels for each column of codes; ogr2ogr writes bare cells."
    ),
    "simplify": (
        "both keep the coverage whole. mapshaper has its arcs from the join, in the snapshot that is not counted; GEOS "
        "looks for the shared lines anew, on one processor. Simplifying the arcs of each Land on a processor of its "
        "own would change it."
    ),
    "join": (
        "the pipeline's holds every cell against its contract, follows keys to every date that a record names, and "
        "looks for faults in the coverage; the other does none of this."
    ),
}
OTHERWISE = "the work is the same, and the other program does it faster here."


def _number(value: float, digits: int = 2) -> str:
    return f"{value:,.{digits}f}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are figures."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def net(result: Mapping[str, Any], step: str, kind: str = "seconds") -> float:
    """Seconds of a step without what a program pays for starting, and for reading its input where it reads it anew;
    ``kind``: ``seconds`` on the wall, or ``processors``.
    """
    seconds: Mapping[str, float] = result[kind]
    count: int = result["commands"].get(step, 0)
    if not count:
        return seconds[step]
    paid = count * seconds[BARE] if step == "join" else seconds[START] + (count - 1) * seconds[BARE]
    return max(seconds[step] - paid, 0.0)


def _cell(result: Mapping[str, Any], step: str) -> str:
    if step not in result["seconds"]:
        return "–"
    text = _number(result["seconds"][step])
    return f"~~{text}~~" if result["wrong"].get(step) else text


def right(result: Mapping[str, Any]) -> bool:
    """Whether all that a contestant wrote is as it should be."""
    return not any(result["wrong"].values())


def _race_table(race: Mapping[str, Any]) -> str:
    results: Mapping[str, Any] = race["results"]
    floor = race["floor"]
    rows = [[STEP_TITLES[step], *(_cell(result, step) for result in results.values()), ""] for step in SHOWN]
    ours = results[PIPELINE]["wall"]
    rows += [
        ["**end to end**", *(f"**{_number(result['wall'])}**" for result in results.values()), _number(floor, 3)],
        ["times the pipeline", *(_number(result["wall"] / ours) for result in results.values()), ""],
        ["times the floor", *(_number(result["wall"] / floor, 0) for result in results.values()), "1"],
        ["processor seconds", *(_number(result["processor"]) for result in results.values()), ""],
        ["peak memory, MB", *(_number(result["peak_mb"], 0) for result in results.values()), ""],
        ["vertices after simplifying", *(_number(result["vertices"], 0) for result in results.values()), ""],
        ["everything right", *("yes" if right(result) else "**no**" for result in results.values()), ""],
    ]
    return _table(["seconds", *(TITLES[name] for name in results), "(e) floor"], rows)


def _wrong(race: Mapping[str, Any]) -> Iterator[str]:
    for name, result in race["results"].items():
        for step, text in result["wrong"].items():
            if text:
                yield f"- {TITLES[name]}, {STEP_TITLES[step]}: {text}."
    for name, reason in race["missing"].items():
        yield f"- {TITLES[name]} did not take part: {reason}."


def _goal(met: bool, text: str, why: str) -> str:
    return f"- {'met' if met else '**missed**'}: {text}{'' if met else f' Why: {why}'}"


def _script_goal(race: Mapping[str, Any]) -> str:
    ours, theirs = race["results"][PIPELINE], race["results"][SCRIPT]
    ratio = theirs["wall"] / ours["wall"]
    fault = "" if right(theirs) else " Its answer is wrong, see above."
    text = f"end to end {_number(ratio)} times as fast as the geopandas script (goal: {FASTER_THAN_SCRIPT:.0f}).{fault}"
    largest = sorted(ours["seconds"].items(), key=lambda item: -item[1])
    parts = ", ".join(f"{STEP_TITLES[step]} {_number(seconds)} s" for step, seconds in largest if step in STEP_TITLES)
    return _goal(ratio >= FASTER_THAN_SCRIPT, text, f"{WHY[SCRIPT]} One after another, ours are: {parts}.")


def _floor_goal(race: Mapping[str, Any]) -> str:
    ratio = race["results"][PIPELINE]["wall"] / race["floor"]
    others = [result["wall"] for name, result in race["results"].items() if name != PIPELINE]
    why = WHY["floor"].format(vertices=_number(race["vertices"], 0), nearest=_number(min(others) / race["floor"], 0))
    moved = f"{_number(race['read_mb'], 1)} MB read, {_number(race['written_mb'], 1)} MB written"
    text = f"{_number(ratio, 0)} times the floor (goal: {TIMES_FLOOR:.0f}; {moved})."
    return _goal(ratio <= TIMES_FLOOR, text, why)


def _step_goals(race: Mapping[str, Any], name: str) -> Iterator[str]:
    """One line a step that both do: the other's seconds are counted without start and reading."""
    ours, theirs = race["results"][PIPELINE], race["results"][name]
    for step in STEPS:
        if step not in theirs["seconds"] or step not in ours["seconds"]:
            continue
        mine, other = ours["seconds"][step], net(theirs, step)
        if theirs["wrong"].get(step):
            yield f"- met: {STEP_TITLES[step]}: the other's answer is wrong ({theirs['wrong'][step]})."
            continue
        worked, other_worked = ours["processors"][step], net(theirs, step, "processors")
        text = (
            f"{STEP_TITLES[step]}: {_number(mine)} s against {_number(other)} s "
            f"({_number(theirs['seconds'][step])} s with start and reading); of processors {_number(worked)} s against "
            f"{_number(other_worked)} s."
        )
        # What is left of a short step after its start is within the noise; as it has to be run, it is what it is.
        if other <= mine < theirs["seconds"][step] and not ours["wrong"].get(step):
            yield f"- met, but not without the other's start and reading: {text} Why: {WHY.get(step, OTHERWISE)}"
            continue
        yield _goal(mine < other and not ours["wrong"].get(step), text, WHY.get(step, OTHERWISE))


def _race(race: Mapping[str, Any]) -> Iterator[str]:
    yield f"## The race: {race['features']:,} municipalities, {race['vertices']:,} vertices (`{race['profile']}`)\n"
    yield f"Medians, runs: {race['runs']}.\n"
    yield _race_table(race)
    yield from _wrong(race)
    yield f"\nAgainst the goals ({TITLES[SCRIPT]} and floor):\n"
    yield _script_goal(race)
    yield _floor_goal(race)
    for name in (OGR, MAPSHAPER):
        if name in race["results"]:
            yield f"\nStep by step against {TITLES[name]}, each without and with what it takes to start and to read:\n"
            yield from _step_goals(race, name)
    yield ""


def _releases(releases: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "## Whole releases\n"
    yield "`praevkarte release` with checks, description, site and tiles; then again, with nothing changed.\n"
    names = [stage.name for stage in STAGES]
    rows = [[stage, *(_number(found["stages"].get(stage, 0.0)) for found in releases)] for stage in names]
    rows += [
        ["**whole process**", *(f"**{_number(found['wall'])}**" for found in releases)],
        ["processor seconds", *(_number(found["processor"]) for found in releases)],
        ["peak memory, MB", *(_number(found["peak_mb"], 0) for found in releases)],
        ["nothing changed", *(_number(found["unchanged"]) for found in releases)],
    ]
    yield _table(["seconds", *(f"`{found['profile']}` ({found['features']:,})" for found in releases)], rows)


def per_feature(found: Mapping[str, Any], seconds: float) -> float:
    """Milliseconds for each municipality."""
    features: int = found["features"]
    return seconds / features * 1000


def growth_ratio(first: Mapping[str, Any], last: Mapping[str, Any]) -> float:
    """Cost for each municipality of a release of the last size as a multiple of that of the first."""
    return per_feature(last, last["wall"]) / per_feature(first, first["wall"])


def _growth_row(title: str, sizes: Sequence[Mapping[str, Any]], seconds: Sequence[float]) -> list[str]:
    each = [per_feature(size, value) for size, value in zip(sizes, seconds, strict=True)]
    vertices = [value / size["vertices"] for size, value in zip(sizes, seconds, strict=True)]
    ratios = [_number(values[-1] / values[0]) if values[0] else "–" for values in (each, vertices)]
    return [title, *(_number(value) for value in seconds), *ratios]


def _growth(sizes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "## Growth\n"
    yield GROWTH_NOTE
    heads = ["seconds", *(f"{size['features']:,}" for size in sizes), "ratio per municipality", "ratio per vertex"]
    rows = [["vertices", *(f"{size['vertices']:,}" for size in sizes), "", ""]]
    rows += [
        _growth_row(stage.name, sizes, [size["stages"].get(stage.name, 0.0) for size in sizes]) for stage in STAGES
    ]
    rows.append(_growth_row("**whole release**", sizes, [size["wall"] for size in sizes]))
    rows.append(["peak memory, MB", *(_number(size["peak_mb"], 0) for size in sizes), "", ""])
    rows += [
        _growth_row(STEP_TITLES[step], sizes, [size["steps"][step] for size in sizes])
        for step in SHOWN
        if step in sizes[0]["steps"]
    ]
    rows.append(["peak memory of these, MB", *(_number(size["steps_peak_mb"], 0) for size in sizes), "", ""])
    yield _table(heads, rows)
    if len(sizes) > 1:
        first, last = sizes[0], sizes[-1]
        ratio = growth_ratio(first, last)
        text = (
            f"a municipality costs {_number(ratio)} times as much at {last['features']:,} as at {first['features']:,} "
            f"(goal: {GROWTH})."
        )
        slower = [
            stage.name
            for stage in STAGES
            if first["stages"].get(stage.name)
            and per_feature(last, last["stages"][stage.name]) / per_feature(first, first["stages"][stage.name]) > GROWTH
        ]
        yield _goal(ratio <= GROWTH, text, f"the stages that grow faster are {', '.join(slower) or 'none'}.")


def report(
    races: Sequence[Mapping[str, Any]],
    releases: Sequence[Mapping[str, Any]],
    sizes: Sequence[Mapping[str, Any]],
    machine: Mapping[str, str],
    versions: Mapping[str, str],
) -> str:
    """The whole report as Markdown."""
    lines = [INTRODUCTION]
    lines += [f"- {title}: {text}" for title, text in machine.items()]
    lines += [f"- versions: {', '.join(f'{name} {text}' for name, text in versions.items())}\n", TASK]
    for race in races:
        lines += _race(race)
    if releases:
        lines += _releases(releases)
    if sizes:
        lines += _growth(sizes)
    return "\n".join(lines).rstrip() + "\n"
