"""What a person is told before a source is asked over the network, because that can take minutes."""

from __future__ import annotations

import math
from datetime import date

from flows.contracts import load_contract
from flows.german import number
from flows.profile import Profile
from flows.sources.http import is_address
from flows.sources.kinds import KINDS, check_fetches, fetches_of, limits_of, places_of
from flows.sources.snapshots import product_of, sources_folder
from flows.store import Store


def awaited(profile: Profile, store: Store, day: date) -> list[str]:
    """A German line on each source that is about to be asked over the network, and how long that may take at most.

    Raises like ``fetch_all`` for a ``[fetch.…]`` that cannot be meant.
    """
    check_fetches(profile)
    lines = []
    for one in fetches_of(profile, day):
        kind, places = KINDS[one.kind], places_of(one, day)
        kept = kind.packaged and product_of(sources_folder(store.workspace) / one.name, places[0].address)
        if kept or not (kind.packaged or is_address(places[0].address)):
            continue
        titles = ", ".join(load_contract("input", dataset).title for dataset in kind.datasets(one.options))
        minutes = math.ceil(limits_of(one).seconds * len(places) / 60)
        most = "1 Minute" if minutes == 1 else f"{number(minutes)} Minuten"
        lines.append(f"Quelle „{one.name}“ ({titles}) wird abgerufen; das kann bis zu {most} dauern.")
    return lines
