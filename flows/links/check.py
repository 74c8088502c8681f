"""Do the pages that the evidence names still answer? Once a week; dead ones are shown as such, the records stay.

The rules, so that nothing false is said of a page: an address is ``nicht_erreichbar`` after failing in two checks in a
row that lie at least ``CONFIRMED_AFTER`` apart; a single failure changes nothing. Where a server gives programs no
answer, nothing is said. A check in which most hosts fail at once is ours to mend and counts for nothing.

What is published per address changes only when its state changes, not with every check: otherwise each week would make
a release that says nothing new.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

from flows.errors import SourceUnavailable, WrongUsage
from flows.german import day as german_day
from flows.links.file import links_file
from flows.links.probe import ANSWERS, FAILS, Probe, Prober, origin_of
from flows.nights.last_run import operation_folder
from flows.profile import Profile
from flows.sidecar import SUFFIX, Sidecar, encoded
from flows.sources.snapshots import sources_folder
from flows.store import Store
from flows.targets.local import LocalTarget

REACHABLE, DEAD, NOT_CHECKED = "erreichbar", "nicht_erreichbar", "nicht_geprueft"
# Two weekly checks, of which one may be some hours early.
CONFIRMED_AFTER = timedelta(days=6)
# Without an answer for so long, "erreichbar" is no longer claimed.
FORGOTTEN_AFTER = timedelta(days=90)
STATE, WORK_LIST = "links.json", "links-arbeitsliste.csv"
PUBLISHED = "gremien_belege.csv"
COLUMNS = ("url", "geprueft_am", "zuletzt_erreichbar_am", "zustand")
WORK_COLUMNS = ("gremium", "beleg_id", "url", "zustand", "befund", "seit", "zuletzt_erreichbar_am", "was_tun")


@dataclass(frozen=True, slots=True)
class Link:
    """What is known of one address; days are ISO texts, empty where there is none.

    ``zustand`` and ``geprueft_am`` (the day of the check that found it) are published. ``zuletzt_geprueft_am`` and
    ``zuletzt_erreichbar_am`` move with every check; ``fehlt_seit`` is the first failure since the last success;
    ``befund`` is the last answer in words.
    """

    zustand: str = NOT_CHECKED
    geprueft_am: str = ""
    zuletzt_geprueft_am: str = ""
    zuletzt_erreichbar_am: str = ""
    fehlt_seit: str = ""
    befund: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A published piece of evidence, as far as the work list names it."""

    beleg_id: str
    gremium: str
    url: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: links by address, how many answered, and the work list as rows of ``WORK_COLUMNS``."""

    links: dict[str, Link]
    work: tuple[dict[str, str], ...]
    changed: int

    def count(self, state: str) -> int:
        """How many addresses are in a state."""
        return sum(link.zustand == state for link in self.links.values())


def after(link: Link, probe: Probe, today: date) -> Link:
    """What is known of an address after one more check."""
    day = today.isoformat()
    link = replace(link, zuletzt_geprueft_am=day, befund=probe.words)
    if probe.result == ANSWERS:
        since = link.geprueft_am if link.zustand == REACHABLE else day
        return replace(link, zustand=REACHABLE, geprueft_am=since, zuletzt_erreichbar_am=day, fehlt_seit="")
    if probe.result == FAILS:
        link = replace(link, fehlt_seit=link.fehlt_seit or day)
        if link.zustand != DEAD and today - date.fromisoformat(link.fehlt_seit) >= CONFIRMED_AFTER:
            return replace(link, zustand=DEAD, geprueft_am=day)
        return link
    last = link.zuletzt_erreichbar_am
    if link.zustand == REACHABLE and last and today - date.fromisoformat(last) > FORGOTTEN_AFTER:
        return replace(link, zustand=NOT_CHECKED, geprueft_am="")
    return link


def published_evidence(store: Store) -> tuple[Evidence, ...]:
    """The evidence of the latest release: what readers click on.

    Raises ``WrongUsage`` when there is no release, or none with evidence.
    """
    latest = store.target.pointer()
    content = store.target.read(f"releases/{latest}/{PUBLISHED}") if latest else None
    if content is None:
        raise WrongUsage(
            f"In {store.target.label} gibt es keine Ausgabe mit {PUBLISHED}. Bitte zuerst `praevkarte release` "
            "aufrufen."
        )
    rows = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    return tuple(Evidence(row["beleg_id"], row["gremium"], row["url"]) for row in rows)


def read_links(store: Store) -> dict[str, Link]:
    """What earlier checks found, by address; raises ``WrongUsage`` for a damaged file, which a person must look at."""
    content = LocalTarget(operation_folder(store)).read(STATE)
    try:
        values: dict[str, Any] = json.loads(content) if content else {}
        return {url: Link(**link) for url, link in values.items()}
    except (ValueError, TypeError, AttributeError):
        raise WrongUsage(
            f"{operation_folder(store) / STATE}: die Datei ist beschädigt. Bitte aus der Sicherung wiederherstellen "
            "oder entfernen; dann beginnt die Prüfung der Links von vorn."
        ) from None


def check_links(
    profile: Profile,
    store: Store,
    today: date,
    agent: str,
    prober: Prober | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Checked:
    """Ask for every published evidence address and keep what was learned; ``told`` gets a line for each.

    Writes ``links.json``, the work list, and the input ``evidence_links`` for the next release where a state changed.
    Raises ``WrongUsage`` without a release, and ``SourceUnavailable``, with nothing kept, when most servers are gone at
    once.
    """
    evidence = published_evidence(store)
    before = read_links(store)
    urls = list(dict.fromkeys(piece.url for piece in evidence))
    found: dict[str, Probe] = {}
    for url, probe in (prober or Prober(agent)).probe_all(urls):
        found[url] = probe
        told(f"{url}: {probe.words}")
    _refuse_outage(before, found)
    links = {url: after(before.get(url, Link()), found[url], today) for url in sorted(urls)}
    work = tuple(work_list(evidence, links, found))
    _keep(profile, store, links, work, today)
    changed = sum(links[url].zustand != before.get(url, Link()).zustand for url in links)
    return Checked(links, work, changed)


def _refuse_outage(before: Mapping[str, Link], found: Mapping[str, Probe]) -> None:
    """A check in which most hosts fail that did not fail before says something of our line, not of theirs."""
    sound: dict[str, bool] = {}
    for url, probe in found.items():
        if not before.get(url, Link()).fehlt_seit:
            host = origin_of(url)
            sound[host] = sound.get(host, False) or probe.result != FAILS
    lost = sum(not well for well in sound.values())
    if len(sound) > 1 and 2 * lost > len(sound):
        raise SourceUnavailable(
            f"{lost} von {len(sound)} Servern haben auf einmal nicht geantwortet: Das liegt wohl an der eigenen "
            "Verbindung. Es wurde nichts festgehalten. Bitte Netz und Proxy prüfen."
        )


def work_list(
    evidence: Iterable[Evidence], links: Mapping[str, Link], found: Mapping[str, Probe]
) -> Iterable[dict[str, str]]:
    """What the office should look at, the dead first, then what failed once, then what programs cannot see."""
    ranked: list[tuple[int, dict[str, str]]] = []
    for piece in evidence:
        link, probe = links[piece.url], found[piece.url]
        if probe.result == ANSWERS:
            continue
        if link.zustand == DEAD:
            rank, action = 0, "Neue Adresse suchen, oder die Seite in einem Archiv; der Beleg bleibt stehen."
        elif probe.result == FAILS:
            rank, action = 1, "Abwarten: Erst die nächste Prüfung entscheidet."
        else:
            rank, action = 2, "Im Browser ansehen, ob die Seite noch zeigt, was der Beleg sagt."
        row = (piece.gremium, piece.beleg_id, piece.url, link.zustand, probe.words, link.fehlt_seit)
        ranked.append((rank, dict(zip(WORK_COLUMNS, (*row, link.zuletzt_erreichbar_am, action), strict=True))))
    return [row for _, row in sorted(ranked, key=lambda item: (item[0], item[1]["beleg_id"]))]


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode("utf-8")


def links_table(links: Mapping[str, Link]) -> bytes:
    """The input ``evidence_links``: the days move only with the state, so that an unchanged week gives equal bytes."""
    return _csv(
        COLUMNS,
        (
            {
                "url": url,
                "geprueft_am": link.geprueft_am,
                "zuletzt_erreichbar_am": link.zuletzt_erreichbar_am if link.zustand == DEAD else "",
                "zustand": link.zustand,
            }
            for url, link in sorted(links.items())
        ),
    )


def _keep(
    profile: Profile, store: Store, links: Mapping[str, Link], work: Sequence[Mapping[str, str]], today: date
) -> None:
    folder = LocalTarget(operation_folder(store))
    state = {url: asdict(link) for url, link in links.items()}
    folder.write(STATE, (json.dumps(state, ensure_ascii=False, indent=2) + "\n").encode("utf-8"))
    folder.write(WORK_LIST, _csv(WORK_COLUMNS, work))
    table, file = links_table(links), links_file(sources_folder(store.workspace))
    if file.is_file() and file.read_bytes() == table:
        return
    sidecar = Sidecar(
        title="Erreichbarkeit der Belege",
        origin=f"Eigene wöchentliche Prüfung der Adressen, zuletzt geändert am {german_day(today)}",
        url="",
        retrieved=today.isoformat(),
        licence=profile.licence.name,
        licence_url=profile.licence.url,
        attribution=profile.title,
        sha256=hashlib.sha256(table).hexdigest(),
        bytes=len(table),
        # A kill between the two files leaves a table newer than its sidecar: a remark, not a refusal.
        edited_here=True,
    )
    place = LocalTarget(file.parent)
    place.write(file.name, table)
    place.write(file.name + SUFFIX, encoded(sidecar))
