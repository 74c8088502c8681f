"""The page of a release: ``index.html`` with map, tables and downloads, and the assets that it needs.

It opens from a folder as well as from a server, asks nothing of any other origin, and says everything without scripts.
Every text that names a place, figure or code comes from the database, the profile or the contracts.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import duckdb
import jinja2
from markupsafe import Markup

from flows import geometry, german
from flows.contracts import Code, Contract
from flows.formats.catalogue import FORMATS
from flows.formats.symbology import SIGN_FORMS, SIGN_MARKS
from flows.metadata.changes import PURGED
from flows.metadata.datapackage import attributions
from flows.metadata.jsonld import FILE as JSONLD
from flows.metadata.text import citation
from flows.page_data import (
    NOT_ASKED,
    MapContent,
    Place,
    centre,
    page_map,
    picture,
)
from flows.paths import ASSETS, TEMPLATES
from flows.profile import SYNTHETIC_MARK
from flows.run import Run

FOLDER = "assets"
MAPLIBRE_FILES = ("maplibre-gl.js", "maplibre-gl.css")
OWN_FILES = ("karte.js", "stil.css", "farben.css", "zeichen.svg", "maplibre-gl-LICENSE.txt")
# German readers look for umlauts beside their vowels.
BY_NAME = "lower(strip_accents(gemeinde)), gemeinde"

Row = dict[str, Any]
Codes = Mapping[tuple[str, str], Mapping[str, Code]]


def write_page(
    con: duckdb.DuckDBPyConnection, run: Run, contracts: Sequence[Contract], files: Mapping[str, int]
) -> None:
    """Write ``index.html`` and its map data into the package, after ``copy_assets``.

    ``files`` are the sizes of the files already in it.
    """
    codes = _codes(contracts)
    committees = _committees(con, codes)
    shapes = _municipality_shapes(con)
    content = _map_content(con, run, codes, committees, shapes)
    made = page_map(content, shapes, int(run.profile.thresholds["page_map_bytes"]))
    environment = _environment()
    assets = run.package / FOLDER
    (assets / "karte-daten.js").write_bytes(made.script)
    svg = environment.get_template("karte.svg.j2").render(
        profile=run.profile,
        synthetic=_synthetic(run),
        colours=Markup((ASSETS / "farben.css").read_text(encoding="utf-8")),
        **picture(content, made.shapes),
    )
    (assets / "karte.svg").write_text(svg, encoding="utf-8")
    page = environment.get_template("index.html.j2").render(
        _page_content(con, run, contracts, files, codes) | {"committees": committees, "map": content.head}
    )
    (run.package / "index.html").write_text(page, encoding="utf-8")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "zahl": german.number,
        "datum": german.day,
        "groesse": german.size,
        "weblink": web_address,
        "rechner": host,
        "pfad": quote,
    }
    return environment


def web_address(url: str | None) -> str | None:
    """``url`` when it is a complete http(s) address, else None: nothing else may become a link."""
    parts = urlsplit(url or "")
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def host(url: str) -> str:
    """The host of an address, as readers know the site."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _synthetic(run: Run) -> str:
    return SYNTHETIC_MARK if run.profile.synthetic else ""


def copy_assets(run: Run) -> None:
    """Copy our own files to ``assets/``, and MapLibre's from the package ``maplibre``, which is found, not imported."""
    folder = run.package / FOLDER
    folder.mkdir(exist_ok=True)
    for name in OWN_FILES:
        shutil.copyfile(ASSETS / name, folder / name)
    spec = find_spec("maplibre")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("maplibre")
    source = Path(spec.submodule_search_locations[0]) / "srcjs"
    for name in MAPLIBRE_FILES:
        shutil.copyfile(source / name, folder / name)


def _rows(con: duckdb.DuckDBPyConnection, query: str, *values: Any) -> list[Row]:
    rows: list[Row] = con.execute(query, list(values)).to_arrow_table().to_pylist()
    return rows


def _codes(contracts: Sequence[Contract]) -> Codes:
    """Code lists by dataset and column."""
    return {
        (contract.name, field.name): {code.code: code for code in field.codes}
        for contract in contracts
        for field in contract.fields
        if field.codes
    }


