"""Where everything of a run lies: every path of the work folder, once.

light_curves/SPLIT/PLANET_VISIT.npz        what the detector's cubes become
fits/SPLIT/PLANET_VISIT.npz                transit fits of the light curves
features/SPLIT/PLANET_VISIT.npz            what a network sees of a visit
baseline_input/SPLIT/PLANET_VISIT.npz      what a public baseline sees of a visit
training/                                  examples, checkpoints: what training alone needs
pretraining/, pretraining/worlds/N/        the same of weights to start from; what of each folder of planets is stored
model/                                     the trained model, networks/ in it
predictions/SPLIT.csv, submission.csv      spectra; train_fit.csv: those of fit and prior beside a network
manifest.json, events.jsonl, report.html   how the submission was made; what was run, a line each; the report
standing.json                              our submissions, as the competition knew them when it was last asked
sweeps/TIME/N/                             work folders of the runs of a sweep
latest/COMMAND/                            figures of the last run of a command: metrics.json, planets.csv, curves.csv
runs/TIME-COMMAND/                         the record of each run (``run_record.py``)
"""

from dataclasses import dataclass
from pathlib import Path

NETWORKS = "networks"
"""Folder of a trained model that holds its networks' weights."""
OF_VISITS = ("light_curves", "fits", "features", "baseline_input")
"""Folders of the products of visits, all that are stored of them."""


@dataclass(frozen=True)
class WorkFolder:
    """Paths of one run; nothing is made or looked at.

    Attributes:
        root: the work folder.
    """

    root: Path

    def light_curves(self, split: str, planet_id: int, visit: int) -> Path:
        """Light curves of a visit."""
        return self._of_visit("light_curves", split, planet_id, visit)

    def fit(self, split: str, planet_id: int, visit: int) -> Path:
        """Transit fit of a visit."""
        return self._of_visit("fits", split, planet_id, visit)

    def features(self, split: str, planet_id: int, visit: int) -> Path:
        """What a network sees of a visit."""
        return self._of_visit("features", split, planet_id, visit)

    def baseline_input(self, split: str, planet_id: int, visit: int) -> Path:
        """What a public baseline sees of a visit."""
        return self._of_visit("baseline_input", split, planet_id, visit)

    def stored_light_curves(self, split: str, planet_id: int) -> list[Path]:
        """Light curves that are stored of a planet, one file a visit, in order."""
        return sorted((self.root / "light_curves" / split).glob(f"{planet_id}_*.npz"))

    def stored_fits(self, split: str, planet_id: int) -> list[Path]:
        """Fits that are stored of a planet, one file a visit, in order."""
        return sorted((self.root / "fits" / split).glob(f"{planet_id}_*.npz"))

    def predictions(self, split: str) -> Path:
        """Predicted spectra of a split."""
        return self.root / "predictions" / f"{split}.csv"

    @property
    def predictions_of_the_fit(self) -> Path:
        """Training planets as fit and prior alone predict them, where a network stands beside these."""
        return self.root / "predictions" / "train_fit.csv"

    @property
    def model(self) -> Path:
        """Folder of the model that was trained here."""
        return self.root / "model"

    @property
    def networks(self) -> Path:
        """Folder of its networks' weights."""
        return self.model / NETWORKS

    @property
    def training(self) -> Path:
        """Folder of what training alone needs."""
        return self.root / "training"

    @property
    def pretraining(self) -> Path:
        """Folder of what weights to start from are made of."""
        return self.root / "pretraining"

    def pretraining_world(self, number: int) -> Path:
        """Work folder of one of the folders that weights to start from learn from."""
        return self.pretraining / "worlds" / str(number)

    @property
    def start(self) -> Path:
        """Folder of weights to start from."""
        return self.root / "start"

    @property
    def training_lock(self) -> Path:
        """Held by the process that trains here."""
        return self.training / "lock"

    @property
    def logs(self) -> Path:
        """Folder of the curves of the networks that were trained."""
        return self.training / "logs"

    @property
    def submission(self) -> Path:
        """The submission."""
        return self.root / "submission.csv"

    @property
    def manifest(self) -> Path:
        """What the submission was made from."""
        return self.root / "manifest.json"

    @property
    def events(self) -> Path:
        """What was run, one line each."""
        return self.root / "events.jsonl"

    @property
    def runs(self) -> Path:
        """Folder of the records of all runs, one folder each."""
        return self.root / "runs"

    def latest(self, command: str) -> Path:
        """Folder of the figures of the last run of a command."""
        return self.root / "latest" / command

    @property
    def sweeps(self) -> Path:
        """Folder of the work folders of sweeps."""
        return self.root / "sweeps"

    @property
    def standing(self) -> Path:
        """What the competition knew of our submissions when it was last asked."""
        return self.root / "standing.json"

    @property
    def report(self) -> Path:
        """The report."""
        return self.root / "report.html"

    def _of_visit(self, product: str, split: str, planet_id: int, visit: int) -> Path:
        return self.root / product / split / f"{planet_id}_{visit}.npz"
