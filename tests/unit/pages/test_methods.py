"""The methods paragraph: what it says of a known run, and that every source it may cite has an entry."""

import re
from dataclasses import replace

import pytest

from tests.workflow import ROOT
from workflow_scripts import VERSION
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.expand import Grid
from workflow_scripts.grid.inputs import Inputs
from workflow_scripts.pages.methods.bibliography import CITED, bibliography, entries
from workflow_scripts.pages.methods.paragraph import Made, Run, methods_text
from workflow_scripts.settings import parse
from workflow_scripts.settings.backbones.descriptors import DESCRIPTORS
from workflow_scripts.settings.backbones.network import Network
from workflow_scripts.settings.clusterers import Clusterer
from workflow_scripts.settings.clusterers.finding_k import Dbscan
from workflow_scripts.settings.clusterers.given_k import GaussianMixture, Linkage
from workflow_scripts.settings.clusterers.trained import Turtle
from workflow_scripts.settings.decompositions import Decomposition
from workflow_scripts.settings.decompositions.autoencoder import Autoencoder
from workflow_scripts.settings.decompositions.components import Pca
from workflow_scripts.settings.figures.reductions import Distances
from workflow_scripts.settings.preprocess import Step
from workflow_scripts.settings.reading import read_yaml

CELL = {
    "preprocess": "plain",
    "backbone": "net",
    "layer": "fire9_avg",
    "subset": "all",
    "decomposition": "pca",
    "n_components": 10,
    "whiten": True,
    "clusterer": "kmeans",
}
RUN = Run(
    dataset="steel",
    seed=7,
    learns=False,
    steps={"plain": ["conversion to luminance", "bilinear resizing to 96 × 96 pixels"]},
    backbones={"net": "squeezenet1_1 [@iandola2016], a network of torchvision [@torchvision2016]"},
    reductions={"pca": "principal component analysis [@jolliffe2016]"},
    maps=[],
    clusterers={"kmeans": "k-means [@lloyd1982] with random first centres"},
    numbers={"kmeans": {"k": [2, 3, 4, 6], "repeats": 3, "restarts": 20}},
    analyses=["the sorted k-distance curve [@ester1996]"],
    baseline=CELL,
    studies={"components": [CELL, {**CELL, "n_components": 20}], "other": [{**CELL, "layer": "fire5_avg"}]},
)
MADE = Made(
    images=[{"label": label, "width": "100", "height": "80"} for label in "aaabbbb"],
    rejected={"duplicate": 2},
    layers={"net": {"fire9_avg": 512}},
    inputs={"net": "caffe (by the file)"},
    weights={"net": {"weights": "w.pth", "weights_sha256": "abc", "licence": "BSD-3-Clause"}},
    libraries={"numpy": ["2.4.6"], "torchvision": ["0.28.0"], "openTSNE": ["1.0.4"]},
    clusterings={"components": 24, "other": 12},
    scored=frozenset({"ari", "silhouette"}),
    snakemake="9.27.1",
    python="3.11.2",
)
GOLDEN = f"""\
# Methods

**Images.** The data set *steel* comprised 7 images of 2 classes (3 to 4 images each). Their sides measured 80 to 100 \
pixels. Files were left out for the following reasons: 2 (duplicate). Labels were used only to score clusters.

**Preprocessing.** The preprocessing consisted of conversion to luminance and bilinear resizing to 96 × 96 pixels.

**Features.** Features were computed by squeezenet1_1 [@iandola2016], a network of torchvision [@torchvision2016]; \
the layers, with the number of features, were fire9_avg (512). An image entered it as three channels, equal ones if it \
was grey, in the order blue, green, red, less the mean over ImageNet. The weights were `w.pth` (SHA-256 of the file \
`abc`; their licence is BSD-3-Clause). The end of a layer's name says what was taken of it: *avg*, the mean over all \
positions of its map.

**Dimensionality reduction.** The features were reduced by principal component analysis [@jolliffe2016] to 10 and 20 \
components, with whitening.

**Clustering.** Images were clustered by k-means [@lloyd1982] with random first centres: *kmeans* (k = 2 to 4 and 6, \
3 repeats of 20 restarts with different seeds).

**Design.** Unless a study says otherwise, the choices were preprocessing *plain*, backbone *net*, layer *fire9_avg*, \
decomposition *pca*, 10 components, whitened and clusterer *kmeans*. Study *components* varied the number of \
components (10 and 20): 2 cells, 24 clusterings. Study *other* varied nothing, with layer *fire5_avg*: 1 cell, 12 \
clusterings.

**Evaluation.** Clusters were compared with labels by the adjusted Rand index [@hubert1985]. Without labels, clusters \
were scored by the mean silhouette [@rousseeuw1987]. Further analyses gave the sorted k-distance curve [@ester1996].

**Software.** The analysis was run as a workflow of Clustergrid {VERSION} under Snakemake 9.27.1 [@moelder2021] \
and Python 3.11.2. Results were computed with NumPy 2.4.6 [@harris2020] and torchvision 0.28.0. All random seeds were \
derived from the base seed 7.
"""


