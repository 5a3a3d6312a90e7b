"""Write the paragraph about the methods of the run as Markdown, and the bibliography of the sources that it cites."""

from snakemake.script import Snakemake

from workflow_scripts.io.files import replacing
from workflow_scripts.pages.methods.bibliography import bibliography
from workflow_scripts.pages.methods.paragraph import Run, methods_text
from workflow_scripts.pages.methods.reading import read_made
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    params = snakemake.params
    sources = {name: list(paths) for name, paths in snakemake.input.items()}
    text = methods_text(Run(**params.run), read_made(sources, params.backbones, params.layers))
    for path, content in zip(snakemake.output, (text, bibliography(text)), strict=True):
        with replacing(path) as temporary:
            temporary.write_text(content, encoding="utf-8")
