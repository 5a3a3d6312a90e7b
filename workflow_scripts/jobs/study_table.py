"""Join the scores of a study's cells in one table, and their scores by class in another."""

import pandas as pd
from snakemake.script import Snakemake

from workflow_scripts.io.tables import read_parquet, write_csv, write_parquet
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    for name in ("scores", "classes"):
        table = pd.concat([read_parquet(path) for path in snakemake.input[name]], ignore_index=True)
        write_parquet(table, snakemake.output[f"{name}_parquet"])
        write_csv(table, snakemake.output[f"{name}_csv"])
