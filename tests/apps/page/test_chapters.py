"""The chapters of the page, in a browser: every number is googlenet.cost's, every control works by keyboard, both
languages are whole, nothing scrolls sideways or jumps, and axe finds nothing.
"""

import json
import random
import re
from dataclasses import replace
from math import prod
from pathlib import Path

import pytest

import googlenet
from googlenet.arch.cost import cost
from googlenet.arch.cursor import Cursor
from googlenet.arch.shapes import output_size
from googlenet.arch.spec import InceptionSpec
from googlenet.arch.variants import find_arch
from googlenet.errors import InputError

WEB = Path(__file__).parents[3] / "web"
SECTIONS = ["size", "compression", "module", "network", "auxiliary", "pretrained", "signals", "own"]
WIDTHS = [360, 768, 1280]

# Moves the reader's controls and reads what the page then says: number by number of [data-value].
SET = """
(settings) => {
  const fire = (node, kind) => node.dispatchEvent(new Event(kind, { bubbles: true }));
  const move = ([id, value]) => {
    const node = document.getElementById(id);
    if (node.tagName === "FIELDSET") {
      const option = node.querySelector(`input[value="${value}"]`);
      option.checked = true;
      return fire(option, "change");
    }
    if (node.type === "checkbox") {
      node.checked = value;
      return fire(node, "change");
    }
    node.value = value;
    fire(node, "input");
  };
  const number = (name) => {
    const text = document.querySelector(`[data-value="${name}"]`).dataset.number;
    return text === undefined ? null : Number(text);
  };
  return settings.map(({ moves, names }) => {
    moves.forEach(move);
    return names.map(number);
  });
}
"""


@pytest.fixture
def opened(browser):
    """The browser with the page open in English, the same one from test to test; opened anew if another test had it."""
    if not _is_ours(browser):
        browser.open(locale="en-US", viewport={"width": 1280, "height": 900})
        browser.evaluate("() => { globalThis.ofTheChapters = true; }")
    return browser


def _is_ours(browser):
    try:
        return browser.evaluate("() => globalThis.ofTheChapters === true")
    except AssertionError:  # no page is open
        return False


@pytest.fixture
def network(opened):
    """The architecture of the page's picture network, and what it reads."""
    facts = opened.evaluate("() => JSON.parse(document.getElementById('facts').textContent)")
    assert [row["id"] for row in facts["networks"] if row["kind"] == "picture"] == ["fashion_mnist"]
    return googlenet.load_model("googlenet_small.fashion_mnist").arch, {"in_channels": 1, "num_classes": 10}, (28, 28)


# ------------------------------------------------------------------------------------------------- every number
def sizes(rng):
    n, p, k, s, d = (rng.randint(*span) for span in ((1, 32), (0, 8), (1, 11), (1, 5), (1, 4)))
    moves = [[f"size-{name}", value] for name, value in zip("npksd", (n, p, k, s, d), strict=True)]
    printed = (n - 2 * p - d * (k - 1) - 1) // s + 1
    return moves, {"size.output": output_size(n, k, s, p, d), "size.printed": printed}


def compressions(rng):
    channels, reduced, out, side = (rng.randint(1, most) for most in (1024, 512, 1024, 112))
    at = rng.randrange(4)
    kernel = (1, 3, 5, 7)[at]
    names = ("in", "reduced", "out", "kernel", "side")
    moves = [
        [f"compression-{name}", value] for name, value in zip(names, (channels, reduced, out, at, side), strict=True)
    ]
    place = Cursor(False, channels, (side, side))
    whole = place.conv("conv", out, kernel).done
    both = place.conv("reduce", reduced).conv("conv", out, kernel).done
    expected = {}
    for what in ("params", "macs"):
        without, with_ = (sum(getattr(layer, what) for layer in layers) for layers in (whole, both))
        expected |= {
            f"compression.{what}.without": without,
            f"compression.{what}.with": with_,
            f"compression.{what}.saved": without - with_,
        }
    return moves, expected


