"""A run of the stages of which remains how it ended, so that a silence can be told from a night without changes."""

from __future__ import annotations

import contextlib
import textwrap
from datetime import UTC, date, datetime
from pathlib import Path

from flows.errors import PipelineError, Refused, StoreBusy
from flows.german import number
from flows.nights.last_run import FAILED, record_run
from flows.profile import Profile
from flows.runners.base import Mapper
from flows.runners.local import map_locally
from flows.stages import Caller, Outcome, call_directly, run_stages, store_of


def failure_message(error: PipelineError) -> str:
    """Why nothing was published, short enough for a list of runs: of many findings the first and their number."""
    if not isinstance(error, Refused):
        return f"Fehler: {error}"
    count = len(error.findings)
    first = textwrap.shorten(str(error.findings[0]), 400, placeholder=" …")
    words = "1 Befund" if count == 1 else f"{number(count)} Befunde"
    rest = "" if count == 1 else f" (und {number(count - 1)} weitere)"
    return f"Abgelehnt: {words}; es wurde nichts veröffentlicht. {first}{rest}"


def recorded_run(
    profile: Profile,
    outputs: Path,
    day: date | None,
    call: Caller = call_directly,
    anyway: bool = False,
    run_id: str = "",
    mapper: Mapper = map_locally,
) -> Outcome:
    """``run_stages`` of a whole release, its end noted in the workspace. Raises what that raises.

    A run that met another one notes nothing: the other does. Nor does one whose disk takes no more: then the note gets
    old, and the freshness check says so.
    """
    try:
        outcome = run_stages(profile, outputs, day, call=call, anyway=anyway, run_id=run_id, mapper=mapper)
    except StoreBusy:
        raise
    except Exception as error:
        unforeseen = f"Abgebrochen: unerwarteter Fehler ({type(error).__name__})."
        text = failure_message(error) if isinstance(error, PipelineError) else unforeseen
        note_failure(profile, outputs, text, run_id)
        raise
    _note(profile, outputs, outcome.result, outcome.text, run_id)
    return outcome


def note_failure(profile: Profile, outputs: Path, text: str, run_id: str) -> None:
    """Note that a run failed (``text``, German), where the disk takes it."""
    _note(profile, outputs, FAILED, text, run_id)


def _note(profile: Profile, outputs: Path, result: str, text: str, run_id: str) -> None:
    with contextlib.suppress(OSError):
        record_run(store_of(profile, outputs), result, text, datetime.now(UTC), run_id)
