"""The words of the notices: what happened, since when, what to do, where the report lies (German, plain text)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flows.errors import PipelineError, Refused
from flows.german import number

BERLIN = ZoneInfo("Europe/Berlin")
GOOD, FAILED, HELD, SILENT, AGED = "gut", "fehler", "wartet", "alarm", "alt"
RECOVERED = "wieder_gut"
# Findings that a notice names; the report has all.
NAMED = 5
RELEASES_TEXT = "docs/releases.md"
RUN_BOOK = "docs/operations.md"


@dataclass(frozen=True, slots=True)
class Condition:
    """How things stand with one topic.

    ``kind``: ``gut``, ``fehler``, ``wartet``, ``alt`` or ``alarm``. ``key`` tells conditions of a kind apart: while it
    stays the same, nothing has changed that a person must be told again. ``subject`` is one line, ``happened`` and
    ``action`` are sentences, ``report`` says where to read more.
    """

    kind: str
    key: str
    profile: str
    title: str
    subject: str
    happened: str
    action: str
    report: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A condition as it is told: with the moment (ISO 8601, UTC) since which it holds."""

    condition: Condition
    since: str

    def as_dict(self) -> dict[str, Any]:
        """The notice as plain values, for the file that keeps what could not be delivered."""
        return asdict(self)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Notice:
        """The notice of ``as_dict``."""
        return Notice(Condition(**values["condition"]), values["since"])


def moment(iso: str) -> str:
    """A moment as German readers expect it, in their time: 22.11.2026, 03:15 Uhr."""
    return f"{datetime.fromisoformat(iso).astimezone(BERLIN):%d.%m.%Y, %H:%M} Uhr"


def subject_line(notice: Notice) -> str:
    """The subject of the e-mail, on one line."""
    return " ".join(f"[{notice.condition.title}] {notice.condition.subject}".split())


def body(notice: Notice) -> str:
    """The notice as plain text."""
    condition = notice.condition
    parts = [
        condition.happened,
        f"Seit: {moment(notice.since)}",
        f"Was zu tun ist:\n{condition.action}" if condition.action else "",
        f"Bericht: {condition.report}" if condition.report else "",
        f"Profil: {condition.profile}" + (f"\nLauf: {condition.run}" if condition.run else ""),
    ]
    foot = "-- \nDiese Nachricht kommt einmal je Änderung des Zustands, nicht jede Nacht."
    return "\n\n".join([*(part for part in parts if part), foot]) + "\n"


def payload(notice: Notice) -> dict[str, str]:
    """The notice for programs. ``text`` holds the words, so that common chat services show it as it is."""
    condition = notice.condition
    return {
        "art": condition.kind,
        "profil": condition.profile,
        "betreff": subject_line(notice),
        "text": body(notice),
        "was_geschah": condition.happened,
        "seit": notice.since,
        "was_tun": condition.action,
        "bericht": condition.report,
        "lauf": condition.run,
    }


def good(profile: str, title: str, text: str, run: str = "") -> Condition:
    """All is well; told only when it was not."""
    return Condition(GOOD, GOOD, profile, title, "wieder in Ordnung", text, "", "", run)


def recovered(condition: Condition, since: str) -> Condition:
    """The good condition after trouble that began at ``since``."""
    return Condition(
        RECOVERED,
        condition.key,
        condition.profile,
        condition.title,
        condition.subject,
        f"Die Störung, die am {moment(since)} begann, ist behoben. {condition.happened}",
        "Nichts.",
        condition.report,
        condition.run,
    )


