"""Contracts: one description per dataset from which files, checks and documentation are made."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import duckdb
import frictionless
import pytest

import flows
from flows.contracts import (
    Contract,
    code_list,
    code_list_names,
    load_contract,
    release_contracts,
)
from flows.database import sql_files
from flows.errors import WrongUsage
from flows.paths import CONTRACTS, SQL

INPUTS = sorted(path.stem for path in (CONTRACTS / "input").glob("*.json"))
RELEASED = [contract.name for contract in release_contracts()]
ALL = [("input", name) for name in INPUTS] + [("release", name) for name in RELEASED]
# Names that mean different things in different tables: a wave of the survey or of the monitoring; how many answered or
# whether one did; a count or a share.
HOMONYMS = {"welle", "geantwortet", "wert"}
SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@pytest.fixture(params=ALL, ids="/".join)
def contract(request: pytest.FixtureRequest) -> Contract:
    """Each contract in turn."""
    kind, name = request.param
    return load_contract(kind, name)


def test_every_contract_of_a_release_is_published() -> None:
    assert sorted(RELEASED) == sorted(path.stem for path in (CONTRACTS / "release").glob("*.json"))
    assert sorted(RELEASED) == sorted(name.removeprefix("release.") for name in sql_files("release"))


def test_a_contract_says_in_two_languages_what_everything_means(contract: Contract) -> None:
    for text in ("title", "titleEn", "description", "descriptionEn"):
        assert contract.raw[text]
        for field in contract.fields:
            assert field.raw[text], f"{field.name} lacks {text}"
    for field in contract.fields:
        assert SNAKE_CASE.fullmatch(field.name)
        assert "example" in field.raw
        assert ("unit" in field.raw) == ("unitEn" in field.raw)


def test_the_example_of_a_column_keeps_to_the_column(contract: Contract) -> None:
    schema = frictionless.Schema.from_descriptor(contract.table_schema())
    for field in contract.fields:
        _, notes = schema.get_field(field.name).read_cell(field.raw["example"])
        assert not notes, f"{field.name}: {field.raw['example']}: {notes}"


def test_the_table_schema_is_one_for_frictionless(contract: Contract) -> None:
    descriptor = contract.table_schema()
    report = frictionless.Schema.validate_descriptor(descriptor)
    assert report.valid, report.flatten()
    assert [field["name"] for field in descriptor["fields"]] == list(contract.column_names)


def test_keys_are_required_columns(contract: Contract) -> None:
    assert contract.primary_key
    columns = {field.name: field for field in contract.fields}
    for name in contract.primary_key:
        assert columns[name].required
    for reference in contract.raw.get("foreignKeys", []):
        assert set(reference["fields"]) <= columns.keys()


def test_references_lead_to_the_key_of_a_dataset(contract: Contract) -> None:
    kind = "input" if contract.name in INPUTS else "release"
    for reference in contract.raw.get("foreignKeys", []):
        target = load_contract(kind, reference["reference"]["resource"] or contract.name)
        assert tuple(reference["reference"]["fields"]) == target.primary_key


def test_codes_are_written_out_where_others_read_the_schema() -> None:
    descriptor = {field["name"]: field for field in load_contract("release", "gremien").table_schema()["fields"]}
    assert descriptor["status"]["constraints"]["enum"] == [code.code for code in code_list("gremium_status")]
    assert {"value": "ruhend", "label": "Ruhend"} in descriptor["status"]["categories"]
    assert "codeList" not in descriptor["status"]
    pattern = descriptor["themen"]["constraints"]["pattern"]
    assert re.fullmatch(pattern, "alkohol;diebstahl")
    assert not re.fullmatch(pattern, "alkohol;")
    assert not re.fullmatch(pattern, "alkohol;Diebstahl")
    assert "enum" not in descriptor["themen"]["constraints"]


def test_the_schema_made_for_others_leaves_the_contract_as_it_is(contract: Contract) -> None:
    before = repr(contract.raw)
    contract.table_schema()
    assert repr(contract.raw) == before


def test_a_contract_that_extends_another_has_its_columns_first() -> None:
    base, wave = load_contract("input", "survey_responses"), load_contract("input", "survey_responses_2020")
    assert wave.column_names[: len(base.fields)] == base.column_names
    assert wave.primary_key == base.primary_key
    assert len(wave.fields) > len(base.fields)
    assert load_contract("release", "monitoring").column_names == load_contract("input", "monitoring").column_names


def test_a_column_name_means_the_same_type_in_every_contract() -> None:
    types: dict[str, set[str]] = defaultdict(set)
    for kind, name in ALL:
        for field in load_contract(kind, name).fields:
            types[field.name].add(field.type)
    assert {name for name, found in types.items() if len(found) > 1} == HOMONYMS


@pytest.mark.slow
def test_every_relation_of_a_release_has_the_columns_of_its_contract(database: duckdb.DuckDBPyConnection) -> None:
    for contract in release_contracts():
        columns = database.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'release' AND table_name = $1",
            [contract.name],
        ).fetchall()
        assert set(contract.column_names) <= {column for (column,) in columns}


@pytest.mark.parametrize("name", code_list_names())
def test_a_code_list_explains_each_code_once(name: str) -> None:
    codes = code_list(name)
    assert codes
    assert len({code.code for code in codes}) == len(codes)
    for code in codes:
        assert re.fullmatch(r"[a-z0-9_]+", code.code), "codes are neutral and safe in every format"
        assert all((code.label, code.label_en, code.definition, code.definition_en))


def test_every_code_list_is_used_and_every_used_one_exists() -> None:
    contracts = "".join(path.read_text(encoding="utf-8") for path in CONTRACTS.rglob("*.json"))
    queries = "".join(path.read_text(encoding="utf-8") for path in SQL.rglob("*.sql"))
    modules = "".join(path.read_text(encoding="utf-8") for path in Path(flows.__file__).parent.rglob("*.py"))
    used = set(re.findall(r'"codeList": "(\w+)"', contracts)) | set(re.findall(r"liste = '(\w+)'", queries))
    used |= set(re.findall(r'code_list\("(\w+)"\)', modules))
    assert used == set(code_list_names())


def test_every_code_that_the_sql_writes_or_asks_for_is_in_its_list() -> None:
    written = {
        "befragung_status": ["nicht_befragt", "nicht_veroeffentlicht", "geantwortet", "nicht_geantwortet"],
        "antwort_durch": ["gemeinde", "verband", "beide"],
        "kennzahl_herkunft": ["veroeffentlicht", "nachgerechnet", "berechnet"],
        "flaeche_herkunft": ["geometrie", "gemeindeverzeichnis"],
        "genauigkeit_datum": ["tag", "monat", "jahr", "unbekannt"],
        "gremium_gruppe": ["rat", "weitere"],
        "ebene": ["gemeinde", "kreis", "land"],
    }
    texts = "".join(text for folder in ("staging", "joined", "release") for text in sql_files(folder).values())
    for name, expected in written.items():
        assert {code.code for code in code_list(name)} == set(expected), name
        if name not in ("gremium_gruppe", "ebene"):
            assert all(f"'{code}'" in texts for code in expected), name


def test_kinds_of_committee_belong_to_a_group_and_only_councils_to_the_councils() -> None:
    groups = {code.code: code.extra["gruppe"] for code in code_list("gremium_art")}
    assert {kind for kind, group in groups.items() if group == "rat"} == {"praeventionsrat", "runder_tisch"}
    assert set(groups.values()) == {code.code for code in code_list("gremium_gruppe")}


def test_the_chair_is_an_office_and_never_a_name() -> None:
    for kind, name in (("input", "evidence"), ("release", "gremien"), ("release", "gremien_belege")):
        (chair,) = (field for field in load_contract(kind, name).fields if field.name == "vorsitz")
        assert chair.allowed == tuple(code.code for code in code_list("funktion"))


@pytest.mark.parametrize(("kind", "name"), [("input", "unbekannt"), ("release", "committees")])
def test_a_dataset_without_contract_is_named(kind: str, name: str) -> None:
    with pytest.raises(WrongUsage, match=f"{name}.json: für den Datensatz „{name}“ gibt es keinen Vertrag"):
        load_contract(kind, name)


def test_a_missing_code_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match=r"fehlende_liste\.csv: die Codeliste fehlt"):
        code_list("fehlende_liste", tmp_path)
