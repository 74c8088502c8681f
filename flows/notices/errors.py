"""Why a notice did not arrive."""

from __future__ import annotations


class Undelivered(Exception):
    """A notice did not arrive; the reason (German) names no secret: no password, no address that holds a token."""
