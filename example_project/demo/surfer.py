"""A browser without a screen: follows redirects, keeps cookies, fills in forms."""

from __future__ import annotations

import http.cookiejar
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class Form:
    """A form of a page, and what is filled in already."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """A page: its forms, its links, and the data attributes of its elements."""

    def __init__(self, url: str, text: str) -> None:
        super().__init__()
        self.url = url
        self.text = text
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.data: list[dict[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect."""
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(values.get("action", "")))
        elif tag == "input" and self.forms and values.get("type") == "hidden":
            self.forms[-1].fields[values["name"]] = values.get("value", "")
        elif tag == "a" and "href" in values:
            self.links.append(values["href"])
        data = {name.removeprefix("data-"): value for name, value in values.items() if name.startswith("data-")}
        if data:
            self.data.append(data)

    def form_to(self, ending: str) -> Form:
        """The form whose action ends so.

        Raises:
            LookupError: the page has none.
        """
        for form in self.forms:
            if form.action.endswith(ending):
                return form
        raise LookupError(f"{self.url} has no form to …{ending}")


class Surfer:
    """One person's browser."""

    def __init__(self) -> None:
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )

    def get(self, url: str) -> Page:
        """Open ``url``."""
        return self._open(url, None)

    def submit(self, page: Page, form: Form, **filled: str) -> Page:
        """Fill in a form of ``page`` and send it."""
        body = urllib.parse.urlencode({**form.fields, **filled}).encode()
        return self._open(urllib.parse.urljoin(page.url, form.action), body)

    def _open(self, url: str, body: bytes | None) -> Page:
        with self._opener.open(urllib.request.Request(url, body), timeout=30) as answer:  # noqa: S310 - our own processes
            return Page(answer.geturl(), answer.read().decode())