def test_golden_text_of_a_known_run():
    assert methods_text(RUN, MADE) == GOLDEN


def test_several_methods_are_one_list_and_reductions_have_their_names():
    numbers = {"k": [], "repeats": 1, "restarts": 1}
    phrases = {
        "ward": Linkage(k=[2]).prose,
        "mixture": GaussianMixture(k=[2], covariance_type="diag").prose,
        "dbscan": Dbscan(min_samples=5).prose,
        "near": Dbscan(eps=2.5).prose,
    }
    tied = Autoencoder(tied=[True, False, True]).prose
    run = replace(
        RUN, clusterers=phrases, numbers=dict.fromkeys(phrases, numbers), reductions={**RUN.reductions, "tied": tied}
    )
    text = methods_text(run, MADE)
    assert text.count("Images were clustered") == 1
    for said in (
        "by agglomerative clustering with Ward linkage and",
        "; by Gaussian mixtures with diagonal covariances fitted",
        "with the radius at the knee of the sorted k-distance curve and 5 images to a core point: *dbscan* (k found",
        "with eps = 2.5 and 10 images",
        "10 and 20 components, with whitening (*pca*).",
        "with tied weights in the outer and inner layers (*tied*).",
    ):
        assert said in text


def test_golden_words_of_views_scalings_and_spaces():
    network = Network(model="squeezenet1_1", weights="random", layers=[["fire9_avg"]], orbit=True, pyramid=[1, 0.5])
    run = replace(
        RUN,
        backbones={"net": network.prose},
        reductions={"pca": Pca(scale="yeo-johnson").prose},
        clusterers={"kmeans": Turtle(k=[2], spaces=[256, 512]).prose},
    )
    said = dict(part.split(".** ", 1) for part in methods_text(run, MADE).split("\n\n") if ".** " in part)
    assert said["**Features"].startswith(
        "Features were computed by squeezenet1_1 [@iandola2016], a network of torchvision [@torchvision2016] run with "
        "PyTorch [@paszke2019], averaged over the eight rotations and flips of an image at 1 and 0.5 of its size; the "
        "layers, with"
    )
    assert said["**Dimensionality reduction"] == (
        "The features were reduced by principal component analysis [@jolliffe2016] of standardised "
        "Yeo-Johnson-transformed [@yeo2000] features to 10 and 20 components, with whitening."
    )
    assert said["**Clustering"].startswith(
        "Images were clustered by TURTLE [@gadetsky2024] with gamma = 10 in PyTorch [@paszke2019], in spaces of 256 "
        "and 512 columns: *kmeans*"
    )


def test_each_view_alone_has_words():
    scaled = Network(model="squeezenet1_1", weights="random", layers=[["fire9_avg"]], pyramid=[1, 0.7, 0.5])
    assert scaled.prose.endswith(", averaged over copies of an image at 1, 0.7 and 0.5 of its size")
    turned = DESCRIPTORS["hog"](descriptor="hog", orbit=True)
    assert turned.prose.endswith("in cells of 32 pixels, averaged over the eight rotations and flips of an image")


