"""The lengths that texts name, and on which readings of a text agree."""

import pytest

from workflow_scripts.intake.scale_bars.lengths import Readings, agreed, length_of, nearest_length


@pytest.mark.parametrize(
    ("text", "nm"),
    [
        *(("1 µm", 1e3), ("1 μm", 1e3), ("1 um", 1e3), ("1pm", 1e3), ("lpm", 1e3), ("Tum", 1e3), ("| mm", 1e6)),
        *(("2 yum", 2e3), ("10”um", None), ("100 ym", 1e5), ("1.00uM", 1e3), ("30,0um", 3e4), ("S00nm", 500)),
        *(("500 nm", 500), ("0.5 µm", 500), ("2.5 µm", 2500), ("1 mm", 1e6), ("20 nm.", 20), ("5O nm", 50)),
        # no unit, no length, or none that a bar stands for
        *(("10m", None), ("100 m", None), ("10", None), ("µm", None), ("", None), ("0 nm", None), ("-", None)),
        *(('10 nm"', None), ("10 nm'", None), ("10 nm-1", None), ("5 1/nm", None), (".5 µm", None)),
        *(("20.8 µm", None), ("16 nm", None), ("58 nm", None), ("28.0um", None), ("106nm", None), ("7 µm", None)),
        *(("HFW 20 µm", None), ("WD = 8.0 mm", None), ("5.0 kV", None), ("1 10 nm", None), ("050 nm", None)),
    ],
)
def test_a_text_names_a_round_length_or_none(text, nm):
    assert length_of(text) == nm


def test_readings_have_to_agree():
    assert agreed(Readings(["1 µm"] * 8)) == (1e3, 1)
    assert agreed(Readings(["1 µm"] * 6 + ["nonsense"] * 2)) == (1e3, 0.75)
    assert agreed(Readings(["50nm"] * 5 + ["20nm"])) == (50, 5 / 6)
    assert agreed(Readings(["50nm"] * 4 + ["20nm"] * 2)) is None
    assert agreed(Readings(["1 µm"] * 2 + ["nonsense"] * 6)) is None
    assert agreed(Readings(["nonsense"] * 8)) is None


def test_the_number_before_a_micro_sign_decides_where_the_sign_is_misread_and_contradicts_otherwise():
    assert agreed(Readings(["104m"] * 8, ["10"] * 8)) == (1e4, 1)
    assert agreed(Readings(["5 µm"] * 8, ["3"] * 8)) is None
    assert agreed(Readings(["5 µm"] * 2 + ["?"] * 6, ["3"] * 8)) is None
    assert agreed(Readings(["100um"] * 2 + ["100m"] * 6, ["100"] * 8)) == (1e5, 1)


def test_a_reading_with_another_digit_where_only_a_1_fits_or_with_too_few_does_not_count():
    assert agreed(Readings(["4pm"] * 5 + ["1pm"] * 3, ["1"] * 8, ones=(True,))) == (1e3, 3 / 8)
    assert agreed(Readings(["2 µm"] * 8, ["2"] * 8, ones=(False, False))) is None


def test_the_nearest_length_is_round():
    assert [nearest_length(nm) for nm in (98.7, 1.03e3, 2.02e6, 51, 9.9e5)] == pytest.approx([100, 1e3, 2e6, 50, 1e6])
