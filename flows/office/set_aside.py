"""Records set aside: one faulty record waits for the office, the rest of the release does not.

What the profile lists under ``[office] set_aside`` consists of records: a committee with all its evidence is one, a
hint is one. When every finding lies in such records, the run goes on without them: each keeps its last published
state, taken from the inputs of the latest release; one that was never published is left out. Whatever is wrong with a
file as a whole still refuses the release, and so does a file of which most records are faulty: then it is the file that
is wrong.

The tables that remain are what the release is made from: they are kept, and named with their digests in its provenance,
so that it can be built again. A record that keeps its line in the file keeps it in the remaining table, too.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flows.check import check
from flows.contracts import load_contract
from flows.errors import Refused
from flows.findings import Finding
from flows.german import number
from flows.join import join
from flows.load import load
from flows.office.records import BELONGS, Impossible, Material, Record, deleted, kind_of, record_column, referred
from flows.office.suggest import enriched
from flows.provenance import read_manifest, write_manifest
from flows.run import Run, StageReport
from flows.sidecar import sha256_of

RULE = "zurueckstellen"
# What follows for a look at the inputs where all that was found lies in records that may wait.
WOULD_WAIT = "die betroffenen Einträge würden zurückgestellt, alles andere ist in Ordnung"
# These say that a file is not the one that was meant, whatever line they name.
OF_THE_FILE = ("herkunft", "spalten")
# Findings about a reference: its target may be missing only because it is set aside.
OF_REFERENCES = ("orphans", "possibly_same")


@dataclass(slots=True)
class Aside:
    """What is set aside so far: whole records, lines (by dataset) that belong to none, and why.

    ``follows`` are findings that exist only because another record is set aside.
    """

    records: set[Record] = field(default_factory=set)
    lines: set[tuple[str, int]] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    follows: list[Finding] = field(default_factory=list)


def read_aside(run: Run) -> Aside:
    """What the run has set aside so far."""
    if not run.set_aside.is_file():
        return Aside()
    content = json.loads(run.set_aside.read_text(encoding="utf-8"))
    return Aside(
        {(kind, key) for kind, key in content["records"]},
        {(dataset, line) for dataset, line in content["lines"]},
        [Finding(**finding) for finding in content["findings"]],
        [Finding(**finding) for finding in content["follows"]],
    )


def _write_aside(run: Run, aside: Aside) -> None:
    content = {
        "records": sorted(aside.records),
        "lines": sorted(aside.lines),
        "findings": [finding.as_dict() for finding in aside.findings],
        "follows": [finding.as_dict() for finding in aside.follows],
    }
    run.set_aside.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def can_wait(run: Run, finding: Finding) -> bool:
    """Whether a finding lies in a record that may be set aside, and does not concern its file as a whole."""
    dataset = next((source.dataset for source in run.profile.sources if source.label == finding.source), None)
    if dataset is None or finding.row is None or finding.column is None or finding.check in OF_THE_FILE:
        return False
    # A record whose parts may not all wait would be published by halves.
    kind = kind_of(dataset)
    parts = {kind, *(part for part, (whole, _) in BELONGS.items() if whole == kind)}
    return parts <= set(run.profile.set_aside)


def _at_a_loss(material: Material, found: Sequence[Finding]) -> Impossible:
    """Why the last published state of faulty records does not help: most often a record was taken out, and others still
    refer to it.
    """
    gone = {finding: file for finding in found if (file := deleted(material, finding))}
    for finding, file in gone.items():
        if material.holds(finding):
            return Impossible(
                f"„{finding.value}“ steht nicht mehr in {file}; Zeile {finding.row} verweist noch darauf.",
                finding.source,
                "Bitte den Verweis ändern oder leeren, oder den Eintrag wieder aufnehmen.",
            )
    first = next(iter(gone), None)
    why = f": er verweist auf „{first.value}“, und das steht nicht mehr in {gone[first]}" if first else ""
    return Impossible(
        f"der zuletzt veröffentlichte Stand fehlerhafter Einträge passt nicht zu den übrigen{why}; sie lassen sich "
        "deshalb nicht zurückstellen."
    )


def _most_faulty(material: Material, findings: Sequence[Finding], kind: str) -> str:
    """The file in which most of the findings on records of a kind lie."""
    files = Counter(one.source for one in findings if kind_of(material.labels[one.source]) == kind)
    return files.most_common(1)[0][0] if files else material.sources[kind].label


def _widened(material: Material, aside: Aside, findings: Sequence[Finding]) -> Aside:
    """``aside`` with the records in which these findings lie; raises ``Impossible`` when nothing more can be done."""
    wider = Aside(set(aside.records), set(aside.lines), list(aside.findings), list(aside.follows))
    for finding in findings:
        dataset = material.labels[finding.source]
        row = material.rows[dataset].get(finding.row or 0)
        if row is None:
            target = referred(material, finding)
            wider.records |= {target} if target else set()
            continue
        follows = finding.check in OF_REFERENCES and any(finding.value == key for _, key in aside.records)
        (wider.follows if follows else wider.findings).append(finding)
        wider.records |= material.owners_of(dataset, row)
        wider.lines.add((dataset, finding.row or 0))
    for dataset in material.rows:
        # What the office's table lacks may be the very line that is faulty and does not say whose it is.
        if material.nameless(dataset, (line for name, line in wider.lines if name == dataset)):
            wider.records.update(material.missing(dataset))
    if (wider.records, wider.lines) == (aside.records, aside.lines):
        raise _at_a_loss(material, [*wider.findings, *findings])
    for kind in sorted({kind for kind, _ in wider.records}):
        dropped, count = len(_dropped(material, wider, kind)), len(material.rows.get(kind, ()))
        if dropped > material.few and 2 * dropped > count:
            file, own = _most_faulty(material, wider.findings, kind), material.sources[kind].label
            where = "" if file == own else f" in {own}"
            raise Impossible(
                f"{number(dropped)} von {number(count)} Einträgen{where} sind betroffen; dann stimmt wohl die Datei "
                "nicht, und es wird nichts zurückgestellt.",
                file,
            )
    return wider


def _dropped(material: Material, aside: Aside, dataset: str) -> set[int]:
    """Lines of the office's table that are set aside."""
    column, kind = record_column(dataset), kind_of(dataset)
    rows = material.rows.get(dataset, {})
    of_records = {line for line, row in rows.items() if (kind, row[column]) in aside.records}
    return of_records | {line for name, line in aside.lines if name == dataset}


