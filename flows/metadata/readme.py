"""``README.md`` of a release: what lies here, what it says and does not say, for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import duckdb

from flows.datasets import Dataset
from flows.metadata.codelists import FOLDER
from flows.metadata.datapackage import attributions
from flows.metadata.inventory import DOCUMENTS, PAGES, DataFile, data_files
from flows.metadata.rules import reading_rules
from flows.metadata.subjects import WHOLE_RELEASE
from flows.metadata.text import land_rows, write_text
from flows.provenance import read_manifest
from flows.run import Run
from flows.site.sitemap import FILE as SITEMAP
from flows.site.sitemap import is_listed

# Written after this file, in every release.
WRITTEN_LATER = ("README.md", *PAGES, "SHA256SUMS")


def documents(run: Run) -> dict[str, str]:
    """The documents of the release by name with their purpose: those that lie there and those yet to be written."""
    yet = {name for name in WRITTEN_LATER if name != SITEMAP or is_listed(run.profile)}
    return {name: purpose for name, purpose in DOCUMENTS.items() if name in yet or (run.package / name).exists()}


def files_by_ending(files: Sequence[DataFile]) -> dict[str, list[str]]:
    """Paths of the data files by ending; none for an ending that the release does not have."""
    endings: defaultdict[str, list[str]] = defaultdict(list)
    for file in files:
        endings[file.format.ending].append(file.path)
    return endings


def write_readme(
    con: duckdb.DuckDBPyConnection, run: Run, datasets: Sequence[Dataset], files: Mapping[str, Sequence[str]]
) -> None:
    """Write ``README.md`` into the package; ``files`` names the data files by dataset.

    Call it after the other documents: it lists those that lie there.
    """
    described = data_files(run, [dataset.contract for dataset in datasets])
    lists = [file for file in described if file.path.startswith(f"{FOLDER}/") and not file.companion]
    write_text(
        run,
        "README.md",
        schema_version=read_manifest(run)["schema"],
        waves=con.execute("SELECT * FROM input.survey_waves ORDER BY welle").to_arrow_table().to_pylist(),
        rules=reading_rules(run.profile, land_rows(datasets)),
        datasets=datasets,
        files=files,
        endings=files_by_ending(described),
        whole=[file for file in described if file.subject == WHOLE_RELEASE],
        lists=lists,
        documents=documents(run),
        sources=attributions(run),
    )
