"""Notices to the office: when the state of the operation changes, by e-mail and webhook, in plain German.

They are sent by the programs themselves and not by Prefect's notification blocks, because the news that matters most
(the server is down, the worker is dead, a run crashed before it began) is just what a server that is down cannot send.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from flows.notices.channels import Channel, channels
from flows.notices.state import announce
from flows.notices.texts import Condition
from flows.profile import Profile


def notify(
    profile: Profile,
    folder: Path,
    topic: str,
    condition: Condition,
    now: datetime,
    environment: Mapping[str, str] = os.environ,
) -> tuple[str, ...]:
    """Tell the profile's recipients of ``condition``, if it is another than last time; returns remarks for the log.

    ``folder`` keeps what was told last, per ``topic``. Never raises for a channel that fails or a folder that cannot
    be written: a notice must not bring down what it reports on.
    """
    ways: tuple[Channel, ...] = channels(profile, environment)
    return announce(folder, topic, condition, ways, now)