def _write_left_over(run: Run, material: Material, aside: Aside) -> None:
    """Write the tables that remain, and into the manifest what was done to them."""
    manifest = read_manifest(run)
    arrived = manifest.get("zurueckgestellt", {}).get("eingang", {})
    for dataset, rows in material.rows.items():
        kind, column = kind_of(dataset), record_column(dataset)
        dropped = _dropped(material, aside, dataset)
        restored = [row for row in material.published.get(dataset, []) if (kind, row.get(column)) in aside.records]
        if not dropped and not restored:
            continue
        left = {line: row for line, row in rows.items() if line not in dropped}
        left |= dict(enumerate(restored, start=max(rows, default=1) + 1))
        names = load_contract("input", dataset).column_names
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\r\n")
        writer.writerow(names)
        # An empty line where a record was, so that the others stay in theirs.
        for line in range(2, max(left, default=1) + 1):
            writer.writerow([left[line].get(name) or "" for name in names] if line in left else [])
        file = run.left_over(dataset)
        file.parent.mkdir(exist_ok=True)
        file.write_text(buffer.getvalue(), encoding="utf-8", newline="")
        record = manifest["eingaben"][dataset]
        arrived.setdefault(dataset, {"datei": record["file"], "blatt": record["sheet"], "sha256": record["sha256"]})
        state = {"file": file.name, "sheet": None, "sha256": sha256_of(file), "bytes": file.stat().st_size}
        manifest["eingaben"][dataset] = record | state
    write_manifest(run, manifest | {"zurueckgestellt": _summary(material, aside) | {"eingang": arrived}})


