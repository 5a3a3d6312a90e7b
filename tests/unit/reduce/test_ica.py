"""Independent components: mixed sources are found again, and their store is a projection."""

import numpy as np

from workflow_scripts.io import store
from workflow_scripts.reduce.ica import decompose, unmixing
from workflow_scripts.settings.decompositions.components import Ica

RNG = np.random.default_rng(0)
SOURCES = np.column_stack([RNG.uniform(-1, 1, 2000), RNG.laplace(size=2000), np.sign(RNG.normal(size=2000))])
MIXED = (SOURCES @ RNG.normal(size=(3, 8)) + 5).astype(np.float32)


def decomposed(tmp_path, **settings):
    with store.writing(tmp_path / "features.h5", store.provenance("", "m", {})) as file:
        store.put(file, "image_id", np.arange(len(MIXED)).astype("S4"))
        store.put(file, "features", MIXED)
    path = tmp_path / "ica.h5"
    decompose(str(tmp_path / "features.h5"), str(path), Ica(**settings).dump(), "", lambda *_: None)
    return path


def test_sources_are_found_again_up_to_order_and_sign(tmp_path):
    with store.reading(decomposed(tmp_path, n_components=3, scale="standard")) as file:
        scores = file["scores"][:]
        again = (MIXED / file["divisors"][:] - file["mean"][:]) @ file["components"][:].T
    agreement = np.abs(np.corrcoef(scores.T, SOURCES.T)[:3, 3:])
    assert sorted(agreement.argmax(axis=1)) == [0, 1, 2]
    assert agreement.max(axis=1).min() > 0.99
    np.testing.assert_allclose(scores.std(axis=0), 1, atol=1e-3)
    np.testing.assert_allclose(again, scores, atol=1e-3)


def test_a_store_is_the_same_each_time_and_has_no_more_components_than_the_rank(tmp_path):
    first = decomposed(tmp_path, n_components=6).read_bytes()
    assert decomposed(tmp_path, n_components=6).read_bytes() == first
    with store.reading(tmp_path / "ica.h5") as file:
        assert file["scores"].shape[1] >= 3


def test_an_end_without_convergence_is_said(caplog):
    unmixing(RNG.normal(size=(200, 5)), max_iter=1)
    assert "did not converge in 1 iterations" in caplog.text
