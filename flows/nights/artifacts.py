"""What a night leaves to read in Prefect's web page: the run as Markdown, the check results as rows of a table.

Nothing here needs Prefect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flows.contracts import release_contracts
from flows.errors import PipelineError, Refused
from flows.german import number
from flows.profile import SYNTHETIC_MARK, Profile
from flows.run import StageReport
from flows.stages import Outcome, Stage

# So many findings go into the table artifact, which a browser shows as one page.
SHOWN = 1000
HEADINGS = {
    "check": "Prüfung",
    "source": "Quelle",
    "row": "Zeile",
    "column": "Spalte",
    "value": "Wert",
    "message": "Meldung",
    "remedy": "Abhilfe",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A stage as it ran: how long it took (s) and its report, or None when it failed."""

    stage: Stage
    seconds: float
    report: StageReport | None


def _seconds(step: Step) -> str:
    return number(round(step.seconds, 1))


def _escaped(text: str) -> str:
    """A text that Markdown shows as it is, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(text.split()))


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [headings, tuple("---" for _ in headings), *(tuple(map(_escaped, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def summary(title: str, message: str, steps: Sequence[Step], settings: Profile | None, outcome: Outcome | None) -> str:
    """The run as Markdown: outcome, rows per dataset of what was built, seconds per stage, remarks."""
    parts = [f"# {_escaped(title)}", f"**{_escaped(message)}**"]
    notes = [note for step in steps if step.report for note in step.report.notes]
    if settings and settings.synthetic:
        parts.append(f"**{_escaped(SYNTHETIC_MARK)}**")
    if settings and settings.draft:
        notes.append(f"Entwurf, nicht veröffentlicht. Im Profil fehlen noch: {', '.join(settings.missing)}.")
    if outcome and outcome.recovered:
        notes.append(outcome.recovered)
    if outcome and "package" in outcome.reports:
        titles = {contract.name: contract.title for contract in release_contracts()}
        rows = outcome.reports["package"].rows.items()
        datasets = [(name, titles.get(name, ""), number(count)) for name, count in rows]
        parts += ["## Datensätze", _table(("Datensatz", "Inhalt", "Zeilen"), datasets)]
    if steps:
        times = [(step.stage.title, _seconds(step), "" if step.report else "abgebrochen") for step in steps]
        parts += ["## Schritte", _table(("Schritt", "Sekunden", "Vermerk"), times)]
    if notes:
        parts += ["## Hinweise", "\n".join(f"- {_escaped(note)}" for note in notes)]
    return "\n\n".join(parts) + "\n"


def check_rows(outcome: Outcome | None, error: PipelineError | None) -> list[dict[str, Any]]:
    """The check results as rows of a table: the findings, or what was looked at and which gates hold the release."""
    if isinstance(error, Refused):
        found = [finding.as_dict() for finding in error.findings]
        if len(found) > SHOWN:
            rest = f"… und {number(len(found) - SHOWN)} weitere; alle zeigt `praevkarte check --json`."
            found[SHOWN:] = [dict.fromkeys(HEADINGS) | {"message": rest}]
        return [{heading: row[field] for field, heading in HEADINGS.items()} for row in found]
    if outcome is None:
        return [{"Ergebnis": "nicht zu Ende geprüft", "Umfang": str(error)}]
    if "check" not in outcome.reports:
        return [{"Ergebnis": "nicht erneut geprüft", "Umfang": outcome.text}]
    rows = [{"Ergebnis": "keine Befunde", "Umfang": "; ".join(outcome.reports["check"].notes)}]
    if outcome.result == "held":
        rows += [{"Ergebnis": "Freigabe nötig", "Umfang": text} for text in outcome.reports["publish"].notes]
    return rows
