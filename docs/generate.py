"""Generate the reference in docs/marts.md from the marts' yml files. Update quoted files and the table of layouts.

In: dbt_project/models/marts/*/*.yml, ingestion/files/formats/*.sql, and the files behind `<!-- quoted: path -->`.
Out: Markdown in docs/.
Run `python docs/generate.py` after a change. tests/docs/test_docs.py fails if a document is out of date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from ingestion.files.layouts import all_layouts

ROOT = Path(__file__).resolve().parents[1]
MARTS = ROOT / "dbt_project" / "models" / "marts"
REFERENCE = ROOT / "docs" / "marts.md"
QUOTE = re.compile(r"(<!-- quoted: (\S+) -->\n+```\w+\n).*?(?<=\n)(```\n)", re.DOTALL)
LAYOUTS = re.compile(r"(<!-- layouts -->\n).*?(<!-- end of layouts -->\n)", re.DOTALL)

# These marts come first: what most readers need, then the order of the data flow. The others follow by name.
FIRST = (
    "campaign_daily",
    "platform_daily",
    "channel_daily",
    "touchpoints",
    "conversions",
    "attribution_links",
    "daily_rollups",
    "channel_summary",
    "waste_flags",
    "conversion_paths",
)

MARK = "<!-- Generated from dbt_project/models/marts/*/*.yml. Change those, then run: python docs/generate.py -->\n"


@dataclass(frozen=True)
class Column:
    name: str
    data_type: str
    description: str

    @property
    def meaning(self) -> str:
        """Return the description as a cell of a Markdown table."""
        return self.description.replace("|", "\\|")


@dataclass(frozen=True)
class Mart:
    name: str
    description: str
    columns: tuple[Column, ...]

    @property
    def grain(self) -> str:
        """Return the description's first sentence."""
        return re.split(r"(?<=[.])\s", self.description, maxsplit=1)[0]


def read_marts(folder: Path = MARTS) -> list[Mart]:
    """Return the marts that the yml files of `folder` describe, in the order of the reference."""
    marts = [
        Mart(
            name=model["name"],
            description=one_line(model.get("description")),
            columns=tuple(
                Column(column["name"], column.get("data_type") or "", one_line(column.get("description")))
                for column in model.get("columns", [])
            ),
        )
        for path in sorted(folder.glob("*/*.yml"))
        for model in YAML(typ="safe").load(path).get("models", [])
    ]
    order = {name: place for place, name in enumerate(FIRST)}
    return sorted(marts, key=lambda mart: (order.get(mart.name, len(order)), mart.name))


def one_line(text: str | None) -> str:
    """Return a text without line breaks and repeated spaces."""
    return " ".join((text or "").split())


def rendered(marts: list[Mart]) -> str:
    """Return the reference as Markdown: the text above the mark as it is, and the marts."""
    introduction, mark, _ = REFERENCE.read_text().partition(MARK)
    parts = [f"{introduction}{mark}", *(f"- [{mart.name}](#{mart.name}): {mart.grain}" for mart in marts)]
    for mart in marts:
        rest = mart.description.removeprefix(mart.grain).strip()
        parts += ["", f"## {mart.name}", "", f"**{mart.grain}**", *([rest] if rest else []), ""]
        parts += ["| column | type | meaning |", "| --- | --- | --- |"]
        parts += [f"| `{column.name}` | {column.data_type} | {column.meaning} |" for column in mart.columns]
    return "\n".join(parts) + "\n"


def with_quotes(text: str) -> str:
    """Return a document with the current content of each quoted file in its code block, and with the layouts."""
    text = QUOTE.sub(lambda found: f"{found[1]}{(ROOT / found[2]).read_text()}{found[3]}", text)
    return LAYOUTS.sub(lambda found: f"{found[1]}\n{layout_table()}\n{found[2]}", text)


def layout_table() -> str:
    """Return the layouts that load rows as a Markdown table, by vendor."""
    layouts = sorted(
        (layout for layout in all_layouts().values() if not layout.refuse), key=lambda layout: layout.title.lower()
    )
    table = [["vendor", "layout", "kind", "what it is", "where to get it"], ["---"] * 5]
    for layout in layouts:
        cells = [layout.title, f"`{layout.name}`", ", ".join(layout.kinds), layout.summary, layout.export]
        table.append([cell.replace("|", "\\|") for cell in cells])
    return "".join(f"| {' | '.join(row)} |\n" for row in table)


if __name__ == "__main__":
    REFERENCE.write_text(rendered(read_marts()))
    print(f"wrote {REFERENCE.relative_to(ROOT)}")
    for path in sorted((ROOT / "docs").glob("**/*.md")):
        if (text := path.read_text()) != (current := with_quotes(text)):
            path.write_text(current)
            print(f"wrote {path.relative_to(ROOT)}")
