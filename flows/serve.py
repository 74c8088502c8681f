"""Show releases on this machine: a static file server on loopback that answers range requests (PMTiles need them)."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from flows.errors import WrongUsage
from flows.media_types import content_type
from flows.store import INDEX
from flows.targets.local import LATEST, LATEST_DOCUMENT

HOST = "127.0.0.1"
RELEASES = "releases"
# What a target publishes. A workspace also holds what nobody outside may see: inputs, held releases, reports.
PUBLIC = (RELEASES, INDEX, LATEST, LATEST_DOCUMENT)


def listen(port: int) -> socket.socket:
    """A socket on loopback (port 0: a free one) that takes calls at once; raises ``WrongUsage`` when it is taken."""
    # Named as TCP, because asyncio switches Nagle's algorithm off for such sockets only: every file would wait 40 ms.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise WrongUsage(f"Port {port} ist nicht frei ({error.strerror}). Bitte mit --port einen anderen.") from None
    return listener


def is_public(root: Path, path: str) -> bool:
    """Whether ``path`` (normalised, relative to ``root``) is published, there or by a profile in a folder below.

    Such a folder is known by its index of releases. Nothing whose name starts with a point is public.
    """
    parts = Path(path).parts
    place = next((number for number, part in enumerate(parts) if part in PUBLIC), None)
    if place is None or any(part.startswith(".") for part in parts):
        return False
    try:
        return not place or root.joinpath(*parts[:place], INDEX).is_file()
    except OSError:
        # A name too long for the file system names nothing.
        return False


class Published(StaticFiles):
    """The published files below a folder, under the media types that every other target gives them."""

    def __init__(self, root: Path) -> None:
        super().__init__(directory=root, html=True, follow_symlink=True)
        self.root = root

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path == ".":
            return RedirectResponse(f"{LATEST}/")
        if not is_public(self.root, path):
            raise HTTPException(status_code=404)
        return await super().get_response(path, scope)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["content-type"] = content_type(str(full_path))
        return response


def server(folder: Path) -> uvicorn.Server:
    """A server of what is published in ``folder``. Links such as ``latest`` are followed, nothing outside is
    reachable.
    """
    application = Starlette(routes=[Mount("/", Published(folder))])
    return uvicorn.Server(uvicorn.Config(application, log_level="warning", lifespan="off"))


def serve(folder: Path, listener: socket.socket) -> None:
    """Serve ``folder`` until interrupted."""
    server(folder).run(sockets=[listener])
