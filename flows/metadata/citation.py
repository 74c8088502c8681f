"""``CITATION.cff``: how to cite the release, for programs (Citation File Format 1.2.0)."""

from __future__ import annotations

from flows.metadata.subjects import WHOLE_RELEASE, subjects
from flows.metadata.text import NO_PUBLISHER, write_text
from flows.run import Run


def write_citation(run: Run) -> None:
    """Write ``CITATION.cff`` into the package.

    The licence stands as an address: version 1.2 of the format knows no identifier for dl-de licences.
    """
    write_text(
        run,
        "CITATION.cff",
        author=run.profile.publisher.name or NO_PUBLISHER,
        keywords=subjects()[WHOLE_RELEASE].keywords,
    )
