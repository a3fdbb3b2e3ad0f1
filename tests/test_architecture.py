"""The shape of the package: rooms and their order, sizes, public names, import, examples."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import placeforecast as pf

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PACKAGE = Path(pf.__file__).parent
NAME = PACKAGE.name
ROOMS = (
    "tables",
    "population",
    "rates",
    "enrolment",
    "places",
    "scenarios",
    "uncertainty",
    "chain",
    "review",
    "evaluation",
    "attribution",
    "rounds",
    "plot",
    "report",
    "cli",
    "__main__",
)
"""A module may import from its own room and from those before it."""
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60
MOST_PARAMETERS = 8
FRONT_DOORS = {("chain.forecast", "forecast"), ("cli", "forecast"), ("cli", "report")}
SECONDS_TO_IMPORT = 0.2
FILES = sorted(PACKAGE.rglob("*.py"))

Function = ast.FunctionDef | ast.AsyncFunctionDef


def module_of(file: Path) -> str:
    """Return the dotted name of a module inside the package; nothing for its front."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {module_of(file): ast.parse(file.read_text("utf-8")) for file in FILES}
NAMES = sorted(set(MODULES) - {""})


def imported(tree: ast.Module, module: str) -> Iterator[tuple[int, str]]:
    """Return every import of the own package, wherever it stands, as (line, module or name)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            start = ".".join([NAME, *above] if node.level else [])
            source = ".".join(part for part in (start, node.module or "") if part)
            names = [f"{source}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == NAME:
                yield node.lineno, name.removeprefix(NAME).removeprefix(".")


def against_the_order(trees: dict[str, ast.Module]) -> list[str]:
    """Return the imports that run down the list, or past the front door."""
    wrong = []
    for module, tree in trees.items():
        room = module.split(".")[0]
        for number, name in imported(tree, module):
            target = name.split(".")[0]
            if room == "cli" and target in ("", *pf.__all__):
                continue  # the command line is a user like any other
            if name == "__version__":
                continue
            known = {room, target} <= set(ROOMS)
            if not known or ROOMS.index(target) > ROOMS.index(room):
                wrong.append(f"{module}:{number} imports {name or NAME}")
    return wrong


def test_every_module_stands_in_a_room() -> None:
    assert {name.split(".")[0] for name in NAMES} <= set(ROOMS)
    assert {"tables", "population", "rates", "enrolment", "places", "chain", "cli"} <= {
        name.split(".")[0] for name in NAMES
    }


def test_imports_run_up_the_list_only() -> None:
    assert against_the_order({name: MODULES[name] for name in NAMES}) == []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("tables.read", "from placeforecast.rates.estimate import estimate"),
        ("rates.estimate", "import placeforecast.places.demand"),
        (
            "rates.estimate",
            "if TYPE_CHECKING:\n    from placeforecast.chain.record import Forecast",
        ),
        ("places.supply", "def late() -> None:\n    from placeforecast import cli"),
        ("chain", "from placeforecast import plot"),
        ("chain", "import placeforecast as pf"),
        ("plot.waves", "from ..report import write"),
        ("tables.read", "from placeforecast.helpers import text"),
    ],
)
def test_an_import_down_the_list_is_found(module: str, text: str) -> None:
    assert len(against_the_order({module: ast.parse(text)})) == 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("chain", "from placeforecast.rates.estimate import estimate"),
        ("tables.examples", "def f() -> None:\n    from placeforecast.tables.read import x"),
        ("tables.read", "from .check import examine"),
        ("plot", "from placeforecast.plot.waves import wave"),
        ("cli", "import placeforecast as pf"),
        ("report.compose", "from placeforecast import __version__"),
        ("tables.read", "import pandas as pd"),
    ],
)
def test_an_import_up_the_list_is_lawful(module: str, text: str) -> None:
    assert against_the_order({module: ast.parse(text)}) == []


def test_no_module_is_called_utils_or_base() -> None:
    parts = {part for name in NAMES for part in name.split(".")}
    assert not parts & {"utils", "util", "base", "helpers", "common", "misc"}


@pytest.mark.parametrize(
    "file",
    [*FILES, *sorted(Path(__file__).parent.rglob("*.py"))],
    ids=lambda file: f"{file.parent.name}/{file.name}",
)
def test_files_stay_short(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= MOST_LINES


def functions(tree: ast.Module) -> Iterator[tuple[str, Function, bool]]:
    """Return every function with its name, and whether users can call it."""
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                inside = isinstance(node, ast.ClassDef)
                owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
                outside = isinstance(node, ast.Module) or (inside and not owner.startswith("_"))
                yield owner + child.name, child, outside and not child.name.startswith("_")


def length(function: Function) -> int:
    """Return the lines of a function without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def parameters(function: Function) -> int:
    """Return how many things a caller can say."""
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return len([argument for argument in every if argument.arg not in ("self", "cls")])


ALL_FUNCTIONS = [(m, *found) for m, tree in MODULES.items() for found in functions(tree)]


def test_functions_stay_on_a_screen() -> None:
    assert len(ALL_FUNCTIONS) > len(NAMES)
    lengths = {f"{m}.{n}": length(f) for m, n, f, _ in ALL_FUNCTIONS}
    assert {n: lines for n, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}


def test_public_functions_say_what_they_do() -> None:
    public = [(m, n, f) for m, n, f, is_public in ALL_FUNCTIONS if is_public]
    assert ("tables.check", "check") in {(m, n) for m, n, _ in public}
    assert [f"{m}.{n}" for m, n, f in public if not ast.get_docstring(f)] == []


