"""Which of several decisions on an image counts."""

from itertools import permutations

from workflow_scripts.intake.decisions import Decision, latest

EARLY, LATE = "2026-11-29T20:00:00.000Z", "2026-11-29T21:00:00.000Z"


def test_the_latest_time_counts_whatever_the_order_of_the_tables():
    tables = [{"a": Decision(("x",), EARLY)}, {"a": Decision((), LATE)}, {"b": Decision(("y",), EARLY)}]
    for some_order in permutations(tables):
        assert latest(some_order) == {"a": Decision((), LATE), "b": Decision(("y",), EARLY)}


def test_of_equal_times_and_without_times_the_last_table_counts():
    for time in ("", EARLY):
        assert latest([{"a": Decision(("x",), time)}, {"a": Decision(("y",), time)}])["a"].value == "y"
    assert latest([{"a": Decision(("x",), LATE)}, {"a": Decision(("y",))}])["a"].value == "y"
