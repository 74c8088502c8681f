"""The weekly check of the evidence links: polite to the servers, careful with what it says of a page."""

from __future__ import annotations

import csv
import json
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import DAY, KLEINLAND, PROFILE, build_geodata
from operating import Place, lean, lean_call
from webserver import Answer, Asked, Web, web

from flows.cli import run as call_command
from flows.contracts import load_contract
from flows.errors import SourceUnavailable, WrongUsage
from flows.links.check import CONFIRMED_AFTER, DEAD, NOT_CHECKED, REACHABLE, Checked, Link, after, check_links
from flows.links.file import links_file
from flows.links.probe import ANSWERS, FAILS, UNKNOWN, Pace, Probe, Prober, in_turn
from flows.nights.last_run import operation_folder
from flows.profile import load_profile
from flows.rebuild import rebuild_faults
from flows.sidecar import read_sidecar, sha256_of
from flows.stages import run_stages, store_of
from flows.store import Store

pytestmark = pytest.mark.network

AGENT = "praevkarte (redaktion@kleinland.example)"
WEEK = timedelta(days=7)
YES, NO, SILENCE = Probe(ANSWERS, "erreichbar (200)"), Probe(FAILS, "404"), Probe(UNKNOWN, "403")


@dataclass
class FakeTime:
    """A clock that moves only by waiting."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds

    @property
    def pace(self) -> Pace:
        return Pace(lambda: self.seconds, self.sleep)


@pytest.fixture
def site() -> Iterator[Web]:
    with web() as server:
        yield server


@pytest.fixture
def clock() -> FakeTime:
    return FakeTime()


@pytest.fixture
def prober(clock: FakeTime) -> Prober:
    return Prober(AGENT, clock.pace)


# --- asking politely ---


def test_a_page_is_asked_for_by_name_and_only_its_head(site: Web, prober: Prober) -> None:
    site.answers["/rat"] = Answer(200, b"Der Rat")
    assert prober.probe(f"{site.url}/rat") == Probe(ANSWERS, "erreichbar (200)")
    assert [(one.method, one.path) for one in site.asked] == [("GET", "/robots.txt"), ("HEAD", "/rat")]
    assert {one.headers["User-Agent"] for one in site.asked} == {AGENT}


def test_a_server_that_knows_no_head_is_asked_for_the_beginning(site: Web, prober: Prober) -> None:
    site.answers["/rat"] = lambda asked: Answer(405) if asked.method == "HEAD" else Answer(206, b"Der")
    assert prober.probe(f"{site.url}/rat").result == ANSWERS
    assert site.asked[-1].headers["Range"] == "bytes=0-1023"


def test_requests_to_one_host_are_seconds_apart_and_robots_is_read_once(
    site: Web, prober: Prober, clock: FakeTime
) -> None:
    for name in ("a", "b", "c"):
        site.answers[f"/{name}"] = Answer(200)
    list(prober.probe_all(f"{site.url}/{name}" for name in ("a", "b", "c")))
    assert site.paths() == ["/robots.txt", "/a", "/b", "/c"]
    assert clock.waits == [5.0, 5.0, 5.0]


def test_hosts_take_turns() -> None:
    urls = ["https://a.example/1", "https://a.example/2", "https://A.example/3", "https://b.example/1"]
    assert in_turn(urls) == [urls[0], urls[3], urls[1], urls[2]]


@pytest.mark.parametrize(("wished", "waited"), [("20", 20.0), ("2", 5.0), ("86400", 60.0)])
def test_a_longer_pause_that_robots_wishes_is_kept_within_reason(
    wished: str, waited: float, site: Web, prober: Prober, clock: FakeTime
) -> None:
    site.answers |= {
        "/robots.txt": Answer(200, f"User-agent: *\nCrawl-delay: {wished}\n".encode()),
        "/a": Answer(200),
    }
    prober.probe(f"{site.url}/a")
    assert clock.waits == [waited]


def test_a_page_that_robots_forbids_is_not_looked_at(site: Web, prober: Prober) -> None:
    site.answers |= {
        "/robots.txt": Answer(200, b"User-agent: praevkarte\nDisallow: /intern/\n"),
        "/intern/rat": Answer(200),
        "/rat": Answer(200),
    }
    assert prober.probe(f"{site.url}/intern/rat").words == "robots.txt untersagt Programmen diese Seite"
    assert prober.probe(f"{site.url}/rat").result == ANSWERS
    assert "/intern/rat" not in site.paths()


@pytest.mark.parametrize(("status", "result"), [(404, ANSWERS), (403, ANSWERS), (503, UNKNOWN)])
def test_without_a_robots_file_all_is_allowed_with_a_broken_one_nothing(
    status: int, result: str, site: Web, prober: Prober
) -> None:
    site.answers |= {"/robots.txt": Answer(status), "/rat": Answer(200)}
    assert prober.probe(f"{site.url}/rat").result == result


@pytest.mark.parametrize(
    ("status", "result", "words"),
    [
        (200, ANSWERS, "erreichbar (200)"),
        (416, ANSWERS, "erreichbar (416)"),
        (404, FAILS, "der Server antwortet mit 404"),
        (410, FAILS, "der Server antwortet mit 410"),
        (500, FAILS, "der Server antwortet mit 500"),
        (401, UNKNOWN, "der Server gibt Programmen keine Auskunft (401)"),
        (403, UNKNOWN, "der Server gibt Programmen keine Auskunft (403)"),
        (429, UNKNOWN, "der Server gibt Programmen keine Auskunft (429)"),
    ],
)
def test_what_an_answer_says_of_a_page(status: int, result: str, words: str, site: Web, prober: Prober) -> None:
    site.answers["/rat"] = Answer(status)
    assert prober.probe(f"{site.url}/rat") == Probe(result, words)


def test_a_page_that_moved_answers_where_it_is_now(site: Web, prober: Prober, clock: FakeTime) -> None:
    site.answers |= {"/alt": Answer(301, headers={"Location": "/neu"}), "/neu": Answer(200)}
    assert prober.probe(f"{site.url}/alt").result == ANSWERS
    assert clock.waits == [5.0, 5.0]


def test_a_page_that_leads_to_the_start_page_is_for_people_to_judge(site: Web, prober: Prober) -> None:
    site.answers |= {"/alt": Answer(302, headers={"Location": "/"}), "/": Answer(200)}
    assert prober.probe(f"{site.url}/alt") == Probe(UNKNOWN, "die Adresse leitet auf eine Startseite um: bitte ansehen")


@pytest.mark.parametrize("target", ["/alt", "ftp://kleinland.example/rat", "file:///etc/passwd"])
def test_a_redirect_that_leads_nowhere_fails(target: str, site: Web, prober: Prober) -> None:
    site.answers["/alt"] = Answer(302, headers={"Location": target})
    assert prober.probe(f"{site.url}/alt").result == FAILS


def test_a_server_that_is_gone_fails(prober: Prober) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/rat"
        assert prober.probe(url) == Probe(FAILS, "der Server ist nicht erreichbar")


@pytest.mark.parametrize("url", ["http://", "https://[::1", "http://127.0.0.1:99999/", "http://\udcff.example/"])
def test_an_address_that_is_none_fails(url: str, prober: Prober) -> None:
    assert prober.probe(url).result == FAILS


def test_a_server_that_says_nothing_is_not_waited_for(prober: Prober, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.links.probe.TIMES", (0.2, 0.2))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/rat"
        assert prober.probe(url) == Probe(FAILS, "der Server antwortet nicht rechtzeitig")


def test_a_body_without_end_is_not_read(site: Web, prober: Prober) -> None:
    site.answers["/rat"] = lambda asked: (
        Answer(501) if asked.method == "HEAD" else Answer(200, headers={"Content-Length": "99999999999"})
    )
    assert prober.probe(f"{site.url}/rat").result == ANSWERS


# --- what is said of a page ---


def history_of(*probes: Probe, every: timedelta = WEEK) -> Link:
    """A link after these checks."""
    link = Link()
    for number, probe in enumerate(probes):
        link = after(link, probe, DAY + number * every)
    return link


def test_a_page_that_failed_once_is_not_called_dead() -> None:
    assert history_of(NO).zustand == NOT_CHECKED
    assert history_of(YES, NO).zustand == REACHABLE
    assert history_of(YES, NO, YES, NO).zustand == REACHABLE


def test_a_page_is_dead_after_failing_in_two_checks_days_apart() -> None:
    link = history_of(YES, NO, NO)
    assert (link.zustand, link.geprueft_am) == (DEAD, (DAY + 2 * WEEK).isoformat())
    assert link.zuletzt_erreichbar_am == DAY.isoformat()
    assert link.fehlt_seit == (DAY + WEEK).isoformat()


def test_ten_checks_on_one_day_kill_no_page() -> None:
    assert history_of(YES, *[NO] * 10, every=timedelta(0)).zustand == REACHABLE
    assert history_of(NO, NO, every=CONFIRMED_AFTER - timedelta(days=1)).zustand == NOT_CHECKED


def test_a_page_that_comes_back_is_reachable_again() -> None:
    link = history_of(YES, NO, NO, YES)
    assert (link.zustand, link.geprueft_am, link.fehlt_seit) == (REACHABLE, (DAY + 3 * WEEK).isoformat(), "")


def test_where_programs_get_no_answer_nothing_is_said() -> None:
    assert history_of(SILENCE, SILENCE, SILENCE).zustand == NOT_CHECKED
    assert history_of(YES, SILENCE, SILENCE).zustand == REACHABLE
    assert history_of(NO, SILENCE, NO).zustand == DEAD


def test_reachable_is_not_claimed_for_ever_without_an_answer() -> None:
    assert history_of(YES, *[SILENCE] * 12).zustand == REACHABLE
    link = history_of(YES, *[SILENCE] * 13)
    assert (link.zustand, link.geprueft_am) == (NOT_CHECKED, "")


def test_the_published_day_moves_only_with_the_state() -> None:
    assert history_of(YES, YES, YES).geprueft_am == DAY.isoformat()
    assert history_of(NO, NO, NO, NO).geprueft_am == (DAY + WEEK).isoformat()


# --- the whole check, on a release ---


@dataclass
class Pages:
    """Kleinland's evidence on servers of this machine, one per host, and its releases."""

    place: Place
    geodata: Path
    servers: list[Web]

    @property
    def store(self) -> Store:
        return self.place.store

    def release(self, day: date) -> str:
        """A night; returns how it ended."""
        profile = replace(self.place.profile, sources=load_profile(self.geodata, PROFILE).sources)
        with lean():
            return run_stages(profile, self.place.outputs, day, call=lean_call).result

    def check(self, day: date) -> Checked:
        return check_links(self.place.profile, self.store, day, AGENT, Prober(AGENT, FakeTime().pace))

    def table(self) -> dict[str, dict[str, str]]:
        """Published evidence by id."""
        text = (self.place.outputs / "latest" / "gremien_belege.csv").read_text(encoding="utf-8")
        return {row["beleg_id"]: row for row in csv.DictReader(text.splitlines())}

    def answer(self, answer: Answer | Callable[[Asked], Answer], *servers: Web) -> None:
        """Let every page of some servers answer so."""
        paths = {row["url"]: row["url"].split("/", 3)[3] for row in self.table().values()}
        for server in servers:
            for url, path in paths.items():
                if url.startswith(server.url):
                    server.answers[f"/{path}"] = answer

    @property
    def kept(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((operation_folder(self.store) / "links.json").read_text(encoding="utf-8"))
        return content

    def work(self) -> list[dict[str, str]]:
        text = (operation_folder(self.store) / "links-arbeitsliste.csv").read_text(encoding="utf-8")
        return list(csv.DictReader(text.splitlines()))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """A first release whose evidence lies on three servers."""
    folder = tmp_path_factory.mktemp("belege")
    with ExitStack() as stack:
        servers = [stack.enter_context(web()) for _ in range(3)]
        rows = list(csv.reader((KLEINLAND / "evidence.csv").read_text(encoding="utf-8").splitlines()))
        for number, row in enumerate(rows[1:]):
            row[2] = f"{servers[number % 3].url}/{row[0]}"
        text = "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows) + "\n"
        geodata = build_geodata(folder / "geodata", {"evidence.csv": text})
        made = Pages(Place(load_profile(geodata, PROFILE), folder / "outputs", {}), geodata, servers)
        assert made.release(DAY) == "published"
        yield made


@pytest.fixture
def pages(first: Pages, outputs: Path) -> Pages:
    """The first release, in a place of the test's own; every page answers."""
    shutil.copytree(first.place.outputs, outputs, symlinks=True)
    for server in first.servers:
        server.answers.clear()
    made = replace(first, place=replace(first.place, outputs=outputs))
    made.answer(Answer(200), *made.servers)
    return made


@pytest.mark.slow
def test_a_release_without_a_check_says_nothing_of_its_links(pages: Pages) -> None:
    assert {row["link_zustand"] + row["link_geprueft_am"] for row in pages.table().values()} == {""}


@pytest.mark.slow
def test_a_dead_link_is_shown_as_such_and_its_record_stays(pages: Pages) -> None:
    day = DAY + WEEK
    assert pages.check(day).count(REACHABLE) == len({row["url"] for row in pages.table().values()})
    assert pages.release(day) == "published"
    before = pages.table()
    assert {row["link_zustand"] for row in before.values()} == {"erreichbar"}

    gone = pages.servers[0]
    pages.answer(Answer(404), gone)
    first = pages.check(day + WEEK)
    assert (first.count(DEAD), first.changed) == (0, 0)
    assert pages.release(day + WEEK) == "unchanged"
    second = pages.check(day + 2 * WEEK)
    dead = {row["beleg_id"] for row in before.values() if row["url"].startswith(gone.url)}
    assert second.count(DEAD) == second.changed == len(dead)
    assert pages.release(day + 2 * WEEK) == "published"

    table = pages.table()
    assert table.keys() == before.keys()
    assert {key for key, row in table.items() if row["link_zustand"] == "nicht_erreichbar"} == dead
    moved = {"link_zustand", "link_geprueft_am"}
    for key, row in table.items():
        assert {name: row[name] for name in row.keys() - moved} == {
            name: before[key][name] for name in row.keys() - moved
        }
        assert row["link_geprueft_am"] == (day + 2 * WEEK if key in dead else day).isoformat()
    with lean():
        assert rebuild_faults(pages.store, str(pages.store.target.pointer())) == []


@pytest.mark.slow
def test_a_week_without_news_makes_no_release(pages: Pages) -> None:
    pages.check(DAY)
    assert pages.release(DAY) == "published"
    file = links_file(pages.store.workspace / "sources")
    before = (file.read_bytes(), read_sidecar(file))
    pages.check(DAY + WEEK)
    assert (file.read_bytes(), read_sidecar(file)) == before
    assert pages.release(DAY + WEEK) == "unchanged"
    assert {link["zuletzt_geprueft_am"] for link in pages.kept.values()} == {(DAY + WEEK).isoformat()}


@pytest.mark.slow
def test_the_table_keeps_its_contract_and_its_sidecar(pages: Pages) -> None:
    pages.check(DAY)
    file = links_file(pages.store.workspace / "sources")
    header = file.read_text(encoding="utf-8").splitlines()[0]
    assert tuple(header.split(",")) == load_contract("input", "evidence_links").column_names
    assert read_sidecar(file).sha256 == sha256_of(file)


def test_the_work_list_has_the_dead_first_and_says_what_to_do(pages: Pages) -> None:
    closed, broken, _ = pages.servers
    pages.answer(Answer(403), closed)
    pages.check(DAY)
    pages.answer(Answer(404), broken)
    for number in (1, 2):
        pages.check(DAY + number * WEEK)
    work = pages.work()
    assert [row["zustand"] for row in work] == sorted(row["zustand"] for row in work)
    dead = [row for row in work if row["zustand"] == DEAD]
    assert {row["url"].startswith(broken.url) for row in dead} == {True}
    assert {(row["befund"], row["seit"]) for row in dead} == {
        ("der Server antwortet mit 404", (DAY + WEEK).isoformat())
    }
    assert all(row["was_tun"] and row["gremium"] for row in work)


def test_when_most_servers_fail_at_once_it_is_our_line_that_is_cut(pages: Pages) -> None:
    pages.check(DAY)
    before = pages.kept
    pages.answer(Answer(502), *pages.servers[:2])
    with pytest.raises(SourceUnavailable, match="2 von 3 Servern haben auf einmal nicht geantwortet"):
        pages.check(DAY + WEEK)
    assert pages.kept == before


def test_servers_that_have_long_been_gone_do_not_stop_the_check(pages: Pages) -> None:
    pages.answer(Answer(404), pages.servers[0])
    for number in range(3):
        pages.check(DAY + number * WEEK)
    pages.answer(Answer(404), pages.servers[1])
    assert pages.check(DAY + 3 * WEEK).count(REACHABLE) > 0


def test_an_address_that_is_no_longer_evidence_is_forgotten(pages: Pages) -> None:
    pages.check(DAY)
    state = operation_folder(pages.store) / "links.json"
    stale = pages.kept | {"https://weg.example/": next(iter(pages.kept.values()))}
    state.write_text(json.dumps(stale), encoding="utf-8")
    pages.check(DAY + WEEK)
    assert "https://weg.example/" not in pages.kept


def test_a_damaged_memory_is_told_and_not_overwritten(pages: Pages) -> None:
    pages.check(DAY)
    state = operation_folder(pages.store) / "links.json"
    state.write_text('{"http', encoding="utf-8")
    with pytest.raises(WrongUsage, match=r"links\.json: die Datei ist beschädigt"):
        pages.check(DAY + WEEK)
    assert state.read_text(encoding="utf-8") == '{"http'


def test_without_a_release_there_is_nothing_to_check(geodata: Path, outputs: Path) -> None:
    profile = load_profile(geodata, PROFILE)
    with pytest.raises(WrongUsage, match="Bitte zuerst `praevkarte release` aufrufen"):
        check_links(profile, store_of(profile, outputs), DAY, AGENT)


def test_the_command_counts_and_names_the_work_list(
    pages: Pages, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.links.check.Prober", lambda agent: Prober(agent, FakeTime().pace))
    pages.answer(Answer(403), pages.servers[0])
    places = ["--profile", PROFILE, "--geodata", str(pages.geodata), "--outputs", str(pages.place.outputs)]
    assert call_command(["evidence-links", *places, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["zustaende"][DEAD] == 0
    assert said["zustaende"][NOT_CHECKED] == len(pages.work()) > 0
    assert said["geaendert"] == said["zustaende"][REACHABLE] > 0
    assert call_command(["evidence-links", *places]) == 0
    text = capsys.readouterr().out
    assert "der Server gibt Programmen keine Auskunft (403)" in text
    assert text.strip().endswith(str(operation_folder(pages.store) / "links-arbeitsliste.csv"))
    assert call_command(["evidence-links", *places, "--quiet"]) == 0
    assert capsys.readouterr().out == ""
