"""`list`: trips by store, stage, attention and outcome, from Temporal's visibility."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from temporalio.client import Client, WorkflowExecution
from temporalio.common import SearchAttributeKey

from console.conversation import PATIENCE, talk
from console.options import Json, example, identifier
from console.output import complain, moment, print_json, say, table
from trips.attention import Cause
from trips.base import Message, Moment
from trips.names import SHOPPING_TRIP, SearchAttribute, trip_of_workflow
from trips.settlement import Outcome
from trips.stages import Stage

commands = typer.Typer()

ANY = "any"
HEADINGS = ("trip", "store", "stage", "attention", "outcome", "charge by")


def cause_or_any(text: str) -> str:
    """An attention's cause, or `any`. Raises typer.BadParameter."""
    causes = [ANY, *Cause]
    if text not in causes:
        raise typer.BadParameter(f"should be one of {', '.join(causes)}")
    return text


Store = Annotated[str | None, typer.Option(parser=identifier, metavar="STORE", help="Only this store's.")]
InStage = Annotated[Stage | None, typer.Option(help="Only those in this stage.")]
NeedsPerson = Annotated[
    str | None,
    typer.Option(parser=cause_or_any, metavar="CAUSE", help="Only those that need a person: any, or why."),
]
Ended = Annotated[Outcome | None, typer.Option(help="Only those that ended so.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most, the latest first.")]


class Found(Message):
    """A trip as Temporal's visibility knows it; what the trip has not said yet is missing."""

    shopping_trip_id: str
    workflow: str | None
    """Temporal's own word: running, completed, failed…"""
    store_id: str | None
    stage: str | None
    attention: str | None
    outcome: str | None
    charge_by: Moment | None


@commands.command(
    "list", epilog=example("list --attention any", "list --store store-1 --stage awaiting_decision --json")
)
def list_trips(
    *,
    store: Store = None,
    stage: InStage = None,
    attention: NeedsPerson = None,
    outcome: Ended = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List trips, by store, stage, attention and outcome."""
    wanted = {
        SearchAttribute.STORE: store,
        SearchAttribute.STAGE: stage,
        SearchAttribute.ATTENTION: attention,
        SearchAttribute.OUTCOME: outcome,
    }
    found = talk(lambda client: _find(client, query(wanted), limit + 1))
    shown = found[:limit]
    if as_json:
        for trip in shown:
            print_json(trip.to_json())
    else:
        say(table(HEADINGS, map(_row, shown)) if shown else "There is no such trip.")
    if len(found) > limit:
        complain(f"There are more than these {limit}: ask for more with --limit.")


def query(wanted: dict[SearchAttribute, str | None]) -> str:
    """The question to visibility. The values hold no quote: they are our own words, or identifiers."""
    conditions = [f"WorkflowType = '{SHOPPING_TRIP}'"]
    for attribute, value in wanted.items():
        if attribute is SearchAttribute.ATTENTION and value == ANY:
            conditions.append(f"{attribute} IS NOT NULL")
        elif value is not None:
            conditions.append(f"{attribute} = '{value}'")
    return " AND ".join(conditions)


async def _find(client: Client, question: str, limit: int) -> list[Found]:
    return [_found(execution) async for execution in client.list_workflows(question, limit=limit, rpc_timeout=PATIENCE)]


def _found(execution: WorkflowExecution) -> Found:
    known = execution.typed_search_attributes

    def keyword(name: SearchAttribute) -> str | None:
        return known.get(SearchAttributeKey.for_keyword(name))

    charge_by: datetime | None = known.get(SearchAttributeKey.for_datetime(SearchAttribute.CHARGE_BY))
    return Found(
        shopping_trip_id=trip_of_workflow(execution.id),
        workflow=execution.status and execution.status.name.lower(),
        store_id=keyword(SearchAttribute.STORE),
        stage=keyword(SearchAttribute.STAGE),
        attention=keyword(SearchAttribute.ATTENTION),
        outcome=keyword(SearchAttribute.OUTCOME),
        charge_by=charge_by,
    )


def _row(trip: Found) -> Sequence[object]:
    stage = trip.stage or trip.workflow
    return (trip.shopping_trip_id, trip.store_id, stage, trip.attention, trip.outcome, moment(trip.charge_by))
