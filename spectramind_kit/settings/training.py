"""How the training planets are learned from."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from spectramind_kit.settings.quantities import Count, Fraction, NotNegative, Positive, Whole


@dataclass(frozen=True)
class TrainingConfig:
    """How the training planets are learned from.

    Attributes:
        folds: cross-validation folds, by planet.
        folds_file: table of planet_id and fold that counts instead of ``folds``, such as planets.csv of a training's
            record; the same file makes the scores of different models comparable planet by planet. "" is none.
        max_planets: training planets whose light curves are fitted at most (labels are always all used); 0 is all.
        epochs: passes over the training planets at most.
        batch_size: planets per step.
        learning_rate: at its peak, after ``warmup_share`` of the steps; it falls as a cosine to zero.
        warmup_share: fraction of the steps in which the learning rate rises to its peak.
        weight_decay: of AdamW.
        gradient_clip: largest norm of a gradient.
        average_decay: decay per step of the averaged weights, which are the ones that are stored.
        validation_share: fraction of a fold's training planets, held back for early stopping; 0 never stops early.
        patience: epochs without a better score before training stops.
        time_flip: probability that a planet of a training step is reversed in time.
        visit_dropout: probability that a planet of several visits lacks one of them.
        pretraining_epochs: of masked reconstruction on all light curves, those of the test split included; 0 is none.
        simulated_planets: planets simulated to train on before the real ones; 0 is none.
        start_from: folder of weights that ``spectramind pretrain`` wrote, from which all networks start; "" is none.
        injections: transits of other spectra injected into the light curves of each training planet; 0 is none.
        logger: where curves go beside the CSV under ``training/logs/``, which is always written: "csv" (nowhere else),
            "tensorboard", or "wandb" (offline, unless the variable WANDB_MODE is "online").
        hours: wall-clock budget of the networks of all folds [h].
        device: "auto" takes a CUDA device on which a real operation works.
        devices: processes (one a device) that split each batch.
    """

    folds: Annotated[int, Field(ge=2, le=1000)]
    folds_file: str
    max_planets: Annotated[Whole, Field(le=1000000)]
    epochs: Annotated[Count, Field(le=100000)]
    batch_size: Annotated[Count, Field(le=100000)]
    learning_rate: Annotated[Positive, Field(le=1)]
    warmup_share: Fraction
    weight_decay: Annotated[NotNegative, Field(le=10)]
    gradient_clip: Annotated[Positive, Field(le=1e6)]
    average_decay: Fraction
    validation_share: Annotated[Fraction, Field(le=0.9)]
    patience: Annotated[Count, Field(le=100000)]
    time_flip: Fraction
    visit_dropout: Fraction
    pretraining_epochs: Annotated[Whole, Field(le=100000)]
    simulated_planets: Annotated[Whole, Field(le=1000000)]
    start_from: str
    injections: Annotated[Whole, Field(le=1000)]
    logger: Literal["csv", "tensorboard", "wandb"]
    hours: Annotated[Positive, Field(le=10000)]
    device: Literal["auto", "cpu", "cuda"]
    devices: Annotated[Count, Field(le=1024)]
