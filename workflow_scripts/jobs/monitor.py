"""Test batches of new images against those of a model; write the control charts, a page and the table of batches."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.io.tables import read_csv, write_csv
from workflow_scripts.models import monitoring
from workflow_scripts.models.naming import grouped
from workflow_scripts.models.saved import load_model
from workflow_scripts.pages.monitor.chart import write_charts
from workflow_scripts.pages.monitor.page import write_monitor
from workflow_scripts.preprocess.stack import processes_for
from workflow_scripts.runlog import NOTICE, job, progress

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    source, output, params = snakemake.input, snakemake.output, snakemake.params
    folder, size, rate = Path(params.folder), params.batch["size"], params.batch["rate"]
    model = load_model(source.facts, source.tensors)
    manifest, known_quality = read_csv(source.manifest), read_csv(source.known_quality)
    predictions, files, quality = map(read_csv, (source.predictions, source.images, source.quality))
    known = monitoring.known_images(model, manifest, known_quality, bool(params.groups))
    images = monitoring.new_images(predictions, files, quality, params.groups)
    images = monitoring.in_batches(monitoring.in_order(images, folder, params.batch["order"]), size)
    chart = monitoring.control_chart(images, known, size, rate)
    suspects = monitoring.to_look_at(images, known, chart)
    workers = processes_for(files, snakemake.threads)
    suspects = grouped(suspects, model, folder, params.max_pixels, params.device, workers, progress)
    write_charts(chart, images, known, rate, params.style, output.svg, output.png)
    facts = {**params.names, "folder": str(folder), "size": size, "rate": rate, "max_pixels": params.max_pixels}
    n_files, ungrouped = monitoring.files_of(images).nunique(), monitoring.ungrouped(images, params.groups)
    facts |= {"n_files": n_files, "ungrouped": ungrouped}
    facts |= monitoring.facts_of_known(known)
    for line in write_monitor(output.page, chart, suspects, output.png, params.links, facts):
        log.log(NOTICE, line)
    write_csv(chart, output.csv)
