"""Who may import whom, read from the source with ``ast``: used by test_floors.py and by its drill.

A module of the package imports only from lower floors. Modules of one package (``bounds/``, ``networks/`` ...) import each other freely but
acyclically (an import for a type alone, under TYPE_CHECKING, closes no circle). ``__init__`` files are exempt: they give public names lazily.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = "strong_lth"

FLOORS = {
    "core": 0,
    "distributions": 1,
    "stats": 1,
    "streams": 1,
    "jit": 1,
    "projection": 1,
    "datasets": 1,
    "image_folders": 2,
    "experiment": 2,
    "bounds": 2,
    "subsetsum": 2,
    "networks": 3,
    "validate": 3,
    "tickets": 4,
    "report": 5,
    "report_bounds": 5,
    "measured": 5,
    "plotting": 5,
    "theorems": 5,
    "demo": 6,
    "commands": 7,
    "cli": 8,
}

# Pairs on one floor that may import, with the reason.
SAME_FLOOR = {("distributions", "streams"): "a law of a source network is a function of raw random words"}

# Where a third-party module may be imported: patterns of paths inside the package.
FENCES = {
    "torch": ("networks/torch_bridge.py", "demo.py", "tickets/*", "*kernels_gpu*.py"),
    "triton": ("*kernels_gpu*.py",),
    "numba": ("jit.py", "subsetsum/*", "*kernels*.py"),
    "matplotlib": ("plotting.py",),
    "duckdb": ("experiment/table.py",),
    "networkx": ("networks/graph.py",),
    "cvxpy": ("subsetsum/solvers/*milp*.py", "bounds/allotment*.py", "networks/sdp*.py"),
    "tyro": ("cli.py", "commands/*"),
    "PIL": ("image_folders.py",),
    "wandb": ("tickets/trackers.py",),
    "mlflow": ("tickets/trackers.py",),
}

# What a ticket method may import from the package: nothing that leads to test data or to the harness that scores it.
METHODS = "tickets/methods/"
METHOD_IMPORTS = (
    "core",
    "networks.mask",
    "tickets.boxes",
    "tickets.continued",
    "tickets.density",
    "tickets.hooks",
    "tickets.methods",
    "tickets.pushing",
    "tickets.randomness",
    "tickets.recipe",
    "tickets.scores",
    "tickets.untrained",
    "tickets.method",
    "tickets.types",
    "tickets.task_view",
)

# Packages whose module has another name.
MODULES = {"pillow": "PIL"}

# Slow to load: imported inside functions only.
INSIDE_FUNCTIONS = ("scipy.stats",)

# Folders of the checkout that use the library; the library never imports them.
OUTSIDE = ("tests", "simulations", "benchmarks", "proofs")


@dataclass(frozen=True)
class Import:
    """One imported module, as a dotted name; ``lazy`` inside a function, ``typing`` under TYPE_CHECKING."""

    module: str
    line: int
    lazy: bool
    typing: bool


def violations(root: Path) -> list[str]:
    """Every broken rule below ``root``, a checkout: 'path:line: what is wrong'."""
    package = root / PACKAGE
    declared = _declared_modules(root / "pyproject.toml")
    found: list[str] = []
    edges: dict[str, set[str]] = {}
    for path in sorted(package.rglob("*.py")):
        if path.name == "__init__.py":
            continue
        name = _dotted(path, package)
        inside = path.relative_to(package).as_posix()
        tree = ast.parse(path.read_text(), str(path))
        for item in _imports(tree, name, package):
            for message in _check(item, name, inside, declared, package):
                found.append(f"{PACKAGE}/{inside}:{item.line}: {message}")
            if item.module.startswith(f"{PACKAGE}.") and not item.typing:
                edges.setdefault(name, set()).add(item.module)
        found += [f"{PACKAGE}/{inside}:{line}: {message}" for line, message in _forbidden_calls(tree, inside)]
    return found + list(_circles(edges))


def _circles(edges: dict[str, set[str]]) -> Iterator[str]:
    """One circle of every package that has one; between packages the floors forbid them."""
    for top in sorted({name.split(".")[1] for name in edges}):
        inside = {name: targets for name, targets in edges.items() if name.split(".")[1] == top}
        try:
            TopologicalSorter(inside).prepare()
        except CycleError as error:
            yield f"modules import each other in a circle: {' <- '.join(error.args[1])}"


def _check(item: Import, name: str, inside: str, declared: set[str], package: Path) -> Iterator[str]:
    top = item.module.split(".")[0]
    if top == PACKAGE:
        yield from _check_floor(item, name, package)
    elif top in OUTSIDE:
        yield f"the library imports {top}/"
    elif top not in sys.stdlib_module_names and top not in declared:
        yield f"{top} is not a dependency in pyproject.toml"
    if inside.startswith(METHODS) and top == PACKAGE:
        allowed = [f"{PACKAGE}.{module}" for module in METHOD_IMPORTS]
        if not any(item.module == module or item.module.startswith(f"{module}.") for module in allowed):
            yield f"a ticket method imports {item.module}; it may see {', '.join(METHOD_IMPORTS)} only"
    if item.typing:
        return
    for fenced, places in FENCES.items():
        if top == fenced and not any(fnmatch(inside, place) for place in places):
            yield f"{fenced} may be imported only in {', '.join(places)}"
    if not item.lazy and any(item.module == slow or item.module.startswith(f"{slow}.") for slow in INSIDE_FUNCTIONS):
        yield f"{item.module} is slow to load; import it inside the function that needs it"


def _check_floor(item: Import, name: str, package: Path) -> Iterator[str]:
    here = name.split(".")[1]
    if item.module == PACKAGE:
        if here not in ("cli", "commands"):
            yield f"imports {PACKAGE} itself; import the module that defines the name"
        return
    there = item.module.split(".")[1]
    unlisted = [part for part in (here, there) if part not in FLOORS]
    if unlisted:
        yield f"{unlisted[0]} stands on no floor; list it in tests/floors.py"
    elif here == there:
        if item.module == f"{PACKAGE}.{here}" and (package / here).is_dir():
            yield f"imports its own package {here}; import the module that defines the name"
    elif FLOORS[there] > FLOORS[here]:
        yield f"{here} (floor {FLOORS[here]}) imports {there} (floor {FLOORS[there]})"
    elif FLOORS[there] == FLOORS[here] and (here, there) not in SAME_FLOOR:
        yield f"{here} and {there} are on one floor ({FLOORS[here]}) and never import each other"


def _imports(tree: ast.Module, name: str, package: Path) -> Iterator[Import]:
    """Every import statement, and every ``import_module`` or ``__import__`` call."""
    lazy = _lines_within(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    typing = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for statement in node.body
        for line in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
    }
    for node in ast.walk(tree):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join(name.split(".")[: -node.level] + ([base] if base else []))
            modules = [_target(base, alias.name, package) for alias in node.names]
        elif isinstance(node, ast.Call) and _dotted_name(node.func).split(".")[-1] in ("import_module", "__import__"):
            argument = node.args[0] if node.args else None
            literal = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            modules = [str(argument.value) if isinstance(argument, ast.Constant) and literal else "a computed name"]
        for module in modules:
            yield Import(module, node.lineno, node.lineno in lazy, node.lineno in typing)


def _target(base: str, name: str, package: Path) -> str:
    """The module that ``from base import name`` reads: a module of our package if ``name`` is one, else ``base``."""
    if base == "scipy":
        return f"scipy.{name}"
    if base.split(".")[0] == PACKAGE:
        folder = package.joinpath(*base.split(".")[1:])
        if (folder / f"{name}.py").exists() or (folder / name).is_dir():
            return f"{base}.{name}"
    return base


def _forbidden_calls(tree: ast.Module, inside: str) -> Iterator[tuple[int, str]]:
    """``print`` and every way to end the process, outside the command line."""
    if inside == "cli.py" or inside.startswith("commands/"):
        return
    for node in ast.walk(tree):
        called = _dotted_name(node.func) if isinstance(node, ast.Call) else ""
        if called in ("print", "sys.exit", "exit", "quit", "os._exit"):
            yield node.lineno, f"calls {called}; only the command line prints and exits"
        if isinstance(node, ast.Raise) and node.exc is not None and ast.unparse(node.exc).startswith("SystemExit"):
            yield node.lineno, "raises SystemExit; only the command line prints and exits"


def _dotted_name(node: ast.expr) -> str:
    """``a.b.c`` of a name or an attribute; of another expression only its attributes."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _lines_within(tree: ast.Module, kinds: type) -> set[int]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    return {line for node in nodes for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


def _dotted(path: Path, package: Path) -> str:
    return ".".join((PACKAGE, *path.relative_to(package).with_suffix("").parts))


def _declared_modules(pyproject: Path) -> set[str]:
    """Third-party modules that the package may import: its dependencies and extras."""
    project = tomllib.loads(pyproject.read_text())["project"]
    extras = project.get("optional-dependencies", {})
    lines = [*project["dependencies"], *(line for name, group in extras.items() if name != "dev" for line in group)]
    names = {re.split(r"[^A-Za-z0-9_-]", line)[0].replace("-", "_") for line in lines}
    return names | {MODULES[name] for name in names if name in MODULES}
