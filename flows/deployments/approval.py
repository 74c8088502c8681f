"""The flow ``approval``: a held release asks for a person's word in Prefect's web page.

It is a run of its own, started by the night that held the release, and suspended: no process waits, no lock is held,
the next nights go on. Resumed with an answer it does what ``praevkarte approve`` or ``reject`` do; whoever comes
second, here or there, is told that it is decided.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from prefect import flow, runtime, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, State, StateType, TaskRun
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.states import Cancelled, Completed, Failed
from prefect.tasks import Task
from pydantic import Field

from flows.deployments.settings import artifact_key, outputs_folder, settings_of
from flows.errors import PipelineError, StoreBusy
from flows.operations import approve, clear_work, default_approver, recover, reject
from flows.profile import Profile
from flows.stages import store_of, today
from flows.store import HELD_REPORT, Store, held_ids, locked, published_ids

DEPLOYMENT = "approval/freigabe"
TAG = "freigabe"
# So long a run waits for an answer; while the release is still held, the next night then asks again.
PATIENCE = timedelta(days=14)
OPEN = (StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED)
# A night that works just now is over within minutes.
BUSY_RETRIES, BUSY_SECONDS = 20, 30.0
# Prefect's web page shows the question above the form.
QUESTION = """Ausgabe **{release}** ist fertig und geprüft, aber ein Mensch soll sie ansehen: Sie weicht stark von
der letzten ab, oder eine Quelle ist zu alt.

