"""Notices: one per change of state, by e-mail and webhook, in plain German, and never with a secret in them."""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from conftest import PROFILE
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from webserver import Answer, Web, web

from flows.errors import Refused, SourceUnavailable
from flows.findings import Finding
from flows.notices import notify
from flows.notices.mail import Mail
from flows.notices.texts import Condition, Notice, alarm, body, broken, failed, good, held
from flows.notices.webhook import Webhook
from flows.profile import Notices, Profile, load_profile

pytestmark = pytest.mark.network

NIGHT = datetime(2026, 3, 1, 2, 15, tzinfo=UTC)
PASSWORD = "geheim/pa:ss@wort"
TOKEN = "t0k3n-in-der-adresse"
FAULT = Refused(
    [Finding("typ", "evidence.csv", "das ist kein Datum.", "Bitte berichtigen.", 2, "belegt_am", "gestern")]
)


# --- a mail server on this machine ---


@dataclass
class Inbox:
    """What arrived, and how to reach the server."""

    messages: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    port: int = 0

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.messages.append(message_from_bytes(content, policy=policy.default))  # type: ignore[arg-type]
        self.envelopes.append(envelope)
        return "250 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    @property
    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.messages]


@contextmanager
def mail_server(inbox: Inbox, **options: Any) -> Iterator[Inbox]:
    """Receive mail on a free port of 127.0.0.1 for the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        inbox.port = probe.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=inbox.port, **options)
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server(Inbox()) as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Web]:
    with web() as server:
        server.answers[f"/{TOKEN}"] = Answer(204)
        yield server


@pytest.fixture(scope="session")
def profile(geodata: Path) -> Profile:
    recipients = Notices(("redaktion@kleinland.example", "info@kleinland.example"), "info@kleinland.example", 36)
    return replace(load_profile(geodata, PROFILE), notices=recipients)


@dataclass
class Office:
    """A profile, its environment, and the night that it is."""

    profile: Profile
    folder: Path
    environment: dict[str, str]
    now: datetime = NIGHT

    def tell(self, condition: Condition) -> str:
        """One night with this condition; returns what the log says."""
        remarks = notify(self.profile, self.folder, "nacht", condition, self.now, self.environment)
        self.now += timedelta(days=1)
        return "\n".join(remarks)

    @property
    def kept(self) -> str:
        """What stands in the state file."""
        return (self.folder / "meldung-nacht.json").read_text(encoding="utf-8")


@pytest.fixture
def office(profile: Profile, tmp_path: Path, inbox: Inbox) -> Office:
    return Office(profile, tmp_path / "betrieb", {"PRAEVKARTE_SMTP_URL": f"smtp://127.0.0.1:{inbox.port}"})


def fault(source: str = "evidence.csv") -> Condition:
    return failed(PROFILE, "Karte", Refused([Finding("typ", source, "das ist kein Datum.")]), "Prefect")


def fine() -> Condition:
    return good(PROFILE, "Karte", "Nichts geändert: 2026.02.01 ist aktuell.")


# --- when ---


def test_a_fault_that_lasts_is_told_once_and_its_end_once(office: Office, inbox: Inbox) -> None:
    for condition in (fine(), fault(), fault(), fault(), fine(), fine()):
        office.tell(condition)
    assert inbox.subjects == [
        "[Karte] Lauf abgelehnt (1 Befund), nichts veröffentlicht",
        "[Karte] wieder in Ordnung",
    ]
    text = inbox.messages[1].get_content()
    assert "Die Störung, die am 02.03.2026, 03:15 Uhr begann, ist behoben." in text


def test_nights_without_trouble_write_nothing(office: Office, inbox: Inbox) -> None:
    for _ in range(3):
        assert office.tell(fine()) == ""
    assert inbox.messages == []
    assert not office.folder.exists()


def test_another_fault_is_another_state(office: Office, inbox: Inbox) -> None:
    away = failed(PROFILE, "Karte", SourceUnavailable("population.csv: die Eingabe fehlt."), "Prefect")
    crash = broken(PROFILE, "Karte", "abgestuerzt", "Der Prozess wurde beendet.", "Prefect")
    for condition in (fault(), fault("committees.csv"), away, crash, crash):
        office.tell(condition)
    assert len(inbox.messages) == 4


def test_each_held_release_is_told_once(office: Office, inbox: Inbox) -> None:
    for release in ("2026.02.02", "2026.02.02", "2026.02.03"):
        office.tell(held(PROFILE, "Karte", release, ("alle 9 Zeilen fehlen.",), "bericht.md"))
    assert inbox.subjects == [
        "[Karte] Ausgabe 2026.02.02 wartet auf Freigabe",
        "[Karte] Ausgabe 2026.02.03 wartet auf Freigabe",
    ]


def test_a_damaged_memory_tells_rather_twice_than_never(office: Office, inbox: Inbox) -> None:
    office.tell(fault())
    (office.folder / "meldung-nacht.json").write_text('{"offen": [', encoding="utf-8")
    office.tell(fault())
    assert len(inbox.messages) == 2


def test_what_cannot_be_remembered_is_told_all_the_same(office: Office, inbox: Inbox) -> None:
    office.folder.parent.mkdir(exist_ok=True)
    office.folder.write_text("hier steht eine Datei", encoding="utf-8")
    assert "lässt sich nicht festhalten" in office.tell(fault())
    assert len(inbox.messages) == 1


# --- what ---


def test_the_notice_says_what_since_when_what_to_do_and_where(office: Office, inbox: Inbox) -> None:
    office.tell(failed(PROFILE, "Karte", FAULT, "Prefect, Artefakt pruefungen-kleinland", "lauf-1"))
    (message,), (envelope,) = inbox.messages, inbox.envelopes
    text = message.get_content()
    assert "evidence.csv, Zeile 2, Spalte „belegt_am“, Wert „gestern“: das ist kein Datum. Bitte berichtigen." in text
    assert "Seit: 01.03.2026, 03:15 Uhr" in text
    assert "praevkarte check --profile kleinland" in text
    assert "Bericht: Prefect, Artefakt pruefungen-kleinland" in text
    assert "Lauf: lauf-1" in text
    assert envelope.mail_from == "info@kleinland.example"
    assert envelope.rcpt_tos == ["redaktion@kleinland.example", "info@kleinland.example"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@kleinland.example>")


def test_a_hold_names_both_commands() -> None:
    condition = held(PROFILE, "Karte", "2026.02.03", ("hinweise: alle 9 Zeilen fehlen.",), "held/2026.02.03/bericht.md")
    text = body(Notice(condition, NIGHT.isoformat()))
    assert "hinweise: alle 9 Zeilen fehlen." in text
    assert "praevkarte approve 2026.02.03 --profile kleinland" in text
    assert "praevkarte reject 2026.02.03 --profile kleinland" in text
    assert "held/2026.02.03/bericht.md" in text


def test_of_a_thousand_findings_a_notice_names_five() -> None:
    many = Refused([Finding("typ", "evidence.csv", "das ist kein Datum.", row=row) for row in range(2, 1202)])
    text = body(Notice(failed(PROFILE, "Karte", many, "Prefect"), NIGHT.isoformat()))
    assert text.count("das ist kein Datum.") == 5
    assert "… und 1.195 weitere" in text


def test_alarms_of_the_same_kinds_are_the_same_state() -> None:
    first = alarm(PROFILE, "Karte", (("still", "Seit 37 Stunden ging kein Lauf gut zu Ende."),), "latest")
    later = alarm(PROFILE, "Karte", (("still", "Seit 61 Stunden ging kein Lauf gut zu Ende."),), "latest")
    worse = alarm(PROFILE, "Karte", (("still", "…"), ("zeiger", "…")), "latest")
    assert first.key == later.key != worse.key


# --- delivery ---


def test_what_did_not_arrive_is_tried_again_in_order(office: Office, inbox: Inbox) -> None:
    reachable = office.environment
    office.environment = {"PRAEVKARTE_SMTP_URL": "smtp://127.0.0.1:1"}
    assert "nächster Versuch beim nächsten Mal: der Mailserver ist nicht erreichbar" in office.tell(fault())
    assert "nicht zugestellt" in office.tell(fine())
    assert inbox.messages == []
    office.environment = reachable
    assert office.tell(fine()).count("zugestellt") == 2
    assert [subject.split("] ")[1][:12] for subject in inbox.subjects] == ["Lauf abgeleh", "wieder in Or"]
    assert office.tell(fine()) == ""
    assert len(inbox.messages) == 2


def test_one_channel_that_fails_does_not_stop_the_other(office: Office, inbox: Inbox, hook: Web) -> None:
    hook.answers[f"/{TOKEN}"] = Answer(500)
    office.environment["PRAEVKARTE_WEBHOOK_URL"] = f"{hook.url}/{TOKEN}"
    said = office.tell(fault())
    assert "über E-Mail zugestellt" in said
    assert "über Webhook nicht zugestellt, nächster Versuch beim nächsten Mal: der Webhook antwortet mit 500" in said
    hook.answers[f"/{TOKEN}"] = Answer(204)
    assert "über Webhook zugestellt" in office.tell(fault())
    assert len(inbox.messages) == 1
    assert len(hook.asked) == 2


def test_recipients_without_a_mail_server_are_a_fault_that_is_said(office: Office) -> None:
    office.environment = {}
    assert "PRAEVKARTE_SMTP_URL ist nicht gesetzt" in office.tell(fault())


def test_nobody_to_tell_is_said(profile: Profile, tmp_path: Path) -> None:
    lonely = Office(replace(profile, notices=Notices((), "", 36)), tmp_path, {})
    assert "Niemand ist zu benachrichtigen" in lonely.tell(fault())
    assert lonely.tell(fault()) == ""


def test_a_mailbox_that_is_refused_does_not_keep_the_others_from_being_told(office: Office, inbox: Inbox) -> None:
    inbox.refused = {"info@kleinland.example"}
    assert "Der Mailserver lehnt ab: info@kleinland.example" in office.tell(fault())
    assert office.tell(fault()) == ""
    assert len(inbox.messages) == 1


def test_the_webhook_gets_json(office: Office, hook: Web) -> None:
    office.environment = {"PRAEVKARTE_WEBHOOK_URL": f"{hook.url}/{TOKEN}"}
    office.profile = replace(office.profile, notices=Notices((), "", 36))
    office.tell(failed(PROFILE, "Karte", FAULT, "Prefect", "lauf-1"))
    (asked,) = hook.asked
    content = json.loads(asked.body)
    assert asked.headers["Content-Type"] == "application/json"
    assert {name: content[name] for name in ("art", "profil", "seit", "bericht", "lauf")} == {
        "art": "fehler",
        "profil": PROFILE,
        "seit": "2026-03-01T02:15:00+00:00",
        "bericht": "Prefect",
        "lauf": "lauf-1",
    }
    assert "Zeile 2" in content["text"]


def test_a_webhook_that_redirects_takes_the_token_nowhere(office: Office, hook: Web) -> None:
    hook.answers[f"/{TOKEN}"] = Answer(307, headers={"Location": f"{hook.url}/elsewhere"})
    office.environment = {"PRAEVKARTE_WEBHOOK_URL": f"{hook.url}/{TOKEN}"}
    assert "der Webhook antwortet mit 307" in office.tell(fault())
    assert hook.paths() == [f"/{TOKEN}"]


@pytest.mark.parametrize("address", ["http://hooks.example/abc", "ftp://hooks.example", "https//:x", "http://[::1"])
def test_a_webhook_without_encryption_is_not_called(address: str, office: Office) -> None:
    office.environment = {"PRAEVKARTE_WEBHOOK_URL": address}
    assert "PRAEVKARTE_WEBHOOK_URL ist keine https-Adresse" in office.tell(fault())


# --- secrets ---


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 that nobody has signed, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def guarded(certificate: Path) -> Iterator[Inbox]:
    """A mail server that offers STARTTLS and takes mail only after a login."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    inbox = Inbox()
    options = {"tls_context": context, "authenticator": inbox.authenticate, "auth_required": True}
    with mail_server(inbox, **options) as server:
        yield server


