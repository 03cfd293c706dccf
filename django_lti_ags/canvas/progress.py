"""How far Canvas has come with a file that a score brought (``GET /api/lti/courses/:course_id/progress/:id``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django_lti_ags.ags.reading import number_or_none, require_object
from django_lti_ags.ags.urls import check_url, origin
from django_lti_ags.canvas.reading import identifier, words

SCOPE: Final = "https://canvas.instructure.com/lti-ags/progress/scope/show"
"""Of the tool's own LTI token, not of a user's."""
_STATES: Final = frozenset({"queued", "running", "completed", "failed"})
_WHOLE: Final = 100.0
_MOST_FILES: Final = 200
_LONGEST_TEXT: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A file's way into the course."""

    id: str
    workflow_state: str
    """``queued``, ``running``, ``completed`` or ``failed``."""
    completion: float = 0.0
    """0 to 100."""
    message: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it will not change any more."""
        return self.workflow_state in ("completed", "failed")

    @classmethod
    def from_json(cls, body: Any) -> Progress:
        """A progress as Canvas sent it.

        Raises:
            ValueError: it is no JSON object, has no id, or is in no state that Canvas documents.
        """
        require_object(body, "a progress")
        state = body.get("workflow_state")
        if not isinstance(state, str) or state not in _STATES:
            raise ValueError(f"workflow_state must be one of {', '.join(sorted(_STATES))}, not {state!r:.80}")
        completion = number_or_none(body, "completion") or 0.0
        return cls(
            id=identifier(body, "id", "a progress"),
            workflow_state=state,
            completion=min(max(completion, 0.0), _WHOLE),
            message=_text(body, "message"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReceipt:
    """A file that Canvas was told of, and where it tells how far it is."""

    progress_url: str
    """Blank: the answer that tells it was lost."""
    is_elsewhere: bool
    """Whether that is on another origin than the score's: no token goes there."""
    url: str = ""
    title: str = ""


def file_receipts(extension: Any, asked: str) -> list[FileReceipt]:
    """What the answer to a score says of its files; ``asked``: the URL that answered.

    The score is there already, so what cannot be read is passed over.
    """
    return [
        FileReceipt(
            progress_url=one["progress"],
            is_elsewhere=origin(one["progress"]) != origin(asked),
            url=_text(one, "url"),
            title=_text(one, "title"),
        )
        for one in _items(extension)
        if _is_usable(one.get("progress"))
    ]


def receipts_without_an_answer(extension: Any) -> list[FileReceipt]:
    """The files that were handed in with ``extension``, whose answer nobody has: what became of them only a person can see."""
    return [FileReceipt(progress_url="", is_elsewhere=False, url=_text(one, "url"), title=_text(one, "title")) for one in _items(extension)]


def _items(extension: Any) -> list[dict[str, Any]]:
    items = extension.get("content_items") if isinstance(extension, dict) else None
    return [one for one in items if isinstance(one, dict)][:_MOST_FILES] if isinstance(items, list) else []


def _is_usable(url: Any) -> bool:
    try:
        check_url(url)
    except (ValueError, TypeError, AttributeError):
        return False
    return True


def _text(item: dict[str, Any], name: str) -> str:
    return words(item, name)[:_LONGEST_TEXT]
