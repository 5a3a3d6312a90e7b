"""Tables: parquet for programs, CSV beside it for people."""

import pandas as pd

from workflow_scripts.store import replacing


def write_parquet(table: pd.DataFrame, path: str) -> None:
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)


def write_csv(table: pd.DataFrame, path: str) -> None:
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)
