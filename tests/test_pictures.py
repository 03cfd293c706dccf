"""The pictures of the documentation: each that is named is there, says in words what it shows, and none lies about."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs/images"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MOST_BYTES = 150_000
MOST = 10


class _Pictures(HTMLParser):
    """Every ``<picture>`` of a page: the attributes of its sources and of its image."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.page, self.found = page, []
        text = re.sub(r"^(`{3,}).*?^\1", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        self.other = re.findall(r"!\[|\{image\}|\{figure\}", text)
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "picture":
            self.found.append({})
        if tag in ("source", "img"):
            self.found[-1][tag] = dict(attrs)

    def file(self, name: str) -> Path:
        return (self.page.parent / name).resolve()


@pytest.fixture(scope="module")
def pages():
    return [_Pictures(page) for page in PAGES]


def test_what_is_named_is_there_light_and_dark_and_nothing_lies_about(pages):
    named = set()
    for page in pages:
        for picture in page.found:
            light, dark = page.file(picture["img"]["src"]), page.file(picture["source"]["srcset"])
            assert picture["source"]["media"] == "(prefers-color-scheme: dark)"
            assert light.name.removesuffix("-light.png") == dark.name.removesuffix("-dark.png") != light.name
            named |= {light, dark}
    assert named == {path.resolve() for path in IMAGES.iterdir()}
    assert 0 < len(named) <= MOST


def test_each_says_in_words_what_it_shows(pages):
    said = {(page.file(picture["img"]["src"]), picture["img"].get("alt", "")) for page in pages for picture in page.found}
    assert all(len(words) > 60 for _, words in said)
    assert len({words for _, words in said}) == len({path for path, _ in said}) == len(said)


def test_pictures_are_shown_in_one_way(pages):
    assert [page.page.name for page in pages if page.other] == []


def test_they_are_small_pictures_of_one_size():
    for path in IMAGES.iterdir():
        head = path.read_bytes()
        assert head.startswith(b"\x89PNG\r\n\x1a\n"), path
        assert len(head) < MOST_BYTES, path
        twin = path.with_name(path.name.replace("-light", "-dark")).read_bytes()
        assert twin[16:24] == head[16:24], "width and height, in a PNG's header"
