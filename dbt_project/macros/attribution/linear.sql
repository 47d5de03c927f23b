{# The same credit to every touch. #}
{% macro linear_weight() %} 1 {% endmacro %}
