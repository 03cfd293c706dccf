"""What a claim costs with 1 000 000 scores waiting, beside 10 000: it must not grow with the backlog.

A claim is all that the engine does to get work: ask the clock, find the campuses with something due, lock and lease their oldest
rows, load the line items. One tool with ten campuses is measured on two databases in turns, with the same batch; what is claimed
stays claimed, as in life. The large outbox also keeps half a million delivered scores, which must not count either.
"""

from __future__ import annotations

import argparse
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.test import override_settings

from benchmarks import campus
from benchmarks.ratios import Ratio, conclude
from django_lti_ags import scores
from django_lti_ags.models import Score, SyncState
from django_lti_ags.sync.engine import Engine

if TYPE_CHECKING:
    from django_lti_ags.models import LineItem

_CAMPUSES = 10
_BATCH = 50
_CLAIMS = 10
"""Per round; the median of them counts."""
_OWN_VALUES = {
    "uid": "gen_random_uuid()",
    "user_id": "'learner-' || number",
    "user_digest": "encode(sha256(convert_to(%(salt)s || number, 'UTF8')), 'hex')",
    "due_at": "now() - number * interval '1 millisecond'",
}
_DELIVERED = {"state": f"'{SyncState.DELIVERED}'", "due_at": "NULL"}


class Outbox:
    """One database with ``waiting`` scores that are due, and ``delivered`` ones beside them."""

    def __init__(self, alias: str, waiting: int, delivered: int = 0) -> None:
        self._settings = campus.settings_for(DATABASE=alias)
        with override_settings(LTI_AGS=self._settings):
            for number in range(_CAMPUSES):
                column = campus.new_column(campus.register(f"http://campus-{number}.example", 0))
                template = scores.record(column, user_id="template", score_given=8, score_maximum=10)
                _copy(template, column, waiting // _CAMPUSES, "waiting")
                _copy(template, column, delivered // _CAMPUSES, "delivered", **_DELIVERED)
            with connections[alias].cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")

    def claim_seconds(self) -> float:
        """The median of some claims by a worker that holds nothing yet."""
        with override_settings(LTI_AGS=self._settings):
            return median(self._one_claim() for _ in range(_CLAIMS))

    @staticmethod
    def _one_claim() -> float:
        engine = Engine()
        try:
            started = time.perf_counter()
            claimed = engine._claims.take(_BATCH)  # noqa: SLF001 - nothing else is to be in the time
            seconds = time.perf_counter() - started
        finally:
            engine.close()
        if claimed != _BATCH:
            raise AssertionError(f"{claimed} claimed, not {_BATCH}")
        return seconds


def _copy(template: Score, column: LineItem, many: int, salt: str, **changed: str) -> None:
    """``many`` rows like ``template``, each for a learner of its own."""
    own = {**_OWN_VALUES, **changed}
    names = [field.column for field in Score._meta.concrete_fields if not field.primary_key]
    table = Score._meta.db_table
    values = ", ".join(own.get(name, f'"{name}"') for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    sql = f"INSERT INTO {table} ({listed}) SELECT {values} FROM {table}, generate_series(1, %(many)s) AS number WHERE id = %(template)s"
    parameters: dict[str, Any] = {"many": many, "template": template.pk, "salt": f"{salt}-"}
    with connections[column._state.db].cursor() as cursor:
        cursor.execute(sql, parameters)


def main() -> int:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="pairs (default: 9)")
    rounds = parser.parse_args().rounds
    ratio = Ratio("claim with 1 000 000 waiting ÷ with 10 000", 1.3, at_most=True)
    with campus.databases("default", "second"):
        small, large = Outbox("default", 10_000), Outbox("second", 1_000_000, 500_000)
        for number in range(rounds + 1):
            seconds = large.claim_seconds(), small.claim_seconds()
            if number:
                ratio.add(*seconds)
    return conclude([ratio])


if __name__ == "__main__":
    sys.exit(main())
