"""How far a training is: a line every few seconds, with loss, held-back score and time left."""

import logging
import time
from datetime import timedelta

import pytorch_lightning as lightning
from pytorch_lightning.callbacks import Callback

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 8.0
"""A step after which a line is due may itself take seconds: no silence is to exceed ten."""


class TrainingProgress(Callback):
    """Log epoch, loss, score of the planets held back, and time left, at INFO; the first process alone.

    Args:
        label: what is trained.
        budget: after which training ends, however far it is.
    """

    def __init__(self, label: str, budget: timedelta):
        self.label, self.budget = label, budget.total_seconds()
        self._started = self._logged = time.monotonic()
        self._first_step = 0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Count time from here, and steps from where an interrupted training stopped."""
        self._started = self._logged = time.monotonic()
        self._first_step = trainer.global_step

    def on_train_batch_end(self, trainer: lightning.Trainer, *args: object, **kwargs: object) -> None:
        """Log if a line is due."""
        self._log_if_due(trainer)

    def on_validation_batch_end(self, trainer: lightning.Trainer, *args: object, **kwargs: object) -> None:
        """Log if a line is due."""
        self._log_if_due(trainer)

    def _log_if_due(self, trainer: lightning.Trainer) -> None:
        now = time.monotonic()
        if now - self._logged < SECONDS_BETWEEN_LINES or not trainer.is_global_zero:
            return
        self._logged, metrics = now, trainer.callback_metrics
        # Metrics stay on the device until here: reading them at every step would make a GPU wait.
        known = [f"{name} {float(metrics[key]):.4f}" for key, name in _SHOWN.items() if key in metrics]
        epochs = f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}"
        minutes = self._seconds_left(trainer, now - self._started) / 60.0
        logger.info("%s: %s, at most %.1f min left", self.label, ", ".join([epochs, *known]), minutes)

    def _seconds_left(self, trainer: lightning.Trainer, elapsed: float) -> float:
        """Return the time to the last epoch at the pace so far, or to the end of the budget."""
        to_budget = max(0.0, self.budget - elapsed)
        done = trainer.global_step - self._first_step
        if done < 1:
            return to_budget
        return min(to_budget, elapsed / done * max(0.0, trainer.estimated_stepping_batches - trainer.global_step))


_SHOWN = {"loss": "loss", "score": "score held back"}
"""Metrics of the module by name, and what a line calls them."""
