-- Ids that arrived as placeholders, such as {"user_id": "undefined"}. Their columns are null. The connection has the
-- function real_id (ingestion/placeholders.py).
alter table raw.events add column _placeholder_ids json;
alter table raw.interactions add column _placeholder_ids json;
alter table raw.conversions add column _placeholder_ids json;
alter table raw.postbacks add column _placeholder_ids json;
alter table raw.survey_answers add column _placeholder_ids json;

create temp macro placeholder_of(id) as case when id is not null and real_id(id) is null then id end;
update raw.events set
    _placeholder_ids = json_merge_patch('{}', json_object(
        'event_id', placeholder_of(event_id), 'anon_id', placeholder_of(anon_id),
        'session_id', placeholder_of(session_id), 'user_id', placeholder_of(user_id),
        'order_id', placeholder_of(order_id)
    )),
    event_id = coalesce(real_id(event_id), _content_hash),
    anon_id = real_id(anon_id),
    session_id = real_id(session_id),
    user_id = real_id(user_id),
    order_id = real_id(order_id)
where coalesce(
    placeholder_of(event_id), placeholder_of(anon_id), placeholder_of(session_id), placeholder_of(user_id),
    placeholder_of(order_id)
) is not null;
update raw.interactions set
    _placeholder_ids = json_merge_patch('{}', json_object(
        'interaction_id', placeholder_of(interaction_id), 'visitor_id', placeholder_of(visitor_id),
        'customer_id', placeholder_of(customer_id), 'campaign_id', placeholder_of(campaign_id),
        'adset_id', placeholder_of(adset_id), 'ad_id', placeholder_of(ad_id)
    )),
    interaction_id = coalesce(real_id(interaction_id), _content_hash),
    visitor_id = real_id(visitor_id),
    customer_id = real_id(customer_id),
    campaign_id = real_id(campaign_id),
    adset_id = real_id(adset_id),
    ad_id = real_id(ad_id)
where coalesce(
    placeholder_of(interaction_id), placeholder_of(visitor_id), placeholder_of(customer_id),
    placeholder_of(campaign_id), placeholder_of(adset_id), placeholder_of(ad_id)
) is not null;
update raw.conversions set
    _placeholder_ids = json_merge_patch('{}', json_object(
        'conversion_id', placeholder_of(conversion_id), 'visitor_id', placeholder_of(visitor_id),
        'customer_id', placeholder_of(customer_id), 'order_id', placeholder_of(order_id)
    )),
    conversion_id = coalesce(real_id(conversion_id), _content_hash),
    visitor_id = real_id(visitor_id),
    customer_id = real_id(customer_id),
    order_id = real_id(order_id)
where coalesce(
    placeholder_of(conversion_id), placeholder_of(visitor_id), placeholder_of(customer_id), placeholder_of(order_id)
) is not null;
update raw.postbacks set
    _placeholder_ids = json_merge_patch('{}', json_object(
        'click_id', placeholder_of(click_id), 'order_id', placeholder_of(order_id),
        'visitor_id', placeholder_of(visitor_id)
    )),
    click_id = real_id(click_id),
    order_id = real_id(order_id),
    visitor_id = real_id(visitor_id)
where coalesce(placeholder_of(click_id), placeholder_of(order_id), placeholder_of(visitor_id)) is not null;
update raw.survey_answers set
    _placeholder_ids = json_merge_patch('{}', json_object(
        'answer_id', placeholder_of(answer_id), 'visitor_id', placeholder_of(visitor_id),
        'customer_id', placeholder_of(customer_id), 'order_id', placeholder_of(order_id)
    )),
    answer_id = coalesce(real_id(answer_id), _content_hash),
    visitor_id = real_id(visitor_id),
    customer_id = real_id(customer_id),
    order_id = real_id(order_id)
where coalesce(
    placeholder_of(answer_id), placeholder_of(visitor_id), placeholder_of(customer_id), placeholder_of(order_id)
) is not null;
drop macro placeholder_of;

-- Ids that may join many visitors, by `shared_ids` of tributary.yaml.
create table raw.shared_ids (
    org_id varchar not null,
    id     varchar not null
);

-- The version of the rules by which the agent was parsed. The next run parses an agent of other rules again.
alter table raw.user_agents add column rules varchar;
