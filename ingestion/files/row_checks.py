"""What a row must be: the checks of its columns and of what must fit together, as SQL. In: a Scope. Out: checks_of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingestion.files.contracts import Column
from ingestion.sql import literal

if TYPE_CHECKING:
    from ingestion.files.parse import Scope

LOCAL = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?$"
_EARLIEST, _LATEST = "'1970-01-01'::timestamp", "'2199-12-31 23:59:59'::timestamp"  # beyond: a defect, infinity
BAD_PROPERTIES = (
    "case when json_valid(t_properties) then json_type(t_properties) <> 'OBJECT' else t_properties is not null end"
)
_EXPECTED = {
    "event": "a known type such as PAGE_VIEW, CONVERSION or CUSTOM",
    "status": "pending, approved or rejected",
    "instant": "an ISO 8601 time such as 2026-07-01T09:30:00Z, from 1970 to 2199",
    "date": "an ISO 8601 day such as 2026-07-01, from 1970 to 2199",
    "money": "a plain decimal below 1e12 such as 1234.56, without separators or symbols",
    "currency": "an ISO 4217 code such as USD",
    "count": "a whole number from 0, below 1e12",
    "number": "a number below 1e12",
    "rate": "a decimal above 0 such as 1.0842",
    "level": "account, campaign, adset or ad",
    "basis": "period or conversion",
}
# Further checks of a whole row, by table: what is read together must fit together.
_OF_TABLE = {
    "raw.ad_spend": (
        (
            "bad_level",
            "coalesce(level = 'account' and coalesce(campaign_id, adset_id, ad_id) is not null, false)",
            "'the total of an account has no campaign_id, adset_id or ad_id'",
        ),
        (
            "bad_level",
            "coalesce(level = 'campaign' and coalesce(adset_id, ad_id) is not null, false)",
            "'the total of a campaign has no adset_id or ad_id'",
        ),
        (
            "bad_level",
            "coalesce(level = 'adset' and (adset_id is null or ad_id is not null), false)",
            "'the total of an ad set has an adset_id and no ad_id'",
        ),
    ),
    "raw.fees": (
        (
            "bad_period",
            "coalesce(ends_on < starts_on, false)",
            "'ends_on ' || ends_on || ' is before starts_on ' || starts_on",
        ),
    ),
    "raw.exchange_rates": (("bad_rate", "coalesce(base = quote, false)", "'base and quote are the same currency'"),),
}


def checks_of(scope: Scope) -> list[tuple[str, str, str]]:
    """(reason code, SQL over `parsed` that is true, never null, for a row that breaks it, SQL of the sentence)."""
    checks = []
    for column in scope.contract.columns:
        if column.name not in scope.texts:
            continue
        text, value = f"t_{column.name}", column.stored
        shown = f"if(length({text}) > 60, left({text}, 60) || '...', {text})"
        if column.required:
            checks.append(_missing(column))
        bad = f"({text} is not null and {value} is null)"
        if column.type in ("instant", "date"):
            bad = f"({text} is not null and ({value} is null or {value} not between {_EARLIEST} and {_LATEST}))"
        if column.type == "instant" and not scope.timezone:
            local = f"({text} is not null and regexp_matches({text}, '{LOCAL}'))"
            sentence = (
                f"'{column.name} ' || {shown} || ' has no time zone: write Z or an offset, or import with --timezone'"
            )
            checks.append(("missing_timezone", local, sentence))
            bad = f"({bad} and not {local})"
        if column.type == "level":
            bad = f"({bad} and lower({text}) <> 'ad')"
        if column.type not in ("text", "name", "platform"):
            code = {"instant": "bad_timestamp", "event": "bad_type"}.get(column.type, f"bad_{column.type}")
            checks.append((code, bad, f"'{column.name} ' || {shown} || {literal(f' is not {_EXPECTED[column.type]}')}"))
    one_of = [name for name in scope.contract.one_of if name in scope.texts]
    if one_of:
        empty = " and ".join(f"t_{name} is null" for name in one_of)
        sentence = literal(f"{', '.join(scope.contract.one_of)} are all empty: one of them is required")
        checks.append(("missing_person", f"({empty})", sentence))
    if scope.properties:
        checks.append(("bad_properties", f"({BAD_PROPERTIES})", "'properties is not a JSON object'"))
    checks += _OF_TABLE.get(scope.contract.table, ())
    if "org_id" in scope.contract.key and scope.org:
        sentence = f"'tributary.yaml declares it for org ' || declared_org || {literal(f', not {scope.org}')}"
        checks.append(("org_mismatch", f"coalesce(declared_org <> {literal(scope.org)}, false)", sentence))
    if "org_id" in scope.contract.key and not (scope.org or scope.has_default_org):
        sentence = (
            "'no org: tributary.yaml declares neither this site or ad account nor an org default; import with --org'"
        )
        checks.append(("unknown_org", "(declared_org is null and row_org is null)", sentence))
    return checks


def _missing(column: Column) -> tuple[str, str, str]:
    missing, sentence = f"t_{column.name} is null", f"{column.name} is empty and required"
    if column.unless:
        other, value = column.unless
        missing += f" and {other} is distinct from {literal(value)}"
        sentence += f" unless {other} is {value}"
    return "missing_value", f"({missing})", literal(sentence)
