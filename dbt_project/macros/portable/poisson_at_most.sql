{# P(X <= count) for X ~ Poisson(expected), summed in logarithms: sum of e^-m m^i / i! for i = 0..count. `expected` > 0. #}
{% macro poisson_at_most(count, expected) -%}
    {{ return(adapter.dispatch("poisson_at_most", "tributary")(count, expected)) }}
{%- endmacro %}

{% macro default__poisson_at_most(count, expected) -%}
    least(1.0, list_sum(list_transform(
        range(0, cast({{ count }} as bigint) + 1),
        lambda i : exp(i * ln({{ expected }}) - {{ expected }} - lgamma(i + 1))
    )))
{%- endmacro %}
