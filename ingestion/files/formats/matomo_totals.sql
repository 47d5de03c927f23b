-- Matomo: a report of totals.
-- source: https://developer.matomo.org/api-reference/reporting-api
-- kind: events
-- required: visits = nb_visits | Visits | Besuche | Visites | Visitas | Visite | Bezoeken
-- required: actions = nb_actions | Actions | Aktionen | Acciones | Ações | Azioni | Acties
-- required: bounces = bounce_count | Bounces | bounce_rate | Bounce Rate | Absprungrate | Taux de rebond | Porcentaje de rebote | nb_actions_per_visit | Actions per Visit | max_actions | Maximum actions in one visit | sum_visit_length | Total time spent by visitors (in seconds)
-- refuse: It has no events. Export the visits instead: Visits Log, Export, JSON.
select _row from source
