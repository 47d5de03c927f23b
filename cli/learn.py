"""`tributary learn`: fit constants to the journeys.

In: the published version. Out: a value, its uncertainty, and how to set it.
"""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import FAILED, print_error, print_line, readable_errors
from ingestion.home import Home

learn = typer.Typer(
    no_args_is_help=True,
    help="Fit constants of attribution models to your journeys.\n\n[bold]Example[/bold]\n\n"
    "  tributary learn half-life --org northwind",
)


@learn.command("half-life")
def half_life(
    org: Annotated[str | None, typer.Option(help="The org. Default: the only one.")] = None,
    conversion_type: Annotated[str | None, typer.Option(help="Default: the org's main conversion type.")] = None,
    ignore_hours: Annotated[
        float,
        typer.Option(
            min=0,
            max=720,
            help="Ignore the touches of the last hours before a conversion: they belong to the visit that converts.",
        ),
    ] = 24,
) -> None:
    """Fit the half-life of time_decay to journeys with and without a conversion.

    It needs 50 conversions with an earlier touch at least, and a few hundred for a narrow interval. Exit code 1 if the
    journeys are too few to tell. A half-life of less than two days needs fewer ignored hours.

    [bold]Examples[/bold]

      tributary learn half-life --org northwind

      tributary learn half-life --org northwind --ignore-hours 1
    """
    with readable_errors():
        from attribution.half_life import NotEnoughData
        from serving.learn import learn_half_life
        from serving.published import open_published

        with open_published(Home.from_environment().marts) as connection:
            try:
                learned = learn_half_life(connection, org, conversion_type, ignore_hours)
            except NotEnoughData as error:
                print_error(f"Not enough data. {error}")
                raise typer.Exit(FAILED) from None
        fitted = learned.fitted
        print_line(
            f"Half-life of {learned.org}: {rounded(fitted.days)} days, with 95 % confidence between"
            f" {rounded(fitted.low)} and {rounded(fitted.high)} days."
        )
        print_line(
            f"From {fitted.conversions:,} conversions of type {learned.conversion_type} and"
            f" {fitted.journeys - fitted.conversions:,} journeys without one, {learned.lookback_days} days each."
        )
        if learned.ignored_hours:
            print_line(f"Touches in the last {learned.ignored_hours:g} h before a conversion are ignored.")
        if fitted.low <= learned.present_days <= fitted.high:
            print_line(f"The present value, {learned.present_days:g} days, is inside.")
        else:
            print_line(
                f"The present value is {learned.present_days:g} days. To use the fitted one, write half_life_days:"
                f" {rounded(fitted.days)} for the org in tributary.yaml."
            )


def rounded(days: float) -> str:
    """Return a number of days with one decimal; below a day, with two digits."""
    return f"{days:.1f}" if days >= 1 else f"{days:.2g}"