def modules(rng, network):
    arch, kinds, size = network
    specs = [layer for layer in arch.layers() if isinstance(layer, InceptionSpec)]
    spec = rng.choice(specs)
    moves: list[list[object]] = [["module-choose", spec.name]]
    kept = []
    for branch in spec.branches:
        on = rng.random() < 0.75
        moves.append([f"module-{branch.name}", on])
        if branch.kernel > 1:
            branch = replace(branch, kernel=rng.randrange(1, branch.kernel + 5, 2))
            moves.append([f"module-{branch.name}-kernel", branch.kernel])
        if branch.reduce:
            branch = replace(branch, reduce=rng.randint(1, 2 * branch.reduce))
            moves.append([f"module-{branch.name}-reduce", branch.reduce])
        kept += [branch] * on
    names = ("params", "macs", "saved", "whole.params", "whole.macs")
    if not kept:
        return moves, {f"module.{name}": None for name in names}
    changed = replace(spec, branches=tuple(kept))
    stages = tuple(
        replace(stage, layers=tuple(changed if layer == spec else layer for layer in stage.layers))
        for stage in arch.stages
    )
    whole = cost(replace(arch, stages=stages), size, **kinds)
    row = next(row for row in whole.rows if row.name == spec.name)
    values = (row.params, row.macs, row.saved_macs, whole.params, whole.macs)
    return moves, {f"module.{name}": value for name, value in zip(names, values, strict=True)}


def networks(rng):
    side = rng.randint(32, 448)
    expected = {}
    for kind, arch in (("published", "googlenet"), ("naive", "googlenet_naive")):
        whole = cost(arch, (side, side))
        expected |= {f"network.{kind}.all.{what}": getattr(whole, what) for what in ("params", "macs")}
        for row in whole.rows:
            if row.params and row.type != "auxiliary":
                expected |= {f"network.{kind}.{row.name}.{what}": getattr(row, what) for what in ("params", "macs")}
    return [["network-size", side]], expected


def walks(rng, network):
    arch, kinds, size = network
    row = rng.choice([row for row in cost(arch, size, **kinds).rows if row.type == "inception"])
    return [["network-walk", row.name]], {
        "network.field": row.receptive_field,
        "network.stride": row.stride,
        "network.cost": row.macs,
    }


def test_every_number_is_that_of_cost(opened, network):
    rng = random.Random(19)
    drawn = [sizes(rng) for _ in range(300)] + [compressions(rng) for _ in range(300)]
    drawn += [modules(rng, network) for _ in range(250)] + [networks(rng) for _ in range(100)]
    drawn += [walks(rng, network) for _ in range(50)]
    settings = [{"moves": moves, "names": list(expected)} for moves, expected in drawn]
    shown = opened.evaluate(SET, settings)
    assert len(shown) == 1000
    for (moves, expected), numbers in zip(drawn, shown, strict=True):
        assert dict(zip(expected, numbers, strict=True)) == expected, moves
    opened.evaluate(SET, [{"moves": [["module-choose", "3a"], ["network-size", 224]], "names": []}])


def test_costs_of_every_architecture_are_ported(opened):
    """Every layer of every variant, at its own size and at one that is odd."""
    opened.do(
        "harness", "modules", 'export * from "./arithmetic/cost.js"; export * from "./arithmetic/sizes.js";', "port"
    )
    fields = ["name", "type", "output", "params", "macs", "receptive_field", "stride"]
    for name in opened.evaluate(
        "() => Object.keys(JSON.parse(document.getElementById('facts').textContent).architectures)"
    ):
        arch = find_arch(name)
        for size in (arch.input_size, tuple(side - 31 for side in arch.input_size)):
            try:
                expected = cost(arch, size, in_channels=2, num_classes=7)
            except InputError:
                continue  # too small for it
            rows = opened.evaluate(
                """({ name, size }) => {
                  const { spec } = JSON.parse(document.getElementById("facts").textContent).architectures[name];
                  const found = port.cost(spec, { size, inChannels: 2, classes: 7 });
                  const row = (r) => [r.name, r.type, r.output, r.params, r.macs, r.field, r.stride];
                  return found.rows.map((r) => [...row(r), r.savedParams, r.savedMacs, r.layers.map(row)]);
                }""",
                {"name": name, "size": list(size)},
            )

            def told(row):
                return [list(value) if isinstance(value := getattr(row, field), tuple) else value for field in fields]

            assert rows == [
                [*told(row), row.saved_params, row.saved_macs, [told(layer) for layer in row.layers]]
                for row in expected.rows
            ], (name, size)


