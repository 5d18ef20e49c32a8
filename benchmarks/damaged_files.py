"""Ways in which the files of a planet can be damaged: what discs, downloads and pipelines do, and some more."""

import shutil
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


def _pairs(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return exposures, two frames each, in another order."""
    return values.reshape(-1, 2, values.shape[1])[order].reshape(-1, values.shape[1])


def _stretch(values: np.ndarray) -> slice:
    """Return a tenth of the exposures, before their middle."""
    n = len(values) // 2
    return slice(2 * n // 5, n // 2)


def _with_stretch_again(values: np.ndarray) -> np.ndarray:
    """Return the order of exposures in which a tenth comes again, and as many at the end are missing."""
    part, n = _stretch(values), len(values) // 2
    return np.insert(np.arange(n), part.stop, np.arange(part.start, part.stop))[:n]


def visit_twice(own: Path, other: Path, rng: np.random.Generator) -> None:
    """Give the first visit a second time, as another one."""
    for path in sorted(own.glob("*_0*")):
        copy = path.with_name(path.name.replace("_0", "_1"))
        shutil.copytree(path, copy) if path.is_dir() else shutil.copy(path, copy)


def visit_of_another(own: Path, other: Path, rng: np.random.Generator) -> None:
    """Give another planet's visit as a second one."""
    for path in sorted(other.glob("*_0*")):
        copy = own / path.name.replace("_0", "_1")
        shutil.copytree(path, copy) if path.is_dir() else shutil.copy(path, copy)


def light_of_another(name: str, own: Path, other: Path, rng: np.random.Generator) -> None:
    """Add another planet's counts."""
    a, b = (pl.read_parquet(folder / name, glob=False) for folder in (own, other))
    n = min(len(a), len(b))
    counts = (a.to_numpy()[:n].astype(np.int64) + b.to_numpy()[:n] - 400).clip(0, 65_535).astype(np.uint16)
    (own / name).unlink()
    pl.DataFrame(counts, schema=a.columns).write_parquet(own / name)


def other_channel(table: str, channel: str, own: Path, other: Path, rng: np.random.Generator) -> None:
    """Take the other channel's calibration table."""
    (theirs,) = set(CHANNELS) - {channel}
    ours = own / f"{channel}_calibration_0" / f"{table}.parquet"
    overwrite(ours, (own / f"{theirs}_calibration_0" / f"{table}.parquet").read_bytes())


def tables_swapped(channel: str, own: Path, other: Path, rng: np.random.Generator) -> None:
    """Give dark current and flat field each other's names."""
    one, two = (own / f"{channel}_calibration_0" / f"{table}.parquet" for table in ("dark", "flat"))
    content = one.read_bytes(), two.read_bytes()
    overwrite(one, content[1])
    overwrite(two, content[0])


def columns_renamed(name: str, own: Path, other: Path, rng: np.random.Generator) -> None:
    """Shuffle the columns, which keep their names."""
    table = pl.read_parquet(own / name, glob=False)
    (own / name).unlink()
    table.select(rng.permutation(table.columns).tolist()).write_parquet(own / name)


def strange_neighbours(own: Path, other: Path, rng: np.random.Generator) -> None:
    """Lay files beside the planet's that nobody asked for."""
    for name in ("AIRS-CH0_signal_00.parquet", "FGS1_signal_7.parquet.tmp", "FGS1_signal_0 (1).parquet", ".DS_Store"):
        (own / name).write_bytes(b"?")


def loop(name: str, own: Path, other: Path, rng: np.random.Generator) -> None:
    """Put a link to itself where a file should be."""
    (own / name).unlink()
    (own / name).symlink_to(name)


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
    "no rows": lambda a, rng: a[:0],
    "int64": lambda a, rng: a.astype(np.int64),
    "transposed": lambda a, rng: a[: a.shape[1]].T.copy(),
    "twice the frames": lambda a, rng: np.concatenate([a, a]),
    "every exposure twice": lambda a, rng: _pairs(a, np.arange(len(a) // 2) // 2),
    "every second exposure gone": lambda a, rng: _pairs(a, np.arange(0, len(a) // 2, 2)),
    "a stretch of exposures gone": lambda a, rng: _pairs(a, np.delete(np.arange(len(a) // 2), _stretch(a))),
    "a stretch of exposures repeated": lambda a, rng: _pairs(a, _with_stretch_again(a)),
    "one frame too many at the start": lambda a, rng: np.concatenate([a[:1], a[:-1]]),
    "bytes swapped": lambda a, rng: a.byteswap(),
    "twelve bits": lambda a, rng: a & np.uint16(0xFFF),
    "counts halved": lambda a, rng: a >> 1,
    "counts halved from the middle on": lambda a, rng: np.where(np.arange(len(a))[:, None] < len(a) // 2, a, a >> 1),
    "a pixel to the side": lambda a, rng: np.roll(a, 1, axis=1),
    "three rows up": lambda a, rng: np.roll(a, 3 * (a.shape[1] // 32), axis=1),
    "mirrored": lambda a, rng: np.concatenate([a[:, : a.shape[1] // 2], a[:, a.shape[1] // 2 - 1 :: -1]], axis=1),
    "frames doubled by interpolation": lambda a, rng: np.repeat(a[::2], 2, axis=0),
}
NUMBERS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "one number -1e4": lambda a, rng: _with(a, (16, 16), -1e4),
    "one number 1e30": lambda a, rng: _with(a, (16, 16), 1e30),
    "a row of NaN": lambda a, rng: _with(a, 16, np.nan),
    "times a thousand": lambda a, rng: a * 1000.0,
    "all zero": lambda a, rng: np.zeros_like(a),
    "all NaN": lambda a, rng: np.full_like(a, np.nan),
    "a row less": lambda a, rng: a[1:],
    "transposed": lambda a, rng: a.T.copy(),
    "upside down": lambda a, rng: a[::-1].copy(),
    "negative": lambda a, rng: -a,
    "integers": lambda a, rng: np.round(a).astype(np.int64),
    "half of it zero": lambda a, rng: _with(a, slice(0, len(a) // 2), 0.0),
}


def _faults() -> list[Fault]:
    faults = [
        Fault("channels swapped", channels_swapped),
        Fault("the visit twice", visit_twice),
        Fault("a second visit of another planet", visit_of_another),
        Fault("files that nobody asked for", strange_neighbours),
    ]
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
            Fault(f"{channel} signal: a link to itself", partial(loop, signal)),
            Fault(f"{channel} signal: with another planet's light", partial(light_of_another, signal)),
            Fault(f"{channel} signal: columns shuffled, names kept", partial(columns_renamed, signal)),
            Fault(f"{channel} dead: inverted", on_table(files[f"{channel} dead"], lambda a, rng: ~a.astype(bool))),
            Fault(
                f"{channel} linear_corr: powers descending",
                on_table(
                    files[f"{channel} linear_corr"],
                    lambda a, rng: a.reshape(-1, 32, a.shape[1])[::-1].reshape(a.shape),
                ),
            ),
            Fault(f"{channel} dark and flat swapped", partial(tables_swapped, channel)),
        ]
        faults += [
            Fault(f"{channel} {table} of the other channel", partial(other_channel, table, channel)) for table in MAPS
        ]
    return faults


FAULTS = _faults()
