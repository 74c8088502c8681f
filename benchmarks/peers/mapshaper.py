"""mapshaper on what it is made for: join, dissolve, simplify and GeoJSON, with a snapshot between the steps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

Command = list[str]

PRECISION = "precision=0.000001"


def _texts(settings: Mapping[str, Any], layer: str) -> str:
    """The given columns that are no numbers."""
    return ",".join(name for name, kind in settings["facts"][layer].items() if kind == "str")


def _level(settings: Mapping[str, Any], source: Path, layer: str) -> Command:
    """Dissolve the municipalities to districts (``kreise``) or Länder (``land``)."""
    level = {"kreise": "kreis", "land": "land"}[layer]
    key = f"{level}_schluessel"
    columns = ",".join(settings["columns"][layer])
    return [
        "-dissolve", key, "target=gemeinden", "+", f"name={layer}", "no-repair",
        "calc=gemeinden_anzahl = count(), einwohner = sum(einwohner)", "copy-fields=einwohner_stand",
        "-each", "flaeche_km2 = Math.round(this.planarArea / 1e4) / 100",
        "-join", str(source / "tools" / f"names_{level}.csv"), f"keys={key},schluessel", "string-fields=schluessel",
        "-each", f"{level} = name; kreis_art = bezeichnung",
        "-join", str(source / f"facts_{layer}.csv"), f"keys={key},{key}", f"string-fields={_texts(settings, layer)}",
        "-filter-fields", columns, "-sort", key,
    ]  # fmt: skip


def commands(
    program: Path, source: Path, work: Path, target: Path, settings: Mapping[str, Any]
) -> dict[str, list[Command]]:
    """The commands of each step, in order; ``bare`` starts the program only, ``start`` reads the joined
    layers, too."""
    tools, snapshot = source / "tools", str(work / "joined.msx")
    day = f'einwohner_stand == "{settings["population_date"]}" && gebietsstand == "{settings["population_territory"]}"'
    registered = "ars,gemeinde_amtlich,textkennzeichen,verband_ars,verband_kennzeichen,verband"
    computed = (
        'gemeinde = gemeinde_amtlich.replace(/, Stadt$/, ""); kreis_schluessel = ags.slice(0, 5); '
        'land_schluessel = ags.slice(0, 2); flaeche_herkunft = "gemeindeverzeichnis"; '
        "flaeche_km2 = Math.round(flaeche_km2 * 100) / 100; "
        "kreis = name"
    )
    join = [
        str(program),
        "-i", str(tools / "boundaries.geojson"), "name=gemeinden", "-proj", "init=EPSG:25832",
        "-join", str(tools / "crosswalk.csv"), "keys=schluessel,schluessel", "string-fields=schluessel,ags",
        "-dissolve", "ags", "no-repair",
        "-join", str(source / "register.csv"), "keys=ags,ags", f"string-fields=ags,{registered}",
        f"fields={registered},flaeche_km2", f'where=gebietsstand == "{settings["register_date"]}"',
        "-join", str(source / "population.csv"), "keys=ags,ags", "string-fields=ags",
        "fields=einwohner,einwohner_stand", f"where={day}",
        "-join", str(source / "facts_gemeinden.csv"), "keys=ags,ags", f"string-fields={_texts(settings, 'gemeinden')}",
        "-each", "kreis_schluessel = ags.slice(0, 5)",
        "-join", str(tools / "names_kreis.csv"), "keys=kreis_schluessel,schluessel", "string-fields=schluessel",
        "fields=name", "-each", computed, "-sort", "ags",
        *_level(settings, source, "kreise"),
        *_level(settings, source, "land"),
        "-filter-fields", ",".join(settings["columns"]["gemeinden"]), "target=gemeinden",
        "-o", snapshot, "target=*",
    ]  # fmt: skip
    read = [str(program), "-i", snapshot]
    simplify = ["-simplify", "visvalingam", f"interval={settings['tolerance_m']}", "keep-shapes"]
    return {
        "bare": [[str(program), "--version"]],
        "start": [[*read, "-o", str(work / "nothing.json"), "format=json", "target=land"]],
        "join": [join],
        "simplify": [
            [
                *read, "-drop", "target=kreise,land", "-target", "gemeinden", *simplify, "-proj", "wgs84",
                "-o", str(target / "simplified" / "gemeinden.geojson"), PRECISION, "format=geojson",
            ]
        ],
        "geojson": [
            [
                *read, "-proj", "wgs84", "target=*",
                "-o", str(target), PRECISION, "format=geojson", "extension=geojson", "target=*",
            ]
        ],
    }  # fmt: skip
