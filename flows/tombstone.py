"""The tombstone: what stands at the address of a withdrawn release."""

from __future__ import annotations

import html
import json
import shutil
from pathlib import Path

from flows.checksums import write_manifest
from flows.german import day as german_day

PAGE = """<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><title>Zurückgezogen: {release}</title><meta name="robots" content="noindex"></head>
<body><main><h1>Diese Ausgabe wurde zurückgezogen</h1>
<p>{title}, Ausgabe {release}, wurde am {day} zurückgezogen. Ihre Daten stehen nicht mehr zur Verfügung.</p>
<p>Grund: {reason}</p></main></body>
</html>
"""


def write_tombstone(folder: Path, release_id: str, title: str, reason: str, day: str) -> None:
    """Write ``index.html``, ``withdrawn.json`` and their manifest to ``folder``, replacing what is there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    texts = {"release": release_id, "title": title, "day": german_day(day), "reason": reason}
    page = PAGE.format(**{key: html.escape(text) for key, text in texts.items()})
    (folder / "index.html").write_text(page, encoding="utf-8")
    record = {"ausgabe": release_id, "titel": title, "status": "zurueckgezogen", "am": day, "grund": reason}
    (folder / "withdrawn.json").write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    write_manifest(folder)