# ------------------------------------------------------------------------------------------------- the chapters
def text_of(opened, selector):
    return opened.evaluate("(selector) => document.querySelector(selector).innerText", selector)


def settled(opened):
    """Waits until what was asked for is drawn."""
    opened.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def wait_for(opened, condition, argument=None):
    """Until a condition holds; the deadline is for what never happens."""
    held = opened.evaluate(
        """([argument, deadline]) => new Promise((done) => {
          const holds = CONDITION;
          const look = () => {
            if (holds(argument)) done(true);
            else if (performance.now() > deadline) done(false);
            else setTimeout(look, 20);
          };
          deadline += performance.now();
          look();
        })""".replace("CONDITION", condition),
        [argument, 120_000],
    )
    assert held, condition


def go_to(opened, section):
    """What is not near what is seen is not drawn."""
    opened.evaluate("(id) => document.getElementById(id).scrollIntoView({ behavior: 'instant' })", section)


def test_size_shows_both_signs_and_where_the_kernel_stands(opened):
    opened.evaluate(
        SET, [{"moves": [["size-n", 9], ["size-p", 2], ["size-k", 3], ["size-s", 2], ["size-d", 2]], "names": []}]
    )
    settled(opened)
    why = text_of(opened, "#size .why")
    assert "13 samples to stand on, not 5" in why and "there are 5 places" in why
    drawing = "document.querySelectorAll('#size .grid svg rect[fill=\"var(--blue)\"]').length"
    assert opened.evaluate(f"() => {drawing}") == 9 + 1  # taps, and the frame around them
    step = opened.evaluate("() => document.getElementById('size-step').max")
    assert step == "25"
    opened.evaluate(SET, [{"moves": [["size-dims", "1"], ["size-p", 0], ["size-n", 2]], "names": []}])
    assert "no output" in text_of(opened, "#size .why")
    opened.evaluate(SET, [{"moves": [["size-dims", "2"], ["size-n", 7]], "names": []}])


def test_compression_shows_the_channels_before_and_after(opened):
    go_to(opened, "compression")
    shown = "(name) => document.querySelector('#compression .before-after').innerText.includes(name)"
    opened.evaluate(
        "() => { const list = document.getElementById('compression-choose'); list.value = '3b/5x5';"
        " list.dispatchEvent(new Event('change')); }"
    )
    wait_for(opened, shown, "16 are left")
    assert opened.evaluate(shown, "128 channels come in")
    colours = opened.evaluate(COLOURS, "#compression .before-after canvas")
    assert all(count > 20 for count in colours), colours


COLOURS = """
(selector) => [...document.querySelectorAll(selector)].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
})
"""


def test_a_module_is_taken_apart(opened):
    """Off and smaller are computed; what was never trained is not, and the cost holds."""
    go_to(opened, "module")
    moves = [["module-choose", "4a"], ["module-3x3", False]]
    opened.evaluate(SET, [{"moves": moves, "names": []}])
    wait_for(opened, "() => document.querySelector('#module .sentence').innerText.startsWith('With this change')")
    assert "was not retrained" in text_of(opened, "#module .sentence")
    expected = opened.evaluate("() => document.querySelectorAll('#module .answers b:not([hidden])').length")
    assert expected == 3
    opened.evaluate(SET, [{"moves": [["module-3x3", True], ["module-5x5-kernel", 7]], "names": []}])
    wait_for(opened, "() => document.querySelector('#module .sentence').innerText.includes('No prediction')")
    assert "7×7 kernel where 5×5 was learned" in text_of(opened, "#module .sentence")
    opened.do("page", "click", "#module .legend button")
    wait_for(opened, "() => document.querySelector('#module .sentence').innerText.startsWith('This is the module as')")
    assert len(opened.evaluate(COLOURS, "#module .module-flow canvas")) == 1 + 2 + 4 + 4
    assert min(opened.evaluate(COLOURS, "#module .steps canvas")) > 20


