"""Reading and writing of tables (parquet for programs, CSV for people), and selection of rows of scores."""

import pandas as pd
from pyarrow import ArrowException

from workflow_scripts.errors import UserError
from workflow_scripts.io.files import replacing
from workflow_scripts.io.which_k import choose_k


def write_parquet(table: pd.DataFrame, path: str) -> None:
    """Write a table as a parquet file, whole or not at all."""
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)


def write_csv(table: pd.DataFrame, path: str) -> None:
    """Write a table as a CSV file, whole or not at all."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)


def read_parquet(path: str) -> pd.DataFrame:
    """Read a parquet file; raises `UserError` with the path if it is damaged."""
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise
    except (ArrowException, OSError) as error:
        raise UserError(f"{path}: damaged ({str(error).splitlines()[0]}); delete it and run again") from None


def read_scores(path: str) -> pd.DataFrame:
    """Read a cell's scores on all images, without the rows of cross-validation folds."""
    scores = read_parquet(path)
    return scores[scores["fold"].isna()]


def best_of_repeats(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the row of lowest inertia of each k and repeat, because a repeat may have rows for all its restarts."""
    return scores.sort_values("inertia", kind="stable").groupby(["k", "repeat"], dropna=False).head(1).sort_index()


def with_k(scores: pd.DataFrame, wanted: int | None) -> pd.DataFrame:
    """Return the rows of the k that `choose_k` chooses: the wanted one, or the smallest if `wanted` is None."""
    k = choose_k(wanted, [None if pd.isna(k) else int(k) for k in scores["k"].unique()])
    return scores[scores["k"].isna() if k is None else scores["k"] == k]
