"""What the flows share: their parameters as settings, names in Prefect, tables as artifacts."""

from __future__ import annotations

import os
import re
from pathlib import Path

from flows.paths import GEODATA, OUTPUTS
from flows.profile import Profile, load_profile, on_basis


def folder(given: Path | None, variable: str, default: Path) -> Path:
    """The flow's parameter, else the environment variable that the command line reads too, else the checkout's own."""
    return given or Path(os.environ.get(variable) or default)


def geodata_folder(given: Path | None) -> Path:
    """The folder of the profiles."""
    return folder(given, "PRAEVKARTE_GEODATA", GEODATA)


def outputs_folder(given: Path | None) -> Path:
    """The folder of the releases."""
    return folder(given, "PRAEVKARTE_OUTPUTS", OUTPUTS)


def settings_of(profile: str, geodata: Path | None, gebietsstand: str | None = None) -> Profile:
    """The profile of a flow run, on another basis of its territory if one is given; raises like ``load_profile``."""
    return on_basis(load_profile(geodata_folder(geodata), profile), gebietsstand)


def artifact_key(name: str, profile: str) -> str:
    """The key of a profile's artifact: Prefect allows lower-case letters, digits and dashes."""
    return f"{name}-{re.sub(r'[^a-z0-9]+', '-', profile.lower())}"
