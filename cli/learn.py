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
) -> None:
    """Fit the half-life of time_decay to journeys with and without a conversion.

    Exit code 1 if the journeys are too few to tell.

    [bold]Example[/bold]

      tributary learn half-life --org northwind
    """
    with readable_errors():
        from attribution.half_life import NotEnoughData
        from serving.learn import learn_half_life
        from serving.published import open_published

        with open_published(Home.from_environment().marts) as connection:
            try:
                learned = learn_half_life(connection, org, conversion_type)
            except NotEnoughData as error:
                print_error(f"Not enough data. {error}")
                raise typer.Exit(FAILED) from None
        fitted = learned.fitted
        print_line(
            f"Half-life of {learned.org}: {fitted.days:.1f} days, with 95 % confidence between {fitted.low:.1f} and"
            f" {fitted.high:.1f} days."
        )
        print_line(
            f"From {fitted.conversions:,} conversions of type {learned.conversion_type} and"
            f" {fitted.journeys - fitted.conversions:,} journeys without one, {learned.lookback_days} days each."
        )
        if fitted.low <= learned.present_days <= fitted.high:
            print_line(f"The present value, {learned.present_days:g} days, is inside.")
        else:
            print_line(
                f"The present value is {learned.present_days:g} days. To use the fitted one, write half_life_days:"
                f" {fitted.days:.1f} for the org in tributary.yaml."
            )
