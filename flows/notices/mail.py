"""Notices by e-mail. The mail server's address holds a password: it comes from the environment and is never shown."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import SplitResult, unquote, urlsplit

from flows.notices.errors import Undelivered
from flows.notices.texts import Notice, body, subject_line

SMTP_URL = "PRAEVKARTE_SMTP_URL"
SECONDS = 30.0
PORTS = {"smtp": 587, "smtps": 465}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
SHAPE = f"{SMTP_URL} hat nicht die Form smtp://NAME:PASSWORT@SERVER:PORT (oder smtps://…)."


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server and who is written to. ``address`` is kept out of ``repr``, which ends up in logs."""

    address: str = field(repr=False)
    sender: str
    recipients: tuple[str, ...]

    @property
    def name(self) -> str:
        return "E-Mail"

    def send(self, notice: Notice) -> str:
        """Hand the notice to the mail server: with TLS where it offers that, with a password only under TLS.

        Returns a remark when some of the recipients were refused: the others have it, so it is not sent again.
        """
        if not self.address:
            raise Undelivered(f"{SMTP_URL} ist nicht gesetzt.")
        if not self.sender:
            raise Undelivered("Im Profil fehlt „notices.sender“.")
        server = _server(self.address)
        try:
            with _connected(server) as connection:
                _secure(connection, server)
                refused = connection.send_message(self.message(notice))
        except smtplib.SMTPAuthenticationError as error:
            raise Undelivered(f"der Mailserver lehnt die Anmeldung ab ({error.smtp_code}).") from None
        except smtplib.SMTPResponseException as error:
            raise Undelivered(f"der Mailserver antwortet mit {error.smtp_code}.") from None
        except smtplib.SMTPRecipientsRefused:
            raise Undelivered("der Mailserver lehnt alle Empfänger ab.") from None
        except ssl.SSLError:
            raise Undelivered("die Verschlüsselung zum Mailserver kommt nicht zustande (Zertifikat prüfen).") from None
        except (smtplib.SMTPException, OSError) as error:
            raise Undelivered(f"der Mailserver ist nicht erreichbar ({type(error).__name__}).") from None
        except ValueError:
            # A password beyond ASCII, a server's name that is none, a line break in an address; the error may quote it.
            raise Undelivered(
                f"{SMTP_URL} oder [notices] im Profil enthält Zeichen, die sich nicht senden lassen."
            ) from None
        return f"Der Mailserver lehnt ab: {', '.join(sorted(refused))}." if refused else ""

    def message(self, notice: Notice) -> EmailMessage:
        """The e-mail: plain text, marked as written by a program, without this machine's name."""
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message["Subject"] = subject_line(notice)
        message["Date"] = format_datetime(datetime.fromisoformat(notice.since))
        message["Message-ID"] = make_msgid(domain=self.sender.partition("@")[2] or "localhost")
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(body(notice))
        return message


def _server(address: str) -> SplitResult:
    try:
        server = urlsplit(address)
        known = server.scheme in PORTS and bool(server.hostname) and (server.port or 1) > 0
    except ValueError:
        known = False
    if not known:
        raise Undelivered(SHAPE)
    return server


def _connected(server: SplitResult) -> smtplib.SMTP:
    """A connection under the name "localhost": what this machine calls itself stays here."""
    host, port = server.hostname or "", server.port or PORTS[server.scheme]
    if server.scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, port, local_hostname="localhost", timeout=SECONDS, context=context)
    return smtplib.SMTP(host, port, local_hostname="localhost", timeout=SECONDS)


def _secure(connection: smtplib.SMTP, server: SplitResult) -> None:
    """Encrypt the connection where the server can, and log in where a name is given."""
    connection.ehlo()
    encrypted = server.scheme == "smtps"
    if not encrypted and connection.has_extn("starttls"):
        connection.starttls(context=ssl.create_default_context())
        connection.ehlo()
        encrypted = True
    if server.username:
        if not encrypted and server.hostname not in LOOPBACK:
            raise Undelivered("der Mailserver bietet keine Verschlüsselung; das Passwort wird nicht gesendet.")
        connection.login(unquote(server.username), unquote(server.password or ""))
