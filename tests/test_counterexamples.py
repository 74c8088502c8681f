"""What is wrong with the inputs is said exactly.

Each folder of ``tests/counterexamples`` holds what an office might hand in (only the files that differ from
Kleinland's, or settings in ``profile.toml``) and, in ``expected.txt``, every word that the operator reads.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.errors import PipelineError, Refused
from flows.paths import ROOT, SQL
from flows.stages import INPUT_STAGES, Outcome

FOLDER = Path(__file__).parent / "counterexamples"
NAMES = sorted(path.name for path in FOLDER.iterdir())
# What is found while reading: files, then cells against their contract, then shapes.
READING_RULES = {"herkunft", "lesbar", "spalten", "pflicht", "typ", "muster", "codeliste", "bereich", "flaeche"}


@pytest.fixture(scope="module")
def seen() -> dict[str, set[str]]:
    """Names of the rules that each counterexample has broken so far."""
    return {}


def message(error: PipelineError, geodata: Path) -> str:
    """What the operator reads, with the places of this machine taken out."""
    return str(error).replace(str(geodata), "geodata").replace(f"{ROOT}/", "")


@pytest.mark.parametrize("name", NAMES)
def test_a_counterexample_is_refused_in_exactly_these_words(
    name: str,
    make_geodata: Callable[..., Path],
    release: Callable[..., Outcome],
    outputs: Path,
    seen: dict[str, set[str]],
) -> None:
    geodata = make_geodata(FOLDER / name)
    with pytest.raises(PipelineError) as caught:
        release(geodata, outputs, stages=INPUT_STAGES)
    seen[name] = {finding.check for finding in caught.value.findings} if isinstance(caught.value, Refused) else set()
    expected = (FOLDER / name / "expected.txt").read_text(encoding="utf-8")
    assert message(caught.value, geodata) + "\n" == expected


def test_every_rule_is_shown_to_fail(seen: dict[str, set[str]]) -> None:
    if seen.keys() != set(NAMES):
        pytest.skip("says something only after all counterexamples have run")
    data_tests = {path.stem for path in (SQL / "checks").glob("*.sql")}
    assert set().union(*seen.values()) == data_tests | READING_RULES


def test_kleinland_itself_breaks_no_rule(geodata: Path, release: Callable[..., Outcome], outputs: Path) -> None:
    outcome = release(geodata, outputs, stages=INPUT_STAGES)
    assert outcome.reports["check"].notes
    assert set(outcome.reports["load"].rows) >= {"boundaries", "committees", "evidence", "population"}
