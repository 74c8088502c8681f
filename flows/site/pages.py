"""How a page is made: a template of ``flows/templates/site``, the site's facts, and links relative to the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.contracts import Contract
from flows.formats.symbology import ANY_KIND, SIGN_FORMS, SIGN_MARKS
from flows.metadata.datapackage import attributions
from flows.metadata.text import citation, release_address
from flows.profile import SYNTHETIC_MARK
from flows.provenance import read_manifest
from flows.run import Run
from flows.site.environment import environment
from flows.site.facts import Facts

# The pages that every page links, in this order: file and title.
NAVIGATION = (
    ("index.html", "Karte"),
    ("gremien.html", "Gremien"),
    ("befragung.html", "Befragung"),
    ("monitoring.html", "Monitoring"),
    ("angebote.html", "Angebote"),
    ("daten.html", "Daten"),
    ("methode.html", "Methode und Stand"),
)
LEGAL = (
    ("impressum.html", "Impressum"),
    ("datenschutz.html", "Datenschutz"),
    ("barrierefreiheit.html", "Barrierefreiheit"),
)


@dataclass(frozen=True, slots=True)
class Site:
    """What every page module works with. ``files`` are the sizes of the data files and documents in the package."""

    run: Run
    contracts: Sequence[Contract]
    facts: Facts
    files: Mapping[str, int]

    @property
    def synthetic(self) -> str:
        """The mark of invented answers, or nothing."""
        return SYNTHETIC_MARK if self.run.profile.synthetic else ""

    @property
    def old_sources(self) -> list[dict[str, Any]]:
        """Title and crossed limit (days) of every source that acquire found older than the profile allows.

        The limit, not the age: the age differs every night, and a release must not.
        """
        profile = self.run.profile
        inputs = read_manifest(self.run)["eingaben"]
        crossed = [(dataset, profile.hold_after) for dataset in profile.too_old]
        crossed += [(dataset, profile.warn_after) for dataset in profile.old]
        return [{"title": inputs[dataset]["title"], "limit": limits[dataset]} for dataset, limits in crossed]


def write_page(site: Site, file: str, title: str, description: str, template: str = "", **values: Any) -> None:
    """Write ``file`` (path in the package) from ``site/<template>.html.j2``, by default the template of its name.

    Templates know the site, its facts and the settings that ``grund.html.j2`` needs; ``root`` leads from the page to
    the release's folder.
    """
    name = template or file.removesuffix(".html")
    profile = site.run.profile
    text = (
        environment()
        .get_template(f"site/{name}.html.j2")
        .render(
            site=site,
            facts=site.facts,
            codes=site.facts.codes,
            run=site.run,
            profile=profile,
            synthetic=site.synthetic,
            file=file,
            root="../" * file.count("/"),
            title=title,
            description=description,
            address=release_address(site.run),
            navigation=NAVIGATION,
            legal=LEGAL,
            sources=attributions(site.run),
            citation=citation(site.run),
            titles={contract.name: contract.title for contract in site.contracts},
            forms=SIGN_FORMS,
            any_kind=ANY_KIND,
            marks=SIGN_MARKS,
            wave=next((wave for wave in site.facts.waves if wave["welle"] == profile.wave), None),
            **values,
        )
    )
    path = site.run.package / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
