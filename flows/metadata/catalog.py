"""``catalog.ttl``: the release as a DCAT-AP.de 3.0 catalogue (https://www.dcat-ap.de/def/dcatde/3.0/spec/).

One dataset per subject, one distribution per data file. The identifiers of catalogue, datasets and distributions are
the same in every release; only the addresses of the files name the release. Without a public address they are UUIDs,
and the files' addresses are relative: they resolve against the place where ``catalog.ttl`` lies, so that a draft names
no address that is not there. There are no blank nodes, and rdflib sorts what it writes: equal input gives equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote
from uuid import UUID, uuid5

import duckdb
from rdflib import DCAT, DCTERMS, FOAF, RDF, SKOS, XSD, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from flows.contracts import Contract
from flows.metadata.inventory import DataFile
from flows.metadata.licences import known_licence
from flows.metadata.lineage import inputs_of, is_source_of
from flows.metadata.rules import Land, described, lands_of
from flows.metadata.subjects import Subject, period, subjects
from flows.metadata.text import NO_PUBLISHER, marks, marks_english, release_address
from flows.profile import SYNTHETIC_MARK, Profile
from flows.provenance import read_manifest
from flows.run import Run

FILE = "catalog.ttl"
# Namespace of the identifiers of catalogues without a public address; never change it.
NAMESPACE = UUID("6f0d4c57-3c1e-5d0b-9a54-5f1f6f4b7a10")

DCATAP = Namespace("http://data.europa.eu/r5r/")
DCATDE = Namespace("http://dcat-ap.de/def/dcatde/")
ADMS = Namespace("http://www.w3.org/ns/adms#")
SPDX = Namespace("http://spdx.org/rdf/terms#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
EU = Namespace("http://publications.europa.eu/resource/authority/")
IANA = Namespace("https://www.iana.org/assignments/media-types/")
GEOCODING = Namespace("http://dcat-ap.de/def/politicalGeocoding/")
PREFIXES = {
    "adms": ADMS,
    "dcat": DCAT,
    "dcatap": DCATAP,
    "dcatde": DCATDE,
    "dcterms": DCTERMS,
    "foaf": FOAF,
    "skos": SKOS,
    "spdx": SPDX,
    "vcard": VCARD,
    "xsd": XSD,
}

# Codes of the EU list planned-availability: releases are kept, a draft is only there for the time being.
AVAILABLE = EU["planned-availability/AVAILABLE"]
STABLE = EU["planned-availability/STABLE"]
# A release appears when its inputs change.
FREQUENCY = EU["frequency/IRREG"]
GERMAN = EU["language/DEU"]
# Codes that came into the EU list of file types after 2019. The copy with which GovData's shapes are often run is of
# that year and would call them wrong, so the catalogue says itself that they belong to the list.
NEW_FILE_TYPES = ("GPKG", "PARQUET")
FILE_TYPES = EU["file-type"]
# New in DCAT 3; rdflib knows the terms of DCAT 2.
VERSION = URIRef("http://www.w3.org/ns/dcat#version")
SHA256 = SPDX["checksumAlgorithm_sha256"]

Triple = tuple[Node, Node, Node]


def identifier(profile: Profile, part: str) -> URIRef:
    """The lasting IRI of a part of the catalogue: below the public address, or a UUID where there is none.

    Invented data never goes by the name of real data, even if both profiles name the same address.
    """
    if profile.base_url:
        return URIRef(f"{profile.base_url}/latest/#{'synthetisch-' if profile.synthetic else ''}{part}")
    return URIRef(uuid5(NAMESPACE, f"{profile.name}/{part}").urn)


def file_address(run: Run, path: str) -> URIRef:
    """The address of a file: absolute when the profile has a public address, else relative to the catalogue."""
    return URIRef(f"{release_address(run) or ''}{quote(path)}")


def availability(profile: Profile) -> URIRef:
    """How long a release will be there, as a code of the EU list planned-availability."""
    return AVAILABLE if profile.draft else STABLE


def attribution_text(run: Run, contracts: Iterable[Contract]) -> str:
    """The attribution that the licence asks for: the publisher, and every source from which ``contracts`` are made."""
    inputs = frozenset[str]().union(*(inputs_of(contract) for contract in contracts))
    sources = [
        record["attribution"] for key, record in read_manifest(run)["eingaben"].items() if is_source_of(key, inputs)
    ]
    profile = run.profile
    own = f"{profile.publisher.name or profile.title} ({run.day.year}), {profile.licence.name}, {profile.licence.url}"
    return "; ".join([own, *dict.fromkeys(sources)])


def _german(text: str) -> Literal:
    return Literal(text, lang="de")


def _english(text: str) -> Literal:
    return Literal(text, lang="en")


def _described(run: Run, text: str) -> Literal:
    """A German description that says first what is special about this release."""
    return _german(" ".join([*marks(run.profile), text]))


def _publisher(run: Run) -> Iterator[Triple]:
    profile = run.profile
    agent = identifier(profile, "herausgeber")
    yield agent, RDF.type, FOAF.Agent
    yield agent, FOAF.name, _german(profile.publisher.name or NO_PUBLISHER)
    if profile.publisher.url:
        yield agent, FOAF.homepage, URIRef(profile.publisher.url)
    if profile.publisher.email:
        yield agent, FOAF.mbox, URIRef(f"mailto:{profile.publisher.email}")


def _contact(run: Run) -> Iterator[Triple]:
    """The contact point; none while the profile names no mailbox."""
    publisher = run.profile.publisher
    if not publisher.email:
        return
    contact = identifier(run.profile, "kontakt")
    yield contact, RDF.type, VCARD.Kind
    yield contact, RDF.type, VCARD.Organization
    yield contact, VCARD.fn, _german(publisher.name or NO_PUBLISHER)
    yield contact, VCARD.hasEmail, URIRef(f"mailto:{publisher.email}")
    if publisher.url:
        yield contact, VCARD.hasURL, URIRef(publisher.url)


def _places(subject: Subject, lands: Sequence[Land]) -> list[URIRef]:
    """The area that a subject is about, of the release's Länder."""
    if subject.coverage == "germany":
        return [EU["country/DEU"]]
    return [GEOCODING[f"stateKey/{land}"] for land in lands_of(subject, lands)]


