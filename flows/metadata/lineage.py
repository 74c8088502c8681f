"""Which inputs a published dataset is made from, read off the SQL that makes it, so that nobody keeps a second list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from flows.contracts import Contract
from flows.database import COMMENT, references, sql_files
from flows.join import FOLDERS
from flows.territory import RELATIONS

INPUT = re.compile(r"\binput\.([a-z_0-9]+)")
# What all waves' response files are called in the database; the files are named after their wave.
RESPONSES = "survey_responses"


@cache
def _direct() -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
    """By relation: the relations and the inputs that it reads itself."""
    texts = {name: text for folder in FOLDERS for name, text in sql_files(folder).items()}
    found = {
        name: (frozenset(references(text)), frozenset(INPUT.findall(COMMENT.sub("", text))))
        for name, text in texts.items()
    }
    # Relations built in Python are shapes made from the boundaries, or things placed on them.
    shapes = frozenset({"boundaries"})
    return found | {name: (frozenset(relation.needs), shapes) for name, relation in RELATIONS.items()}


def inputs_of(contract: Contract) -> frozenset[str]:
    """Names of the inputs (tables of the schema ``input``) that ``release.<contract>`` and its shapes are made from."""
    direct = _direct()
    waiting = {f"release.{contract.name}"}
    if contract.geometry_level is not None:
        waiting.add("joined.map_geometry")
    seen: set[str] = set()
    inputs: set[str] = set()
    while waiting:
        relation = waiting.pop()
        seen.add(relation)
        relations, tables = direct[relation]
        inputs |= tables
        waiting |= relations - seen
    return frozenset(inputs)


def is_source_of(dataset: str, inputs: frozenset[str]) -> bool:
    """Whether the input ``dataset`` of a profile is among ``inputs``."""
    return dataset in inputs or (dataset.startswith(f"{RESPONSES}_") and RESPONSES in inputs)
