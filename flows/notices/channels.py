"""The ways by which a notice reaches people; which there are follows from the profile and the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from flows.notices.mail import SMTP_URL, Mail
from flows.notices.texts import Notice
from flows.notices.webhook import WEBHOOK_URL, Webhook
from flows.profile import Profile


class Channel(Protocol):
    """A way to people."""

    @property
    def name(self) -> str:
        """How the log and the state file name it."""

    def send(self, notice: Notice) -> str:
        """Deliver a notice and return a remark for the log, or nothing; or raise ``Undelivered``."""


def channels(profile: Profile, environment: Mapping[str, str]) -> tuple[Channel, ...]:
    """The channels that are set up. Recipients without a mail server are a channel too, one that says what is missing:
    who has entered them counts on being told.
    """
    found: list[Channel] = []
    settings = profile.notices
    if settings.recipients:
        found.append(Mail(environment.get(SMTP_URL, ""), settings.sender, settings.recipients))
    if address := environment.get(WEBHOOK_URL):
        found.append(Webhook(address))
    return tuple(found)
