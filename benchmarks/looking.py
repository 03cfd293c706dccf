"""Looks at a site with 1 000 000 scores: no query may take more than 200 ms on PostgreSQL.

Everything is asked for as often as there are rounds; what counts is its slowest query, and all its queries together.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.test import override_settings

from benchmarks import campus, million
from benchmarks.ratios import Ratio, conclude

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Look = tuple[str, Callable[[], Any]]

METRICS_TOKEN = "benchmark"
_LIMIT_SECONDS = 0.2


class Watch:
    """Times every query."""

    def __init__(self) -> None:
        self.queries: list[tuple[float, str]] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.queries.append((time.perf_counter() - started, sql))


def measure(name: str, look: Callable[[], Any], rounds: int, *, shows_slowest: bool) -> list[Ratio]:
    """The limit ÷ the slowest query, and ÷ all queries; the first look warms up."""
    slowest = Ratio(f"{name}: 200 ms ÷ slowest query", 1)
    whole = Ratio(f"{name}: 200 ms ÷ all queries")
    worst = (0.0, "")
    for number in range(rounds + 1):
        watch = Watch()
        with connection.execute_wrapper(watch):
            look()
        if number:
            slowest.add(_LIMIT_SECONDS, max(watch.queries)[0])
            whole.add(_LIMIT_SECONDS, sum(seconds for seconds, _ in watch.queries))
            worst = max(worst, *watch.queries)
    if shows_slowest or slowest.missed:
        print(f"{name}: {len(watch.queries)} queries; {worst[0] * 1000:.0f} ms: {worst[1][:600]}", file=sys.stderr)
    return [slowest, whole]


def main(said: str, looks: Callable[[], Iterator[Look]]) -> int:
    """Fill, and look."""
    parser = argparse.ArgumentParser(description=said.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="looks at each page (default: 5)")
    parser.add_argument("--scores", type=int, default=1_000_000, help="how many (default: 1 000 000)")
    parser.add_argument("--show", action="store_true", help="print each page's slowest query")
    options = parser.parse_args()
    ratios: list[Ratio] = []
    settings = campus.settings_for(METRICS_TOKEN=METRICS_TOKEN, API_REQUESTS_PER_MINUTE=1_000_000)
    with campus.databases("default"), override_settings(LTI_AGS=settings):
        started = time.perf_counter()
        million.fill(options.scores)
        print(f"{options.scores} scores in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        for name, look in looks():
            ratios += measure(name, look, options.rounds, shows_slowest=options.show)
    return conclude(ratios)
