"""Where a text names a learner, and where it only looks like it."""

import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags.sync.mentions import FORGOTTEN, Mentions

LONG = "5f3c8a-11ee"
ODD = 'ünï/"çødé" + 7'


@pytest.mark.parametrize(
    "text",
    [
        f'{{"userId": "{LONG}", "resultScore": 5}}',
        f"https://lms.example/results?user_id={LONG}&page=2",
        f"https://lms.example/results/{LONG}",
        f"User {LONG} is not enrolled.",
        f"x%3D{LONG}",
    ],
)
def test_a_distinctive_id_is_found_wherever_it_stands_whole(text):
    mentions = Mentions(LONG)
    assert mentions.named_in(text)
    assert mentions.without(text) == text.replace(LONG, FORGOTTEN)


@pytest.mark.parametrize("text", [f"{LONG}0", f"a{LONG}", f"{LONG}-2", LONG.upper(), f"{LONG}.edu", "", LONG[:-1]])
def test_another_id_is_not_taken_for_it(text):
    assert not Mentions(LONG).named_in(text)
    assert Mentions(LONG).without(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ('{"userId":"5","resultScore":5}', f'{{"userId":"{FORGOTTEN}","resultScore":5}}'),
        ('{"userId": 5}', f'{{"userId": {FORGOTTEN}}}'),
        ('{"scoringUserId":"5"}', f'{{"scoringUserId":"{FORGOTTEN}"}}'),
        ('"{\\"userId\\":\\"5\\"}"', f'"{{\\"userId\\":\\"{FORGOTTEN}\\"}}"'),
        ("/5/lineitems/5/results?user_id=5", f"/5/lineitems/5/results?user_id={FORGOTTEN}"),
        ("/5/lineitems/5/results/5", f"/5/lineitems/5/results/{FORGOTTEN}"),
        ("user 5 not found", f"user {FORGOTTEN} not found"),
    ],
)
def test_a_short_id_is_found_beside_a_word_for_a_person(text, cleaned):
    assert Mentions("5").named_in(text)
    assert Mentions("5").without(text) == cleaned


@pytest.mark.parametrize("text", ['{"id":"5","resultScore":5}', "user_id=55", "user_id=5.5", "/lineitems/5", "5", '{"userId":"A5"}'])
def test_a_short_id_is_not_found_elsewhere(text):
    assert not Mentions("5").named_in(text)


def test_case_matters_in_the_id_and_not_in_its_escapes():
    assert not Mentions("abcdefgh").named_in("Abcdefgh")
    assert not Mentions("u").named_in("user_id=U")
    for text in (quote(ODD, safe=""), re.sub("%..", lambda escape: escape[0].lower(), quote(ODD, safe=""))):
        assert Mentions(ODD).named_in(f"user_id={text}"), text


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1).filter(
        lambda user_id: user_id.strip() and user_id not in FORGOTTEN
    )
)
def test_every_id_is_found_in_json_and_in_urls(user_id):
    mentions = Mentions(user_id)
    for text in (
        json.dumps({"userId": user_id}),
        json.dumps({"userId": user_id}, ensure_ascii=False),
        json.dumps({"userId": user_id}).replace("/", "\\/"),
        f"https://lms.example/results?user_id={quote(user_id, safe='')}",
    ):
        assert mentions.named_in(text)
        assert not mentions.named_in(mentions.without(text))


def test_mappings_keep_what_is_no_text():
    assert Mentions("u1").without_in({"link": "</results?user_id=u1>", "n": 1}) == {"link": f"</results?user_id={FORGOTTEN}>", "n": 1}
