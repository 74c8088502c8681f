"""The text of a PDF as Typst writes it, read through the character tables of its fonts.

Objects stand in the file one by one, streams are deflated, and each font says which characters its glyphs are.
"""

from __future__ import annotations

import re
import zlib

OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
PAGE = re.compile(rb"/Type/Page\b")
NAMED = re.compile(rb"/([a-z]+\d+) (\d+) 0 R")
# A change of font, a string of glyphs, or a picture.
OPERATION = re.compile(rb"/(f\d+) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\)|/(x\d+) Do", re.DOTALL)
# What stands around a piece of content for screen readers.
PROPERTIES = re.compile(rb"<<.*?>>", re.DOTALL)
ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
CONTROL = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
MAPPED = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]+)>")

Objects = dict[int, bytes]


def _stream(entry: bytes) -> bytes:
    body = entry[entry.index(b"stream\n") + 7 : entry.rindex(b"\nendstream")]
    return zlib.decompress(body) if b"/FlateDecode" in entry[: entry.index(b"stream\n")] else body


def _named(objects: Objects, entry: bytes, kind: bytes) -> dict[bytes, int]:
    """Fonts or pictures of a page or picture by the name under which its content uses them."""
    if found := re.search(rb"/Resources (\d+) 0 R", entry):
        entry = objects[int(found[1])]
    found = re.search(rb"/" + kind + rb"\s*<<(.*?)>>", entry, re.DOTALL)
    return {name: int(number) for name, number in NAMED.findall(found[1])} if found else {}


def _letters(objects: Objects, font: int) -> dict[int, str]:
    found = re.search(rb"/ToUnicode (\d+)", objects[font])
    assert found, "a font without letters cannot be read aloud"
    table = MAPPED.findall(_stream(objects[int(found[1])]))
    return {int(glyph, 16): bytes.fromhex(letters.decode()).decode("utf-16-be") for glyph, letters in table}


def _unescaped(text: bytes) -> bytes:
    def one(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes([int(code, 8)]) if code.isdigit() else CONTROL.get(code, code)

    return ESCAPE.sub(one, text)


def _text(objects: Objects, entry: bytes, content: bytes) -> str:
    fonts = {name: _letters(objects, number) for name, number in _named(objects, entry, b"Font").items()}
    pictures = _named(objects, entry, b"XObject")
    letters: dict[int, str] = {}
    text = ""
    for font, glyphs, picture in OPERATION.findall(PROPERTIES.sub(b"", content)):
        if font:
            letters = fonts[font]
            text += "\n"
        elif picture:
            inner = objects[pictures[picture]]
            text += f"\n{_text(objects, inner, _stream(inner))}" if b"/Subtype/Form" in inner else ""
        else:
            codes = _unescaped(glyphs)
            text += "".join(
                letters.get(int.from_bytes(codes[at : at + 2], "big"), "") for at in range(0, len(codes), 2)
            )
    return text


def pdf_pages(content: bytes) -> list[str]:
    """The text of each page in drawing order; a line may end at every change of font."""
    objects = {int(number): entry for number, entry in OBJECT.findall(content)}
    pages = [entry for _, entry in sorted(objects.items()) if PAGE.search(entry)]
    texts = []
    for entry in pages:
        found = re.search(rb"/Contents (\d+)", entry)
        assert found
        texts.append(_text(objects, entry, _stream(objects[int(found[1])])))
    return texts


def flowing(text: str) -> str:
    """A text without its line ends and hyphens, to look for sentences in."""
    return re.sub(r"\s+", "", text.replace("\u00ad", "").replace("-", "").replace("\u2010", ""))
