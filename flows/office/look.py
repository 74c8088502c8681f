"""A look at one file of the office before it is handed in: which dataset it is, and what would be wrong with it."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

from flows.contracts import load_contract
from flows.errors import Refused, WrongUsage
from flows.load import RESPONSES
from flows.paths import CONTRACTS
from flows.profile import Profile, Source
from flows.sidecar import Sidecar, record, sha256_of
from flows.sources.kinds import KINDS, check_fetches
from flows.stages import INPUT_STAGES, Outcome, run_stages
from flows.tables import read_cells, read_headers

# What an office keeps as tables, besides the responses of each wave.
TABLES = (
    "committees",
    "evidence",
    "hints",
    "monitoring",
    "municipal_changes",
    "population",
    "register",
    "resources",
    "survey_waves",
)
ENDINGS = (".csv", ".xlsx")
UNPUBLISHED = "nur zur Prüfung"
# So much of the columns of file and contract together must be common to both.
ALIKE = 0.4


def known_datasets() -> list[str]:
    """The datasets that an office may hand in as a table."""
    return [*TABLES, *sorted(path.stem for path in (CONTRACTS / "input").glob(f"{RESPONSES}_*.json"))]


def _likeness(columns: tuple[str, ...], dataset: str) -> float:
    ours, theirs = set(load_contract("input", dataset).column_names), set(columns)
    return len(ours & theirs) / len(ours | theirs)


def _dataset_of(columns: tuple[str, ...], hint: str) -> list[str]:
    """The datasets to which these columns may belong: none, one, or several waves that ask the same.

    ``hint`` is what file and sheet are called; of several it may name one.
    """
    likeness = {dataset: _likeness(columns, dataset) for dataset in known_datasets()}
    best = max(likeness.values())
    found = [dataset for dataset, value in likeness.items() if value == best] if best >= ALIKE else []
    words = set(re.findall(r"[0-9]{4}|[a-z_]+", hint.lower()))
    named = [dataset for dataset in found if dataset.rpartition("_")[2] in words]
    return named if len(named) == 1 else found


def recognised(file: Path, dataset: str | None) -> tuple[Source, ...]:
    """The datasets in a file, by their headers or as ``dataset`` says.

    Raises ``WrongUsage`` when there is no such file or dataset or the headers do not tell, ``Refused`` when the file
    cannot be read.
    """
    if not file.is_file():
        raise WrongUsage(f"{file}: diese Datei gibt es nicht. Bitte den Namen prüfen.")
    if file.suffix.lower() not in ENDINGS:
        raise WrongUsage(f"{file.name}: geprüft werden Dateien mit der Endung {' oder '.join(ENDINGS)}.")
    if dataset and dataset not in known_datasets():
        raise WrongUsage(
            f"--dataset {dataset}: diesen Datensatz gibt es nicht. Möglich sind: {', '.join(known_datasets())}."
        )
    headers = read_headers(file, file.name)
    if dataset:
        sheet = max(headers, key=lambda name: _likeness(headers[name], dataset))
        return (Source(dataset, file, sheet),)
    found: dict[str, Source] = {}
    for sheet, columns in headers.items():
        candidates = _dataset_of(columns, f"{file.stem} {sheet or ''}")
        if len(candidates) > 1:
            raise WrongUsage(
                f"{file.name}: die Spalten passen zu {' und zu '.join(candidates)}. Bitte mit --dataset sagen, welcher "
                "Datensatz das ist."
            )
        for name in candidates:
            found.setdefault(name, Source(name, file, sheet))
    if not found:
        raise WrongUsage(
            f"{file.name}: an der Kopfzeile ist nicht zu erkennen, welcher Datensatz das ist. Die erste Zeile muss die "
            "Spaltennamen der Vorlage enthalten (`praevkarte template …`); sonst bitte mit --dataset angeben: "
            f"{', '.join(known_datasets())}."
        )
    return tuple(found.values())


def is_empty(sources: tuple[Source, ...]) -> bool:
    """Whether nobody has filled in anything yet."""
    try:
        return not any(read_cells(source.file, source.sheet, source.label).rows for source in sources)
    except Refused:
        # Something is there, and the check will say what is wrong with it.
        return False


def look_at(
    profile: Profile, outputs: Path, day: date, sources: tuple[Source, ...], reports: Path | None
) -> Outcome:  # fmt: skip
    """Check the profile's inputs with the office's file in the place of its own; the reports go to ``reports``.

    Raises ``Refused`` with what is found, whatever file it is in, and ``WrongUsage`` for a source of the profile that
    cannot be meant.
    """
    check_fetches(profile)
    with tempfile.TemporaryDirectory(prefix="praevkarte-") as name:
        copy = Path(shutil.copy(sources[0].file, name))
        # Nothing of it is published, so there is nothing to tell of licence and origin.
        facts = Sidecar(
            title=f"Zur Prüfung: {copy.name}",
            origin=UNPUBLISHED,
            url="",
            retrieved="übernommen",
            licence=UNPUBLISHED,
            licence_url="",
            attribution=UNPUBLISHED,
            sha256=sha256_of(copy),
            bytes=copy.stat().st_size,
            edited_here=True,
        )
        record(copy, facts)
        given = {source.dataset: replace(source, file=copy) for source in sources}
        own = {source.dataset: source for source in profile.sources}
        # What is fetched of a dataset would take the place of the file.
        fetches = tuple(one for one in profile.fetches if not given.keys() & set(KINDS[one.kind].datasets(one.options)))
        looked_at = replace(profile, sources=tuple((own | given).values()), fetches=fetches)
        return run_stages(looked_at, outputs, day, INPUT_STAGES, reports=reports)
