"""Events of level debug reach neither dbt's log file nor a listener; all others do."""

from __future__ import annotations

from dbt.adapters.events.types import SQLQuery
from dbt_common.events.base_types import EventLevel, EventMsg
from dbt_common.events.types import Note

from orchestration.dbt_events import EventsWithoutDebug


def test_only_debug_events_are_ignored():
    received: list[EventMsg] = []
    events = EventsWithoutDebug()
    events.add_callback(received.append)
    events.fire_event(SQLQuery(conn_name="c", sql="select 1"))
    events.fire_event(Note(msg="lowered"), level=EventLevel.DEBUG)
    events.fire_event(Note(msg="as it is"))
    events.fire_event(SQLQuery(conn_name="c", sql="select 2"), level=EventLevel.WARN)
    assert [event.info.level for event in received] == ["info", "warn"]
