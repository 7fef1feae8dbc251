"""Accuracy and time of the default recipe for signals on the UCR archive, beside published figures.

    python benchmarks/ucr.py [SET …] [--seeds 0 1 2] [--resamples 0] [--data FOLDER] [--out FILE] [--resume]

Each set is trained on its training part alone and its test part is looked at once, by the final weights. Two
sets run side by side, a core each. The result file is written after every set; with --resume, what is in it is not run
again.

Resample 0 is the archive's own split; another one draws a training part of the same size and the same number of each
class from both parts together, as the bake-offs do (Middlehurst et al. 2024, section 3; in the order that aeon's
``stratified_resample_data`` draws, so that part K is theirs). One split flatters: the mean of several is compared with
the published means of 30, on the sets that were compared as archived.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from scipy.stats import friedmanchisquare, wilcoxon

from common import HERE, SHARED, machine

PUBLISHED = "InceptionTime", "H-InceptionTime", "LITETime", "ROCKET", "MultiROCKET", "HC2"
BAKEOFF = "MR-Hydra", "WEASEL-2", "RDST", "Hydra", "QUANT"
ARCHIVED, PADDED = "as archived", "padded to equal length"  # how the bake-off read a set


def resampled(signals: list, labels: np.ndarray, learned: int, resample: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn from and to measure, of both parts together, of which the first ``learned`` are the training part.

    Args:
        signals: Of both parts.
        labels: ``(N,)``, of both.
        learned: Size of the training part.
        resample: 0 for the parts as they are.
    """
    rows = np.arange(len(signals))
    if not resample:
        return rows[:learned], rows[learned:]
    draws = np.random.RandomState(resample)
    learn, check = [], []
    for label in sorted(set(labels.tolist()), key=str):  # as text, which the archive's labels are
        own = np.flatnonzero(labels == label)
        draws.shuffle(own)
        count = int((labels[:learned] == label).sum())
        learn += own[:count].tolist()
        check += own[count:].tolist()
    return np.array(learn), np.array(check)


def run(folder: Path, name: str, seed: int, resample: int) -> dict[str, float | str | int]:
    """Trains on a set's training part and measures on its test part."""
    import torch
    from sklearn.metrics import balanced_accuracy_score

    from googlenet.data.signals.find import find_signals
    from googlenet.estimator import GoogLeNetClassifier
    from googlenet.inference.evaluate import metrics
    from googlenet.nn.device import keep_memory

    torch.set_num_threads(1)
    keep_memory()
    data = find_signals(str(folder / name))
    signals = [*data.train.signals, *data.test.signals]
    labels = np.concatenate([data.train.labels.numpy(), data.test.labels.numpy()])
    names = np.array([int(each) if each.lstrip("-").isdigit() else each for each in data.classes])
    learn, check = resampled(signals, names[labels], len(data.train), resample)
    model = GoogLeNetClassifier(random_state=seed)
    started, busy = time.perf_counter(), time.process_time()
    model.fit([signals[row] for row in learn], labels[learn])
    trained, busy = time.perf_counter(), time.process_time() - busy
    probabilities = model.predict_proba([signals[row] for row in check])
    labels = labels[check]
    result = metrics(probabilities, labels, data.classes)
    return {
        "set": name,
        "seed": seed,
        "resample": resample,
        "accuracy": result.top1,
        "balanced_accuracy": float(balanced_accuracy_score(labels, probabilities.argmax(1))),
        "nll": result.nll,
        "ece": result.ece,
        "ece_by_chance": ece_by_chance(probabilities.max(1)),
        "brier": result.brier,
        "temperature": round(model._pipeline.calibration.temperature, 3),
        "train_seconds": round(trained - started, 2),
        "train_core_seconds": round(busy, 2),
        "predict_seconds": round(time.perf_counter() - trained, 2),
        "epochs": len(model.history_),
    }


def ece_by_chance(confidence: np.ndarray) -> float:
    """The calibration error of true probabilities on so few examples, mean of 200 draws of what is right."""
    from googlenet.inference.evaluate import expected_calibration_error

    right = np.random.default_rng(0).random((200, len(confidence))) < confidence
    return float(np.mean([expected_calibration_error(confidence, each) for each in right]))


