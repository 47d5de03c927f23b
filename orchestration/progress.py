"""Progress of a run on the console.

In: Dagster's log records. Out: a line for each long step, model and message, with the seconds since the start.
"""

import logging
import sys
import time
from contextlib import suppress

import dagster as dg

from ingestion.text import printable

LONG_STEPS = {"models": "dbt: seeds, models and tests", "published": "checking the promises, publishing"}
# Messages of Dagster and dagster-dbt about themselves.
INTERNAL = ("A dbt subsetted", "Overriding default `DBT_INDIRECT_SELECTION`", "Dependencies for step")


class ProgressHandler(logging.Handler):
    """Print long steps and messages. The event log of the UI has everything else."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.started = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record if a person waits for it."""
        meta = getattr(record, "dagster_meta", {})
        event = meta.get("dagster_event")
        if event is not None and event.event_type_value == "STEP_START" and event.step_key in LONG_STEPS:
            self.print_line(LONG_STEPS[event.step_key])
        elif event is None and record.levelno >= logging.INFO and not meta["orig_message"].startswith(INTERNAL):
            self.print_line(meta["orig_message"])

    def print_line(self, message: str) -> None:
        """Print a message with the time, if somebody reads: `tributary run | head -3` must not end the run."""
        with suppress(OSError):
            print(f"{time.monotonic() - self.started:6.1f} s  {printable(message)}", file=sys.__stdout__, flush=True)


@dg.logger
def progress_logger(_: dg.InitLoggerContext) -> logging.Logger:
    """Return the logger of the command line."""
    logger = logging.Logger("tributary", logging.DEBUG)
    logger.addHandler(ProgressHandler())
    return logger
