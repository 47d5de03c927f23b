"""Charts: Vega-Lite specifications with data and theme, sparklines and the Sankey diagram as SVG.

In: answers. Out: specifications for the browser, SVG texts. A channel, a platform and a model always have one colour.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from markupsafe import Markup, escape

from serving.answers import Answer

# Colours that differ in light and dark, and for most colour-blind readers.
PALETTE = (
    "#4472b8", "#d9772b", "#c8474c", "#5a9e96", "#4f9147", "#c79b1e", "#9a6596", "#e07a8b", "#8b6a53", "#7f7a78",
    "#6f9fd8", "#e5a368", "#7dbb74", "#b3587f", "#3f7d78", "#a48fd0",
)  # fmt: skip
CHANNELS = (
    "Paid Search", "Paid Social", "Paid Shopping", "Organic Search", "Email", "Display", "Affiliates", "Organic Social",
    "Referral", "Direct", "Paid Video", "SMS", "Organic Video", "Mobile Push", "Phone", "Audio",
)  # fmt: skip
FIXED = dict(zip(CHANNELS, PALETTE, strict=True)) | {
    "google": PALETTE[0], "meta": PALETTE[1], "tiktok": PALETTE[2], "microsoft": PALETTE[3], "linkedin": PALETTE[4],
    "(organic)": PALETTE[9], "(unattributed)": "#a8a29e", "(unmatched)": "#a8a29e", "(earlier touches)": "#a8a29e",
    "Other channels": "#a8a29e", "(conversion)": "#4f9147",
}  # fmt: skip
CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": "Inter",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)", "titleColor": "var(--muted)", "gridColor": "var(--line)",
        "domainColor": "var(--line)", "tickColor": "var(--line)", "labelFontSize": 12, "titleFontSize": 12,
        "titleFontWeight": "normal", "labelLimit": 140, "labelSeparation": 8,
    },
    "legend": {
        "labelColor": "var(--text)", "titleColor": "var(--muted)", "orient": "top", "labelFontSize": 12, "title": None,
        "columns": {"expr": "width < 450 ? 2 : 5"}, "symbolType": "circle",
    },
    "bar": {"color": "var(--accent)", "cornerRadiusEnd": 2},
    "line": {"color": "var(--accent)", "strokeWidth": 2},
    "text": {"color": "var(--text)"},
}  # fmt: skip


# Of an axis or a legend with the format ~s: 0, 500, 1.5k. The format alone gives all labels one prefix: 0k, 0.5k, 1.5k.
SHORT_LABELS = "abs(datum.value) < 1000 ? format(datum.value, '~r') : format(datum.value, '~s')"


def colour(name: str) -> str:
    """Return the colour of a channel, a platform or another name; the same in every chart."""
    return FIXED.get(name) or PALETTE[hashlib.sha256(name.encode()).digest()[0] % len(PALETTE)]


def specification(answer: Answer) -> dict[str, Any]:
    """Return the Vega-Lite specification of an answer with its data and theme."""
    chart = answer.question.chart or {}
    data = [
        {column.name: plotted(value, column.unit) for column, value in zip(answer.columns, row, strict=True)}
        for row in answer.rows
    ]
    chart = _with_height(chart, data)
    spec: dict[str, Any] = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": "container",
        "height": 260,
        "autosize": {"type": "fit-x", "contains": "padding"},
        **_with_theme(chart, data),
        "data": {"values": data},
        "config": CONFIG,
    }
    return spec


def _with_height(chart: Mapping[str, Any], data: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the chart with `height: {step: n}` as pixels, because Vega-Lite cannot fit the width beside a step."""
    step = chart["height"]["step"] if isinstance(chart.get("height"), Mapping) else None
    if step is None:
        return chart
    encoding = chart["encoding"]
    bands = len({row.get(encoding["y"]["field"]) for row in data})
    if any("fold" in each for each in chart.get("transform", ())):
        bands *= len(chart["transform"][0]["fold"])
    return {**chart, "height": max(bands, 1) * step}


