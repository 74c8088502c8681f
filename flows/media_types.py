"""Under which media type a file of a release is handed out, the same on every machine and from every target."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from flows.formats.catalogue import FORMATS

# What Python's table lacks, or takes from the system's, which differs.
OTHERS = {
    ".atom": "application/atom+xml",
    ".cff": "text/yaml",
    ".csvt": "text/plain",
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".qgz": "application/zip",
    ".qml": "application/xml",
    ".svg": "image/svg+xml",
    ".ttl": "text/turtle",
    ".txt": "text/plain",
    ".xml": "application/xml",
}


def content_type(name: str) -> str:
    """The ``Content-Type`` of a file by its name; texts are UTF-8, a file without ending is one."""
    ending = Path(name).suffix
    if ending in FORMATS:
        kind = FORMATS[ending].media_type
    else:
        kind = OTHERS.get(ending) or (
            mimetypes.guess_type(name, strict=False)[0] or ("application/octet-stream" if ending else "text/plain")
        )
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
