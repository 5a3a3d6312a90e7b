"""Checkpoints of trainings that are killed more than once."""

import pytest
import torch

from workflow_scripts.io import checkpoint
from workflow_scripts.io.checkpoint import Checkpoint


def test_stages_before_the_first_kill_are_not_done_again_after_the_second(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN_SAVES", 0)
    net = torch.nn.Linear(2, 1)
    optimiser = torch.optim.SGD(net.parameters(), 0.1)

    def train(killed_in: int) -> list[tuple[str, int]]:
        done, kept = [], Checkpoint(tmp_path / "kept", "it")
        for stage in ("first", "second"):
            for number in kept.rounds(stage, net, optimiser, 5):
                if stage == "second" and number == killed_in:
                    return done
                done.append((stage, number))
        return done

    assert train(1) == [*(("first", number) for number in range(5)), ("second", 0)]
    assert train(3) == [("second", 1), ("second", 2)]
    assert train(5) == [("second", 3), ("second", 4)]


@pytest.mark.parametrize("count", [1, 3])
def test_the_last_round_is_done_again_unless_its_result_was_kept(tmp_path, monkeypatch, count):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN_SAVES", 0)
    net = torch.nn.Linear(2, 1)
    optimiser = torch.optim.SGD(net.parameters(), 0.1)
    assert list(Checkpoint(tmp_path / "kept", "it").rounds("only", net, optimiser, count)) == [*range(count)]
    assert list(Checkpoint(tmp_path / "kept", "it").rounds("only", net, optimiser, count)) == [count - 1]
