"""Kaggle's rules for uploaded datasets and kernels, checked before a byte leaves: the platform garbles in silence.

A session's hours, memory and disk are settings (``settings/kaggle.py``); how many submissions a day are left, Kaggle is
asked (``kaggle/remote/competition_status.py``).

Sources: the checks of the official client, its documentation of ``dataset-metadata.json`` and
``kernel-metadata.json``, and Kaggle's documentation of datasets (2026).
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.rules import client_rules

SAFE_NAME = re.compile(r"[A-Za-z0-9._-]+")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SOURCE = re.compile(r"[^/\s]+/[^/\s]+(/\d+)?")
"""owner/slug, or owner/slug/version."""
SOURCE_SHAPES = {
    "dataset_sources": (SOURCE, "owner/slug or owner/slug/version"),
    "kernel_sources": (SOURCE, "owner/slug or owner/slug/version"),
    "competition_sources": (SLUG, "the competition's slug, as in its address"),
    "model_sources": (re.compile(r"[^/\s]+(/[^/\s]+){3}/\d+"), "owner/model/framework/variation/version"),
}
"""What each kind of source looks like, and how errors put it."""
MAX_TOP_LEVEL = 50
MAX_BYTES = 200 * 10**9
DATASET_LENGTHS = {"title": (6, 50), "subtitle": (20, 80)}
DATASET_SLUG_LENGTH = (6, 50)
KERNEL_TITLE_LENGTH = (5, 50)
KERNEL_SLUG_SHORTEST = 5
DATASET_METADATA = "dataset-metadata.json"
PLACEHOLDER = "INSERT_"
"""Start of what the client's template wants to be replaced."""
LICENCES = (
    *("CC0-1.0", "CC-BY-3.0", "CC-BY-3.0-IGO", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-BY-ND-4.0"),
    *("CC-BY-NC-4.0", "CC-BY-NC-SA-3.0-IGO", "CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0", "GPL-2.0", "GPL-3.0"),
    *("LGPL-3.0", "AGPL-3.0", "FDL-1.3", "apache-2.0", "ODbL-1.0", "DbCL-1.0", "PDDL", "ODC-BY-1.0"),
    *("CDLA-Permissive-1.0", "CDLA-Sharing-1.0", "US-Government-Works", "EU-ODP-Legal-Notice"),
    *("copyright-authors", "other", "unknown"),
)
T4_X2 = "NvidiaTeslaT4"
"""What Kaggle calls two T4; a single one is not offered."""
MACHINES = (
    *(T4_X2, "NvidiaL4", "NvidiaL4X1", "NvidiaRtxPro6000", "NvidiaH100", "NvidiaTeslaA100"),
    *("TpuV5E8", "TpuV6E8"),
)
RETIRED = {
    "NvidiaTeslaP100": "P100 is retired: Kaggle runs T4 x2 in its place, and the image's torch has no code for sm_60",
    **dict.fromkeys(("TpuV38", "Tpu1VmV38", "TpuV232", "TpuV2256"), "this TPU is retired"),
}


def check_dataset_metadata(metadata: Mapping, where: object) -> None:
    """Refuse dataset metadata that Kaggle, or its client half-way through, would refuse.

    Args:
        metadata: contents of ``dataset-metadata.json``.
        where: how errors name it.

    Raises:
        PackagingError: naming the field.
    """
    owner, _, slug = str(metadata.get("id", "")).partition("/")
    shortest, longest = DATASET_SLUG_LENGTH
    if not owner or not SLUG.fullmatch(slug) or not shortest <= len(slug) <= longest:
        wanted = f"owner/slug, the slug of {shortest} to {longest} small letters and digits with single dashes"
        raise PackagingError(f"id in {where}", wanted=wanted, got=repr(metadata.get("id")), remedy="rename the dataset")
    for key, (shortest, longest) in DATASET_LENGTHS.items():
        text = metadata.get(key)
        if text is not None and not (isinstance(text, str) and shortest <= len(text) <= longest):
            raise PackagingError(f"{key} in {where}", wanted=f"{shortest} to {longest} characters", got=repr(text))
    if metadata.get("title") is None or metadata["title"].startswith(PLACEHOLDER):
        raise PackagingError(f"title in {where}", wanted="one", got=metadata.get("title") or "none")
    licences = metadata.get("licenses")
    licences = licences if isinstance(licences, list) else [licences]
    names = [each.get("name") if isinstance(each, dict) else each for each in licences]
    if len(names) != 1 or names[0] not in LICENCES:
        remedy = "for MIT or BSD say other and name it in the description"
        raise PackagingError(f"licenses in {where}", wanted=f"one of {list(LICENCES)}", got=names, remedy=remedy)


def check_uploadable(folder: Path, files: Sequence[Path] | None = None) -> None:
    """Refuse a folder that Kaggle would refuse or garble.

    Args:
        folder: the dataset.
        files: what of it is uploaded; None is everything but its metadata.

    Raises:
        PackagingError: on an unsafe name, a link to nowhere, no entry or too many of them, too many bytes.
    """
    if files is None:
        files = [path for path in sorted(folder.rglob("*")) if path != folder / DATASET_METADATA and not path.is_dir()]
    inside = [path.relative_to(folder) for path in files]
    unsafe = [str(path) for path in inside if not all(SAFE_NAME.fullmatch(part) for part in path.parts)]
    if unsafe:
        wanted = "names of letters, digits, '.', '_' and '-'"
        raise PackagingError(f"dataset {folder}", wanted=wanted, got=unsafe, remedy="rename; Kaggle drops the rest")
    broken = [str(path) for path in inside if not (folder / path).exists()]
    if broken:
        raise PackagingError(f"dataset {folder}", wanted="files", got=f"links to nowhere: {broken}")
    top = len({path.parts[0] for path in inside})
    if not 0 < top <= MAX_TOP_LEVEL:
        raise PackagingError(f"dataset {folder}", wanted=f"1 to {MAX_TOP_LEVEL} top-level entries", got=top)
    size = sum(path.stat().st_size for path in files)
    if size > MAX_BYTES:
        raise PackagingError(f"dataset {folder}", wanted=f"at most {MAX_BYTES} bytes", got=size)


def check_kernel_metadata(metadata: Mapping, where: object) -> None:
    """Refuse kernel metadata that does not make a notebook, or one that the scoring rerun could not run.

    Raises:
        PackagingError: naming the field.
    """
    wanted = {"language": "python", "kernel_type": "notebook"}
    got = {key: metadata.get(key) for key in wanted}
    if got != wanted:
        raise PackagingError(f"{where}", wanted=wanted, got=got)
    internet = metadata.get("enable_internet")
    if not isinstance(internet, bool):
        remedy = "the client's default is true, and the documentation says false"
        raise PackagingError(f"enable_internet in {where}", wanted="true or false", got=internet, remedy=remedy)
    if internet and metadata.get("competition_sources"):
        remedy = "the scoring rerun has no internet; a kernel without competition may use it"
        raise PackagingError(f"enable_internet in {where}", wanted="false", got="true", remedy=remedy)
    shortest, longest = KERNEL_TITLE_LENGTH
    title = metadata.get("title")
    if not isinstance(title, str) or not shortest <= len(title) <= longest:
        raise PackagingError(f"title in {where}", wanted=f"{shortest} to {longest} characters", got=title)
    check_machine(metadata, where)


def check_machine(metadata: Mapping, where: object) -> None:
    """Refuse an accelerator that Kaggle has retired, does not know, or would not give to a kernel without GPU.

    Raises:
        PackagingError: with the reason.
    """
    machine = metadata.get("machine_shape") or ""
    if machine in RETIRED:
        remedy = f"{RETIRED[machine]}; use {T4_X2}"
        raise PackagingError(f"machine_shape in {where}", wanted="a machine that exists", got=machine, remedy=remedy)
    if machine and machine not in MACHINES:
        raise PackagingError(f"machine_shape in {where}", wanted=f"one of {list(MACHINES)}", got=machine)
    if machine.startswith("Nvidia") and not metadata.get("enable_gpu"):
        raise PackagingError(f"{where}", wanted=f"enable_gpu true with machine_shape {machine}", got="no enable_gpu")


def check_pushable(metadata: Mapping, where: object) -> None:
    """Refuse kernel metadata that names the kernel or its sources in a way the client or the server would not take.

    Raises:
        PackagingError: naming the field.
    """
    from slugify import slugify  # the client's own; a dry run need not have it

    check_kernel_metadata(metadata, where)
    owner, _, slug = str(metadata.get("id", "")).partition("/")
    if not owner or not SLUG.fullmatch(slug) or len(slug) < KERNEL_SLUG_SHORTEST:
        wanted = f"owner/slug, the slug of {KERNEL_SLUG_SHORTEST} or more small letters and digits with single dashes"
        raise PackagingError(f"id in {where}", wanted=wanted, got=repr(metadata.get("id")))
    if slugify(metadata["title"]) != slug:
        remedy = "Kaggle makes the address from the title, so that the two may not differ"
        raise PackagingError(f"id in {where}", wanted=slugify(metadata["title"]), got=slug, remedy=remedy)
    for key, shape in SOURCE_SHAPES.items():
        for source in metadata.get(key) or ():
            _check_source(key, source, shape, where)
    pinning = metadata.get("docker_image_pinning_type")
    if pinning is not None and pinning not in client_rules.pinning_types():
        wanted = f"one of {client_rules.pinning_types()}"
        raise PackagingError(f"docker_image_pinning_type in {where}", wanted=wanted, got=pinning)


def _check_source(key: str, source: object, shape: tuple[re.Pattern[str], str], where: object) -> None:
    pattern, wanted = shape
    if not isinstance(source, str) or not pattern.fullmatch(source):
        raise PackagingError(f"{key} in {where}", wanted=wanted, got=source)
    try:
        client_rules.check_source(key, source)
    except ValueError as error:
        raise PackagingError(f"{key} in {where}", wanted=wanted, got=f"{source} ({error})") from error
