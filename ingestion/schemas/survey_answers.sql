-- One answer to one question of a survey, such as "how did you hear about us". Key: (org_id, answer_id).
create table if not exists raw.survey_answers (
    org_id          varchar   not null,
    answer_id       varchar   not null,   -- derived from the content where the source has none
    occurred_at     timestamp not null,   -- UTC
    question        varchar   not null,
    answer          varchar   not null,
    site_id         varchar,
    visitor_id      varchar,
    customer_id     varchar,
    order_id        varchar,
    properties      json,
    _content_hash   varchar   not null,
    _load_id        varchar   not null,
    _loaded_at      timestamp not null
);
