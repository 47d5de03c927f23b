"""Compare removal effects of order 1 with the PyPI package ChannelAttribution: seconds, and error of both.

    python bench/markov.py [--journeys 100000 1000000] [--channels 20] [--peer-python /path/to/python]

The benchmark installs ChannelAttribution into a temporary environment, which compiles it. `--peer-python` names an
interpreter that already has it. Both get the same journeys, once one by one and once with equal paths grouped. The
reference is Gaussian elimination with 60 decimal digits.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
import venv
from collections.abc import Iterable
from decimal import Decimal, getcontext
from itertools import pairwise
from pathlib import Path

import numpy as np
from machine import machine

from attribution.chain import chain_shapes, count_chain
from attribution.journeys import Integers, Journeys, from_arrays
from attribution.markov import removal_effects
from attribution.paths import aggregate

REPEATS = 3
PEER = ("ChannelAttribution", "matplotlib")  # it imports matplotlib without declaring it
PEER_SCRIPT = """
import sys, time
import pandas as pd
from ChannelAttribution import markov_model
frame = pd.read_csv(sys.argv[1])
seconds = []
for _ in range(int(sys.argv[2])):
    began = time.perf_counter()
    found = markov_model(frame, "path", "conversions", var_null="nulls", out_more=True, flg_pro=False, verbose=False)
    seconds.append(time.perf_counter() - began)
print(min(seconds))
found["removal_effects"].to_csv(sys.argv[3], index=False)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--journeys", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--channels", type=int, default=20)
    parser.add_argument("--peer-python", type=Path)
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="tributary-bench-") as folder:
        peer = options.peer_python or install_peer(Path(folder, "peer"))
        for journeys in options.journeys:
            print(f"{journeys:,} journeys, {options.channels} channels, order 1, best of {REPEATS}")
            compare(columns(journeys, options.channels), options.channels, peer, Path(folder))


