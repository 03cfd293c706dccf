"""Clients of Canvas' REST API over what is stored: one connection pool, one token for all processes, secrets nowhere."""

from __future__ import annotations

import threading
import time

import pytest
from django.core.cache import cache

from django_lti_ags.exceptions import CanvasTokenRefused, NoCanvasCredential, NotStarted
from django_lti_ags.models import CanvasCredential
from django_lti_ags.sync import clients
from django_lti_ags.sync.canvas_clients import client_for
from django_lti_ags.sync.clients import Clients

pytestmark = pytest.mark.django_db


def results(school, **options):
    return len(list(client_for(school.registration, **options).outcome_results(7)))


def test_a_users_token_is_used_as_it_is(school):
    school.store_token()
    assert results(school) == 2
    assert school.asked("token") == 0


def test_without_a_credential_it_says_how_to_store_one(school):
    with pytest.raises(NoCanvasCredential, match=r"stored for .*lti_ags_canvas_credential --help"):
        client_for(school.registration)


def test_one_token_of_a_key_serves_every_process_and_stands_encrypted_in_the_cache(school):
    school.store_key()
    seen = []
    for _ in range(2):
        with_own = Clients()  # as another process has them: only the cache is shared
        assert results(school, clients=with_own, observe=seen.append) == 2
        with_own.close()
    assert results(school) == 2
    assert school.asked("token") == 1
    token = next(text for text in school.rest._tokens if text != school.token)
    secret = CanvasCredential.objects.get().secret
    for held in (token, *secret.values()):
        assert held not in str(cache._cache)
        assert held not in repr(seen)


def test_a_revoked_token_is_dropped_everywhere_and_fetched_once(school):
    school.store_key()
    results(school)
    school.rest.revoke_tokens()
    other = Clients()
    assert results(school, clients=other) == 2
    assert results(school) == 2
    other.close()
    assert school.asked("token") == 2


def test_many_threads_fetch_one(school):
    school.store_key()
    found = []
    made = [client_for(school.registration) for _ in range(6)]  # made where the database is, used where it is not
    threads = [threading.Thread(target=lambda one=one: found.append(len(list(one.outcome_results(7))))) for one in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2] * 6
    assert school.asked("token") == 1


def test_a_replaced_key_does_not_use_the_old_ones_token(school):
    school.store_key()
    results(school)
    school.store_key()
    assert results(school) == 2
    assert school.asked("token") == 2


def test_connections_are_the_processs(school):
    school.store_token()
    assert client_for(school.registration)._transport is clients.shared().transport


def test_a_token_that_canvas_refuses_says_what_to_do(school):
    school.store_token("1~somebody-elses-token")
    with pytest.raises(CanvasTokenRefused, match=r"Invalid access token.*Store a new access token") as caught:
        results(school)
    assert "somebody" not in str(caught.value)


def test_nothing_goes_out_after_the_time_to_start(school):
    school.store_key()
    with pytest.raises(NotStarted):
        results(school, start_by=time.monotonic() - 1)
    assert school.asked("token") == 0
