"""The spend of an account's day: the platform's reported total if there is one, otherwise the sum of the children.

In: rows of spend. Out: SQL. The dbt model int_spend_residuals applies the same rule to every measure.
"""

from __future__ import annotations


def account_totals(rows: str, *day: str) -> str:
    """Return SQL for the spend of each day of an account, in micros: `children_micros` and `reported_micros`.

    rows: a relation with the columns level, campaign_id, adset_id, ad_id, spend_micros and those of `day`, which
    together identify a day of one account in one currency. `children_micros` adds up the campaigns, and
    `reported_micros` is null where the platform reports no total for the account.
    """
    key = ", ".join(day)
    rows = f"({_leveled(rows, key)})"
    adsets = f"""
        select {key}, campaign_id, adset_id, {_total("level = 'adset'")} as spend_micros
        from {rows} where level is null or level = 'adset' group by all
    """
    campaigns = f"""
        select {key}, campaign_id, {_total("is_reported")} as spend_micros
        from (
            select {key}, campaign_id, spend_micros, false as is_reported from ({adsets})
            union all
            select {key}, campaign_id, spend_micros, true as is_reported from {rows} where level = 'campaign'
        )
        group by all
    """
    return f"""
        select {key}, coalesce(sum(spend_micros) filter (not is_reported), 0) as children_micros,
            sum(spend_micros) filter (is_reported) as reported_micros
        from (
            select {key}, spend_micros, false as is_reported from ({campaigns})
            union all
            select {key}, spend_micros, true as is_reported from {rows} where level = 'account'
        )
        group by all
    """


def _leveled(rows: str, key: str) -> str:
    """Return SQL of the rows, in which a campaign or ad set without a level is a total if the day has finer rows."""
    finer = {"campaign": "coalesce(adset_id, ad_id) is not null", "adset": "level is null and ad_id is not null"}
    has_finer = {
        level: f"bool_or({is_finer}) over (partition by {key}, {ids})"
        for (level, is_finer), ids in zip(finer.items(), ("campaign_id", "campaign_id, adset_id"), strict=True)
    }
    reported = f"bool_or(level in ('campaign', 'adset')) over (partition by {key}, campaign_id, adset_id, ad_id)"
    return f"""
        select * replace (case
            when level is not null or ad_id is not null or coalesce({reported}, false) then level
            when adset_id is null and {has_finer["campaign"]} then 'campaign'
            when adset_id is not null and {has_finer["adset"]} then 'adset'
        end as level) from {rows}
    """


def _total(is_reported: str) -> str:
    return f"coalesce(sum(spend_micros) filter ({is_reported}), sum(spend_micros))"