def run_all(
    folder: Path, names: list[str], seeds: list[int], resamples: list[int], out: Path, rows: list[dict]
) -> list[dict]:
    """Every set, seed and resample that is not among the rows yet, the largest first."""
    done = {(row["set"], row["seed"], row.get("resample", 0)) for row in rows}
    note = json.loads(out.read_text()).get("note", "") if done else ""
    todo = [job for job in product(names, seeds, resamples) if job not in done]
    todo.sort(key=lambda job: (job[1:], -(folder / f"{job[0]}_TRAIN.tsv").stat().st_size))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(run, folder, *job) for job in todo]
        for job in as_completed(jobs):
            rows.append(job.result())
            row = rows[-1]
            which = f"{row['set']:<32} seed {row['seed']} resample {row['resample']}"
            print(f"{which}  {row['accuracy']:.4f}  {row['train_seconds']:.0f} s", flush=True)
            out.write_text(json.dumps({"machine": machine(), "note": note, "rows": rows}, indent=1) + "\n")
    return rows


def published(names: list[str]) -> dict[str, dict[str, float]]:
    """Method to set to accuracy on the archive's own parts; of the bake-off's methods on sets as archived alone."""
    with (SHARED / "anchors" / "ucr_published.csv").open() as file:
        table = {row["dataset"]: row for row in csv.DictReader(file)}
    archived = {row["dataset"]: row for row in bakeoff("default_split") if row["data_variant"] == ARCHIVED}
    sources = [(method, table) for method in PUBLISHED] + [(method, archived) for method in BAKEOFF]
    return {m: {n: float(rows[n][m]) for n in names if n in rows and rows[n][m]} for m, rows in sources}


