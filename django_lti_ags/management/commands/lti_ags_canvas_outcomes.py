"""A Canvas course's outcome rollups or results, as a file."""

import os
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError

from django_lti_ags import outcome_records, outcomes
from django_lti_ags.canvas import Listing, Page
from django_lti_ags.exceptions import InvalidCanvasArgument, LtiAgsError
from django_lti_ags.exporting import CSV, JSON, JSON_LINES, exported
from django_lti_ags.management.choosing import context
from django_lti_ags.management.registered import HOW, registered
from django_lti_ags.management.telling import FOUND, TellingCommand
from django_lti_ags.models import Context
from django_lti_ags.outcomes import CanvasCourse

_PATIENCE_SECONDS: Final = 120.0
_RESULTS_PER_PAGE: Final = 100
_OPTIONS: Final = {
    "user_ids": "--user",
    "outcome_ids": "--outcome",
    "outcome_group_id": "--outcome-group",
    "section_id": "--section",
    "sort_by": "--sort-by",
    "sort_outcome_id": "--sort-outcome",
    "sort_order": "--sort-order",
    "course_id": "--course",
}
_ROLLUPS_ONLY: Final = ("section", "outcome_group", "aggregate", "sort_by", "sort_outcome", "sort_order", "without_missing")


class Command(TellingCommand):
    """``manage.py lti_ags_canvas_outcomes``."""

    help = (
        "Export what learners have reached in a Canvas course's outcomes: rollups (a score for each learner and outcome), or the results "
        "that they stand on. Asks Canvas' REST API with the registration's credential, page by page, and keeps nothing. Learners are told "
        "apart by Canvas' ids; their names only come with --names."
    )
    examples = """examples:
  manage.py lti_ags_canvas_outcomes --context 5f0a8f30-… > mastery.csv
  manage.py lti_ags_canvas_outcomes --context 5f0a8f30-… --results --format json --output results.json
  manage.py lti_ags_canvas_outcomes --registration Campus --course 7 --outcome 97 --sort-by outcome --sort-outcome 97 --names
  manage.py lti_ags_canvas_outcomes --registration Campus --course 7 --aggregate median

Rows go to standard output or, when all of them are there, to --output; progress goes to standard error.
Without a credential: manage.py lti_ags_canvas_credential --help

Exit code 1: Canvas said no, and the message says what to change; 3: Canvas told of nobody."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where, what, and how. Not ``--json``: the rows themselves are the answer."""
        parser.add_argument("--context", metavar="UID", help="The course: its uid, or the id that the platform calls it by.")
        parser.add_argument("--registration", metavar="NAME", help=f"With --course: whose Canvas it is; the registration's {HOW}.")
        parser.add_argument("--course", metavar="ID", help="With --registration: Canvas' number of the course, or sis_course_id:…")
        parser.add_argument("--results", action="store_true", help="The single results, not the rollups.")
        parser.add_argument("--format", choices=[CSV, JSON, JSON_LINES], default=CSV, help="csv, by default; json: a list; jsonl: lines.")
        parser.add_argument("--output", metavar="FILE", help="Write this file, once everything is there; by default standard output.")
        parser.add_argument("--names", action="store_true", help="With the learners' names, as Canvas shows them.")
        parser.add_argument("--user", metavar="ID", action="append", help="Only of this learner; also sis_user_id:… May be repeated.")
        parser.add_argument("--outcome", metavar="ID", action="append", help="Only of this outcome. May be repeated.")
        parser.add_argument("--include-hidden", action="store_true", help="Also what is hidden from the learning mastery gradebook.")
        rollups = parser.add_argument_group("rollups only")
        rollups.add_argument("--outcome-group", metavar="ID", help="Only the outcomes of this group; not with --outcome.")
        rollups.add_argument("--section", metavar="ID", help="Only this section's learners; not with --user.")
        rollups.add_argument("--aggregate", choices=["mean", "median"], help="One rollup of the whole course, by this statistic.")
        rollups.add_argument("--without-missing", action="store_true", help="Without learners and outcomes that have no results.")
        rollups.add_argument("--sort-by", choices=["student", "outcome"], help="By the learners' names, or by one outcome's score.")
        rollups.add_argument("--sort-outcome", metavar="ID", help="Which outcome; with --sort-by outcome.")
        rollups.add_argument("--sort-order", choices=["asc", "desc"], help="Ascending, by default, or descending.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, and write while it comes."""
        course = _course(options)
        self._rows = 0
        try:
            listing, columns, records = _asked(course, options)
            pieces = exported(options["format"], columns, self._portions(listing, records, names=options["names"]))
            self._write(pieces, options["output"])
        except InvalidCanvasArgument as problem:
            raise CommandError(f"{_OPTIONS.get(problem.field, problem.field)}: {problem.rule}.") from None
        except LtiAgsError as problem:
            told = f" {self._rows} rows had come; what was written is not whole." if self._rows and not options["output"] else ""
            raise CommandError(f"{problem}{told}") from None
        self._clear()
        self.stderr.write(f"{self._rows} rows.")
        if not self._rows:
            self.stderr.write("Canvas told of nobody: no learner, outcome or result is as you asked.")
            raise SystemExit(FOUND)

    def _portions(self, listing: Listing[Any], records: Any, *, names: bool) -> Iterator[list[dict[str, Any]]]:
        learners = 0
        for page in listing.pages():
            known = outcome_records.names_of(page.linked) if names else {}
            portion = list(records(page, partial(_named, known)))
            self._rows += len(portion)
            learners += len(page.items)
            self.progress(f"{self._rows} rows{_of(page, learners)} …")
            yield portion

    def _write(self, pieces: Iterator[str], output: str | None) -> None:
        if output is None:
            for piece in pieces:
                self.stdout.write(piece, ending="")
            return
        try:
            _write_whole(pieces, Path(output))
        except OSError as problem:
            raise CommandError(f"--output: {output} cannot be written: {problem.strerror or type(problem).__name__}.") from None


def _course(options: dict[str, Any]) -> Context | CanvasCourse:
    if options["context"] is not None and options["registration"] is None and options["course"] is None:
        return context(options["context"])
    if options["context"] is None and options["registration"] is not None and options["course"] is not None:
        return CanvasCourse(registered(options["registration"]), options["course"])
    raise CommandError("Name the course: either --context UID, or both --registration NAME and --course ID.")


def _asked(course: Context | CanvasCourse, options: dict[str, Any]) -> tuple[Listing[Any], tuple[str, ...], Any]:
    """The listing, its columns, and what makes records of a page.

    Raises:
        LtiAgsError: it cannot be asked.
    """
    shared: dict[str, Any] = {
        "user_ids": options["user"],
        "outcome_ids": options["outcome"],
        "include_hidden": options["include_hidden"],
        "patience_seconds": _PATIENCE_SECONDS,
    }
    people = ["users"] if options["names"] and options["aggregate"] is None else []
    if options["results"]:
        given = [name for name in _ROLLUPS_ONLY if options[name]]
        if given:
            raise CommandError(f"--{given[0].replace('_', '-')} belongs to rollups, not to --results.")
        include = ["outcomes", "alignments", *people]
        listing = outcomes.results(course, include=include, per_page=_RESULTS_PER_PAGE, **shared)
        return listing, outcome_records.RESULT_COLUMNS, outcome_records.result_records
    rollups = outcomes.rollups(
        course,
        include=["outcomes", *people],
        section_id=options["section"],
        outcome_group_id=options["outcome_group"],
        exclude=["missing_user_rollups", "missing_outcome_results"] if options["without_missing"] else None,
        aggregate=options["aggregate"] and "course",
        aggregate_stat=options["aggregate"],
        sort_by=options["sort_by"],
        sort_outcome_id=options["sort_outcome"],
        sort_order=options["sort_order"],
        **shared,
    )
    return rollups, outcome_records.ROLLUP_COLUMNS, outcome_records.rollup_records


def _write_whole(pieces: Iterator[str], path: Path) -> None:
    """``path`` is there when all is, and not before: half a file would look like a whole one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    written = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as opened:
            opened.writelines(pieces)
        written.replace(path)
    except BaseException:
        written.unlink(missing_ok=True)
        raise


def _named(known: dict[str, str], user_id: str) -> str:
    return known.get(user_id, "")


def _of(page: Page[Any], learners: int) -> str:
    return "" if page.count is None else f", {learners} of {page.count}"
