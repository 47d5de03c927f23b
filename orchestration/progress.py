"""A run on the console: a line a step and a model, with the time since the start, and errors without their traces."""

import logging
import sys
import time

import dagster as dg

LONG_STEPS = {"models": "dbt: seeds, models and tests", "published": "checking the promises, publishing"}


class ProgressHandler(logging.Handler):
    """Prints what a person waits for; the event log of the UI holds the rest."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.started = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", {})
        event = meta.get("dagster_event")
        if event is not None and event.event_type_value == "STEP_START" and event.step_key in LONG_STEPS:
            self.say(LONG_STEPS[event.step_key])
        elif event is None and record.levelno >= logging.INFO and not is_chatter(meta["orig_message"]):
            self.say(meta["orig_message"])

    def say(self, message: str) -> None:
        print(f"{time.monotonic() - self.started:6.1f} s  {message}", file=sys.__stdout__, flush=True)


def is_chatter(message: str) -> bool:
    """What Dagster and dagster-dbt say of their own doings."""
    return message.startswith(
        ("A dbt subsetted", "Copying `", "Running dbt command", "Finished dbt command", "Dependencies for step")
    )


@dg.logger(description="Progress lines on standard output.")
def progress_logger(_: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.Logger("tributary", logging.DEBUG)
    logger.addHandler(ProgressHandler())
    return logger
