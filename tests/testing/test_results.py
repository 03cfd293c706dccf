"""Results, as a tool reads them."""

import pytest

from django_lti_ags.ags import vocabulary
from django_lti_ags.testing.platforms import SimulatedPlatform, User
from tests.testing.conftest import Plain

RESULTS = vocabulary.MEDIA_RESULT_CONTAINER


def grade(plain, user_id="u1", given=8.0, **more):
    body = {
        "userId": user_id,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": "2026-01-01T00:00:00.0Z",
    } | more
    if given is not None:
        body |= {"scoreGiven": given, "scoreMaximum": 20}
    answer = plain.call("POST", plain.item + "/scores", body, media=vocabulary.MEDIA_SCORE)
    assert answer.status_code == 200
    return answer.json()["resultUrl"]


@pytest.fixture
def crowd(plain):
    """Twelve learners; the column shows a grade of each."""
    for number in range(12):
        plain.course.enrol(User(id=f"x{number}", login=f"x{number}", name="X"))
        plain.platform.set_result(plain.link.line_item, f"x{number}", number)
    return plain


def test_nothing_graded_is_an_empty_list(plain):
    answer = plain.call("GET", plain.item + "/results", accept=RESULTS)
    assert (answer.status_code, answer.headers["Content-Type"], answer.json()) == (200, RESULTS, [])


def test_a_result_is_on_the_columns_scale(plain):
    url = grade(plain, comment="good", scoringUserId="t1")
    expected = {
        "id": url,
        "scoreOf": plain.item,
        "userId": "u1",
        "resultScore": 4.0,
        "resultMaximum": 10,
        "comment": "good",
        "scoringUserId": "t1",
    }
    assert plain.call("GET", plain.item + "/results", accept=RESULTS).json() == [expected]
    alone = plain.call("GET", url)
    assert (alone.status_code, alone.json()) == (200, expected)


def test_a_score_without_a_number_is_no_result_in_the_list(plain):
    url = grade(plain, given=None, comment="see me")
    assert plain.call("GET", plain.item + "/results").json() == []
    assert plain.call("GET", url).json() == {"id": url, "scoreOf": plain.item, "userId": "u1", "comment": "see me"}


def test_one_learners_result(crowd):
    [result] = crowd.call("GET", crowd.item + "/results?user_id=x7").json()
    assert (result["userId"], result["resultScore"]) == ("x7", 7)
    assert crowd.call("GET", crowd.item + "/results?user_id=nobody").json() == []


@pytest.mark.parametrize("user_id", ["a b", "é", "x/y", "50%", "a?b#c", "a%20b"])
def test_any_learners_result_has_a_url_that_works(plain, user_id):
    plain.course.enrol(User(id=user_id, login="x", name="X"))
    url = grade(plain, user_id)
    assert url.isascii()
    assert " " not in url
    answer = plain.call("GET", url)
    assert (answer.status_code, answer.json()["userId"], answer.json()["id"]) == (200, user_id, url)


def test_a_course_of_any_name(plain):
    plain.course = plain.platform.add_course("a b/c", "Course", plain.course.users.values())
    plain.link = plain.platform.add_link(plain.course, "Quiz", plain.tool, score_maximum=10)
    plain.item = plain.platform.line_item_url(plain.course, plain.link.line_item)
    assert plain.call("GET", grade(plain)).json()["scoreOf"] == plain.item
    assert plain.item.startswith(plain.platform.base_url + "/ags/a%20b%2Fc/")


def test_pages_of_ten_unless_asked_otherwise(crowd):
    first = crowd.call("GET", crowd.item + "/results")
    assert [result["userId"] for result in first.json()] == [f"x{number}" for number in range(10)]
    last = crowd.call("GET", first.links["next"]["url"])
    assert [result["userId"] for result in last.json()] == ["x10", "x11"]
    assert "next" not in last.links
    url, sizes = crowd.item + "/results?limit=5", []
    while url:
        answer = crowd.call("GET", url)
        sizes.append(len(answer.json()))
        url = answer.links.get("next", {}).get("url")
    assert sizes == [5, 5, 2]


def test_the_columns_query_is_kept_on_the_way_to_its_results(tool_key):
    with SimulatedPlatform(line_item_query="type_id=2") as platform:
        plain = Plain(platform, tool_key)
        for number in range(3):
            platform.set_result(plain.link.line_item, f"x{number}", number)
        path, _, query = plain.item.partition("?")
        assert plain.call("GET", f"{path}/results").status_code == 400
        first = plain.call("GET", f"{path}/results?{query}&limit=2")
        assert first.json()[0]["id"] == f"{path}/results/x0?type_id=2"
        assert plain.call("GET", first.json()[0]["id"]).json() == first.json()[0]
        assert len(plain.call("GET", first.links["next"]["url"]).json()) == 1
        plain.session.close()


def test_refusals(plain):
    for path, accept, status in (("/results", "application/json", 406), ("/results?limit=x", None, 400), ("/results/nobody", None, 404)):
        assert plain.call("GET", plain.item + path, accept=accept).status_code == status
    assert plain.call("POST", plain.item + "/results", {}).status_code == 405


def test_the_ledger_shows_who_read(crowd):
    crowd.call("GET", crowd.item + "/results?user_id=x7")
    [entry] = crowd.platform.ledger.of("results")
    assert (entry.query, entry.client_id, entry.applied, entry.body) == ("user_id=x7", "quiz", False, None)
