"""Signals, sent after commit with ``send_robust``, at most once.

Arguments: ``score`` (for registrations ``registration_id``, for results ``result``, for live results ``assessment``) and
``code``, the verdict's stable code; of ``result_diverged`` it is the :class:`~django_lti_ags.models.Agreement`: differs, missing or
changed_by_teacher.
What must not be missed reads the Event table instead: it is written in the transaction of the change.
"""

from django.dispatch import Signal

score_delivered = Signal()
score_failed = Signal()
score_blocked = Signal()
score_superseded = Signal()
registration_paused = Signal()
registration_resumed = Signal()
result_diverged = Signal()
live_results_delivered = Signal()
live_results_failed = Signal()
live_results_blocked = Signal()
