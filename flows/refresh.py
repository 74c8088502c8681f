"""The nightly flow: the stages of ``flows.stages`` as Prefect tasks.

What the office reads about each run is made by ``flows.nights.artifacts``; what a person must know of goes out as a
notice (``flows.notices``); a held release asks for approval in a run of its own (``flows.deployments.approval``).

Nothing else imports this module: an import of Prefect takes 4-5 s, which the command line must not pay.
"""

from __future__ import annotations

import os
import sys
import time
from asyncio import CancelledError
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import httpx
from prefect import flow, get_run_logger, runtime, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import FlowRun, State, TaskRun
from prefect.exceptions import PrefectException
from prefect.flows import Flow
from prefect.states import Completed, Failed
from prefect.tasks import Task, exponential_backoff

from flows.deployments.approval import settle_questions
from flows.deployments.settings import artifact_key, geodata_folder, outputs_folder, settings_of
from flows.errors import PipelineError, Refused, SourceUnavailable, StoreBusy
from flows.german import day as german_day
from flows.nights.artifacts import Step, check_rows, summary
from flows.nights.conditions import age_condition, condition_after
from flows.nights.last_run import operation_folder
from flows.nights.recorded import failure_message, note_failure, recorded_run
from flows.nights.stage_log import stage_line, wants_json
from flows.notices import notify
from flows.notices.texts import Condition, broken, failed
from flows.office.report import FOLDER, INDEX
from flows.profile import Profile
from flows.run import Run, StageReport
from flows.sources.http import is_address
from flows.stages import Outcome, Stage, store_of, today

# A stage that talks to the network is tried again after about 30, 60 and 120 s, spread by up to half of each.
RETRIES = 3
RETRY_SECONDS = 30.0
RETRY_JITTER = 0.5
# A run that takes longer hangs. Shorter than the lease of a lock in an object store, which another run then takes over.
LONGEST_SECONDS = 90 * 60
# What the notices are about: how the nights end, how old the sources are.
TOPIC, AGES = "nacht", "quellen"
# Runs that end well but publish nothing that a person waits for must not look like the others.
STATE_NAMES = {"held": "Wartet auf Freigabe", "blocked": "Gesperrt"}


def _run_name() -> str:
    parameters = runtime.flow_run.parameters
    return f"{parameters['profile']} {parameters['day'] or today()}"


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


def where_to_read(settings: Profile, outputs: Path, error: PipelineError | None = None) -> str:
    """Where the run stands in Prefect, if a person can look there, and the office's reports on what was refused."""
    # Without an address of its own, as with a throw-away server, Prefect answers with half of one.
    address = runtime.flow_run.ui_url or ""
    places = [f"{address}, Artefakt {artifact_key('pruefungen', settings.name)}"] if is_address(address) else []
    if isinstance(error, Refused):
        places.append(str((outputs / settings.outputs).resolve() / FOLDER / INDEX))
    return "; ".join(places)


def _tell(settings: Profile, outputs: Path, condition: Condition, topic: str = TOPIC) -> tuple[str, ...]:
    """Send a notice if the condition of a topic changed; returns remarks for the log."""
    return notify(settings, operation_folder(store_of(settings, outputs)), topic, condition, datetime.now(UTC))


