"""Identify a row by its content.

In: the SQL of a row's columns. Out: SQL of the hash of its content, and of the parts that the hash reads in one form.
"""

from __future__ import annotations

from collections.abc import Mapping

from ingestion.files.contracts import Contract
from ingestion.sql import literal


def typed_content_hash(contract: Contract) -> str:
    """Return SQL of the hash of a row's content over typed columns, such as those of `typed_rows_sql`."""
    org = ["org_id"] if "org_id" in contract.key else []
    return content_hash({name: name for name in (*org, *(c.stored for c in contract.columns), "properties")}, contract)


def content_hash(values: Mapping[str, str], contract: Contract) -> str:
    """Return SQL of the hash of a row's content, given the SQL of its columns in order.

    The hash covers a JSON list, so that no two contents look alike. An absent column hashes like an empty one. An empty
    column that a later version added leaves no trace, so that rows which an earlier version loaded keep their hash.
    """
    first = ", ".join(f"({sql})::varchar" for name, sql in values.items() if name not in contract.added)
    added = "".join(f", {literal(f',{name}:')} || to_json({values[name]})::varchar" for name in contract.added)
    return f"md5(concat(to_json([{first}])::varchar{added}))"


def placeholders_sql(arrived: Mapping[str, str]) -> str:
    """Return SQL of the ids that arrived as placeholders, as a JSON object, or of null. arrived: column -> its text."""
    found = {name: f"({text} is not null and {name} is null)" for name, text in arrived.items()}
    members = ", ".join(f"{literal(name)}, if({is_found}, {arrived[name]}, null)" for name, is_found in found.items())
    has_any = " or ".join(found.values()) or "false"
    return f"case when {has_any} then json_merge_patch('{{}}', json_object({members}))::json end"


def sorted_members(*objects: str) -> str:
    """Return SQL that merges JSON objects and sorts their members by name, so that equal contents have equal hashes.

    Of repeated names the first value counts. Every object is read once, whatever its number of members.
    """
    # The inner functions must not use `o`: DuckDB would copy the whole object for each member.
    numbered = "list_zip(json_keys(o), range(len(json_keys(o))), json_extract(o, '$.*'))"
    with_previous = "list_zip(members, list_prepend(null, members)[:-2])"
    first = f"list_filter({with_previous}, lambda m: m[1][1] is distinct from m[2][1])"
    texts = f"list_transform({first}, lambda m: to_json(m[1][1]) || ':' || m[1][3])"
    return f"""(list_transform([json_merge_patch('{{}}', {", ".join(objects)})], lambda o: if(o is null, null,
        (list_transform([list_sort({numbered})], lambda members:
            '{{' || array_to_string({texts}, ',') || '}}'))[1]))[1])"""
