"""Fetch one file over HTTP: conditional, polite, bounded in size and time, and silent about secrets.

Conditional requests follow RFC 9110 section 13 (ETag, Last-Modified), waiting follows Retry-After (section 10.2.3).
An address may itself be a secret (a share link), so no message of this module holds more of it than the host.
"""

from __future__ import annotations

import base64
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.auth import AuthBase

from flows.errors import SourceUnavailable
from flows.german import number, size

LOOPBACK = ("127.0.0.1", "::1", "localhost")
REDIRECTS = {301, 302, 303, 307, 308}
MOST_REDIRECTS = 5
# A server that says so may be better in a moment (RFC 9110 section 15.6, RFC 6585).
PASSING = {408, 429, 500, 502, 503, 504}
BLOCK = 65_536
# Seconds without a connection or without a single byte, after which the other side counts as gone.
CONNECT_SECONDS, SILENT_SECONDS = 15.0, 30.0
WEB_PAGE = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a fetch goes: bytes of the file, seconds for everything together, tries, and seconds before the second
    try (doubled for each further one, each spread at random from its half upwards so that many clients do not come
    back at once).
    """

    bytes: int
    seconds: float = 600.0
    tries: int = 4
    wait: float = 2.0


@dataclass(frozen=True, slots=True)
class Validators:
    """What the server said of the file that is here; empty when it said nothing or none is here."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Secret:
    """A token, and how it is sent: as Bearer (RFC 6750), or as the password of ``user`` (RFC 7617). Its repr hides it.

    An ``inside`` token is part of the address, ``{token}``, and not sent in a header.
    """

    token: str
    user: str = ""
    inside: bool = False

    def __repr__(self) -> str:
        return "Secret(***)"

    @property
    def header(self) -> str:
        if self.inside:
            return ""
        if not self.user:
            return f"Bearer {self.token}"
        return f"Basic {base64.b64encode(f'{self.user}:{self.token}'.encode()).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class Request:
    """What to fetch. ``name`` is how messages call the source, ``types`` are the media types that the product may have,
    ``agent`` is sent as User-Agent.
    """

    name: str
    url: str
    agent: str
    types: frozenset[str]
    limits: Limits
    validators: Validators = Validators()
    secret: Secret | None = None

    def __repr__(self) -> str:
        return f"Request({self.name}, {host_of(self.url)})"


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as a fetch sees it, so that tests need not wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    today: Callable[[], datetime] = lambda: datetime.now(UTC)


class NotThere(SourceUnavailable):
    """The server says that it has no such file."""


class _Passing(Exception):
    """A failure that may be over in a moment; ``wait`` (s) is the server's own wish, if it has one."""

    def __init__(self, text: str, wait: float | None = None) -> None:
        self.text, self.wait = text, wait
        super().__init__(text)


class _OwnAuth(AuthBase):
    """Sends the given header or none; without it ``requests`` would send what it finds in ~/.netrc."""

    def __init__(self, header: str) -> None:
        self.header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.header:
            request.headers["Authorization"] = self.header
        return request


def host_of(url: str) -> str:
    """The host of an address: all of it that a message may show."""
    return urlsplit(url).hostname or "?"


def is_address(place: str) -> bool:
    """Whether a place is an address rather than a folder."""
    return "://" in place


