"""What the pages show: words, advice, JSON; never a secret, nothing inline, and no more queries for more rows."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_lti_ags import api_keys, canvas_credentials, scores, webhooks
from django_lti_ags.admin.happenings import EVENT_NAMES
from django_lti_ags.admin.readonly import INLINE_ROWS
from django_lti_ags.admin.timeline import ENTRIES
from django_lti_ags.models import (
    Context,
    DeliveryAttempt,
    Deployment,
    Event,
    LineItem,
    PendingScore,
    Registration,
    Result,
    Score,
    Service,
    SigningKey,
    SyncSample,
    SyncState,
)
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.sync.engine import deliver_due
from tests.admin.conftest import MODELS, NOON, address


def text_of(browser, url, **query):
    response = browser.get(url, query)
    assert response.status_code == 200
    return response.content.decode()


def every_page(browser):
    """Each changelist; each row's change page and history; the forms that add; the confirmations."""
    for model in MODELS:
        yield text_of(browser, address(model, "changelist"))
        for row in model.objects.all():
            yield text_of(browser, address(model, "change", row))
            yield text_of(browser, address(model, "history", row))
    for model in (Registration, Deployment):
        yield text_of(browser, address(model, "add"))
    for model in (Score, PendingScore):
        form = {"action": "cancel", "_selected_action": [model.objects.first().pk], "index": 0}
        yield browser.post(address(model, "changelist"), form).content.decode()
        yield text_of(browser, reverse(f"admin:lti_ags_{model._meta.model_name}_export"))
    for page in ("errors", "retry_since"):
        yield text_of(browser, reverse(f"admin:lti_ags_score_{page}"))
    yield text_of(browser, reverse("admin:lti_ags_score_retry_group", args=["x"]))


