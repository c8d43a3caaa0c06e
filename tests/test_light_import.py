"""Importing is light: each claim in a fresh interpreter."""

import importlib.util
import pkgutil
import subprocess
import sys

import pytest

import strong_lth


def loaded_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


def test_the_package_itself_loads_nothing():
    own = {name for name in loaded_after("import strong_lth") if name.startswith("strong_lth")}
    assert own == {"strong_lth"}
    assert "numpy" not in loaded_after("import strong_lth")


def test_the_command_line_loads_no_numpy_before_it_sets_the_threads():
    assert "numpy" not in loaded_after("import strong_lth.cli")


@pytest.mark.parametrize("name", ["solve", "required_candidates", "approximate"])
def test_a_public_name_loads_no_heavy_library(name):
    heavy = {"torch", "matplotlib", "scipy.stats", "cvxpy", "networkx"}
    assert not heavy & loaded_after(f"import strong_lth; strong_lth.{name}")


def test_every_public_name_resolves():
    code = "import strong_lth as s; assert len([getattr(s, n) for n in s.__all__]) > 20; assert set(s.__all__) <= set(dir(s))"
    assert "numpy" in loaded_after(code)


def test_every_module_is_importable():
    names = [module.name for module in pkgutil.walk_packages(strong_lth.__path__, "strong_lth.")]
    assert {"strong_lth.core", "strong_lth.cli", "strong_lth.datasets"} <= set(names)
    if importlib.util.find_spec("triton") is None:
        names.remove("strong_lth.subsetsum.kernels_gpu_triton")
    assert set(names) <= loaded_after("import " + ", ".join(names))


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="no_such_name"):
        strong_lth.no_such_name  # noqa: B018
