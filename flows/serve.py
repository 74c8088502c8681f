"""Show releases on this machine: a static file server on loopback that answers range requests (PMTiles need them)."""

from __future__ import annotations

import socket
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from flows.errors import WrongUsage

HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """A socket on loopback (port 0: a free one) that takes calls at once; raises ``WrongUsage`` when it is taken."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise WrongUsage(f"Port {port} ist nicht frei ({error.strerror}). Bitte mit --port einen anderen.") from None
    return listener


def serve(folder: Path, listener: socket.socket) -> None:
    """Serve ``folder`` until interrupted. Links such as ``latest`` are followed, nothing outside is reachable."""
    files = StaticFiles(directory=folder, html=True, follow_symlink=True)
    config = uvicorn.Config(Starlette(routes=[Mount("/", files)]), log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])
