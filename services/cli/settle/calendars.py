"""Reference data that comes as files: calendars and models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from coalition.settlement.v1 import reference_pb2 as pb

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.papers import message_of
from services.cli.settle.shown import listed, shown
from services.cli.settle.ways import (
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PersonOption,
    calls,
    request_id,
    second_person,
    tell,
)
from shared.rpc.channel import call

calendar = typer.Typer(help="Business days and cut-offs.", no_args_is_help=True)
model = typer.Typer(help="How and when is netted and paid.", no_args_is_help=True)


@calendar.command("publish")
def publish_calendar(
    file: Annotated[Path, typer.Argument(help="A PublishCalendarRequest as JSON, without its request_id.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Propose a version of a calendar; another person approves."""
    request = message_of(file, pb.PublishCalendarRequest())
    request.request_id = request_id("calendar", request.SerializeToString(deterministic=True).hex())
    made = call(calls(home, person).reference.PublishCalendar, request, timeout=SECONDS)
    tell(shown(made), then=second_person(made.proposal), code=NEEDS_A_PERSON, output=output)


@calendar.command("list")
def list_calendars(person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """The calendars, each in its newest version."""
    found = listed(
        calls(home, person).reference.ListCalendars, pb.ListCalendarsRequest(), "calendars",
        "name", "version", "time_zone", "source",
    )  # fmt: skip
    tell({"calendars": found}, output=output)


@calendar.command("show")
def show_calendar(
    name: Annotated[str, typer.Argument(help="calendars/{id}, or calendars/{id}/versions/{number}.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """A calendar with its days."""
    request = pb.GetCalendarRequest(name=name)
    tell(shown(call(calls(home, person).reference.GetCalendar, request, timeout=SECONDS)), output=output)


@model.command("publish")
def publish_model(
    file: Annotated[Path, typer.Argument(help="A SettlementModel as JSON.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Propose a version of a model; another person approves."""
    wanted = message_of(file, pb.SettlementModel())
    meaning = wanted.SerializeToString(deterministic=True).hex()
    request = pb.PublishModelRequest(request_id=request_id("model", meaning), model=wanted)
    made = call(calls(home, person).reference.PublishModel, request, timeout=SECONDS)
    tell(shown(made), then=second_person(made.proposal), code=NEEDS_A_PERSON, output=output)


@model.command("list")
def list_models(person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """The models, each in its newest version."""
    found = listed(calls(home, person).reference.ListModels, pb.ListModelsRequest(), "models")
    tell({"models": found}, output=output)


@model.command("show")
def show_model(
    name: Annotated[str, typer.Argument(help="models/{id}, or models/{id}/versions/{number}.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """A model."""
    request = pb.GetModelRequest(name=name)
    tell(shown(call(calls(home, person).reference.GetModel, request, timeout=SECONDS)), output=output)
