"""The command line ``praevkarte``. It runs the stages directly: Prefect is never imported here (4-5 s)."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from flows.commands import build, fetch, office, operation, operations, profile, releases
from flows.console import print_error, usage_message
from flows.disk import DISK_ERRORS
from flows.errors import PipelineError, StoreUnusable, WrongUsage

app = typer.Typer(
    help="Präventionskarte: Daten verknüpfen, prüfen und als Ausgabe veröffentlichen.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS: dict[str, Callable[..., None]] = {
    "release": build.release,
    "check": office.check,
    "template": office.template,
    "fetch": fetch.fetch,
    "serve": build.serve,
    "list": releases.list_releases,
    "show": releases.show,
    "diff": releases.diff,
    "verify": releases.verify,
    "approve": operations.approve,
    "reject": operations.reject,
    "rollback": operations.rollback,
    "withdraw": operations.withdraw,
    "prune": operations.prune,
    "freshness": operation.freshness,
    "evidence-links": operation.evidence_links,
}
for name, command in COMMANDS.items():
    app.command(name=name)(command)

app.add_typer(office.survey, name="survey")
app.add_typer(profile.profile, name="profile")

NAME, DEBUG = "praevkarte", "--debug"


@app.callback()
def options(debug: Annotated[bool, typer.Option(DEBUG, help="Bei Fehlern den Traceback zeigen.")] = False) -> None:
    """Options of every command; ``--debug`` is read by ``run``, wherever it stands."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code. Pipeline errors become a message, not a traceback."""
    rest = [argument for argument in arguments if argument != DEBUG]
    try:
        return int(app(rest, prog_name=NAME, standalone_mode=False) or 0)
    except PipelineError as error:
        return _failed(error, error, arguments)
    except typer.TyperException as error:
        return _failed(WrongUsage(usage_message(error)), error, arguments)
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        place = error.filename or "Datenträger"
        return _failed(StoreUnusable(f"{place}: {DISK_ERRORS[error.errno]}"), error, arguments)


def _failed(told: PipelineError, cause: Exception, arguments: Sequence[str]) -> int:
    """Tell an error, with the traceback of its cause where that is asked for; returns the exit code."""
    if DEBUG in arguments:
        traceback.print_exception(cause)
    print_error(told, "--json" in arguments)
    return told.exit_code


def main() -> None:
    """The command ``praevkarte``."""
    sys.exit(run(sys.argv[1:]))
