"""The command line ``praevkarte``. It runs the stages directly: Prefect is never imported here (4-5 s)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from flows.commands import build, operations, releases
from flows.console import ERR, print_error, usage_message
from flows.errors import PipelineError, StoreUnusable, WrongUsage
from flows.store import DISK_ERRORS

app = typer.Typer(
    help="Präventionskarte: Daten verknüpfen, prüfen und als Ausgabe veröffentlichen.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS: dict[str, Callable[..., None]] = {
    "release": build.release,
    "check": build.check,
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
}
for name, command in COMMANDS.items():
    app.command(name=name)(command)

DEBUG = "--debug"


@app.callback()
def options(debug: Annotated[bool, typer.Option(DEBUG, help="Bei Fehlern den Traceback zeigen.")] = False) -> None:
    """Options of every command; ``--debug`` is read by ``run``, wherever it stands."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code. Pipeline errors become a message, not a traceback."""
    rest = [argument for argument in arguments if argument != DEBUG]
    error: PipelineError
    try:
        return int(app(rest, standalone_mode=False) or 0)
    except PipelineError as problem:
        error = problem
    except typer.TyperException as problem:
        error = WrongUsage(usage_message(problem))
    except OSError as problem:
        if problem.errno not in DISK_ERRORS:
            raise
        error = StoreUnusable(f"{problem.filename or 'Datenträger'}: {DISK_ERRORS[problem.errno]}")
    if DEBUG in arguments:
        ERR.print_exception()
    print_error(error, "--json" in arguments)
    return error.exit_code


def main() -> None:
    """The command ``praevkarte``."""
    sys.exit(run(sys.argv[1:]))
