{# A JSON object of (name, expression) pairs, in that order. #}
{% macro json_record(pairs) -%}
    {{ return(adapter.dispatch("json_record", "tributary")(pairs)) }}
{%- endmacro %}

{% macro default__json_record(pairs) -%}
    json_object(
        {%- for name, expression in pairs %}
        '{{ name }}', {{ expression }}{{ "," if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{% macro spark__json_record(pairs) -%}
    to_json(named_struct(
        {%- for name, expression in pairs %}
        '{{ name }}', {{ expression }}{{ "," if not loop.last }}
        {%- endfor %}
    ), map('ignoreNullFields', 'false'))
{%- endmacro %}

{# A member of a JSON object as text; null where it has none. #}
{% macro json_text(object, name) -%}
    {{ return(adapter.dispatch("json_text", "tributary")(object, name)) }}
{%- endmacro %}

{% macro default__json_text(object, name) -%} ({{ object }} ->> '$.{{ name }}') {%- endmacro %}

{% macro spark__json_text(object, name) -%} get_json_object({{ object }}, '$.{{ name }}') {%- endmacro %}

{# A JSON array of the JSON values of a group, in the given order. #}
{% macro json_array_of(value, order_by) -%}
    {{ return(adapter.dispatch("json_array_of", "tributary")(value, order_by)) }}
{%- endmacro %}

{% macro default__json_array_of(value, order_by) -%}
    to_json(list({{ value }} order by {{ order_by }}))
{%- endmacro %}

{% macro spark__json_array_of(value, order_by) -%}
    '[' || listagg({{ value }}, ',') within group (order by {{ order_by }}) || ']'
{%- endmacro %}

{# Whether a JSON object has all members of another one, compared as text. #}
{% macro has_members(object, wanted) -%}
    {{ return(adapter.dispatch("has_members", "tributary")(object, wanted)) }}
{%- endmacro %}

{% macro default__has_members(object, wanted) -%}
    coalesce(
        list_bool_and(list_transform(
            json_keys({{ wanted }}), lambda name: ({{ object }} ->> name) is not distinct from ({{ wanted }} ->> name)
        )),
        false
    )
{%- endmacro %}

{% macro spark__has_members(object, wanted) -%}
    forall(
        map_entries(from_json({{ wanted }}, 'map<string,string>')),
        entry -> from_json({{ object }}, 'map<string,string>')[entry.key] <=> entry.value
    )
{%- endmacro %}
