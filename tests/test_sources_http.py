"""Fetching politely: what is asked, how often, what is refused, and that no secret gets anywhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fault_server import (
    CSV,
    ZIP,
    Fault,
    FaultServer,
    announced,
    drip,
    fault_server,
    redirect,
    reset,
    silence,
    status,
    typed,
    unannounced,
)

from flows.errors import SourceUnavailable
from flows.sources.http import Clock, Limits, Request, Secret, Validators, address_fault, fetch

pytestmark = pytest.mark.network

FILE = "/produkte/vg250.zip"
CONTENT = b"PK" + bytes(range(256)) * 200
NOW = datetime(2026, 2, 1, 3, 15, tzinfo=UTC)


class PatientClock:
    """A clock that moves only by waiting: ``slept`` is how long each wait was meant to be (s)."""

    def __init__(self, tick: float = 0.0) -> None:
        self.seconds, self.tick, self.slept = 0.0, tick, list[float]()

    def now(self) -> float:
        self.seconds += self.tick
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self.sleep, lambda: NOW)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with fault_server() as running:
        running.serve(FILE, CONTENT)
        yield running


@pytest.fixture
def patience() -> PatientClock:
    return PatientClock()


Ask = Callable[..., Validators | None]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "produkt"


@pytest.fixture
def ask(server: FaultServer, target: Path, patience: PatientClock) -> Ask:
    """Fetch ``path`` of the server into ``target`` with the given limits, validators or secret."""

    def asked(path: str = FILE, clock: Clock | None = None, **settings: object) -> Validators | None:
        given = {"limits": Limits(1_000_000)} | settings
        agent = "praevkarte/0.1 (geschaeftsstelle@lpr.example)"
        request = Request("vg250", server.url(path), agent, frozenset({ZIP}), **given)  # type: ignore[arg-type]
        return fetch(request, target, clock or patience.clock)

    return asked


# --- conditional and polite ----------------------------------------------------------------------------------------


def test_the_file_arrives_with_what_the_server_says_of_it(ask: Ask, server: FaultServer, target: Path) -> None:
    told = ask()

    assert told == Validators(server.files[FILE].etag, "Thu, 01 Jan 2026 00:00:00 GMT")
    assert target.read_bytes() == CONTENT


def test_an_unchanged_file_is_not_sent_again(ask: Ask, server: FaultServer) -> None:
    assert ask(validators=ask()) is None
    assert server.statuses(FILE) == [200, 304]


def test_an_unchanged_file_is_known_by_its_date_alone(ask: Ask) -> None:
    assert ask(validators=Validators(last_modified="Thu, 01 Jan 2026 00:00:00 GMT")) is None


def test_a_changed_file_is_sent(ask: Ask, server: FaultServer, target: Path) -> None:
    known = ask()
    server.serve(FILE, CONTENT + b"neu")

    assert ask(validators=known) is not None
    assert target.read_bytes().endswith(b"neu")


def test_the_server_learns_who_asks_and_whom_to_write_to(ask: Ask, server: FaultServer) -> None:
    ask()

    assert server.requests[0].headers["User-Agent"] == "praevkarte/0.1 (geschaeftsstelle@lpr.example)"


def test_a_server_that_says_unchanged_without_being_asked_is_not_believed(ask: Ask, server: FaultServer) -> None:
    server.fail(FILE, status(304))

    with pytest.raises(SourceUnavailable, match="antwortet mit 304"):
        ask()


# --- failures that pass --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [status(500), status(503), status(429), reset(0), reset(0.5), announced(len(CONTENT) + 9)]
)
def test_a_passing_failure_is_tried_again(ask: Ask, server: FaultServer, target: Path, fault: Fault) -> None:
    server.fail(FILE, fault, times=2)

    assert ask() is not None
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 3


def test_each_wait_is_longer_than_the_one_before_and_none_is_exactly_the_same(
    ask: Ask, server: FaultServer, patience: PatientClock
) -> None:
    server.fail(FILE, status(500), times=9)

    with pytest.raises(SourceUnavailable, match=r"antwortet mit 500 \(4-mal versucht\)"):
        ask()
    assert [low <= wait <= 3 * low for low, wait in zip((1, 2, 4), patience.slept, strict=True)] == [True] * 3
    assert patience.slept != [2, 4, 8]


@pytest.mark.parametrize("wish", ["7", "Sun, 01 Feb 2026 03:15:07 GMT"])
def test_the_server_says_how_long_to_wait(ask: Ask, server: FaultServer, patience: PatientClock, wish: str) -> None:
    server.fail(FILE, status(429, retry_after=wish))

    assert ask() is not None
    assert patience.slept == [7.0]


def test_a_wish_of_hours_is_granted_by_not_asking_again(ask: Ask, server: FaultServer, patience: PatientClock) -> None:
    server.fail(FILE, status(503, retry_after="86400"))

    with pytest.raises(SourceUnavailable, match=r"antwortet mit 503 \(einmal versucht\)"):
        ask()
    assert patience.slept == []
    assert len(server.requests) == 1


def test_no_wait_goes_beyond_the_time_for_the_whole(ask: Ask, server: FaultServer, patience: PatientClock) -> None:
    server.fail(FILE, status(503, retry_after="100"), times=9)

    with pytest.raises(SourceUnavailable, match="einmal versucht"):
        ask(limits=Limits(1_000_000, seconds=60))
    assert patience.slept == []


def test_a_server_that_is_not_there(target: Path, patience: PatientClock) -> None:
    with fault_server() as gone:
        address = gone.url(FILE)
    request = Request("vg250", address, "x", frozenset({ZIP}), Limits(10, tries=2))

    with pytest.raises(SourceUnavailable, match="die Verbindung kam nicht zustande oder brach ab"):
        fetch(request, target, patience.clock)


# --- failures that stay --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (status(404), "die Datei gibt es unter dieser Adresse nicht (404). Bitte die neue Adresse suchen"),
        (status(403), "der Server verweigert den Zugang (403). Bitte prüfen, ob Freigabe und Token noch gelten."),
        (status(418), "der Server antwortet mit 418."),
        (typed("text/html; charset=utf-8", b"<html>"), "der Server schickt eine Webseite statt der Datei."),
        (typed("image/png"), "der Server schickt eine Datei der Art „image/png“; erwartet wird application/zip."),
        (announced(2_000_000), "die Datei ist größer als 1 MB. Ist das richtig, dann bitte im Profil"),
        (redirect("https://[kaputt/x.zip"), "der Server gibt eine Antwort, die kein gültiges HTTP ist."),
        (redirect("ftp://bkg.example/x.zip"), "der Server leitet zu einer unsicheren Adresse um (bkg.example)."),
        (redirect("http://bkg.example/x.zip"), "der Server leitet zu einer unsicheren Adresse um (bkg.example)."),
    ],
)
def test_a_lasting_failure_is_told_at_once(
    ask: Ask, server: FaultServer, target: Path, fault: Fault, message: str
) -> None:
    server.fail(FILE, fault, times=9)

    with pytest.raises(SourceUnavailable) as caught:
        ask()
    assert str(caught.value).startswith(f"Quelle „vg250“ (127.0.0.1): {message}")
    assert len(server.requests) == 1
    assert not target.exists()


def test_a_file_without_a_length_is_taken_and_a_large_one_is_not(ask: Ask, server: FaultServer, target: Path) -> None:
    server.fail(FILE, unannounced, times=2)
    ask()
    assert target.read_bytes() == CONTENT

    with pytest.raises(SourceUnavailable, match="größer als 20 kB"):
        ask(limits=Limits(20_000))
    assert not target.exists()


def test_a_server_that_drips_is_left(ask: Ask, server: FaultServer, target: Path) -> None:
    """Each byte comes in time, the file never does."""
    server.fail(FILE, drip)

    with pytest.raises(SourceUnavailable, match="nach 60 Sekunden war die Datei noch nicht ganz da"):
        ask(clock=PatientClock(tick=10).clock, limits=Limits(1_000_000, seconds=60))
    assert not target.exists()


def test_a_server_that_says_nothing_is_left(ask: Ask, server: FaultServer) -> None:
    server.fail(FILE, silence)

    with pytest.raises(SourceUnavailable, match="antwortet nicht in der vorgesehenen Zeit"):
        ask(limits=Limits(1_000_000, seconds=0.2, tries=1))


def test_a_redirect_is_followed_a_few_times(ask: Ask, server: FaultServer) -> None:
    server.fail("/alt.zip", redirect("/neu.zip"))
    server.fail("/neu.zip", redirect(server.url(FILE)))
    assert ask("/alt.zip") is not None

    server.fail("/kreis.zip", redirect("/kreis.zip"), times=9)
    with pytest.raises(SourceUnavailable, match="leitet immer weiter um"):
        ask("/kreis.zip")


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("https://daten.gdz.bkg.bund.de/x.zip", None),
        ("http://127.0.0.1:8000/x.zip", None),
        ("http://daten.gdz.bkg.bund.de/x.zip", "die Adresse muss mit https:// beginnen"),
        ("http://127.0.0.1.bkg.example/x.zip", "die Adresse muss mit https:// beginnen"),
        ("https://[kaputt/x.csv", "das ist keine gültige Adresse"),
        ("file:///etc/passwd", "die Adresse muss mit https:// beginnen"),
        ("https://amt:geheim@cloud.example/x.csv", "die Adresse enthält Zugangsdaten"),
    ],
)
def test_only_https_leaves_this_machine(address: str, fault: str | None) -> None:
    assert (address_fault(address) or "").startswith(fault or "")
    assert bool(address_fault(address)) == bool(fault)


# --- secrets -------------------------------------------------------------------------------------------------------

TOKEN = "geheim-4711"


@pytest.mark.parametrize(
    ("secret", "header"),
    [(Secret(TOKEN), f"Bearer {TOKEN}"), (Secret(TOKEN, "amt"), "Basic YW10OmdlaGVpbS00NzEx")],
)
def test_a_token_is_sent_in_the_header(ask: Ask, server: FaultServer, secret: Secret, header: str) -> None:
    ask(secret=secret)

    assert server.requests[0].headers["Authorization"] == header


def test_a_password_file_of_the_machine_is_not_used(
    ask: Ask, server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login root password fremd\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    ask()

    assert "Authorization" not in server.requests[0].headers


def test_a_token_does_not_follow_to_another_server(ask: Ask, server: FaultServer) -> None:
    with fault_server() as other:
        address = other.serve("/x.zip", CONTENT)
        server.fail(FILE, redirect(address))
        ask(secret=Secret(TOKEN))

        assert "Authorization" in server.requests[0].headers
        assert "Authorization" not in other.requests[0].headers


@pytest.mark.parametrize(
    "fault", [status(404), status(500), reset(0), typed("text/html"), redirect("/s/geheim-4711/2")]
)
def test_a_share_link_is_in_no_message_and_in_no_log(
    ask: Ask, server: FaultServer, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    path = f"/s/{TOKEN}/download"
    server.fail(path, fault, times=9)
    server.fail(f"/s/{TOKEN}/2", redirect(f"http://boese.example/{TOKEN}"))
    caplog.set_level(logging.DEBUG)

    with pytest.raises(SourceUnavailable) as caught:
        ask(path, secret=Secret(TOKEN, inside=True))
    assert server.requests[0].path == path
    assert TOKEN not in str(caught.value)
    assert TOKEN not in caplog.text
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_neither_a_request_nor_a_secret_shows_itself() -> None:
    request = Request(
        "share", f"https://cloud.example/s/{TOKEN}", "x", frozenset({CSV}), Limits(1), secret=Secret(TOKEN)
    )

    assert TOKEN not in f"{request!r} {request} {Secret(TOKEN, 'amt')!r}"
