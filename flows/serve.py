"""Show releases on this machine: a static file server on loopback that answers range requests (PMTiles need them)."""

from __future__ import annotations

from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

HOST = "127.0.0.1"


def serve(folder: Path, port: int) -> None:
    """Serve ``folder`` until interrupted. Links such as ``latest`` are followed, nothing outside is reachable."""
    files = StaticFiles(directory=folder, html=True, follow_symlink=True)
    uvicorn.run(Starlette(routes=[Mount("/", files)]), host=HOST, port=port, log_level="warning")
