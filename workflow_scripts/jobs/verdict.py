"""Write the verdict of a study: a page with its findings in sentences, and a table of these sentences.

The sentences come from the tables, the figures and the consensus of the study.
"""

from snakemake.script import Snakemake

from workflow_scripts.consensus.study import read_groups
from workflow_scripts.io import store
from workflow_scripts.io.manifest import read_manifest
from workflow_scripts.io.tables import read_csv, read_parquet, write_csv
from workflow_scripts.pages.parts.thumbnails import Thumbnails
from workflow_scripts.pages.verdict.findings import sections
from workflow_scripts.pages.verdict.page import sentence_table, write_verdict
from workflow_scripts.pages.verdict.study import VerdictTables
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]), store.reading(snakemake.input.images) as stack:
    params, source = snakemake.params, snakemake.input
    manifest = read_manifest(source.manifest)
    with store.reading(source.consensus) as file:
        chosen_k = file.attrs["chosen_k"]
    study = VerdictTables(
        manifest,
        read_csv(source.rejected, keep_default_na=True),
        read_groups(source.groups),
        chosen_k,
        dict(zip(params.kinds, map(read_parquet, source.tables), strict=True)),
    )
    page_sections = sections(study, params.page["shown"], params.page["per_group"])
    thumbnails = Thumbnails.of(stack, manifest)
    figures = dict(zip(params.kinds, source.figures, strict=True))
    write_verdict(snakemake.output.page, page_sections, figures, params.links, thumbnails, params.names)
    write_csv(sentence_table(page_sections, params.links), snakemake.output.csv)
