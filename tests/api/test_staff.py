"""From the admin's pages into the API: staff read by their session what the admin shows them, and change nothing."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings
from django.urls import reverse

from django_lti_ags.models import Registration, Score
from django_lti_ags.scoping import READ_BY_API
from tests import urls as admin_alone
from tests.api import urls as api_alone
from tests.api.conforming import check_answer
from tests.api.conftest import encoded

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = [*admin_alone.urlpatterns, *api_alone.urlpatterns]
READ = ("sync/scores", "sync/lineitems", "sync/registrations")


def nothing(request):
    return Registration.objects.none()


def staff(*needed, **more):
    user = User.objects.create(username=f"staff{User.objects.count()}", **{"is_staff": True} | more)
    user.user_permissions.set(Permission.objects.filter(codename__in=[name.partition(".")[2] for name in needed]))
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


def read(client, path, **headers):
    url = f"/lti/api/{path}"
    answer = client.get(url, **headers)
    check_answer("GET", url, answer)
    return answer.status_code, json.loads(answer.content)


@pytest.fixture
def score(tool):
    tool.post_score()
    return Score.objects.get()


def test_staff_read_what_the_admin_shows_them(tool, score, settings):
    client = staff(*READ_BY_API)
    one = f"sync/scores/{score.uid}"
    assert read(client, one)[1]["userId"] == "u1"
    assert [len(told[1]["scores"]) for told in (read(client, "sync/scores"), read(client, "sync/scores?userId=u2"))] == [1, 0]
    assert read(client, "sync/lineitems")[1]["lineItems"][0]["scores"]["pending"] == 1
    assert read(client, "sync/registrations")[1]["registrations"][0]["uid"] == str(tool.campus.registration.uid)
    assert client.head(f"/lti/api/{one}").status_code == 200
    settings.LTI_AGS = settings.LTI_AGS | {"ADMIN_SCOPE": f"{__name__}.nothing"}
    assert [read(client, path)[1] for path in READ] == [{"scores": []}, {"lineItems": []}, {"registrations": []}]
    assert read(client, one)[0] == 404


def test_nobody_else_reads_and_nobody_changes_anything(tool, score):
    one = f"sync/scores/{score.uid}"
    kept_out = [Client(), staff(), staff(*READ_BY_API, is_staff=False), *(staff(*set(READ_BY_API) - {name}) for name in READ_BY_API)]
    for client in kept_out:
        assert {read(client, path)[0] for path in (*READ, one)} == {401}
    client, before = staff(is_superuser=True), Score.objects.values().get()
    assert read(client, one)[0] == 200
    assert read(client, one, HTTP_AUTHORIZATION="Bearer x")[0] == 401, "who shows a key is not let in for another reason"
    for method, path in (("POST", f"{one}/retry"), ("POST", f"{one}/cancel"), ("POST", "sync/scores"), ("POST", "sync/reconcile")):
        assert client.generic(method, f"/lti/api/{path}", b"{}", content_type="application/json").status_code == 401
    for path in ("idtoken", "lineitems", f"lineitems/{encoded(tool.column)}/scores", "sync/status", "canvas/outcome_results"):
        assert read(client, path)[0] == 401, "the platform's side is for keys"
    assert Score.objects.values().get() == before


def test_the_admins_pages_lead_there_where_there_is_an_api(tool, score):
    client, blind = staff(*READ_BY_API), staff("lti_ags.view_score", "lti_ags.view_lineitem")
    pages = [reverse("admin:lti_ags_score_change", args=[score.pk]), reverse("admin:lti_ags_lineitem_change", args=[score.line_item_id])]
    for page, path in zip(pages, (f"sync/scores/{score.uid}", f"sync/lineitems?lineItem={encoded(tool.column)}"), strict=True):
        assert f'href="/lti/api/{path}"' in client.get(page).content.decode()
        assert read(client, path)[0] == 200
        assert "/lti/api/" not in blind.get(page).content.decode()
        with override_settings(ROOT_URLCONF="tests.urls"):
            assert "/api/" not in client.get(page).content.decode().replace(tool.column, "")
