"""Line charts over days for Dagster's UI.

In: points by line. Out: SVG inside Markdown, so short that the UI shows it without a click. Importing a plotting
library would take longer than most models.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from statistics import fmean

import dagster as dg

INLINE = 1000  # characters of Markdown from which on the UI shows a link instead
MOST_POINTS = 60  # of a line
WIDTH, HEIGHT, TOP = 400, 100, 16  # units of the drawing; the UI shows it PIXELS wide
PIXELS = 340  # of the column for values on a laptop
COLOURS = ("#06c", "#e70", "#292", "#c22", "#85b", "#854")

Points = Sequence[tuple[date, float]]


def line_chart(lines: Mapping[str, Points]) -> dg.MarkdownMetadataValue:
    """Return an image with a line for each entry, its legend, the highest value, the first and the last day.

    A point is the mean of the days that fall on it. There are as many points as an inline image has room for.
    """
    for count in range(MOST_POINTS, 1, -1):
        image = base64.b64encode(svg(lines, count).encode()).decode()
        markdown = f"![{', '.join(lines)}](data:image/svg+xml;base64,{image})"
        if len(markdown) < INLINE:
            break
    return dg.MetadataValue.md(markdown)


def svg(lines: Mapping[str, Points], count: int) -> str:
    """Return the drawing with `count` points a line."""
    days = [day for points in lines.values() for day, _ in points]
    first, last = min(days), max(days)
    count = min(count, (last - first).days + 1)
    means = {name: mean_values(points, first, last, count) for name, points in lines.items()}
    values = [value for points in means.values() for _, value in points]
    top, bottom = max(*values, 0.0) or 1.0, min(*values, 0.0)
    step = WIDTH // max(count - 1, 1)
    parts = [
        text(0, f"{top:,.0f}", 10),
        text(0, first, HEIGHT + 11),
        text(WIDTH, last, HEIGHT + 11, 'text-anchor="end"'),
    ]
    for number, (name, points) in enumerate(means.items()):
        colour = COLOURS[number % len(COLOURS)]
        path, previous = "", None
        for place, value in points:
            x, y = place * step, TOP + round((HEIGHT - TOP) * (top - value) / (top - bottom))
            path += f"{x - previous[0]}{y - previous[1]:+d} " if previous else f"M{x} {y}l"
            previous = x, y
        parts.append(f'<path d="{path.strip()}" stroke="{colour}" fill="none"/>')
        parts.append(text(80 + 50 * number, name, 10, f'fill="{colour}"'))
    box = f'viewBox="0 0 {WIDTH} {HEIGHT + 14}" width="{PIXELS}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-size="10">{"".join(parts)}</svg>'


def mean_values(points: Points, first: date, last: date, count: int) -> list[tuple[int, float]]:
    """Return the mean of the values on each of `count` equal parts of the days, by the part's number."""
    values: dict[int, list[float]] = {}
    for day, value in points:
        values.setdefault((day - first).days * count // ((last - first).days + 1), []).append(value)
    return [(place, fmean(found)) for place, found in sorted(values.items())]


def text(x: int, content: object, y: int, options: str = "") -> str:
    """Return a text element."""
    return f'<text x="{x}" y="{y}" {options}>{escape(str(content))}</text>'