def test_calls_have_few_parameters() -> None:
    many = [
        f"{m}.{n}"
        for m, n, f, is_public in ALL_FUNCTIONS
        if is_public and (m, n) not in FRONT_DOORS and parameters(f) > MOST_PARAMETERS
    ]
    assert many == []


def test_a_long_function_with_many_parameters_is_found() -> None:
    names = ", ".join(f"p{i}" for i in range(MOST_PARAMETERS + 1))
    body = "".join(f"    x = {i}\n" for i in range(MOST_LINES_OF_A_FUNCTION))
    tree = ast.parse(f'def f({names}):\n    """Say.\n\n    More.\n    """\n{body}')
    ((name, function, is_public),) = functions(tree)
    assert (name, is_public) == ("f", True)
    assert length(function) == MOST_LINES_OF_A_FUNCTION + 1
    assert parameters(function) == MOST_PARAMETERS + 1


def test_classes_and_modules_say_what_they_are() -> None:
    bare = [name for name, tree in MODULES.items() if not ast.get_docstring(tree)]
    for module, tree in MODULES.items():
        bare += [
            f"{module}.{node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and not ast.get_docstring(node)
        ]
    assert bare == []


def test_public_names_load_from_where_they_live() -> None:
    assert sorted(pf.__all__) == pf.__all__
    assert set(pf.__all__) == set(pf._HOME)
    for name in pf.__all__:
        home = importlib.import_module(pf._HOME[name])
        loaded = getattr(pf, name)
        assert loaded is (home if name == "plot" else getattr(home, name))


def test_there_is_no_other_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'forcast'"):
        _ = pf.forcast


def test_types_are_told_the_same_names() -> None:
    """What a type checker sees is what loads."""
    (told,) = (node for node in MODULES[""].body if isinstance(node, ast.If))
    names = {
        (alias.name, str(node.module) + (f".{alias.name}" if node.module == NAME else ""))
        for node in told.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert names == set(pf._HOME.items())


WATCH = """
import sys, sysconfig
opened = []
sys.addaudithook(lambda event, args: event == "open" and opened.append((args[0], args[1])))
import placeforecast
own = [sys.prefix, sys.base_prefix, placeforecast.__path__[0], *sysconfig.get_paths().values()]
for path, mode in opened:
    inside = isinstance(path, int) or any(str(path).startswith(part) for part in own)
    if not inside or (mode and set(mode) & set("wax+") and not str(path).endswith(".pyc")):
        print("opened", path, mode)
heavy = {"numpy", "pandas", "matplotlib", "pydantic", "typer", "jinja2", "scipy"}
print("loaded", sorted(heavy & set(sys.modules)))
print("own", sorted(name for name in sys.modules if name.startswith("placeforecast")))
"""


def python(*arguments: str, cwd: Path) -> str:
    """Run a fresh interpreter and return what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        encoding="utf-8",
        check=True,
        cwd=cwd,
        env=environment(),
    )
    return done.stdout


def environment() -> dict[str, str]:
    return {"PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}


def test_nothing_happens_on_import(tmp_path: Path) -> None:
    assert python("-c", WATCH, cwd=tmp_path).splitlines() == [
        "loaded []",
        "own ['placeforecast']",
    ]
    assert list(tmp_path.iterdir()) == []


def test_the_import_is_quick(tmp_path: Path) -> None:
    code = (
        "import time; start = time.perf_counter(); import placeforecast; "
        "print(time.perf_counter() - start)"
    )
    best = min(float(python("-c", code, cwd=tmp_path)) for _ in range(5))
    assert best < SECONDS_TO_IMPORT


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("cli", "__main__")])
def test_examples_in_docstrings_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    module = importlib.import_module(f"{NAME}.{name}")
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted(set(pf.__all__) - {"plot", "AssumptionWarning"}))
def test_every_public_name_shows_an_example(name: str) -> None:
    assert ">>> " in (getattr(pf, name).__doc__ or "")


def tracked() -> list[Path]:
    """Return the files under version control, or skip where there is none."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name]


HOSTS = ("pypi", "pythonhosted", "anaconda", "conda-forge", "npmjs", "proxy.golang", "tsinghua")
REGISTRY = re.compile(rf"(?<![\w-])(?:[\w-]+\.)*(?:{'|'.join(map(re.escape, HOSTS))})\.\w+", re.I)
MACHINE = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+|tmp)/")


def forbidden(text: str) -> list[str]:
    """Return package registries and paths of one machine that a text names."""
    return [match.group() for match in (*REGISTRY.finditer(text), *MACHINE.finditer(text))]


def test_no_file_names_a_registry_or_a_machine() -> None:
    found = {}
    for file in tracked():
        data = file.read_bytes() if file.is_file() else b""
        if b"\0" not in data and (named := forbidden(data.decode("utf-8"))):
            found[str(file.relative_to(ROOT))] = named
    assert found == {}


def test_no_file_is_left_over() -> None:
    left = {".orig", ".rej", ".bak", ".pyc", ".log", ".swp"}
    assert [path.name for path in tracked() if path.suffix in left] == []


@pytest.mark.parametrize(
    "text",
    [
        "index = https://" + "pypi" + ".org/simple",
        "files." + "pythonhosted" + ".org",
        "see /" + "work/main",
        "'/" + "root/x'",
    ],
)
def test_a_forbidden_text_is_found(text: str) -> None:
    assert len(forbidden(text)) == 1


def test_lawful_text_is_not_forbidden() -> None:
    assert forbidden("pip install placeforecast; ../shared/work/x, data/root/y and 1/work/2") == []
