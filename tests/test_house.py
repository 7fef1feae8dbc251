"""The house stands as docs/architecture.md draws it: what may import what, and how large a room may grow.

Everything is read from the source with ``ast``; nothing of the package is imported.
"""

import ast
import importlib.util
import re
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path

import pytest
from radon.complexity import cc_visit

REPOSITORY = Path(__file__).parents[1]
HOUSE = REPOSITORY / "src" / "googlenet"

GROUND = {"_version", "errors", "files", "limits"}  # what every floor may use
# Which room of src/googlenet may use which others.
MAY_USE = {
    "_version": set(),
    "errors": {"limits"},
    "files": {"_version", "errors", "limits"},
    "limits": set(),
    "arch": GROUND,
    "nn": GROUND | {"arch"},
    "data": GROUND | {"arch", "nn"},
    "weights": GROUND | {"arch", "nn", "data"},
    "training": GROUND | {"arch", "nn", "data", "weights"},
    "inference": GROUND | {"arch", "nn", "data", "weights", "training"},
    "explain": GROUND | {"arch", "nn", "data", "weights", "training", "inference"},
    "estimator": GROUND | {"arch", "nn", "data", "weights", "training", "inference", "explain"},
    "apps": GROUND | {"arch", "nn", "data", "weights", "training", "inference", "explain"},
    "__main__": {"apps"},
}
LINES_OF_A_FILE, LINES_OF_A_FUNCTION, COMPLEXITY, ENTRIES, ENTRIES_OF_THE_HOUSE = 300, 50, 15, 10, 13
MADE = {"__pycache__", "built"}  # by Python, and by the build of the page: no source
SOURCE = (".py", ".pyi", ".cpp", ".h", ".js", ".css", ".html")


def files_of(house, *suffixes):
    return sorted(path for path in house.rglob("*") if path.suffix in suffixes and not MADE & {*path.parts})


def shown(path, house=HOUSE):
    return path.relative_to(house).as_posix()


# ------------------------------------------------------------------------------------------------- imports
def module_of(path, house):
    """``nn/blocks.py`` to ``nn.blocks``; a package's ``__init__`` to the package, the house's own to ``""``."""
    parts = path.relative_to(house).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path, house):
    """Modules of the house that a file imports: anywhere in it, for type checkers too, and by ``import_module``."""
    known = {module_of(other, house) for other in files_of(house, ".py")}
    package = path.relative_to(house).parent.parts
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()

    def add(parts):
        """The longest beginning that is a module: the rest are names in it."""
        name = ".".join(parts)
        while name not in known:
            name = name.rpartition(".")[0]
        found.add(name)

    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            for _, *parts in (name for name in names if name[0] == house.name):
                add(parts)
        elif isinstance(node, ast.ImportFrom):
            base = [*(node.module or "").split(".")] if node.module else []
            if node.level:
                base = [*package[: len(package) - node.level + 1], *base]
            elif base[:1] == [house.name]:
                base = base[1:]
            else:
                continue
            for alias in node.names:
                add([*base, alias.name])
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module":
            for text in modules_meant(node, tree):
                name = importlib.util.resolve_name(text, ".".join((house.name, *package))) if text[0] == "." else text
                root, _, module = name.partition(".")
                if root == house.name and module in known:  # a table has other words too, which are no modules
                    found.add(module)
    return found - {module_of(path, house)}


def modules_meant(call, tree):
    """The literal of an ``import_module``; else every text of the file that may be one: a table names the modules."""
    if isinstance(call.args[0], ast.Constant):
        return [call.args[0].value]
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [f".{text}" for text in texts if re.fullmatch(r"[a-z_][a-z_\d]*(\.[a-z_][a-z_\d]*)*", text)]


def imports_in(house):
    """By file: the modules of the house that it imports. A stub's imports are those of the package it stands beside."""
    return {path: imports_of(path, house) for path in files_of(house, ".py", ".pyi")}


def upward(imports, house, may_use):
    """``file -> module`` of every import that the table does not allow."""
    found = []
    for path, modules in imports.items():
        room = path.relative_to(house).parts[0].split(".")[0]
        if room == "__init__":  # the public names are those of every floor
            continue
        allowed = may_use.get(room, set()) | {room}
        found += [
            f"{shown(path, house)} -> {module or '__init__'}"
            for module in modules
            if (module.split(".")[0] or "__init__") not in allowed
        ]
    return sorted(found)


