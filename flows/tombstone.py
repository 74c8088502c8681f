"""The tombstone: what stands at the address of a withdrawn release."""

from __future__ import annotations

import html
import json
import shutil
from pathlib import Path

from flows.checksums import write_manifest
from flows.german import day as german_day
from flows.profile import SYNTHETIC_MARK

PAGE = """<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Zurückgezogen: {release}</title><meta name="robots" content="noindex"></head>
<body><main><h1>Diese Ausgabe wurde zurückgezogen</h1>
<p>{title}, Ausgabe {release}, wurde am {day} zurückgezogen. Ihre Daten stehen nicht mehr zur Verfügung.</p>
<p>Grund: {reason}</p>{mark}</main></body>
</html>
"""


def write_tombstone(folder: Path, release_id: str, title: str, reason: str, day: str, synthetic: bool) -> None:
    """Write ``index.html``, ``withdrawn.json`` and their manifest to ``folder``, replacing what is there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    texts = {"release": release_id, "title": title, "day": german_day(day), "reason": reason}
    escaped = {key: html.escape(text) for key, text in texts.items()}
    mark = f"\n<p>{html.escape(SYNTHETIC_MARK)}</p>" if synthetic else ""
    (folder / "index.html").write_text(PAGE.format(**escaped, mark=mark), encoding="utf-8")
    record = {"ausgabe": release_id, "titel": title, "status": "zurueckgezogen", "am": day, "grund": reason}
    if synthetic:
        record["synthetisch"] = SYNTHETIC_MARK
    (folder / "withdrawn.json").write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    write_manifest(folder)
