"""Define what a decision of a person on an image is, and choose the one that counts if there are several.

Rules import this module, so it uses the standard library only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

DECIDED = "decided"
"""The column with the time of the decision, in ISO 8601 and UTC, as the pages export it."""
DECISION = "decision"
"""The column that says what a person decided: `REMOVED`, `BEFORE`, or a word of the page that exported it."""
REMOVED = "removed"
"""The word in this column for a decision that takes an earlier one back."""
BEFORE = "before"
"""The word in this column for a decision that was made in an earlier page or table."""


@dataclass(frozen=True)
class Decision:
    """A person's decision on an image, as read from one row of a table.

    `cells` are the values of some columns of the row, or () if the row takes an earlier decision back. `decided` is the
    time of the decision, or "" if it is not known.
    """

    cells: tuple[str, ...]
    decided: str = ""

    @property
    def value(self) -> str:
        """Return the first of `cells`, or "" if the row takes an earlier decision back."""
        return self.cells[0] if self.cells else ""


def later(before: Decision | None, decision: Decision) -> Decision:
    """Return the later of two decisions on an image, which is the one that counts.

    It is `decision` if `before` is None, if one of the times is not known, or if the times are equal.
    """
    return before if before and decision.decided and decision.decided < before.decided else decision


def latest(tables: Iterable[Mapping[str, Decision]]) -> dict[str, Decision]:
    """Return, for each name, the one decision that counts (see `later`). Each table has decisions by name."""
    decisions: dict[str, Decision] = {}
    for table in tables:
        decisions |= {name: later(decisions.get(name), decision) for name, decision in table.items()}
    return decisions
