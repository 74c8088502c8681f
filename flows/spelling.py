"""Near misses: which of the known words a misspelt one was meant to be."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping

CLOSE = 0.75
# Umlauts that typists write out; ``casefold`` writes out ß.
WRITTEN_OUT = (("ae", "a"), ("oe", "o"), ("ue", "u"))
# What the register adds to a name and people leave out: "Jena, Stadt", "Erfurt, Landeshauptstadt".
ADDITION = re.compile(r",[^,]*stadt$")


def plain(text: str) -> str:
    """A text as it is compared: small letters without umlauts, blanks and signs, and without "…, Stadt"."""
    small = ADDITION.sub("", text.casefold().strip())
    letters = "".join(c for c in unicodedata.normalize("NFKD", small) if not unicodedata.combining(c))
    for sign, written in WRITTEN_OUT:
        letters = letters.replace(sign, written)
    return re.sub(r"[^a-z0-9]+", "", letters)


def nearest(value: str, words: Mapping[str, str], most: int = 1, cutoff: float = CLOSE) -> list[str]:
    """The entries of ``words`` (what is meant, by ``plain`` spelling) that ``value`` comes near, nearest first."""
    found = difflib.get_close_matches(plain(value), words, n=most, cutoff=cutoff)
    return list(dict.fromkeys(words[word] for word in found))
