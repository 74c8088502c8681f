"""Texts for people: the templates' environment, and the sentences that several documents say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import jinja2

from flows import german
from flows.contracts import code_list
from flows.datasets import Dataset
from flows.paths import TEMPLATES
from flows.profile import SYNTHETIC_MARK, Profile
from flows.run import Run

DRAFT_MARK = "Entwurf, nicht veröffentlicht: Pflichtangaben des Herausgebers fehlen noch."
DRAFT_MARK_EN = "Draft, not published: mandatory statements of the publisher are still missing."
SYNTHETIC_MARK_EN = "SYNTHETIC: example data for demonstration, no real answers."
NO_PUBLISHER = "Herausgeber noch nicht festgelegt"


def land_names(lands: Sequence[str]) -> str:
    """Names of Länder (keys of two digits); a key that is no Land's stands for itself."""
    known = {code.code: code.label for code in code_list("land")}
    return ", ".join(known.get(land, land) for land in lands)


def followed(profile: Profile) -> list[str]:
    """Keys of the Länder whose territory the map shows to ``territory_date``."""
    return [land for land in profile.lands if profile.territory_of(land) == profile.territory_date]


def territory_text(profile: Profile) -> str:
    """The day of the map's territory, with the Länder where they have several."""
    lands = followed(profile)
    if len(lands) == len(profile.lands):
        return german.day(profile.territory_date)
    rest = german.day(profile.boundaries_date)
    return f"{german.day(profile.territory_date)} ({land_names(lands)}), {rest} (übrige Länder)" if lands else rest


def land_rows(datasets: Sequence[Dataset]) -> list[dict[str, Any]]:
    """The rows of ``release.land``, from the datasets of a release."""
    (lands,) = (dataset.table for dataset in datasets if dataset.contract.geometry_level == "land")
    rows: list[dict[str, Any]] = lands.to_pylist()
    return rows


def marks(profile: Profile) -> tuple[str, ...]:
    """What must stand at the head of every document: that its content is invented, that it is a draft."""
    synthetic = (f"{SYNTHETIC_MARK}.",) if profile.synthetic else ()
    return (*synthetic, DRAFT_MARK) if profile.draft else synthetic


def marks_english(profile: Profile) -> tuple[str, ...]:
    """``marks`` for readers of English."""
    synthetic = (SYNTHETIC_MARK_EN,) if profile.synthetic else ()
    return (*synthetic, DRAFT_MARK_EN) if profile.draft else synthetic


def release_address(run: Run) -> str | None:
    """The public address of this release, or None while none is set."""
    return f"{run.profile.base_url}/releases/{run.release_id}/" if run.profile.base_url else None


def citation(run: Run) -> str:
    """How to cite this release, in one line."""
    profile = run.profile
    parts = [
        f"{profile.publisher.name or f'[{NO_PUBLISHER}]'} ({run.day.year}): {profile.title}.",
        f"Ausgabe {run.release_id}, Gebietsstand {territory_text(profile)}.",
        f"{profile.licence.title} ({profile.licence.url}).",
    ]
    if address := release_address(run):
        parts.append(address)
    if profile.synthetic:
        parts.append(f"{SYNTHETIC_MARK}.")
    return " ".join(parts)


def _cell(text: object) -> str:
    """A text that may stand in a cell of a Markdown table."""
    return str(text).replace("|", "\\|").replace("\n", " ")


def _quoted(text: str) -> str:
    """A text as a double-quoted YAML scalar; a JSON string is one (YAML 1.2, section 1.3)."""
    return json.dumps(text, ensure_ascii=False)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters |= {"zahl": german.number, "datum": german.day, "groesse": german.size}
    environment.filters |= {"gebietsstand": territory_text, "zelle": _cell, "anfuehrung": _quoted}
    return environment


def render(name: str, **values: Any) -> str:
    """Fill ``<name>.j2``, a text that belongs to no release."""
    return _environment().get_template(f"{name}.j2").render(**values)


def write_text(run: Run, name: str, **values: Any) -> None:
    """Fill ``<name>.j2`` and write it to ``<name>`` in the package; templates know the run, its profile and marks."""
    template = _environment().get_template(f"{name}.j2")
    text = template.render(
        run=run,
        profile=run.profile,
        marks=marks(run.profile),
        address=release_address(run),
        citation=citation(run),
        **values,
    )
    (run.package / name).write_text(text, encoding="utf-8")
