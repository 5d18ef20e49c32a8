"""The report of many planets: how large it is, how long it takes to write, and how soon headless Chromium shows it.

    python benchmarks/report.py [--planets 1100] [--runs 5] [--chromium chromium] [--json FILE]

A small competition is simulated, trained and submitted without a network. Its test planets' files and products then
stand, by links, under as many numbers as are wanted: what is packed for each planet is what a planet needs, and only
the table of planets is packed better than that of planets which all differ. The browser says itself when the table of
planets is filled, and when the figures of a planet that the address names are drawn; it counts from the navigation on.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from statistics import median
from urllib.parse import parse_qs, urlsplit

import polars as pl

from spectramind_kit.work_folder.layout import WorkFolder

TRAIN, TEST, FIRST = 12, 6, 2_000_000_000
"""Planets that are simulated, and the number of the first that stands in for one of them."""
WANTED = {"size [MB]": 15.0, "table filled [s]": 3.0, "a planet's figures drawn [s]": 3.0}
LONGEST = 60.0
"""A page that shows nothing after so long shows nothing [s]."""
PROBE = """
<script>
const asked = setInterval(() => {
  const rows = document.querySelectorAll("#planet-table tbody tr").length;
  if (rows && !window.filled) window.filled = performance.now();
  if (!document.querySelector('#pane .chart[data-drawn="yes"]')) return;
  clearInterval(asked);
  fetch(`http://127.0.0.1:PORT/?rows=${rows}&filled=${window.filled}&drawn=${performance.now()}`, { mode: "no-cors" });
}, 10);
</script>
"""


def main() -> None:
    """Measure, print, and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planets", type=int, default=1100)
    parser.add_argument("--runs", type=int, default=5, help="times that it is opened")
    parser.add_argument("--chromium", default="chromium", help="the browser's program")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        data, work, planet = many_planets(Path(scratch), options.planets)
        started = time.monotonic()
        spectramind("diagnose", "--data", data, "--work", work)
        figures = {"written in [s]": time.monotonic() - started}
        report = WorkFolder(work).report
        figures["size [MB]"] = report.stat().st_size / 1e6
        opened = [seconds_to_open(report, planet, options.chromium, options.planets) for _ in range(options.runs)]
    for name in opened[0]:
        figures[name] = median(one[name] for one in opened)
    for name, value in figures.items():
        print(f"{name:<32}{value:8.2f}{f'   wanted: below {WANTED[name]:g}' if name in WANTED else ''}")
    if options.json:
        options.json.write_text(json.dumps({"planets": options.planets} | figures, indent=1) + "\n")


def many_planets(scratch: Path, n_planet: int) -> tuple[Path, Path, int]:
    """Return a competition and a work folder with so many test planets, and the number of one of them."""
    few, done, data, work = (scratch / name for name in ("few", "done", "data", "work"))
    spectramind("simulate", "--out", few, "--train", TRAIN, "--test", TEST)
    spectramind("submit", "--data", few, "--work", done, "model=none")
    ids = pl.read_csv(few / "test_star_info.csv")["planet_id"].cast(pl.Int64).to_list()
    stands_for = {FIRST + place: ids[place % len(ids)] for place in range(n_planet)}
    linked(few, data, without=("test", "truth", "test_star_info.csv", "sample_submission.csv"))
    linked(done, work, without=("submission.csv", "fits", "light_curves"))
    for table in ("test_star_info.csv", "sample_submission.csv", "truth/test.csv"):
        multiplied(few / table, data / table, stands_for)
    multiplied(done / "submission.csv", work / "submission.csv", stands_for)
    for planet, source in stands_for.items():
        link(data / "test" / str(planet), few / "test" / str(source))
    for product in ("fits", "light_curves"):
        link(work / product / "train", done / product / "train")
        for planet, source in stands_for.items():
            for path in (done / product / "test").glob(f"{source}_*.npz"):
                link(work / product / "test" / path.name.replace(str(source), str(planet), 1), path)
    return data, work, FIRST + n_planet // 2


def linked(source: Path, place: Path, without: tuple[str, ...]) -> None:
    """Link what lies in a folder into another one, but for some of it."""
    for path in source.iterdir():
        if path.name not in without:
            link(place / path.name, path)


def link(place: Path, target: Path) -> None:
    """Make a link, and the folder that it lies in."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


def multiplied(source: Path, place: Path, stands_for: dict[int, int]) -> None:
    """Write a table of planets with a row for each number, that of the planet which it stands for."""
    table = pl.read_csv(source).with_columns(pl.col("planet_id").cast(pl.Int64))
    numbers = pl.DataFrame({"planet_id": list(stands_for.values()), "number": list(stands_for)})
    rows = numbers.join(table, on="planet_id", how="left", maintain_order="left")
    place.parent.mkdir(parents=True, exist_ok=True)
    rows.drop("planet_id").rename({"number": "planet_id"}).write_csv(place)


def seconds_to_open(report: Path, planet: int, chromium: str, n_planet: int) -> dict[str, float]:
    """Open a report in a fresh browser at a planet's place; return when what was there."""
    shown: dict[str, float] = {}
    done = threading.Event()

    class Listener(BaseHTTPRequestHandler):
        """Takes what the page says of itself."""

        def do_GET(self) -> None:
            """Take the one request that the page makes."""
            shown.update({name: float(values[0]) for name, values in parse_qs(urlsplit(self.path).query).items()})
            self.send_response(204)
            self.end_headers()
            done.set()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    probed, profile = report.with_name("probed.html"), tempfile.mkdtemp()
    probed.write_text(report.read_text().replace("</body>", PROBE.replace("PORT", str(server.server_port)) + "</body>"))
    command = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,900"]
    command += [f"--user-data-dir={profile}", "--remote-debugging-port=0", f"{probed.as_uri()}#planet/test/{planet}"]
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if not done.wait(LONGEST):
            raise SystemExit(f"{report}: nothing was shown within {LONGEST:.0f} s")
    finally:
        browser.terminate()
        browser.wait()
        server.shutdown()
        shutil.rmtree(profile, ignore_errors=True)
    if shown["rows"] < n_planet:
        raise SystemExit(f"{report}: {shown['rows']:.0f} rows of {n_planet}")
    return {
        "table filled [s]": shown["filled"] / 1e3,
        "a planet's figures drawn [s]": shown["drawn"] / 1e3,
    }


def spectramind(*words: object) -> None:
    """Run a command of the kit."""
    subprocess.run([sys.executable, "-m", "spectramind_kit", *map(str, words)], check=True, capture_output=True)


if __name__ == "__main__":
    main()
