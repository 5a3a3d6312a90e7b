"""Number the levels of the choices of a study's cells. A level is a value that a choice has in one or more cells."""

import numpy as np
import pandas as pd


def levels_of(choices: pd.DataFrame) -> dict[str, tuple[np.ndarray, list[object]]]:
    """Return for each choice the number of each cell's level, (C,) integers from 0, and the levels in this order.

    Null is a level, such as all components beside 50 components, if two cells that are equal in all other choices
    differ in it. Otherwise null means that the choice does not apply to a cell, as the number of components does not
    without a decomposition; the number of such a cell is -1.

    `choices` has C rows, and one column per axis.
    """
    levels = {}
    for axis in choices:
        others = list(map(tuple, choices.drop(columns=axis).to_numpy(dtype=object)))
        is_null = choices[axis].isna()
        with_null = {row for row, null in zip(others, is_null, strict=True) if null}
        with_value = {row for row, null in zip(others, is_null, strict=True) if not null}
        numbers, names = pd.factorize(choices[axis], use_na_sentinel=with_null.isdisjoint(with_value))
        levels[str(axis)] = numbers, [None if pd.isna(name) else name for name in names]
    return levels