def tell_of_crash(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - Prefect's names
    """The worker calls this when the run's process is gone: nobody in it could say anything any more."""
    parameters = flow_run.parameters
    geodata, outputs = (Path(parameters[name]) if parameters.get(name) else None for name in ("geodata", "outputs"))
    settings = settings_of(parameters["profile"], geodata)
    folder = outputs_folder(outputs)
    text = "Der Prozess des Laufs wurde von außen beendet (Speicher, Neustart, Abbruch)."
    note_failure(settings, folder, text, str(flow_run.id))
    report = f"Prefect, Lauf „{flow_run.name}“ ({state.name})"
    _tell(settings, folder, broken(settings.name, settings.title, "abgestuerzt", text, report, str(flow_run.id)))


@flow(
    name="nightly",
    flow_run_name=_run_name,
    persist_result=False,
    timeout_seconds=LONGEST_SECONDS,
    on_crashed=[tell_of_crash],
)
def nightly(
    profile: str = "thueringen",
    day: date | None = None,
    geodata: Path | None = None,
    outputs: Path | None = None,
    gebietsstand: Literal["befragung", "aktuell"] | None = None,
) -> State[Any]:
    """Build, check and publish a release of ``profile`` dated ``day`` (today in UTC), as ``praevkarte release`` does.

    ``gebietsstand``: the territory that the map shows, if not the one that the profile says.

    Ends Completed (published, nothing changed, or under a name of its own: a person must decide) or, when the pipeline
    refuses or a source is missing, Failed with the reason; both leave the artifacts ``zusammenfassung-<profile>`` and
    ``pruefungen-<profile>`` and a notice where the state changed. Any other error is a programming error: it is told,
    and passes through. So does the end of a run that takes too long.
    """
    steps: list[Step] = []
    settings: Profile | None = None
    outcome: Outcome | None = None
    failure: PipelineError | None = None
    log = get_run_logger()
    run_id = runtime.flow_run.id or ""
    folder = outputs_folder(outputs)

    def call(stage: Stage, run: Run) -> StageReport:
        started = time.perf_counter()
        report: StageReport | None = None
        try:
            report = run_as_task(stage, run)
            return report
        finally:
            step = Step(stage, time.perf_counter() - started, report)
            steps.append(step)
            log.info(stage_line(stage, step.seconds, report, wants_json(os.environ), run_id))

    def tell(condition: Condition, topic: str = TOPIC) -> None:
        for remark in _tell(settings, folder, condition, topic) if settings else ():
            log.info(remark)

    release_day = day or today()
    try:
        settings = settings_of(profile, geodata, gebietsstand)
        outcome = recorded_run(settings, folder, day, call=call, run_id=run_id)
        message = outcome.text
        tell(condition_after(settings, outcome, run_id))
        tell(age_condition(settings, store_of(settings, folder), run_id), AGES)
    except PipelineError as error:
        failure = error
        message = failure_message(error)
        if settings and not isinstance(error, StoreBusy):
            tell(failed(settings.name, settings.title, error, where_to_read(settings, folder, error), run_id))
    except CancelledError:
        # Prefect's way to end a run that took longer than LONGEST_SECONDS; it is no Exception.
        if settings:
            text = f"Der Lauf dauerte länger als {LONGEST_SECONDS // 60} Minuten und wurde beendet."
            note_failure(settings, folder, text, run_id)
            tell(broken(settings.name, settings.title, "zu_lange", text, where_to_read(settings, folder), run_id))
        raise
    except Exception as error:
        # Told and passed on: Prefect shows it with its traceback.
        if settings:
            kind = type(error).__name__
            text = f"Der Lauf endete mit einem unerwarteten Fehler ({kind})."
            tell(broken(settings.name, settings.title, kind, text, where_to_read(settings, folder), run_id))
        raise
    title = f"Präventionskarte: {profile}, {german_day(release_day)}"
    create_markdown_artifact(
        summary(title, message, steps, settings, outcome), artifact_key("zusammenfassung", profile), title
    )
    create_table_artifact(check_rows(outcome, failure), artifact_key("pruefungen", profile), title)
    # Questions wait on the server of a deployment; a throw-away server ends with this run.
    if settings and runtime.deployment.id:
        try:
            for line in settle_questions(settings, geodata_folder(geodata), folder):
                log.info(line)
        except (PrefectException, httpx.HTTPError) as error:
            # What was published is; the next night asks again, and the command line decides as well.
            log.warning(f"Um Freigabe konnte in Prefect nicht gebeten werden ({type(error).__name__}).")
    if outcome is None:
        # Without the error as data: Prefect would log it again, with a traceback and every finding.
        return Failed(message=message)
    return Completed(message=message, data=outcome, name=STATE_NAMES.get(outcome.result, "Completed"))


if __name__ == "__main__":
    sys.exit(not nightly(return_state=True).is_completed())
