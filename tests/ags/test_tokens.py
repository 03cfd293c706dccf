"""Tokens and where they are kept, with a transport that answers what a test tells it."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_lti_ags.ags.exchange import Exchange, Failure
from django_lti_ags.ags.tokens import MemoryTokenStore, Token, TokenRefused, obtain
from django_lti_ags.ags.vocabulary import CLIENT_ASSERTION_TYPE, SCOPE_LINE_ITEM, SCOPE_SCORE
from django_lti_ags.exceptions import NotStarted

URL = "https://lms.example/token"
SCOPES = frozenset({SCOPE_SCORE, SCOPE_LINE_ITEM})
NOW = 1_800_000_000.5
SECONDS = 10


class FakeTransport:
    """Answers with the given bodies in turn, the last one again and again; remembers what was sent."""

    def __init__(self, *bodies, status=200, failure=None, before=lambda: None):
        self.bodies = list(bodies)
        self.status = status
        self.failure = failure
        self.before = before
        self.sent = []

    def send(self, kind, method, url, **options):
        self.before()
        self.sent.append((kind, method, url, options))
        body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        return Exchange(
            kind=kind,
            method=method,
            url=url,
            request_body=options["shown_body"],
            status=None if self.failure else self.status,
            body=body if isinstance(body, str) else json.dumps(body),
            failure=self.failure,
            started_at=datetime.now(UTC),
        )


class Asker:
    """Calls ``obtain`` with one store and one clock, and keeps what was observed."""

    def __init__(self, credentials, transport, store=None):
        self.credentials = credentials
        self.transport = transport
        self.store = store or MemoryTokenStore()
        self.now = NOW
        self.seen = []

    def __call__(self, scopes=SCOPES, **options):
        return obtain(
            self.credentials,
            scopes,
            store=self.store,
            transport=self.transport,
            observe=self.seen.append,
            clock=lambda: self.now,
            **options,
        )

    def refused(self):
        with pytest.raises(TokenRefused) as caught:
            self()
        assert self.seen == [caught.value.exchange]
        assert self.store.get(self.credentials.token_key(SCOPES)) is None
        return caught.value


def token(text="t0ken", expires_at=NOW + 100):
    return Token(text, SCOPES, expires_at)


# --- the store ---


# --- the credentials ---


# --- obtaining ---


def test_what_is_asked(credentials):
    transport = FakeTransport({"access_token": "t0ken"})
    Asker(credentials, transport)()
    [(kind, method, url, options)] = transport.sent
    assert (kind, method, url) == ("token", "POST", URL)
    assert options["headers"] == {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    form = {name: value for name, [value] in parse_qs(options["body"].decode(), strict_parsing=True).items()}
    assertion, claims, signature = options["secrets"]
    assert assertion.endswith(f".{claims}.{signature}")
    assert form == {
        "grant_type": "client_credentials",
        "client_assertion_type": CLIENT_ASSERTION_TYPE,
        "client_assertion": assertion,
        "scope": f"{SCOPE_LINE_ITEM} {SCOPE_SCORE}",
    }
    assert jwt.decode(assertion, options={"verify_signature": False})["iat"] == int(NOW) - 5
    assert assertion not in options["shown_body"]
    assert "client_assertion=[redacted]" in options["shown_body"]


def test_a_token_is_fetched_kept_and_observed_once(credentials):
    asker = Asker(credentials, FakeTransport({"access_token": "t0ken", "expires_in": 3600, "scope": f"{SCOPE_SCORE} other"}))
    first = asker()
    assert (first.access_token, first.scopes) == ("t0ken", frozenset({SCOPE_SCORE, "other"}))
    assert asker() is first
    assert len(asker.seen) == 1
    assert "t0ken" not in repr(asker.seen)
    assert "[redacted]" in asker.seen[0].body
    assert asker.seen[0].ok


def test_each_set_of_scopes_has_its_own_token(credentials):
    asker = Asker(credentials, FakeTransport({"access_token": "one"}, {"access_token": "two"}))
    assert asker().access_token == "one"
    assert asker(frozenset({SCOPE_SCORE})).access_token == "two"
    assert asker().access_token == "one"


@pytest.mark.parametrize("scope", [None, "", "  ", 7, [SCOPE_SCORE]])
def test_without_a_scope_what_was_asked_for_is_granted(credentials, scope):
    assert Asker(credentials, FakeTransport({"access_token": "t0ken", "scope": scope}))().scopes == SCOPES


@pytest.mark.parametrize(
    ("expires_in", "life"),
    [
        (3600, 3540),
        ("3600", 3540),
        (600, 540),
        (100, 90),
        (10, 9),
        (0.5, 0.9),
        (1e-212, 0.9),
        (None, 270),
        ("soon", 270),
        ([], 270),
        (0, 270),
        (-5, 270),
        (float("nan"), 270),
        (float("inf"), 86340),
        (10**9, 86340),
        (10**400, 270),
        (-(10**400), 270),
    ],
)
def test_how_long_a_token_is_used(credentials, expires_in, life):
    asker = Asker(credentials, FakeTransport({"access_token": "one", "expires_in": expires_in}, {"access_token": "two"}))
    assert asker().expires_at == pytest.approx(NOW + life)
    asker.now = NOW + life - 0.01
    assert asker().access_token == "one"
    asker.now = NOW + life
    assert asker().access_token == "two"
    assert len(asker.seen) == 2


def test_a_life_counts_from_the_request(credentials):
    """Not from the answer: the platform may have taken its time."""
    asker = Asker(credentials, FakeTransport({"access_token": "t0ken", "expires_in": 100}))
    asker.transport.before = lambda: setattr(asker, "now", NOW + 50)
    assert asker().expires_at == pytest.approx(NOW + 90)


def test_without_a_clock_it_is_now(credentials):
    store = MemoryTokenStore()
    before = time.time()
    fetched = obtain(credentials, SCOPES, store=store, transport=FakeTransport({"access_token": "t"}), observe=[].append)
    assert before + 270 <= fetched.expires_at <= time.time() + 270


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>t0ken</html>",
        '{"access_token": "t0ken"',
        "[" * 100_000,
        ["t0ken"],
        '"t0ken"',
        "null",
        {},
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 5},
        {"access_token": ["t0ken"]},
        {"access_token": "t0ken with blanks"},
        {"access_token": "t0ken\r\nX-Evil: 1"},
        {"access_token": "t0kené"},
        {"access_token": "t0ken\x7f"},
        {"token": "t0ken"},
    ],
)
def test_an_answer_without_a_usable_token(credentials, body):
    asker = Asker(credentials, FakeTransport(body))
    refused = asker.refused()
    assert refused.exchange.failure is Failure.BAD_TOKEN_ANSWER
    assert refused.exchange.detail
    assert refused.exchange.detail in str(refused)
    assert "t0ken" not in repr(refused.exchange)
    asker.transport = FakeTransport({"access_token": "good"})
    assert asker().access_token == "good"


@pytest.mark.parametrize("depth", [10, 500, 900, 950, 1000, 5000, 100_000])
def test_an_answer_of_any_depth_is_read_or_refused(credentials, depth):
    asker = Asker(credentials, FakeTransport('{"access_token":"t0ken","deep":' + "[" * depth + "]" * depth + "}"))
    failure = None
    try:
        assert asker().access_token == "t0ken"
    except TokenRefused as refused:
        failure = refused.exchange.failure
    assert failure in {None, Failure.BAD_TOKEN_ANSWER}
    assert len(asker.seen) == 1
    assert "t0ken" not in repr(asker.seen)


@pytest.mark.parametrize(
    ("transport", "told"),
    [
        (FakeTransport({"error": "invalid_client"}, status=400), "invalid_client"),
        (FakeTransport("", status=503), "503"),
        (FakeTransport("", status=302), "302"),
        (FakeTransport("", failure=Failure.CONNECT), "connect"),
        (FakeTransport('{"access_token":"t0k', failure=Failure.NO_ANSWER), "no_answer"),
    ],
)
def test_a_platform_that_gives_none(credentials, transport, told):
    refused = Asker(credentials, transport).refused()
    assert told in str(refused)
    assert "t0k" not in repr(refused.exchange)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from(["access_token", "expires_in", "scope", "token_type"]), JSON) | st.text())
def test_no_answer_breaks_it(credentials, body):
    asker = Asker(credentials, FakeTransport(body))
    try:
        fetched = asker()
    except TokenRefused:
        assert [exchange.failure for exchange in asker.seen] == [Failure.BAD_TOKEN_ANSWER]
        return
    assert fetched.access_token.isprintable()
    assert fetched.access_token.isascii()
    assert NOW < fetched.expires_at <= NOW + 24 * 3600


# --- many threads ---


def together(count, call):
    """``call`` in many threads that start at one time; their results and errors."""
    start = threading.Barrier(count)

    def run(_):
        start.wait(SECONDS)
        try:
            return call()
        except TokenRefused as refused:
            return refused

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


class Crowd(MemoryTokenStore):
    """A store that tells when ``count`` threads have looked for a token in vain."""

    def __init__(self, count):
        super().__init__()
        self.all_here = threading.Event()
        self._missing = count
        self._counting = threading.Lock()

    def get(self, key):
        found = super().get(key)
        with self._counting:
            self._missing -= found is None
            if self._missing <= 0:
                self.all_here.set()
        return found


def test_many_threads_fetch_one_token(credentials):
    store = Crowd(9)  # eight threads before the lock, and the first of them within it
    transport = FakeTransport({"access_token": "one"}, {"access_token": "two"}, before=lambda: store.all_here.wait(SECONDS))
    asker = Asker(credentials, transport, store)
    found = together(8, asker)
    assert store.all_here.is_set()
    assert [one.access_token for one in found] == ["one"] * 8
    assert len(transport.sent) == len(asker.seen) == 1


def test_many_threads_renew_one_token(credentials):
    asker = Asker(credentials, FakeTransport({"access_token": "new"}))
    asker.store.set(credentials.token_key(SCOPES), token("old", NOW))
    assert {one.access_token for one in together(8, asker)} == {"new"}
    assert len(asker.transport.sent) == 1


def test_who_waited_for_a_refusal_shares_it(credentials):
    store = Crowd(5)  # four threads before the lock, and the first of them within it
    transport = FakeTransport("nothing", {"access_token": "one"}, before=lambda: store.all_here.wait(SECONDS))
    asker = Asker(credentials, transport, store)
    found = together(4, asker)
    assert len(transport.sent) == 1
    assert [one.exchange for one in found] == asker.seen == [found[0].exchange] * 4
    assert asker().access_token == "one"  # whoever comes later tries


def test_waiting_ends_when_the_time_to_start_has_passed(credentials):
    asked, go_on = threading.Event(), threading.Event()

    def before():
        asked.set()
        go_on.wait(SECONDS)

    asker = Asker(credentials, FakeTransport({"access_token": "one"}, before=before))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(asker)
        asked.wait(SECONDS)
        for start_by in (time.monotonic() - 1, time.monotonic() + 0.05):
            with pytest.raises(NotStarted):
                asker(start_by=start_by)
        go_on.set()
        assert first.result(SECONDS).access_token == "one"
    assert len(asker.transport.sent) == 1
    assert len(asker.seen) == 1


def test_nothing_is_asked_when_the_time_to_start_has_passed(credentials):
    asker = Asker(credentials, FakeTransport({"access_token": "one"}))
    with pytest.raises(NotStarted):
        asker(start_by=time.monotonic() - 1)
    assert asker.transport.sent == []
    assert asker().access_token == "one"
    assert asker(start_by=time.monotonic() - 1).access_token == "one"  # nothing to wait for


def test_who_waited_for_one_that_broke_off_tries_itself(credentials):
    """An error in the leader's own code is its own; the others do not wait for ever."""
    store = Crowd(3)
    broken = [True]

    def before():
        store.all_here.wait(SECONDS)
        if broken.pop() if broken else False:
            raise MemoryError

    asker = Asker(credentials, FakeTransport({"access_token": "one"}, before=before), store)

    def ask():
        try:
            return asker().access_token
        except MemoryError:
            return "broken"

    assert sorted(together(2, ask)) == ["broken", "one"]


def test_two_platforms_do_not_wait_for_each_other(credentials):
    both_here = threading.Barrier(2)
    transport = FakeTransport({"access_token": "t"}, before=lambda: both_here.wait(SECONDS))
    store = MemoryTokenStore()
    askers = [Asker(replace(credentials, client_id=name), transport, store) for name in ("one", "two")]
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(asker) for asker in askers]
        assert [one.result(SECONDS).access_token for one in running] == ["t", "t"]
