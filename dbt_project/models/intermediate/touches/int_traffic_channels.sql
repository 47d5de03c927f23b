with

classes as (
    select * from {{ ref('int_distinct_touches') }}
),

sources as (
    select * from {{ ref('int_sources') }}
),

rules as (
    select * from {{ ref('channel_rules') }}
),

traffic as (
    select distinct
        traffic_source,
        traffic_medium,
        traffic_campaign,
    from classes
),

{# A pattern meets each distinct value once: a regular expression that comes from a table is compiled at each use. -#}
{%- for clue in ['source', 'medium', 'campaign'] -%}
{{ clue }}_matches as (
    select
        traffic.traffic_{{ clue }},
        patterns.{{ clue }}_pattern,
    from (select distinct traffic_{{ clue }} from traffic) as traffic
    cross join (select distinct {{ clue }}_pattern from rules where {{ clue }}_pattern is not null) as patterns
    where {{ regex_matches('traffic.traffic_' ~ clue, 'patterns.' ~ clue ~ '_pattern') }}
),

{% endfor -%}
matched as (
    select
        traffic.traffic_source,
        traffic.traffic_medium,
        traffic.traffic_campaign,
        rules.priority,
        rules.channel,
    from traffic
    left join sources on traffic.traffic_source = sources.source
    inner join rules on rules.source_category is null or rules.source_category = sources.category
    {%- for clue in ['source', 'medium', 'campaign'] %}
    left join {{ clue }}_matches
        on traffic.traffic_{{ clue }} = {{ clue }}_matches.traffic_{{ clue }}
        and rules.{{ clue }}_pattern = {{ clue }}_matches.{{ clue }}_pattern
    {%- endfor %}
    where (rules.source_pattern is null or source_matches.source_pattern is not null)
        and (rules.medium_pattern is null or medium_matches.medium_pattern is not null)
        and (rules.campaign_pattern is null or campaign_matches.campaign_pattern is not null)
),

first_matches as (
    select
        traffic_source,
        traffic_medium,
        traffic_campaign,
        min_by(channel, priority) as channel,
    from matched
    group by traffic_source, traffic_medium, traffic_campaign
),

final as (
    select
        traffic.traffic_source,
        traffic.traffic_medium,
        traffic.traffic_campaign,
        coalesce(first_matches.channel, 'Unassigned') as channel,
    from traffic
    left join first_matches using (traffic_source, traffic_medium, traffic_campaign)
)

select * from final
