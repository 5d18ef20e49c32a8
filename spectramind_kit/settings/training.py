"""How the training planets are learned from."""

from dataclasses import dataclass
from typing import Literal

from spectramind_kit.settings.quantities import Count, NotNegative, Positive, Share, Whole


@dataclass(frozen=True)
class TrainingConfig:
    """How the training planets are learned from.

    Attributes:
        folds: cross-validation folds, by planet.
        max_planets: training planets whose light curves are fitted at most (labels are always all used); 0 is all.
        epochs: passes over the training planets at most; batch_size: planets per step.
        learning_rate: at its height, after ``warmup_share`` of the steps; it falls as a cosine to zero.
        weight_decay: of AdamW; gradient_clip: largest norm of a gradient.
        average_decay: decay per step of the averaged weights, which are the ones that are kept.
        validation_share: of a fold's training planets, held back to stop early on; 0 never stops early.
        patience: epochs without a better score before training stops.
        time_flip: probability that a training step sees a planet with time reversed.
        visit_dropout: probability that it sees one of several visits less.
        pretraining_epochs: of masked reconstruction on all light curves, those of the test split included; 0 is none.
        simulated_planets: planets simulated to train on before the real ones; 0 is none.
        injections: transits with other spectra put into the light curves of each training planet; 0 is none.
        hours: wall-clock budget of the networks of all folds [h].
        device: "auto" takes a CUDA device on which a real operation works.
        devices: processes (one a device) that share each batch.
    """

    folds: Count
    max_planets: Whole
    epochs: Count
    batch_size: Count
    learning_rate: Positive
    warmup_share: Share
    weight_decay: NotNegative
    gradient_clip: Positive
    average_decay: Share
    validation_share: Share
    patience: Count
    time_flip: Share
    visit_dropout: Share
    pretraining_epochs: Whole
    simulated_planets: Whole
    injections: Whole
    hours: Positive
    device: Literal["auto", "cpu", "cuda"]
    devices: Count
