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
OWNER = re.compile(r"[A-Za-z0-9_-]+")
SOURCE = re.compile(r"[\w.-]+/[\w.-]+(/\d+)?", re.ASCII)
"""owner/slug, or owner/slug/version."""
SOURCE_SHAPES = {
    "dataset_sources": (SOURCE, "owner/slug or owner/slug/version"),
    "kernel_sources": (SOURCE, "owner/slug or owner/slug/version"),
    "competition_sources": (SLUG, "the competition's slug, as in its address"),
    "model_sources": (re.compile(r"[\w.-]+(/[\w.-]+){3}/\d+", re.ASCII), "owner/model/framework/variation/version"),
}
"""What each kind of source looks like, and how errors put it."""
MAX_TOP_LEVEL = 50
MAX_BYTES = 200 * 10**9
DATASET_LENGTHS = {"title": (6, 50), "subtitle": (20, 80)}
DATASET_SLUG_LENGTH = (6, 50)
KERNEL_TITLE_LENGTH = (5, 50)
KERNEL_SLUG_SHORTEST = 5
DATASET_METADATA = "dataset-metadata.json"
CREDENTIALS = re.compile(
    rb'"username"\s*:\s*"[^"]+"\s*,\s*"key"\s*:\s*"[0-9a-f]{32}"|KAGGLE_KEY\W{1,4}[0-9a-f]{32}\b|KGAT_[0-9A-Za-z]{16,}'
)
"""What ``kaggle.json``, an environment file and the client's newer tokens hold."""
CREDENTIALS_MOST_BYTES = 2**16
"""A longer file is no file of credentials [B]."""
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
    if not OWNER.fullmatch(owner) or not SLUG.fullmatch(slug) or not shortest <= len(slug) <= longest:
        wanted = f"owner/slug, the slug of {shortest} to {longest} small letters and digits with single dashes"
        raise PackagingError(f"id in {where}", wanted=wanted, got=repr(metadata.get("id")), remedy="rename the dataset")
    for key, (shortest, longest) in DATASET_LENGTHS.items():
        text = metadata.get(key)
        if text is not None and not (isinstance(text, str) and shortest <= len(text) <= longest):
            raise PackagingError(f"{key} in {where}", wanted=f"{shortest} to {longest} characters", got=repr(text))
    if metadata.get("title") is None or metadata["title"].startswith(PLACEHOLDER):
        raise PackagingError(f"title in {where}", wanted="one", got=metadata.get("title") or "none")
    _check_texts(metadata, where)
    licences = metadata.get("licenses")
    names = [each.get("name") for each in licences if isinstance(each, dict)] if isinstance(licences, list) else []
    if len(names) != 1 or names[0] not in LICENCES:
        wanted = f'[{{"name": ...}}], the name one of {list(LICENCES)}'
        remedy = "for MIT or BSD say other and name it in the description"
        raise PackagingError(f"licenses in {where}", wanted=wanted, got=repr(licences), remedy=remedy)


def _check_texts(metadata: Mapping, where: object) -> None:
    """Refuse a description that is no text, and keywords that are no list of texts: the client stops at them."""
    description, keywords = metadata.get("description"), metadata.get("keywords")
    if description is not None and not isinstance(description, str):
        raise PackagingError(f"description in {where}", wanted="text", got=repr(description))
    if keywords is not None and not (isinstance(keywords, list) and all(isinstance(each, str) for each in keywords)):
        raise PackagingError(f"keywords in {where}", wanted='a list of texts, ["..."]', got=repr(keywords))


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
    _refuse_credentials(folder, [folder / path for path in inside])
    size = sum(path.stat().st_size for path in files)
    if size > MAX_BYTES:
        raise PackagingError(f"dataset {folder}", wanted=f"at most {MAX_BYTES} bytes", got=size)


def _refuse_credentials(folder: Path, files: Sequence[Path]) -> None:
    """Refuse what signs somebody in, whatever its name: a copy of ``kaggle.json``, a link to it, a token in a note."""
    for path in files:
        if path.stat().st_size <= CREDENTIALS_MOST_BYTES and CREDENTIALS.search(path.read_bytes()):
            got = f"credentials of Kaggle in {path.relative_to(folder)}"
            raise PackagingError(
                f"dataset {folder}", wanted="nothing that signs you in", got=got, remedy="move it away"
            )


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
    if metadata.get("enable_gpu") and metadata.get("enable_tpu"):
        raise PackagingError(f"{where}", wanted="enable_gpu or enable_tpu", got="both")
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
    if not OWNER.fullmatch(owner) or not SLUG.fullmatch(slug) or len(slug) < KERNEL_SLUG_SHORTEST:
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
