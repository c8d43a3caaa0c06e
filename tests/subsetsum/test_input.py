"""Bad input is refused by name, with a remedy; good input is copied and frozen."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from strong_lth.core import InputError, Status
from strong_lth.subsetsum import SubsetSumProblem, needed_candidates, solve, solve_batch, verify, verify_batch
from strong_lth.subsetsum.solve import solve_by_numpy

X = [0.5, 0.25]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("candidates", {"candidates": [0.5, np.nan]}),
        ("candidates", {"candidates": [0.5, np.inf]}),
        ("candidates", {"candidates": []}),
        ("candidates", {"candidates": [[0.5]]}),
        ("candidates", {"candidates": 0.5}),
        ("candidates", {"candidates": ["half"]}),
        ("candidates", {"candidates": ["0.5"]}),
        ("candidates", {"candidates": [None]}),
        ("candidates", {"candidates": [Fraction(1, 3)]}),
        ("candidates", {"candidates": [2**70 + 1, 1]}),
        ("candidates", {"candidates": np.array([1], np.longdouble) / 3}),
        ("target", {"target": Fraction(1, 3)}),
        ("target", {"target": 2**60 + 1}),
        ("candidates", {"candidates": [1j]}),
        ("candidates", {"candidates": [[1.0], [1.0, 2.0]]}),
        ("target", {"target": np.nan}),
        ("target", {"target": [0.5]}),
        ("tol", {"tol": -1e-9}),
        ("tol", {"tol": np.inf}),
        ("perturbation", {"perturbation": -1.0}),
        ("perturbation", {"perturbation": [0.1, 0.1, 0.1]}),
        ("perturbation", {"perturbation": [0.1, np.nan]}),
        ("size", {"size": 3}),
        ("size", {"size": -1}),
        ("size", {"size": 1.5}),
        ("size", {"size": True}),
        ("size", {"size": "two"}),
    ],
)
def test_problem_refuses(name: str, arguments: dict[str, object]) -> None:
    with pytest.raises(InputError) as error:
        SubsetSumProblem(**{"candidates": X, "target": 0.3, **arguments})
    assert error.value.parameter == name


@pytest.mark.parametrize(
    ("name", "candidates", "targets", "options"),
    [
        ("candidates", [[0.5, np.nan]], [0.3], {}),
        ("candidates", [[0.5, 0.25], [0.5]], [0.3, 0.3], {}),
        ("candidates", [["a", "b"]], [0.3], {}),
        ("candidates", [[2**60 + 1, 3]], [0.3], {}),
        ("size", [X], [0.3], {"size": 3}),
        ("size", [X], [0.3], {"size": -1}),
        ("size", [X], [0.3], {"size": 1.0}),
        ("objective", [X], [0.3], {"size": 1, "objective": "fewest"}),
        ("perturbation", [X], [0.3], {"perturbation": np.nan}),
        ("perturbation", [X], [0.3], {"perturbation": [0.1, 0.1, 0.1]}),
        ("device", [X], [0.3], {"device": "cuda:9"}),
        ("device", [X], [0.3], {"device": "torch", "signed": True}),
        ("device", [X], [0.3], {"device": "torch", "size": 1}),
        ("candidates", np.zeros((2, 0)), [0.3, 0.3], {}),
        ("candidates", 0.5, [0.3], {}),
        ("candidates", np.zeros((1, 1, 1)), [0.3], {}),
        ("candidates", [[1e308, 1e308]], [0.3], {}),
        ("candidates", [[1.0, 1e-320]], [0.3], {}),
        ("targets", [X], [0.3, 0.4], {}),
        ("targets", [X], 0.3, {}),
        ("targets", [X], [np.inf], {}),
        ("tol", [X], [0.3], {"tol": -1.0}),
        ("tol", [X], [0.3], {"tol": [0.1, 0.1]}),
        ("perturbation", [X], [0.3], {"perturbation": [-1.0, 0.0]}),
        ("perturbation", X, [0.3, 0.2], {"perturbation": np.zeros((3, 2))}),
        ("perturbation", [X, X], [0.3, 0.2], {"perturbation": [[0.1], [0.1, 0.2]]}),
        ("target", [[-1.7e308]], [1.7e308], {"size": 1}),
        ("objective", [X], [0.3], {"objective": "best"}),
        ("budget", [X], [0.3], {"budget": 1}),
        ("budget", [X], [0.3], {"budget": "much"}),
        ("workers", [X], [0.3], {"workers": 0}),
        ("workers", [X], [0.3], {"workers": 1.5}),
    ],
)
def test_batch_refuses(name: str, candidates: object, targets: object, options: dict[str, object]) -> None:
    with pytest.raises(InputError) as error:
        solve_batch(candidates, targets, **options)
    assert error.value.parameter == name


def test_solve_refuses_what_no_engine_serves() -> None:
    with pytest.raises(InputError, match="1e-320 beside others"):
        solve(SubsetSumProblem([1.0, 1e-320], 0.3))
    with pytest.raises(InputError, match="budget"):
        solve_by_numpy(SubsetSumProblem(np.ones(40), 0.3, signed=True), "nearest")
    with pytest.raises(InputError, match="100000 candidates; give fewer"):
        solve_by_numpy(SubsetSumProblem(np.ones(100_000), 0.3), "nearest")
    with pytest.raises(InputError, match=r"target: .* overflow"):
        solve(SubsetSumProblem([-1.7e308], 1.7e308, size=1))
    with pytest.raises(InputError, match="fixed size"):
        solve_batch([X], [0.3], size=1, objective="fewest")
    with pytest.raises(InputError, match="size"):
        solve_batch([X], [0.3], size=3)
    with pytest.raises(InputError, match="objective"):
        solve(SubsetSumProblem(X, 0.3), "exact")


def test_a_refused_row_is_named_by_its_number_in_the_batch() -> None:
    """Rows are worked on in chunks; the message counts from the first of the batch."""
    rng = np.random.default_rng(0)
    x, z = rng.uniform(-1, 1, (9000, 5)), rng.uniform(-1, 1, 9000)
    for bad, match in (([1.0, 1e-320], "row 8765, position 1"), ([1e308, 1e308], "row 8765 whose sums overflow")):
        faulty = x.copy()
        faulty[8765, :2] = bad
        with pytest.raises(InputError, match=match):
            solve_batch(faulty, z, workers=2)
    z[8765], x[8765, 0] = 1.7e308, 1e308
    with pytest.raises(InputError, match="row 8765"):
        solve_batch(x, z, workers=2)


def test_one_candidate_vector_with_as_many_targets_as_candidates() -> None:
    assert needed_candidates(X, [0.5, 0.25], tol=0.0).tolist() == [1, 2]


def test_arrays_are_copied_and_frozen() -> None:
    x = np.array(X)
    problem = SubsetSumProblem(x, 0.3)
    x[0] = 9.0
    assert problem.candidates[0] == 0.5
    solution = solve(problem)
    batch = solve_batch([X], [0.3])
    for array in (
        problem.candidates,
        problem.perturbation,
        solution.keep,
        solution.shift,
        batch.keep,
        batch.shift,
        batch.errors,
    ):
        assert not array.flags.writeable
    with pytest.raises(TypeError):
        solution.stats["engine"] = "another"


def test_verify_batch_refuses_other_shapes() -> None:
    batch = solve_batch([X], [0.3])
    with pytest.raises(InputError, match="solution"):
        verify_batch([X, X], [0.3, 0.3], batch)


def test_exact_numbers_of_other_types_are_their_doubles() -> None:
    problem = SubsetSumProblem([Fraction(1, 4), 2**70, 0.5], np.float32(0.1))
    assert problem.candidates.tolist() == [0.25, 2.0**70, 0.5]
    assert problem.target == float(np.float32(0.1))


@pytest.mark.parametrize("options", [{"size": 1500}, {"signed": True}, {"size": 7, "perturbation": 1e-3}])
def test_thousands_of_candidates_with_a_size_or_signs_stay_within_the_budget(options: dict[str, object]) -> None:
    """No list of tables or binomial numbers grows with n; the answer is a proper subset, UNDECIDED where it is not within tol."""
    problem = SubsetSumProblem(np.random.default_rng(0).uniform(-1, 1, 5000), 0.3, 1e-6, **options)
    solution = solve(problem, budget=1 << 18)
    assert verify(problem, solution).ok
    assert solution.status in (Status.SOLVED, Status.UNDECIDED)
