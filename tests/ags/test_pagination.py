"""The Link header as platforms write it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags.ags.pagination import ForeignPage, links, next_url
from django_lti_ags.ags.urls import origin

HERE = "https://lms.example/li?page=1"


@pytest.mark.parametrize(
    "header",
    [
        '<https://lms.example/li?page=2>; rel="next"',
        "<https://lms.example/li?page=2>;rel=next",
        '<https://lms.example/li?page=2>; REL="NEXT"',
        "<https://lms.example/li?page=2>; rel='next'",
        '<https://lms.example/li?page=2>; rel="last next"',
        ('<https://lms.example/li?page=1>; rel="current",<https://lms.example/li?page=2>; rel="next",<https://lms.example/li?page=9>'),
        '<https://lms.example/li?page=0>; title="a, b; <c>"; rel="prev", <https://lms.example/li?page=2>; title="x, rel=prev"; rel="next"',
        '<https://lms.example/li?page=2>; title="say \\"next\\""; rel=next',
        "<https://lms.example/li?page=2>; rel=“next”",
        '<?page=2>; rel="next"',
        "</li?page=2>; rel=next; foo",
        "</li?page=2>;;rel=next",
        "</li?page=2>; ; ;rel=next;;",
        '</li?page=2>; rel="next',
        '</li?page=2>; rel="next last',
    ],
)
def test_the_next_page_is_found(header):
    assert next_url(header, HERE) == "https://lms.example/li?page=2"


def test_moodles_escaped_ampersands_are_read():
    header = "<https://lms.example/li?type_id=2&amp;limit=1&amp;from=1>; rel=“next”"
    assert next_url(header, HERE) == "https://lms.example/li?type_id=2&limit=1&from=1"


def test_the_case_of_a_cursor_is_kept():
    assert next_url('<https://lms.example/li?page=AbC,dEf>; rel="next"', HERE) == "https://lms.example/li?page=AbC,dEf"


@pytest.mark.parametrize(
    "header",
    [None, "", "nonsense", '<https://lms.example/li?page=0>; rel="prev"', "<https://lms.example/x>", '<x>; rel="nextish"', "<<>>;;,,"],
)
def test_the_last_page(header):
    assert next_url(header, HERE) is None


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/li",
        "http://lms.example/li",
        "https://lms.example:8443/li",
        "//evil.example/li",
        "javascript:x",
        "https://a@lms.example/",
    ],
)
def test_a_foreign_page_is_refused(target):
    with pytest.raises(ForeignPage):
        next_url(f'<{target}>; rel="next"', HERE)


@given(st.text())
def test_no_header_breaks_it(header):
    try:
        found = next_url(header, HERE)
    except ForeignPage:
        return
    assert found is None or found.startswith("https://lms.example")


def test_moodles_next_page_is_found_as_it_comes_over_a_socket(script, transport):
    """The header's bytes are UTF-8, which http.client reads as Latin-1."""
    link = "Link: </li?type_id=2&amp;limit=1&amp;from=1>; rel=“next”\r\n".encode()
    server = script(["read", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + link + b"\r\n[]"])
    exchange = transport().send("results", "GET", server.url + "/li?type_id=2")
    assert next_url(exchange.headers["link"], exchange.url) == server.url + "/li?type_id=2&limit=1&from=1"


@pytest.mark.parametrize("name", ["params", "region", "section", "current_page", "copy", "not_before", "lt", "amp", "quot"])
def test_a_parameter_that_begins_like_an_entity_is_none(name):
    url = f"https://lms.example/li?page=1&{name}=2"
    assert next_url(f"<{url}>; rel=next", HERE) == url


@pytest.mark.parametrize("escaped", ["&amp;", "&AMP;", "&#38;", "&#038;", "&#x26;"])
def test_an_escaped_ampersand_is_one(escaped):
    assert next_url(f"<https://lms.example/li?a=1{escaped}b=2>; rel=next", HERE) == "https://lms.example/li?a=1&b=2"


@pytest.mark.parametrize("path", ["/li?", "/li;?p=2", "/a/../li?p=2", "/li?p=2#", "/li?p=a?b;c,d", "/LI?P=%2f%2F"])
def test_an_absolute_url_is_taken_byte_for_byte(path):
    assert next_url(f"<https://lms.example{path}>; rel=next", HERE) == f"https://lms.example{path}"


@pytest.mark.parametrize("target", ["https://[bad", "//[bad", "https://lms.example:port/", "https://lms.example/a b"])
def test_a_next_page_that_is_no_url_is_told_apart_from_no_page(target):
    with pytest.raises(ForeignPage, match="cannot be used"):
        next_url(f"<{target}>; rel=next", HERE)


def test_an_empty_reference_is_this_page():
    assert next_url("<>; rel=next", HERE) == HERE  # RFC 3986, 5.2.2; the client sees the circle


PIECES = [
    "<",
    ">",
    "/li?p=2",
    "https://lms.example/",
    "https://[",
    ";",
    ",",
    "=",
    " ",
    '"',
    "'",
    "\\",
    "rel",
    "next",
    "“",
    "â\x80\x9c",
    "&amp;",
    "&#",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_no_mixture_of_pieces_breaks_it(header):
    try:
        found = next_url(header, HERE)
    except ForeignPage:
        return
    assert found is None or origin(found) == "https://lms.example"


@pytest.mark.parametrize(
    "piece",
    [" ", "<", "<a>", ";", '<a>;a="', "<a>;a='", '\\"', "<a>; a", "<a>; ", ",", "=", "<a>;rel=", "\t ", "<a>;;", ";;;a", "<a>;a=\\"],
)
def test_the_time_to_read_grows_with_the_length_alone(piece):
    """A hostile server may send as much as http.client takes: a hundred lines of 64 KB."""
    header = "x" + piece * (400_000 // len(piece)) + "x"
    begun = time.thread_time()
    next_url(header, HERE)
    assert time.thread_time() - begun < 10  # quadratic: minutes; linear: a fraction of a second, however busy the machine


def test_the_first_of_a_name_counts():
    assert links('<a>; REL="next"; rel=prev; flag; title="say \\"x\\"", <b>;x=1') == [
        ("a", {"rel": "next", "flag": "", "title": 'say "x"'}),
        ("b", {"x": "1"}),
    ]


TOKENS = st.text("abcXYZ019-", min_size=1, max_size=6)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=10)


@given(st.lists(st.tuples(TOKENS, st.dictionaries(TOKENS.map(str.casefold), VALUES, max_size=3)), max_size=4))
def test_what_is_written_by_the_book_is_read(wanted):
    def quoted(value):
        return value.replace("\\", "\\\\").replace('"', '\\"')

    header = ", ".join(
        f"<{target}>" + "".join(f'; {name}="{quoted(value)}"' for name, value in parameters.items()) for target, parameters in wanted
    )
    assert links(header) == wanted


def test_a_quote_that_is_not_closed_takes_the_rest():
    assert links('<a>; rel="next, <b>; rel=prev') == [("a", {"rel": "next, <b>; rel=prev"})]
    assert links('<a>; title="x\\') == [("a", {"title": "x"})]
    assert links('<a>; title="x\\"') == [("a", {"title": 'x"'})]
