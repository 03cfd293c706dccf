"""A column's page in the admin, as the tests read it and press its buttons."""

from __future__ import annotations

from django.contrib.messages import get_messages
from django.urls import reverse

from django_lti_ags.models import LineItem
from tests.admin.conftest import address


def page_of(browser, line_item, **query):
    return browser.get(address(LineItem, "change", line_item), query)


def totals_of(browser, line_item):
    return {total.agreement: total.count for total in page_of(browser, line_item).context["totals"]}


def decide(browser, line_item, what, **form):
    return browser.post(reverse(f"admin:lti_ags_lineitem_{what}", args=[line_item.pk]), form)


def told(response):
    """The newest message: those before are kept until a page shows them."""
    return [(message.level_tag, str(message)) for message in get_messages(response.wsgi_request)][-1:]
