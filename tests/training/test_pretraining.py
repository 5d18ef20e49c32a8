"""Masked reconstruction: whole spans are hidden, never padding, and light curves become predictable."""

import logging

import numpy as np
import torch

from spectramind_kit.config import load_config
from spectramind_kit.features.planet import Features
from spectramind_kit.features.visit import SEQUENCE
from spectramind_kit.training.pretraining import HIDDEN_SHARE, hidden_spans, pretrain
from spectramind_kit.training.task import NetworkTask
from tests.training.random_planets import WAVELENGTH, random_planet


def test_spans_are_hidden_and_padding_is_not():
    torch.manual_seed(0)
    valid = torch.ones(200, 64, dtype=torch.bool)
    valid[:, 40:] = False
    hidden = hidden_spans(valid)
    assert not hidden[:, 40:].any()
    assert abs(float(hidden[:, :40].float().mean()) - HIDDEN_SHARE) < 0.05
    assert (hidden[:, :8].all(dim=1) | ~hidden[:, :8].any(dim=1)).all()


def test_the_encoder_learns_to_predict_what_was_hidden(tmp_path, caplog):
    """Sines in every channel: their hidden parts follow from the rest."""
    rng = np.random.default_rng(0)
    planets = []
    for number in range(12):
        wave = np.sin(np.linspace(0.0, 12.0, 300) + rng.uniform(0.0, 6.0))[:, None] * np.ones(len(SEQUENCE))
        plain = random_planet(number, rng)
        visit = wave.astype(np.float32)
        planets.append(Features(number, (visit,), plain.node, plain.context, plain.mean, plain.sigma))
    config = load_config(
        [
            *("model=v50_small", "model.d_model=32", "model.time_layers=1", "model.patch=5", "model.dropout=0"),
            *("training.pretraining_epochs=40", "training.batch_size=6", "training.learning_rate=5e-3"),
            "training.device=cpu",
        ]
    )
    task = NetworkTask(config.model, config.loss, config.training, 0, tmp_path, tmp_path / "networks", "2025")
    with caplog.at_level(logging.INFO, logger="spectramind_kit"):
        weights = pretrain(task, planets, WAVELENGTH, 60.0)
    assert weights
    first, last = (
        float(word) for word in caplog.messages[-1].replace("to", "").split() if word[0].isdigit() and "." in word
    )
    assert last < 0.5 * first
