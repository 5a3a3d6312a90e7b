"""Print the page `results/README.md`, which lists all artefacts (kinds of files that the workflow makes)."""

from workflow_scripts.grid.artefacts import ARTEFACTS, PRUNED_FOLDERS, Artefact
from workflow_scripts.grid.axes import parts_of

BEFORE = """# Results

Everything here is made by the workflow; git keeps only this page, which `make schema` writes. One folder for each data
set:

| path | what | made by |
|---|---|---|
"""
AFTER = """| `logs/`, `benchmarks/` | log and benchmark of each job, under the path of its result | every rule |

`…` stands for `{features}`, or for `{features}@{{subset}}`
for a subset. Every file is complete: files are written under another name and then renamed. The attributes of an HDF5
file hold the settings, the digest of the code, the versions of the libraries and, for features, the SHA-256 of the
weights.
`snakemake prune` looks at the files of {pruned} only.
"""


def page() -> str:
    """Return the text of the page in Markdown, with a table that has a row for each artefact."""
    features = "/".join(f"{{{part}}}" for part in parts_of("features"))
    rows = [_row(artefact, features) for artefact in ARTEFACTS.values() if "/." not in f"/{artefact.stem}"]
    pruned = ", ".join(f"`{folder}/`" for folder in PRUNED_FOLDERS)
    return BEFORE + "".join(rows) + AFTER.format(features=features, pruned=pruned)


def _row(artefact: Artefact, features: str) -> str:
    files = [f"`{artefact.path}`", *(f"`{ending}`" for ending in artefact.endings[1:])]
    shown = ", ".join(files).replace(f"/{features}/", "/…/")
    return f"| {shown} | {artefact.line} | `{artefact.made_by}` |\n"


if __name__ == "__main__":
    print(page(), end="")
