"""What a supplied response file says, question by question: counts of towns and respondents, never a person's answer.

Which questions there are, and what they mean, comes from the wave's contract. Respondents and the towns that their
answers cover are two different figures: an answer of an association may speak for several towns, or for one beside the
town's own.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from flows.contracts import Contract, Field
from flows.german import number
from flows.load import RESPONSES
from flows.metadata.quality import PERSONS, SMALLEST_COUNT
from flows.site.facts import Row, rows

# Columns of every wave that are no questions: who answered, when, and whether.
NO_QUESTIONS = ("einheit", "eingegangen_am", "geantwortet")
# Lower bounds of the size classes of municipalities as the Federal Statistical Office uses them.
SIZE_BOUNDS = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000)
NO_TOWN = "keiner befragten Stadt zugeordnet"
COVERED = "geantwortet"


@dataclass(frozen=True, slots=True)
class Group:
    """Surveyed towns of one size class or district, and how many of them an answer covers."""

    label: str
    towns: int
    covered: int


@dataclass(frozen=True, slots=True)
class Answers:
    """Respondents by answer to a question with fixed answers.

    ``given`` answered the question at all, ``missing`` did not. A respondent counts once for each answer of a question
    with ``several``. ``unnamed`` are the possible answers that nobody gave, where there are too many to show.
    """

    field: Field
    given: int
    missing: int
    counts: tuple[tuple[str, int], ...]
    several: bool
    unnamed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Persons:
    """Sums of a column that counts persons, by size class; None is a sum that is not published (``suppressed``)."""

    field: Field
    given: int
    missing: int
    sums: tuple[tuple[str, int | None], ...]
    total: int | None


@dataclass(frozen=True, slots=True)
class Spread:
    """Smallest, middle and largest value of a column of numbers that counts no persons; None without any value."""

    field: Field
    given: int
    missing: int
    smallest: float | None
    median: float | None
    largest: float | None


@dataclass(frozen=True, slots=True)
class Withheld:
    """A column that is not evaluated: free text may name persons, and a date is one respondent's own."""

    field: Field


Question = Answers | Persons | Spread | Withheld


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The answers of one wave. ``respondents`` answered, ``associations`` of them for an association; ``covered`` of
    ``towns`` surveyed ones are covered by an answer.
    """

    contract: Contract
    respondents: int
    associations: int
    towns: int
    covered: int
    sizes: tuple[Group, ...]
    districts: tuple[Group, ...]
    questions: tuple[Question, ...]


def size_class(population: int) -> str:
    """The size class of a municipality: ``10.000 bis unter 20.000``."""
    lower = max((bound for bound in SIZE_BOUNDS if bound <= population), default=None)
    upper = min((bound for bound in SIZE_BOUNDS if bound > population), default=None)
    if lower is None:
        return f"unter {number(SIZE_BOUNDS[0])}"
    return f"{number(lower)} bis unter {number(upper)}" if upper else f"{number(lower)} und mehr"


def by_size(towns: Sequence[Row]) -> dict[str, list[Row]]:
    """Towns by size class, the smallest class first."""
    found: dict[str, list[Row]] = {}
    for town in sorted(towns, key=lambda town: (town["einwohner"], town["ags"])):
        found.setdefault(size_class(town["einwohner"]), []).append(town)
    return found


def by_district(towns: Sequence[Row]) -> dict[str, list[Row]]:
    """Towns by district, in the order of its keys: by its name, with its key where another one bears the same, as in
    two Länder, and by its key alone where it has none.
    """
    names = {town["kreis_schluessel"]: town["kreis"] for town in towns}
    times = Counter(names.values())
    found: dict[str, list[Row]] = {}
    for town in sorted(towns, key=lambda town: town["kreis_schluessel"]):
        key, name = town["kreis_schluessel"], town["kreis"]
        found.setdefault(f"{name} ({key})" if name and times[name] > 1 else name or key, []).append(town)
    return found


def suppressed(values: Sequence[int], smallest: int = SMALLEST_COUNT) -> tuple[tuple[int | None, ...], int | None]:
    """Counts of persons and their total as they may be published; None is hidden.

    Counts from 1 to below ``smallest`` are hidden, and with them the smallest other ones, so that the total does not
    reveal them; where there is no other, the total is hidden. What more is hidden depends neither on the small counts
    nor on the order: else that alone could tell them.
    """
    hidden = {value for value in values if 0 < value < smallest}
    others = {value for value in values if value >= smallest}
    if hidden and others:
        hidden.add(min(others))
    shown = tuple(None if value in hidden else value for value in values)
    return shown, sum(values) if others or not hidden else None


def evaluate(con: duckdb.DuckDBPyConnection, contract: Contract, wave: str, towns: Sequence[Row]) -> Evaluation:
    """Count the answers of a wave whose response file is loaded; ``towns`` are the wave's rows of befragung_rahmen."""
    replies = rows(con, f"SELECT * FROM input.{RESPONSES}_{wave} WHERE geantwortet ORDER BY einheit")
    classes = _classes(con, wave, towns)
    return Evaluation(
        contract=contract,
        respondents=len(replies),
        associations=sum(len(reply["einheit"]) == 9 for reply in replies),
        towns=len(towns),
        covered=sum(_covered(town) for town in towns),
        sizes=_groups(by_size(towns)),
        districts=_groups(by_district(towns)),
        questions=tuple(
            _question(field, replies, classes) for field in contract.fields if field.name not in NO_QUESTIONS
        ),
    )


