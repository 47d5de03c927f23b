"""Generate docs/marts.md from the marts' yml files, and update quoted files and the table of layouts in all documents.

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

HEADER = """\
# The marts

```sh
tributary query "show tables"
tributary query "from campaign_daily where org_id = 'northwind' order by date desc, spend desc limit 5"
```

## Open these first

| question | mart |
| --- | --- |
| What did a campaign, a platform or a channel cost and earn? | [campaign_daily](#campaign_daily), [platform_daily](#platform_daily), [channel_daily](#channel_daily) |
| Which campaigns waste money, and what to do? | [waste_flags](#waste_flags) |
| Which touches led to a conversion? | [conversion_paths](#conversion_paths), [attribution_candidates](#attribution_candidates) |
| How do attribution models, grains or accounting modes differ? | [daily_rollups](#daily_rollups) |
| What is doubtful in the input? | [input_checks](#input_checks) |

The `_daily` marts have one row for each day and campaign, platform or channel, so you can sum them. Money is in units
of the column `currency`. Credit is under the org's `attribution_model` (in `tributary.yaml`; the default is linear), in
its lookback window, by the day of the conversion. Each row belongs to one org, and each org has one currency: name an
org, or group by `currency`.

```sh
tributary query "
  select campaign, sum(spend) as spend, sum(conversion_value) as value,
         sum(conversion_value) / sum(spend) as roas, sum(spend) / sum(conversions) as cpa,
         sum(spend) / sum(first_conversions) as cac
  from campaign_daily
  where org_id = 'northwind' and date between '2026-08-01' and '2026-08-31'
  group by campaign having sum(spend) > 0 order by roas desc limit 10"
```

Divide sums to get a ratio of several rows, as above. An average of daily ratios is wrong.

| ratio | definition | null without |
| --- | --- | --- |
| ROAS, return on ad spend | `conversion_value` / `spend` | spend |
| CPA, cost per conversion | `spend` / `conversions` | spend or conversions |
| CAC, customer acquisition cost | `spend` / `first_conversions`: conversions that are a person's first one | spend or first conversions |
| CTR, click-through rate | `clicks` / `impressions` | impressions |
| CPC, cost per click | `spend` / `clicks` | spend or clicks |

These rows have no campaign. They make each day sum to the org's totals:

| `platform` | `campaign_id` | `campaign` | content |
| --- | --- | --- | --- |
| `google`, ... | `(unmatched)` | `(no campaign matches)` | spend or credit of a platform for which no campaign is known |
| `(unmatched)` | `(unmatched)` | `(no campaign matches)` | credit of a paid touch that names no platform |
| `(organic)` | `(unmatched)` | `(not an ad)` | credit of channels that no platform is paid for, such as Email or Direct |
| `(unattributed)` | `(unattributed)` | `(no touch before the conversion)` | conversions without a touch in the lookback window |

## Compare models with daily_rollups

`daily_rollups` has the same figures for every attribution model, accounting mode and grain, in micros. A sum over all
of its rows counts each unit of spend many times, so always name one `grain`, one `attribution_model` and one
`accounting_mode`:

```sh
tributary query "
  select attribution_model, platform, sum(conversions) as conversions,
         sum(conversion_value_micros) / sum(spend_micros) as roas
  from daily_rollups
  where org_id = 'northwind' and grain = 'PLATFORM' and accounting_mode = 'cash'
  group by all having sum(spend_micros) > 0 order by platform, attribution_model"
```

## All marts

The marts are in the schema `main` of `published/marts.duckdb` and of each org's file, and in the schema `marts` of the
warehouse. Columns that end in `_micros` are millionths of the org's reporting currency, timestamps are UTC, and `date`
is the org's reporting day. The table `meta` has one row: the version, the time of publishing, the number of loaded
rows, the rows of each table and the passed checks of each promise.

<!-- Generated from dbt_project/models/marts/*/*.yml. Change those, then run: python docs/generate.py -->
"""


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
    """Return the reference as Markdown."""
    parts = [HEADER, *(f"- [{mart.name}](#{mart.name}): {mart.grain}" for mart in marts)]
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
