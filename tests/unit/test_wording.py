"""Numbers and lists as words, against texts written by hand."""

import pytest

from workflow_scripts.wording import count, decimal, listed, percent


@pytest.mark.parametrize(
    ("n", "nouns", "text"),
    [
        (0, ["image"], "0 images"),
        (1, ["image"], "1 image"),
        (1800, ["image"], "1,800 images"),
        (1, ["class", "classes"], "1 class"),
        (2, ["class", "classes"], "2 classes"),
    ],
)
def test_a_noun_goes_with_its_number(n, nouns, text):
    assert count(n, *nouns) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.0004, "< 0.1 %"),
        (0.0006, "0.1 %"),
        (0.0094, "0.9 %"),
        (0.0096, "1 %"),
        (0.125, "12 %"),
        (0.994, "99 %"),
        (0.996, "> 99 %"),
        (0.9999, "> 99 %"),
        (1 - 1e-15, "100 %"),
        (1, "100 %"),
    ],
)
def test_only_nothing_is_0_percent_and_only_all_is_100(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [(0.126, ".2f", "0.13"), (-0.5, ".1f", "\N{MINUS SIGN}0.5"), (-0.001, ".2f", "0.00"), (0.0, "+.1f", "0.0")],
)
def test_a_decimal_has_a_minus_sign_and_zero_has_none(value, form, text):
    assert decimal(value, form) == text


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), ([0.5, 1], "0.5 and 1")],
)
def test_a_list_is_prose(names, text):
    assert listed(names) == listed(iter(names)) == listed(names, most=3) == text


def test_of_many_names_the_first_are_listed_and_the_others_counted():
    assert listed("abcd") == "a, b, c and d"
    assert listed("abcd", most=4) == "a, b, c and d"
    assert listed("abcd", most=3) == "a, b, c and 1 more"
    assert listed("abcdefg", most=2) == "a, b and 5 more"
