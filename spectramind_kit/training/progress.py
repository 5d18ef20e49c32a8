"""How far a training is: a bar on a terminal or in a notebook, else a line every few seconds."""

import logging
import time
from datetime import timedelta

import pytorch_lightning as lightning
from pytorch_lightning.callbacks import Callback
from tqdm.auto import tqdm

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 8.0
"""A step after which a line is due may itself take seconds: no silence is to exceed ten."""
_SECONDS_BETWEEN_BARS = 1.0


class TrainingProgress(Callback):
    """Show epoch, loss, score of the planets held back, and time left; the first process alone.

    Args:
        label: what is trained.
        budget: after which training ends, however far it is.
    """

    def __init__(self, label: str, budget: timedelta):
        self.label, self.budget = label, budget.total_seconds()
        self._started = self._shown = time.monotonic()
        self._first_step = 0
        self._bar: tqdm | None = None

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Count time from here, and steps from where an interrupted training stopped."""
        self._started = self._shown = time.monotonic()
        self._first_step = trainer.global_step
        if trainer.is_global_zero:
            total = int(trainer.estimated_stepping_batches)
            bar = tqdm(
                total=total, initial=trainer.global_step, desc=self.label, unit="step", disable=None, leave=False
            )
            self._bar = None if bar.disable else bar

    def on_train_batch_end(self, trainer: lightning.Trainer, *args: object, **kwargs: object) -> None:
        """Show it if that is due."""
        self._show_if_due(trainer)

    def on_validation_batch_end(self, trainer: lightning.Trainer, *args: object, **kwargs: object) -> None:
        """Show it if that is due."""
        self._show_if_due(trainer)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take the bar away."""
        self._close()

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        """Take the bar away."""
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _show_if_due(self, trainer: lightning.Trainer) -> None:
        now, every = time.monotonic(), SECONDS_BETWEEN_LINES if self._bar is None else _SECONDS_BETWEEN_BARS
        if now - self._shown < every or not trainer.is_global_zero:
            return
        self._shown, metrics = now, trainer.callback_metrics
        # Metrics stay on the device until here: reading them at every step would make a GPU wait.
        known = [f"{name} {float(metrics[key]):.4f}" for key, name in _SHOWN.items() if key in metrics]
        epochs = f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}"
        minutes = self._seconds_left(trainer, now - self._started) / 60.0
        words = f"{', '.join([epochs, *known])}, at most {minutes:.1f} min left"
        if self._bar is None:
            logger.info("%s: %s", self.label, words)
            return
        self._bar.n = trainer.global_step
        self._bar.set_postfix_str(words)

    def _seconds_left(self, trainer: lightning.Trainer, elapsed: float) -> float:
        """Return the time to the last epoch at the pace so far, or to the end of the budget."""
        to_budget = max(0.0, self.budget - elapsed)
        done = trainer.global_step - self._first_step
        if done < 1:
            return to_budget
        return min(to_budget, elapsed / done * max(0.0, trainer.estimated_stepping_batches - trainer.global_step))


_SHOWN = {"loss": "loss", "score": "score held back"}
"""Metrics of the module by name, and what a line calls them."""
