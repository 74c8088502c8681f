"""The flow ``freshness``: the outside check, for the overview in Prefect's web page.

It tells nobody: the systemd timer does, which also works when Prefect does not (``docs/operations.md``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.deployments.settings import outputs_folder, settings_of
from flows.errors import PipelineError
from flows.nights.freshness import check_freshness, in_order
from flows.stages import store_of

# Files of the latest release are read and, where there is a public address, fetched.
LONGEST_SECONDS = 3600


def _run_name() -> str:
    return f"Frische {runtime.flow_run.parameters['profile']}"


@flow(name="freshness", flow_run_name=_run_name, persist_result=False, timeout_seconds=LONGEST_SECONDS)
def freshness(profile: str = "thueringen", geodata: Path | None = None, outputs: Path | None = None) -> State[Any]:
    """Do what ``praevkarte freshness`` does, without notices; ends Failed when something is not as it should be."""
    try:
        settings = settings_of(profile, geodata)
        store = store_of(settings, outputs_folder(outputs))
        alarms = check_freshness(settings, store, datetime.now(UTC))
    except PipelineError as error:
        return Failed(message=f"Fehler: {error}")
    for alarm in alarms:
        get_run_logger().warning(alarm.text)
    if alarms:
        return Failed(message=f"Alarm: {alarms[0].text}")
    return Completed(message=f"In Ordnung: {in_order(store)}")
