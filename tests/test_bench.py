"""The benchmarks judge right and wrong answers as they should, and their scale set is what it says."""

from __future__ import annotations

import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely

from flows.contracts import load_contract
from flows.paths import GEODATA, ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import equal
from contest import MAPSHAPER, OGR, PIPELINE, SCRIPT, STEPS, compete
from packages import Unavailable, mapshaper
from race import successors
from results import net, report
from scale_set import GERMANY, SIZES, Country, boundary_frame, copied, mended

INSIDE = "EPSG:25832"
PROFILE = "thueringen"


def layer_of(shapes: list[shapely.Geometry]) -> geopandas.GeoDataFrame:
    """Municipalities with the contract's columns and these shapes (EPSG:25832)."""
    rows: dict[str, Any] = {
        field.name: {"integer": 7, "number": 1.25, "boolean": True}.get(field.type, "wort")
        for field in load_contract("release", "gemeinden").fields
    }
    keys = [f"9900{number:04d}" for number in range(len(shapes))]
    return geopandas.GeoDataFrame({**rows, "ags": keys}, geometry=shapes, crs=INSIDE)


@pytest.fixture
def squares() -> geopandas.GeoDataFrame:
    """Four squares of a kilometre side by side."""
    return layer_of([shapely.box(500_000 + x, 5_600_000, 501_000 + x, 5_601_000) for x in range(0, 4000, 1000)])


def judged(found: geopandas.GeoDataFrame, wanted: geopandas.GeoDataFrame) -> str:
    return equal.different_layer(found, wanted, "gemeinden", geographic=False)


class TestEqualAnswers:
    """A wrong answer is found, whatever is wrong with it."""

    def test_the_same_in_another_order_of_rows_and_vertices_is_the_same(self, squares: geopandas.GeoDataFrame) -> None:
        other = squares.iloc[::-1].copy()
        other["geometry"] = other.geometry.reverse()
        assert judged(other, squares) == ""

    def test_a_missing_municipality_is_told(self, squares: geopandas.GeoDataFrame) -> None:
        assert "3 features instead of 4" in judged(squares.iloc[:3], squares)

    def test_a_changed_figure_is_told_with_its_key(self, squares: geopandas.GeoDataFrame) -> None:
        other = squares.copy()
        other.loc[2, "einwohner"] = 8
        assert "gemeinden.einwohner: 1 values differ" in judged(other, squares)
        assert "99000002" in judged(other, squares)

    def test_a_lost_leading_zero_is_told(self, squares: geopandas.GeoDataFrame) -> None:
        wanted = squares.assign(kreis_schluessel="01001")
        assert "kreis_schluessel" in judged(wanted.assign(kreis_schluessel="1001"), wanted)

    def test_a_lost_column_is_told(self, squares: geopandas.GeoDataFrame) -> None:
        assert "no column einwohner" in judged(squares.drop(columns="einwohner"), squares)

    def test_a_moved_line_is_told(self, squares: geopandas.GeoDataFrame) -> None:
        other = squares.copy()
        other.loc[0, "geometry"] = shapely.box(500_000, 5_600_000, 501_002, 5_601_000)
        assert "1 outlines differ" in judged(other, squares)

    def test_a_gap_smaller_than_rounding_still_breaks_the_coverage(self, squares: geopandas.GeoDataFrame) -> None:
        other = squares.copy()
        other.loc[1, "geometry"] = shapely.box(501_000, 5_600_000, 502_000.1, 5_601_000)
        assert "overlap a neighbour" in judged(other, squares)

    @pytest.mark.parametrize(
        ("middle", "verdict"),
        [
            (shapely.box(1, 1, 2, 2), ""),
            # What is left shares its lines or stands alone, so that only the union shows the gap.
            (shapely.Polygon([(1, 1), (2, 1), (2, 2)]), "new gaps between the municipalities: 1"),
            # The two that its line now ends at share no line with it any more, either.
            (shapely.box(1, 1, 2.1, 2), "4 of 9 overlap a neighbour or do not share its line"),
            (shapely.Polygon([(1, 1), (2, 2), (2, 1), (1, 2)]), "1 of 9 shapes cross themselves"),
            (None, "8 of 9 municipalities are left"),
        ],
    )
    def test_simplifying_may_open_no_gap(self, tmp_path: Path, middle: shapely.Geometry | None, verdict: str) -> None:
        wanted = layer_of([shapely.box(x, y, x + 1, y + 1) for x in range(3) for y in range(3)])
        found = wanted.copy()
        found.loc[4, "geometry"] = middle
        (tmp_path / "simplified").mkdir()
        found.to_file(tmp_path / equal.SIMPLIFIED, driver="GeoJSON")
        assert equal.simplified(tmp_path, wanted)[0] == verdict