def _catalog(run: Run, listed: Sequence[Subject]) -> Iterator[Triple]:
    profile = run.profile
    catalog = identifier(profile, "katalog")
    yield catalog, RDF.type, DCAT.Catalog
    yield catalog, DCTERMS.title, _german(profile.title)
    yield catalog, DCTERMS.description, _described(run, profile.description)
    yield catalog, DCTERMS.publisher, identifier(profile, "herausgeber")
    yield catalog, DCTERMS.language, GERMAN
    yield catalog, DCTERMS.license, URIRef(known_licence(profile.licence).uri)
    yield catalog, DCTERMS.modified, Literal(run.day.isoformat(), datatype=XSD.date)
    yield catalog, DCAT.themeTaxonomy, EU["data-theme"]
    yield catalog, DCATAP.availability, availability(profile)
    if profile.base_url:
        yield catalog, FOAF.homepage, URIRef(f"{profile.base_url}/latest/")
    for land in profile.lands:
        place = GEOCODING[f"stateKey/{land}"]
        yield catalog, DCTERMS.spatial, place
        yield place, RDF.type, DCTERMS.Location
    for subject in listed:
        yield catalog, DCAT.dataset, identifier(profile, subject.name)


def _dataset(
    con: duckdb.DuckDBPyConnection,
    run: Run,
    subject: Subject,
    lands: Sequence[Land],
    contributor_id: str,
) -> Iterator[Triple]:
    profile = run.profile
    german, english = described(subject, lands, profile.wave)
    places = _places(subject, lands)
    dataset = identifier(profile, subject.name)
    yield dataset, RDF.type, DCAT.Dataset
    yield dataset, DCTERMS.title, _german(f"{profile.title}: {subject.title}")
    yield dataset, DCTERMS.title, _english(f"{profile.title}: {subject.title_en}")
    yield dataset, DCTERMS.description, _described(run, german)
    yield dataset, DCTERMS.description, _english(" ".join([*marks_english(profile), english]))
    yield dataset, DCTERMS.publisher, identifier(profile, "herausgeber")
    yield dataset, DCTERMS.identifier, Literal(f"praeventionskarte-{profile.name}-{subject.name}")
    yield dataset, DCTERMS.modified, Literal(run.day.isoformat(), datatype=XSD.date)
    yield dataset, DCTERMS.language, GERMAN
    yield dataset, DCTERMS.accrualPeriodicity, FREQUENCY
    yield dataset, DCTERMS.accessRights, EU["access-right/PUBLIC"]
    yield dataset, VERSION, Literal(run.release_id)
    yield dataset, DCATAP.availability, availability(profile)
    yield dataset, FOAF.page, file_address(run, "README.md")
    if profile.publisher.email:
        yield dataset, DCAT.contactPoint, identifier(profile, "kontakt")
    if profile.base_url:
        yield dataset, DCAT.landingPage, URIRef(f"{profile.base_url}/latest/")
    if contributor_id:
        yield dataset, DCATDE.contributorID, URIRef(contributor_id)
    if subject.type:
        yield dataset, DCTERMS.type, EU[f"dataset-type/{subject.type}"]
    for keyword in subject.keywords:
        yield dataset, DCAT.keyword, _german(keyword)
    for keyword in subject.keywords_en:
        yield dataset, DCAT.keyword, _english(keyword)
    for theme in subject.themes:
        yield dataset, DCAT.theme, EU[f"data-theme/{theme}"]
    for place in places:
        yield dataset, DCTERMS.spatial, place
        yield place, RDF.type, DCTERMS.Location
    if places and subject.coverage != "germany":
        yield dataset, DCATDE.politicalGeocodingLevelURI, GEOCODING["Level/state"]
    for mark in marks(profile):
        yield dataset, ADMS.versionNotes, _german(mark)
    if days := period(con, subject):
        time = identifier(profile, f"{subject.name}-zeitraum")
        yield dataset, DCTERMS.temporal, time
        yield time, RDF.type, DCTERMS.PeriodOfTime
        yield time, DCAT.startDate, Literal(days[0].isoformat(), datatype=XSD.date)
        yield time, DCAT.endDate, Literal(days[1].isoformat(), datatype=XSD.date)


def _distribution(run: Run, file: DataFile, attribution: str) -> Iterator[Triple]:
    profile = run.profile
    distribution = identifier(profile, file.path)
    address = file_address(run, file.path)
    checksum = identifier(profile, f"{file.path}-pruefsumme")
    yield identifier(profile, file.subject), DCAT.distribution, distribution
    yield distribution, RDF.type, DCAT.Distribution
    yield distribution, DCTERMS.title, _german(f"{file.title} ({file.format.title})")
    synthetic = f"{SYNTHETIC_MARK}. " if profile.synthetic else ""
    yield distribution, DCTERMS.description, _german(f"{synthetic}{file.description}")
    yield distribution, DCAT.accessURL, address
    yield distribution, DCAT.downloadURL, address
    yield distribution, DCTERMS.license, URIRef(known_licence(profile.licence).uri)
    yield distribution, DCATDE.licenseAttributionByText, _german(attribution)
    yield distribution, DCTERMS.modified, Literal(run.day.isoformat(), datatype=XSD.date)
    yield distribution, DCTERMS.language, GERMAN
    yield distribution, DCAT.mediaType, IANA[file.format.media_type]
    yield distribution, DCAT.byteSize, Literal(file.bytes, datatype=XSD.nonNegativeInteger)
    yield distribution, DCATAP.availability, availability(profile)
    if file.format.eu_code:
        code = EU[f"file-type/{file.format.eu_code}"]
        yield distribution, DCTERMS["format"], code
        if file.format.eu_code in NEW_FILE_TYPES:
            yield code, RDF.type, SKOS.Concept
            yield code, SKOS.inScheme, FILE_TYPES
    if not profile.draft:
        yield distribution, ADMS.status, EU["distribution-status/COMPLETED"]
    yield distribution, SPDX.checksum, checksum
    yield checksum, RDF.type, SPDX.Checksum
    yield checksum, SPDX.algorithm, SHA256
    yield checksum, SPDX.checksumValue, Literal(file.sha256, datatype=XSD.hexBinary)
    yield SHA256, RDF.type, SPDX.ChecksumAlgorithm


def catalog_graph(
    con: duckdb.DuckDBPyConnection,
    run: Run,
    contracts: Sequence[Contract],
    files: Sequence[DataFile],
    contributor_id: str = "",
) -> Graph:
    """The catalogue of the data files in ``files``; a subject without a file is left out.

    ``contributor_id`` is the publisher's IRI in http://dcat-ap.de/def/contributors, where it has one.
    """
    graph = Graph(bind_namespaces="none")
    for prefix, namespace in PREFIXES.items():
        graph.bind(prefix, namespace)
    offered = [file for file in files if not file.companion]
    listed = [subject for subject in subjects().values() if any(file.subject == subject.name for file in offered)]
    triples = [*_publisher(run), *_contact(run), *_catalog(run, listed)]
    lands = con.execute("SELECT * FROM release.land ORDER BY land_schluessel").to_arrow_table().to_pylist()
    for subject in listed:
        triples += _dataset(con, run, subject, lands, contributor_id)
    published = {contract.name: contract for contract in contracts}
    for file in offered:
        # A file of several datasets names the sources of all; a code list has none.
        made = published.values() if file.contract is None else [published.get(file.contract.name)]
        attribution = attribution_text(run, [contract for contract in made if contract])
        triples += _distribution(run, file, attribution)
    for triple in triples:
        graph.add(triple)
    return graph


def write_catalog(
    con: duckdb.DuckDBPyConnection,
    run: Run,
    contracts: Sequence[Contract],
    files: Sequence[DataFile],
    contributor_id: str = "",
) -> None:
    """Write ``catalog.ttl`` into the package."""
    graph = catalog_graph(con, run, contracts, files, contributor_id)
    (run.package / FILE).write_text(graph.serialize(format="turtle"), encoding="utf-8")
