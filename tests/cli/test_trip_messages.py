"""`submit`, `decide`, `retry`, `cancel` and `resolve`, run as programs against a real server."""

from tests.factories import cart_json

ANN = ("--operator", "ann")


def test_a_cart_is_submitted_and_the_trip_answers_with_its_status(run, started, final_status):
    trip = started(None)
    ran = run("submit", trip, "-", "--json", stdin=cart_json("12.00"))
    assert (ran.status, ran.err) == (0, "")
    assert ran.document["total"] == {"amount": "12.00", "code": "USD"}
    assert final_status(trip)["outcome"] == "captured"


def test_a_person_is_told_that_the_trip_took_it(run, started):
    ran = run("submit", started(None), "-", stdin=cart_json("12.00"))
    assert ran.status == 0
    assert ran.out.startswith("The trip took it.\n")
    assert "stage" in ran.out


def test_a_cart_that_cant_be_used_is_refused_in_the_trips_own_words(run, started):
    ran = run("submit", started(None), "-", stdin=cart_json("1.005"))
    assert (ran.status, ran.out) == (1, "")
    assert "submit_cart can't be used: total: amount: has too many decimals" in ran.err


def test_a_cart_that_is_no_json_is_not_sent(run, started):
    ran = run("submit", started(None), "-", stdin=b"12.00 USD")
    assert ran.status == 1
    assert "not JSON" in ran.err


def test_a_decision_is_recorded_with_its_strategy_operator_and_note(run, started, final_status):
    trip = started("80.00")
    ran = run("decide", trip, "capture_authorized", *ANN, "--note", "a good customer", "--json")
    assert ran.status == 0
    assert (ran.document["strategy"], ran.document["decidedBy"]) == ("capture_authorized", "ann")
    settled = final_status(trip)
    assert "a good customer" in str(settled["log"])
    assert (settled["outcome"], settled["badDebt"]["amount"]) == ("partially_captured", "70.00")


def test_a_card_number_in_a_note_does_not_even_reach_temporals_history(run, server, started):
    trip = started("80.00")
    note = "card_4111 1111 1111 1111 12/27, jo@example.com"
    assert run("decide", trip, "write_off", "--operator", note, "--note", note).status == 0
    history = "".join(map(str, server.do(server.trip(trip).fetch_history()).events))
    assert "card_***, jo@***" in history
    assert [secret for secret in ("4111", "12/27", "example.com") if secret in history] == []


def test_a_second_decision_is_refused(run, started):
    trip = started(None)
    assert run("decide", trip, "write_off", *ANN).status == 0
    ran = run("decide", trip, "incremental", "--operator", "bob")
    assert (ran.status, ran.out) == (1, "")
    assert "it was already decided by ann: write_off" in ran.err


def test_a_trip_is_cancelled(run, started, final_status):
    trip = started(None)
    cancelled = run("cancel", trip, *ANN, "--note", "rung up twice")
    assert (cancelled.status, "cancelled, decided by ann" in cancelled.out) == (0, True)
    assert final_status(trip)["outcome"] == "cancelled"


def test_a_retry_is_taken_where_a_call_has_failed(run, started, final_status):
    trip = started("20.00", faults=[{"call": "adjust", "kind": "bad_request"}])
    assert run("show", trip, "--json").document["attention"]["cause"] == "refused"
    assert run("retry", trip, *ANN).status == 0
    assert final_status(trip)["outcome"] == "captured"


def test_a_retry_is_refused_where_nothing_has_failed(run, started):
    ran = run("retry", started(None), *ANN)
    assert ran.status == 1
    assert "there is no failed call to try again" in ran.err


def in_doubt(kind):
    return {"call": "capture", "kind": kind}


def test_an_operator_resolves_a_capture_in_doubt(run, started, final_status):
    trip = started("20.00", faults=[in_doubt("drop_after")], policy={"captureUnknownOutcome": "ask"})
    assert run("show", trip, "--json").document["attention"]["cause"] == "capture_unknown"
    assert run("resolve", trip, "--captured", *ANN).status == 0
    assert final_status(trip)["captured"]["amount"] == "20.00"


def test_an_operators_word_that_nothing_was_captured_reaches_the_trip(run, started, final_status):
    trip = started("20.00", faults=[in_doubt("drop_before")], policy={"captureUnknownOutcome": "ask"})
    ran = run("resolve", trip, "--not-captured", *ANN, "--json")
    assert ran.status == 0
    assert "did not happen" in str(final_status(trip)["log"])


def test_a_resolution_is_refused_where_there_is_no_doubt(run, started):
    ran = run("resolve", started(None), "--captured", *ANN)
    assert ran.status == 1
    assert "there is no capture whose outcome is unknown" in ran.err


def test_a_settled_trip_says_so(run, trip):
    payload = trip("20.00")
    run("start", "-", "--wait", stdin=payload)
    ran = run("cancel", payload["shoppingTripId"], *ANN)
    assert ran.status == 1
    assert ran.err == f"the trip {payload['shoppingTripId']} is already settled\n"


def test_a_trip_that_is_not_there_is_told_from_one_that_is_settled(run):
    ran = run("cancel", "nobody", *ANN)
    assert ran.status == 1
    assert ran.err.startswith("there is no trip nobody in default")


def test_a_trip_that_was_ended_from_outside_is_not_called_settled(run, started, server):
    trip = started(None)
    server.do(server.trip(trip).terminate("by a test"))
    ran = run("retry", trip, *ANN)
    assert ran.status == 1
    assert ran.err == f"the trip {trip} can't be spoken to: its workflow is terminated\n"
