"""The flow ``evidence-links``: once a week, whether the pages behind the evidence still answer."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.deployments.settings import artifact_key, outputs_folder, settings_of
from flows.errors import PipelineError
from flows.german import day as german_day
from flows.german import number
from flows.links.check import DEAD, NOT_CHECKED, REACHABLE, WORK_COLUMNS, check_links
from flows.nights.freshness import user_agent
from flows.stages import store_of, today

# Thousands of addresses at some seconds each; the next check comes in a week.
LONGEST_SECONDS = 12 * 3600


def _run_name() -> str:
    parameters = runtime.flow_run.parameters
    return f"Links {parameters['profile']} {parameters['day'] or today()}"


@flow(name="evidence-links", flow_run_name=_run_name, persist_result=False, timeout_seconds=LONGEST_SECONDS)
def evidence_links(
    profile: str = "thueringen", day: date | None = None, geodata: Path | None = None, outputs: Path | None = None
) -> State[Any]:
    """Do what ``praevkarte evidence-links`` does; the work list is the artifact ``arbeitsliste-links-<profile>``.

    Ends Completed with the counts, or Failed with the reason when nothing could be learned.
    """
    log = get_run_logger()
    try:
        settings = settings_of(profile, geodata)
        store = store_of(settings, outputs_folder(outputs))
        checked = check_links(settings, store, day or today(), user_agent(settings), told=log.info)
    except PipelineError as error:
        # Without the error as data: Prefect would log it again, with a traceback.
        return Failed(message=f"Fehler: {error}")
    title = f"Belege, deren Seite anzusehen ist: {profile}, {german_day(day or today())}"
    rows = [dict(row) for row in checked.work] or [dict.fromkeys(WORK_COLUMNS, "") | {"befund": "nichts zu tun"}]
    create_table_artifact(rows, artifact_key("arbeitsliste-links", profile), title)
    words = {REACHABLE: "erreichbar", DEAD: "nicht erreichbar", NOT_CHECKED: "ungeklärt"}
    counts = ", ".join(f"{word} {number(checked.count(state))}" for state, word in words.items())
    return Completed(message=f"Belege: {counts}; Arbeitsliste: {number(len(checked.work))}")
