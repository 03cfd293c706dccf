"""Charts of the samples, as SVG drawn by the server: shapes only.

Words stand beside them as HTML, at their own size however wide the page is, and every chart's numbers
are in a table too. Colours come from the style sheet, by class.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import F, Sum
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext

from django_lti_ags import conf
from django_lti_ags.models import SyncSample

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from django.utils.safestring import SafeString

_WIDTH: Final = 480.0
_HEIGHT: Final = 120.0
_NICE: Final = (1, 2, 3, 4, 5, 6, 8)


@dataclass(frozen=True, slots=True)
class Span:
    """How far a chart looks back, and how finely."""

    name: str
    length: timedelta
    step: timedelta


DAY: Final = Span("day", timedelta(hours=24), timedelta(minutes=30))
WEEK: Final = Span("week", timedelta(days=7), timedelta(hours=3))


@dataclass(slots=True)
class Step:
    """What the samples of one step say together; None: there is no sample."""

    at: datetime
    waiting: int | None = None
    resting: int | None = None
    delivered: int | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture, with everything that the page says around it."""

    name: str
    title: str
    top: int
    """The value at its upper edge."""
    svg: SafeString
    steps: Sequence[Step]
    shows_backlog: bool


def history(span: Span, now: datetime, services: Collection[int] | None) -> list[Step]:
    """The steps of ``span`` until ``now``, for ``services`` or for all (None): the highest backlog, the sum of deliveries."""
    seconds = span.step.total_seconds()
    first = now - span.length
    first = datetime.fromtimestamp(first.timestamp() // seconds * seconds + seconds, tz=UTC)
    steps = [Step(first + number * span.step) for number in range(int(span.length / span.step))]
    rows = SyncSample.objects.using(conf.get("database")).filter(taken_at__gte=first)
    if services is not None:
        rows = rows.filter(service__in=services)
    resting = Sum(F("blocked") + F("failed"))
    sums = rows.order_by().values_list("taken_at").annotate(Sum("waiting"), all_resting=resting, all_delivered=Sum("delivered"))
    for taken_at, waiting, resting, delivered in sums:
        position = int((taken_at - first) / span.step)
        if position < len(steps):  # another clock's sample may lie ahead
            _add(steps[position], waiting, resting, delivered)
    return steps


def _add(step: Step, waiting: int, resting: int, delivered: int) -> None:
    step.waiting = max(step.waiting or 0, waiting)
    step.resting = max(step.resting or 0, resting)
    step.delivered = (step.delivered or 0) + delivered


def charts(span: Span, steps: Sequence[Step]) -> list[Chart]:
    """The backlog and the deliveries of ``span``."""
    backlog = {"day": gettext("Backlog, last 24 hours"), "week": gettext("Backlog, last 7 days")}[span.name]
    deliveries = {"day": gettext("Deliveries, last 24 hours"), "week": gettext("Deliveries, last 7 days")}[span.name]
    return [_backlog(f"backlog-{span.name}", backlog, steps), _deliveries(f"deliveries-{span.name}", deliveries, steps)]


def _backlog(name: str, title: str, steps: Sequence[Step]) -> Chart:
    waiting = [step.waiting for step in steps]
    resting = [step.resting for step in steps]
    top = nice_top([*waiting, *resting])
    newest = next((step for step in reversed(steps) if step.waiting is not None), Step(datetime.now(UTC)))
    description = gettext("At most %(most)s scores waited, at the end %(last)s; %(resting)s were blocked or failed at the end.") % {
        "most": max((value for value in waiting if value is not None), default=0),
        "last": newest.waiting or 0,
        "resting": newest.resting or 0,
    }
    shapes = format_html("{}{}", _lines(waiting, top, "lti-ags-waiting"), _lines(resting, top, "lti-ags-resting", dashes="5 3"))
    return Chart(name, title, top, _svg(name, title, description, shapes), steps, shows_backlog=True)


def _deliveries(name: str, title: str, steps: Sequence[Step]) -> Chart:
    values = [step.delivered for step in steps]
    top, total = nice_top(values), sum(value or 0 for value in values)
    description = ngettext("%(total)d score was delivered.", "%(total)d scores were delivered.", total) % {"total": total}
    return Chart(name, title, top, _svg(name, title, description, _bars(values, top)), steps, shows_backlog=False)


def nice_top(values: Iterable[int | None]) -> int:
    """The smallest round number that no value exceeds."""
    most = max((value for value in values if value is not None), default=0)
    power = 1
    while True:
        for factor in _NICE:
            if factor * power >= most:
                return factor * power
        power *= 10


def _svg(name: str, title: str, description: str, shapes: SafeString) -> SafeString:
    return format_html(
        '<svg class="lti-ags-chart" role="img" aria-labelledby="{0}-title {0}-desc" viewBox="0 0 {1} {2}"'
        ' preserveAspectRatio="none"><title id="{0}-title">{3}</title><desc id="{0}-desc">{4}</desc>{5}{6}</svg>',
        name,
        format(_WIDTH, ".0f"),
        format(_HEIGHT, ".0f"),
        title,
        description,
        _grid(),
        shapes,
    )


def _grid() -> SafeString:
    lines = ((f"{_HEIGHT * share:.1f}",) for share in (0.0, 0.5, 1.0))
    return format_html_join("", f'<line class="lti-ags-grid" x1="0" x2="{_WIDTH:.0f}" y1="{{0}}" y2="{{0}}"/>', lines)


def _lines(values: Sequence[int | None], top: int, css_class: str, dashes: str = "none") -> SafeString:
    """A line for each stretch of steps that have samples; a stretch of one is a short stroke."""
    width = _WIDTH / len(values)
    paths = []
    for stretch in _stretches(values):
        points = [f"{(position + 0.5) * width:.1f} {_height(value, top):.1f}" for position, value in stretch]
        paths.append(f"M{' L'.join(points)}" if len(points) > 1 else f"M{points[0]} h{width / 2:.1f}")
    return format_html(
        '<path class="lti-ags-line {}" fill="none" stroke-dasharray="{}" vector-effect="non-scaling-stroke" d="{}"/>',
        css_class,
        dashes,
        " ".join(paths),
    )


def _stretches(values: Sequence[int | None]) -> Iterator[list[tuple[int, int]]]:
    stretch: list[tuple[int, int]] = []
    for position, value in enumerate([*values, None]):
        if value is not None:
            stretch.append((position, value))
        elif stretch:
            yield stretch
            stretch = []


def _bars(values: Sequence[int | None], top: int) -> SafeString:
    width = _WIDTH / len(values)
    bars = (
        (f"{position * width + 1:.1f}", f"{_height(value, top):.1f}", f"{_HEIGHT - _height(value, top):.1f}")
        for position, value in enumerate(values)
        if value
    )
    return format_html_join("", f'<rect class="lti-ags-bar" x="{{}}" y="{{}}" width="{width - 2:.1f}" height="{{}}"/>', bars)


def _height(value: int, top: int) -> float:
    return _HEIGHT * (1 - value / top)