def test_modules_are_walked_by_arrow_keys(opened):
    opened.evaluate(SET, [{"moves": [["network-walk", "3a"]], "names": []}])
    opened.evaluate("() => document.querySelector('#network-walk input').focus()")
    seen = []
    for _ in range(9):
        chosen = opened.evaluate("() => document.querySelector('#network-walk input:checked').value")
        field = opened.evaluate("() => Number(document.querySelector('[data-value=\"network.field\"]').dataset.number)")
        seen.append((chosen, field))
        opened.do("keyboard", "press", "ArrowRight")
    names = [name for name, _ in seen]
    assert names == ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"]
    fields = [field for _, field in seen]
    assert fields == sorted(fields) and len(set(fields)) == 9


def test_the_gradients_are_the_measured_ones(opened):
    measured = json.loads((WEB.parent / "benchmarks" / "aux_gradients.json").read_text())
    opened.evaluate(SET, [{"moves": [["auxiliary-epoch", 3]], "names": []}])
    opened.evaluate("() => document.querySelector('#auxiliary details').open = true")
    rows = opened.evaluate(
        """() => [...document.querySelectorAll("#auxiliary tbody tr")]
          .map((row) => [...row.cells].map((cell) => cell.innerText))"""
    )
    assert rows == [
        [place, *(f"{measured[kind]['gradient_norm'][place][2]:.3f}" for kind in ("with", "without"))]
        for place in measured["with"]["gradient_norm"]
    ]
    assert "does not show the cure" in text_of(opened, "#auxiliary")


@pytest.mark.parametrize(
    ("answers", "left"),
    [
        ({"third": "three", "heads": "yes"}, ["torchvision"]),
        ({"classes": "c1001"}, ["TF-slim"]),
        ({"mixed": "m508"}, ["Lucid, Distill"]),
        ({"norm": "bias", "mixed": "m512"}, ["the paper", "BVLC, Caffe", "Keras port"]),
    ],
)
def test_questions_leave_the_networks_that_fit(opened, answers, left):
    opened.evaluate(SET, [{"moves": [[f"pretrained-{name}", value] for name, value in answers.items()], "names": []}])
    heads = "() => [...document.querySelectorAll('.differences thead th')].map((cell) => cell.innerText)"
    assert opened.evaluate(heads) == left
    opened.evaluate(SET, [{"moves": [[f"pretrained-{name}", "unknown"] for name in answers], "names": []}])
    assert len(opened.evaluate(heads)) == 6


def test_a_pixel_becomes_what_each_network_reads(opened):
    opened.evaluate(SET, [{"moves": [["pretrained-pixel", 255]], "names": []}])
    cells = "() => [...document.querySelectorAll('.differences [data-row=pixel] td')].map((cell) => cell.innerText)"
    _, bvlc, slim, torchvision, _, inception5h = opened.evaluate(cells)
    assert (bvlc, slim, inception5h) == ("151, 138, 132", "1.00", "138")
    assert torchvision.split("\n") == ["1.00", "without transform_input: 2.25, 2.43, 2.64"]


def test_a_signal_is_altered_by_keyboard_and_drawn_by_pointer(opened):
    go_to(opened, "signals")
    wait_for(opened, "() => document.querySelector('#signals .says').innerText !== ''")
    before = text_of(opened, "#signals .answers")
    opened.evaluate("() => document.getElementById('signals-height').focus()")
    for _ in range(12):
        opened.do("keyboard", "press", "ArrowRight")
    wait_for(opened, "(before) => document.querySelector('#signals .answers').innerText !== before", before)
    own = "() => document.querySelector('#signals .says').innerText.includes('your own signal')"
    wait_for(opened, own)
    opened.do("page", "click", "#signals .verdict button")
    wait_for(opened, "(before) => document.querySelector('#signals .answers').innerText === before", before)
    line = "() => document.querySelector('#signals .trace path').getAttribute('d')"
    course = opened.evaluate(line)
    box = opened.evaluate("() => document.querySelector('#signals .trace').getBoundingClientRect().toJSON()")
    opened.evaluate(
        """({ left, top }) => {
          const host = document.querySelector("#signals .trace");
          host.setPointerCapture = () => {};
          const at = (kind, x, y) =>
            host.dispatchEvent(new PointerEvent(kind, { clientX: left + x, clientY: top + y, buttons: 1 }));
          at("pointerdown", 200, 40); at("pointermove", 300, 120); at("pointerup", 300, 120);
        }""",
        box,
    )
    wait_for(opened, "(course) => document.querySelector('#signals .trace path').getAttribute('d') !== course", course)
    wait_for(opened, own)
    opened.do("page", "click", "#signals .verdict button")
    assert min(opened.evaluate(COLOURS, "#signals .strips canvas")) > 5


