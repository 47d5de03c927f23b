"""Events of level debug reach neither dbt's log file nor a listener; all others do."""

from __future__ import annotations

from dbt.adapters.events.types import SQLQuery
from dbt_common.events.base_types import EventLevel, EventMsg
from dbt_common.events.event_manager_client import get_event_manager
from dbt_common.events.types import Note

from orchestration.dbt_events import leave_out_debug_events


def test_only_debug_events_are_ignored():
    received: list[EventMsg] = []
    leave_out_debug_events()
    events = get_event_manager()
    events.add_callback(received.append)
    events.fire_event(SQLQuery(conn_name="c", sql="select 1"))
    events.fire_event(Note(msg="lowered"), level=EventLevel.DEBUG)
    events.fire_event(Note(msg="as it is"))
    events.fire_event(SQLQuery(conn_name="c", sql="select 2"), level=EventLevel.WARN)
    assert [(event.info.level, event.info.name) for event in received] == [("info", "Note"), ("warn", "SQLQuery")]
    assert received[-1].data.sql == "select 2"
