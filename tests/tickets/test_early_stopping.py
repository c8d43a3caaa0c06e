"""Early stopping against L2 on a quadratic: the formulas, against gradient descent itself and a linear solve."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strong_lth.tickets.early_stopping import equivalent_steps, gap_bound, shrunk, stopped


def quadratic(eigenvalues, seed=0):
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(len(eigenvalues),) * 2))[0]
    return basis, basis @ np.diag(eigenvalues) @ basis.T, rng.normal(size=len(eigenvalues))


def test_the_formulas_are_what_descent_and_the_penalty_do():
    values = np.array([2.0, 0.5, 0.01])
    basis, hessian, best = quadratic(values)
    w = np.zeros(3)
    for _ in range(37):
        w -= 0.1 * hessian @ (w - best)
    assert np.allclose(basis.T @ w, stopped(values, 0.1, 37) * (basis.T @ best))
    ridge = np.linalg.solve(hessian + 0.3 * np.eye(3), hessian @ best)
    assert np.allclose(basis.T @ ridge, shrunk(values, 0.3) * (basis.T @ best))


@given(st.floats(1e-6, 5), st.floats(1e-3, 0.15), st.floats(1e-3, 5))
def test_at_the_equivalent_step_both_are_equal(eigenvalue, step, alpha):
    steps = equivalent_steps(eigenvalue, step, alpha)
    assert 1 - (1 - step * eigenvalue) ** steps == pytest.approx(float(shrunk([eigenvalue], alpha)[0]), rel=1e-6)


def test_for_small_eigenvalues_it_is_one_over_step_times_alpha_and_for_large_ones_it_is_not():
    step, alpha = 0.01, 0.1
    assert equivalent_steps(1e-5, step, alpha) == pytest.approx(1 / (step * alpha), rel=1e-3)
    assert equivalent_steps(10.0, step, alpha) < 0.1 / (
        step * alpha
    )  # negative control: outside its range the rule fails


def test_no_single_stopping_time_is_the_penalty_when_eigenvalues_differ_much():
    values, step, alpha = np.array([5.0, 1e-3]), 0.01, 0.1
    gaps = [np.abs(stopped(values, step, steps) - shrunk(values, alpha)).max() for steps in range(1, 3000)]
    assert min(gaps) > 1e-3
    near = np.array([1e-3, 2e-3])
    assert np.abs(stopped(near, step, 1000) - shrunk(near, alpha)).max() < 1e-3


@given(st.integers(1, 10_000), st.floats(1e-6, 0.999))
def test_the_gap_is_inside_its_bound_and_never_negative(steps, moved):
    """With step 1 the stopping time 1 / alpha is a whole number for alpha = 1 / steps."""
    eigenvalue, step = moved, 1.0
    alpha = 1 / steps
    gap = float(stopped([eigenvalue], step, steps)[0] - shrunk([eigenvalue], alpha)[0])
    assert -1e-12 <= gap <= float(gap_bound([eigenvalue], step, alpha)[0]) + 1e-12


def test_the_first_constant_of_the_bound_is_the_best():
    ratio, moved = 1e-3, 1e-9
    steps = round(ratio / moved)
    gap = float(stopped([moved], 1.0, steps)[0] - shrunk([moved], 1 / steps)[0])
    assert gap == pytest.approx(ratio**2 / 2, rel=2e-3)


@given(st.floats(1e-4, 0.9), st.floats(1e-4, 0.9), st.floats(1e-3, 1e3))
def test_no_stopping_time_serves_two_eigenvalues(a, b, alpha):
    small, large = sorted((a, b))
    if large > 1.001 * small:
        assert equivalent_steps(small, 1.0, alpha) > equivalent_steps(large, 1.0, alpha)


@pytest.mark.parametrize(("eigenvalue", "step", "alpha"), [(1.0, 1.0, 1.0), (0.5, 1.0, 0.0), (-1.0, 0.5, 1.0)])
def test_a_gap_outside_the_hypotheses_is_refused(eigenvalue, step, alpha):
    with pytest.raises(ValueError, match="alpha, step"):
        gap_bound([eigenvalue], step, alpha)