def _covered(town: Row) -> bool:
    return bool(town["befragung_status"] == COVERED)


def _groups(towns: Mapping[str, Sequence[Row]]) -> tuple[Group, ...]:
    return tuple(Group(label, len(group), sum(_covered(town) for town in group)) for label, group in towns.items())


def _classes(con: duckdb.DuckDBPyConnection, wave: str, towns: Sequence[Row]) -> dict[str, str]:
    """The size class of each respondent: that of the largest surveyed town for which it speaks."""
    population = {town["ags"]: town["einwohner"] for town in towns}
    largest: dict[str, int] = {}
    for reply in rows(con, "SELECT einheit, ags FROM joined.survey_replies WHERE welle = $1 ORDER BY ALL", wave):
        largest[reply["einheit"]] = max(largest.get(reply["einheit"], 0), population[reply["ags"]])
    return {unit: size_class(value) for unit, value in largest.items()}


def _question(field: Field, replies: Sequence[Row], classes: Mapping[str, str]) -> Question:
    given = [reply for reply in replies if reply[field.name] is not None]
    missing = len(replies) - len(given)
    values = [reply[field.name] for reply in given]
    if field.allowed or field.type == "boolean":
        return _answers(field, values, missing)
    if field.type == "integer" and field.raw.get("unit") == PERSONS:
        return _persons(field, given, missing, classes)
    if field.type in ("integer", "number"):
        middle = statistics.median(values) if values else None
        return Spread(field, len(values), missing, min(values, default=None), middle, max(values, default=None))
    return Withheld(field)


def _answers(field: Field, values: Sequence[Any], missing: int) -> Answers:
    """Answers with one choice in the order of their list, all of them; with several the most frequent first."""
    several = field.separator is not None
    if field.type == "boolean":
        words = field.boolean_words
        labels = {word: _capital(word) for word in words}
        counts = Counter(words[0] if value else words[1] for value in values)
    else:
        named = {code.code: code.label for code in field.codes}
        labels = {value: named.get(value, _capital(value)) for value in field.allowed}
        counts = Counter(
            part for value in values for part in (set(value.split(field.separator)) if several else {value})
        )
    order = sorted(labels, key=lambda value: -counts[value]) if several else list(labels)
    shown = [value for value in order if counts[value] or not several]
    return Answers(
        field=field,
        given=len(values),
        missing=missing,
        counts=tuple((labels[value], counts[value]) for value in shown),
        several=several,
        unnamed=tuple(labels[value] for value in order if value not in shown),
    )


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _persons(field: Field, given: Sequence[Row], missing: int, classes: Mapping[str, str]) -> Persons:
    sums: Counter[str] = Counter()
    for reply in given:
        sums[classes.get(reply["einheit"], NO_TOWN)] += reply[field.name]
    order = [size_class(bound) for bound in (0, *SIZE_BOUNDS)] + [NO_TOWN]
    labels = [label for label in order if label in sums]
    values, total = suppressed([sums[label] for label in labels])
    return Persons(field, len(given), missing, tuple(zip(labels, values, strict=True)), total)