def circle(imports, house):
    """A circle of files that import each other, or ``None``."""
    graph = {}
    for path, modules in imports.items():
        graph.setdefault(module_of(path, house), set()).update(modules)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


@pytest.fixture(scope="module")
def imports():
    return imports_in(HOUSE)


def test_no_import_points_upwards(imports):
    assert upward(imports, HOUSE, MAY_USE) == []


def test_no_files_import_in_a_circle(imports):
    assert circle(imports, HOUSE) is None


def test_every_room_has_its_row():
    rooms = {path.stem for path in HOUSE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert rooms - {"__init__", "__pycache__"} == set(MAY_USE)


def test_every_way_to_import_is_seen(tmp_path):
    """The tests above could not fail if the reader of imports were blind."""
    house = tmp_path / "house"
    texts = {
        "__init__.py": "",
        "low/__init__.py": "",
        "low/rows.py": "",
        "low/table.py": "from importlib import import_module\nROWS = ('one.two', 'rows')\nimport_module('.' + ROWS[0])",
        "low/one/__init__.py": "",
        "low/one/two.py": "from ..rows import X\nfrom ... import low",
        "low/plain.py": "import os\nimport house.high.top\nfrom collections import abc",
        "low/typed.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..high.top import Y",
        "low/late.py": "def f():\n    from ..high import top\n",
        "low/named.py": "from importlib import import_module\nimport_module('house.high.top')",
        "low/stub.py": "",
        "low/stub.pyi": "from ..high.top import Y as Y",
        "high/__init__.py": "",
        "high/top.py": "from house.low.rows import X\nfrom ..low import table",
    }
    for name, text in texts.items():
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        (house / name).write_text(text)
    found = {shown(path, house): modules for path, modules in imports_in(house).items()}
    assert {name: modules for name, modules in found.items() if modules} == {
        "low/table.py": {"low.one.two", "low.rows"},
        "low/one/two.py": {"low.rows", "low"},
        "low/plain.py": {"high.top"},
        "low/typed.py": {"high.top"},
        "low/late.py": {"high.top"},
        "low/named.py": {"high.top"},
        "low/stub.pyi": {"high.top"},
        "high/top.py": {"low.rows", "low.table"},
    }
    files = imports_in(house)
    table = {"low": set(), "high": {"low"}}
    assert upward(files, house, table) == [
        "low/late.py -> high.top",
        "low/named.py -> high.top",
        "low/plain.py -> high.top",
        "low/stub.pyi -> high.top",
        "low/typed.py -> high.top",
    ]
    assert circle(files, house) is None
    (house / "low/rows.py").write_text("from . import late")
    assert {"low.rows", "low.late", "high.top"} <= set(circle(imports_in(house), house))


# ---------------------------------------------------------------------------------------------------- sizes
def entries(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("__") and path.name != "py.typed")


def test_the_house_has_few_rooms():
    assert len(entries(HOUSE)) <= ENTRIES_OF_THE_HOUSE, entries(HOUSE)


def test_no_folder_holds_more_than_can_be_seen_at_once():
    folders = [path for path in HOUSE.rglob("*") if path.is_dir() and "__pycache__" not in path.parts]
    assert {shown(path): len(entries(path)) for path in folders if len(entries(path)) > ENTRIES} == {}


def test_no_file_is_long():
    lengths = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files_of(HOUSE, *SOURCE)}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_OF_A_FILE} == {}


def functions():
    """``file:name`` to the node of every function, those inside others too."""
    for path in files_of(HOUSE, ".py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield f"{shown(path)}:{node.name}", node


def test_no_function_is_long():
    lengths = {name: node.end_lineno - node.lineno + 1 for name, node in functions()}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_OF_A_FUNCTION} == {}


def test_no_block_is_tangled():
    blocks = {
        f"{shown(path)}:{block.fullname}": block.complexity
        for path in files_of(HOUSE, ".py")
        for block in cc_visit(path.read_text(encoding="utf-8"))
    }
    assert {name: complexity for name, complexity in blocks.items() if complexity > COMPLEXITY} == {}


# ---------------------------------------------------------------------------------------------------- rules
# A room of somebody's machine; what a system's packages and documents name is none.
MACHINE = re.compile(r"(?<![\w.:/}-])(?:/(?:home|root|work|Users|tmp|mnt|private)/\w|[A-Z]:\\\\?\w)")


