"""What earlier releases did with a trip, today's code does too: each recorded history is replayed."""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from domain.public_names import DELIVERY, RECONCILIATION, RECOVERY, REFUND, SWEEP
from lab.demo import SCENARIOS
from lab.record_histories import MACHINE_FIELDS, slug
from tests.workflows.trip_environment import current_replayer

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_recorded_workflow_replays_with_the_code_of_today(path):
    history = json.loads(path.read_text())
    begun = history["events"][0]["workflowExecutionStartedEventAttributes"]
    await current_replayer().replay_workflow(WorkflowHistory.from_json(begun["workflowId"], history))


def test_there_is_a_history_of_each_kind_of_trip_and_of_what_can_follow_it():
    recorded = " ".join(path.stem for path in HISTORIES)
    kinds = [*(scenario.name for scenario in SCENARIOS), REFUND, RECOVERY, DELIVERY, RECONCILIATION, SWEEP]
    assert [kind for kind in kinds if slug(kind) not in recorded] == []


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_recorded_history_says_nothing_of_the_machine_it_was_made_on(path):
    text = path.read_text()
    assert not [name for name in MACHINE_FIELDS if f'"{name}"' in text]
    assert not [word for word in ("127.0.0.1", "localhost", "@", ".venv") if word in text]
