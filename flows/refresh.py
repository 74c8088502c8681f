"""The nightly flow: the stages of ``flows.stages`` as Prefect tasks, and what the office reads about each run.

Nothing else imports this module: an import of Prefect takes 4-5 s, which the command line must not pay.
"""

from __future__ import annotations

import os
import re
import sys
import textwrap
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Completed, Failed
from prefect.tasks import Task, exponential_backoff

from flows.contracts import release_contracts
from flows.errors import PipelineError, Refused, SourceUnavailable
from flows.german import day as german_day
from flows.german import number
from flows.paths import GEODATA, OUTPUTS
from flows.profile import SYNTHETIC_MARK, Profile, load_profile
from flows.run import Run, StageReport
from flows.stages import Outcome, Stage, run_stages, today

# A stage that talks to the network is tried again after about 30, 60 and 120 s, spread by up to half of each.
RETRIES = 3
RETRY_SECONDS = 30.0
RETRY_JITTER = 0.5
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
# Runs that end well but publish nothing that a person waits for must not look like the others.
STATE_NAMES = {"held": "Wartet auf Freigabe", "blocked": "Gesperrt"}


@dataclass(frozen=True, slots=True)
class Step:
    """A stage as it ran: how long it took (s) and its report, or None when it failed."""

    stage: Stage
    seconds: float
    report: StageReport | None


def _folder(given: Path | None, variable: str, default: Path) -> Path:
    """The flow's parameter, else the environment variable that the command line reads too, else the checkout's own."""
    return given or Path(os.environ.get(variable) or default)


def _run_name() -> str:
    parameters = runtime.flow_run.parameters
    return f"{parameters['profile']} {parameters['day'] or today()}"


def failure_message(error: PipelineError) -> str:
    """Why nothing was published, short enough for a list of runs: of many findings the first and their number."""
    if not isinstance(error, Refused):
        return f"Fehler: {error}"
    count = len(error.findings)
    first = textwrap.shorten(str(error.findings[0]), 400, placeholder=" …")
    words = "1 Befund" if count == 1 else f"{number(count)} Befunde"
    rest = "" if count == 1 else f" (und {number(count - 1)} weitere)"
    return f"Abgelehnt: {words}; es wurde nichts veröffentlicht. {first}{rest}"


def run_as_task(stage: Stage, run: Run) -> StageReport:
    """Run one stage as a Prefect task of its name; returns its report or raises the stage's own error.

    An error that the operator can mend reaches Prefect only as a short message: raised or returned, it would put a
    traceback and every one of perhaps thousands of findings into Prefect's log. The task has no parameters, because
    Prefect walks through those and records them.
    """
    trouble: PipelineError | None = None

    def unavailable(_task: Task[..., Any], _task_run: TaskRun, _state: State[Any]) -> bool:
        """Only a source that could not be had may be there a minute later; a finding or a wrong setting stays."""
        return isinstance(trouble, SourceUnavailable)

    @task(
        name=stage.name,
        task_run_name=stage.title,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=RETRIES if stage.network else 0,
        retry_delay_seconds=exponential_backoff(RETRY_SECONDS),
        retry_jitter_factor=RETRY_JITTER,
        retry_condition_fn=unavailable,
    )
    def staged() -> StageReport | State[Any]:
        nonlocal trouble
        trouble = None
        try:
            return stage.run(run)
        except PipelineError as error:
            trouble = error
            return Failed(message=failure_message(error))

    state: State[Any] = staged(return_state=True)
    if trouble:
        raise trouble
    report: StageReport = state.result()
    return report


def log_line(step: Step) -> str:
    """A stage in one line of the log: its title, seconds and rows, where it counts any."""
    rows = sum(step.report.rows.values()) if step.report else 0
    return f"{step.stage.title}: {_seconds(step)} s" + (f", {number(rows)} Zeilen" if rows else "")


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
        rows += [{"Ergebnis": "Schwelle überschritten", "Umfang": text} for text in outcome.reports["publish"].notes]
    return rows


@flow(name="nightly", flow_run_name=_run_name, persist_result=False)
def nightly(
    profile: str = "thueringen", day: date | None = None, geodata: Path | None = None, outputs: Path | None = None
) -> State[Any]:
    """Build, check and publish a release of ``profile`` dated ``day`` (today in UTC), as ``praevkarte release`` does.

    Ends Completed (published, nothing changed, or under a name of its own: a person must decide) or, when the pipeline
    refuses or a source is missing, Failed with the reason; both leave the artifacts ``zusammenfassung-<profile>`` and
    ``pruefungen-<profile>``. Any other error is a programming error and passes through.
    """
    steps: list[Step] = []
    settings: Profile | None = None
    outcome: Outcome | None = None
    failure: PipelineError | None = None

    def call(stage: Stage, run: Run) -> StageReport:
        started = time.perf_counter()
        report: StageReport | None = None
        try:
            report = run_as_task(stage, run)
            return report
        finally:
            steps.append(Step(stage, time.perf_counter() - started, report))
            get_run_logger().info(log_line(steps[-1]))

    release_day = day or today()
    try:
        settings = load_profile(_folder(geodata, "PRAEVKARTE_GEODATA", GEODATA), profile)
        outcome = run_stages(settings, _folder(outputs, "PRAEVKARTE_OUTPUTS", OUTPUTS), release_day, call=call)
        message = outcome.text
    except PipelineError as error:
        failure = error
        message = failure_message(error)
    # Prefect allows lower-case letters, digits and dashes in keys.
    key = re.sub(r"[^a-z0-9]+", "-", profile.lower())
    title = f"Präventionskarte: {profile}, {german_day(release_day)}"
    create_markdown_artifact(summary(title, message, steps, settings, outcome), f"zusammenfassung-{key}", title)
    create_table_artifact(check_rows(outcome, failure), f"pruefungen-{key}", title)
    if outcome is None:
        # Without the error as data: Prefect would log it again, with a traceback and every finding.
        return Failed(message=message)
    return Completed(message=message, data=outcome, name=STATE_NAMES.get(outcome.result, "Completed"))


if __name__ == "__main__":
    sys.exit(not nightly(return_state=True).is_completed())
