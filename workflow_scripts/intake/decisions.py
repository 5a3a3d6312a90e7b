"""What people decided on images, and which of several decisions counts.

Rules import this module, so it uses the standard library only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

DECIDED = "decided"
"""The column that says when a person decided, in ISO 8601 and UTC, as the pages export it."""
DECISION = "decision"
"""The column that says what a person decided: `REMOVED`, `BEFORE`, or in the words of a page."""
REMOVED = "removed"
"""A decision that takes an earlier one back."""
BEFORE = "before"
"""A decision of an earlier page or table."""


@dataclass(frozen=True)
class Decision:
    """What a row says of an image, and when.

    `cells` are the cells of some columns, or () if the row takes an earlier decision back. `decided` is the time, or ""
    if the time is not known.
    """

    cells: tuple[str, ...]
    decided: str = ""

    @property
    def value(self) -> str:
        """Return the first cell; "" if the decision is that an earlier one is taken back."""
        return self.cells[0] if self.cells else ""


def later(before: Decision | None, decision: Decision) -> Decision:
    """Return which of two decisions on an image counts: the second one, unless it is known to be the older one."""
    return before if before and decision.decided and decision.decided < before.decided else decision


def latest(tables: Iterable[Mapping[str, Decision]]) -> dict[str, Decision]:
    """Return the decision that counts for each name in several tables (see `later`)."""
    decisions: dict[str, Decision] = {}
    for table in tables:
        decisions |= {name: later(decisions.get(name), decision) for name, decision in table.items()}
    return decisions
