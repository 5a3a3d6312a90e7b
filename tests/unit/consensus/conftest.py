"""Cells of a study, and the trust in them."""

import numpy as np
import pytest

from tests.unit.consensus.partitions import CHOICES, MOVED, TRUTH, noisy_copies
from workflow_scripts.consensus.trust import Trust, trust


@pytest.fixture(scope="session")
def partitions() -> np.ndarray:
    """Cells that follow the truth less and less."""
    return noisy_copies(TRUTH, MOVED, 5)


@pytest.fixture(scope="session")
def trusted(partitions: np.ndarray) -> Trust:
    """The trust in these cells."""
    return trust(partitions, CHOICES)
