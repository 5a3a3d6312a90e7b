"""The points that a map is computed from, and its store."""

from pathlib import Path

import numpy as np
import pytest

from tests.unit.reduce.components import VARIANCE, write_pca
from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.reduce.maps import points_to_map, write_map
from workflow_scripts.settings.decompositions.maps import Tsne


@pytest.mark.parametrize("whiten", [False, True])
def test_the_first_components_are_mapped_and_whitened_if_asked(tmp_path: Path, whiten: bool) -> None:
    scores = write_pca(tmp_path / "pca.h5", 6)
    settings = Tsne(n_components=2, whiten=whiten).dump()
    points = points_to_map(str(tmp_path / "pca.h5"), settings)
    np.testing.assert_array_equal(points, scores[:, :2] / (np.sqrt(VARIANCE[:2]) if whiten else 1))


def test_a_map_has_the_rows_of_its_components_and_its_own_settings(tmp_path: Path) -> None:
    write_pca(tmp_path / "pca.h5", 6)
    embedding, settings = np.arange(12.0).reshape(6, 2), Tsne().dump()
    write_map(str(tmp_path / "pca.h5"), str(tmp_path / "map.h5"), embedding, "c", settings, perplexity=1.5)
    with store.reading(str(tmp_path / "map.h5")) as file:
        np.testing.assert_array_equal(file["scores"][:], embedding)
        assert store.text(file, "manifest") == "m"
        assert store.attribute(file, "settings") == settings
        assert len(store.image_ids(file)) == 6


def test_too_few_images_are_the_users_mistake(tmp_path: Path) -> None:
    write_pca(tmp_path / "pca.h5", 3)
    with pytest.raises(UserError, match="tsne: found 3 images, at least 4"):
        points_to_map(str(tmp_path / "pca.h5"), Tsne().dump())
