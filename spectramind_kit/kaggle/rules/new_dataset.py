"""The metadata of a dataset that is made here: what ``spectramind dataset push`` needs beside the files."""

import json
from pathlib import Path

from spectramind_kit.kaggle.rules.upload_rules import DATASET_METADATA, check_dataset_metadata


def dataset_metadata(ref: str, subtitle: str, description: str, where: object) -> dict:
    """Return what ``dataset-metadata.json`` holds; its licence is said in the description.

    Args:
        ref: "owner/slug".
        subtitle: of the dataset's page.
        description: of what is in it.
        where: how errors name it.

    Raises:
        PackagingError: if the slug, or a text made of it, is outside Kaggle's rules.
    """
    metadata = {
        "id": ref,
        "title": ref.partition("/")[2].replace("-", " ").capitalize(),
        "subtitle": subtitle,
        "description": description,
        "licenses": [{"name": "other"}],
        "keywords": [],
    }
    check_dataset_metadata(metadata, where)
    return metadata


def write_dataset_metadata(folder: Path, ref: str, subtitle: str, description: str) -> None:
    """Write the metadata of a folder that is to be a dataset. Arguments as of ``dataset_metadata``."""
    metadata = dataset_metadata(ref, subtitle, description, folder / DATASET_METADATA)
    (folder / DATASET_METADATA).write_text(json.dumps(metadata, indent=1) + "\n")
