"""What is said of a refusal, made fit for a page and a log."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 600


def one_line(text: str) -> str:
    """``text`` in one line of printable characters, whatever a stranger put into it."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:LONGEST]
