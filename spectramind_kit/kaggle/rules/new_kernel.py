"""A kernel of one's own to start from: one of the kit's under another name, with its notebook."""

import json
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.files import replacing
from spectramind_kit.kaggle.rules.kernel import METADATA, check_kernel, read_metadata, source_path, write_notebook
from spectramind_kit.kaggle.rules.shipped import shipped_folder
from spectramind_kit.kaggle.rules.upload_rules import SLUG


def kernel_names() -> list[str]:
    """Return the names of the kit's kernels."""
    return sorted(path.parent.name for path in (shipped_folder() / "kernels").glob(f"*/{METADATA}"))


def write_kernel(name: str, example: str, out: Path, owner: str) -> Path:
    """Write a kernel that works, its reviewed source and its notebook; return its folder, ``out/name``.

    Args:
        name: of the kernel: small letters and digits with single dashes, as Kaggle has it in its address.
        example: of the kit's kernels, that it starts as.
        out: folder for the kernel's.
        owner: whose it is on Kaggle.

    Raises:
        PackagingError: if the name is none, there is no such example, or the folder is there already.
    """
    if not SLUG.fullmatch(name):
        wanted = "small letters and digits with single dashes"
        raise PackagingError("name of a kernel", wanted=wanted, got=repr(name))
    if example not in kernel_names():
        raise PackagingError("kernel to start from", wanted=" or ".join(kernel_names()), got=example)
    folder = out / name
    if folder.exists():
        raise PackagingError(f"kernel {folder}", wanted="a new folder", got="one that is there; it stays as it is")
    start = shipped_folder() / "kernels" / example
    metadata = json.loads((start / METADATA).read_text())
    title = name.replace("-", " ").capitalize()
    kits = f"{metadata['id'].partition('/')[0]}/"
    for attached in ("dataset_sources", "kernel_sources", "model_sources"):  # the wheels are the owner's, too
        metadata[attached] = [f"{owner}/{source.removeprefix(kits)}" for source in metadata.get(attached, ())]
    metadata |= {"id": f"{owner}/{name}", "title": title, "code_file": f"{name}.ipynb"}
    folder.mkdir(parents=True)
    with replacing(folder / METADATA) as temporary:
        temporary.write_text(json.dumps(metadata, indent=2) + "\n")
    (folder / f"{name}.py").write_text(source_path(start).read_text())
    read_metadata(folder)
    write_notebook(folder)
    check_kernel(folder)
    return folder
