"""The platform's half of a launch, up to the form that a browser would post to the tool."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from django_lti_ags.ags import vocabulary
from django_lti_ags.testing.platforms import SimulatedPlatform, User
from tests.testing.conftest import Plain

PREFIX = vocabulary.LTI_CLAIM_PREFIX


def begin(plain, user_id="u1", link=None, **changed):
    """The authentication request of a tool that was sent to log somebody in."""
    _, parameters = plain.platform.launches.initiation(plain.course.users[user_id], plain.course, link or plain.link)
    right = {
        "client_id": parameters["client_id"],
        "redirect_uri": "http://tool.example/launch",
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "state": "s",
        "nonce": "n",
        "login_hint": parameters["login_hint"],
        "lti_message_hint": parameters["lti_message_hint"],
    } | changed
    return {name: value for name, value in right.items() if value is not None}


def send(plain, form, method="POST", **options):
    place = {"data": form} if method == "POST" else {"params": form}
    return plain.session.request(method, plain.platform.auth_url, timeout=10, **place, **options)


def refusal(answer):
    return answer.status_code, answer.json()["error"]


def fields(page):
    return {html.unescape(name): html.unescape(value) for name, value in re.findall(r'name="([^"]*)" value="([^"]*)"', page)}


def verified(plain, page):
    """The id token's claims, checked with the key that is published over HTTP."""
    token = fields(page)["id_token"]
    published = plain.session.get(plain.platform.jwks_url, timeout=10).json()["keys"]
    [key] = [key for key in published if key["kid"] == jwt.get_unverified_header(token)["kid"]]
    options = {"require": ["iss", "aud", "sub", "iat", "exp", "nonce"]}
    return jwt.decode(token, jwt.PyJWK(key).key, ["RS256"], audience="quiz", issuer=plain.platform.issuer, options=options)


def test_how_a_launch_starts(plain):
    url, parameters = plain.platform.launches.initiation(plain.course.users["u1"], plain.course, plain.link)
    hint = parameters.pop("lti_message_hint")
    assert url == "http://tool.example/login"
    assert parameters == {
        "iss": plain.platform.base_url,
        "client_id": "quiz",
        "lti_deployment_id": "1",
        "target_link_uri": "http://tool.example/launch",
        "login_hint": "u1",
    }
    whole = urlsplit(plain.platform.launches.initiation_url(plain.course.users["u1"], plain.course, plain.link))
    sent = {name: value for name, [value] in parse_qs(whole.query).items()}
    assert whole.path == "/login"
    assert sent.pop("lti_message_hint") != hint
    assert sent == parameters


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_id_token_carries_the_claims(plain, method):
    answer = send(plain, begin(plain), method)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert 'method="post" action="http://tool.example/launch"' in answer.text
    assert fields(answer.text)["state"] == "s"
    claims = verified(plain, answer.text)
    assert (claims["sub"], claims["nonce"], claims["azp"], claims["name"]) == ("u1", "n", "quiz", "One <1>")
    assert claims["exp"] - claims["iat"] == 60
    assert claims[PREFIX + "message_type"] == "LtiResourceLinkRequest"
    assert claims[PREFIX + "version"] == "1.3.0"
    assert claims[PREFIX + "deployment_id"] == "1"
    assert claims[PREFIX + "target_link_uri"] == "http://tool.example/launch"
    assert claims[PREFIX + "resource_link"] == {"id": plain.link.id, "title": "Quiz"}
    assert claims[PREFIX + "roles"] == ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"]
    assert (claims[PREFIX + "context"]["id"], claims[PREFIX + "context"]["title"]) == ("c", "Course")
    assert claims[PREFIX + "tool_platform"]["product_family_code"] == "simulated"
    assert claims[vocabulary.AGS_ENDPOINT_CLAIM] == {
        "scope": list(plain.tool.scopes),
        "lineitems": plain.container,
        "lineitem": plain.item,
    }


def test_an_instructors_role(plain):
    claims = verified(plain, send(plain, begin(plain, "t1")).text)
    assert claims[PREFIX + "roles"] == ["http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"]


def test_a_link_without_a_column_has_none_in_its_claim(plain):
    link = plain.platform.add_link(plain.course, "Reading", plain.tool, score_maximum=None)
    claims = verified(plain, send(plain, begin(plain, link=link)).text)
    assert set(claims[vocabulary.AGS_ENDPOINT_CLAIM]) == {"scope", "lineitems"}


def test_a_column_that_was_deleted_is_not_in_the_claim(plain):
    assert plain.call("DELETE", plain.item).status_code == 204
    claims = verified(plain, send(plain, begin(plain)).text)
    assert set(claims[vocabulary.AGS_ENDPOINT_CLAIM]) == {"scope", "lineitems"}


