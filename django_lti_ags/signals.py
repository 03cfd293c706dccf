"""Signals, sent after commit with ``send_robust``, at most once.

Arguments: ``score`` (for registrations ``registration_id``, for results ``result``) and ``code``, the verdict's stable code.
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
