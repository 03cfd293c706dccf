"""A Chromium for the tests that need one."""

import pytest

from tests.chromium import FLAGS, binary


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary(), args=FLAGS)
        yield browser
        browser.close()