class TestScaleSet:
    """Copies are as real as what they are copied from."""

    def test_neighbours_that_overlap_become_a_coverage(self) -> None:
        shapes = np.array([shapely.box(0, 0, 1.1, 1), shapely.box(1, 0, 2, 1), shapely.Polygon()], dtype=object)
        rows, made = mended(shapes)
        assert rows == [0, 1]
        assert shapely.coverage_is_valid(made)
        assert shapely.equals(shapely.coverage_union_all(made), shapely.box(0, 0, 2, 1))

    def test_a_copy_has_its_own_keys_and_place_and_the_same_vertices(self) -> None:
        shapes = np.array([shapely.box(9, 47, 10, 55), shapely.box(10, 47, 11, 55)], dtype=object)
        country = Country(
            ["01001000", "16077001"], ["010010000000", "160770000001"], ["A", "B"], shapes,
            {"01001": "K", "16077": "L"}, {"01": "M", "16": "N"},
        )  # fmt: skip
        copy = copied(country, 1)
        assert copy.keys == ["19001000", "34077001"]
        assert shapely.total_bounds(copy.shapes)[3] < shapely.total_bounds(country.shapes)[1]
        assert shapely.get_num_coordinates(copy.shapes).tolist() == shapely.get_num_coordinates(shapes).tolist()
        frame = boundary_frame([country, copy])
        assert frame.groupby("ebene").size().to_dict() == {"gemeinde": 4, "kreis": 4, "land": 4}

    def test_no_size_needs_more_than_two_digits_for_a_land(self) -> None:
        assert all(copy[0] == GERMANY for copies in SIZES.values() for copy in copies)
        assert 18 * max(len(copies) for copies in SIZES.values()) <= 99


def test_keys_follow_a_chain_of_changes_up_to_the_day_of_the_map() -> None:
    changes = [
        {"ags_alt": "b", "ags_neu": "c", "nach": "2018-12-31", "in_kraft_bis": "2019-12-31"},
        {"ags_alt": "a", "ags_neu": "b", "nach": "2017-12-31", "in_kraft_bis": "2018-12-31"},
        {"ags_alt": "c", "ags_neu": "d", "nach": "2020-06-30", "in_kraft_bis": "2020-12-31"},
    ]
    assert successors(changes, "2016-01-01", "2020-06-30") == {"a": "c", "b": "c"}


def contestant(seconds: float, wrong: str = "", commands: int = 0) -> dict[str, Any]:
    return {
        "seconds": {"join": seconds, "geojson": seconds, "bare": 0.1, "start": 0.2},
        "processors": {"join": seconds, "geojson": seconds, "bare": 0.1, "start": 0.2},
        "commands": {"join": commands, "geojson": commands} if commands else {},
        "wall": 2 * seconds,
        "processor": 2 * seconds,
        "peak_mb": 100.0,
        "wrong": {"geojson": wrong},
        "vertices": 10,
    }


def raced(**results: dict[str, Any]) -> dict[str, Any]:
    about = {"profile": "p", "runs": 1, "features": 10, "vertices": 100, "read_mb": 1.0, "written_mb": 1.0}
    return about | {"floor": 0.5, "missing": {}, "results": results}


