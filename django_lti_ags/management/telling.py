"""How the operators' commands tell what they do: lines for people, one JSON object for programs.

Progress is redrawn in place on a terminal, and said in plain lines, now and then, where the output is
kept (a log, a pipe). With ``--json`` standard output holds one JSON object and nothing else: the answer, or
what went wrong as ``{"error": …}``; only of wrong arguments argparse tells alone, on standard error.
Exit codes: 0 all is well; 1 it could not be done (a CommandError); 2 wrong arguments; 3 it was done, and
what was found wants a person.
"""

from __future__ import annotations

import json
import re
import sys
from argparse import RawDescriptionHelpFormatter
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.core.management.base import BaseCommand, CommandError

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

FOUND: Final = 3
"""The exit code of a command that did its work and found what wants a person."""

_SECONDS_BETWEEN_LINES: Final = 10.0
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What steers a terminal: platforms and teachers write the labels that lines repeat."""


class TellingCommand(BaseCommand):
    """A command with ``--json`` and progress; ``examples`` end its ``--help``."""

    examples: ClassVar[str] = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """With the examples as they are written."""
        return super().create_parser(prog_name, subcommand, epilog=self.examples, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How it tells."""
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print one JSON object instead of lines.")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Remember how to tell."""
        self._as_json = bool(options.get("as_json"))
        self._last_line = monotonic()
        self._drawn = False
        self._answered = False
        try:
            return super().execute(*args, **options)
        except CommandError as problem:
            self._clear()
            self.answer({"error": str(problem)})
            raise CommandError(harmless(str(problem)), returncode=problem.returncode) from problem

    def tell(self, text: str) -> None:
        """A line for people."""
        if not self._as_json:
            self._clear()
            self.stdout.write(harmless(text))

    def answer(self, data: Mapping[str, Any]) -> None:
        """The whole answer for programs, once; nothing without ``--json``."""
        if self._as_json and not self._answered:
            self._answered = True
            self.stdout.write(json.dumps(data, indent=2, default=str))

    def agreed(self, question: str, options: Mapping[str, Any]) -> bool:
        """Ask, where somebody can answer and there is no ``--yes``; on standard error, so that standard output stays what it is."""
        if options["yes"] or not sys.stdin.isatty():
            return True
        self.stderr.write(f"{question} [y/N] ", ending="")
        self.stderr.flush()
        return sys.stdin.readline().strip().casefold() in ("y", "yes")

    def progress(self, text: str) -> None:
        """How far it is: drawn over the last one on a terminal, else a line every ten seconds, on standard error."""
        if self.stderr.isatty():
            self.stderr.write(f"\r\033[K{harmless(text)}", ending="")
            self.stderr.flush()
            self._drawn = True
        elif monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES:
            self.stderr.write(harmless(text))
            self._last_line = monotonic()

    def _clear(self) -> None:
        if self._drawn:
            self.stderr.write("\r\033[K", ending="")
            self._drawn = False


def harmless(text: str) -> str:
    """``text`` without what would move a terminal's cursor, colour it or turn it round; lines stay lines."""
    return _CONTROLS.sub("\ufffd", text)
