"""A table that the office maintains elsewhere: in a watched folder or behind a share link, as CSV or XLSX."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flows.contracts import load_contract
from flows.errors import Refused
from flows.profile import Profile
from flows.sources.converted import Converted, text_table
from flows.tables import read_table
from flows.validate import check_header, day_columns


def read_office_table(file: Path, label: str, options: Mapping[str, str], _profile: Profile) -> Mapping[str, Converted]:
    """The dataset ``options["dataset"]`` from a CSV or from the sheet ``options["sheet"]`` (else the first) of an XLSX.

    What is accepted is what ``flows.tables`` reads: a CSV in UTF-8, or in Windows-1252 where that is unambiguous, with
    commas or semicolons. Columns may stand in any order. Raises ``Refused`` like it, and for columns that are missing
    or not agreed.
    """
    dataset = options["dataset"]
    contract = load_contract("input", dataset)
    sheet = options.get("sheet")
    place = f"{label} [{sheet}]" if sheet else label
    table = read_table(file, sheet, place, day_columns(contract))
    if findings := check_header(contract, table.columns, place):
        raise Refused(findings)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    content = text_table(dataset, rows)
    return {dataset: Converted(content, None, contract.title, "Tabelle, die der Herausgeber pflegt")}
