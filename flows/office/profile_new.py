"""A profile for another Land: the folder with everything that it needs, and what its office still has to fill in.

What holds for every Land (the source of the boundaries and their day, limits, the licence) is taken from the profile of
all Länder; what one office says of itself is never taken over from another and stays empty: the releases are drafts.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flows.contracts import code_list, load_contract
from flows.errors import WrongUsage
from flows.german import TRANSCRIBED
from flows.metadata.text import render
from flows.settings import OWN_NAMES, read_settings
from flows.sidecar import Sidecar
from flows.sources.converted import csv_bytes, text_table
from flows.sources.snapshots import write_sidecar
from flows.targets.local import sync

# The profile whose boundaries and limits hold for each Land.
BASE = "deutschland"
# What an office keeps itself; the rest comes with a survey, or from the statistical office.
TABLES = ("committees", "evidence", "hints", "resources")
NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
# A Land like Thuringia fits into this; larger ones are drawn more simply.
MAP_BYTES = 400_000
ORIGIN = "Tabelle, die der Herausgeber pflegt"
NEW = ".neu"


@dataclass(frozen=True, slots=True)
class NewProfile:
    """A profile to be made: its name (folder), the keys of its Länder and their names, in the order of the keys."""

    name: str
    lands: tuple[str, ...]
    land_names: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"Präventionskarte {', '.join(self.land_names)}"

    @property
    def description(self) -> str:
        return f"Kommunale Präventionsgremien nach öffentlichen Belegen: {', '.join(self.land_names)}."


def planned(lands: Sequence[str], name: str | None) -> NewProfile:
    """The profile for these Länder, called ``name`` or after them ("sachsen-anhalt").

    Raises ``WrongUsage`` for a key that no Land has and a name that cannot be a folder's, here or in the outputs.
    """
    known = {code.code: code.label for code in code_list("land")}
    keys = tuple(sorted(set(lands)))
    if unknown := [key for key in keys if key not in known]:
        words = ", ".join(f"{key} {label}" for key, label in known.items())
        raise WrongUsage(f"--land {unknown[0]}: diesen Landesschlüssel gibt es nicht. Möglich: {words}.")
    names = tuple(known[key] for key in keys)
    chosen = name or "-".join(label.lower().translate(TRANSCRIBED) for label in names)
    if not NAME.fullmatch(chosen):
        raise WrongUsage(f"--name {chosen}: erlaubt sind Kleinbuchstaben, Ziffern und Bindestriche.")
    # The profile publishes to a folder of this name.
    if chosen in OWN_NAMES:
        raise WrongUsage(f"--name {chosen}: so heißt schon etwas in den Ausgaben selbst. Bitte einen anderen Namen.")
    return NewProfile(chosen, keys, names)


def _toml(value: Any) -> str:
    """A setting as TOML: its texts, lists of texts and numbers are written like JSON's, its days like ISO's."""
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)


def _profile_text(new: NewProfile, base: dict[str, Any]) -> str:
    def part(section: str) -> list[tuple[str, str]]:
        """The settings of a section of the base, written as TOML."""
        settings = {key: value for key, value in base.items() if key.startswith(f"{section}.")}
        return [(key.removeprefix(f"{section}."), _toml(value)) for key, value in settings.items()]

    return render(
        "profil.toml",
        new=new,
        head={key: _toml(getattr(new, key)) for key in ("title", "description", "lands", "name")},
        day=base["territory.boundaries_date"].isoformat(),
        area_difference=base["thresholds.area_difference"],
        silent_hours=base["notices.silent_hours"],
        map_bytes=MAP_BYTES * len(new.lands),
        part=part,
        ages={section: base[section] for section in ("warn_after_days", "hold_after_days")},
        fetches={
            name: [(key, _toml(value)) for key, value in settings.items()] for name, settings in base["fetch"].items()
        },
        tables={dataset: load_contract("input", dataset).title for dataset in TABLES},
    )


def make_profile(geodata: Path, new: NewProfile, today: date) -> list[Path]:
    """Write ``geodata/<name>/``: the profile and empty tables with their sidecars; returns the files.

    Raises ``WrongUsage`` when the folder is there already, or there is no profile of all Länder to take settings from.
    """
    folder = geodata / new.name
    if folder.exists():
        raise WrongUsage(f"{folder}: das gibt es schon und bleibt, wie es ist. Bitte mit --name anders nennen.")
    base = read_settings(geodata, BASE)
    # Whole or not at all: a folder without its tables would be a profile that nobody can release.
    draft = folder.with_name(f".{new.name}{NEW}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    (draft / "profile.toml").write_text(_profile_text(new, base), encoding="utf-8")
    for dataset in TABLES:
        file = draft / f"{dataset}.csv"
        file.write_bytes(csv_bytes(text_table(dataset, [])))
        sidecar = Sidecar(
            title=load_contract("input", dataset).title,
            origin=ORIGIN,
            url="",
            retrieved=today.isoformat(),
            licence=base["licence.name"],
            licence_url=base["licence.url"],
            attribution=new.title,
            sha256="",
            bytes=0,
            edited_here=True,
        )
        write_sidecar(file, sidecar)
    draft.rename(folder)
    sync(geodata)
    return sorted(folder.iterdir())
