"""Pictures of a release for programs that know neither media queries nor custom properties: light and plain."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flows.paths import ASSETS
from flows.run import Run
from flows.site.assets import FOLDER

CHART_STYLE = "diagramm.css"
MAP = "karte.svg"
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
VARIABLE = re.compile(r"var\((--[a-z0-9_-]+)\)")
Rules = list[tuple[str, dict[str, str]]]


def chart_style() -> str:
    """The light colours and rules of charts for a picture that stands alone."""
    return plain_style((ASSETS / CHART_STYLE).read_text(encoding="utf-8"))


def plain_map(run: Run, extra: str = "") -> str:
    """The map of the release with its style sheet in the plain variant, followed by the rules ``extra``."""
    svg = (run.package / FOLDER / MAP).read_text(encoding="utf-8")
    start, opening, rest = svg.partition("<style>")
    css, closing, end = rest.partition("</style>")
    return f"{start}{opening}{plain_style(css)}\n{extra}{closing}{end}"


def plain_style(css: str) -> str:
    """A style sheet for programs that know neither media queries nor custom properties: its light, plain variant.

    Properties of ``:root`` are put in where they are used. One that a class sets (``.status-aktiv``) holds for the
    element itself and all within it; a rule that uses it is repeated for every such class, at each place in its
    selector where the class can stand.
    """
    rules = _rules(COMMENT.sub("", css))
    everywhere: dict[str, str] = {}
    by_class: dict[str, dict[str, str]] = {}
    for selector, declarations in rules:
        for name, value in declarations.items():
            if name.startswith("--"):
                target = everywhere if selector == ":root" else by_class.setdefault(name, {})
                target[name if selector == ":root" else selector] = value
    lines = []
    for selector, declarations in rules:
        plain = {name: value for name, value in declarations.items() if not name.startswith("--")}
        scoped = {name for value in plain.values() for name in VARIABLE.findall(value) if name in by_class}
        if not scoped:
            lines.append(_rule(selector, plain, everywhere))
            continue
        for owner in sorted({owner for name in scoped for owner in by_class[name]}):
            own = everywhere | {name: by_class[name][owner] for name in scoped if owner in by_class[name]}
            lines.append(_rule(_within(selector, owner), plain, own))
    return "\n".join(line for line in lines if line)


def _rules(css: str) -> Rules:
    """Selectors with their declarations; what stands in a block of its own (``@media``) is left out."""
    flat, depth, kept = "", 0, True
    for part in re.split(r"([{}])", css):
        if part == "{":
            depth += 1
        elif part == "}":
            depth -= 1
        elif depth == 0:
            kept = not part.strip().startswith("@")
        flat += part if kept else ""
    return [(selector.strip(), dict(_declarations(body))) for selector, body in RULE.findall(flat) if selector.strip()]


def _declarations(body: str) -> Iterator[tuple[str, str]]:
    for declaration in body.split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            yield name.strip(), value.strip()


def _rule(selector: str, declarations: dict[str, str], values: dict[str, str]) -> str:
    """One rule with every known property put in; declarations that use an unknown one are left out."""
    resolved = {}
    for name, value in declarations.items():
        while found := VARIABLE.search(value):
            if found[1] not in values:
                break
            value = value.replace(found[0], values[found[1]])
        else:
            resolved[name] = value
    body = "; ".join(f"{name}: {value}" for name, value in resolved.items())
    return f"{selector} {{ {body} }}" if body else ""


def _within(selector: str, owner: str) -> str:
    """The selector for elements that ``owner`` (a class) is or holds: before it, or on any of its parts."""
    variants: list[str] = []
    for one in selector.split(","):
        parts = one.split()
        variants.append(f"{owner} {one.strip()}")
        variants += [" ".join((*parts[:at], parts[at] + owner, *parts[at + 1 :])) for at in range(len(parts))]
    return ", ".join(variants)
