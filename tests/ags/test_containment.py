"""A URL that somebody gave is below a trusted one, or it is refused; what servers could read in two ways is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags.ags.containment import check_below

CONTAINER = "https://lms.example/api/lti/courses/7/line_items"
MOODLE = "https://lms.example/mod/lti/services.php/2/lineitems?type_id=1"


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        (CONTAINER, CONTAINER),
        (CONTAINER + "/", CONTAINER),
        (CONTAINER + "/5", CONTAINER),
        (CONTAINER + "/5/", CONTAINER + "/"),
        ("https://LMS.example:443/api/lti/courses/7/line_items/5", CONTAINER),
        (CONTAINER + "/5/results?page=2&user_id=a%2Fb", CONTAINER),
        (CONTAINER + "?page=2", CONTAINER),
        (CONTAINER + "/sch%C3%B6n~(1)@x:y", CONTAINER),
        (CONTAINER + "/...", CONTAINER),
        ("https://lms.example/mod/lti/services.php/2/lineitems/5/lineitem?type_id=1", MOODLE),
        ("https://lms.example/mod/lti/services.php/2/lineitems?limit=5&type_id=1&from=5", MOODLE),
        ("https://lms.example/anything", "https://lms.example"),
        ("https://lms.example//odd//base/1", "https://lms.example//odd//base"),
    ],
)
def test_what_is_below(url, trusted):
    check_below(url, trusted)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "must begin with"),
        ("/api/lti/courses/7/line_items/5", "must begin with"),
        ("ftp://lms.example/api/lti/courses/7/line_items/5", "must begin with"),
        ("http://lms.example/api/lti/courses/7/line_items/5", "another origin"),
        ("https://lms.example:444/api/lti/courses/7/line_items/5", "another origin"),
        ("https://lms.example.evil.example/api/lti/courses/7/line_items/5", "another origin"),
        ("https://evil.example/https://lms.example/api/lti/courses/7/line_items", "another origin"),
        ("https://lms.example@evil.example/api/lti/courses/7/line_items/5", "user name"),
        ("https://u:p@lms.example/api/lti/courses/7/line_items/5", "user name"),
        ("https://lms.example\\@evil.example/api/lti/courses/7/line_items/5", "names no host"),
        ("https://lms.example/api/lti/courses/8/line_items/5", "not below"),
        ("https://lms.example/API/lti/courses/7/line_items/5", "not below"),
        ("https://lms.example/api/lti/courses/7/line_items_of_another/5", "not below"),
        ("https://lms.example/api/./lti/courses/7/line_items/5", "not below"),
        (CONTAINER + "/5#x", "fragment"),
        (CONTAINER + "/../../8/line_items", "dot segment"),
        (CONTAINER + "/5/..", "dot segment"),
        (CONTAINER + "/.", "dot segment"),
        (CONTAINER + "//5", "empty segment"),
        (CONTAINER + "/5//", "empty segment"),
        (CONTAINER + "/%2e%2e/8", "two ways"),
        (CONTAINER + "/%2E./8", "two ways"),
        (CONTAINER + "/..%2f8", "two ways"),
        (CONTAINER + "/%252e%252e/8", "two ways"),
        (CONTAINER + "/..%5c8", "two ways"),
        (CONTAINER + "/..;/8", "two ways"),
        (CONTAINER + "/..%3b/8", "two ways"),
        (CONTAINER + "/5%00", "two ways"),
        (CONTAINER + "/5%0d%0a", "two ways"),
        (CONTAINER + "/5%zz", "two ways"),
        (CONTAINER + "/%c0%ae%c0%ae/8", "not UTF-8"),
        (CONTAINER + "/%ff", "not UTF-8"),
        (CONTAINER + "/ü", "percent-encode"),
        (CONTAINER + "/5 6", "percent-encode"),
        (CONTAINER + "/5\r\nX: y", "percent-encode"),
    ],
)
def test_what_is_not(url, why):
    with pytest.raises(ValueError, match=why):
        check_below(url, CONTAINER)


@pytest.mark.parametrize(
    "query", ["", "?type_id=2", "?type_id=1&type_id=2", "?type_id=2&type.id=1", "?type_id=1&type_id[]=2", "?TYPE_ID=2&type_id=1"]
)
def test_the_query_of_the_container_stays(query):
    with pytest.raises(ValueError, match="its query"):
        check_below("https://lms.example/mod/lti/services.php/2/lineitems/5/lineitem" + query, MOODLE)


@given(st.text(max_size=40))
def test_nothing_else_is_ever_raised(text):
    for url in (text, CONTAINER + "/" + text):
        try:
            check_below(url, CONTAINER)
        except ValueError:
            continue
        assert url.startswith(CONTAINER)
        assert ".." not in url.partition("?")[0].split("/")
