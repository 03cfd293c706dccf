"""The clock that leases and schedules go by: the database's, since every worker shares it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from django_lti_ags import conf
from django_lti_ags.sync.outbox_sql import database_now

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """Tells the time, aware."""

    def now(self) -> datetime:
        """The time, in UTC."""


class DatabaseClock:
    """The outbox's database's clock."""

    def now(self) -> datetime:
        """One query."""
        return database_now(conf.get("database"))
