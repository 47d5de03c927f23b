"""Line charts over days for Dagster's UI.

In: points by line. Out: SVG inside Markdown. Importing a plotting library would take longer than most models.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from html import escape

import dagster as dg

WIDTH, HEIGHT = 760, 210  # pixels
LEFT, RIGHT, TOP, BOTTOM = 70, 10, 30, 24  # margins
COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b")

Points = Sequence[tuple[date, float]]


def as_markdown(charts: Sequence[str], description: str) -> dg.MarkdownMetadataValue:
    """Return charts as images below each other."""
    images = (
        f"![{description}](data:image/svg+xml;base64,{base64.b64encode(chart.encode()).decode()})" for chart in charts
    )
    return dg.MetadataValue.md("\n\n".join(images))


def line_chart(title: str, lines: Mapping[str, Points]) -> str:
    """Return an SVG with a line for each entry, a legend, and the first, middle and last day on the axis."""
    days = [day for points in lines.values() for day, _ in points]
    values = [value for points in lines.values() for _, value in points]
    first, last = min(days), max(days)
    top = max(*values, 0.0) or 1.0
    bottom = min(*values, 0.0)

    def x(day: date) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ((day - first).days / ((last - first).days or 1))

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * ((value - bottom) / (top - bottom))

    middle = first + timedelta(days=(last - first).days // 2)
    parts = [text(4, 14, title, "start")]
    for value in sorted({bottom, 0.0, (top + bottom) / 2, top}):
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(text(LEFT - 6, y(value) + 4, f"{value:,.0f}", "end"))
    for day, anchor in {first: "start", middle: "middle", last: "end"}.items():
        parts.append(text(x(day), HEIGHT - 6, str(day), anchor))
    for number, (name, points) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{x(day):.1f},{y(value):.1f}" for day, value in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        parts.append(text(WIDTH - RIGHT - 110 * number, 14, name, "end", colour))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif"'
        f' font-size="11"><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>'
    )


def text(x: float, y: float, content: str, anchor: str, colour: str = "#333") -> str:
    """Return a text element."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(content)}</text>'
