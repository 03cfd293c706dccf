"""Rows as files: CSV that no spreadsheet runs, JSON, JSON lines; line by line, so that a million rows take the memory of some."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

CSV: Final = "csv"
JSON: Final = "json"
JSON_LINES: Final = "jsonl"
TYPES: Final = {
    CSV: "text/csv; charset=utf-8",
    JSON: "application/json; charset=utf-8",
    JSON_LINES: "application/x-ndjson; charset=utf-8",
}
_RISKY: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "|", "%")
"""What a spreadsheet takes for the beginning of a formula; OWASP's list, the full-width signs, and DDE's."""


def exported(kind: str, columns: Sequence[str], portions: Iterable[Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """The records of ``portions`` as ``kind`` has them, a piece of text for each portion; ``columns`` are CSV's header.

    Each record has these columns, in this order.
    """
    if kind == CSV:
        return _csv(columns, portions)
    return _json_lines(portions) if kind == JSON_LINES else _json(portions)


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet runs; numbers stay numbers."""
    if isinstance(value, str) and value.lstrip(" \u00a0").startswith(_RISKY):
        return f"'{value}"
    return value


def _csv(columns: Sequence[str], portions: Iterable[Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    # The mark lets spreadsheets know that it is UTF-8.
    yield "\ufeff" + writer.writerow(columns)
    for records in portions:
        yield "".join(writer.writerow([harmless(value) for value in record.values()]) for record in records)


def _json_lines(portions: Iterable[Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    for records in portions:
        yield "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _json(portions: Iterable[Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    before = "[\n"
    for records in portions:
        if records:
            yield before + ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
            before = ",\n"
    yield "\n]\n" if before != "[\n" else "[]\n"


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str, /) -> str:
        """Nothing is written anywhere."""
        return text