class Inline(HTMLParser):
    """Finds what ``default-src 'self'`` forbids."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        self.found += [f"{tag} {name}" for name in names if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in names and names.get("type") != "application/json"):
            self.found.append(tag)
        for name in ("src", "action") + (("href",) if tag == "link" else ()):
            if (names.get(name) or "").startswith(("http:", "https:", "//", "data:", "javascript:")):
                self.found.append(f"{tag} {name}={names[name]}")


def test_no_page_has_anything_inline_or_from_elsewhere(world, boss):
    for page in every_page(boss):
        parser = Inline()
        parser.feed(page)
        assert parser.found == []


@pytest.mark.django_db(transaction=True)
def test_no_page_shows_a_secret(campus, tool_key, boss):
    line_item = campus.line_item()
    campus.platform.desk.lifetime_seconds = 3600
    for user in ("u1", "u2", "u3"):
        scores.record(line_item, user_id=user, score_given=8, score_maximum=10)
    deliver_due()
    tokens = set(campus.platform.desk._grants)
    campus.platform.desk.revoke_all()  # the next send gets a 401, and a new token
    scores.record(line_item, user_id="nobody", score_given=8, score_maximum=10)
    deliver_due()
    tokens |= set(campus.platform.desk._grants)
    Result.objects.create(line_item=line_item, user_id="u1", result_score=8, read_at=NOON)
    key = SigningKey.objects.get()
    canaries = [
        *tool_key.pem.splitlines()[1:-1],
        "PRIVATE KEY",
        key.private_key_encrypted,
        key.private_key_encrypted[:40],
        *tokens,
        "eyJ",  # any JWT begins so
    ]
    assert len(tokens) >= 2
    assert set(DeliveryAttempt.objects.values_list("kind", flat=True)) == {"token", "score"}
    assert PendingScore.objects.exists()
    pages = list(every_page(boss))
    assert len(pages) > 2 * len(MODELS)
    assert not [(canary[:12], page[:200]) for page in pages for canary in canaries if canary in page]
    assert set(Event.objects.values_list("name", flat=True)) <= set(EVENT_NAMES)


def add_rows(world, model, count):
    """``count`` more rows of ``model``, each with parents of its own where it has any."""
    for number in range(count):
        name = f"{model._meta.model_name}{number}-{model.objects.count()}"
        if model is SigningKey:
            SigningKey.objects.create(kid=name, private_key_encrypted="x", public_jwk={})
            continue
        registration = world.add_registration(name)
        canvas_credentials.store_user_token(registration, base_url=f"https://{name}.example", access_token="1~token")
        key, _ = api_keys.issue(name, [registration])
        service = Service.objects.create(registration=registration, origin=f"https://{name}.example")
        deployment = Deployment.objects.create(registration=registration, deployment_id=name)
        context = Context.objects.create(deployment=deployment, context_id=name)
        line_item = LineItem.objects.create(context=context, service=service, url=name, state=SyncState.DELIVERED)
        score = world.add_score(name, line_item=line_item, service=service)
        world.add_attempt(score, service=service)
        world.add_message(score, webhooks.add(key, f"https://tool.example/{name}")[0])
        Result.objects.create(line_item=line_item, user_id=name, read_at=NOON)
        Event.objects.create(name="score_delivered", score=score, service=service, created_at=NOON)
        world.add_live_assessment(name, context=context, service=service)


def queries(browser, url):
    browser.get(url)  # content types are looked up once per process
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("model", [model for model in MODELS if model is not SyncSample])
def test_a_longer_list_takes_no_more_queries(world, boss, model):
    add_rows(world, model, 2)
    few = queries(boss, address(model, "changelist"))
    add_rows(world, model, 10)
    assert queries(boss, address(model, "changelist")) == few <= 10


@pytest.mark.parametrize("model", [Score, PendingScore])
def test_a_page_with_more_attempts_takes_no_more_queries_and_shows_the_newest(world, boss, model):
    for number in range(2):
        world.add_attempt(world.pending, detail=f"number {number}.")
    few = queries(boss, address(model, "change", world.pending))
    for number in range(2, ENTRIES + 5):
        world.add_attempt(world.pending, detail=f"number {number}.")
    assert queries(boss, address(model, "change", world.pending)) == few <= 20
    page = text_of(boss, address(model, "change", world.pending))
    shown = [int(number) for number in re.findall(r"number (\d+)\.", page)]
    assert shown == list(range(ENTRIES + 4, 4, -1))
    listed = re.search(r'href="([^"]*score__id__exact=[^"]*)"', page)
    assert "105 delivery attempts" in text_of(boss, listed[1])


def test_a_course_with_many_columns_stays_small(world, boss):
    few = queries(boss, address(Context, "change", world.context))
    for number in range(INLINE_ROWS + 10):
        world.add_line_item(f"column {number}.")
    assert queries(boss, address(Context, "change", world.context)) == few
    shown = set(re.findall(r"column (\d+)\.", text_of(boss, address(Context, "change", world.context))))
    assert shown == {str(number) for number in range(10, INLINE_ROWS + 10)}


def test_a_state_is_told_in_words_with_code_and_advice(world, boss):
    page = text_of(boss, address(PendingScore, "changelist"))
    assert ">Failed</td>" in page
    assert ">score_refused</td>" in page
    assert "u1" not in re.findall(r"<th[^>]*>.*?</th>", page)
    page = text_of(boss, address(PendingScore, "change", world.pending))
    assert ADVICE["score_refused"] in page
    assert "422 too much" in page


def test_a_score_that_waits_says_for_what(world, boss):
    Score.objects.filter(pk=world.pending.pk).update(state=SyncState.PENDING, due_at=NOON, code="")
    url = address(Score, "change", world.pending)
    assert "is paused." not in text_of(boss, url)
    LineItem.objects.filter(pk=world.line_item.pk).update(block_code="forbidden", blocked_at=NOON)
    assert re.search("Since .* the line item Quiz is blocked: forbidden. " + ADVICE["forbidden"], text_of(boss, url))
    Registration.objects.filter(pk=world.registration.pk).update(paused_at=NOON, paused_code="client_refused")
    assert re.search("Since .* the registration Campus is paused. .*" + ADVICE["client_refused"], text_of(boss, url))
    assert ADVICE["client_refused"] not in text_of(boss, address(Score, "change", world.score))


def test_blocks_pauses_and_failures_come_with_advice(world, boss):
    Registration.objects.filter(pk=world.registration.pk).update(paused_at=NOON, paused_code="client_refused")
    Context.objects.filter(pk=world.context.pk).update(block_code="missing_scope", blocked_at=NOON)
    Service.objects.filter(pk=world.service.pk).update(failing_since=NOON, last_failure_code="server_error")
    for row, code in (
        (world.registration, "client_refused"),
        (world.context, "missing_scope"),
        (world.line_item, "missing_scope"),
        (world.service, "server_error"),
        (world.attempt, "delivered"),
        (world.event, "delivered"),
    ):
        assert ADVICE[code] in text_of(boss, address(type(row), "change", row)).replace("&#x27;", "'")
    Service.objects.filter(pk=world.service.pk).update(failing_since=None)
    assert ADVICE["server_error"] not in text_of(boss, address(Service, "change", world.service))


def test_a_score_shows_what_is_recorded_and_what_is_delivered(world, boss):
    Score.objects.filter(pk=world.score.pk).update(score_given=None, score_maximum=None, version=2)
    page = text_of(boss, address(Score, "change", world.score))
    assert "cleared" in page
    assert "8 / 10" in page
    assert text_of(boss, address(Score, "change", world.pending)).count("8 / 10") == 1


def test_json_is_laid_out_and_foreign_text_escaped(world, boss):
    page = text_of(boss, address(DeliveryAttempt, "change", world.attempt))
    assert "<pre>{\n  &quot;userId&quot;: &quot;u1&quot;\n}</pre>" in page
    assert "<pre>{\n  &quot;authorization&quot;: &quot;Bearer [redacted]&quot;\n}</pre>" in page
    assert "<pre>&lt;b&gt;fine&lt;/b&gt;</pre>" in page
    silent = world.add_attempt(world.score, status=None, failure="connect", response_body="", request_body="")
    assert text_of(boss, address(DeliveryAttempt, "change", silent)).count("<pre>") == 2
    assert "&quot;kty&quot;: &quot;RSA&quot;" in text_of(boss, address(SigningKey, "change", world.key))
    Result.objects.update(extensions={"https://x.example/a": "é<"})
    assert "&quot;https://x.example/a&quot;: &quot;é&lt;&quot;" in text_of(boss, address(Result, "change", world.result))


@pytest.mark.parametrize(
    ("model", "query", "rows"),
    [
        (Score, {"code": "score_refused"}, 1),
        (Score, {"code": "delivered"}, 0),
        (Score, {"state__exact": "failed"}, 1),
        (PendingScore, {}, 1),
        (DeliveryAttempt, {"answer": "2"}, 1),
        (DeliveryAttempt, {"answer": "4"}, 1),
        (DeliveryAttempt, {"answer": "5"}, 0),
        (DeliveryAttempt, {"answer": "none"}, 1),
        (DeliveryAttempt, {"answer": "9"}, 3),
        (DeliveryAttempt, {"kind__exact": "token"}, 1),
        (Event, {"name": "score_delivered"}, 1),
        (Event, {"name": "score_failed"}, 0),
        (Event, {"created_at__gte": (NOON + timedelta(days=1)).isoformat()}, 0),
        (Registration, {"paused_at__isempty": "1"}, 1),
        (LineItem, {"block_code__isempty": "0"}, 0),
    ],
)
def test_filters(world, boss, model, query, rows):
    world.add_attempt(world.pending, status=422)
    world.add_attempt(world.pending, status=None, kind="token")
    assert boss.get(address(model, "changelist"), query).context["cl"].result_count == rows


@pytest.mark.parametrize("model", MODELS)
def test_a_list_never_asks_for_the_values_that_occur(world, boss, model):
    with CaptureQueriesContext(connection) as captured:
        boss.get(address(model, "changelist"))
    distinct = [query["sql"] for query in captured if "DISTINCT" in query["sql"]]
    # Registrations are few; everything else may have millions of rows.
    assert all("lti_ags_registration" in sql for sql in distinct)


class TestSearch:
    """Learners are found byte for byte, without reading every row."""

    @pytest.fixture(autouse=True)
    def _alike(self, world):
        for name in ("A", "a", "á", "a "):
            world.add_attempt(world.add_score(name))
            Result.objects.create(line_item=world.line_item, user_id=name, read_at=NOON)

    @pytest.mark.parametrize("model", [Score, PendingScore, Result, DeliveryAttempt])
    @pytest.mark.parametrize("term", ["A", "a", "á", "a "])
    def test_one_learner(self, boss, model, term):
        found = list(boss.get(address(model, "changelist"), {"q": term}).context["cl"].queryset)
        assert [row.score.user_id if model is DeliveryAttempt else row.user_id for row in found] == [term]

    @pytest.mark.parametrize("model", [Score, Result, DeliveryAttempt])
    def test_nobody_by_a_part(self, boss, model):
        for term in ("u", "%", "u1'", "00000000-0000-0000-0000-000000000000"):
            assert boss.get(address(model, "changelist"), {"q": term}).context["cl"].result_count == 0

    def test_by_the_public_id_of_the_score(self, world, boss):
        for model, row in ((Score, world.score), (DeliveryAttempt, world.attempt)):
            found = boss.get(address(model, "changelist"), {"q": str(world.score.uid)}).context["cl"].queryset
            assert list(found) == [row]

    def test_a_learner_whose_id_is_a_uuid(self, world, boss):
        learner = world.add_score(str(world.score.uid))
        assert list(boss.get(address(Score, "changelist"), {"q": learner.user_id}).context["cl"].queryset) == [learner]

    def test_through_the_index(self, boss):
        rows = boss.get(address(Score, "changelist"), {"q": "a"}).context["cl"].queryset
        assert "user_digest" in str(rows.query)
        if connection.vendor == "sqlite":  # the others read a table as small as this one whole
            assert "(line_item_id=? AND user_digest=?)" in rows.explain()

    @pytest.mark.parametrize(
        ("model", "term", "count"),
        [
            (Registration, "campus", 1),
            (SigningKey, "2026", 1),
            (LineItem, "quiz", 1),
            (Context, "math", 1),
            (Service, "lms", 1),
            (Deployment, "d1", 1),
        ],
    )
    def test_places_by_a_part(self, boss, model, term, count):
        assert boss.get(address(model, "changelist"), {"q": term}).context["cl"].result_count == count


@pytest.mark.parametrize(("model", "name"), [(Score, "code"), (Event, "name")])
def test_a_filter_takes_any_text(world, boss, model, name):
    address = reverse(f"admin:lti_ags_{model._meta.model_name}_changelist")
    assert boss.get(address, {name: "none ☃ such"}).status_code == 200


@pytest.mark.parametrize(("given", "shown"), [(99.99999, "99.99999 / 100"), (8.0, "8 / 100"), (0.1, "0.1 / 100")])
def test_a_score_is_not_rounded(world, boss, given, shown):
    Score.objects.filter(pk=world.pending.pk).update(score_given=given, score_maximum=100)
    assert shown in boss.get(reverse("admin:lti_ags_score_change", args=[world.pending.pk])).content.decode()


def test_a_result_tells_how_it_was_compared(world, boss):
    Result.objects.update(agreement="differs", compared_at=NOON, compared_version=7, diverged_at=NOON)
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text_of(boss, address(Result, "change", world.result))))
    for name, value in {"Agreement": "Differs", "Compared version": "7", "Compared at": "March 1", "Diverged at": "March 1"}.items():
        # Django 6.1 puts the help between the two.
        assert re.search(rf"{name} ?:?( [^.]*\.)? {value}", page), name
    assert "Differs" in text_of(boss, address(Result, "changelist"))
