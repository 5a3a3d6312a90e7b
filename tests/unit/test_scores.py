"""The names of metrics in sentences."""

import pytest

from workflow_scripts.scores import METRICS


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        ("ari", "adjusted Rand index"),
        ("dbcv", "density-based validity (DBCV)"),
        ("aic", "Akaike information criterion"),
    ],
)
def test_a_title_within_a_sentence_begins_with_a_small_letter_unless_it_is_a_person(metric, name):
    assert METRICS[metric].in_sentence.startswith(name)