def test_the_claim_names_a_links_only_column(plain):
    """AGS 2.0, 3.1: it is there when the link has exactly one, whoever made it."""
    bare = plain.platform.add_link(plain.course, "Reading", plain.tool, score_maximum=None)
    made = []
    for _ in range(2):
        body = {"label": "E", "scoreMaximum": 5, "resourceLinkId": bare.id}
        made.append(plain.call("POST", plain.container, body, media=vocabulary.MEDIA_LINE_ITEM).json()["id"])
        claims = verified(plain, send(plain, begin(plain, link=bare)).text)
        assert claims[vocabulary.AGS_ENDPOINT_CLAIM].get("lineitem") == (made[0] if len(made) == 1 else None)


def test_a_public_url_is_what_the_platform_calls_itself(tool_key):
    with SimulatedPlatform(public_url="https://lms.example") as platform:
        plain = Plain(platform, tool_key)
        _, parameters = platform.launches.initiation(plain.course.users["u1"], plain.course, plain.link)
        assert parameters["iss"] == platform.issuer == "https://lms.example"
        assert platform.auth_url == "https://lms.example/oidc/auth"
        assert plain.container == "https://lms.example/ags/c/lineitems"
        plain.session.close()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"client_id": "other"}, "unknown client_id"),
        ({"client_id": None}, "unknown client_id"),
        ({"redirect_uri": "http://evil.example/launch"}, "redirect_uri"),
        ({"redirect_uri": "http://tool.example/launch/"}, "redirect_uri"),
        ({"redirect_uri": None}, "redirect_uri"),
        ({"scope": "openid email"}, "scope must be openid"),
        ({"response_type": "code"}, "response_type must be id_token"),
        ({"response_mode": "query"}, "response_mode must be form_post"),
        ({"response_mode": None}, "response_mode must be form_post"),
        ({"prompt": None}, "prompt must be none"),
        ({"state": None}, "state and nonce"),
        ({"state": ""}, "state and nonce"),
        ({"nonce": None}, "state and nonce"),
        ({"login_hint": "t1"}, "no such launch"),
        ({"login_hint": None}, "no such launch"),
        ({"lti_message_hint": "made up"}, "no such launch"),
        ({"lti_message_hint": None}, "no such launch"),
    ],
)
def test_wrong_authentication_requests(plain, changed, words):
    status, why = refusal(send(plain, begin(plain, **changed)))
    assert status == 400
    assert words in why


def test_a_hint_is_good_once(plain):
    form = begin(plain)
    assert send(plain, form).status_code == 200
    assert refusal(send(plain, form)) == (400, "no such launch was begun, or it was used already")


def test_a_hint_of_another_tool(plain, tool_key):
    plain.platform.register_tool(client_id="other", public_jwks={"keys": [tool_key.jwk]}, redirect_uris=["http://tool.example/launch"])
    assert refusal(send(plain, begin(plain, client_id="other")))[1].startswith("no such launch")


def test_who_is_logged_in_is_asked_of_the_site(plain):
    everybody = plain.course.users
    plain.platform.launches.session_user = lambda request: everybody.get(request.cookies.get("who", ""))
    assert refusal(send(plain, begin(plain), headers={"Cookie": "who=t1"})) == (403, "somebody else is logged in")
    assert send(plain, begin(plain), headers={"Cookie": "who=u1"}).status_code == 200
    assert send(plain, begin(plain)).status_code == 200  # nobody: a platform without pages


def test_nothing_that_was_sent_becomes_markup(plain):
    evil = "\"><script>alert('x')</script>&amp;"
    plain.course.enrol(User(id=evil, login="e", name="E"))
    link = plain.platform.add_link(plain.course, "</title><script>1</script>", plain.tool)
    plain.tool.redirect_uris = ["http://tool.example/launch?a=\"1\"&b='2'"]
    page = send(plain, begin(plain, evil, link, state=evil, nonce=evil, redirect_uri=plain.tool.redirect_uris[0])).text
    assert page.count("<script>") == 1
    assert "<title>&lt;/title&gt;" in page
    assert 'action="http://tool.example/launch?a=&quot;1&quot;&amp;b=&#x27;2&#x27;"' in page
    assert fields(page)["state"] == evil
    claims = verified(plain, page)
    assert (claims["sub"], claims["nonce"]) == (evil, evil)


def test_the_published_key_set_is_public(plain):
    [key] = plain.session.get(plain.platform.jwks_url, timeout=10).json()["keys"]
    assert (key["kty"], key["alg"], key["use"], key["kid"]) == ("RSA", "RS256", "sig", plain.platform.launches.kid)
    assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key)


def test_a_claim_may_be_signed_under_a_wrong_kid(plain):
    token = plain.platform.launches.sign({"sub": "u1"}, kid="other")
    assert jwt.get_unverified_header(token)["kid"] == "other"


def test_launches_are_in_the_ledger(plain):
    form = begin(plain)
    send(plain, form, "GET")
    send(plain, form)
    first, second = plain.platform.ledger.of("launch")
    assert (first.method, first.status, first.body["nonce"]) == ("GET", 200, "n")
    assert (second.method, second.status, second.applied) == ("POST", 400, False)
