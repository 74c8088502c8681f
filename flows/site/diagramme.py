"""Charts: bars as SVG, drawn for wide and for narrow screens, and as a picture that stands alone for the report.

Whatever a chart shows stands in the table of its figure, too; a chart has no numbers of its own.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from flows.site.environment import environment, host, web_address

FONT = 14
LINE = 18
BAR = 20
GAP = 10
# Mean width of a letter as a share of the font's size, on the safe side in any sans-serif font; bold figures are wider.
LETTER_WIDTH = 0.62
BOLD_WIDTH = 0.7
# Widths in CSS pixels: a column of text, and a phone.
WIDE, NARROW = 640, 328
# A label beside its bar takes at most this share of the width; in narrow charts it stands above.
LABEL_SHARE = 0.42
# Nobody listens to more bars than this.
MOST_SPOKEN = 12
# Fonts of the program that sets the report; pages use their own.
REPORT_FONT = "Libertinus Serif"

# How a segment of a bar looks, a class "d-…" in diagramm.css. Each kind differs from the others in more than its
# colour: full, outlined, hatched.
FULL, PALE, OPEN = "voll", "hell", "offen"


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar: its length in the chart's unit and its look."""

    value: float
    kind: str = FULL


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar with its label before and its value behind it, as text."""

    label: str
    segments: tuple[Segment, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Horizontal bars from a common base line.

    ``full`` is the value that fills the width; ``legend`` explains kinds of segments where there are several;
    ``line`` is a value with its label at which a line crosses all bars.
    """

    bars: tuple[Bar, ...]
    full: float
    legend: tuple[tuple[str, str], ...] = ()
    line: tuple[float, str] | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A table cell that leads elsewhere: ``text`` is shown; ``about`` says more to those who cannot see the row."""

    text: str
    url: str
    about: str


Cell = str | Link


def source_link(url: str, about: str) -> Cell:
    """A source as a link that shows its host; an address that may not become a link, as text."""
    address = web_address(url)
    return Link(host(address), address, about) if address else url


@dataclass(frozen=True, slots=True)
class Figure:
    """What pages and report show alike: a chart (or none) with its table and what a reader must know of it.

    ``lead`` stands before the chart, ``notes`` after the table. ``right`` are the numbers of the columns with figures.
    ``mark`` is the mark of invented answers.
    """

    key: str
    title: str
    lead: tuple[str, ...]
    chart: Chart | None
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    right: tuple[int, ...] = (1,)
    mark: str = ""

    @property
    def drawn(self) -> bool:
        """Whether there is anything to draw; a chart without bars would be an empty box."""
        return self.chart is not None and bool(self.chart.bars)

    @property
    def spoken(self) -> str:
        """The chart in words; of many bars only that the table holds them."""
        bars = self.chart.bars if self.chart else ()
        said = "; ".join(f"{bar.label}: {bar.text}" for bar in bars)
        if len(bars) > MOST_SPOKEN:
            said = f"{len(bars)} Balken; die Werte stehen in der Tabelle."
        return f"{f'{self.mark}. ' if self.mark else ''}Balkendiagramm: {self.title}. {said}"

    @property
    def pictures(self) -> list[tuple[str, Markup]]:
        """The chart for wide and for narrow screens, each with its CSS class."""
        return [("breit", picture(self, WIDE)), ("schmal", picture(self, NARROW))]


def width_of(text: str) -> float:
    """About how wide a text is, in CSS pixels."""
    return len(text) * FONT * LETTER_WIDTH


def _room(chart: Chart) -> float:
    """What the values behind the bars need."""
    return max((len(bar.text) for bar in chart.bars), default=0) * FONT * BOLD_WIDTH


def _wrapped(text: str, width: float) -> list[str]:
    """The lines of a text in a column of ``width``; only a word that is wider than the column is broken."""
    return textwrap.wrap(text, max(1, int(width / (FONT * LETTER_WIDTH)))) or [""]


def _segments(bar: Bar, left: float, scale: float) -> Iterator[dict[str, Any]]:
    for segment in bar.segments:
        if segment.value > 0:
            yield {"x": round(left, 1), "width": round(segment.value * scale, 1), "kind": segment.kind}
            left += segment.value * scale


def _legend(chart: Chart, width: float) -> tuple[list[dict[str, Any]], float]:
    """The entries of the legend, wrapped into lines of ``width``, and the height that they take."""
    entries: list[dict[str, Any]] = []
    x, y = 0.0, 0.0
    for kind, text in chart.legend:
        lines = _wrapped(text, width - LINE - 6)
        needed = LINE + 6 + max(width_of(line) for line in lines)
        if x and x + needed > width:
            x, y = 0.0, y + LINE + 6
        entries.append({"x": round(x, 1), "y": round(y, 1), "kind": kind, "lines": lines})
        if len(lines) > 1:
            x, y = 0.0, y + len(lines) * LINE + 6
        else:
            x += needed + 16
    return entries, (y + LINE + 14 if x else y + 8) if entries else 0.0


def layout(chart: Chart, width: int) -> dict[str, Any]:
    """Where everything lies in a picture of ``width`` CSS pixels: legend, line, rows, and the height of the whole."""
    beside = width >= WIDE
    widest = max((width_of(bar.label) for bar in chart.bars), default=0) + 2
    label_width = min(widest, width * LABEL_SHARE) if beside else width
    left = label_width + GAP if beside else 1
    scale = (width - left - GAP - _room(chart)) / (chart.full or 1)
    legend, top = _legend(chart, width)
    line = None
    if chart.line:
        value, text = chart.line
        line = {"x": round(left + value * scale, 1), "top": top + LINE, "text": text, "y": top + FONT - 2}
        top += LINE + 6
    rows, y = [], top
    for bar in chart.bars:
        lines = _wrapped(bar.label, label_width)
        text_height = len(lines) * LINE
        height = max(text_height, BAR) if beside else text_height + BAR
        middle = y + height / 2 if beside else y + text_height + BAR / 2
        end = left + sum(segment.value for segment in bar.segments) * scale
        first = middle - text_height / 2 if beside else y - 2
        rows.append(
            {
                "lines": [(round(first + number * LINE + FONT, 1), part) for number, part in enumerate(lines)],
                "top": round(middle - BAR / 2, 1),
                "segments": list(_segments(bar, left, scale)),
                "text": bar.text,
                "text_x": round(end + 6, 1),
                "text_y": round(middle + FONT * 0.35, 1),
            }
        )
        y += height + (GAP - 2 if beside else GAP)
    return {
        "legend": legend,
        "line": line,
        "rows": rows,
        "left": left,
        "label_x": label_width if beside else 0,
        "anchor": "end" if beside else "start",
        "top": top,
        "bottom": y,
        "height": y + 2,
    }


def picture(figure: Figure, width: int, style: str = "") -> Markup:
    """The chart of a figure as SVG; with ``style`` (from ``plain_style``) it stands alone, outside of a page."""
    if figure.chart is None:
        raise ValueError(figure.key)
    mark_lines = _wrapped(figure.mark, width) if figure.mark else []
    drawn = layout(figure.chart, width)
    text = (
        environment()
        .get_template("site/diagramm.svg.j2")
        .render(
            figure=figure,
            width=width,
            style=Markup(style),
            font=REPORT_FONT,
            bar=BAR,
            text_height=LINE,
            hatching=f"schraffur-{figure.key}-{width}",
            marks=[(round(drawn["height"] + number * LINE + FONT, 1), line) for number, line in enumerate(mark_lines)],
            full_height=round(drawn["height"] + len(mark_lines) * LINE + (4 if mark_lines else 0), 1),
            **drawn,
        )
    )
    return Markup(text)