def failed(profile: str, title: str, error: PipelineError, report: str, run: str = "") -> Condition:
    """A run that the pipeline ended: a finding, a missing source, a wrong setting."""
    if not isinstance(error, Refused):
        return Condition(
            FAILED,
            f"{FAILED}:{type(error).__name__}",
            profile,
            title,
            "Lauf gescheitert, nichts veröffentlicht",
            f"Der Lauf konnte nicht beginnen oder nicht enden; die letzte Ausgabe bleibt, wie sie ist.\n\n{error}",
            f"Die Ursache beheben, dann: praevkarte release --profile {profile}\nHilfe: {RUN_BOOK}",
            report,
            run,
        )
    first = error.findings[0]
    count = len(error.findings)
    words = "1 Befund" if count == 1 else f"{number(count)} Befunde"
    shown = "\n".join(f"- {finding}" for finding in error.findings[:NAMED])
    more = f"\n- … und {number(count - NAMED)} weitere" if count > NAMED else ""
    return Condition(
        FAILED,
        f"{FAILED}:{first.check}:{first.source}",
        profile,
        title,
        f"Lauf abgelehnt ({words}), nichts veröffentlicht",
        f"Eine Prüfung hat den Lauf abgelehnt; die letzte Ausgabe bleibt, wie sie ist.\n\n{shown}{more}",
        f"Die genannten Stellen berichtigen, dann prüfen: praevkarte check --profile {profile}",
        report,
        run,
    )


def broken(profile: str, title: str, cause: str, what: str, report: str, run: str = "") -> Condition:
    """A run that ended in a way nobody foresaw: ``cause`` names it (for telling it apart), ``what`` describes it."""
    return Condition(
        FAILED,
        f"{FAILED}:{cause}",
        profile,
        title,
        "Lauf abgebrochen, nichts veröffentlicht",
        f"{what} Die letzte Ausgabe bleibt, wie sie ist.",
        f"Einmal von Hand versuchen: praevkarte release --profile {profile}\nHilfe: {RUN_BOOK}",
        report,
        run,
    )


def held(profile: str, title: str, release_id: str, reasons: tuple[str, ...], report: str, run: str = "") -> Condition:
    """A release that waits for a person's word; ``reasons`` are the gates that hold it, as far as they are known."""
    shown = "\n".join(f"- {reason}" for reason in reasons[:NAMED])
    more = f"\n- … und {number(len(reasons) - NAMED)} weitere" if len(reasons) > NAMED else ""
    return Condition(
        HELD,
        f"{HELD}:{release_id}",
        profile,
        title,
        f"Ausgabe {release_id} wartet auf Freigabe",
        f"Ausgabe {release_id} ist fertig und geprüft, aber ein Mensch soll sie ansehen: Sie weicht stark von der "
        "letzten ab, oder eine Quelle ist zu alt. Sie ist nicht veröffentlicht; die letzte bleibt aktuell."
        + (f"\n\n{shown}{more}" if shown else ""),
        f"Bericht lesen, dann in Prefect (Lauf „Freigabe {release_id}“) entscheiden oder:\n"
        f'  praevkarte approve {release_id} --profile {profile} --reason "…" --by Funktion\n'
        f'  praevkarte reject {release_id} --profile {profile} --reason "…"\n'
        f"Hilfe: {RELEASES_TEXT}",
        report,
        run,
    )


def aged(profile: str, title: str, datasets: tuple[str, ...], report: str, run: str = "") -> Condition:
    """Sources that are older than the profile's limit to be told; there is at least one."""
    names = ", ".join(datasets)
    word = "Eine Quelle ist" if len(datasets) == 1 else f"{number(len(datasets))} Quellen sind"
    return Condition(
        AGED,
        f"{AGED}:{names}",
        profile,
        title,
        f"{word} alt",
        f"{word} älter, als das Profil unter [warn_after_days] vorsieht: {names}. Veröffentlicht wird weiter; die "
        "Seiten sagen, dass der Stand alt ist.",
        f"Abrufen: praevkarte fetch --profile {profile}\n"
        f"Von Hand gepflegte Tabellen durchsehen, dann: praevkarte check --reviewed Datensatz --profile {profile}",
        report,
        run,
    )


def alarm(profile: str, title: str, findings: tuple[tuple[str, str], ...], report: str) -> Condition:
    """What the freshness check found: pairs of what tells an alarm apart, and a sentence."""
    shown = "\n".join(f"- {text}" for _, text in findings)
    names = sorted({name for name, _ in findings})
    return Condition(
        SILENT,
        f"{SILENT}:{','.join(names)}",
        profile,
        title,
        "Die Veröffentlichung ist nicht, wie sie sein soll",
        f"Die Überwachung hat gefunden:\n\n{shown}",
        f"Nachsehen: praevkarte freshness --profile {profile}\nJeder Alarm mit Abhilfe: {RUN_BOOK}",
        report,
    )