# ------------------------------------------------------------------------------------------------- for everyone
def test_every_control_is_reached_by_keyboard_and_has_a_name(opened):
    skip = "() => { const link = document.querySelector('a, button, input'); link.focus(); return %s; }"
    assert opened.evaluate(skip % "link.className") == "skip"
    assert opened.evaluate(skip % "link.getBoundingClientRect().left") >= 0
    reached = opened.evaluate(
        """() => {
          const all = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex]")];
          const seen = all.filter((node) => node.checkVisibility() && !node.disabled);
          const bad = seen.filter((node) => node.tabIndex < 0);
          const group = (node) => node.type !== "radio" || node.checked;
          return { bad: bad.map((node) => node.outerHTML.slice(0, 80)), count: seen.filter(group).length };
        }"""
    )
    assert reached["bad"] == [] and reached["count"] > 90
    handlers = "() => [...document.querySelectorAll('[onclick], div[tabindex]:not([role])')].length"
    assert opened.evaluate(handlers) == 0


LONG_TEXT = """
() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const box = node.parentElement;
    if (!box.closest("script, style, noscript, code, #language, .answers, option")) found.push(node.data.trim());
  }
  for (const node of document.querySelectorAll("[aria-label], [aria-valuetext]")) {
    found.push(node.getAttribute("aria-label") ?? node.getAttribute("aria-valuetext"));
  }
  return [document.title, ...found.filter(Boolean)];
}
"""


def walk_through(opened):
    """Everything is drawn."""
    for section in SECTIONS:
        go_to(opened, section)
        settled(opened)
        settled(opened)


ENGLISH = re.compile(r"[A-Za-z]{2,}[ ,]+[a-z]{2,}[ ,]+[a-z]{2,}")  # three words in a row
NAMED = re.compile(r"Going deeper with convolutions|Fashion-MNIST, Zalando SE|[a-z_.]+/[a-z_./]+")


BOTH = "".join(f'export {{ default as {name} }} from "./text/{name}/index.js";' for name in ("en", "ko"))


def only_in(texts, others):
    """What matches any piece of the one language's texts that the other has not; whatever stands for a {value}."""
    pieces, known = (
        {piece.strip() for text in each.values() for piece in re.split("<[^>]+>", text)} for each in (texts, others)
    )
    own = {piece for piece in pieces - known if re.search("[A-Za-z]{3}", re.sub(r"\{\w+\}", "", piece))}
    return re.compile("|".join(re.sub(r"\\{\w+\\}", ".+?", re.escape(piece)) for piece in sorted(own)))


def test_both_languages_are_whole(opened):
    """Nothing of the other language is left, in texts, labels and drawings."""
    walk_through(opened)
    english = opened.evaluate(LONG_TEXT)
    assert [text for text in english if re.search("[가-힣]", text)] == []
    opened.do("harness", "modules", BOTH, "texts")
    foreign = only_in(*opened.evaluate("() => [texts.en, texts.ko]"))
    assert sum(bool(foreign.fullmatch(text)) for text in english) > 150
    opened.do("page", "click", "#language")
    walk_through(opened)
    try:
        korean = opened.evaluate(LONG_TEXT)
        assert [text for text in korean if foreign.fullmatch(text)] == []
        assert opened.evaluate("() => document.documentElement.lang") == "ko"
        assert [text for text in korean if ENGLISH.search(NAMED.sub("", text))] == []
        assert sum(bool(re.search("[가-힣]", text)) for text in korean) > 200
    finally:
        opened.do("page", "click", "#language")


def test_no_text_takes_the_key_of_another():
    for language in ("en", "ko"):
        files = sorted((WEB / "src" / "text" / language).glob("*.js"))
        keys = [key for file in files for key in re.findall(r'^  "([\w.]+)":', file.read_text(), re.MULTILINE)]
        assert len(keys) > 100 and len(keys) == len(set(keys))