def test_what_was_not_used_is_not_said():
    text = methods_text(
        replace(RUN, analyses=[], reductions={}),
        replace(MADE, images=[{"label": "", "width": "", "height": ""}], scored=frozenset({"silhouette"})),
    )
    assert "There were no labels." in text
    assert "All cells clustered the features without reduction." in text
    assert "compared with labels" not in text
    assert not {"hubert1985", "ester1996", "policar2024"} & set(CITED.findall(text))
    assert "openTSNE" not in text


def test_the_bibliography_has_the_cited_entries_and_no_others():
    assert set(re.findall(r"^@\w+\{(\w+)", bibliography(GOLDEN), re.MULTILINE)) == set(CITED.findall(GOLDEN))
    with pytest.raises(KeyError, match="nobody1900"):
        bibliography("[@nobody1900]")
    assert not bibliography("The weights were `net@lab2021.pth`.")  # a name of the user, no citation


def test_every_source_that_a_model_names_has_an_entry_and_every_entry_is_named():
    places = ("scores.py", "backbones/*_family.py", "settings/**/*.py", "pages/methods/*.py")
    files = [path for place in places for path in (ROOT / "workflow_scripts").glob(place)]
    code = " ".join(path.read_text() for path in files)
    named = set(CITED.findall(code)) | set(re.findall(r': "([a-z]+\d{4})"', code))
    assert named == set(entries())


def test_entries_are_whole():
    for key, entry in entries().items():
        assert entry.count("{") == entry.count("}"), key
        assert {"author", "title", "year"} <= set(re.findall(r"^  (\w+) = ", entry, re.MULTILINE)), key


@pytest.mark.parametrize("family", [Clusterer, Decomposition, Step])
def test_every_method_has_words(family):
    for name, model in family.registry.items():
        given = {"k": [3], "study": "other", family.tag: name}
        method = model.model_validate({key: value for key, value in given.items() if key in model.model_fields})
        assert method.prose, name


def test_every_descriptor_has_words():
    assert all(model(descriptor=name).prose for name, model in DESCRIPTORS.items())


def test_the_default_cites_what_it_uses():
    settings = parse(read_yaml(ROOT / "config" / "config.yaml"))
    described = Inputs(settings, Grid(settings), Layout("embedded")).methods.params["run"]({})
    cited = set(CITED.findall(str(described)))
    assert {"lloyd1982", "arthur2007", "zuiderveld1994", "iandola2016", "vandermaaten2008"} <= cited
    assert not {"ester1996", "hinton2006", "mullner2013"} & cited
    assert described["studies"].keys() == settings.studies.keys()


def test_a_clusterer_with_n_init_names_its_restarts():
    data = read_yaml(ROOT / "config" / "config.yaml")
    models = {name: model for name, model in Clusterer.registry.items() if "n_init" in model.model_fields}
    given = {name: {"method": name, "k": [3], "repeats": 2, "n_init": 7} for name in models}
    data["clusterers"] = {**data["clusterers"], **given}
    data["studies"] = {"methods": {"vary": {"clusterer": [*given]}}}
    settings = parse(data)
    described = Inputs(settings, Grid(settings), Layout("embedded")).methods.params["run"]({})
    numbers = {name: described["numbers"][name] for name in given}
    assert "dec" in numbers
    assert all(number == {"k": [3], "repeats": 2, "restarts": 7} for number in numbers.values()), numbers
    text = methods_text(replace(RUN, clusterers={"dec": models["dec"](k=[3]).prose}, numbers=numbers), MADE)
    assert "*dec* (k = 3, 2 repeats of 7 restarts with different seeds)" in text


def test_distances_cite_the_similarity_of_images_only_if_they_show_it():
    assert CITED.findall(Distances(of_images=True).prose) == ["sampat2009"]
    assert not Distances().prose
