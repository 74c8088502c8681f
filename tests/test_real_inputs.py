"""What the project's own inputs give for Thuringia; facts to hold on to, each with its origin."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest
import shapely
from conftest import Territory, joined_run, loaded_run, territory_of

from flows import geometry
from flows.check import check
from flows.contracts import release_contracts
from flows.database import database as open_database
from flows.database import sql_files
from flows.datasets import read_dataset
from flows.join import join, set_variables
from flows.paths import GEODATA
from flows.profile import SYNTHETIC_MARK, load_profile
from flows.run import Run

DAY = date(2026, 11, 22)

# The survey's frame: Destatis population of 31.12.2018 on the territory of 30.06.2020, recomputed apart from this code.
TOWNS = {
    "16051000": "Erfurt",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The default profile, joined."""
    return joined_run(load_profile(GEODATA, "thueringen"), tmp_path_factory.mktemp("thueringen"), DAY)


@pytest.fixture(scope="module")
def thuringia(run: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of the default profile after the join."""
    with open_database(run.database) as con:
        set_variables(con, run)
        yield con


@pytest.fixture(scope="module")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demonstration, joined."""
    return joined_run(load_profile(GEODATA, "demo"), tmp_path_factory.mktemp("demo"), DAY)


@pytest.fixture(scope="module")
def demo(demo_run: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of the demonstration after the join."""
    with open_database(demo_run.database) as con:
        set_variables(con, demo_run)
        yield con
