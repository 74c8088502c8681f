"""When a run last went well: what ``praevkarte freshness`` needs to know of nights that published nothing.

A night without changes makes no release, so nothing that is published tells it from a night that never was. One small
file in the workspace does; it is the only thing that such a night writes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.store import Store
from flows.targets.local import LocalTarget

# What the operation remembers, not public: below the workspace, out of sight of readers.
FOLDER = ".betrieb"
FILE = "lauf.json"
# Nobody waits for anything: published, as it was, or put aside by a person on purpose. A held release is none of them.
GOOD_RESULTS = {"published", "unchanged", "blocked"}
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LastRun:
    """How a run ended: when (ISO 8601, UTC), its result, the message in German, and its id where it has one."""

    am: str
    ergebnis: str
    meldung: str
    lauf: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """The last run, and the last that went well; None: there was none."""

    last: LastRun | None = None
    good: LastRun | None = None


def operation_folder(store: Store) -> Path:
    """Where the operation of a store keeps what it remembers."""
    return store.workspace / FOLDER


def _run(values: dict[str, Any] | None) -> LastRun | None:
    """A run as it stands in the file; raises ``ValueError`` or ``TypeError`` for what ``record_run`` never wrote."""
    if not values:
        return None
    run = LastRun(**values)
    if datetime.fromisoformat(run.am).tzinfo is None:
        raise ValueError(run.am)
    return run


def read_record(store: Store) -> Record:
    """What is known of past runs; nothing where there is no file, or one that cannot be read."""
    content = LocalTarget(operation_folder(store)).read(FILE)
    try:
        values: dict[str, Any] = json.loads(content) if content else {}
        return Record(_run(values.get("letzter")), _run(values.get("letzter_guter")))
    except (ValueError, TypeError, AttributeError):
        # Without a record, the freshness check alarms: the safe way to be wrong.
        return Record()


def record_run(store: Store, result: str, message: str, now: datetime, run_id: str = "") -> None:
    """Note how a run ended; ``result`` is an outcome's, or ``failed``.

    Raises ``OSError`` where it cannot be written.
    """
    run = LastRun(now.isoformat(timespec="seconds"), result, message, run_id)
    good = run if result in GOOD_RESULTS else read_record(store).good
    content = {"letzter": asdict(run), "letzter_guter": asdict(good) if good else None}
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    LocalTarget(operation_folder(store)).write(FILE, text.encode("utf-8"))
