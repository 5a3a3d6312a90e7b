"""Test batches of new images against those of a model; write the control charts, a page and the table of batches."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.io.tables import read_csv, write_csv
from workflow_scripts.models.batches import in_batches, in_order
from workflow_scripts.models.control_chart import control_chart, facts_of_known
from workflow_scripts.models.monitored_images import files_of, known_images, new_images, ungrouped
from workflow_scripts.models.saved import load_model
from workflow_scripts.models.suspects import MOST_SHOWN, grouped, to_look_at
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
    known = known_images(model, manifest, known_quality, bool(params.groups))
    images = new_images(predictions, files, quality, params.groups)
    images = in_batches(in_order(images, folder, params.batch["order"]), size)
    chart = control_chart(images, known, size, rate)
    workers = processes_for(files, snakemake.threads)
    suspects = to_look_at(images, known, chart)
    shown = grouped(suspects.head(MOST_SHOWN), model, folder, params.max_pixels, params.device, workers, progress)
    write_charts(chart, images, known, rate, params.style, output.svg, output.png)
    facts = {**params.names, "folder": str(folder), "size": size, "rate": rate, "max_pixels": params.max_pixels}
    facts |= {"n_files": files_of(images).nunique(), "ungrouped": ungrouped(images, params.groups)}
    facts |= {"n_suspects": len(suspects), **facts_of_known(known)}
    for line in write_monitor(output.page, chart, shown, output.png, params.links, facts):
        log.log(NOTICE, line)
    write_csv(chart, output.csv)
