-- One state of an entity (an asset, a licence) from a moment on. Key: (org_id, entity_type, entity_id, valid_from).
create table if not exists raw.entities (
    org_id          varchar   not null,
    entity_type     varchar   not null,
    entity_id       varchar   not null,
    valid_from      timestamp not null,   -- UTC
    properties      json,                 -- its attributes
    _content_hash   varchar   not null,
    _load_id        varchar   not null,
    _loaded_at      timestamp not null
);
