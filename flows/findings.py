"""A finding: one thing that is wrong, where it is and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule at one place, worded for the operator (German).

    ``check`` names the rule, ``source`` the file or published dataset, ``row`` the line as a spreadsheet counts it
    (the header is line 1).
    """

    check: str
    source: str
    message: str
    remedy: str = ""
    row: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        place = self.source
        if self.row is not None:
            place += f", Zeile {self.row}"
        if self.column:
            place += f", Spalte „{self.column}“"
        if self.value is not None:
            place += f", Wert „{self.value}“"
        return f"{place}: {self.message}" + (f" {self.remedy}" if self.remedy else "")

    def as_dict(self) -> dict[str, str | int | None]:
        """The finding as plain values, for ``--json`` and Prefect's table artifact."""
        return asdict(self)
