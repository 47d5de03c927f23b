{%- set group = ['org_id', 'platform', 'grain', 'window_days', 'attribution_model', 'market', 'kind'] -%}
{%- set ids = ['campaign_id', 'adset_id', 'ad_id'] -%}
with

flags as (
    select * from {{ ref('int_waste_rated') }}
),

kinds as (
    select * from {{ ref('int_campaign_kinds') }}
),

candidates as (
    select
        candidates.*,
        candidates.spend_micros / candidates.conversions as cpa_micros,
        candidates.value_micros / cast(candidates.spend_micros as double) as roas,
        kinds.market,
        kinds.kind,
        kinds.has_room
    from {{ ref('int_waste_candidates') }} as candidates
    inner join kinds using (org_id, platform, campaign_id)
    where candidates.conversions > 0
),

comparable as (
    select
        {{ group | join(',\n        ') }},
        count(*) as comparable_count,
        median(cpa_micros) as comparable_median_cpa_micros,
        median(roas) as comparable_median_roas
    from candidates
    group by {{ group | join(', ') }}
),

-- More money goes only to an entity that meets its targets with enough conversions to be sure.
targets as (
    select candidates.*
    from candidates
    left join flags
        on candidates.org_id = flags.org_id
        and candidates.grain = flags.grain
        and candidates.platform = flags.platform
        and candidates.attribution_model = flags.attribution_model
        {%- for id in ids %}
        and candidates.{{ id }} is not distinct from flags.{{ id }}
        {%- endfor %}
    where flags.org_id is null
        and candidates.has_room
        and candidates.conversions >= {{ var('waste_target_min_conversions') }}
        and candidates.cpa_micros <= candidates.target_cpa_micros
        and candidates.roas >= coalesce(candidates.target_roas, 0)
),

with_action as (
    select
        flags.*,
        kinds.market,
        kinds.kind,
        case
            when flags.grain = 'AD' then 'ad'
            when kinds.channel = 'Affiliates' then 'partner'
            else 'budget'
        end as lever,
        case
            when flags.severity = 'low' then 'check'
            when flags.reason = 'no_conversions' then 'pause'
            when flags.severity = 'medium' then 'improve'
            when flags.grain = 'AD' or flags.waste_spend_micros >= {{ var('waste_pause_share') }} * flags.spend_micros then 'pause'
            else 'cut'
        end as action
    from flags
    left join kinds using (org_id, platform, campaign_id)
),

with_freed as (
    select
        *,
        case action
            when 'pause' then daily_spend_micros
            when 'cut' then daily_spend_micros * waste_spend_micros / cast(spend_micros as double)
        end as freed_daily_micros
    from with_action
),

-- An ad has no budget: its ad set spends the money on its other ads. An entity has room for as much as it spends already.
moves as (
    select
        with_freed.org_id,
        with_freed.grain,
        with_freed.platform,
        with_freed.attribution_model,
        {%- for id in ids %}
        with_freed.{{ id }},
        targets.{{ id }} as move_to_{{ id }},
        {%- endfor %}
        targets.cpa_micros as move_to_cpa_micros,
        targets.roas as move_to_roas,
        row_number() over (
            partition by
                with_freed.org_id, with_freed.grain, with_freed.platform, with_freed.attribution_model,
                with_freed.campaign_id, with_freed.adset_id, with_freed.ad_id
            order by
                case when with_freed.reason = 'low_roas' then -targets.roas else targets.cpa_micros end,
                targets.campaign_id,
                targets.adset_id
        ) as rank
    from with_freed
    inner join targets using ({{ group | join(', ') }})
    where with_freed.grain <> 'AD'
        and with_freed.freed_daily_micros <= targets.daily_spend_micros
),

final as (
    select
        with_freed.*,
        coalesce(comparable.comparable_count, 0) as comparable_count,
        comparable.comparable_median_cpa_micros,
        comparable.comparable_median_roas,
        {%- for id in ids %}
        moves.move_to_{{ id }},
        {%- endfor %}
        moves.move_to_cpa_micros,
        moves.move_to_roas
    from with_freed
    left join comparable using ({{ group | join(', ') }})
    left join moves
        on moves.rank = 1
        and with_freed.org_id = moves.org_id
        and with_freed.grain = moves.grain
        and with_freed.platform = moves.platform
        and with_freed.attribution_model = moves.attribution_model
        {%- for id in ids %}
        and with_freed.{{ id }} is not distinct from moves.{{ id }}
        {%- endfor %}
)

select * from final
