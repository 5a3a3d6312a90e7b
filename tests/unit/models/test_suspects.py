"""New images that a person should see, and groups among them."""

import numpy as np
import pandas as pd

from tests.unit.models.monitored import KNOWN, RATE, SIZE, chart_of, made_images
from workflow_scripts.models.batches import in_batches
from workflow_scripts.models.control_chart import control_chart
from workflow_scripts.models.suspects import groups_of_features, to_look_at


def test_no_batch_is_full():
    chart = chart_of(made_images(9, 1), KNOWN, SIZE, RATE)
    assert chart.empty
    assert to_look_at(in_batches(made_images(9, 1), SIZE), KNOWN, chart).empty


def test_outliers_and_the_newest_of_a_batch_with_an_alarm_are_shown():
    images = pd.concat([made_images(10, 1), made_images(10, 2, novelty=3), made_images(5, 4)], ignore_index=True)
    images.loc[[3, 24], ["outlier", "novelty"]] = [True, 9.0]
    batches = in_batches(images, SIZE)
    shown = to_look_at(batches, KNOWN, control_chart(batches, KNOWN, SIZE, RATE))
    assert shown["path"].tolist()[:2] == ["1_3.png", "4_4.png"]
    assert shown["batch"].tolist()[:2] == [1, 3]
    share = (1 + (KNOWN["novelty"].to_numpy() >= images["novelty"].to_numpy()[:, None]).sum(axis=1)) / 151
    expected = {*images.index[images["outlier"]], *(row for row in range(10, 20) if share[row] <= 0.05)}
    assert {*shown.index} == expected
    assert len(expected) > 6


def test_groups_are_what_the_features_have():
    rng = np.random.default_rng(0)
    truth = rng.permutation(np.repeat([0, 1, 2], [20, 12, 6]))
    features = rng.normal(size=(38, 8)) + 20 * np.eye(3, 8)[truth]
    assert groups_of_features(features).tolist() == truth.tolist()
    assert set(groups_of_features(rng.normal(size=(60, 50)))) == {0}
    assert groups_of_features(features[:1]).tolist() == [0]
    assert groups_of_features(np.ones((6, 2))).tolist() == [0] * 6