def _with_theme(chart: Mapping[str, Any], data: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the chart with a fixed colour for each name, and with short labels of numbers."""
    copied = dict(chart)
    if "layer" in copied:
        copied["layer"] = [_with_theme(layer, data) for layer in copied["layer"]]
    encoding = dict(copied.get("encoding") or {})
    shade = encoding.get("color")
    if isinstance(shade, Mapping) and shade.get("field") and "scale" not in shade:
        names = sorted({str(row[shade["field"]]) for row in data if row.get(shade["field"]) is not None})
        encoding["color"] = {**shade, "scale": {"domain": names, "range": [colour(name) for name in names]}}
    for name, channel in encoding.items():
        for guide in ("axis", "legend"):
            settings = channel.get(guide) if isinstance(channel, Mapping) else None
            if settings and settings.get("format") == "~s":
                shared = {key: value for key, value in settings.items() if key != "format"}
                encoding[name] = {**channel, guide: {**shared, "labelExpr": SHORT_LABELS}}
    if encoding:
        copied["encoding"] = encoding
    return copied


def plotted(value: Any, unit: str) -> Any:
    """Return a value as a chart plots it: money in units of its currency."""
    if value is None or isinstance(value, str | bool):
        return value
    if unit == "money":
        return float(value) / 1e6
    if isinstance(value, date | datetime):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def sparkline(values: Sequence[float | None], width: int = 120, height: int = 28) -> Markup:
    """Return a line without axes. Missing values count as 0."""
    points = [float(value or 0) for value in values]
    if len(points) < 2:
        return Markup("")
    low, high = min(points), max(points)
    span = (high - low) or 1
    step = (width - 4) / (len(points) - 1)
    path = " ".join(
        f"{2 + index * step:.1f},{height - 3 - (point - low) / span * (height - 6):.1f}"
        for index, point in enumerate(points)
    )
    return Markup(
        f'<svg class="spark" viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
        f'<polyline points="{path}"/></svg>'
    )


def sankey(flows: Sequence[tuple[int, str, str, float]], width: int = 960, height: int = 420) -> Markup:
    """Return a Sankey diagram of flows: (step, from, to, amount), where `to` of a step is `from` of the next one."""
    if not flows:
        return Markup("")
    columns: dict[int, dict[str, list[float]]] = {}  # step -> name -> [in, out]
    for step, source, target, amount in flows:
        columns.setdefault(step, {}).setdefault(source, [0.0, 0.0])[1] += amount
        columns.setdefault(step + 1, {}).setdefault(target, [0.0, 0.0])[0] += amount
    gap, line, bar, last = 8, 15, 12, max(columns)
    tallest = max(sum(max(node) for node in nodes.values()) for nodes in columns.values())
    most = max(len(nodes) for nodes in columns.values())
    scale = (height - gap * (most - 1)) / tallest
    space = (width - bar - 150) / max(last - min(columns), 1)
    places: dict[tuple[int, str], list[float]] = {}  # x, top, used in, used out
    shapes: list[str] = []
    bottom = float(height)
    for step, nodes in sorted(columns.items()):
        top = 0.0
        for name, (arriving, leaving) in sorted(nodes.items(), key=lambda node: -max(node[1])):
            size = max(max(arriving, leaving) * scale, 1)
            x = (step - min(columns)) * space
            places[step, name] = [x, top, top, top]
            label = f"{escape(name)} {max(arriving, leaving):,.0f}"
            shapes.append(
                f'<rect x="{x:.1f}" y="{top:.1f}" width="{bar}" height="{size:.1f}" fill="{colour(name)}"/>'
                f'<text x="{x + bar + 5:.1f}" y="{top + min(size / 2, 30) + 4:.1f}">{label}</text>'
            )
            top += max(size + gap, line)  # labels of small bars do not overlap
            bottom = max(bottom, top - gap)
    bands: list[str] = []
    for step, source, target, amount in sorted(flows, key=lambda flow: (flow[0], -flow[3])):
        start, end, size = places[step, source], places[step + 1, target], amount * scale
        left, right = start[0] + bar, end[0]
        middle = (left + right) / 2
        y0, y1 = start[3] + size / 2, end[2] + size / 2
        start[3] += size
        end[2] += size
        bands.append(
            f'<path d="M{left:.1f},{y0:.1f} C{middle:.1f},{y0:.1f} {middle:.1f},{y1:.1f} {right:.1f},{y1:.1f}"'
            f' stroke="{colour(source)}" stroke-width="{max(size, 0.5):.1f}">'
            f"<title>{escape(source)} to {escape(target)}: {amount:,.0f}</title></path>"
        )
    return Markup(
        f'<svg class="sankey" viewBox="0 -4 {width} {bottom + 8:.0f}" role="img" aria-label="Flows between channels">'
        f'<g class="bands">{"".join(bands)}</g>{"".join(shapes)}</svg>'
    )