def with_login(port: int, password: str = "geheim%2Fpa%3Ass%40wort") -> dict[str, str]:
    return {"PRAEVKARTE_SMTP_URL": f"smtp://karte%40kleinland.example:{password}@127.0.0.1:{port}"}


def test_the_password_goes_out_under_tls_only_and_stays_out_of_all_that_is_written(
    office: Office, guarded: Inbox, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    office.environment = with_login(guarded.port)
    said = office.tell(fault())
    assert guarded.logins == [(b"karte@kleinland.example", PASSWORD.encode())]
    assert guarded.subjects == ["[Karte] Lauf abgelehnt (1 Befund), nichts veröffentlicht"]
    assert guarded.envelopes[0].smtp_utf8 is False
    for text in (said, office.kept, guarded.messages[0].as_string()):
        assert PASSWORD not in text


def test_a_server_with_a_false_certificate_gets_neither_password_nor_mail(office: Office, guarded: Inbox) -> None:
    office.environment = with_login(guarded.port)
    assert "Zertifikat prüfen" in office.tell(fault())
    assert guarded.logins == []
    assert guarded.messages == []


def test_a_wrong_password_is_told_without_it(
    office: Office, guarded: Inbox, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    office.environment = with_login(guarded.port, "falsch-geraten")
    said = office.tell(fault())
    assert "der Mailserver lehnt die Anmeldung ab (535)" in said
    assert "falsch-geraten" not in said + office.kept


def test_what_cannot_be_sent_is_told_without_it(
    office: Office, guarded: Inbox, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's SMTP takes ASCII passwords only."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    office.environment = with_login(guarded.port, "h%C3%B6chst-geheim")
    said = office.tell(fault())
    assert "enthält Zeichen, die sich nicht senden lassen" in said
    assert "höchst-geheim" not in said + office.kept
    assert guarded.messages == []


def test_a_server_without_tls_gets_no_password(office: Office, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 stands for a server elsewhere."""
    monkeypatch.setattr("flows.notices.mail.LOOPBACK", set())
    office.environment = with_login(inbox.port)
    assert "bietet keine Verschlüsselung; das Passwort wird nicht gesendet" in office.tell(fault())
    assert inbox.logins == []
    assert inbox.messages == []


BAD_PLACES: list[Callable[[str], dict[str, str]]] = [
    lambda secret: {"PRAEVKARTE_SMTP_URL": f"smtp://name:{secret}@127.0.0.1:1"},
    lambda secret: {"PRAEVKARTE_SMTP_URL": f"smtps://name:{secret}@127.0.0.1:1"},
    lambda secret: {"PRAEVKARTE_SMTP_URL": f"http://name:{secret}@mail.example"},
    lambda secret: {"PRAEVKARTE_SMTP_URL": f"smtp://name:{secret}@mail.example:port"},
    lambda secret: {"PRAEVKARTE_SMTP_URL": f"smtp://name:{secret}@mail..example:587"},
    lambda secret: {"PRAEVKARTE_WEBHOOK_URL": f"http://127.0.0.1:1/{secret}"},
    lambda secret: {"PRAEVKARTE_WEBHOOK_URL": f"https://[{secret}"},
]


@pytest.mark.parametrize("place", BAD_PLACES)
def test_a_channel_that_fails_does_not_tell_its_secret(place: Callable[[str], dict[str, str]], office: Office) -> None:
    office.environment = place(TOKEN)
    said = office.tell(fault())
    assert "nicht zugestellt" in said
    assert TOKEN not in said + office.kept


def test_a_channel_does_not_show_its_address() -> None:
    assert TOKEN not in repr(Webhook(f"https://hooks.example/{TOKEN}"))
    assert TOKEN not in repr(Mail(f"smtp://name:{TOKEN}@mail.example", "info@kleinland.example", ()))
