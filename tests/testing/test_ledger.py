"""The ledger: what is kept of a request, and how to wait for one."""

import threading

import pytest

from django_lti_ags.testing.platforms import Entry, Ledger, Response, Route


def entry(**changed):
    return {
        "received_at": 0.0,
        "kind": "score",
        "method": "POST",
        "path": "/",
        "query": "",
        "headers": {},
        "body": None,
        "status": 200,
    } | changed


def test_entries_are_numbered_and_chosen():
    ledger = Ledger()
    ledger.append(**entry(body={"userId": "u1"}, applied=True))
    ledger.append(**entry(body={"userId": "u2"}, status=None))
    ledger.append(**entry(body="text", applied=True))
    ledger.append(**entry(kind="token"))
    assert all(isinstance(kept, Entry) for kept in ledger.entries)
    assert [kept.sequence for kept in ledger.of("score", status=200)] == [1, 3]
    assert [kept.sequence for kept in ledger.scores()] == [1, 3]
    assert [kept.sequence for kept in ledger.scores("u1")] == [1]
    assert ledger.scores("u2") == []
    assert [kept.sequence for kept in ledger.scores("u2", applied=False)] == [2]


def test_what_holds_already_is_not_waited_for(plain):
    plain.token()
    plain.platform.ledger.wait_for(lambda ledger: len(ledger.of("token")) == 1, timeout=0)


def test_waiting_ends_when_the_request_came(plain):
    """The request is sent only after the condition was looked at and did not hold."""
    looked = threading.Event()

    def send():
        looked.wait(10)
        plain.ask()

    def came(ledger):
        looked.set()
        return bool(ledger.of("token", applied=True))

    sender = threading.Thread(target=send)
    sender.start()
    plain.platform.ledger.wait_for(came)
    sender.join()


def test_an_entry_between_the_look_and_the_wait_is_not_missed():
    ledger, looks = Ledger(), []

    def condition(held):
        looks.append(len(held.entries))
        if len(looks) == 1:
            held.append(**entry())
            return False
        return len(held.entries) == 1

    ledger.wait_for(condition, timeout=5)
    assert looks == [0, 1]


def test_waiting_ends_by_the_clock_too():
    ledger = Ledger()
    ledger.append(**entry())
    with pytest.raises(TimeoutError, match="it holds 1 entries"):
        ledger.wait_for(lambda held: False, timeout=0.05)


def test_what_is_kept_of_pages(plain):
    plain.platform.add_routes([Route("POST", "/page", lambda request: Response.redirect("/" + request.cookies["session"]))])
    headers = {"Cookie": "session=secret", "Content-Type": "text/plain"}
    answer = plain.session.post(
        plain.platform.base_url + "/page?a=1", data=b"\xff text", headers=headers, timeout=10, allow_redirects=False
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/secret")
    [kept] = plain.platform.ledger.of("page")
    assert "cookie" not in kept.headers
    assert (kept.query, kept.body, kept.applied, kept.status) == ("a=1", "\ufffd text", False, 303)


def test_a_path_that_is_not_there_is_kept_as_well(plain):
    answer = plain.session.get(plain.platform.base_url + "/nowhere", timeout=10)
    assert (answer.status_code, answer.json()) == (404, {"error": "nothing is here"})
    assert plain.platform.ledger.of("page", path="/nowhere", status=404)