def install_peer(folder: Path) -> Path | None:
    """Return the interpreter of a new environment with the peer, or None if it cannot be installed."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", *PEER], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return python
    print(f"{PEER[0]} cannot be installed here:\n{done.stderr[-500:]}")
    return None


def columns(journeys: int, channels: int) -> dict[str, Integers]:
    """Return lengths, touches and conversions of a chain whose next channel depends on the last one."""
    generator = np.random.default_rng(journeys)
    follows = np.cumsum(generator.dirichlet(np.ones(channels) * 0.5, channels), axis=1)
    lengths = generator.geometric(0.25, journeys)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    touches = np.empty(lengths.sum(), dtype=np.int64)
    state = generator.integers(0, channels, journeys)
    touches[starts] = state
    for depth in range(1, int(lengths.max())):
        active = np.flatnonzero(lengths > depth)
        drawn = (generator.random(len(active))[:, None] > follows[state[active]]).sum(axis=1)
        state[active] = np.minimum(drawn, channels - 1)
        touches[starts[active] + depth] = state[active]
    rate = generator.uniform(0.02, 0.3, channels)
    return {
        "lengths": lengths,
        "touches": touches,
        "conversions": (generator.random(journeys) < rate[state]).astype(int),
    }


def compare(data: dict[str, Integers], channels: int, peer: Path | None, folder: Path) -> None:
    names = [f"channel {number:02d}" for number in range(channels)]
    exact = reference(data, channels)
    grouped, weights, texts = group(data, names)
    inputs = {
        "one by one": (data, np.ones(len(data["lengths"])), [texts[path] for path in grouped["path_of_journey"]]),
        "grouped": (grouped, weights, [texts[path] for path in grouped["path_of_row"]]),
    }
    for title, (rows, weight, paths) in inputs.items():
        seconds, effects = fastest(rows, weight, names)
        print(f"  {title:<11} Tributary          {seconds:7.3f} s   largest relative error {error(effects, exact):.1e}")
        if peer is None:
            continue
        theirs, their_effects = run_peer(peer, zip(paths, weight, rows["conversions"], strict=True), names, folder)
        print(
            f"  {'':<11} ChannelAttribution {theirs:7.3f} s   largest relative error {error(their_effects, exact):.1e}"
            f"   {theirs / seconds:.2f} times the seconds of Tributary",
            flush=True,
        )


def fastest(rows: dict[str, Integers], weights: np.ndarray, names: list[str]) -> tuple[float, np.ndarray]:
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        effects = solve(
            from_arrays(
                customers=np.arange(len(weights)),
                lengths=rows["lengths"],
                touches=rows["touches"],
                conversions=rows["conversions"],
                weights=weights,
                channels=names,
            )
        )
        seconds.append(time.perf_counter() - began)
    return min(seconds), effects


def solve(journeys: Journeys) -> np.ndarray:
    table = aggregate(journeys)
    weights = table.node_weights(table.weights(table.profile_customers))
    return removal_effects(count_chain(table, chain_shapes(table, 1)[1], weights))


def group(data: dict[str, Integers], names: list[str]) -> tuple[dict[str, Integers], np.ndarray, list[str]]:
    """Return the distinct pairs of path and conversion with their counts, and the text of each distinct path."""
    starts = np.concatenate([[0], np.cumsum(data["lengths"])])
    found: dict[bytes, int] = {}
    path_of_journey = np.array(
        [found.setdefault(data["touches"][low:high].tobytes(), len(found)) for low, high in pairwise(starts)]
    )
    paths = [np.frombuffer(path, dtype=np.int64) for path in found]
    rows, counts = np.unique(path_of_journey * 2 + data["conversions"], return_counts=True)
    grouped = {
        "lengths": np.array([len(paths[row // 2]) for row in rows]),
        "touches": np.concatenate([paths[row // 2] for row in rows]),
        "conversions": rows % 2,
        "path_of_row": rows // 2,
        "path_of_journey": path_of_journey,
    }
    return grouped, counts.astype(float), [" > ".join(names[step] for step in path) for path in paths]


def run_peer(
    python: Path, rows: Iterable[tuple[str, float, int]], names: list[str], folder: Path
) -> tuple[float, np.ndarray]:
    """Return the seconds and effects of the peer, from paths with their counts and whether they convert."""
    table, result = folder / "paths.csv", folder / "effects.csv"
    with table.open("w") as file:
        file.write("path,conversions,nulls\n")
        file.writelines(f"{path},{int(count) * flag},{int(count) * (1 - flag)}\n" for path, count, flag in rows)
    command = [python, "-c", PEER_SCRIPT, table, str(REPEATS), result]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.rsplit(",", 1) for line in result.read_text().splitlines()[1:]]
    effects = {name: float(effect) for name, effect in lines}
    return float(done.stdout.splitlines()[-1]), np.array([effects[name] for name in names])


def error(effects: np.ndarray, exact: list[Decimal]) -> float:
    return max(float(abs((Decimal(float(found)) - truth) / truth)) for found, truth in zip(effects, exact, strict=True))


def reference(data: dict[str, Integers], channels: int) -> list[Decimal]:
    """Return the removal effects from the counted pairs of touches, with 60 digits."""
    getcontext().prec = 60
    ends = np.cumsum(data["lengths"]) - 1
    is_step = np.ones(len(data["touches"]), dtype=bool)
    is_step[ends] = False
    pairs = data["touches"][:-1] * channels + data["touches"][1:]
    flows = np.bincount(pairs[is_step[:-1]], minlength=channels**2).reshape(channels, channels)
    last = data["touches"][ends]
    conversions = np.bincount(last, data["conversions"], channels).astype(int)
    first = np.bincount(data["touches"][ends + 1 - data["lengths"]], minlength=channels)
    visits = np.bincount(data["touches"], minlength=channels)

    def rate(kept: list[int]) -> Decimal:
        rows = [
            [Decimal(int(row == column) * int(visits[row]) - int(flows[row, column])) for column in kept]
            + [Decimal(int(conversions[row]))]
            for row in kept
        ]
        for pivot in range(len(kept)):
            for row in range(pivot + 1, len(kept)):
                factor = rows[row][pivot] / rows[pivot][pivot]
                rows[row] = [value - factor * top for value, top in zip(rows[row], rows[pivot], strict=True)]
        solved: list[Decimal] = []
        for row in reversed(rows):
            known = sum((value * found for value, found in zip(row[-2::-1], solved, strict=False)), Decimal(0))
            solved.append((row[-1] - known) / row[len(kept) - 1 - len(solved)])
        return sum((int(first[state]) * found for state, found in zip(reversed(kept), solved, strict=True)), Decimal(0))

    whole = rate(list(range(channels)))
    return [1 - rate([state for state in range(channels) if state != removed]) / whole for removed in range(channels)]


if __name__ == "__main__":
    main()