def address_fault(url: str) -> str | None:
    """Why an address is not fetched from (German), or None: https only, plain http from this machine only."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "das ist keine gültige Adresse"
    if parts.username or parts.password:
        return "die Adresse enthält Zugangsdaten; bitte stattdessen die Option „token“ verwenden"
    if parts.scheme == "https" and parts.hostname:
        return None
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return None
    return "die Adresse muss mit https:// beginnen"


def fetch(request: Request, target: Path, clock: Clock | None = None) -> Validators | None:
    """Stream the file to ``target``; returns the server's validators, or None when it is unchanged (304).

    Raises ``SourceUnavailable`` with what happened and what to do: unreachable, refused, too large, too slow, of the
    wrong type, or shorter than announced (``NotThere``: there is no such file). ``target`` then does not exist.
    """
    clock = clock or Clock()
    # These loggers write addresses, and so share links, into every log that listens.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    deadline = clock.now() + request.limits.seconds
    pause = request.limits.wait
    for left in range(request.limits.tries - 1, -1, -1):
        try:
            return _try(request, target, clock, deadline)
        except _Passing as failure:
            target.unlink(missing_ok=True)
            # Jitter needs no cryptographic randomness.
            wait = failure.wait if failure.wait is not None else pause * random.uniform(0.5, 1.5)
            # A wish to wait longer than there is time for is granted, too: by the next run.
            if not left or clock.now() + wait >= deadline:
                tried = request.limits.tries - left
                times = "einmal" if tried == 1 else f"{number(tried)}-mal"
                raise _failed(
                    request,
                    f"{failure.text} ({times} versucht).",
                    "Meist vergeht das von selbst; hält es mehrere Tage an, bitte die Adresse im Browser prüfen.",
                ) from None
            clock.sleep(wait)
            pause *= 2
        except SourceUnavailable:
            target.unlink(missing_ok=True)
            raise
    raise AssertionError("a fetch tries at least once")


def _failed(request: Request, text: str, remedy: str) -> SourceUnavailable:
    return SourceUnavailable(f"Quelle „{request.name}“ ({host_of(request.url)}): {text} {remedy}")


def _try(request: Request, target: Path, clock: Clock, deadline: float) -> Validators | None:
    with requests.Session() as session:
        # A proxy of the office stands in the environment; what runs on this machine needs none.
        session.trust_env = host_of(request.url) not in LOOPBACK
        try:
            with _answer(session, request, clock, deadline) as response:
                if response.status_code == 304 and request.validators != Validators():
                    return None
                _check_answer(request, response, clock)
                _stream(request, response, target, clock, deadline)
                return Validators(response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""))
        except requests.exceptions.SSLError:
            text = "das Zertifikat des Servers ist ungültig."
            raise _failed(request, text, "Bitte die Adresse prüfen oder den Betreiber verständigen.") from None
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            raise _Passing("der Server antwortet nicht in der vorgesehenen Zeit") from None
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, urllib3.exceptions.HTTPError):
            raise _Passing("die Verbindung kam nicht zustande oder brach ab") from None
        except (requests.RequestException, ValueError):
            # A ValueError comes from an address in the answer that is none, or from bytes that are no text.
            text = "der Server gibt eine Antwort, die kein gültiges HTTP ist."
            raise _failed(request, text, "Bitte die Adresse prüfen.") from None


def _answer(session: requests.Session, request: Request, clock: Clock, deadline: float) -> requests.Response:
    """The first answer that is no redirect; each step is checked before it is taken."""
    url = request.url
    headers = {"User-Agent": request.agent, "Accept-Encoding": "identity", "Accept": "*/*"}
    if request.validators.etag:
        headers["If-None-Match"] = request.validators.etag
    if request.validators.last_modified:
        headers["If-Modified-Since"] = request.validators.last_modified
    secret = request.secret.header if request.secret else ""
    for _ in range(MOST_REDIRECTS + 1):
        left = max(0.1, deadline - clock.now())
        response = session.get(
            url,
            headers=headers,
            auth=_OwnAuth(secret),
            stream=True,
            allow_redirects=False,
            timeout=(min(CONNECT_SECONDS, left), min(SILENT_SECONDS, left)),
        )
        if response.status_code not in REDIRECTS or "Location" not in response.headers:
            return response
        response.close()
        target = _redirected(request, url, response.headers["Location"])
        if urlsplit(target)[:2] != urlsplit(url)[:2]:
            # The token is for the server that it was given for.
            secret = ""
        url = target
    raise _failed(request, "der Server leitet immer weiter um.", "Bitte die Adresse prüfen.")


def _redirected(request: Request, url: str, location: str) -> str:
    """The address that a redirect from ``url`` leads to, if it is one to go to."""
    target = urljoin(url, location)
    host = host_of(target)
    if address_fault(target) or (host in LOOPBACK and host_of(url) not in LOOPBACK):
        text = f"der Server leitet zu einer unsicheren Adresse um ({host})."
        raise _failed(request, text, "Bitte die Adresse prüfen; erlaubt ist nur https.")
    return target


def _check_answer(request: Request, response: requests.Response, clock: Clock) -> None:
    status = response.status_code
    if status in PASSING:
        raise _Passing(f"der Server antwortet mit {status}", _retry_after(response, clock))
    if status in (401, 403):
        text = f"der Server verweigert den Zugang ({status})."
        raise _failed(request, text, "Bitte prüfen, ob Freigabe und Token noch gelten.")
    if status in (404, 410):
        text = f"die Datei gibt es unter dieser Adresse nicht ({status})."
        remedy = "Bitte die neue Adresse suchen und im Profil unter [fetch] eintragen."
        raise NotThere(str(_failed(request, text, remedy)))
    if status != 200:
        raise _failed(request, f"der Server antwortet mit {status}.", "Bitte die Adresse im Browser prüfen.")
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in WEB_PAGE:
        text = "der Server schickt eine Webseite statt der Datei."
        raise _failed(request, text, "Bitte prüfen, ob die Adresse noch stimmt und keine Anmeldung verlangt.")
    if kind and kind not in request.types:
        text = f"der Server schickt eine Datei der Art „{kind}“; erwartet wird {' oder '.join(sorted(request.types))}."
        raise _failed(request, text, "Bitte die Adresse prüfen.")
    if (announced := _length(response)) is not None and announced > request.limits.bytes:
        raise _too_large(request)


def _length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _retry_after(response: requests.Response, clock: Clock) -> float | None:
    """Seconds that the server wishes for, from a number or a date; None without a wish that can be read."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        day = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (day.replace(tzinfo=day.tzinfo or UTC) - clock.today()).total_seconds())


def _too_large(request: Request) -> SourceUnavailable:
    text = f"die Datei ist größer als {size(request.limits.bytes)}."
    return _failed(request, text, "Ist das richtig, dann bitte im Profil unter [fetch] „megabytes“ erhöhen.")


def _stream(request: Request, response: requests.Response, target: Path, clock: Clock, deadline: float) -> None:
    """Write the body to ``target``, block by block as it comes.

    ``read1`` returns what is there: ``iter_content`` would wait for a full block, and a server that sends a byte now
    and then would hold it for hours.
    """
    received = 0
    with target.open("wb") as stream:
        while block := response.raw.read1(BLOCK, decode_content=True):
            received += len(block)
            if received > request.limits.bytes:
                raise _too_large(request)
            if clock.now() >= deadline:
                text = f"nach {number(round(request.limits.seconds))} Sekunden war die Datei noch nicht ganz da."
                raise _failed(request, text, "Der Server ist langsam; der nächste Lauf versucht es wieder.")
            stream.write(block)
    # The length is that of the wire; of a compressed answer urllib3 itself checks it.
    announced = None if response.headers.get("Content-Encoding") else _length(response)
    if announced is not None and received != announced:
        raise _Passing(f"es kamen {number(received)} von {number(announced)} Bytes an")
