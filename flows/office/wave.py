"""Prepare a new wave of the survey: whom to ask, the contract of the answers, and what must be filled in later.

Nothing is guessed: figures that only the survey itself can give stay empty, and the basis of the selection is named.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font

from flows.acquire import acquire, settled
from flows.contracts import code_list, load_contract
from flows.database import database
from flows.errors import Refused, WrongUsage
from flows.findings import Finding
from flows.formats.xlsx import sheet_name
from flows.german import day as german_day
from flows.join import join
from flows.load import RESPONSES, load
from flows.metadata.text import render
from flows.office.report import safe
from flows.paths import CONTRACTS
from flows.profile import Profile, Source
from flows.run import Run
from flows.sidecar import Sidecar, encoded, sidecar_path
from flows.sources.effective import effective_sources
from flows.sources.kinds import KINDS, check_fetches
from flows.sources.snapshots import sources_folder
from flows.store import Store
from flows.tables import Table, read_table
from flows.targets.local import LocalTarget
from flows.validate import day_columns

# Where the program looks for the contract of a wave.
INPUTS = CONTRACTS / "input"
WAVE = re.compile(r"[0-9]{4}")
# The last column is the office's to fill in: a function mailbox, no person's.
INVITATION = ("ags", "stadt", "verband_schluessel", "verband", "einwohner", "funktionspostfach")
WIDTHS = (12, 36, 20, 36, 12, 40)
# Registers with population, the newest product last.
REGISTERS = ("register", "register_current")
# What the towns of a day are found from; whatever is wrong with other inputs is no matter here.
BASES = ("boundaries", "register", "population", "municipal_changes")


@dataclass(frozen=True, slots=True)
class Town:
    """A town to ask, with the association through which a reply may come."""

    ags: str
    name: str
    association_key: str
    association: str
    population: int


@dataclass(frozen=True, slots=True)
class Frame:
    """The towns of a wave, the days on which their territory and population are known, and where both come from."""

    towns: tuple[Town, ...]
    territory: date
    population: date
    basis: str


@dataclass(frozen=True, slots=True)
class Wave:
    """A new wave: its key (the year), the day for which towns are selected, and the smallest population."""

    key: str
    day: date
    threshold: int


def _from_changes(run: Run, wave: Wave, population: date | None) -> Frame | str:
    """The frame on the very territory of the day, or why the boundaries and changes of the profile do not give it."""
    load(run)
    with database(run.database) as con:
        counted = population or _value(
            con.execute(
                "SELECT max(einwohner_stand) FROM input.population WHERE einwohner_stand <= $1 AND gebietsstand <= $1",
                [wave.day],
            ).fetchall()
        )
        if counted is None:
            return f"zum {german_day(wave.day)} sind keine Einwohnerzahlen bekannt"
        con.execute(
            "INSERT INTO input.survey_waves (welle, mindestgroesse, einwohner_stand, gebietsstand) "
            "VALUES ($1, $2, $3, $4)",
            [wave.key, wave.threshold, counted, wave.day],
        )
    join(run)
    with database(run.database) as con:
        obstacles = _value(
            con.execute("SELECT hindernisse FROM staging.territory_dates WHERE stand = $1", [wave.day]).fetchall()
        )
        rows = con.execute(
            "SELECT ags, gemeinde_amtlich, coalesce(verband_ars, ''), coalesce(verband, ''), einwohner "
            "FROM joined.survey_frame WHERE welle = $1 ORDER BY ags",
            [wave.key],
        ).fetchall()
    if obstacles:
        return str(obstacles)
    if not rows:
        return f"zum {german_day(counted)} sind keine Einwohnerzahlen bekannt, die zum Gebietsstand passen"
    basis = "Gemeindeverzeichnis und Gebietsänderungen des Profils, Einwohnerzahlen von Destatis"
    return Frame(tuple(Town(*row) for row in rows), wave.day, counted, basis)


def _value(rows: list[tuple[Any, ...]]) -> Any:
    return rows[0][0] if rows else None


def _register(source: Source) -> Table:
    return read_table(source.file, source.sheet, source.label, day_columns(load_contract("input", source.dataset)))


def _from_register(tables: Iterable[Table], wave: Wave, known_until: date) -> Frame | None:
    """The frame of the newest register up to the day, with the population that it gives itself; None when there is none
    that is newer than what the known changes tell.
    """
    marks = {code.code for code in code_list("textkennzeichen") if code.extra["ist_stadt"] == "true"}
    rows = [dict(zip(table.columns, row, strict=True)) for table in tables for row in table.rows]
    days = {
        str(row["gebietsstand"])
        for row in rows
        if known_until.isoformat() < str(row["gebietsstand"]) <= wave.day.isoformat()
    }
    if not days:
        return None
    newest = max(days)
    towns = [
        Town(
            str(row["ags"]),
            str(row["gemeinde_amtlich"]),
            row["verband_ars"] or "",
            row["verband"] or "",
            int(row["einwohner"] or 0),
        )
        for row in rows
        if row["gebietsstand"] == newest and row["textkennzeichen"] in marks
    ]
    asked = tuple(sorted((t for t in towns if t.population >= wave.threshold), key=lambda town: town.ags))
    territory = date.fromisoformat(newest)
    return Frame(asked, territory, territory, "Gemeindeverzeichnis (Destatis), Einwohner am Gebietsstand")


def _bases_only(profile: Profile) -> Profile:
    """The profile with no more inputs than the towns of a day are found from, as they are or as fetched; raises
    ``WrongUsage`` for a source that cannot be meant.
    """
    check_fetches(profile)

    def needed(dataset: str) -> bool:
        return dataset.removesuffix("_current") in BASES

    sources = tuple(source for source in profile.sources if needed(source.dataset))
    fetches = tuple(one for one in profile.fetches if any(map(needed, KINDS[one.kind].datasets(one.options))))
    return replace(profile, sources=sources, fetches=fetches)


def frame_of(profile: Profile, outputs: Path, wave: Wave, population: date | None) -> Frame:
    """The towns to ask, on the territory of the day where it can be had, else on that of the newest register before it.

    Raises ``WrongUsage`` saying why when neither can be had, and what the inputs raise.
    """
    profile = _bases_only(profile)
    with tempfile.TemporaryDirectory(prefix="praevkarte-") as name:
        work = Path(name)
        last_good = sources_folder(outputs / profile.outputs)
        store = Store(work, LocalTarget(work))
        run = Run(replace(profile, territory_basis="befragung"), wave.day, store, "welle", work, last_good=last_good)
        acquire(run)
        exact = _from_changes(settled(run), wave, population)
        if isinstance(exact, Frame):
            return exact
        if population is None:
            # Products of the current territory serve here even while the map shows the survey's.
            known = effective_sources(
                replace(profile, territory_basis="aktuell"), last_good, work / "register", wave.day
            )
            registers = [source for source in known.sources if source.dataset in REGISTERS]
            tables = [_register(source) for source in registers]
            found = _from_register(tables, wave, profile.changes_until)
            if found:
                return found
        raise WrongUsage(
            f"Die Städte zum {german_day(wave.day)} lassen sich nicht bestimmen: {exact}. Bitte mit --date oder "
            "--population-date einen Tag nennen, zu dem Gemeindeverzeichnis und Einwohnerzahlen vorliegen, oder neuere "
            "mit `praevkarte fetch` laden."
        )


def previous_wave(wave: str) -> str:
    """The newest wave before this one that has a contract; raises ``WrongUsage`` when there is none."""
    known = sorted(path.stem.rpartition("_")[2] for path in INPUTS.glob(f"{RESPONSES}_*.json"))
    earlier = [one for one in known if WAVE.fullmatch(one) and one < wave]
    if not earlier:
        raise WrongUsage(f"Vor {wave} gibt es keine Welle mit einem Vertrag, deren Fragen übernommen werden könnten.")
    return earlier[-1]


def _title(wave: str) -> str:
    return f"Antworten der Befragung {wave}"


def _contract(wave: str, before: str, fields: list[dict[str, Any]]) -> str:
    content = {
        "name": f"{RESPONSES}_{wave}",
        "title": _title(wave),
        "titleEn": f"Responses of the {wave} survey",
        "description": f"Fragen der Welle {wave}, aus der Welle {before} übernommen; an den Fragebogen anzupassen.",
        "descriptionEn": f"Questions of the {wave} wave, taken over from {before}; to be fitted to the questionnaire.",
        "extends": f"input/{RESPONSES}",
        "fields": fields,
        "missingValues": [""],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _csv(head: Iterable[str], rows: Iterable[Iterable[str]], delimiter: str, mark: bool) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(rows)
    return buffer.getvalue().encode("utf-8-sig" if mark else "utf-8")


def _invitation_rows(frame: Frame) -> list[list[str]]:
    return [
        [town.ags, town.name, town.association_key, town.association, str(town.population), ""] for town in frame.towns
    ]


def _invitation_book(wave: Wave, frame: Frame) -> bytes:
    """The invitation list as a workbook: keys as text, the mailbox to be filled in."""
    book = Workbook()
    sheet = book.active
    sheet.title = f"Einladung {wave.key}"
    sheet.freeze_panes = "A2"
    sheet.append(list(INVITATION))
    for row in _invitation_rows(frame):
        sheet.append(row)
    for head, width in zip(sheet[1], WIDTHS, strict=True):
        head.font = Font(bold=True)
        sheet.column_dimensions[head.column_letter].width = width
        for cell in sheet[head.column_letter][1:]:
            cell.number_format = "@"
    for cell, town in zip(sheet["E"][1:], frame.towns, strict=True):
        cell.value, cell.number_format = town.population, "#,##0"
    sheet.auto_filter.ref = sheet.dimensions
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _wave_row(wave: Wave, frame: Frame) -> dict[str, str]:
    """What is known of the wave beforehand; the rest of the row is for those who carry it out."""
    return {
        "welle": wave.key,
        "mindestgroesse": str(wave.threshold),
        "einwohner_stand": frame.population.isoformat(),
        "gebietsstand": frame.territory.isoformat(),
    }


def _description(wave: Wave) -> bytes:
    """The sidecar of the answers to come: licence and attribution are for those who publish them, size and checksum for
    ``praevkarte check --record``.
    """
    origin = f"Befragung {wave.key}: Angaben der antwortenden Stellen"
    facts = Sidecar(_title(wave.key), origin, "", "übernommen", "", "", "", "", 0, edited_here=True)
    return encoded(facts)


def _next_steps(wave: Wave, frame: Frame, before: str, contract: Path, answers: Path) -> str:
    """What the office does next (Markdown, German)."""
    known = _wave_row(wave, frame)
    named = replace(load_contract("input", RESPONSES), name=contract.stem, title=_title(wave.key))
    return render(
        "naechste_schritte.md",
        wave=wave,
        frame=frame,
        before=before,
        contract=contract.name,
        dataset=contract.stem,
        answers=answers.name,
        sheet=sheet_name(named),
        description=sidecar_path(answers).name,
        common=", ".join(f"`{name}`" for name in load_contract("input", RESPONSES).column_names),
        elsewhere=contract.parent.resolve() != INPUTS.resolve(),
        open=[field for field in load_contract("input", "survey_waves").fields if field.name not in known],
    )


def prepare_wave(folder: Path, wave: Wave, frame: Frame, contracts: Path | None = None) -> list[Path]:
    """Write contract, invitation list, the row of the wave, the sidecar of the answers and the next steps into
    ``folder``; returns the files.

    The contract goes to ``contracts`` instead, where that is given. Raises ``WrongUsage`` when one of the files, or a
    contract of the wave, is there already.
    """
    name = f"{RESPONSES}_{wave.key}.json"
    if (INPUTS / name).exists():
        raise WrongUsage(f"{INPUTS / name}: den Vertrag dieser Welle gibt es schon. Bitte das Jahr prüfen.")
    contract = (contracts or folder) / name
    answers = folder / f"antworten_{wave.key}.xlsx"
    before = previous_wave(wave.key)
    questions = json.loads((INPUTS / f"{RESPONSES}_{before}.json").read_text(encoding="utf-8"))["fields"]
    columns = load_contract("input", "survey_waves").column_names
    row = _wave_row(wave, frame)
    rows = [[safe(cell) for cell in line] for line in _invitation_rows(frame)]
    contents = {
        contract: _contract(wave.key, before, questions).encode("utf-8"),
        folder / f"einladung_{wave.key}.xlsx": _invitation_book(wave, frame),
        folder / f"einladung_{wave.key}.csv": _csv(INVITATION, rows, ";", mark=True),
        folder / f"survey_waves_{wave.key}.csv": _csv(
            columns, [[row.get(name, "") for name in columns]], ",", mark=False
        ),
        sidecar_path(answers): _description(wave),
        folder / "naechste_schritte.md": _next_steps(wave, frame, before, contract, answers).encode("utf-8"),
    }
    if there := [file for file in contents if file.exists()]:
        raise WrongUsage(f"{there[0]}: das gibt es schon und bleibt, wie es ist. Bitte --out oder die Welle prüfen.")
    for file, content in contents.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return list(contents)


def known_waves(profile: Profile) -> Table:
    """The profile's waves; raises ``Refused`` when it has none."""
    source = next((source for source in profile.sources if source.dataset == "survey_waves"), None)
    if source is None:
        remedy = "Bitte unter [sources] „survey_waves“ ergänzen."
        raise Refused([Finding("lesbar", profile.name, "das Profil nennt keine Wellen.", remedy)], "nichts angelegt")
    return read_table(source.file, source.sheet, source.label)


def new_wave(profile: Profile, key: str, day: date, threshold: int | None) -> Wave:
    """A wave with this key; without a threshold, that of the last wave counts.

    Raises ``WrongUsage`` when the key is no year or is taken.
    """
    if not WAVE.fullmatch(key):
        raise WrongUsage(f"„{key}“ ist keine Welle. Bitte das Jahr der Befragung mit vier Ziffern angeben.")
    table = known_waves(profile)
    waves = {str(row[table.columns.index("welle")]): row[table.columns.index("mindestgroesse")] for row in table.rows}
    if key in waves:
        raise WrongUsage(f"Die Welle „{key}“ gibt es schon in survey_waves. Bitte das Jahr prüfen.")
    if threshold is None:
        threshold = int(waves[max(waves)] or 0)
    return Wave(key, day, threshold)
