"""Let go of what is old and no longer needed."""

from argparse import ArgumentParser
from typing import Any

from django_lti_ags.durations import written
from django_lti_ags.management.given import span_seconds
from django_lti_ags.management.telling import TellingCommand
from django_lti_ags.sync.retention import Keep, prune

_NAMES = {
    "attempts": "attempts",
    "attempt_bodies": "attempts' bodies",
    "results": "results",
    "result_comments": "results' comments",
    "live_results": "live results",
    "events": "events",
    "launches": "expired launches of the REST API",
    "requests": "idempotency keys of the REST API",
    "webhooks": "webhook messages",
    "samples": "samples",
    "comments": "scores' comments and extensions",
    "submissions": "earlier submissions' contents",
    "files": "files that are followed no more",
}
_WHAT = {
    "attempts": "Delete attempts older than this; not those that say why a score is not at the platform yet",
    "results": "Delete results that were last read longer ago, and live results that Canvas has; not what is still on its way",
    "events": "Delete events, and webhook messages, older than this",
    "samples": "Delete the charts' samples older than this",
    "comments": "Blank comments and extensions of settled scores that were recorded longer ago, and older bodies and comments elsewhere",
}


class Command(TellingCommand):
    """``manage.py lti_ags_prune``."""

    help = (
        "Delete what is older than the tool's retention says, and blank old comments. No score is deleted, and nothing that a score "
        "still needs which is not at its platform. It works in small steps beside running workers, and may be stopped at any time."
    )
    examples = """examples:
  manage.py lti_ags_prune --dry-run
  manage.py lti_ags_prune
  manage.py lti_ags_prune --attempts 30d --comments 180d

The defaults are the settings LTI_AGS["KEEP_ATTEMPTS_SECONDS"] and so on. Run it from cron, once a day."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How long each kind is kept."""
        super().add_arguments(parser)
        for name, what in _WHAT.items():
            parser.add_argument(f"--{name}", type=span_seconds, metavar="SPAN", help=f"{what}. Such as 90d or 36h.")
        parser.add_argument("--dry-run", action="store_true", help="Count only; change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prune, and say what went."""
        keep = Keep.configured(**{name: options[name] for name in _WHAT})
        dry_run = options["dry_run"]
        counts = prune(keep, dry_run=dry_run, told=lambda kind, count: self.progress(f"{_NAMES[kind]}: {count}"))
        verb = "would go" if dry_run else "gone"
        for kind, count in counts.items():
            self.tell(f"{count:>9}  {_NAMES[kind]} {verb}")
        self.tell(f"Kept: {', '.join(f'{name} {written(span)}' for name, span in keep.seconds().items())}.")
        self.answer({"dry_run": dry_run, "kept_seconds": keep.seconds(), "pruned": counts})
