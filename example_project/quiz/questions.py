"""The quiz: four questions for two points each, and one for extra credit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Question:
    """One question; the first answer is the right one, the page shows them sorted."""

    name: str
    text: str
    answers: tuple[str, str, str]
    points: int = 2

    @property
    def shown(self) -> list[str]:
        """The answers as the page lists them."""
        return sorted(self.answers)


QUESTIONS = (
    Question("capital", "What is the capital of Australia?", ("Canberra", "Sydney", "Melbourne")),
    Question("prime", "Which of these is a prime number?", ("29", "27", "21")),
    Question("planet", "Which planet is the largest?", ("Jupiter", "Saturn", "Earth")),
    Question("author", "Who wrote the first published computer program?", ("Ada Lovelace", "Alan Turing", "Grace Hopper")),
    Question("bonus", "For extra credit: how many bits are in a nibble?", ("4", "2", "8")),
)
MAXIMUM = 8
"""What the question for extra credit is not part of."""


def points(answers: Mapping[str, str]) -> int:
    """What the answers are worth; with extra credit more than :data:`MAXIMUM`."""
    return sum(question.points for question in QUESTIONS if answers.get(question.name) == question.answers[0])
