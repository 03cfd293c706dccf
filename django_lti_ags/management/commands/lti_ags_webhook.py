"""Addresses that are told what became of scores."""

from argparse import ArgumentParser
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db.models import Count, Q

from django_lti_ags import webhooks
from django_lti_ags.management.keyed import api_key, endpoint
from django_lti_ags.management.telling import TellingCommand
from django_lti_ags.models import OPEN, RESTING, WebhookDelivery, WebhookEndpoint, WebhookKind
from django_lti_ags.profiles.advice import ADVICE

_SHOWN: Final = 20
_OPTIONS: Final = {"api_key": "--key", "url": "--add", "kinds": "--kind", "reason": "--reason"}
_BELONGS: Final = {"key": "add", "kind": "add", "reason": "disable"}


class Command(TellingCommand):
    """``manage.py lti_ags_webhook``."""

    help = (
        "List the addresses that are told what became of scores, add one to an API key, show what it was told, send what rests again, "
        "disable it or enable it. Its secret is shown once, when it is added."
    )
    examples = """examples:
  manage.py lti_ags_webhook

  manage.py lti_ags_webhook --add https://tool.example/hooks/grades --key 3f9a1c07
  manage.py lti_ags_webhook --add https://tool.example/hooks/grades --key 3f9a1c07 --kind score.failed --kind score.blocked

  manage.py lti_ags_webhook --show https://tool.example/hooks/grades
  manage.py lti_ags_webhook --retry https://tool.example/hooks/grades
  manage.py lti_ags_webhook --disable https://tool.example/hooks/grades --reason "They move house"
  manage.py lti_ags_webhook --enable https://tool.example/hooks/grades"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One thing at a time."""
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--list", action="store_true", help="List the endpoints, the newest first; what happens if nothing is asked for.")
        what.add_argument("--add", metavar="URL", help="Tell this address by POST, and print its secret.")
        what.add_argument(
            "--show", metavar="ENDPOINT", help=f"Its newest {_SHOWN} messages; an endpoint is named by its address, or its uid."
        )
        what.add_argument("--retry", metavar="ENDPOINT", help="Send at once what failed, is blocked or waits for a later try.")
        what.add_argument("--disable", metavar="ENDPOINT", help="Tell it nothing; what waits for it rests.")
        what.add_argument("--enable", metavar="ENDPOINT", help="Tell it again, beginning with what rested.")
        parser.add_argument(
            "--key", metavar="KEY", help="With --add: it hears of the scores that this API key sees; its prefix, or its uid."
        )
        parser.add_argument(
            "--kind",
            action="append",
            default=[],
            choices=WebhookKind.values,
            help="With --add: only this. May be repeated; all by default.",
        )
        parser.add_argument("--reason", help="With --disable: why; it is shown to the next person.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        for name, what in _BELONGS.items():
            if options[name] not in (None, []) and options[what] is None:
                raise CommandError(f"--{name} belongs to --{what}.")
        try:
            self._do(options)
        except ValidationError as problem:
            field, said = next(iter(problem.message_dict.items()))
            raise CommandError(f"{_OPTIONS[field]}: {' '.join(said)}") from None

    def _do(self, options: dict[str, Any]) -> None:
        if options["add"] is not None:
            self._add(options["add"], options["key"], options["kind"])
        elif options["show"] is not None:
            self._show(endpoint(options["show"]))
        elif options["retry"] is not None:
            count = webhooks.retry(WebhookDelivery.objects.filter(endpoint=endpoint(options["retry"])))
            self.tell(f"{count} messages are due now.")
            self.answer({"due": count})
        elif options["disable"] is not None:
            self._changed(endpoint(options["disable"]), webhooks.disable(endpoint(options["disable"]), reason=options["reason"] or ""))
        elif options["enable"] is not None:
            self._changed(endpoint(options["enable"]), webhooks.enable(endpoint(options["enable"])))
        else:
            self._list()

    def _add(self, url: str, key: str | None, kinds: list[str]) -> None:
        if key is None:
            raise CommandError("--key must be given: whose scores does it hear of? List the keys: manage.py lti_ags_apikey")
        row, secret = webhooks.add(api_key(key), url, kinds or WebhookKind.values)
        self.tell(secret)
        self.tell("This is its secret: with it the receiver checks who speaks. Copy it now: it is never shown again.")
        self.answer(_shown(row) | {"secret": secret})

    def _changed(self, before: WebhookEndpoint, changed: bool) -> None:
        now = WebhookEndpoint.objects.get(pk=before.pk)
        self.tell(f"{now}: {_state(now)}{'' if changed else '; it was so before'}.")
        self.answer(_shown(now) | {"changed": changed})

    def _list(self) -> None:
        waiting, resting = (
            Count("deliveries", filter=Q(deliveries__state__in=OPEN)),
            Count("deliveries", filter=Q(deliveries__state__in=RESTING)),
        )
        rows: Any = WebhookEndpoint.objects.select_related("api_key").annotate(waiting=waiting, resting=resting).order_by("-pk")
        if not rows:
            self.tell("Nobody is told anything yet. Add an address: manage.py lti_ags_webhook --add URL --key PREFIX")
        for row in rows:
            self.tell(f"{row.uid}  {row.url}  {row.api_key}  {', '.join(row.kinds)}")
            self.tell(f"  {_state(row)}; {row.waiting} messages wait, {row.resting} rest")
        self.answer({"endpoints": [_shown(row) | {"waiting": row.waiting, "resting": row.resting} for row in rows]})

    def _show(self, row: WebhookEndpoint) -> None:
        newest = list(WebhookDelivery.objects.filter(endpoint=row).order_by("-pk")[:_SHOWN])
        self.tell(f"{row}: {_state(row)}.")
        for one in newest:
            self.tell(f"  {one.created_at:%Y-%m-%d %H:%M:%S}  {one.kind}  {one.message_id}  {one.state}  {one.code}  {one.tries} tries")
        for code in sorted(({one.code for one in newest} & ADVICE.keys()) - {"webhook_delivered"}):
            self.tell(f"  {code}: {ADVICE[code]}")
        fields = ("message_id", "kind", "state", "code", "detail", "tries", "due_at", "created_at", "delivered_at")
        self.answer(_shown(row) | {"messages": [{name: getattr(one, name) for name in fields} for one in newest]})


def _state(row: WebhookEndpoint) -> str:
    if row.disabled_at is not None:
        return f"disabled since {row.disabled_at:%Y-%m-%d %H:%M}: {row.disabled_reason}"
    if row.failing_since is not None:
        return f"failing since {row.failing_since:%Y-%m-%d %H:%M} ({row.last_failure_code})"
    return "well" if row.last_success_at else "not told anything yet"


def _shown(row: WebhookEndpoint) -> dict[str, Any]:
    fields = (
        "uid",
        "url",
        "kinds",
        "created_at",
        "disabled_at",
        "disabled_reason",
        "failing_since",
        "last_failure_code",
        "last_success_at",
    )
    return {name: getattr(row, name) for name in fields} | {"api_key": row.api_key.prefix}
