"""Test batches of new images against those of a model; write the control charts, a page and the table of batches."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.io.tables import read_csv, write_csv
from workflow_scripts.models.monitoring import (
    control_chart,
    facts_of_known,
    in_order,
    known_images,
    new_images,
    to_look_at,
)
from workflow_scripts.models.naming import grouped
from workflow_scripts.models.saved import load_model
from workflow_scripts.pages.monitor.chart import write_charts
from workflow_scripts.pages.monitor.page import write_monitor
from workflow_scripts.runlog import NOTICE, job, progress

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    source, output, params = snakemake.input, snakemake.output, snakemake.params
    folder, size, rate = Path(params.folder), params.batch["size"], params.batch["rate"]
    model = load_model(source.facts, source.tensors)
    known = known_images(model, read_csv(source.manifest), read_csv(source.known_quality), bool(params.groups))
    images = new_images(read_csv(source.predictions), read_csv(source.images), read_csv(source.quality), params.groups)
    images = in_order(images, folder, params.batch["order"])
    chart = control_chart(images, known, size, rate)
    suspects = to_look_at(images, known, chart, size)
    suspects = grouped(suspects, model, folder, params.max_pixels, params.device, snakemake.threads, progress)
    write_charts(chart, images, known, rate, params.style, output.svg, output.png)
    facts = {**params.names, "folder": str(folder), "size": size, "rate": rate, "max_pixels": params.max_pixels}
    facts |= {"n_images": len(images), **facts_of_known(known)}
    for line in write_monitor(output.page, chart, suspects, output.png, params.links, facts):
        log.log(NOTICE, line)
    write_csv(chart, output.csv)
