"""Tokens shared between processes, encrypted."""

import threading
import time

import pytest
from django.core.cache import cache

from django_lti_ags import encryption, scores
from django_lti_ags.ags.tokens import Token
from django_lti_ags.profiles.base import Profile
from django_lti_ags.sync.engine import deliver_due
from django_lti_ags.sync.profiles import profile_of
from django_lti_ags.sync.token_store import CacheTokenStore


def token(text="secret-token", life=60):
    return Token(text, frozenset({"s"}), time.time() + life)


def test_another_process_finds_the_token_and_nobody_reads_it_in_the_cache():
    CacheTokenStore().set("k", token())
    assert "secret-token" not in str(cache._cache)
    found = CacheTokenStore().get("k")
    assert (found.access_token, found.scopes) == ("secret-token", frozenset({"s"}))


def test_a_token_ends():
    store = CacheTokenStore()
    store.set("k", token(life=-1))
    assert store.get("k") is None
    assert CacheTokenStore().get("k") is None


def test_a_refused_token_is_forgotten_everywhere_but_not_its_successor():
    one, other = CacheTokenStore(), CacheTokenStore()
    old, new = token("old"), token("new")
    one.set("k", old)
    other.get("k")
    one.delete("k", old)
    assert CacheTokenStore().get("k") is None
    one.set("k", new)
    other.delete("k", old)
    assert other.get("k").access_token == "new"


def test_what_cannot_be_decrypted_is_fetched_anew(settings):
    CacheTokenStore().set("k", token())
    settings.LTI_AGS = settings.LTI_AGS | {"ENCRYPTION_KEYS": [encryption.Fernet.generate_key().decode()]}
    assert CacheTokenStore().get("k") is None


def test_one_fetch_at_a_time_across_stores():
    """Two stores stand for two processes: they share only the cache."""
    inside, most, lock = 0, 0, threading.Lock()

    def fetch():
        nonlocal inside, most
        store = CacheTokenStore()
        with store.lock("k"):
            with lock:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.02)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=fetch) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_whoever_waits_goes_on_when_the_token_is_there(settings):
    cache.add("lti_ags:token-lock:k", True, 60)  # held by another process
    threading.Timer(0.1, lambda: CacheTokenStore().set("k", token())).start()
    with CacheTokenStore().lock("k"):
        assert CacheTokenStore().get("k") is not None


class Own(Profile):
    key = "own"


class Registration:
    profile = "own"


def test_profiles_come_from_the_settings(settings):
    assert type(profile_of(Registration())) is Profile
    settings.LTI_AGS = settings.LTI_AGS | {"PROFILES": {"own": f"{__name__}.Own"}}
    assert type(profile_of(Registration())).__name__ == "Own"
    settings.LTI_AGS = settings.LTI_AGS | {"PROFILES": {"own": "builtins.dict"}}
    with pytest.raises(TypeError, match="not a Profile"):
        profile_of(Registration())


class Broken:
    """A cache whose server is gone."""

    def __getattr__(self, name):
        raise ConnectionError(name)


@pytest.mark.django_db(transaction=True)
def test_without_its_cache_a_worker_delivers_all_the_same(campus, monkeypatch, caplog):
    monkeypatch.setattr("django_lti_ags.sync.token_store.caches", {"default": Broken()})
    scores.record_many(campus.line_item(), [{"user_id": f"u{n}", "score_given": n, "score_maximum": 10} for n in range(1, 6)])
    assert deliver_due().codes == {"delivered": 5}
    assert len(campus.platform.ledger.of("token")) == 1
    assert caplog.text.count("The cache 'default' fails") == 1


def test_a_cache_that_is_back_is_used_again(monkeypatch):
    store = CacheTokenStore()
    with monkeypatch.context() as patched:
        patched.setattr("django_lti_ags.sync.token_store.caches", {"default": Broken()})
        store.set("k", token())
        store.delete("other", token())
        with store.lock("k"):
            assert store.get("k").access_token == "secret-token"
    store.set("k", token("newer"))
    assert CacheTokenStore().get("k").access_token == "newer"
