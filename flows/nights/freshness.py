"""Is what readers get whole, and did the last night happen? Looked at from outside Prefect, which may itself be down.

Every way in which a night can fail to happen (the server down, the worker dead, a crash before the first line) looks
the same from here: no good run within the profile's ``silent_hours``. Nothing is written to the releases' place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import requests

from flows.checksums import MANIFEST, parse_manifest
from flows.errors import PipelineError
from flows.german import number
from flows.nights.last_run import read_record
from flows.notices.texts import Condition, alarm, good, moment
from flows.profile import Profile
from flows.store import PUBLISHED, STATUS_WORDS, Store, entry_of, faults
from flows.targets.local import LATEST_DOCUMENT
from flows.verify import index_faults

TOPIC = "frische"
# Over the network, files up to this size (bytes) are read and compared, of larger ones only the length.
READ_WHOLE = 1_000_000
SECONDS = 30.0
# Clocks of two machines may differ by so much before a run "in the future" is a fault.
CLOCKS = timedelta(hours=1)
# Findings of one kind that are named; a release that is gone would name each of its files.
NAMED = 5


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is not as it should be: ``name`` tells alarms apart, ``text`` says what (German)."""

    name: str
    text: str


def check_freshness(profile: Profile, store: Store, now: datetime) -> tuple[Alarm, ...]:
    """Everything that is wrong with the last nights and with what readers get; empty when all is well."""
    found = (*_silence(profile, store, now), *_damage(store), *_served(profile, store))
    # A store that cannot be read is met twice: where the releases lie, and where they are compared with what is served.
    return tuple(dict.fromkeys(found))


