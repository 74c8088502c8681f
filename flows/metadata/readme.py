"""``README.md`` of a release: what lies here, what it says and does not say, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import jinja2

from flows.datasets import Dataset
from flows.metadata.datapackage import attributions
from flows.paths import TEMPLATES
from flows.profile import SYNTHETIC_MARK
from flows.provenance import read_manifest
from flows.run import Run


def write_readme(
    con: duckdb.DuckDBPyConnection, run: Run, datasets: Sequence[Dataset], files: Mapping[str, Sequence[str]]
) -> None:
    """Write ``README.md`` into the package; ``files`` names the data files by dataset."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, trim_blocks=True, autoescape=False
    )
    waves = con.execute("SELECT * FROM input.survey_waves ORDER BY welle").to_arrow_table().to_pylist()
    text = environment.get_template("README.md.j2").render(
        run=run,
        profile=run.profile,
        synthetic=SYNTHETIC_MARK if run.profile.synthetic else "",
        schema_version=read_manifest(run)["schema"],
        waves=waves,
        datasets=datasets,
        files=files,
        sources=attributions(run),
    )
    (run.package / "README.md").write_text(text, encoding="utf-8")
