"""One line per stage in the log: for people, or as JSON for a machine that reads logs (``PRAEVKARTE_LOG=json``)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from flows.german import number
from flows.run import StageReport
from flows.stages import Stage

VARIABLE, JSON = "PRAEVKARTE_LOG", "json"


def wants_json(environment: Mapping[str, str]) -> bool:
    """Whether the log is to be JSON."""
    return environment.get(VARIABLE, "").lower() == JSON


def stage_line(stage: Stage, seconds: float, report: StageReport | None, as_json: bool = False, run: str = "") -> str:
    """A stage as it ended: its title, seconds and rows where it counts any; ``report`` is None when it failed."""
    rows = sum(report.rows.values()) if report else 0
    if as_json:
        content = {
            "stufe": stage.name,
            "sekunden": round(seconds, 3),
            "ergebnis": "gut" if report else "gescheitert",
            "zeilen": dict(report.rows) if report else {},
            "hinweise": list(report.notes) if report else [],
            "lauf": run,
        }
        return json.dumps(content, ensure_ascii=False)
    return f"{stage.title}: {number(round(seconds, 1))} s" + (f", {number(rows)} Zeilen" if rows else "")
