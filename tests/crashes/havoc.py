"""What goes wrong while scores are recorded and delivered: processes die and freeze, connections are cut, platforms fail."""

from __future__ import annotations

import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from django.db import connection, connections, transaction

from django_lti_ags import canvas, scores
from django_lti_ags.models import LineItem
from tests.crashes.nursery import Nursery

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Every other value is handed in so many seconds after it: a submission of its own."""


class RolledBack(Exception):
    """The tool changed its mind."""


class Writers:
    """Threads that record scores, of which half are rolled back; a value is used once, so it tells where it came from."""

    def __init__(self, columns: list[LineItem], learners: int, keep: str = "newest") -> None:
        self.rolled_back: set[float] = set()
        self.handed_in: set[tuple[str, float]] = set()
        """(learner, value) of what was committed with a submission."""
        self.committed = 0
        self.problems: list[BaseException] = []
        self._columns, self._learners, self._keep = columns, learners, keep
        self._values = iter(range(1, 10_000_000))
        self._lock = threading.Lock()
        self.sessions: set[int] = set()
        """The database's sessions of these threads."""
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(Random(seed),)) for seed in range(3)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, and wait for it."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, random: Random) -> None:
        try:
            self.sessions.add(session_id())
            while not self._stop.wait(0.005):
                self._one(random)
        except BaseException as problem:
            self.problems.append(problem)
            raise
        finally:
            connections.close_all()

    def _one(self, random: Random) -> None:
        with self._lock:
            value = float(next(self._values))
        column = random.choice(self._columns)
        handed_in = {"submission": canvas.Submission(submitted_at=EPOCH + timedelta(seconds=value))} if value % 2 else {}
        users = {f"u{random.randint(1, self._learners)}" for _ in range(random.choice((1, 1, 1, 5)))}
        said = {"score_given": value, "score_maximum": 10_000_000, "comment": f"version {value:g}", "keep": self._keep, **handed_in}
        try:
            with transaction.atomic():
                if len(users) == 1:
                    scores.record(column, user_id=min(users), **said)
                else:
                    scores.record_many(column, [{"user_id": user, **said} for user in sorted(users)])
                if random.random() < 0.5:
                    raise RolledBack
        except RolledBack:
            self.rolled_back.add(value)
        else:
            with self._lock:
                self.committed += len(users)
                self.handed_in |= {(user, value) for user in users if handed_in}


class Reaper:
    """Keeps some workers alive by starting new ones, and kills, freezes and cuts off those that are."""

    def __init__(self, nursery: Nursery, workers: int, *, spared: set[int], seed: int = 1) -> None:
        self._nursery = nursery
        self._spared = spared
        self._random = Random(seed)
        self.kills = self.freezes = self.cuts = 0
        self._frozen: list[tuple[int, int]] = []
        self._turn = 0
        for _ in range(workers):
            nursery.start("worker")

    def strike(self) -> None:
        """One blow: a kill -9, now and then a freeze beyond every lease, or the database cutting its connections."""
        self._turn += 1
        self._thaw()
        frozen = {pid for pid, _ in self._frozen}
        victim = self._random.choice(sorted(self._nursery.pids - frozen))
        if self._turn % 12 == 0 and not frozen:
            self._nursery.signal(victim, signal.SIGSTOP)
            self._frozen.append((victim, self._turn + 8))
            self._nursery.start("worker")
            self.freezes += 1
            return
        if self._turn % 5 == 0:
            self.cuts += cut_connections(self._random, self._spared)
        self._nursery.kill(victim)
        self._nursery.start("worker")
        self.kills += 1

    def _thaw(self, *, all_of_them: bool = False) -> None:
        due = [entry for entry in self._frozen if all_of_them or entry[1] <= self._turn]
        for pid, _ in due:
            self._nursery.signal(pid, signal.SIGCONT)
        self._frozen = [entry for entry in self._frozen if entry not in due]

    @property
    def told(self) -> str:
        """What it did, in words."""
        return f"{self.kills} kills, {self.freezes} freezes, {self.cuts} cut connections"

    def rest(self) -> None:
        """No more blows: who is frozen wakes up."""
        self._thaw(all_of_them=True)


def rage(writers: Writers, reaper: Reaper, *, enough: int, kills: int, abandoned: QuerySet[Any], meanwhile: Callable[[], object]) -> str:
    """Strike while the writers write, until every kind of trouble was there; then let them rest. Returns what it amounted to.

    How often a blow meets a send depends on the machine's speed: what must be seen is waited for, not hoped for.

    Raises:
        AssertionError: a writer failed, or something was not seen within ten minutes for every fifty kills.
    """
    until = time.monotonic() + 12 * kills
    writers.start()
    try:
        while missing := _not_yet(writers, reaper, enough=enough, kills=kills, abandoned=abandoned):
            assert writers.problems == []
            assert time.monotonic() < until, f"not seen yet: {', '.join(missing)}"
            reaper.strike()
            meanwhile()
            threading.Event().wait(0.25)
    finally:
        writers.stop()
        reaper.rest()
    assert writers.problems == []
    return f"{reaper.told}, {writers.committed} committed, {len(writers.rolled_back)} rolled back"


def _not_yet(writers: Writers, reaper: Reaper, *, enough: int, kills: int, abandoned: QuerySet[Any]) -> list[str]:
    seen = {
        f"{enough} committed": writers.committed >= enough,
        f"{kills} kills": reaper.kills >= kills,
        "a freeze": reaper.freezes,
        "a cut connection": reaper.cuts,
        "a send that was abandoned": abandoned.exists(),
    }
    return [what for what, was_seen in seen.items() if not was_seen]


def session_id() -> int:
    """What the database calls this thread's session."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()" if connection.vendor == "postgresql" else "SELECT CONNECTION_ID()")
        return int(cursor.fetchone()[0])


def cut_connections(random: Random, spared: set[int]) -> int:
    """End one session of this database, as a server does that is restarted, but none of ``spared``; returns how many were ended."""
    postgres = connection.vendor == "postgresql"
    listing = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        if postgres
        else "SELECT id FROM information_schema.processlist WHERE db = DATABASE()"
    )
    spared = spared | {session_id()}
    with connection.cursor() as cursor:
        cursor.execute(listing)
        sessions = sorted({row[0] for row in cursor.fetchall()} - spared)
        if not sessions:
            return 0
        cursor.execute("SELECT pg_terminate_backend(%s)" if postgres else "KILL CONNECTION %s", [random.choice(sessions)])
    return 1
