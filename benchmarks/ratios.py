"""Ratios, and whether they meet their targets."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median


@dataclass
class Ratio:
    """One line of the answer: measured in pairs, so that a noisy neighbour slows both sides of one pair."""

    name: str
    target: float | None = None
    at_most: bool = False
    pairs: list[float] = field(default_factory=list)

    def add(self, ours: float, theirs: float) -> None:
        """One pair, measured one right after the other."""
        self.pairs.append(ours / theirs)

    @property
    def missed(self) -> bool:
        """Whether the median is on the wrong side of the target."""
        if self.target is None:
            return False
        return median(self.pairs) > self.target if self.at_most else median(self.pairs) < self.target

    def __str__(self) -> str:
        spread = f"{min(self.pairs):.2f} … {max(self.pairs):.2f}"
        wanted = "" if self.target is None else f"{'≤' if self.at_most else '≥'} {self.target:g}  {'MISSED' if self.missed else 'met'}"
        return f"{self.name:<62} {median(self.pairs):7.2f}   ({spread})  {wanted}".rstrip()


def conclude(ratios: list[Ratio]) -> int:
    """Print them; the exit status: 1 if a target is missed."""
    for ratio in ratios:
        print(ratio)
    return int(any(ratio.missed for ratio in ratios))
