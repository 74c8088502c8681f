"""What docs/deploy and docs/operations.md tell an operator to install works as it stands there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from flows.cli import COMMANDS
from flows.nights.stage_log import VARIABLE
from flows.notices.mail import SMTP_URL
from flows.notices.webhook import WEBHOOK_URL
from flows.paths import ROOT

DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted(path.name for path in DEPLOY.glob("praevkarte-*"))
# Where the run book installs.
PLACE = "/opt/praevkarte"


def unit(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def test_there_is_a_unit_for_everything_that_must_run() -> None:
    assert UNITS == [
        "praevkarte-freshness.service",
        "praevkarte-freshness.timer",
        "praevkarte-server.service",
        "praevkarte-worker.service",
    ]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_nothing_wrong(name: str, tmp_path: Path) -> None:
    """The units as they are, but for the place of the checkout: systemd wants to see the programs."""
    for other in UNITS:
        (tmp_path / other).write_text(unit(other).replace(PLACE, str(ROOT)), encoding="utf-8")
    command = ["systemd-analyze", "verify", "--recursive-errors=no", "--man=no", tmp_path / name]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    complaints = [line for line in result.stderr.splitlines() if "praevkarte" in line]
    assert complaints == []
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_a_mistake_in_a_unit_is_found(tmp_path: Path) -> None:
    text = unit("praevkarte-worker.service").replace(PLACE, str(ROOT)).replace("Restart=always", "Restart=immer")
    (tmp_path / "praevkarte-worker.service").write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--recursive-errors=no", tmp_path / "praevkarte-worker.service"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Failed to parse service restart specifier" in result.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_the_timer_s_calendar_is_one() -> None:
    (calendar,) = re.findall(r"^OnCalendar=(.*)$", unit("praevkarte-freshness.timer"), re.MULTILINE)
    assert subprocess.run(["systemd-analyze", "calendar", calendar], capture_output=True, check=False).returncode == 0


def test_the_check_runs_outside_prefect_and_writes_only_its_own_state() -> None:
    text = unit("praevkarte-freshness.service")
    assert "/praevkarte freshness" in text
    assert "prefect" not in "".join(line for line in text.lower().splitlines() if line.startswith("exec"))
    assert "ReadWritePaths" not in text
    assert "ReadOnlyPaths=/srv/praevkarte" in text


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_no_unit_runs_as_root_or_holds_a_secret(name: str) -> None:
    text = unit(name)
    assert "User=praevkarte" in text
    assert "EnvironmentFile=/etc/praevkarte/praevkarte.env" in text
    assert SMTP_URL not in text
    assert WEBHOOK_URL not in text


def test_the_example_environment_names_every_secret_and_gives_none() -> None:
    text = unit("praevkarte.env.example")
    for variable in (SMTP_URL, WEBHOOK_URL, VARIABLE, "PRAEVKARTE_OUTPUTS", "PREFECT_API_URL"):
        assert variable in text
    assert re.search(r"^PRAEVKARTE_(SMTP|WEBHOOK)_URL=", text, re.MULTILINE) is None


def test_the_run_book_names_only_commands_and_units_that_exist() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"`(?:\.venv/bin/)?praevkarte ([a-z-]+)", text))
    assert commands >= {"freshness", "evidence-links", "approve", "reject", "rollback", "verify"}
    assert commands <= COMMANDS.keys() | {"survey"}
    assert set(re.findall(r"praevkarte-[a-z]+\.(?:service|timer)", text)) <= set(UNITS)
    for file in re.findall(r"\]\(((?!https?:)[^)#]+)\)", text):
        assert (ROOT / "docs" / file).exists(), file


def test_no_block_to_copy_lets_prefect_send_telemetry() -> None:
    text = (ROOT / "docs" / "prefect.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    calls = re.compile(r"^\.venv/bin/(?:prefect|python -m flows\.refresh)", re.MULTILINE)
    calling = [block for block in blocks if calls.search(block)]
    assert len(calling) == 2
    for block in calling:
        assert re.match(r"export .*PREFECT_SERVER_ANALYTICS_ENABLED=false DO_NOT_TRACK=1$", block, re.MULTILINE), block
