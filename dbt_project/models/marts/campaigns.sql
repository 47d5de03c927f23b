with

campaigns as (
    select * from {{ ref('int_campaigns') }}
)

select * from campaigns
