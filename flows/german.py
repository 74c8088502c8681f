"""Numbers, dates and the order of names as German readers expect them."""

from __future__ import annotations

from datetime import date

MONTHS = (
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
)

# The usual transcription into letters without marks.
TRANSCRIBED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def number(value: float) -> str:
    """A number with a point between thousands and a decimal comma: 10.419, 0,5."""
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.10g}"
    return text.replace(",", " ").replace(".", ",").replace(" ", ".")


def day(value: date | str) -> str:
    """A date as precise as it is known: 31.12.2018, Dezember 2019, 2017 (from ISO text of 10, 7 or 4 characters)."""
    text = value.isoformat() if isinstance(value, date) else value
    if len(text) == 4:
        return text
    if len(text) == 7:
        return f"{MONTHS[int(text[5:]) - 1]} {text[:4]}"
    return f"{text[8:]}.{text[5:7]}.{text[:4]}"


def order(text: str) -> tuple[str, str]:
    """Sorting of DIN 5007: umlauts beside their vowels, ß as ss."""
    folded = text.casefold().translate(str.maketrans("äöü", "aou"))
    return folded, text


def size(count: int) -> str:
    """Bytes in decimal units: 860 Byte, 12 kB, 1,3 MB."""
    if count < 1000:
        return f"{count} Byte"
    amount, unit = (count / 1000, "kB") if count < 999_500 else (count / 1_000_000, "MB")
    return f"{number(round(amount, 1) if amount < 10 else round(amount))} {unit}"
