"""dbt's events, without those of level debug.

In: an event of dbt. Out: a line of dbt's log file and calls of the listeners, for events of level info and above.

dbt turns every event into a message before a logger can reject its level, and nine of ten events are of level debug.
"""

from __future__ import annotations

from typing import Any

from dbt_common.events.base_types import BaseEvent, DebugLevel, EventLevel
from dbt_common.events.event_manager import EventManager
from dbt_common.events.event_manager_client import ctx_set_event_manager

VALUES = "values"  # the attribute of an event that has not become a message


class EventsWithoutDebug(EventManager):
    """dbt's event manager, which ignores events that no log file or listener of this program wants."""

    def fire_event(
        self,
        e: BaseEvent,
        level: EventLevel | None = None,
        node: Any = None,
        force_warn_or_error_handling: bool = False,
    ) -> None:
        """Hand an event to the loggers and listeners, unless its level is debug."""
        if (level or e.level_tag()) in (EventLevel.DEBUG, EventLevel.TEST):
            return
        if VALUES in vars(e):
            BaseEvent.__init__(e, **vars(e).pop(VALUES))
        super().fire_event(e, level, node, force_warn_or_error_handling)


def leave_out_debug_events() -> None:
    """Ignore dbt's events of level debug from now on, in this process, and turn none into a message."""
    DebugLevel.__init__ = _keep_values  # type: ignore[assignment, method-assign]
    ctx_set_event_manager(EventsWithoutDebug())


def _keep_values(event: DebugLevel, *_: Any, **values: Any) -> None:
    vars(event)[VALUES] = values  # for somebody who raises its level
