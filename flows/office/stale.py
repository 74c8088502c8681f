"""Records that want a new look: committees whose newest evidence is old, or which have none with a date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flows.german import day as german_day
from flows.german import number
from flows.metadata.quality import duration, months_since
from flows.metadata.subjects import last_day
from flows.tables import Table


@dataclass(frozen=True, slots=True)
class Stale:
    """A committee to look at again: its line in the file, key and name, and why (German)."""

    row: int
    key: str
    name: str
    text: str


def _column(table: Table, column: str) -> list[str | None]:
    """The cells of a column; of a column that is missing, none."""
    if column not in table.columns:
        return [None] * len(table.rows)
    place = table.columns.index(column)
    return [row[place] for row in table.rows]


def _readable(text: str | None) -> bool:
    """Whether a date of 4, 7 or 10 characters is one; a wrong one is a finding of its own."""
    try:
        last_day(text or "")
    except ValueError:
        return False
    return True


def _newest(dates: Iterable[str | None]) -> str | None:
    return max((text for text in dates if text and _readable(text)), key=last_day, default=None)


def stale_committees(committees: Table, evidence: Table, months: float, today: date) -> list[Stale]:
    """Committees whose newest dated evidence is at least so many months old on ``today``, or that have none dated.

    Of a date without day or month the youngest meaning counts. They come with the oldest first.
    """
    dates: dict[str, list[str | None]] = {}
    for key, text in zip(_column(evidence, "gremium_id"), _column(evidence, "belegt_am"), strict=True):
        if key:
            dates.setdefault(key, []).append(text)
    found: list[tuple[int, Stale]] = []
    for line, key, name in zip(
        committees.lines, _column(committees, "gremium_id"), _column(committees, "name"), strict=True
    ):
        if not key or key not in dates:
            continue
        newest = _newest(dates[key])
        if newest is None and any(dates[key]):
            # There is a date, only not a right one, which is a finding of its own.
            continue
        age = months_since(newest, today) if newest else None
        if newest is None or age is None:
            text = "Kein Beleg hat ein Datum; veröffentlicht ist „Stand unbekannt“: bitte prüfen."
        elif age >= months:
            text = (
                f"Stand älter als {number(months)} Monate: bitte prüfen. Der neueste Beleg ist von "
                f"{german_day(newest)} ({duration(age)} alt)."
            )
        else:
            continue
        found.append((-age if age is not None else 1, Stale(line, key, name or key, text)))
    return [stale for _, stale in sorted(found, key=lambda pair: (pair[0], pair[1].row))]
