"""What is wrong with the inputs is said exactly.

Each folder of ``tests/counterexamples`` holds what an office might hand in (only the files that differ from
Kleinland's, or settings in ``profile.toml``) and, in ``expected.txt``, every word that the operator reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from conftest import KLEINLAND, build_geodata

from flows.errors import PipelineError, Refused
from flows.paths import ROOT, SQL
from flows.stages import INPUT_STAGES, Outcome

FOLDER = Path(__file__).parent / "counterexamples"
NAMES = sorted(path.name for path in FOLDER.iterdir())
# What is found while reading: files, then cells against their contract, then shapes.
READING_RULES = {"herkunft", "lesbar", "spalten", "pflicht", "typ", "muster", "codeliste", "bereich", "flaeche"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the operator reads, and the names of the rules that are broken."""

    text: str
    rules: frozenset[str]


@pytest.fixture(scope="module")
def refused(release: Callable[..., Outcome], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Refusal]:
    """``refused(name)`` hands a counterexample in, once for all tests, and says how it was answered."""

    @cache
    def hand_in(name: str) -> Refusal:
        folder = tmp_path_factory.mktemp(name)
        geodata = build_geodata(folder / "geodata", FOLDER / name)
        with pytest.raises(PipelineError) as caught:
            release(geodata, folder / "outputs", stages=INPUT_STAGES)
        found = caught.value.findings if isinstance(caught.value, Refused) else ()
        return Refusal(message(caught.value, geodata), frozenset(finding.check for finding in found))

    return hand_in


def message(error: PipelineError, geodata: Path) -> str:
    """What the operator reads, with the places of this machine taken out."""
    return str(error).replace(str(geodata), "geodata").replace(f"{ROOT}/", "")


@pytest.mark.parametrize("name", NAMES)
def test_a_counterexample_is_refused_in_exactly_these_words(name: str, refused: Callable[[str], Refusal]) -> None:
    expected = (FOLDER / name / "expected.txt").read_text(encoding="utf-8")
    assert refused(name).text + "\n" == expected


def test_every_rule_is_shown_to_fail(refused: Callable[[str], Refusal]) -> None:
    data_tests = {path.stem for path in (SQL / "checks").glob("*.sql")}
    assert frozenset().union(*(refused(name).rules for name in NAMES)) == data_tests | READING_RULES


UNFOLLOWED = """extends = "kleinland"
[territory]
changes_lands = []
[survey]
wave = ""
[sources]
register = ""
population = ""
municipal_changes = ""
survey_waves = ""
hints = ""
"""


def test_what_may_be_wrong_but_need_not_be_is_told_and_not_refused(
    make_geodata: Callable[..., Path], release: Callable[..., Outcome], outputs: Path
) -> None:
    """A key that the boundaries know is taken for the same municipality on any day, also where no changes are known."""
    committees = (KLEINLAND / "committees.csv").read_text(encoding="utf-8")
    dated = committees.replace("99002005,2022-12-31", "99001005,2022-12-31")
    outcome = release(make_geodata({"profile.toml": UNFOLLOWED, "committees.csv": dated}), outputs, stages=INPUT_STAGES)
    assert outcome.reports["join"].notes == (
        "Schlüssel eines anderen Tages als die Grenzen (4) in Ländern ohne erfasste Gebietsänderungen: die Karte zeigt "
        "diese Gemeinden mit ihrem Gebiet vom 01.01.2016, ob es an jenem Tag dasselbe war, ist nicht bekannt: "
        "99001001 (31.12.2019), 99001005 (31.12.2019), 99001005 (31.12.2022), 99001006 (31.12.2019)",
    )


def test_kleinland_itself_breaks_no_rule(geodata: Path, release: Callable[..., Outcome], outputs: Path) -> None:
    outcome = release(geodata, outputs, stages=INPUT_STAGES)
    assert outcome.reports["check"].notes
    assert not outcome.reports["join"].notes
    assert set(outcome.reports["load"].rows) >= {"boundaries", "committees", "evidence", "population"}