def _grouped(rows: Sequence[Row], key: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return groups


def _committees(con: duckdb.DuckDBPyConnection, codes: Codes) -> list[Row]:
    """The committees in the order of the table, each with its places, evidence and related records."""
    rows = _rows(con, f"SELECT * FROM release.gremien ORDER BY {BY_NAME}, name, gremium_id")
    names = {row["gremium_id"]: row["name"] for row in rows}
    evidence = _grouped(
        _rows(con, "SELECT * FROM release.gremien_belege ORDER BY belegt_am DESC NULLS LAST, beleg_id"), "gremium_id"
    )
    places = _grouped(
        _rows(con, f"SELECT gremium_id, ags, gemeinde FROM release.gremien_gemeinden ORDER BY {BY_NAME}, ags"),
        "gremium_id",
    )
    return [
        row
        | {
            "form": row["gruppe"],
            "kind": codes["gremien", "art"][row["art"]].label,
            "state": codes["gremien", "status"][row["status"]].label,
            "founded": _founded(row, codes),
            "link": web_address(row["status_beleg_url"] or evidence[row["gremium_id"]][0]["url"]),
            "evidence": evidence[row["gremium_id"]],
            "others": [place["gemeinde"] for place in places[row["gremium_id"]] if place["ags"] != row["ags"]],
            "same": [(other, names[other]) for other in (row["evtl_identisch_mit"] or "").split(";") if other in names],
            "parent": names.get(row["uebergeordnet_id"]),
        }
        for row in rows
    ]


def _founded(row: Row, codes: Codes) -> str:
    """``1995``, ``spätestens 2019``, or nothing."""
    if row["gegruendet_jahr"] is None:
        return ""
    precision = row["gegruendet_genauigkeit"]
    if precision in (None, "genau"):
        return str(row["gegruendet_jahr"])
    return f"{codes['gremien', 'gegruendet_genauigkeit'][precision].label.lower()} {row['gegruendet_jahr']}"


def _map_content(
    con: duckdb.DuckDBPyConnection, run: Run, codes: Codes, committees: Sequence[Row], shapes: geometry.Geometries
) -> MapContent:
    rows = _rows(con, "SELECT * FROM release.gemeinden ORDER BY ags")
    with_committees = {row["ags"] for row in committees}
    named = sorted(
        (
            pair
            for pair in zip(rows, shapes, strict=True)
            if pair[0]["in_befragung"] or pair[0]["ags"] in with_committees
        ),
        key=lambda pair: (-(pair[0]["einwohner"] or 0), pair[0]["ags"]),
    )
    return MapContent(
        head=_map_head(run, codes, rows, committees),
        municipalities=[
            {
                "ags": row["ags"],
                "gemeinde": row["gemeinde"],
                "status": row["befragung_status"],
                "gremien": row["gremien_bekannt"],
                "einwohner": row["einwohner"],
            }
            for row in rows
        ],
        places=[Place(row["ags"], row["gemeinde"], *centre(shape)) for row, shape in named],
        committees=_map_committees(committees),
    )


def _map_head(run: Run, codes: Codes, rows: Sequence[Row], committees: Sequence[Row]) -> Row:
    """The legend's classes (only those present) and what the popups say beside the records."""
    return {
        "ausgabe": run.release_id,
        "synthetisch": _synthetic(run),
        "welle": run.profile.wave,
        "gebietsstand": german.day(run.profile.territory_date),
        "einwohnerStand": german.day(run.profile.population_date),
        "klassen": [
            entry | {"befragt": entry["code"] != NOT_ASKED}
            for entry in _present(codes["gemeinden", "befragung_status"], (row["befragung_status"] for row in rows))
        ],
        "gruppen": _present(codes["gremien", "gruppe"], (row["gruppe"] for row in committees)),
        "status": _present(codes["gremien", "status"], (row["status"] for row in committees)),
        "kreise": {row["kreis_schluessel"]: row["kreis"] for row in rows},
    }


def _present(codes: Mapping[str, Code], values: Any) -> list[Row]:
    """The codes that occur, in the order of the list, with how often."""
    counts = Counter(values)
    return [
        {"code": code.code, "name": code.label, "definition": code.definition, "anzahl": counts[code.code]}
        for code in codes.values()
        if counts[code.code]
    ]


def _map_committees(committees: Sequence[Row]) -> list[Row]:
    """Committees as the map shows them; ``platz`` is the place in the row of signs of a municipality, 0 its middle."""
    seen: Counter[str] = Counter()
    totals = Counter(row["ags"] for row in committees)
    result = []
    for row in committees:
        result.append(
            {
                "id": row["gremium_id"],
                "ags": row["ags"],
                "platz": seen[row["ags"]] - (totals[row["ags"]] - 1) / 2,
                "name": row["name"],
                "art": row["kind"],
                "form": row["form"],
                "status": row["status"],
                "stand": german.day(row["status_stand"]) if row["status_stand"] else "",
                "gemeinden": [row["gemeinde"], *row["others"]],
                "identisch": [name for _, name in row["same"]],
                "beleg": row["link"],
                "quelle": host(row["link"]) if row["link"] else "",
            }
        )
        seen[row["ags"]] += 1
    return result


def _municipality_shapes(con: duckdb.DuckDBPyConnection) -> geometry.Geometries:
    """The shapes of ``release.gemeinden`` in the order of their keys."""
    query = "SELECT geometry FROM joined.map_geometry WHERE ebene = 'gemeinde' ORDER BY schluessel"
    return geometry.from_table(con.execute(query).to_arrow_table())


def _page_content(
    con: duckdb.DuckDBPyConnection, run: Run, contracts: Sequence[Contract], files: Mapping[str, int], codes: Codes
) -> Row:
    """Everything that the template shows apart from committees and map."""
    wave = run.profile.wave
    return {
        "run": run,
        "profile": run.profile,
        "synthetic": _synthetic(run),
        "missing": run.profile.missing,
        "codes": codes,
        "fields": {(contract.name, field.name): field for contract in contracts for field in contract.fields},
        "titles": {contract.name: contract.title for contract in contracts},
        "forms": SIGN_FORMS,
        "marks": SIGN_MARKS,
        "lands": _rows(con, "SELECT * FROM release.land ORDER BY land_schluessel"),
        "waves": _rows(con, "SELECT * FROM input.survey_waves ORDER BY welle DESC"),
        "figures": _grouped(_rows(con, "SELECT * FROM release.befragung_kennzahlen"), "welle"),
        "towns": _towns(con, wave),
        "districts": _rows(con, "SELECT * FROM release.kreise ORDER BY lower(strip_accents(kreis)), kreis_schluessel"),
        "hints": _rows(con, f"SELECT * FROM release.hinweise ORDER BY {BY_NAME}, datum DESC NULLS LAST, hinweis_id"),
        "monitoring": _rows(con, "SELECT * FROM release.monitoring ORDER BY welle DESC, kennzahl_id"),
        "offers": _rows(con, "SELECT * FROM release.angebote ORDER BY angebot_id"),
        "downloads": [_download(con, contract, files) for contract in contracts],
        "further": {
            name: _lasting_size(name, size) for name, size in sorted(files.items()) if _is_further(name, contracts)
        },
        "sources": attributions(run),
        "citation": citation(run),
        "jsonld": _embedded((run.package / JSONLD).read_text(encoding="utf-8")),
    }


def _embedded(text: str) -> Markup:
    """JSON as the content of a script element: nothing in it can end the element or open a comment."""
    return Markup(text.replace("<", "\\u003c"))


def _towns(con: duckdb.DuckDBPyConnection, wave: str) -> list[Row]:
    return _rows(
        con,
        "SELECT r.*, g.gremien_bekannt FROM release.befragung_rahmen r "
        "LEFT JOIN release.gemeinden g ON g.ags = r.ags_karte "
        "WHERE r.welle = $1 ORDER BY lower(strip_accents(r.gemeinde)), r.ags",
        wave,
    )


def _download(con: duckdb.DuckDBPyConnection, contract: Contract, files: Mapping[str, int]) -> Row:
    """One dataset with its rows and its files in the order of the catalogue of formats."""
    count = con.execute(f"SELECT count(*) FROM release.{contract.name}").fetchall()[0][0]
    return {
        "contract": contract,
        "rows": count,
        "files": [
            (contract.name + ending, kind.title, files[contract.name + ending])
            for ending, kind in FORMATS.items()
            if contract.name + ending in files
        ],
    }


def _lasting_size(name: str, size: int) -> int | None:
    """The size to show; none for the comparison, which is emptied when the release it compares with is withdrawn."""
    return None if name in PURGED else size


def _is_further(name: str, contracts: Sequence[Contract]) -> bool:
    """Whether a file belongs to no dataset: metadata of the release as a whole."""
    return Path(name).stem not in {contract.name for contract in contracts}
