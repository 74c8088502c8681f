"""The command line ``praevkarte``. It runs the stages directly: Prefect is never imported here (4-5 s)."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from flows.commands import build, operations, releases
from flows.console import ERR, print_error
from flows.errors import PipelineError, StoreUnusable

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

# What the operator can mend: no room, no right to write.
DISK_ERRORS = {
    errno.ENOSPC: "Auf dem Datenträger ist kein Platz mehr.",
    errno.EDQUOT: "Das Speicherkontingent ist erschöpft.",
    errno.EROFS: "Der Datenträger ist nur lesbar.",
    errno.EACCES: "Das Recht zum Schreiben fehlt.",
    errno.EPERM: "Das Recht zum Schreiben fehlt.",
    errno.EFBIG: "Die Datei würde zu groß.",
}


@app.callback()
def options(debug: Annotated[bool, typer.Option("--debug", help="Bei Fehlern den Traceback zeigen.")] = False) -> None:
    """Options of every command; ``--debug`` is read by ``main``."""


def main() -> None:
    """Run the command line; pipeline errors become a message and their exit code, not a traceback."""
    try:
        app()
    except PipelineError as error:
        _end(error)
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        place = error.filename or "Ausgaben"
        _end(StoreUnusable(f"{place}: {DISK_ERRORS[error.errno]} Die letzte Ausgabe ist unverändert."))


def _end(error: PipelineError) -> None:
    if "--debug" in sys.argv:
        ERR.print_exception()
    print_error(error, "--json" in sys.argv)
    sys.exit(error.exit_code)
