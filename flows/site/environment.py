"""The templates' environment: German filters, and the rule of what may become a link."""

from __future__ import annotations

from functools import cache
from urllib.parse import quote, urlsplit

import jinja2

from flows import german
from flows.metadata.text import territory_text
from flows.paths import TEMPLATES


def web_address(url: str | None) -> str | None:
    """``url`` when it is a complete http(s) address, else None: nothing else may become a link."""
    parts = urlsplit(url or "")
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def host(url: str) -> str:
    """The host of an address, as readers know the site."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


@cache
def environment() -> jinja2.Environment:
    """Jinja2 over ``flows/templates``; every value is escaped, an unknown name is an error."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "zahl": german.number,
        "datum": german.day,
        "groesse": german.size,
        "gebietsstand": territory_text,
        "weblink": web_address,
        "rechner": host,
        "pfad": quote,
    }
    return found