def _hours(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    return f"{number(round(hours))} Stunden" if hours < 72 else f"{number(round(hours / 24))} Tagen"


def _silence(profile: Profile, store: Store, now: datetime) -> Iterator[Alarm]:
    """No good run within the limit, and what is known of the last one."""
    record = read_record(store)
    if record.good is None:
        said = f" Der letzte Lauf: {record.last.meldung}" if record.last else ""
        yield Alarm("still", f"Es ist kein Lauf verzeichnet, der gut zu Ende ging.{said}")
        return
    since = datetime.fromisoformat(record.good.am)
    if since > now + CLOCKS:
        yield Alarm(
            "uhr", f"Der letzte gute Lauf ({moment(record.good.am)}) liegt in der Zukunft: bitte die Uhr prüfen."
        )
    limit = timedelta(hours=profile.notices.silent_hours)
    if now - since <= limit:
        return
    text = f"Seit {_hours(now - since)} (zuletzt {moment(record.good.am)}) ging kein Lauf gut zu Ende."
    if record.last and record.last != record.good:
        text += f" Der letzte endete {moment(record.last.am)} so: {record.last.meldung}"
    else:
        text += " Seither ist kein Lauf zu Ende gekommen: Prefect-Server, Worker und Zeitplan prüfen."
    yield Alarm("still", text)


def _damage(store: Store) -> Iterator[Alarm]:
    """What does not fit together in the target: the pointer, the index, every file of the latest release."""
    try:
        latest = store.target.pointer()
        if latest is None:
            yield Alarm("zeiger", f"In {store.target.label} ist keine Ausgabe als aktuell ausgewiesen.")
            return
        entry = entry_of(store, latest)
        if entry is None or entry["status"] != PUBLISHED:
            state = STATUS_WORDS[entry["status"]] if entry else "nicht verzeichnet"
            yield Alarm("zeiger", f"Der Zeiger nennt {latest}, und diese Ausgabe ist {state}.")
            return
        yield from (Alarm("zeiger", str(finding)) for finding in index_faults(store))
        found = faults(store, latest)
        yield from (Alarm("beschaedigt", str(finding)) for finding in found[:NAMED])
        if len(found) > NAMED:
            yield Alarm("beschaedigt", f"… und {number(len(found) - NAMED)} weitere Dateien der Ausgabe {latest}.")
    except (PipelineError, OSError) as error:
        yield _unreadable(store, error)
    except (ValueError, KeyError, TypeError):
        yield Alarm("zeiger", f"{store.target.address(LATEST_DOCUMENT)}: die Datei ist beschädigt.")


def _unreadable(store: Store, error: PipelineError | OSError) -> Alarm:
    text = f"{store.target.label}: nicht lesbar ({error.strerror})." if isinstance(error, OSError) else str(error)
    return Alarm("unerreichbar", text)


def _served(profile: Profile, store: Store) -> Iterator[Alarm]:
    """What a reader gets at the public address, where there is one."""
    if not profile.base_url:
        return
    with requests.Session() as session:
        session.headers["User-Agent"] = user_agent(profile)
        # A cache between here and there would show what was, not what is.
        session.headers["Cache-Control"] = "no-cache"
        try:
            yield from _served_release(profile, store, session)
        except requests.RequestException as error:
            yield Alarm("auslieferung", f"{profile.base_url}: nicht erreichbar ({type(error).__name__}).")
        except (PipelineError, OSError) as error:
            yield _unreadable(store, error)
        except (ValueError, KeyError, TypeError):
            yield Alarm("auslieferung", f"{profile.base_url}/{LATEST_DOCUMENT}: die Antwort ist nicht zu lesen.")


def user_agent(profile: Profile) -> str:
    """How our programs introduce themselves to web servers: with a mailbox to complain to, where one is set."""
    return f"praevkarte ({profile.publisher.email})" if profile.publisher.email else "praevkarte"


def _served_release(profile: Profile, store: Store, session: requests.Session) -> Iterator[Alarm]:
    """The pointer, the manifest and the files over the network, one after the other."""
    address = f"{profile.base_url}/{LATEST_DOCUMENT}"
    answer = session.get(address, timeout=SECONDS)
    if answer.status_code != requests.codes.ok:
        yield Alarm("auslieferung", f"{address}: der Server antwortet mit {answer.status_code}.")
        return
    document = json.loads(answer.content)
    latest, entry = document["ausgabe"], entry_of(store, document["ausgabe"])
    if entry is None or entry["status"] != PUBLISHED or latest != store.target.pointer():
        yield Alarm("auslieferung", f"{address}: ausgeliefert wird {latest}, aktuell ist {store.target.pointer()}.")
        return
    place = f"{profile.base_url}/releases/{latest}"
    answer = session.get(f"{place}/{MANIFEST}", timeout=SECONDS)
    if answer.status_code != requests.codes.ok:
        yield Alarm("auslieferung", f"{place}/{MANIFEST}: der Server antwortet mit {answer.status_code}.")
        return
    digests = parse_manifest(answer.content)
    sizes = {file["name"]: int(file["bytes"]) for file in document["dateien"]}
    wrong = [text for name, size in sizes.items() if (text := _served_file(session, place, name, size, digests))]
    yield from (Alarm("auslieferung", text) for text in wrong[:NAMED])
    if len(wrong) > NAMED:
        yield Alarm("auslieferung", f"… und {number(len(wrong) - NAMED)} weitere Dateien.")


def _served_file(session: requests.Session, place: str, name: str, size: int, digests: dict[str, str]) -> str | None:
    """What is wrong with one file at the public address, or None."""
    # Compressed on the way, a file would have another length than announced.
    plain = {"Accept-Encoding": "identity"}
    address = f"{place}/{name}"
    if size > READ_WHOLE:
        answer = session.head(address, headers=plain, timeout=SECONDS, allow_redirects=True)
        length = answer.headers.get("Content-Length")
        if answer.status_code == requests.codes.ok and length in (None, str(size)):
            return None
    else:
        answer = session.get(address, headers=plain, timeout=SECONDS)
        if answer.status_code == requests.codes.ok:
            whole = hashlib.sha256(answer.content).hexdigest() == digests.get(name)
            return None if whole else f"{address}: der Inhalt ist nicht der veröffentlichte."
    if answer.status_code != requests.codes.ok:
        return f"{address}: der Server antwortet mit {answer.status_code}."
    return f"{address}: die Länge ist nicht die veröffentlichte."


def in_order(store: Store) -> str:
    """What there is to say where nothing alarms (German): a run may have failed since the last good one."""
    record = read_record(store)
    if record.last is None or record.good is None or record.last == record.good:
        return "Die Veröffentlichung ist unversehrt, und der letzte Lauf ging gut."
    return (
        f"Die Veröffentlichung ist unversehrt. Der letzte Lauf ({moment(record.last.am)}) endete so: "
        f"{record.last.meldung.rstrip('.')}; der letzte gute war am {moment(record.good.am)}."
    )


def condition_of(profile: Profile, alarms: tuple[Alarm, ...], report: str, well: str) -> Condition:
    """The alarms as the condition that is told; ``well`` is what there is to say without any (``in_order``)."""
    if not alarms:
        return good(profile.name, profile.title, well)
    return alarm(profile.name, profile.title, tuple((one.name, one.text) for one in alarms), report)
