"""Ask whether a web page still answers, without being a burden: slowly, by name, and only where robots may look.

robots.txt is read as RFC 9309 says: none there (4xx) allows everything, a server in trouble (5xx) forbids everything.
Retrieving little: HEAD, and where that is refused, GET with a small range (RFC 9110, sections 9.3.2 and 14.2).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import requests
import urllib3

# How robots.txt files address us.
ROBOT = "praevkarte"
# Seconds between two requests to one host; a longer wish in robots.txt is granted up to the second figure.
BETWEEN, LONGEST_BETWEEN = 5.0, 60.0
# Seconds without a connection or an answer.
TIMES = (15.0, 30.0)
MOST_REDIRECTS = 5
# So much (bytes) of a page is asked for, and of a robots.txt read (RFC 9309 section 2.5 demands 500 KiB).
PAGE_BYTES, ROBOTS_BYTES = 1024, 512_000
LOOPBACK = ("127.0.0.1", "::1", "localhost")
REDIRECTS = {301, 302, 303, 307, 308}
# The server answers, but not to programs or not now: nothing is known of the page.
SILENT = {401, 403, 407, 408, 425, 429, 451}
ANSWERS, FAILS, UNKNOWN = "ja", "nein", "offen"


@dataclass(frozen=True, slots=True)
class Probe:
    """What was learned of one address: ``ja``, ``nein`` or ``offen``, and the same in words (German)."""

    result: str
    words: str


@dataclass(frozen=True, slots=True)
class Pace:
    """Time as the probing sees it, so that tests need not wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class _NoAuth(requests.auth.AuthBase):
    """Sends nothing; without it ``requests`` would send what it finds in ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def origin_of(url: str) -> str:
    """Scheme, host and port: what a robots.txt is valid for."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def in_turn(urls: Iterable[str]) -> list[str]:
    """The addresses, the hosts taking turns, so that waiting for one host is time for the others."""
    hosts: dict[str, list[str]] = {}
    for url in urls:
        hosts.setdefault(origin_of(url), []).append(url)
    return [url for turn in zip_longest(*hosts.values()) for url in turn if url]


@dataclass(slots=True)
class Prober:
    """Asks for addresses under the name ``agent``; remembers robots.txt and the last request per host."""

    agent: str
    pace: Pace = field(default_factory=Pace)
    between: float = BETWEEN
    robots: dict[str, RobotFileParser | Probe] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)

    def probe_all(self, urls: Iterable[str]) -> Iterator[tuple[str, Probe]]:
        """Every address with what was learned of it, one request after the other."""
        # This logger writes addresses at every retry and redirect.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)
        for url in in_turn(urls):
            yield url, self.probe(url)

    def probe(self, url: str) -> Probe:
        """Whether the page at ``url`` answers; never raises for what a server, the network or an address does."""
        try:
            return self._follow(url)
        except requests.exceptions.SSLError:
            return Probe(FAILS, "das Zertifikat des Servers ist ungültig")
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            return Probe(FAILS, "der Server antwortet nicht rechtzeitig")
        except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError, ValueError):
            return Probe(FAILS, "der Server ist nicht erreichbar")

    def _follow(self, url: str) -> Probe:
        """The answer after all redirects; each step is checked before it is taken."""
        place = url
        for _ in range(MOST_REDIRECTS + 1):
            if forbidden := self._forbidden(place):
                return forbidden
            status, target = self._ask(place)
            if status not in REDIRECTS or not target:
                return self._judged(url, place, status)
            target = urljoin(place, target)
            parts = urlsplit(target)
            inward = parts.hostname in LOOPBACK and urlsplit(place).hostname not in LOOPBACK
            if parts.scheme not in ("http", "https") or inward:
                return Probe(FAILS, "der Server leitet zu einer Adresse um, die keine öffentliche Webseite ist")
            place = target
        return Probe(FAILS, "der Server leitet immer weiter um")

    def _judged(self, url: str, place: str, status: int) -> Probe:
        if status in SILENT:
            return Probe(UNKNOWN, f"der Server gibt Programmen keine Auskunft ({status})")
        # 416: the range is not to be had, so the page is.
        if not (200 <= status < 300 or status == requests.codes.requested_range_not_satisfiable):
            return Probe(FAILS, f"der Server antwortet mit {status}")
        if urlsplit(place).path in ("", "/") and urlsplit(url).path not in ("", "/"):
            return Probe(UNKNOWN, "die Adresse leitet auf eine Startseite um: bitte ansehen")
        return Probe(ANSWERS, f"erreichbar ({status})")

    def _ask(self, url: str) -> tuple[int, str]:
        """Status and redirect target: by HEAD, or by GET for a server that does not answer HEAD as it answers GET."""
        status, target = self._request("HEAD", url, {})
        if status < 400:
            return status, target
        return self._request("GET", url, {"Range": f"bytes=0-{PAGE_BYTES - 1}"})

    def _request(self, method: str, url: str, headers: dict[str, str]) -> tuple[int, str]:
        with requests.Session() as session:
            session.trust_env = urlsplit(url).hostname not in LOOPBACK
            self._wait(url)
            with session.request(
                method,
                url,
                headers={"User-Agent": self.agent, "Accept": "*/*"} | headers,
                auth=_NoAuth(),
                timeout=TIMES,
                allow_redirects=False,
                # The body of a page that ignores the range is not read.
                stream=True,
            ) as answer:
                return answer.status_code, answer.headers.get("Location", "")

    def _wait(self, url: str) -> None:
        """Let enough time pass since the last request to this host."""
        host = origin_of(url)
        rules = self.robots.get(host)
        wished = rules.crawl_delay(ROBOT) if isinstance(rules, RobotFileParser) else None
        between = min(max(self.between, float(wished or 0)), LONGEST_BETWEEN)
        if host in self.last and (rest := self.last[host] + between - self.pace.now()) > 0:
            self.pace.sleep(rest)
        self.last[host] = self.pace.now()

    def _forbidden(self, url: str) -> Probe | None:
        """Why robots may not look at this page, or None."""
        origin = origin_of(url)
        if origin not in self.robots:
            self.robots[origin] = self._read_robots(origin)
        rules = self.robots[origin]
        if isinstance(rules, Probe):
            return rules
        if rules.can_fetch(ROBOT, url):
            return None
        return Probe(UNKNOWN, "robots.txt untersagt Programmen diese Seite")

    def _read_robots(self, origin: str) -> RobotFileParser | Probe:
        """The rules of a host, or what an unreadable robots.txt means for its pages."""
        rules = RobotFileParser()
        with requests.Session() as session:
            session.trust_env = urlsplit(origin).hostname not in LOOPBACK
            self._wait(origin)
            headers = {"User-Agent": self.agent, "Accept": "text/plain, */*"}
            with session.get(
                f"{origin}/robots.txt", headers=headers, auth=_NoAuth(), timeout=TIMES, stream=True
            ) as answer:
                if answer.status_code >= 500:
                    return Probe(UNKNOWN, f"robots.txt ist nicht zu lesen ({answer.status_code})")
                text = ""
                if answer.status_code == requests.codes.ok:
                    text = answer.raw.read(ROBOTS_BYTES, decode_content=True).decode("utf-8", errors="replace")
        rules.parse(text.splitlines())
        return rules
