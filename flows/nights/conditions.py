"""How things stand after a run, as conditions that notices tell."""

from __future__ import annotations

from flows.notices.texts import Condition, aged, good, held
from flows.profile import Profile
from flows.stages import Outcome
from flows.store import HELD_REPORT, Store, provenance_of


def condition_after(settings: Profile, outcome: Outcome, run_id: str = "") -> Condition:
    """How things stand after a run that came to an end: waiting for a person, or well."""
    if outcome.result == "held" and outcome.release_id:
        report = f"{outcome.address}/{HELD_REPORT}"
        reasons = outcome.reports["publish"].notes if "publish" in outcome.reports else ()
        return held(settings.name, settings.title, outcome.release_id, reasons, report, run_id)
    return good(settings.name, settings.title, outcome.text, run_id)


def age_condition(settings: Profile, store: Store, run_id: str = "") -> Condition:
    """Which sources of the latest release count as old; a release says so itself, since a limit crossed makes one."""
    latest = store.target.pointer()
    parameters = provenance_of(store, latest)["parameter"] if latest else {}
    old = sorted({*parameters.get("quellen_alt", ()), *parameters.get("quellen_zu_alt", ())})
    if old:
        report = store.target.address(f"releases/{latest}/provenance.json")
        return aged(settings.name, settings.title, tuple(old), report, run_id)
    return good(settings.name, settings.title, "Keine Quelle ist älter als vorgesehen.", run_id)
