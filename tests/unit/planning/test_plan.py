"""The lines that a dry run prints."""

from workflow_scripts.grid.expand import Skipped
from workflow_scripts.planning.plan import REASONS_SHOWN, left_out, restricted
from workflow_scripts.settings.backbones import Network, Pixels


def test_combinations_left_out_are_counted_by_study_and_reason():
    skipped = [Skipped("layers", (), reason) for reason in ("a has no layer x", "a has no layer x", "a has no layer y")]
    assert list(left_out([*skipped, Skipped("other", (), "a has no layer x")])) == [
        "  study layers: 2 combinations left out: a has no layer x",
        "  study layers: 1 combinations left out: a has no layer y",
        "  study other: 1 combinations left out: a has no layer x",
    ]


def test_many_reasons_end_in_one_line_with_the_count_of_the_rest():
    skipped = [Skipped("layers", (), f"a has no layer {number}") for number in range(REASONS_SHOWN + 3)]
    lines = list(left_out([*skipped, skipped[-1]]))
    assert len(lines) == REASONS_SHOWN + 1
    assert lines[-1] == "  study layers: 4 combinations left out for 3 more reasons of this kind"


def test_weights_that_may_not_be_used_for_everything_are_named():
    def network(model, weights="default"):
        return Network(model=model, weights=weights, layers=[["logits"]])

    backbones = {
        "vit": network("vit_h_14"),
        "dino": network("timm:vit_small_patch16_dinov3"),
        "own": network("vit_h_14", "mine.pth"),
        "control": network("timm:vit_small_patch16_dinov3", "random"),
        "free": network("timm:vit_small_patch14_dinov2"),
        "unused": network("timm:vit_small_patch16_dinov3"),
        "pixels": Pixels(descriptor="pixels"),
    }
    assert list(restricted(backbones, backbones.keys() - {"unused"})) == [
        "  licence of the weights of vit: cc-by-nc-4.0, which restricts their use; read it",
        "  licence of the weights of dino: dinov3-license, which restricts their use; read it",
    ]