def _summary(material: Material, aside: Aside) -> dict[str, Any]:
    """Keys of the records that keep their last published state, and how many were left out, by dataset.

    What was never published is only counted: its key may be the very thing that must not become public. Rows that only
    misspell the key of a record that keeps its state are no record of their own: as many as the office's table lacks.
    """
    kept: dict[str, list[str]] = {}
    for kind, key in sorted(aside.records & material.published_keys):
        kept.setdefault(kind, []).append(key)
    left_out: dict[str, set[object]] = {}
    misspelt: Counter[str] = Counter()
    for dataset, rows in material.rows.items():
        for line in _dropped(material, aside, dataset):
            if not material.owners_of(dataset, rows[line]) & material.published_keys:
                left_out.setdefault(kind_of(dataset), set()).add(rows[line][record_column(dataset)] or (dataset, line))
        misspelt[kind_of(dataset)] += sum(record in aside.records for record in material.missing(dataset))
    counts = {kind: len(found) - misspelt[kind] for kind, found in sorted(left_out.items())}
    return {"letzter_stand": kept, "ausgelassen": {kind: count for kind, count in counts.items() if count > 0}}


def notes_of(run: Run) -> tuple[str, ...]:
    """What was set aside, in words for the operator."""
    done = read_manifest(run).get("zurueckgestellt")
    if not done:
        return ()
    notes = []
    for kind, keys in done["letzter_stand"].items():
        title = load_contract("input", kind).title
        notes.append(f"{title}: {_entries(len(keys))} zurückgestellt, der letzte Stand bleibt ({', '.join(keys)}).")
    for kind, count in done["ausgelassen"].items():
        title = load_contract("input", kind).title
        notes.append(f"{title}: {_entries(count)} zurückgestellt, noch nie veröffentlicht und deshalb ausgelassen.")
    return tuple(notes)


def _entries(count: int) -> str:
    return "1 Eintrag" if count == 1 else f"{number(count)} Einträge"


def _tolerant(run: Run, first: Callable[[Run], StageReport], again: Callable[[Run], StageReport]) -> StageReport:
    """Call ``first``, then ``again`` for as long as all that is found lies in records that may be set aside.

    Raises ``Refused`` with everything found, also what was set aside before, when something else is found.
    """
    attempt = first
    while True:
        try:
            return attempt(run)
        except Refused as refused:
            found = enriched(run, refused.findings)
            aside = read_aside(run)
            if not all(can_wait(run, finding) for finding in found):
                raise Refused([*aside.findings, *found], refused.consequence) from None
            material: Material | None = None
            try:
                material = Material(run)
                aside = _widened(material, aside, found)
            except Impossible as reason:
                why = Finding(RULE, reason.source or found[0].source, str(reason), reason.remedy)
                # What lies in a restored line is in no file that the office could look at.
                theirs = [one for one in found if material is None or material.holds(one)]
                raise Refused([why, *aside.findings, *theirs], refused.consequence) from None
            _write_left_over(run, material, aside)
            _write_aside(run, aside)
        attempt = again


def load_records(run: Run) -> StageReport:
    """``load``, with faulty records set aside; raises like it."""
    return _tolerant(run, load, load)


def check_records(run: Run) -> StageReport:
    """``check``, with faulty records set aside; raises like it. What load and join made is made anew where needed."""

    def again(run: Run) -> StageReport:
        load(run)
        join(run)
        return check(run)

    report = _tolerant(run, check, again)
    return replace(report, notes=(*report.notes, *notes_of(run)))


def check_everything(run: Run) -> StageReport:
    """``check_records`` for a look at the inputs: raises ``Refused`` with every finding, also those of records that a
    release would only set aside.
    """
    report = check_records(run)
    if findings := read_aside(run).findings:
        raise Refused(findings, WOULD_WAIT)
    return report
