{# amount * numerator / denominator, rounded half away from zero in whole-number arithmetic: no float ever touches money. #}
{% macro rounded_share(amount, numerator, denominator) -%}
    {{ return(adapter.dispatch("rounded_share", "tributary")(amount, numerator, denominator)) }}
{%- endmacro %}

{% macro default__rounded_share(amount, numerator, denominator) -%}
    cast(
        sign({{ amount }})
        * ((2 * abs({{ amount }})::hugeint * {{ numerator }} + {{ denominator }}) // (2::hugeint * {{ denominator }}))
        as bigint
    )
{%- endmacro %}