class TestReport:
    """The words follow the figures."""

    def test_what_a_program_pays_for_starting_is_left_out(self) -> None:
        assert net(contestant(1.0, commands=3), "geojson") == pytest.approx(0.6)
        assert net(contestant(1.0, commands=3), "join") == pytest.approx(0.7)
        assert net(contestant(0.1, commands=3), "geojson") == 0.0
        assert net(contestant(1.0), "geojson") == 1.0

    def test_a_met_goal_needs_no_excuse_and_a_missed_one_has_one(self) -> None:
        fast = report([raced(pipeline=contestant(1.0), geopandas=contestant(6.0))], [], [], {}, {})
        slow = report([raced(pipeline=contestant(1.0), geopandas=contestant(4.0))], [], [], {}, {})
        assert "- met: end to end 6.00 times" in fast
        assert "- **missed**: end to end 4.00 times" in slow
        assert "Why:" not in fast
        assert "Why: Both write with the same GDAL" in slow

    def test_a_step_won_by_the_others_start_alone_is_told_as_such(self) -> None:
        race = raced(pipeline=contestant(0.5), geopandas=contestant(9), ogr2ogr=contestant(0.8, commands=3))
        text = report([race], [], [], {}, {})
        assert "- met, but not without the other's start and reading: GeoJSON: 0.50 s against 0.40 s (0.80 s" in text
        race["results"]["pipeline"] = contestant(0.9)
        assert "- **missed**: GeoJSON: 0.90 s against 0.40 s" in report([race], [], [], {}, {})

    def test_a_wrong_answer_loses_however_fast(self) -> None:
        race = raced(pipeline=contestant(9.0), geopandas=contestant(9.0), mapshaper=contestant(1.0, wrong="a gap"))
        text = report([race], [], [], {}, {})
        assert "~~1.00~~" in text
        assert "GeoJSON: the other's answer is wrong (a gap)" in text
        own = deepcopy(race)
        own["results"] = {"pipeline": contestant(0.1, "a gap"), "geopandas": contestant(9), "mapshaper": contestant(1)}
        assert "**missed**: GeoJSON: 0.10 s against 1.00 s" in report([own], [], [], {}, {})

    def test_who_did_not_take_part_is_named(self) -> None:
        race = raced(pipeline=contestant(1.0), geopandas=contestant(6.0)) | {"missing": {OGR: "not installed"}}
        assert "(c) ogr2ogr did not take part: not installed." in report([race], [], [], {}, {})


@pytest.fixture(scope="module")
def race(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return compete(GEODATA, PROFILE, 1, tmp_path_factory.mktemp("bench") / "race", mapshaper)


@pytest.mark.slow
@pytest.mark.race
class TestRace:
    """One race on Thuringia: the same features from all."""

    def result_of(self, race: dict[str, Any], name: str) -> dict[str, Any]:
        if name in race["missing"]:
            pytest.skip(race["missing"][name])
        found: dict[str, Any] = race["results"][name]
        return found

    def test_the_pipeline_gives_what_the_script_gives_and_a_whole_coverage(self, race: dict[str, Any]) -> None:
        assert self.result_of(race, PIPELINE)["wrong"] == dict.fromkeys(STEPS[1:], "")

    @pytest.mark.parametrize("name", [SCRIPT, OGR])
    def test_polygons_simplified_each_for_itself_lose_and_all_else_is_equal(
        self, race: dict[str, Any], name: str
    ) -> None:
        wrong = self.result_of(race, name)["wrong"]
        assert "overlap a neighbour" in wrong.pop("simplify")
        assert set(wrong.values()) == {""}

    def test_mapshaper_gives_the_same_and_a_whole_coverage(self, race: dict[str, Any]) -> None:
        assert self.result_of(race, MAPSHAPER)["wrong"] == {"simplify": "", "geojson": ""}

    def test_every_step_has_its_time_and_the_report_all_of_them(self, race: dict[str, Any]) -> None:
        for result in race["results"].values():
            assert all(seconds > 0 for seconds in result["seconds"].values())
            assert result["peak_mb"] > 1
        text = report([race], [], [], {}, {})
        assert "| **end to end** |" in text
        assert race["floor"] > 0


def test_without_npm_mapshaper_is_told_to_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(Unavailable, match="npm is not installed"):
        mapshaper()
