{# P(X <= count) for X ~ Poisson(expected): the sum of e^-m m^i / i! for i = 0..count, in logarithms. `expected` > 0. #}
{% macro poisson_at_most(count, expected) -%}
    {{ return(adapter.dispatch("poisson_at_most", "tributary")(count, expected)) }}
{%- endmacro %}

{% macro default__poisson_at_most(count, expected) -%}
    least(1.0, list_sum(list_transform(
        range(0, cast({{ count }} as bigint) + 1),
        lambda i : exp(i * ln({{ expected }}) - {{ expected }} - lgamma(i + 1))
    )))
{%- endmacro %}

{# Spark has no lgamma: each term follows from the one before, ln t_i = ln t_(i-1) + ln m - ln i. #}
{% macro spark__poisson_at_most(count, expected) -%}
    aggregate(
        case when {{ count }} >= 1 then sequence(cast(1 as bigint), cast({{ count }} as bigint)) else array() end,
        named_struct('log_term', cast(-{{ expected }} as double), 'total', exp(-{{ expected }})),
        (state, i) -> named_struct(
            'log_term', state.log_term + ln({{ expected }}) - ln(i),
            'total', state.total + exp(state.log_term + ln({{ expected }}) - ln(i))
        ),
        state -> least(cast(1 as double), state.total)
    )
{%- endmacro %}
