"""Colours and signs of the map: the same on the page and in QGIS.

Colours stand in ``flows/assets/farben.css`` (its first block: light background), signs here. Each
status has a stroke of its own inside its sign and each kind of committee an outline of its own, so that nothing
depends on colour alone (WCAG 2.1, 1.4.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from flows.contracts import Code
from flows.datasets import Dataset
from flows.errors import WrongUsage
from flows.paths import ASSETS

COLOUR = re.compile(r"--([a-z0-9_-]+):\s*(#[0-9a-f]{6});")
# Widths of halo, outline and stroke in a box of 24 × 24, as in farben.css.
HALO, OUTLINE, STROKE = 4.5, 1.6, 2.3
# A sign without dated evidence is hollow.
UNDATED = "stand_unbekannt"
HOLLOW_OUTLINE, HOLLOW_STROKE = 2.2, 4.2

# Outlines of committee signs by kind and the strokes inside them by status, in a box of 24 × 24: form and stroke say
# what colour says, so that nothing depends on colour alone. The councils in the survey's sense are round or nearly so.
SIGN_FORMS = {
    "praeventionsrat": "M12 2.5a9.5 9.5 0 1 0 0 19a9.5 9.5 0 1 0 0-19z",
    "runder_tisch": "M7 2.3h10L22.3 12L17 21.7H7L1.7 12z",
    "arbeitsgruppe": "M12 .8L23.2 12L12 23.2L.8 12z",
    "ordnungspartnerschaft": "M3.2 3.2h17.6v17.6H3.2z",
    "sicherheitskonferenz": "M12 1.5l10.4 7.6l-4 12.2H5.6L1.6 9.1z",
}
# A sign that shows a status alone, in legends.
ANY_KIND = "praeventionsrat"
SIGN_MARKS = {
    "aktiv": "M7.8 12.4l3 3l5.4-6.2",
    "ruhend": "M9.8 8.3v7.4M14.2 8.3v7.4",
    "aufgeloest": "M8.8 8.8l6.4 6.4M15.2 8.8l-6.4 6.4",
    "geplant": "M12 7.8v8.4M7.8 12h8.4",
    "praeventionsarbeit_ohne_gremium": "M7.8 12h8.4",
    "unklar": "M9.3 9.7a2.7 2.7 0 1 1 4 2.4c-.9.5-1.3 1-1.3 1.8M12 16.6v.1",
    "stand_unbekannt": "M12 12v.1",
}


@cache
def _palette() -> dict[str, str]:
    light = (ASSETS / "farben.css").read_text(encoding="utf-8").partition("}")[0]
    return dict(COLOUR.findall(light))


def colour(name: str) -> str:
    """The colour ``#rrggbb`` of one part of the map, e.g. ``gebiet-nicht_befragt``; raises ``KeyError`` without one."""
    return _palette()[name]


def _drawn(paths: Mapping[str, str], code: str, code_list: str) -> str:
    if code not in paths:
        raise WrongUsage(
            f"{code_list}.csv, Code „{code}“: für ihn ist noch kein Zeichen der Karte gezeichnet. "
            "Bitte in flows/formats/symbology.py ergänzen lassen."
        )
    return paths[code]


def sign(kind: str, status: str) -> str:
    """The sign of a committee as an SVG picture of 24 × 24: outline by kind, stroke and colour by status.

    Raises ``WrongUsage`` for a code that nobody has drawn yet.
    """
    form, mark = _drawn(SIGN_FORMS, kind, "gremium_art"), _drawn(SIGN_MARKS, status, "gremium_status")
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
