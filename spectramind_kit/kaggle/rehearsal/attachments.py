"""What is attached to a kernel and where a session mounts it: the competition's official files, datasets, models.

Only files that Kaggle's competition has are mounted in a dry run. The truth of a simulated test split, and whatever
else lies in the folder, stays out.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.rehearsal.isolation import Mount
from spectramind_kit.kaggle.rules.metadata_file import read_metadata_file
from spectramind_kit.kaggle.rules.session_folders import INPUT_ROOT
from spectramind_kit.settings.kaggle import KaggleConfig

OFFICIAL_FILES = (
    *("sample_submission.csv", "axis_info.parquet", "wavelengths.csv", "train", "test"),
    *("adc_info.csv", "train.csv", "train_star_info.csv", "test_star_info.csv"),  # 2025
    *("train_labels.csv", "train_adc_info.csv", "test_adc_info.csv"),  # 2024
)


def competition_mounts(data: Path, slug: str, config: KaggleConfig) -> list[Mount]:
    """Return the mounts of the official files of a competition folder.

    Raises:
        PackagingError: if the folder has no sample submission, which every competition has.
    """
    if not (data / "sample_submission.csv").is_file():
        got = sorted(path.name for path in data.glob("*"))[:12]
        raise PackagingError(f"competition folder {data}", wanted="sample_submission.csv", got=got)
    place = f"{INPUT_ROOT}/{'competitions/' if config.layout == 'owner' else ''}{slug}"
    return [Mount(str(data / name), f"{place}/{name}") for name in OFFICIAL_FILES if (data / name).exists()]


def dataset_mounts(folders: Sequence[Path], config: KaggleConfig) -> list[Mount]:
    """Return the mounts of folders attached as datasets.

    Raises:
        PackagingError: if a folder does not exist or is empty, or two would be mounted at one place.
    """
    mounts = []
    for folder in folders:
        if not folder.is_dir() or not any(folder.iterdir()):
            remedy = "build it first: build_dataset.py build"
            raise PackagingError(f"dataset {folder}", wanted="a folder with files", got="none", remedy=remedy)
        owner, slug = dataset_id(folder, config).split("/")
        inside = f"datasets/{owner}/{slug}" if config.layout == "owner" else slug
        mounts.append(Mount(str(folder), f"{INPUT_ROOT}/{inside}"))
    places = [mount.place for mount in mounts]
    if len(set(places)) < len(places):
        raise PackagingError("datasets", wanted="one place each", got=places, remedy="rename a folder")
    return mounts


def dataset_id(folder: Path, config: KaggleConfig) -> str:
    """Return "owner/slug" of a dataset: from its metadata, else by the folder's name."""
    path = folder / "dataset-metadata.json"
    if not path.is_file():
        return f"{config.owner}/{folder.resolve().name}"
    name = read_metadata_file(path).get("id")
    if not isinstance(name, str) or name.count("/") != 1:
        raise PackagingError(f"id in {path}", wanted="owner/slug", got=name)
    return name


def link_tree(mounts: Iterable[Mount], root: Path) -> None:
    """Lay the mounts out as symbolic links below ``root``, for systems that allow no mounts."""
    for mount in mounts:
        place = root / Path(mount.place).relative_to("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(Path(mount.source).resolve())


def fingerprint(mounts: Iterable[Mount]) -> dict[str, tuple[int, int]]:
    """Return size and modification time of every attached file: two that agree show that nothing was written."""
    sources = [Path(mount.source) for mount in mounts]
    files = [path for source in sources for path in [source, *source.rglob("*")] if path.is_file()]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}
