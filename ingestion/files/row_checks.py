"""The rules of a contract, as SQL that is true for the rows that break them.

In: a ReadPlan (ingestion/files/column_mapping.py). Out: its checks, each with a reason and a sentence.
"""

from __future__ import annotations

from typing import NamedTuple

from ingestion.files.column_mapping import ReadPlan
from ingestion.files.contracts import Column
from ingestion.files.id_spellings import is_rounded_sql
from ingestion.files.refund_statements import REFUND_AMOUNTS
from ingestion.files.row_values import EARLIEST, LATEST, LOCAL, SPELLINGS, column_values
from ingestion.sql import literal

_SITE_CONDITION = "declared_orgs.site_id = t_site_id"
_EXPECTED = {
    "event": "a known type such as PAGE_VIEW, CONVERSION or CUSTOM",
    "status": "pending, approved or rejected",
    "instant": "an ISO 8601 time such as 2026-07-01T09:30:00Z, from 1970 to 2199, or one in the form of its column",
    "date": "an ISO 8601 day such as 2026-07-01, from 1970 to 2199, or one in the form of its column",
    "money": "a decimal below 1e12 such as 1234.56, with the decimal mark of its column",
    "currency": "an ISO 4217 code such as USD",
    "count": "a whole number from 0, below 1e12; 3.000 alone is ambiguous",
    "number": "a number below 1e12",
    "rate": "a decimal above 0 such as 1.0842",
    "level": "account, campaign, adset or ad",
    "basis": "period or conversion",
}
BAD_PROPERTIES = (
    "case when json_valid(t_properties) then json_type(t_properties) <> 'OBJECT' else t_properties is not null end"
)


class Check(NamedTuple):
    """One rule of a contract, as SQL over `parsed`, the CTE that has the texts (t_<column>) beside the values."""

    reason: str  # a code
    is_broken: str  # true, never null, for a row that breaks the rule
    sentence: str
    value: str | None = None  # the part of the sentence that is a value of the row

    @property
    def rule(self) -> str:
        """The sentence without a value of the row, for messages that must have none."""
        return self.sentence.replace(self.value, "'…'") if self.value else self.sentence


# Rules between the columns of one row, by table.
_TABLE_CHECKS = {
    "raw.ad_spend": (
        Check(
            "bad_level",
            "coalesce(level = 'account' and coalesce(campaign_id, adset_id, ad_id) is not null, false)",
            "'the total of an account has no campaign_id, adset_id or ad_id'",
        ),
        Check(
            "bad_level",
            "coalesce(level = 'campaign' and coalesce(adset_id, ad_id) is not null, false)",
            "'the total of a campaign has no adset_id or ad_id'",
        ),
        Check(
            "bad_level",
            "coalesce(level = 'adset' and (adset_id is null or ad_id is not null), false)",
            "'the total of an ad set has an adset_id and no ad_id'",
        ),
    ),
    "raw.fees": (
        Check(
            "bad_period",
            "coalesce(ends_on < starts_on, false)",
            "'ends_on ' || ends_on || ' is before starts_on ' || starts_on",
        ),
    ),
    "raw.exchange_rates": (
        Check("bad_rate", "coalesce(base = quote, false)", "'base and quote are the same currency'"),
    ),
}


# First, so that a row of a period has this reason whatever else is wrong: no replay can spread it.
_PERIOD = Check(
    "period_row",
    "coalesce(_ends_on > date, false)",
    "'the row covers ' || date || ' to ' || _ends_on || ': export one row a day, or import the file with --spread'",
    "date || ' to ' || _ends_on",
)
_LONGEST_PERIOD = 366  # days


def checks_of(plan: ReadPlan) -> list[Check]:
    """Return the rules of the plan's columns, those between columns, and those of orgs and sites."""
    contract = plan.contract
    checks: list[Check] = []
    if plan.row_rejection:
        checks.append(Check("unexpected_value", "(row_rejection is not null)", "row_rejection"))
    if plan.period and not plan.is_spread:
        checks.append(_PERIOD)
    for column in contract.columns:
        if column.name in plan.texts:
            checks += _column_checks(column, plan)
    if plan.period:
        checks += _period_checks(plan)
    one_of = [name for name in contract.one_of if name in plan.texts]
    if one_of:
        empty = " and ".join(f"t_{name} is null" for name in one_of)
        sentence = literal(f"{', '.join(contract.one_of)} are all empty: one of them is required")
        checks.append(Check("missing_person", f"({empty})", sentence))
    if plan.properties:
        checks.append(Check("bad_properties", f"({BAD_PROPERTIES})", "'properties is not a JSON object'"))
    checks += _TABLE_CHECKS.get(contract.table, ())
    if plan.is_partial_refund:
        amounts = [f"{name}_micros is null" for name in REFUND_AMOUNTS if name in plan.texts]
        value = " and ".join(amounts) or "true"
        sentence = "'the refund is partial, but has no amount: map the column of the refunded amount to value'"
        checks.append(Check("missing_value", f"(is_partial_refund and {value})", sentence))
    if "org_id" in contract.key and plan.org:
        sentence = f"'tributary.yaml declares it for org ' || declared_org || {literal(f', not {plan.org}')}"
        is_other = f"coalesce(declared_org <> {literal(plan.org)}, false)"
        checks.append(Check("org_mismatch", is_other, sentence))
    if "org_id" in contract.key and not (plan.org or plan.has_default_org):
        sentence = (
            "'no org: tributary.yaml declares neither this site or ad account nor an org default; import with --org'"
        )
        checks.append(Check("unknown_org", "(declared_org is null and row_org is null)", sentence))
    if plan.rejects_unknown_sites and declared_condition(plan) == _SITE_CONDITION:
        sentence = "'tributary.yaml has no site ' || t_site_id"
        checks.append(Check("unknown_site", "(t_site_id is not null and declared_org is null)", sentence))
    return checks


