"""What was told last, so that a change is told once and not every night, and what is still to be delivered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.notices.channels import Channel
from flows.notices.errors import Undelivered
from flows.notices.texts import GOOD, Condition, Notice, recovered
from flows.targets.local import LocalTarget

# So many undelivered notices are kept per channel, the newest; older news is of no use.
KEPT = 5


@dataclass(frozen=True, slots=True)
class Told:
    """The condition told last (its key) and since when it holds; per channel the notices that did not arrive yet."""

    key: str = GOOD
    since: str = ""
    pending: dict[str, tuple[Notice, ...]] = field(default_factory=dict)


def file_of(topic: str) -> str:
    """The file of a topic in its folder."""
    return f"meldung-{topic}.json"


def read_told(folder: Path, topic: str) -> Told:
    """What was told last on a topic; nothing where there is no file, or one that cannot be read."""
    try:
        content = LocalTarget(folder).read(file_of(topic))
        values: dict[str, Any] = json.loads(content) if content else {}
        pending = {
            channel: tuple(Notice.from_dict(notice) for notice in notices)
            for channel, notices in values.get("offen", {}).items()
        }
        return Told(values.get("zustand", GOOD), values.get("seit", ""), pending)
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        # A damaged file must not silence the alarm: what holds now is told (again).
        return Told()


def write_told(folder: Path, topic: str, told: Told) -> None:
    """Replace the file of a topic in one step."""
    content = {
        "zustand": told.key,
        "seit": told.since,
        "offen": {channel: [notice.as_dict() for notice in notices] for channel, notices in told.pending.items()},
    }
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    LocalTarget(folder).write(file_of(topic), text.encode("utf-8"))


def announce(folder: Path, topic: str, condition: Condition, ways: Sequence[Channel], now: datetime) -> tuple[str, ...]:
    """Tell ``condition`` on every channel if it differs from the one told last, and try what did not arrive before.

    Returns remarks (German) for the log. The file changes only when something did.
    """
    before = read_told(folder, topic)
    since = now.isoformat(timespec="seconds")
    news: tuple[Notice, ...] = ()
    if condition.key != before.key:
        told = recovered(condition, before.since or since) if condition.kind == GOOD else condition
        news = (Notice(told, since),)
    remarks: list[str] = []
    pending: dict[str, tuple[Notice, ...]] = {}
    for way in ways:
        due = (*before.pending.get(way.name, ()), *news)[-KEPT:]
        left, said = _deliver(way, due)
        remarks += said
        if left:
            pending[way.name] = left
    if news and not ways:
        remarks.append(f"Niemand ist zu benachrichtigen (Profil, [notices]): {condition.subject}.")
    after = Told(condition.key, since if news else before.since, pending)
    if after != before:
        try:
            write_told(folder, topic, after)
        except OSError as error:
            remarks.append(f"{folder}: was gemeldet ist, lässt sich nicht festhalten ({error.strerror}).")
    return tuple(remarks)


def _deliver(way: Channel, due: Sequence[Notice]) -> tuple[tuple[Notice, ...], list[str]]:
    """Send notices in their order up to the first that does not arrive; returns what is left and remarks."""
    said: list[str] = []
    for number, notice in enumerate(due):
        try:
            remark = way.send(notice)
        except Undelivered as reason:
            said.append(f"Meldung über {way.name} nicht zugestellt, nächster Versuch beim nächsten Mal: {reason}")
            return tuple(due[number:]), said
        said.append(f"Meldung über {way.name} zugestellt: {notice.condition.subject}. {remark}".rstrip())
    return (), said
