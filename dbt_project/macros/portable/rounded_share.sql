{# amount * numerator / denominator, rounded half away from zero in whole-number arithmetic. Money never passes through a float. #}
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

{% macro spark__rounded_share(amount, numerator, denominator) -%}
    cast(
        case when {{ amount }} < 0 then -1 else 1 end
        * (
            (2 * abs(cast({{ amount }} as decimal(38, 0))) * {{ numerator }} + {{ denominator }})
            div (2 * cast({{ denominator }} as decimal(38, 0)))
        )
        as bigint
    )
{%- endmacro %}
