"""What the command line prints: progress, summaries and errors, for people (German) and for machines (JSON)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer import TyperException

from flows.errors import PipelineError, Refused
from flows.findings import Finding
from flows.german import number

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)

# Typer has no class of its own for these.
USAGE_MESSAGES = (
    (re.compile(r"No such command '(.*)'"), "Den Befehl „{}“ gibt es nicht."),
    (re.compile(r"Got unexpected extra argument\(?s?\)? \((.*)\)"), "Das ist eine Angabe zu viel: {}."),
)

# So many findings are shown in full; the rest is counted (all of them stand in --json).
SHOWN = 50


def print_json(content: Mapping[str, Any]) -> None:
    """One JSON object on stdout."""
    print(json.dumps(content, ensure_ascii=False, indent=2))


def print_findings(findings: Iterable[Finding]) -> None:
    """Findings on stderr, one a line."""
    found = list(findings)
    for finding in found[:SHOWN]:
        ERR.print(f"  • {escape(str(finding))}")
    if len(found) > SHOWN:
        ERR.print(f"  … und {len(found) - SHOWN} weitere (alle mit --json).")


def print_error(error: PipelineError, as_json: bool) -> None:
    """An error on stderr, then the notes that its command added; with ``as_json`` its findings on stdout as well."""
    _print_what(error, as_json)
    for note in getattr(error, "__notes__", ()):
        ERR.print(note, markup=False)


def _print_what(error: PipelineError, as_json: bool) -> None:
    if isinstance(error, Refused):
        if as_json:
            print_json({"ergebnis": "abgelehnt", "befunde": [finding.as_dict() for finding in error.findings]})
        word = "Befund" if len(error.findings) == 1 else "Befunde"
        ERR.print(f"[bold red]Abgelehnt:[/] {number(len(error.findings))} {word}; {error.consequence}.")
        print_findings(error.findings)
        return
    if as_json:
        print_json({"ergebnis": "fehler", "meldung": str(error)})
    ERR.print(f"[bold red]Fehler:[/] {escape(str(error))}")


def usage_message(error: TyperException) -> str:
    """What was wrong with a call, in German; Typer says it in English."""
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    name = parameter.opts[-1] if parameter and parameter.opts else getattr(error, "option_name", "")
    texts = {
        "NoArgsIsHelpError": "Es fehlt ein Befehl.",
        "MissingParameter": f"Die Angabe {name} fehlt.",
        "NoSuchOption": f"Die Option {name} gibt es nicht.",
        "BadOptionUsage": f"Die Option {name} ist unvollständig oder hat einen Wert zu viel.",
        "BadParameter": f"Der Wert von {name} ist nicht erlaubt ({error.message}).",
    }
    text = texts.get(type(error).__name__, f"Der Aufruf ist nicht zu verstehen ({error.message}).")
    for english, german in USAGE_MESSAGES:
        if found := english.match(error.message):
            text = german.format(found[1])
    command = context.command_path if context else "praevkarte"
    return f"{text} Hilfe: `{command} --help`"


def dataset_table(rows: Mapping[str, int], titles: Mapping[str, str]) -> Table:
    """Rows per dataset as a table."""
    table = Table("Datensatz", "Inhalt", box=None, pad_edge=False)
    table.add_column("Zeilen", justify="right")
    for dataset, count in rows.items():
        table.add_row(dataset, titles.get(dataset, ""), number(count))
    return table
