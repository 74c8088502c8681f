"""Colours and signs of the map: the same on the page and in QGIS.

Colours stand in ``flows/assets/farben.css`` (its first block: light background), signs beside the page's map. Each
status has a stroke of its own inside its sign and each group of committees an outline of its own, so that nothing
depends on colour alone (WCAG 2.1, 1.4.1).
"""

from __future__ import annotations

import re
from functools import cache

from flows.contracts import Code
from flows.datasets import Dataset
from flows.page_data import SIGN_FORMS, SIGN_MARKS
from flows.paths import ASSETS

COLOUR = re.compile(r"--([a-z0-9_-]+):\s*(#[0-9a-f]{6});")
# Widths of halo, outline and stroke in a box of 24 × 24, as in farben.css.
HALO, OUTLINE, STROKE = 4.5, 1.6, 2.3
# A sign without dated evidence is hollow.
UNDATED = "stand_unbekannt"
HOLLOW_OUTLINE, HOLLOW_STROKE = 2.2, 4.2


@cache
def _palette() -> dict[str, str]:
    light = (ASSETS / "farben.css").read_text(encoding="utf-8").partition("}")[0]
    return dict(COLOUR.findall(light))


def colour(name: str) -> str:
    """The colour ``#rrggbb`` of one part of the map, e.g. ``gebiet-nicht_befragt``; raises ``KeyError`` without one."""
    return _palette()[name]


def sign(group: str, status: str) -> str:
    """The sign of a committee as an SVG picture of 24 × 24: outline by group, stroke and colour by status."""
    form, mark = SIGN_FORMS[group], SIGN_MARKS[status]
    own, halo = colour(f"gremium-{status}"), colour("karte-hof")
    hollow = status == UNDATED
    outline, stroke = (HOLLOW_OUTLINE, HOLLOW_STROKE) if hollow else (OUTLINE, STROKE)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 28 28" width="28" height="28">'
        '<g fill="none" stroke-linecap="round" stroke-linejoin="round">'
        f'<path d="{form}" stroke="{halo}" stroke-width="{HALO}"/>'
        f'<path d="{form}" fill="{halo if hollow else own}" stroke="{own}" stroke-width="{outline}"/>'
        f'<path d="{mark}" stroke="{own if hollow else halo}" stroke-width="{stroke}"/>'
        "</g></svg>"
    )


def present(dataset: Dataset, column: str) -> list[Code]:
    """The codes of a column that occur in the data, in the order of their list.

    A legend shows no others: an entry without a case reads like a finding.
    """
    found = set(dataset.table.column(column).to_pylist())
    field = next(field for field in dataset.contract.fields if field.name == column)
    return [code for code in field.codes if code.code in found]