def _period_checks(plan: ReadPlan) -> list[Check]:
    return [
        Check(
            "bad_period",
            "coalesce(_ends_on < date, false)",
            "'the period ends on ' || _ends_on || ', before its first day ' || date",
            "_ends_on || ', before its first day ' || date",
        ),
        Check(
            "bad_period",
            f"coalesce(_ends_on - date >= {_LONGEST_PERIOD}, false)",
            f"'the period ' || date || ' to ' || _ends_on || ' has more than {_LONGEST_PERIOD} days'",
            "date || ' to ' || _ends_on",
        ),
        Check(
            "bad_date",
            "(t_end_date is not null and _ends_on is null)",
            f"'the end of the period ' || t_end_date || {literal(' is not ' + _EXPECTED['date'])}",
            "t_end_date",
        ),
        Check(
            "future_date",
            f"coalesce(_ends_on > date and _ends_on > {literal(plan.latest_day)}::date, false)",
            f"'the end of the period ' || _ends_on || {literal(_after_load(plan))}",
            "_ends_on",
        ),
    ]


def _after_load(plan: ReadPlan) -> str:
    return f" is after {plan.latest_day}, the day after this load: correct the date"


def _column_checks(column: Column, plan: ReadPlan) -> list[Check]:
    checks = []
    text, value = f"t_{column.name}", column.stored
    shown = f"if(length({text}) > 60, left({text}, 60) || '...', {text})"
    if column.required:
        checks.append(_missing(column))
    bad = f"({text} is not null and {value} is null)"
    if column.type in ("instant", "date"):
        bad = f"({text} is not null and ({value} is null or {value} not between {EARLIEST} and {LATEST}))"
    if column.type == "instant" and not plan.timezone:
        local = f"({text} is not null and row_timezone is null and regexp_matches({text}, '{LOCAL}'))"
        sentence = (
            f"'{column.name} ' || {shown} || ' has no time zone: write Z or an offset, or import with --timezone'"
        )
        checks.append(Check("missing_timezone", local, sentence, shown))
        bad = f"({bad} and not {local})"
    if column.is_id and column.required and not column.may_be_placeholder:
        sentence = f"'{column.name} ' || {shown} || ' is a placeholder: correct the source that sends no real id'"
        checks.append(Check("placeholder_id", f"({bad}{_unless(column)})", sentence, shown))
    if column.type in ("instant", "date") and not column.may_be_future:
        is_future = f"coalesce({value} >= {literal(plan.latest_day)}::date + 1 and {value} <= {LATEST}, false)"
        sentence = f"'{column.name} ' || {shown} || {literal(_after_load(plan))}"
        reason = "future_timestamp" if column.type == "instant" else "future_date"
        checks.append(Check(reason, is_future, sentence, shown))
    if column.is_id:
        sentence = (
            f"'{column.name} ' || {shown} || ' is rounded: a spreadsheet rounded this id. Export the file again."
            " Format the column as text before the spreadsheet reads it'"
        )
        checks.append(Check("rounded_id", f"coalesce({is_rounded_sql(text)}, false)", sentence, shown))
    if column.type == "level":
        bad = f"({bad} and lower({text}) <> 'ad')"
    if column.type not in ("text", "name", "address", "platform", *SPELLINGS):
        reason = {"instant": "bad_timestamp", "event": "unknown_type"}.get(column.type, f"bad_{column.type}")
        sentence = f"'{column.name} ' || {shown} || {literal(f' is not {_EXPECTED[column.type]}')}"
        checks.append(Check(reason, bad, sentence, shown))
    return checks


def _missing(column: Column) -> Check:
    sentence = f"{column.name} is empty and required"
    if column.unless:
        sentence += f" unless {column.unless[0]} is {' or '.join(column.unless[1])}"
    return Check("missing_value", f"(t_{column.name} is null{_unless(column)})", literal(sentence))


def _unless(column: Column) -> str:
    """Return SQL that excludes the rows in which a required column may be absent."""
    if not column.unless:
        return ""
    other, values = column.unless
    return f" and coalesce({other} not in ({', '.join(map(literal, values))}), true)"


def declared_condition(plan: ReadPlan) -> str | None:
    """Return the join condition to the org that tributary.yaml declares for a row's site or ad account."""
    if plan.contract.table in ("raw.ad_spend", "raw.fees"):
        values = dict(column_values(plan))
        return f"declared_orgs.platform = {values['platform']} and declared_orgs.account_id = {values['account_id']}"
    return _SITE_CONDITION if "site_id" in plan.texts else None
