"""Forget a learner."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from django_lti_ags.management.registered import HOW, registered, with_issuer
from django_lti_ags.management.telling import TellingCommand
from django_lti_ags.sync.forgetting import KINDS, Forgetting
from django_lti_ags.sync.launch_claims import storable

_NAMES = {
    "scores": "scores",
    "results": "results",
    "live_results": "live results",
    "attempts": "attempts at them",
    "events": "events about them",
    "submissions": "earlier submissions of theirs",
    "files": "files of theirs that are followed",
    "launches": "launches of theirs that were handed over",
    "webhooks": "webhook messages about them",
    "being_sent": "of these scores, live results and messages are being sent just now, and may still arrive",
    "graded_by": "other learners' rows that name them as the grader (blanked)",
    "naming_attempts": "other attempts that name them (blanked)",
    "naming_launches": "others' launches of the REST API that name them (their claims are blanked)",
    "log_entries": "entries of the admin's history that name them (blanked)",
}
_ELSEWHERE = (
    "What the tool's database no longer holds may still stand elsewhere:",
    "  - the platform's own gradebook: only its administrator can remove that",
    "  - logs of the tool, its web server and its database; receivers of signals or webhooks",
    "  - backups, until they expire: run this again after restoring one",
    "  - your tool's own tables, which this command does not know",
    "A new launch or score of theirs is recorded as anybody's.",
)


class Command(TellingCommand):
    """``manage.py lti_ags_forget_user``."""

    help = (
        "Remove a learner, or a teacher who graded, from every table of this package: scores, results, attempts, events, and wherever "
        "others' rows name them. Without --yes it only counts. Ids are compared character for character: a is not A."
    )
    examples = """examples:
  manage.py lti_ags_forget_user --user 5f3c8a --issuer https://lms.example
  manage.py lti_ags_forget_user --user 5f3c8a --issuer https://lms.example --yes
  manage.py lti_ags_forget_user --user 5f3c8a --registration Campus --yes

A platform knows a person by one id (the launch's sub) at all of its registrations; so --issuer takes them all.
Live assessments' results go by the user's number in Canvas: run it again with that number."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who, and where."""
        super().add_arguments(parser)
        parser.add_argument(
            "--user", required=True, metavar="SUB", help="The person's id at the platform: the launch's sub, or the number in Canvas."
        )
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--issuer", help="The platform's issuer: at all of its registrations.")
        where.add_argument("--registration", metavar="REGISTRATION", help=f"At one registration only: its {HOW}.")
        parser.add_argument("--yes", action="store_true", help="Do it. It cannot be undone.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, or forget and say what is left elsewhere."""
        user_id, acts = options["user"], options["yes"]
        if not user_id.strip() or not storable(user_id):
            raise CommandError(f"--user: {user_id!r} is blank, or has a NUL or a lone surrogate in it: no platform calls a person so.")
        places = with_issuer(options["issuer"]) if options["issuer"] is not None else [registered(options["registration"])]
        forgetting = Forgetting(places, user_id, dry_run=not acts, told=lambda counts: self.progress(f"{sum(counts.values())} rows"))
        counts = forgetting.run()
        self._say(user_id, [str(place) for place in places], counts, acts=acts)
        self.answer({"user": user_id, "registrations": [place.pk for place in places], "done": acts, "counts": counts})

    def _say(self, user_id: str, places: list[str], counts: dict[str, int], *, acts: bool) -> None:
        found = sum(counts.values())
        if not found:
            self.tell(f"Nothing here names {user_id!r} at {', '.join(places)}. Ids are compared character for character.")
            return
        self.tell(f"{'Forgotten' if acts else 'To be forgotten'}: {user_id!r} at {', '.join(places)}.")
        for kind in KINDS:
            self.tell(f"{counts[kind]:>9}  {_NAMES[kind]}")
        if not acts:
            self.tell("Nothing was changed. Do it with --yes.")
            return
        for line in _ELSEWHERE:
            self.tell(line)
