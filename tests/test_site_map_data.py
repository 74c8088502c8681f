"""The map of the page as data: shapes within their budget, facts for its scripts, and the pages around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import shapely
from conftest import PROFILE, joined_run

from flows import geometry
from flows.contracts import release_contracts
from flows.database import create_table
from flows.database import database as open_database
from flows.errors import WrongUsage
from flows.german import number
from flows.profile import load_profile
from flows.run import Run
from flows.site.einbetten import write_embedded
from flows.site.facts import district_names, read_facts
from flows.site.karte import finest_shapes, map_page
from flows.site.map_data import FINEST_SHARE, MapContent, extent_of, page_map
from flows.site.map_facts import map_facts
from flows.site.map_lines import outlines
from flows.site.pages import Site

KEYS = ["99001001", "99001002", "99002001", "99002002"]
CONTENT = MapContent({"gemeinden": {"ags": KEYS}}, KEYS, ["nicht_befragt"] * 4, [], [])


def coast(points: int) -> geometry.Geometries:
    """Four municipalities around a point, 40 km across, whose outer borders wind through so many points each."""
    turns = np.linspace(0, 2 * np.pi, 4 * points + 1)
    radius = 20_000 * (1 + 0.05 * np.sin(turns * 23) + 0.01 * np.sin(turns * 211))
    rim = np.column_stack([600_000 + radius * np.cos(turns), 5_600_000 + radius * np.sin(turns)])
    quarters = [rim[k * points : (k + 1) * points + 1] for k in range(4)]
    return np.array([shapely.Polygon([(600_000, 5_600_000), *quarter]) for quarter in quarters], dtype=object)


def finest(shapes: geometry.Geometries) -> tuple[geometry.Geometries, float]:
    tolerance = extent_of(shapes) * FINEST_SHARE
    return shapely.coverage_simplify(shapes, tolerance), tolerance


def decoded(document: bytes) -> list[shapely.Geometry]:
    """The municipalities of ``karte.json``, read as docs/site.md says."""
    data = json.loads(document)

    def ring(steps: list[int]) -> list[list[float]]:
        points = np.cumsum(np.array(steps).reshape(-1, 2), axis=0) / data["einheit"]
        return points.tolist()

    return [
        shapely.MultiPolygon([(ring(outer), [ring(hole) for hole in holes]) for outer, *holes in parts])
        for parts in data["flaechen"]
    ]


def test_what_fits_is_shown_as_fine_as_the_map_can_be() -> None:
    shapes, tolerance = finest(coast(500))
    made = page_map(CONTENT, shapes, tolerance, 1_000_000)
    assert shapely.get_num_coordinates(made.shapes).sum() == shapely.get_num_coordinates(shapes).sum()


def test_a_smaller_budget_costs_detail_and_no_gap() -> None:
    shapes, tolerance = finest(coast(500))
    whole = page_map(CONTENT, shapes, tolerance, 1_000_000)
    sizes = []
    for share in (0.8, 0.5, 0.3):
        limit = int(len(whole.document) * share)
        made = page_map(CONTENT, shapes, tolerance, limit)
        assert limit / 2 < len(made.document) <= limit
        assert shapely.coverage_is_valid(made.shapes)
        sizes.append(len(made.document))
    assert sizes == sorted(sizes, reverse=True)


def test_what_fits_at_no_tolerance_names_the_setting() -> None:
    shapes, tolerance = finest(coast(50))
    whole = number(len(page_map(CONTENT, shapes, tolerance, 1_000_000).document))
    wanted = rf"passt nicht in 100 Byte\. Bitte page_map_bytes im Profil erhöhen: .*, mit den feinsten {whole}\."
    with pytest.raises(WrongUsage, match=wanted):
        page_map(CONTENT, shapes, tolerance, 100)


def test_the_size_named_for_the_coarsest_shapes_is_enough_and_a_byte_less_is_not() -> None:
    shapes, tolerance = finest(coast(500))
    with pytest.raises(WrongUsage) as refused:
        page_map(CONTENT, shapes, tolerance, 100)
    found = re.search(r"mit den gröbsten Formen braucht sie ([\d.]+) Byte", str(refused.value))
    assert found is not None
    least = int(found[1].replace(".", ""))
    assert len(page_map(CONTENT, shapes, tolerance, least).document) == least
    with pytest.raises(WrongUsage):
        page_map(CONTENT, shapes, tolerance, least - 1)


def test_a_shape_that_the_usual_rounding_would_break_gets_more_decimals() -> None:
    """A tongue of land 20 cm wide: with five decimals it has no width, and its municipality is no area."""
    shapes = coast(50)
    tongue = shapely.box(600_000, 5_600_000, 640_000, 5_600_000.2)
    rest = shapely.difference(shapes[1:], tongue)
    shapes, tolerance = finest(np.array([shapely.union(shapes[0], tongue), *rest], dtype=object))
    made = page_map(CONTENT, shapes, tolerance, 1_000_000)
    assert json.loads(made.document)["einheit"] == 1_000_000
    assert shapely.coverage_is_valid(made.shapes)
    assert shapely.is_valid(made.shapes).all()
    assert all(shapely.equals(decoded(made.document), made.shapes))


def test_shapes_that_overlap_are_no_matter_of_the_budget() -> None:
    shapes = coast(20)
    shapes[1] = shapely.transform(shapes[1], lambda points: points + 5_000)
    with pytest.raises(WrongUsage, match="überlappen"):
        page_map(CONTENT, shapes, 10.0, 1_000_000)


def test_laender_read_one_after_another_meet_without_a_gap() -> None:
    """Two Länder with a winding border, on which municipalities of each end where none of the other does."""
    steps = np.arange(2_001)
    border = np.column_stack([600_000 + 800 * np.sin(steps / 7) + 90 * np.sin(steps), 5_600_000 + 20.0 * steps])

    def strip(begin: int, end: int, side: int) -> shapely.Polygon:
        """From the border 30 km to the west (-1) or east (1)."""
        return shapely.Polygon(
            [*border[begin : end + 1], *((600_000 + 30_000 * side, border[i, 1]) for i in (end, begin))]
        )

    ends = {
        "98001001": (0, 700, -1),
        "98001002": (700, 2_000, -1),
        "99001001": (0, 1_200, 1),
        "99001002": (1_200, 2_000, 1),
    }
    shapes = {("gemeinde", key): strip(*end) for key, end in ends.items()}
    shapes |= {("land", "98"): strip(0, 2_000, -1), ("land", "99"): strip(0, 2_000, 1)}
    columns = {"ebene": [level for level, _ in shapes], "schluessel": [key for _, key in shapes]}
    with duckdb.connect() as memory:
        memory.execute("CREATE SCHEMA joined")
        table = geometry.with_geometry(pa.table(columns), np.array(list(shapes.values()), dtype=object))
        create_table(memory, "joined.map_geometry", table)
        found, tolerance = finest_shapes(memory)

    assert tolerance == extent_of(np.array(list(shapes.values()), dtype=object)) * FINEST_SHARE
    assert shapely.get_num_coordinates(found).sum() < 4_000
    assert shapely.coverage_is_valid(found)
    # One area without a hole, with the four corners that it had: nothing lies open between the two.
    assert shapely.equals(shapely.union_all(found), shapely.envelope(shapely.union_all(found)))
    west, east = shapely.union_all(found[:2]), shapely.union_all(found[2:])
    assert shapely.relate_pattern(west, east, "FF2F11212")
    # What is coarser later on has none either.
    content = MapContent({}, sorted(ends), ["nicht_befragt"] * 4, [], [])
    size = len(page_map(content, found, tolerance, 1_000_000).document)
    assert shapely.coverage_is_valid(page_map(content, found, tolerance, size // 3).shapes)


def test_a_budget_that_only_the_coarsest_shapes_meet_is_met() -> None:
    shapes, tolerance = finest(coast(2_000))
    triangles = len(page_map(CONTENT, shapely.coverage_simplify(shapes, 40_000), tolerance, 10_000).document)
    assert len(page_map(CONTENT, shapes, tolerance, triangles + 100).document) <= triangles + 100


def test_lines_are_the_edges_between_districts_and_around_lands_once_each() -> None:
    """A Land with a hole (a lake) and a district in two parts; the other Land touches it along one edge."""
    squares = {"98001001": (0, 0), "98001002": (1, 0), "98002001": (0, 1), "98001003": (0, 2), "98001004": (1, 2)}
    squares |= {"98002002": (2, 1), "98002003": (2, 0), "98002004": (2, 2), "99001001": (3, 1)}
    shapes = np.array([shapely.box(x, y, x + 1, y + 1) for x, y in squares.values()], dtype=object)

    lines = outlines(list(squares), shapes)

    lands = [shapely.union_all(shapes[:8]), shapes[8]]
    around = shapely.union_all(shapely.boundary(lands))
    districts = [shapely.union_all(shapes[[0, 1, 3, 4]]), shapely.union_all(shapes[[2, 5, 6, 7]])]
    assert shapely.equals(lines["land"], around)
    assert lines["land"].length == around.length == 12 + 4 + 3
    assert shapely.equals(lines["kreis"], shapely.union_all(shapely.boundary(districts)).difference(around))


def test_the_document_holds_the_very_shapes_of_the_picture() -> None:
    shapes, tolerance = finest(coast(100))
    made = page_map(CONTENT, shapes, tolerance, 1_000_000)
    assert all(shapely.equals(decoded(made.document), made.shapes))


@pytest.fixture(scope="module")
def joined(geodata: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return joined_run(load_profile(geodata, PROFILE), tmp_path_factory.mktemp("joined"))


@pytest.fixture(scope="module")
def con(joined: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database(joined.database) as opened:
        yield opened


@pytest.fixture
def site(joined: Run, con: duckdb.DuckDBPyConnection) -> Site:
    contracts = release_contracts()
    return Site(joined, contracts, read_facts(con, joined, contracts), {})


def test_an_address_that_leads_nowhere_any_more_is_told_as_such(con: duckdb.DuckDBPyConnection, site: Site) -> None:
    first, *others = site.facts.committees
    lost = {"link_zustand": "nicht_erreichbar", "link_geprueft_am": date(2026, 11, 20)}
    evidence = [first["evidence"][0] | lost, *first["evidence"][1:]]
    facts = replace(site.facts, committees=[first | {"evidence": evidence}, *others])
    places = [(10.0, 51.0)] * len(facts.municipalities)
    districts = {row["kreis_schluessel"]: (10.0, 51.0) for row in facts.districts}
    told = map_facts(con, replace(site, facts=facts), places, districts)
    pieces = [piece for body in told["gremien"] for piece in body["belege"]]
    assert [piece.get("zustand") for piece in pieces[:1]] == ["Seite nicht mehr erreichbar (geprüft am 20.11.2026)"]
    assert len(pieces) > 1
    assert all("zustand" not in piece for piece in pieces[1:])


def test_the_embedded_map_says_that_a_source_is_old(site: Site) -> None:
    profile = replace(site.run.profile, too_old=("hints",), hold_after={"hints": 1000})
    run = replace(site.run, profile=profile)
    run.package.mkdir(exist_ok=True)
    shapes = geometry.transform(coast(20), geometry.INSIDE, geometry.OUTSIDE)
    shown = map_page(site.facts, shapes) | {"picture": {"width": 100, "height": 100}}
    write_embedded(replace(site, run=run), shown)
    above = (run.package / "karte-einbetten.html").read_text(encoding="utf-8").partition("<main")[0]
    assert "Quelle „Kleinland: hints“ ist älter als 1.000 Tage." in above


def test_districts_of_one_name_are_told_apart_and_others_keep_theirs() -> None:
    districts = [
        {"kreis_schluessel": "09162", "kreis": "München", "kreis_art": "Kreisfreie Stadt"},
        {"kreis_schluessel": "09184", "kreis": "München", "kreis_art": "Landkreis"},
        {"kreis_schluessel": "09190", "kreis": "Weilheim-Schongau", "kreis_art": "Landkreis"},
    ]
    assert district_names(districts) == {
        "09162": "München (Kreisfreie Stadt)",
        "09184": "München (Landkreis)",
        "09190": "Weilheim-Schongau",
    }


def test_the_example_of_a_view_lies_on_the_map(site: Site) -> None:
    shapes = geometry.transform(coast(20), geometry.INSIDE, geometry.OUTSIDE)
    examples = {name: example for name, _, example in map_page(site.facts, shapes)["parameters"]}
    lon, lat, _ = (float(part) for part in examples["ausschnitt"].split(","))
    assert shapely.intersects_xy(shapely.union_all(shapes), lon, lat)
