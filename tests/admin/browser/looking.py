"""How the admin's pages are opened, looked at and driven in Chromium: the one way of all browser tests of the admin.

A page is loaded once and looked at in four ways: light and dark, wide and narrow. With SCREENSHOTS_OF_ALL set, every look is kept there.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from time import monotonic

from tests.chromium import LOOKS

SERIOUS = ("serious", "critical")
EVERYTHING = "{resultTypes: ['violations']}"
COLOURS = "{resultTypes: ['violations'], runOnly: ['color-contrast', 'link-in-text-block']}"
RULES = {"light-wide": EVERYTHING, "light-narrow": COLOURS, "dark-wide": COLOURS, "dark-narrow": EVERYTHING}
"""What axe-core asks of each look: colours of all, the rest once wide and once narrow."""
FOCUSED = "(document.activeElement.textContent || document.activeElement.value || '').replace(/\\s+/g, ' ').trim()"
SETTLE = "document.getAnimations().forEach((one) => one.finish())"
"""Colours that are on their way from light to dark arrive."""
SECONDS = 20


@cache
def axe() -> str:
    """axe-core's script; not read at import, since only the browser tests' environment has it."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def watched(page):
    """``page.problems``: what the browser complains of, without the icon that no test site has."""
    page.problems = []
    page.set_default_timeout(SECONDS * 1000)
    page.on("pageerror", lambda problem: page.problems.append(str(problem)))
    page.on("console", lambda message: _complaint(page, message))
    return page


def _complaint(page, message) -> None:
    address = message.location["url"]
    # axe-core, a script without an address, tries styles out and is refused some; the word of it may come when the next page is there.
    of_axe = not address and "inline style" in message.text
    if message.type == "error" and "favicon" not in address and not of_axe:
        page.problems.append(f"{message.text} ({address})")


def inspect(page, name: str) -> dict:
    """What is wrong with the page as it stands, per look: empty if nothing is refused, too wide or seriously hard to use."""
    found = {"console": page.problems[:]} if page.problems else {}
    size = page.viewport_size
    page.evaluate(axe())
    for look, options in LOOKS.items():
        page.emulate_media(color_scheme=options["color_scheme"])
        page.set_viewport_size(options["viewport"])
        page.evaluate(SETTLE)
        if wrong := _looked_at(page, look):
            found[look] = wrong
        if os.environ.get("SCREENSHOTS_OF_ALL"):
            page.screenshot(path=str(Path(os.environ["SCREENSHOTS_OF_ALL"]) / f"{name}-{look}.png"), full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(size)
    page.problems.clear()
    return found


def _looked_at(page, look: str) -> list:
    found = page.evaluate(f"axe.run(document, {RULES[look]}).then(results => results.violations)")
    wrong = [(rule["id"], [node["target"] for node in rule["nodes"]][:3]) for rule in found if rule["impact"] in SERIOUS]
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [*wrong, ("wider by", wider)] if wider > 0 else wrong


def until(page, said: str) -> None:
    """Wait for a condition in JavaScript. Playwright's own waiting evaluates text in the page, which its policy refuses."""
    end = monotonic() + SECONDS
    while not page.evaluate(said):
        assert monotonic() < end, f"{said} did not come true on {page.url}"
        page.wait_for_timeout(50)


def tab_to(page, selector: str) -> None:
    """Go by Tab alone to what a selector finds."""
    _tab(page, f"document.activeElement.matches({selector!r})", selector)


def press(page, name: str) -> None:
    """Go by Tab alone to the link or button of that name, and press it."""
    _tab(page, f"{FOCUSED} === {name!r}", name)
    enter(page)


def enter(page) -> None:
    """Press what has the focus, and arrive where it leads."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _tab(page, arrived: str, what: str) -> None:
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate(arrived):
            return
    raise AssertionError(f"{what!r} is not reached by keyboard on {page.url}")


def pick(page, selector: str, text: str) -> None:
    """Choose in a list by keyboard: the first letters do."""
    tab_to(page, selector)
    page.keyboard.type(text)
    assert page.evaluate("document.activeElement.selectedOptions[0].text").startswith(text)


def act(page, action: str) -> None:
    """On a list: the first row, an action, and go, all by keyboard."""
    pick(page, "select[name=action]", action)
    tab_to(page, "input.action-select")
    page.keyboard.press("Space")
    enter(page)  # as in any form
