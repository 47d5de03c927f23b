"""A run on the console: a line a step and a model, with the time since the start, and errors without their traces."""

import logging
import sys
import time

import dagster as dg


class ProgressHandler(logging.Handler):
    """Prints what a person waits for; the event log of the UI holds the rest."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.started = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", {})
        event = meta.get("dagster_event")
        if event is None and not record.name.startswith("dagster_dbt") and not is_chatter(meta["orig_message"]):
            self.say(meta["orig_message"])
        elif event is None:
            return
        elif event.event_type_value == "STEP_START" and event.step_key != "models":
            self.say(event.step_key.replace("__", "/"))
        elif event.event_type_value == "STEP_START":
            self.say("dbt: seeds, models and tests")

    def say(self, message: str) -> None:
        print(f"{time.monotonic() - self.started:6.1f} s  {message}", file=sys.__stdout__, flush=True)


def is_chatter(message: str) -> bool:
    """What Dagster and dagster-dbt say of their own doings."""
    return message.startswith(("A dbt subsetted", "Copying `", "Running dbt command", "Finished dbt command",
                               "Dependencies for step"))  # fmt: skip


@dg.logger(description="Progress lines on standard output.")
def progress_logger(_: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.Logger("tributary", logging.INFO)
    logger.addHandler(ProgressHandler())
    return logger
