"""Ways in which the files of a planet can be damaged: what discs, downloads and pipelines do, and some more."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from spectramind_kit.instruments import CHANNELS

Damage = Callable[[Path, Path, np.random.Generator], None]
"""Damages the first folder of a planet; the second one is another planet's, undamaged."""
MAPS = ("dark", "dead", "flat", "read", "linear_corr")


@dataclass(frozen=True)
class Fault:
    """A kind of damage."""

    name: str
    damage: Damage


def overwrite(path: Path, content: bytes) -> None:
    """Write a file that may be a link to the original's content."""
    path.unlink()
    path.write_bytes(content)


def on_bytes(name: str, change: Callable[[bytes, np.random.Generator], bytes]) -> Damage:
    """Return a damage of one file's bytes."""
    return lambda own, other, rng: overwrite(own / name, change((own / name).read_bytes(), rng))


def on_table(name: str, change: Callable[[np.ndarray, np.random.Generator], np.ndarray]) -> Damage:
    """Return a damage of one file's numbers."""

    def damage(own: Path, other: Path, rng: np.random.Generator) -> None:
        table = pl.read_parquet(own / name, glob=False)
        values = change(table.to_numpy().copy(), rng)
        (own / name).unlink()
        names = table.columns if values.shape[1] == table.width else [f"c{i}" for i in range(values.shape[1])]
        pl.DataFrame(values, schema=names).write_parquet(own / name)

    return damage


def missing(name: str, own: Path, other: Path, rng: np.random.Generator) -> None:
    """Remove a file."""
    (own / name).unlink()


def folder_instead(name: str, own: Path, other: Path, rng: np.random.Generator) -> None:
    """Put a folder where a file should be."""
    (own / name).unlink()
    (own / name).mkdir()


def dangling(name: str, own: Path, other: Path, rng: np.random.Generator) -> None:
    """Put a link to nowhere where a file should be."""
    (own / name).unlink()
    (own / name).symlink_to("nowhere")


def swapped(name: str, own: Path, other: Path, rng: np.random.Generator) -> None:
    """Take another planet's file."""
    overwrite(own / name, (other / name).read_bytes())


def channels_swapped(own: Path, other: Path, rng: np.random.Generator) -> None:
    """Give each channel's signal the other's name."""
    one, two = (own / f"{channel}_signal_0.parquet" for channel in CHANNELS)
    content = one.read_bytes(), two.read_bytes()
    overwrite(one, content[1])
    overwrite(two, content[0])


def flipped(content: bytes, rng: np.random.Generator, n: int = 1, tail: bool = False) -> bytes:
    """Change some bytes, of the end or anywhere."""
    damaged = bytearray(content)
    for place in rng.integers(max(0, len(content) - 600) if tail else 4, len(content), n):
        damaged[place] ^= int(rng.integers(1, 256))
    return bytes(damaged)


def _with(values: np.ndarray, place: object, value: float) -> np.ndarray:
    values = values.astype(np.float64) if np.issubdtype(values.dtype, np.floating) else values
    values[place] = value
    return values


BYTES: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "empty": lambda content, rng: b"",
    "half": lambda content, rng: content[: len(content) // 2],
    "without its end": lambda content, rng: content[:-100],
    "a byte changed": flipped,
    "a byte of its end changed": partial(flipped, tail=True),
    "text": lambda content, rng: b"<html>404 not found</html>",
}
SIGNALS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "zero": lambda a, rng: np.zeros_like(a),
    "full": lambda a, rng: np.full_like(a, 65_535),
    "constant": lambda a, rng: np.broadcast_to(a[:2], (len(a) // 2, 2, a.shape[1])).reshape(-1, a.shape[1]).copy(),
    "half as long": lambda a, rng: a[: len(a) // 4 * 2],
    "the second half only": lambda a, rng: a[len(a) // 4 * 2 :],
    "ten frames": lambda a, rng: a[:10],
    "a column less": lambda a, rng: a[:, 1:],
    "floats": lambda a, rng: a.astype(np.float32),
    "frames shuffled": lambda a, rng: a.reshape(-1, 2, a.shape[1])[rng.permutation(len(a) // 2)].reshape(a.shape),
    "time reversed": lambda a, rng: a.reshape(-1, 2, a.shape[1])[::-1].reshape(a.shape),
    "reads swapped": lambda a, rng: a.reshape(-1, 2, a.shape[1])[:, ::-1].reshape(a.shape),
    "a tenth of the frames zero": lambda a, rng: _with(a, rng.random(len(a)) < 0.1, 0),
    "a stretch of frames zero": lambda a, rng: _with(a, slice(len(a) // 3, len(a) // 3 + len(a) // 10), 0),
    "a third of the pixels zero": lambda a, rng: _with(a, (slice(None), rng.random(a.shape[1]) < 0.33), 0),
    "columns reversed": lambda a, rng: a[:, ::-1].copy(),
    "a bit stuck": lambda a, rng: a | np.uint16(1 << 9),
}
NUMBERS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "one number -1e4": lambda a, rng: _with(a, (16, 16), -1e4),
    "one number 1e30": lambda a, rng: _with(a, (16, 16), 1e30),
    "a row of NaN": lambda a, rng: _with(a, 16, np.nan),
    "times a thousand": lambda a, rng: a * 1000.0,
    "all zero": lambda a, rng: np.zeros_like(a),
    "all NaN": lambda a, rng: np.full_like(a, np.nan),
    "a row less": lambda a, rng: a[1:],
}


def _faults() -> list[Fault]:
    faults = [Fault("channels swapped", channels_swapped)]
    for channel in CHANNELS:
        signal = f"{channel}_signal_0.parquet"
        files = {f"{channel} signal": signal}
        files |= {f"{channel} {table}": f"{channel}_calibration_0/{table}.parquet" for table in MAPS}
        faults += [Fault(f"{what} missing", partial(missing, name)) for what, name in files.items()]
        faults += [Fault(f"{what} of another planet", partial(swapped, name)) for what, name in files.items()]
        for what, name in files.items():
            kinds = BYTES if name == signal or "dead" in name else {"half": BYTES["half"], "text": BYTES["text"]}
            faults += [Fault(f"{what}: {kind}", on_bytes(name, change)) for kind, change in kinds.items()]
        faults += [Fault(f"{channel} signal: {kind}", on_table(signal, c)) for kind, c in SIGNALS.items()]
        for table in ("dark", "flat", "read", "linear_corr"):
            name = files[f"{channel} {table}"]
            faults += [Fault(f"{channel} {table}: {kind}", on_table(name, c)) for kind, c in NUMBERS.items()]
        faults += [
            Fault(f"{channel} dead: everywhere", on_table(files[f"{channel} dead"], lambda a, rng: np.ones_like(a))),
            Fault(f"{channel} signal: a folder", partial(folder_instead, signal)),
            Fault(f"{channel} signal: a dangling link", partial(dangling, signal)),
        ]
    return faults


FAULTS = _faults()