def test_no_path_of_a_machine_is_written_down():
    parts = ("src", "tests", "benchmarks", "docs", "examples", ".ci")
    texts = chain(
        REPOSITORY.glob("*.*"), (REPOSITORY / "Makefile",), *((REPOSITORY / part).rglob("*") for part in parts)
    )
    kinds = (*SOURCE, ".md", ".toml", ".json", ".yaml", ".cff", ".svg", "")
    found = [
        f"{shown(path, REPOSITORY)}:{number}"
        for path in texts
        if path.is_file() and path.suffix in kinds and not MADE & {*path.parts} and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if MACHINE.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("open('/home/me/x.csv')", True),
        ("see /tmp/brief.md", True),
        (r"C:\\Users\\me", True),
        ("/usr/share/datasets/fashion-mnist", False),
        ("https://example.org/home/page", False),
        ("../shared/data/ucr", False),
        ("docs/page/x", False),
    ],
)
def test_what_is_a_path_of_a_machine(line, is_one):
    assert bool(MACHINE.search(line)) == is_one


def kinds_of_data():
    """Classes that tell one kind of data from another: sets, data sets and preprocessings of ``data/``."""
    for path in files_of(HOUSE / "data", ".py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and re.search(
                r"\w(Set|Data|Preprocessing|Task)$|^Preprocessing$", node.name
            ):
                yield node.name


def kind_tests(tree, kinds):
    """Lines that ask which of those classes something is: by ``isinstance``, by its type, in a ``case``."""
    aliases = {
        alias.asname: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname and alias.name in kinds
    }
    named = kinds | set(aliases)

    def names(node):
        return {getattr(part, "id", getattr(part, "attr", None)) for part in ast.walk(node)} & named

    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("isinstance", "issubclass"):
            if len(node.args) == 2 and names(node.args[1]):
                yield node.lineno
        elif isinstance(node, ast.MatchClass) and names(node.cls):
            yield node.cls.lineno
        elif isinstance(node, ast.Compare) and "type(" in ast.unparse(node) and names(node):
            yield node.lineno


def test_only_the_data_know_their_kind():
    kinds = set(kinds_of_data())
    assert {"ImageSet", "SignalSet", "SignalPreprocessing"} <= kinds
    found = [
        f"{shown(path)}:{line}"
        for path in files_of(HOUSE, ".py")
        if path.relative_to(HOUSE).parts[0] != "data"
        for line in kind_tests(ast.parse(path.read_text(encoding="utf-8")), kinds)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "isinstance(x, ImageSet)",
        "isinstance(x, (int, folders.ImageSet))",
        "from a import ImageSet as I\nisinstance(x, I)",
        "isinstance(x, ImageSet | int)",
        "type(x) is ImageSet",
        "match x:\n    case ImageSet():\n        pass",
    ],
)
def test_every_question_for_a_kind_is_seen(text):
    assert list(kind_tests(ast.parse(text), {"ImageSet"}))


def test_what_is_no_question_for_a_kind():
    assert not list(kind_tests(ast.parse("isinstance(x, str)\nImageSet(x)\nfrom a import ImageSet"), {"ImageSet"}))


def parameters(function):
    """All of them but ``self`` and ``cls``."""
    spec = function.args
    named = [arg.arg for arg in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)]
    return [name for name in named if name not in ("self", "cls")] + [arg for arg in (spec.vararg, spec.kwarg) if arg]


def decorators(function):
    return {ast.unparse(node).split("(")[0].split(".")[-1] for node in function.decorator_list}


def undocumented(tree):
    """Public functions, methods and constructors with three parameters or more and no ``Args:``.

    Commands document theirs in their options, overloads in what they overload.
    """
    for owner in (tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")):
        for node in owner.body:
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            constructs = node.name == "__init__"
            text = ast.get_docstring(owner if constructs else node) or ""
            if len(parameters(node)) < 3 or "Args:" in text or decorators(node) & {"command", "overload"}:
                continue
            if constructs or node.name[0] != "_":
                yield f"{getattr(owner, 'name', '')}.{node.name}".lstrip(".")


def test_public_functions_of_many_parameters_explain_them():
    found = [
        f"{shown(path)}:{name}"
        for path in files_of(HOUSE, ".py")
        for name in undocumented(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []
