"""Rules for the published ``catalog.ttl`` that the official SHACL shapes miss or that a release must never break."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rdflib import DCAT, DCTERMS, FOAF, RDF, Graph, URIRef

from flows.findings import Finding
from flows.metadata.catalog import DCATAP, DCATDE, EU, FILE, SPDX
from flows.metadata.inventory import COMPANIONS
from flows.metadata.licences import known_licence
from flows.profile import Profile

CHECK = "katalog"
REMEDY = "Bitte den Fehler in flows/metadata/catalog.py suchen; veröffentlicht wird nichts."

# Mandatory after DCAT-AP.de 3.0, and what we promise beyond it: attribution, availability, size and checksum.
MANDATORY: Mapping[URIRef, tuple[URIRef, ...]] = {
    DCAT.Catalog: (DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCAT.dataset),
    DCAT.Dataset: (DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCAT.distribution),
    DCAT.Distribution: (
        DCAT.accessURL,
        DCTERMS.license,
        DCATDE.licenseAttributionByText,
        DCATAP.availability,
        DCAT.byteSize,
        SPDX.checksum,
    ),
    FOAF.Agent: (FOAF.name,),
}
AVAILABILITIES = tuple(
    EU[f"planned-availability/{code}"] for code in ("AVAILABLE", "EXPERIMENTAL", "STABLE", "TEMPORARY")
)


def _short(term: str) -> str:
    """The last part of an IRI, as people know a term."""
    return term.rpartition("#")[2].rpartition("/")[2]


def _missing(graph: Graph) -> Iterator[Finding]:
    for kind, properties in MANDATORY.items():
        nodes = sorted(str(node) for node in graph.subjects(RDF.type, kind))
        if not nodes:
            yield Finding(CHECK, FILE, f"es gibt keinen Eintrag der Art {_short(kind)}.", REMEDY)
        for node in nodes:
            for name in properties:
                values = [str(value).strip() for value in graph.objects(URIRef(node), name)]
                if not any(values):
                    message = f"die Pflichtangabe fehlt ({_short(kind)})."
                    yield Finding(CHECK, FILE, message, REMEDY, column=_short(str(name)), value=node)


def _codes(graph: Graph, profile: Profile) -> Iterator[Finding]:
    """Licence and availability are IRIs of their lists; the official shapes do not notice other ones."""
    licence = URIRef(known_licence(profile.licence).uri)
    for predicate, allowed in ((DCTERMS.license, (licence,)), (DCATAP.availability, AVAILABILITIES)):
        wrong = {str(value) for value in graph.objects(None, predicate) if value not in allowed}
        for value in sorted(wrong):
            message = "das ist nicht die Adresse eines zulässigen Codes."
            yield Finding(CHECK, FILE, message, REMEDY, column=_short(predicate), value=value)


def _files(graph: Graph, resources: list[Mapping[str, Any]]) -> Iterator[Finding]:
    """A distribution for each data file of ``datapackage.json``, and none for anything else."""
    promised = {
        resource["hash"].removeprefix("sha256:"): resource["path"]
        for resource in resources
        if Path(resource["path"]).suffix not in COMPANIONS
    }
    listed = {str(value).lower() for value in graph.objects(None, SPDX.checksumValue)}
    for digest in sorted(promised.keys() - listed):
        yield Finding(CHECK, FILE, "diese Datei fehlt im Katalog.", REMEDY, value=promised[digest])
    for digest in sorted(listed - promised.keys()):
        yield Finding(CHECK, FILE, "zu dieser Prüfsumme gibt es keine Datei.", REMEDY, value=digest)


def catalog_findings(folder: Path, profile: Profile, resources: list[Mapping[str, Any]]) -> list[Finding]:
    """Everything in ``catalog.ttl`` that breaks a rule; ``resources`` are those of ``datapackage.json``."""
    graph = Graph()
    try:
        graph.parse(folder / FILE, format="turtle")
    except (FileNotFoundError, SyntaxError, UnicodeDecodeError) as error:
        return [Finding(CHECK, FILE, f"der Katalog ist nicht lesbar ({type(error).__name__}).", REMEDY)]
    return [*_missing(graph), *_codes(graph, profile), *_files(graph, resources)]
