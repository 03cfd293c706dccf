"""Whether a column and its results can be read: the newest one of each campus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_lti_ags.ags.urls import results_url, with_query
from django_lti_ags.ags.vocabulary import SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY, SCOPE_RESULT_READONLY
from django_lti_ags.doctor.causes import unanswered
from django_lti_ags.doctor.findings import Finding, Side, fail, ok, skipped, warn
from django_lti_ags.exceptions import ExchangeFailed, InvalidAnswer
from django_lti_ags.profiles.advice import ADVICE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django_lti_ags.ags.client import Client
    from django_lti_ags.doctor.case import Case
    from django_lti_ags.models import LineItem

_GONE = (404, 410)


def columns(case: Case) -> Iterator[Finding]:
    """The newest column of each campus, and its results."""
    if case.credentials is None or case.granted is None:
        yield skipped("line_item", "Without a token no column can be read.")
        return
    if not case.line_items:
        yield skipped("line_item", "No launch has brought a column yet. Open the tool's activity in a course, as a learner.")
        return
    client = case.client(case.credentials)
    for line_item in case.line_items:
        if case.granted & {SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY}:
            yield _line_item(case, client, line_item)
        else:
            yield skipped("line_item", f"The platform does not let the tool read {line_item.url}.")
        if SCOPE_RESULT_READONLY in case.granted:
            yield _results(case, client, line_item)
        else:
            yield skipped("results", "The platform does not let the tool read results.")


def _line_item(case: Case, client: Client, line_item: LineItem) -> Finding:
    def read() -> Finding:
        shown = client.get_line_item(line_item.url)
        block = line_item.block_code or line_item.context.block_code
        seen = f"{line_item.url} is {shown.label!r}, of {shown.score_maximum}."
        if block:
            return warn("line_item", f"{seen} Here it is blocked ({block}).", ADVICE.get(block, "Retry its scores."), Side.TOOL)
        return ok("line_item", seen)

    return _asked(case, "line_item", read)


def _results(case: Case, client: Client, line_item: LineItem) -> Finding:
    url = with_query(results_url(line_item.url), [("limit", "1")])

    def read() -> Finding:
        # One page, whatever there is: a listing may have a thousand.
        client.get_result(url)
        return ok("results", f"{url} can be read.")

    return _asked(case, "results", read)


def _asked(case: Case, check: str, read: Callable[[], Finding]) -> Finding:
    try:
        return read()
    except InvalidAnswer as failed:
        todo = "Show this answer to the platform's makers: it is not what AGS 2.0 says."
        return fail(check, str(failed), todo, Side.PLATFORM)
    except ExchangeFailed as failed:
        exchange = failed.exchange
        if exchange.status in _GONE:
            todo = (
                "The column was deleted, or its course. A launch brings the new one; until then its scores rest. Other columns may be well."
            )
            return fail(check, exchange.summary(), todo, Side.PLATFORM)
        return unanswered(check, exchange) or fail(check, exchange.summary(), _advice(case, failed), Side.PLATFORM)


def _advice(case: Case, failed: ExchangeFailed) -> str:
    if failed.exchange.status == 403:
        return "The platform does not let the tool read this. Check its scopes and its permissions in the course."
    return ADVICE[case.profile.judge(failed.exchange).code]
