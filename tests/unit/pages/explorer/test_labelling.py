"""The explorer's arithmetic, in the browser: exact intervals of purity, orders drawn by a seed, what to label next."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import hypergeom
from sklearn.neighbors import NearestNeighbors

from workflow_scripts.pages import explorer

SCRIPT = Path(explorer.__file__).with_name("labelling.js").read_text()
SIZE, LOOKS = 300, 30


@pytest.fixture(scope="module")
def run(browser):
    """Return a function that runs a line of JavaScript after the script and returns the value."""
    browser.get("about:blank")
    return lambda line, *given: browser.execute_script(SCRIPT + line, *given)


@pytest.fixture(scope="module")
def intervals(run):
    """The interval for each number of right ones, (LOOKS + 1, 2)."""
    line = (
        "const given = arguments; return [...Array(given[1] + 1).keys()].map(right => countInterval(...given, right))"
    )
    return np.array(run(line, SIZE, LOOKS))


def test_an_interval_is_what_neither_one_sided_test_rejects(run):
    rng = np.random.default_rng(0)
    cases = []
    for size in (1, 2, 7, 60, 300, 5000):
        for looks in {0, 1, size // 3, min(size, 80), size if size < 100 else 50}:
            cases += [(size, looks, int(right)) for right in {0, looks, rng.integers(0, looks + 1)}]
    found = run("return arguments[0].map(each => countInterval(...each))", cases)
    for (size, looks, right), interval in zip(cases, found, strict=True):
        good = np.arange(size + 1)
        tails = np.minimum(hypergeom.sf(right - 1, size, good, looks), hypergeom.cdf(right, size, good, looks))
        kept = tails > 0.025 * (1 - 1e-9)  # ties
        assert interval == [good[kept].min(), good[kept].max()], (size, looks, right)


def test_intervals_cover_at_least_as_often_as_they_say(intervals):
    """Of every purity, exactly: the chance of the samples whose interval holds it."""
    right = np.arange(LOOKS + 1)
    for good in range(SIZE + 1):
        holds = (intervals[:, 0] <= good) & (good <= intervals[:, 1])
        assert hypergeom.pmf(right, SIZE, good, LOOKS)[holds].sum() >= 0.95


def test_samples_that_the_page_draws_cover_as_often(run, intervals):
    """1000 seeds; the first images of a group are the right ones."""
    line = """return arguments[2].map(good => Array.from({length: 1000}, (_, seed) =>
        drawnOrder([...Array(arguments[0]).keys()], seed).slice(0, arguments[1]).filter(row => row < good).length))"""
    goods = [210, 270, 294]
    for good, found in zip(goods, run(line, SIZE, LOOKS, goods), strict=True):
        low, high = intervals[found].T
        assert ((low <= good) & (good <= high)).mean() >= 0.95
        # The mean of the draws is that of the hypergeometric distribution, within five standard errors.
        assert abs(np.mean(found) - LOOKS * good / SIZE) < 5 * hypergeom.std(SIZE, good, LOOKS) / np.sqrt(1000)


def test_an_order_is_of_all_rows_and_the_seeds(run):
    rows = list(range(5, 50))
    one, same, other = run("return [1, 1, 2].map(seed => drawnOrder(arguments[0], seed))", rows)
    assert sorted(one) == rows
    assert one == same != other


def test_looks_to_a_width_are_the_fewest(run):
    for size, looks, right in ((300, 0, 0), (300, 30, 29), (50, 10, 5)):
        more = run("return looksToWidth(...arguments)", size, looks, right, 0.1)
        share = right / looks if looks else 1
        cases = [(size, n, int(np.floor(share * n + 0.5))) for n in range(looks, looks + more + 1)]
        widths = np.diff(run("return arguments[0].map(each => countInterval(...each))", cases))[:, 0].tolist()
        assert widths[-1] <= 0.1 * size < min(widths[:-1], default=size)


def test_evidence_is_the_mean_ratio_of_the_probabilities_of_the_looks(run):
    cases = [(300, 40, 39, 270), (50, 0, 0, 45), (20, 12, 12, 18), (1000, 60, 52, 900), (7, 6, 6, 7)]
    found = run("return arguments[0].map(each => evidence(...each))", cases)
    for (size, looks, right, least), value in zip(cases, found, strict=True):
        enough = hypergeom.pmf(right, size, np.arange(least, size + 1), looks)
        assert value == pytest.approx(enough.mean() / hypergeom.pmf(right, size, least - 1, looks), rel=1e-6)
    assert run("return evidence(20, 18, 18, 18)") is None  # Infinity: as many as are needed were seen
    assert run("return evidence(20, 5, 2, 18)") == 0  # more wrong ones than may be


@pytest.mark.parametrize(("size", "least"), [(30, 27), (100, 90), (300, 270), (300, 285)])
def test_a_group_that_is_not_good_enough_is_rarely_accepted_though_one_looks_after_every_image(run, size, least):
    """The exact probability that it is ever accepted: over all orders of its images, of which `least` - 1 are right."""
    line = """const [size, least] = arguments, logs = logFactorials(size), all = n => [...Array(n).keys()];
        return all(size).map(looks => all(looks + 1).map(right => evidence(size, looks, right, least, logs) >= 20))"""
    accepted = run(line, size, least)
    going, wrongly = np.array([1.0]), 0.0
    for looks in range(1, size):
        right = np.arange(looks)  # before this look
        chance = np.clip((least - 1 - right) / (size - looks + 1), 0, 1)
        going = np.append(going * (1 - chance), 0) + np.append(0, going * chance)
        wrongly += going[accepted[looks]].sum()
        going[accepted[looks]] = 0
    assert 0.01 < wrongly <= 0.05


def test_looks_until_a_group_can_be_accepted_are_the_fewest(run):
    for size, looks, right, least in ((300, 0, 0, 270), (300, 30, 29, 270), (20, 4, 4, 18)):
        more = run("return looksToAccept(...arguments)", size, looks, right, least)
        last, before = run(
            "const [size, looks, right, least, more] = arguments;"
            "return [0, 1].map(less => evidence(size, looks + more - less, right + more - less, least) >= 20)",
            *(size, looks, right, least, more),
        )
        assert (last, before) == (True, False)
    assert run("return looksToAccept(300, 40, 9, 270)") is None


@pytest.fixture(scope="module")
def labelled_next(run):
    rng = np.random.default_rng(0)
    codes = np.repeat([1, 2, 3, 0], [30, 40, 50, 5])
    points = np.rint(rng.normal(size=(125, 4)) * 10 + 40 * codes[:, None] - 80).clip(-127, 127).astype(int)
    line = """const [values, codes, labelled, count] = arguments;
        return labelNext({d: 4, values}, codes, row => labelled.includes(row), count)"""

    def ask(labelled, count):
        return run(line, points.ravel().tolist(), codes.tolist(), labelled, count)

    return points, codes, ask


def test_the_first_to_label_is_the_most_typical_of_each_group_the_largest_first(labelled_next):
    points, codes, ask = labelled_next
    expected = []
    for code in (3, 2, 1):
        rows = np.flatnonzero(codes == code)
        distances, _ = (
            NearestNeighbors(n_neighbors=20).fit(points[rows]).kneighbors()
        )  # an image is not its own neighbour
        expected.append(rows[distances.mean(axis=1).argmin()])
    assert ask([], 3) == expected


def test_groups_with_labels_wait_and_no_image_comes_twice(labelled_next):
    _, codes, ask = labelled_next
    of_first = np.flatnonzero(codes == 1)[:2].tolist()
    assert codes[ask(of_first, 4)].tolist() == [3, 2, 3, 2]
    everything = ask([], 200)
    assert sorted(everything) == np.flatnonzero(codes).tolist()


def test_the_second_of_a_group_is_far_from_the_first(labelled_next):
    points, codes, ask = labelled_next
    first, second = (row for row in ask([], 6) if codes[row] == 3)
    rows = np.flatnonzero(codes == 3)
    distances = np.linalg.norm(points[rows] - points[first], axis=1)
    assert np.linalg.norm(points[second] - points[first]) > np.median(distances)