Was sie auslöste, steht im Artefakt `{artifact}` und in `{report}`. Der Grund wird veröffentlicht; bitte nichts
hineinschreiben, was nicht öffentlich sein darf, und unter „durch“ ein Amt oder eine Funktion nennen, keinen Namen."""


class Decision(RunInput):
    """The answer of a person."""

    entscheidung: Literal["freigeben", "verwerfen"] = Field(title="Entscheidung")
    grund: str = Field(title="Grund (wird veröffentlicht)", min_length=3, pattern=r"\S")
    durch: str = Field(default="", title="durch (Amt oder Funktion, kein Name; wird veröffentlicht)")


def _run_name() -> str:
    parameters = runtime.flow_run.parameters
    return f"Freigabe {parameters['release_id']} ({parameters['profile']})"


@flow(name="approval", flow_run_name=_run_name, persist_result=False)
def approval(release_id: str, profile: str, geodata: Path | None = None, outputs: Path | None = None) -> State[Any]:
    """Ask for a decision on the held release ``release_id``, wait up to ``PATIENCE`` without a process, and act on it.

    Prefect runs this function again from its beginning when it is resumed; ``suspend_flow_run`` then gives the answer.
    """
    settings = settings_of(profile, geodata)
    store = store_of(settings, outputs_folder(outputs))
    if release_id not in held_ids(store):
        return Completed(message=decided(store, release_id), name="Schon entschieden")
    report = store.held / release_id / HELD_REPORT
    key = artifact_key("freigabe", profile)
    if report.is_file():
        create_markdown_artifact(report.read_text(encoding="utf-8"), key, f"Ausgabe {release_id} wartet auf Freigabe")
    question = QUESTION.format(release=release_id, artifact=key, report=report)
    answer = suspend_flow_run(
        wait_for_input=Decision.with_initial_data(description=question),
        timeout=int(PATIENCE.total_seconds()),
        key="freigabe",
    )
    try:
        return Completed(message=act_as_task(settings, store, release_id, answer))
    except PipelineError as error:
        # Without the error as data: Prefect would log it again, with a traceback.
        return Failed(message=f"Nicht ausgeführt: {error}")


def decided(store: Store, release_id: str) -> str:
    """That nothing is left to decide, and how it ended (German)."""
    if release_id in published_ids(store):
        return f"{release_id} ist schon veröffentlicht; es war nichts mehr zu tun."
    return f"{release_id} wartet nicht mehr auf Freigabe; es war nichts mehr zu tun."


def act(settings: Profile, store: Store, release_id: str, answer: Decision) -> str:
    """Do what was decided, as the command line does; returns what happened (German). Raises what that raises."""
    with locked(store):
        recover(store)
        if release_id not in held_ids(store):
            return decided(store, release_id)
        if answer.entscheidung == "freigeben":
            approver = answer.durch.strip() or default_approver(settings.publisher.name)
            approve(store, release_id, answer.grund, approver, today())
            text = f"Freigegeben und veröffentlicht: {release_id}"
        else:
            reject(store, release_id, answer.grund, today())
            text = f"Verworfen: {release_id}. Dieselben Eingaben werden nicht noch einmal vorgelegt."
        clear_work(store)
    return text


def act_as_task(settings: Profile, store: Store, release_id: str, answer: Decision) -> str:
    """``act`` as a Prefect task that tries again while another run holds the store."""
    trouble: PipelineError | None = None

    def busy(_task: Task[..., Any], _task_run: TaskRun, _state: State[Any]) -> bool:
        return isinstance(trouble, StoreBusy)

    @task(
        name="entscheiden",
        task_run_name=f"Entscheidung umsetzen: {answer.entscheidung}",
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=BUSY_RETRIES,
        retry_delay_seconds=BUSY_SECONDS,
        retry_condition_fn=busy,
    )
    def decide() -> str | State[Any]:
        nonlocal trouble
        trouble = None
        try:
            return act(settings, store, release_id, answer)
        except PipelineError as error:
            trouble = error
            return Failed(message=str(error))

    state: State[Any] = decide(return_state=True)
    if trouble:
        raise trouble
    message: str = state.result()
    return message


# --- asked for and ended by the night -------------------------------------------------------------------------------


def open_questions(profile: str, outputs: Path) -> list[FlowRun]:
    """The runs that wait for a decision on releases of a profile in ``outputs``."""
    waiting = FlowRunFilter.model_validate(
        {"tags": {"all_": [TAG, profile_tag(profile)]}, "state": {"type": {"any_": list(OPEN)}}}
    )
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_run_filter=waiting)
    return [run for run in runs if run.parameters.get("outputs") == str(outputs)]


def profile_tag(profile: str) -> str:
    """The tag by which runs of a profile are found."""
    return f"profil:{profile}"


def settle_questions(settings: Profile, geodata: Path, outputs: Path) -> list[str]:
    """Ask for a decision on every held release for which nobody asks yet, and end the runs that ask in vain.

    Returns what was done (German). Called by the night, after the store is free again; needs the server it runs under.
    """
    waiting = held_ids(store_of(settings, outputs))
    runs = open_questions(settings.name, outputs)
    told = []
    with get_client(sync_client=True) as client:
        for run in runs:
            if run.parameters["release_id"] not in waiting:
                over: State[Any] = Cancelled(message="Anderswo entschieden (Kommandozeile oder neuer Lauf).")
                client.set_flow_run_state(run.id, over, force=True)
                told.append(f"Frage nach Freigabe von {run.parameters['release_id']} beendet: schon entschieden.")
    asked = {run.parameters["release_id"] for run in runs}
    for release_id in waiting:
        if release_id not in asked:
            told.append(_ask(settings.name, release_id, geodata, outputs))
    return told


def _ask(profile: str, release_id: str, geodata: Path, outputs: Path) -> str:
    parameters = {"release_id": release_id, "profile": profile, "geodata": str(geodata), "outputs": str(outputs)}
    try:
        run_deployment(DEPLOYMENT, parameters=parameters, timeout=0, tags=[TAG, profile_tag(profile)], as_subflow=False)
    except ObjectNotFound:
        return f"Das Deployment {DEPLOYMENT} fehlt; {release_id} lässt sich nur mit `praevkarte approve` freigeben."
    return f"Um Freigabe von {release_id} wird in Prefect gebeten."
