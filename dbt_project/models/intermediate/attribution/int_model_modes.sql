with

final as (
    {{ model_modes() }}
)

select * from final
