"""Notices to a web address, as JSON. The address often holds a token: it comes from the environment, never shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from flows.notices.errors import Undelivered
from flows.notices.texts import Notice, payload

WEBHOOK_URL = "PRAEVKARTE_WEBHOOK_URL"
SECONDS = 30.0
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that takes notices by POST. It is kept out of ``repr``, which ends up in logs."""

    address: str = field(repr=False)

    @property
    def name(self) -> str:
        return "Webhook"

    def send(self, notice: Notice) -> str:
        """Post the notice; redirects are not followed, so that the token goes nowhere else."""
        try:
            place = urlsplit(self.address)
            safe = place.scheme == "https" or (place.scheme == "http" and place.hostname in LOOPBACK)
        except ValueError:
            safe = False
        if not safe:
            raise Undelivered(f"{WEBHOOK_URL} ist keine https-Adresse.")
        try:
            answer = requests.post(self.address, json=payload(notice), timeout=SECONDS, allow_redirects=False)
        except requests.Timeout:
            raise Undelivered("der Webhook antwortet nicht rechtzeitig.") from None
        except (requests.RequestException, ValueError) as error:
            # The library's own words repeat the address.
            raise Undelivered(f"der Webhook ist nicht erreichbar ({type(error).__name__}).") from None
        if not 200 <= answer.status_code < 300:
            raise Undelivered(f"der Webhook antwortet mit {answer.status_code}.")
        return ""