def test_texts_have_the_same_keys_and_values(opened):
    opened.do("harness", "modules", BOTH, "texts")
    texts = opened.evaluate("() => ({ en: texts.en, ko: texts.ko })")
    assert texts["en"].keys() == texts["ko"].keys()
    for key, text in texts["en"].items():
        other = texts["ko"][key]
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", other)), key
        assert sorted(re.findall(r"</?\w+", text)) == sorted(re.findall(r"</?\w+", other)), key
        assert text and other
    sources = "\n".join(path.read_text() for path in (WEB / "src").rglob("*.js"))
    used = set(re.findall(r'"((?:model|picture|signal|csv)\.\w+)"', sources)) - {"picture.js", "signal.js"}
    assert used <= texts["en"].keys(), used - texts["en"].keys()
    heads = set(re.findall(r'data-(?:text|label)="([^"]+)"', (WEB / "index.html").read_text()))
    assert heads <= texts["en"].keys()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_scrolls_sideways(opened, width):
    for scheme in ("light", "dark"):
        opened.do("page", "emulateMedia", {"colorScheme": scheme})
        opened.do("page", "setViewportSize", {"width": width, "height": 800})
        settled(opened)
        assert opened.evaluate("() => document.documentElement.scrollWidth") <= width
        off = opened.evaluate(
            """(width) => [...document.querySelectorAll("main *")].filter((node) => {
              const cut = node.closest(".scroll, .formula, .field, svg, .unseen, .trace");
              if (cut || !node.checkVisibility()) return false;
              const { left, right } = node.getBoundingClientRect();
              return left < -1 || right > width + 1;
            }).map((node) => `${node.tagName} ${node.className}`)""",
            width,
        )
        assert off == []
    opened.do("page", "setViewportSize", {"width": 1280, "height": 900})
    opened.do("page", "emulateMedia", {"colorScheme": "light"})


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing(opened, scheme, width):
    opened.do("page", "emulateMedia", {"colorScheme": scheme})
    opened.do("page", "setViewportSize", {"width": width, "height": 800})
    settled(opened)
    opened.evaluate((WEB / "node_modules" / "axe-core" / "axe.min.js").read_text().join(("() => {", "}")))
    found = opened.evaluate(
        """async () => {
          const { violations } = await axe.run(document, { resultTypes: ["violations"] });
          const told = ({ html, any }) => `${html.slice(0, 120)} ${any[0]?.message ?? ""}`;
          return violations.map(({ id, nodes }) => [id, nodes.slice(0, 5).map(told)]);
        }"""
    )
    opened.do("page", "setViewportSize", {"width": 1280, "height": 900})
    opened.do("page", "emulateMedia", {"colorScheme": "light"})
    assert found == []


SHIFT = """
() => new Promise((done) => {
  let sum = 0;
  const add = (list) => list.getEntries().forEach((entry) => { sum += entry.hadRecentInput ? 0 : entry.value; });
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => done(sum), 50));
})
"""


def test_a_fresh_page_does_not_jump_and_remembers_its_language(browser):
    """Where there is a storage; without one it works all the same."""
    browser.open(locale="ko-KR", reducedMotion="reduce", viewport={"width": 360, "height": 800})
    browser.heard()
    assert browser.evaluate(SHIFT) < 0.05
    assert browser.evaluate("() => document.documentElement.lang") == "ko"
    browser.do("page", "click", "#language")
    browser.do("page", "reload", {"waitUntil": "domcontentloaded"})
    assert browser.evaluate("() => document.documentElement.lang") == "en"
    assert browser.evaluate("() => getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    none = "() => { Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no') } }); }"
    browser.evaluate(none)
    browser.do("harness", "modules", 'export * from "./page/language.js";', "words")
    assert browser.evaluate("() => { words.setLanguage('en'); return words.language(); }") == "en"
    assert browser.heard()["errors"] == []


def test_products_are_whole():
    """The largest number that the page may show is exact in JavaScript."""
    assert cost("googlenet_naive", (448, 448)).macs * prod((4, 4)) < 2**53
