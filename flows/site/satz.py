"""Setting documents with Typst: the template is fixed, everything it says comes in as data and stays text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import typst

from flows.paths import TEMPLATES
from flows.run import Run


def typeset(
    run: Run,
    template: str,
    data: Mapping[str, Any],
    kind: Literal["pdf", "png"],
    standards: list[typst.PDFStandard] | None = None,
    ppi: float | None = None,
) -> bytes:
    """``flows/templates/<template>`` filled with ``data``, as PDF or as a picture of its only page.

    Data go in as JSON, never as markup, so that no text of an input can be read as a command. Only the fonts inside
    Typst are used and the release's day is the only date: the same data give the same bytes on every machine.
    """
    midnight = datetime(run.day.year, run.day.month, run.day.day, tzinfo=UTC)
    return typst.compile(
        TEMPLATES / template,
        root=TEMPLATES,
        ignore_system_fonts=True,
        format=kind,
        ppi=ppi,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False, sort_keys=True)},
        pdf_standards=standards or [],
        timestamp=midnight,
    )