def bakeoff(protocol: str) -> list[dict[str, str]]:
    """Rows of the bake-off's table by ``default_split`` or ``resample_mean``."""
    with (SHARED / "anchors" / "ucr_bakeoff.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["protocol"] == protocol]


def unequal(ours: dict[str, float]) -> dict[str, float | int]:
    """Means over the sets whose signals have unequal lengths: ours, and those that were published."""
    names = [row["dataset"] for row in bakeoff("default_split") if row["data_variant"] == PADDED]
    names = [name for name in names if name in ours]
    if not names:
        return {"sets": 0}
    theirs = {method: table for method, table in published(names).items() if len(table) == len(names)}
    means = {method: float(np.mean(list(table.values()))) for method, table in theirs.items()}
    return {"sets": len(names), "ours": float(np.mean([ours[name] for name in names])), **means}


def holm(values: list[float]) -> list[float]:
    """p-values corrected for their number (Holm 1979)."""
    order = np.argsort(values)
    corrected = np.maximum.accumulate([(len(values) - rank) * values[i] for rank, i in enumerate(order)])
    result = np.empty(len(values))
    result[order] = np.minimum(corrected, 1)
    return result.tolist()


def summary(rows: list[dict]) -> dict:
    """Means over seeds, then comparisons with every published column on the sets that both have."""
    names = sorted({row["set"] for row in rows})
    ours = {name: float(np.mean([row["accuracy"] for row in rows if row["set"] == name])) for name in names}
    seeds = sorted({row["seed"] for row in rows})
    by_seed = {str(seed): float(np.mean([row["accuracy"] for row in rows if row["seed"] == seed])) for seed in seeds}
    comparisons = {}
    for method, theirs in published(names).items():
        shared = sorted(theirs)
        a, b = np.array([ours[n] for n in shared]), np.array([theirs[n] for n in shared])
        comparisons[method] = {
            "sets": len(shared),
            "ours": float(a.mean()),
            "theirs": float(b.mean()),
            "wins": int((a > b + 1e-4).sum()),
            "draws": int((abs(a - b) <= 1e-4).sum()),
            "losses": int((b > a + 1e-4).sum()),
            "p": float(wilcoxon(a, b).pvalue),
        }
    for row, p in zip(comparisons.values(), holm([row["p"] for row in comparisons.values()]), strict=True):
        row["p_holm"] = p
    seconds = {str(seed): sum(row["train_seconds"] for row in rows if row["seed"] == seed) for seed in seeds}
    return {
        "sets": len(names),
        "mean_accuracy": float(np.mean(list(ours.values()))),
        "mean_accuracy_by_seed": by_seed,
        **{
            f"mean_{key}": float(np.mean([row[key] for row in rows if key in row]))
            for key in ("nll", "ece", "ece_by_chance")
            if any(key in row for row in rows)
        },
        "since_before": since_before(rows),
        "core_minutes_of_training_by_seed": {seed: round(s / 60, 1) for seed, s in seconds.items()},
        "longest_training_seconds": max(row["train_seconds"] for row in rows),
        "comparisons": comparisons,
        "unequal_lengths": unequal(ours),
    }


def since_before(rows: list[dict]) -> dict[str, float | int]:
    """Beside ``ucr_before.json``, without kernels and calibration: on how many sets what is higher and lower now."""
    before = json.loads((HERE / "ucr_before.json").read_text())["rows"]
    names = sorted({row["set"] for row in rows} & {row["set"] for row in before})
    found: dict[str, float | int] = {"sets": len(names)}
    for key in ("accuracy", "nll"):
        now, then = (
            np.array([np.mean([row[key] for row in part if row["set"] == name]) for name in names])
            for part in (rows, before)
        )
        found |= {f"{key}_before": float(then.mean()), f"{key}_higher": int((now > then + 1e-4).sum())}
        found[f"{key}_lower"] = int((then > now + 1e-4).sum())
    return found


def resamples_beside(rows: list[dict]) -> dict:
    """Means over resamples, each the mean of its seeds, beside the published means of 30, on the sets that were
    compared as archived."""
    parts: dict[int, dict[str, list[float]]] = {}
    for row in rows:
        parts.setdefault(row.get("resample", 0), {}).setdefault(row["set"], []).append(row["accuracy"])
    resamples = sorted(parts)
    names = set.intersection(*map(set, parts.values()))
    ours = {name: float(np.mean([np.mean(part[name]) for part in parts.values()])) for name in names}
    archived = [row for row in bakeoff("resample_mean") if row["dataset"] in ours and row["data_variant"] == ARCHIVED]
    sets = [row["dataset"] for row in archived]
    found = {
        "resamples": resamples,
        "sets": len(sets),
        "mean_by_resample": {str(k): float(np.mean([np.mean(parts[k][name]) for name in sets])) for k in resamples},
        "core_minutes": core_minutes(rows, sets),
    }
    if len(resamples) < 2 or not archived:
        return {"resampled": found}
    a = np.array([ours[name] for name in sets])
    own_parts = {row["dataset"]: row for row in bakeoff("default_split")}
    by_authors = published(sets)
    beside = {}
    for peer in (key for key in archived[0] if key not in ("dataset", "data_variant", "protocol")):
        b = np.array([float(row[peer]) for row in archived])
        beside[peer] = {
            "sets": len(archived),
            "ours": float(a.mean()),
            "theirs": float(b.mean()),
            "theirs_on_own_parts": float(np.mean([float(own_parts[name][peer]) for name in sets])),
            "p": float(wilcoxon(a, b).pvalue),
        }
        if peer in PUBLISHED:
            beside[peer]["on_own_parts_as_published"] = float(np.mean([by_authors[peer][name] for name in sets]))
    return {"resampled": found | {"beside": beside}}


def core_minutes(rows: list[dict], sets: list[str]) -> dict[str, float]:
    """Of the processor, by resample and seed, where the rows say so."""
    spent: dict[tuple[int, int], float] = {}
    for row in rows:
        if row["set"] in sets and "train_core_seconds" in row:
            job = row["resample"], row["seed"]
            spent[job] = spent.get(job, 0) + row["train_core_seconds"] / 60
    return {f"resample {resample}, seed {seed}": round(minutes, 1) for (resample, seed), minutes in spent.items()}


def show(result: dict) -> None:
    """Prints the summary as tables."""
    by_seed = result["mean_accuracy_by_seed"]
    print(f"\n{result['sets']} sets, mean accuracy {result['mean_accuracy']:.4f}; by seed {by_seed}")
    print(f"core-minutes of training by seed {result['core_minutes_of_training_by_seed']}; ", end="")
    print(f"longest set {result['longest_training_seconds']:.0f} s\n")
    print(f"{'method':<16}{'sets':>5}{'ours':>9}{'theirs':>9}{'wins':>6}{'draws':>6}{'losses':>7}{'p (Holm)':>10}")
    for method, row in result["comparisons"].items():
        print(
            f"{method:<16}{row['sets']:>5}{row['ours']:>9.4f}{row['theirs']:>9.4f}{row['wins']:>6}{row['draws']:>6}"
            f"{row['losses']:>7}{row['p_holm']:>10.3g}"
        )
    means = {key: round(result[f"mean_{key}"], 4) for key in ("nll", "ece", "ece_by_chance") if f"mean_{key}" in result}
    print(f"\nmeans {means}\nbeside ucr_before.json: {result['since_before']}")
    print("\nunequal lengths:", {key: round(value, 4) for key, value in result["unequal_lengths"].items()})


def critical_difference(rows: list[dict], path: Path) -> None:
    """Draws mean ranks of all methods (Demsar 2006); a bar joins those that a pairwise Wilcoxon test with Holm's
    correction cannot tell apart (Benavoli et al. 2016)."""
    names = sorted({row["set"] for row in rows})
    ours = {name: float(np.mean([row["accuracy"] for row in rows if row["set"] == name])) for name in names}
    methods = {"googlenet_1d": ours} | published(names)
    shared = [n for n in names if all(n in table for table in methods.values())]
    scores = {method: np.array([table[n] for n in shared]) for method, table in methods.items()}
    order = np.array([_ranks(np.round([scores[m][i] for m in methods], 6)) for i in range(len(shared))])
    mean = dict(zip(methods, order.mean(0), strict=True))
    names_by_rank = sorted(methods, key=mean.get)
    pairs = [(a, b) for i, a in enumerate(names_by_rank) for b in names_by_rank[i + 1 :]]
    p = dict(zip(pairs, holm([float(wilcoxon(scores[a], scores[b]).pvalue) for a, b in pairs]), strict=True))
    print(f"Friedman p = {friedmanchisquare(*scores.values()).pvalue:.3g} on {len(shared)} sets")
    path.write_text(_diagram(names_by_rank, mean, p))


def _ranks(values: np.ndarray) -> np.ndarray:
    """1 for the highest; ties share their mean."""
    return np.array([1 + (values > v).sum() + ((values == v).sum() - 1) / 2 for v in values])


def _diagram(names: list[str], mean: dict[str, float], p: dict[tuple[str, str], float]) -> str:
    left, right, axis, count = 170, 590, 44, len(names)

    def x(rank: float) -> float:
        return left + (right - left) * (rank - 1) / (count - 1)

    bars = []
    for i, first in enumerate(names):
        last = i
        while last + 1 < count and all(p[pair] > 0.05 for pair in _between(names[i : last + 2])):
            last += 1
        if last > i and not any(a <= i and last <= b for a, b, _ in bars):
            bars.append((i, last, first))
    parts = [f'<line x1="{left}" x2="{right}" y1="{axis}" y2="{axis}" stroke="#333"/>']
    for tick in range(1, count + 1):
        parts.append(f'<line x1="{x(tick)}" x2="{x(tick)}" y1="{axis - 6}" y2="{axis}" stroke="#333"/>')
        parts.append(f'<text x="{x(tick)}" y="{axis - 11}" text-anchor="middle">{tick}</text>')
    for row, (a, b, _) in enumerate(bars):
        y = axis + 10 + 8 * row
        parts.append(
            f'<line x1="{x(mean[names[a]]) - 3}" x2="{x(mean[names[b]]) + 3}" y1="{y}" y2="{y}" stroke="#c2570c" '
            'stroke-width="4"/>'
        )
    base = axis + 34 + 8 * len(bars)
    half = (count + 1) // 2
    for i, name in enumerate(names):
        place, y = x(mean[name]), base + 20 * (i if i < half else count - 1 - i)
        end, anchor = (left - 8, "end") if i < half else (right + 8, "start")
        bold = ' font-weight="bold"' if name.startswith("googlenet") else ""
        parts.append(f'<polyline points="{place},{axis} {place},{y} {end},{y}" fill="none" stroke="#555"/>')
        parts.append(
            f'<text x="{end + (-4 if i < half else 4)}" y="{y + 4}" text-anchor="{anchor}"{bold}>{name} '
            f"{mean[name]:.2f}</text>"
        )
    height = base + 20 * half
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" font-family="system-ui,sans-serif" '
        f'font-size="13"><rect width="760" height="{height}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _between(names: list[str]) -> list[tuple[str, str]]:
    return [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", help="names; all of the folder by default")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--resamples", nargs="+", type=int, default=[0], help="of the archive's parts; 0 is its own")
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "ucr")
    parser.add_argument("--out", type=Path, default=HERE / "ucr.json")
    parser.add_argument("--resume", action="store_true", help="go on with the result file")
    chosen = parser.parse_args()
    names = chosen.sets or sorted(path.name.removesuffix("_TRAIN.tsv") for path in chosen.data.glob("*_TRAIN.tsv"))
    started = time.perf_counter()
    rows = json.loads(chosen.out.read_text())["rows"] if chosen.resume and chosen.out.exists() else []
    rows = run_all(chosen.data, names, chosen.seeds, chosen.resamples, chosen.out, rows)
    print(f"wall time of this call: {(time.perf_counter() - started) / 60:.1f} minutes")
    own = [row for row in rows if not row.get("resample", 0)]
    result = (summary(own) if own else {}) | resamples_beside(rows)
    content = json.loads(chosen.out.read_text()) | {"summary": result}
    chosen.out.write_text(json.dumps(content, indent=1) + "\n")
    if own:
        show(result)
        critical_difference(own, chosen.out.with_suffix(".svg"))
    for peer, row in result["resampled"].get("beside", {}).items():
        print(
            f"{peer:<16}{row['sets']:>5}{row['ours']:>9.4f}{row['theirs']:>9.4f}  p {row['p']:.3g}  own parts "
            f"{row['theirs_on_own_parts']:.4f}"
        )


if __name__ == "__main__":
    main()
