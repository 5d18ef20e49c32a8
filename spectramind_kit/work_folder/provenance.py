"""What a product is made from: a hash of the code that makes it."""

import ast
import hashlib
from functools import lru_cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


@lru_cache(maxsize=64)
def code_hash(*modules: str, package: Path = PACKAGE) -> str:
    """Return a hash of the sources of modules and of everything of ours that they import, wherever in the file.

    Args:
        *modules: dotted names of the modules that make a product.
        package: folder of the package, which has the package's name.
    """
    waiting, sources = list(modules), {}
    while waiting:
        name = waiting.pop()
        path = package.parent.joinpath(*name.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if name in sources or name.split(".")[0] != package.name or not path.is_file():
            continue
        sources[name] = path.read_bytes()
        waiting.append(name.rpartition(".")[0])
        for node in ast.walk(ast.parse(sources[name])):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(name.encode() + b"\0" + sources[name] + b"\0")
    return digest.hexdigest()[:16]
