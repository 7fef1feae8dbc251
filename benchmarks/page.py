"""The page of the package's two networks: how large it is, how soon it stands, how long it takes to answer.

    python benchmarks/page.py

It needs node, web/node_modules and Debian's chromium (or CHROMIUM). The networks have one thread. What is counted of a
picture is the network with all of its maps, on one that is prepared; and from opening to ready all that the page does
until both networks have answered. GunPoint's accuracy is that of the file in the package on the test part.
"""

from __future__ import annotations

import gzip
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import HERE, save, spread
from googlenet.apps.measure.evaluation import evaluation_job
from googlenet.apps.page.job import SHIPPED, page_job
from googlenet.apps.page.page import page_of

sys.path.append(str(HERE.parent / "tests"))
from browser import Browser, missing

OPENINGS, ANSWERS, EXPLANATIONS = 7, 50, 3
NETWORKS = """async () => {
    globalThis.networks = {};
    for (const { id, kind, examples } of JSON.parse(document.getElementById("facts").textContent).networks) {
        const network = await inside.openNetwork(await inside.packedBytes(document.getElementById(`network-${id}`)));
        const inputs = [];
        for (const example of examples) {
            if (kind === "signal") inputs.push(inside.preparedSignal(example.values, network.notes).input);
            else {
                const bytes = Uint8Array.from(atob(example.png), (letter) => letter.charCodeAt(0));
                inputs.push((await inside.pictureFrom(new Blob([bytes]), network.notes)).input);
            }
        }
        networks[id] = { network, inputs };
    }
}"""
ANSWER = """async ([id, count]) => {
    const { network, inputs } = networks[id];
    const found = [];
    for (let at = -5; at < count; at++) {
        const started = performance.now();
        await network.answer(inputs[(at + inputs.length) % inputs.length]);
        if (at >= 0) found.push(performance.now() - started);
    }
    return found;
}"""
EXPLAIN = """async ([id, at]) => {
    const { network, inputs } = networks[id];
    const { probabilities } = await network.answer(inputs[at]);
    const [first, second] = Array.from(probabilities.keys()).sort((a, b) => probabilities[b] - probabilities[a]);
    const started = performance.now();
    const { points, closes } = await network.contributions(inputs[at], first, second);
    return { seconds: (performance.now() - started) / 1000, points, closes };
}"""


def main() -> None:
    if reason := missing():
        sys.exit(f"There is no browser to measure in: {reason}.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        started = time.perf_counter()
        page_job(None, path)
        result: dict[str, Any] = {"written": {"seconds": round(time.perf_counter() - started, 1)}, "size": sizes(path)}
        browser = Browser(path)
        try:
            result |= measured(browser)
        finally:
            browser.close()
    gunpoint = evaluation_job([SHIPPED["signal"].name], "gunpoint", everything=True)
    result["accuracy of gunpoint"] = {"share": gunpoint.top1, "n": gunpoint.count}
    save("page", result)
    print(result)


def sizes(path: Path) -> dict[str, int]:
    """Bytes: of the page, packed by gzip, and packed without its networks and their examples."""
    content = path.read_bytes()
    models = re.findall(rb'id="network-[^"]+">([^<]+)<', content)
    return {
        "page": len(content),
        "gzip": len(gzip.compress(content, 9)),
        "gzip without networks": len(gzip.compress(page_of([]), 9)),
        "networks as they lie in it": sum(map(len, models)),
    }


def measured(browser: Browser) -> dict[str, Any]:
    """Seconds and milliseconds, in the browser."""
    opening = []
    for _ in range(OPENINGS):
        started = time.perf_counter()
        browser.open()
        opening.append(time.perf_counter() - started)
    names = ("network/network", "network/runtime", "inputs/pictures", "inputs/signals")
    browser.do("harness", "modules", "".join(f'export * from "./{name}.js";' for name in names), "inside")
    browser.evaluate(NETWORKS)
    result: dict[str, Any] = {"seconds from opening to ready": spread(opening)}
    for one in SHIPPED.values():
        explained = [browser.evaluate(EXPLAIN, [one.id, at]) for at in range(EXPLANATIONS)]
        result[one.id] = {
            "milliseconds an answer with all maps": spread(browser.evaluate(ANSWER, [one.id, ANSWERS])),
            "seconds of contributions": spread([row["seconds"] for row in explained]),
            "points": [row["points"] for row in explained],
            "close within 1 %": all(row["closes"] for row in explained),
        }
    return result


if __name__ == "__main__":
    main()
