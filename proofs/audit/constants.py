"""Do Python's numbers mean what the theorems say? Coq re-proves it for some two hundred instances, in five families, and for the volume bound.

For each instance, with n the least number that Python asks for at delta and f = Python's failure(n) as an exact fraction, Coq proves with the expressions of
Statements.v: f lies within a relative 1e-9 of them on both sides, the expression at n is at most delta, and at n - 1 it is above delta.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from coq import _last, compile_text

TOLS = (0.5, 0.3, 0.1, 0.05, 0.03, 0.01, 0.003, 0.001, 1e-4)
PERTURBATIONS = (0.9, 0.1, 0.02, 0.01, 0.001, 1e-5)
DELTAS = (0.5, 0.05, 0.01, 1e-3, 1e-8)
DENSITIES = (0.5, 0.25, 0.1875, 0.0625)  # few digits: Coq raises 1 - p/2 to the power n
LEAST_FACTORS = (1.0, 0.75, 0.5)
NAMES = {
    "rss-contraction-checked": ("failure_tol", "failure_exact"),
    "rss-wide": ("failure_wide_tol", "failure_wide_exact"),
    "rss-density": ("failure_density_tol", "failure_density_exact"),
    "rss-scaled": ("failure_scaled_tol", "failure_scaled_exact"),
    "rss-levels": ("failure_gain_tol", "failure_gain_exact"),
}


VOLUME = "volume"


@dataclass(frozen=True)
class Instance:
    """One question to Python: ``parameter`` is p of a density or the least factor, for the families that have one."""

    family: str
    tol: float
    perturbation: float
    delta: float
    parameter: float | None = None


HEAD = """Require Import Reals Lra QArith Qreals Bool.
From StrongLTH Require Import Statements.
Open Scope R_scope.

Fixpoint power (x : Q) (n : nat) : Q := match n with O => 1%Q | S k => (x * power x k)%Q end.
Definition value (c rate : Q) (n : nat) (a : Q) : Q := (c * power rate n / (a * a))%Q.
Definition nonzero (a : Q) : bool := negb (Qeq_bool a 0).

Lemma power_R x n : Q2R (power x n) = Q2R x ^ n.
Proof. induction n; simpl; [unfold Q2R; simpl; lra|]. now rewrite Q2R_mult, IHn. Qed.

Lemma value_R c rate n a : nonzero a = true -> Q2R (value c rate n a) = Q2R c * Q2R rate ^ n / (Q2R a * Q2R a).
Proof.
  intros H. unfold value. rewrite Q2R_div, !Q2R_mult, power_R; [reflexivity|].
  intros E. apply Qmult_integral in E. apply negb_true_iff in H. assert (a == 0)%Q by (destruct E; assumption).
  apply Qeq_bool_iff in H0. congruence.
Qed.

Ltac rationals := intros; rewrite value_R by assumption; rewrite ?Q2R_minus, ?Q2R_mult; unfold Q2R; simpl; do 2 f_equal; try f_equal; lra.
Lemma tol_R n a : nonzero a = true -> Q2R (value (201 # 100) (3 # 4) n a) = failure_tol n (Q2R a).
Proof. unfold failure_tol. rationals. Qed.
Lemma exact_R n a : nonzero a = true -> Q2R (value (62 # 10) (3 # 4) n a) = failure_exact n (Q2R a).
Proof. unfold failure_exact. rationals. Qed.
Lemma wide_tol_R n a : nonzero a = true -> Q2R (value (81 # 10) (3 # 4) n a) = failure_wide_tol n (Q2R a).
Proof. unfold failure_wide_tol. rationals. Qed.
Lemma wide_exact_R n a : nonzero a = true -> Q2R (value (21 # 1) (3 # 4) n a) = failure_wide_exact n (Q2R a).
Proof. unfold failure_wide_exact. rationals. Qed.
Lemma density_tol_R p n a : nonzero a = true -> Q2R (value (201 # 100) (1 - p * (1 # 2)) n a) = failure_density_tol (Q2R p) n (Q2R a).
Proof. unfold failure_density_tol. rationals. Qed.
Lemma density_exact_R p n a : nonzero a = true -> Q2R (value (62 # 10) (1 - p * (1 # 2)) n a) = failure_density_exact (Q2R p) n (Q2R a).
Proof. unfold failure_density_exact. rationals. Qed.
Lemma scaled_tol_R l n a : nonzero a = true -> Q2R (value ((21 # 10) * (l * l)) (1 - l * (1 # 4)) n a) = failure_scaled_tol (Q2R l) n (Q2R a).
Proof. unfold failure_scaled_tol. rationals. Qed.
Lemma scaled_exact_R l n a : nonzero a = true -> Q2R (value (61 # 10) (1 - l * (1 # 4)) n a) = failure_scaled_exact (Q2R l) n (Q2R a).
Proof. unfold failure_scaled_exact. rationals. Qed.
Lemma gain_tol_R n a : nonzero a = true -> Q2R (value (804 # 100) (3 # 4) n a) = failure_gain_tol n (Q2R a).
Proof. unfold failure_gain_tol. rationals. Qed.

Definition allowed (a : Q) (n : nat) : Q :=
  let t := (a * (Z.of_nat (1 + n / 26) # 1))%Q in if Qle_bool 1 t then 1%Q else t.
Lemma allowed_R a n : Q2R (allowed a n) = Rmin 1 (Q2R a * INR (1 + n / 26)).
Proof.
  unfold allowed. set (k := (1 + n / 26)%nat). set (t := (a * (Z.of_nat k # 1))%Q).
  assert (E : Q2R t = Q2R a * INR k).
  { unfold t. rewrite Q2R_mult. f_equal. unfold Q2R. cbn [Qnum Qden]. rewrite <- INR_IZR_INZ, Rinv_1. apply Rmult_1_r. }
  rewrite <- E. assert (one : Q2R 1 = 1) by (unfold Q2R; simpl; lra). destruct (Qle_bool 1 t) eqn:H; symmetry.
  - rewrite one. apply Rmin_left. apply Qle_bool_iff, Qle_Rle in H. lra.
  - apply Rmin_right. rewrite <- one. apply Qle_Rle, Qlt_le_weak, Qnot_le_lt. intros C. apply Qle_bool_iff in C. congruence.
Qed.
Lemma gain_exact_R n a : nonzero (allowed a n) = true -> Q2R (value (804 # 100) (3 # 4) n (allowed a n)) = failure_gain_exact n (Q2R a).
Proof. intros H. unfold failure_gain_exact. rewrite <- allowed_R. now apply gain_tol_R. Qed.

Lemma least_R a b qa qb : Q2R qa = a -> Q2R qb = b -> Q2R (if Qle_bool qa qb then qa else qb) = Rmin a b.
Proof.
  intros <- <-. destruct (Qle_bool qa qb) eqn:H; symmetry.
  - apply Rmin_left, Qle_Rle. now apply Qle_bool_iff.
  - apply Rmin_right, Qle_Rle, Qlt_le_weak, Qnot_le_lt. intros C. apply Qle_bool_iff in C. congruence.
Qed.

Lemma settled now before qn qb f d : Q2R qn = now -> Q2R qb = before ->
  Qle_bool ((999999999 # 1000000000) * qn) f && Qle_bool f ((1000000001 # 1000000000) * qn) && Qle_bool qn d && negb (Qle_bool qb d) = true ->
  999999999 / 1000000000 * now <= Q2R f /\\ Q2R f <= 1000000001 / 1000000000 * now /\\ now <= Q2R d /\\ Q2R d < before.
Proof.
  intros <- <- H. apply andb_true_iff in H. destruct H as [H H4]. apply andb_true_iff in H. destruct H as [H H3].
  apply andb_true_iff in H. destruct H as [H1 H2]. apply Qle_bool_iff, Qle_Rle in H1, H2, H3. rewrite Q2R_mult in H1, H2.
  replace (Q2R (999999999 # 1000000000)) with (999999999 / 1000000000) in H1 by (unfold Q2R; simpl; lra).
  replace (Q2R (1000000001 # 1000000000)) with (1000000001 / 1000000000) in H2 by (unfold Q2R; simpl; lra).
  repeat split; try assumption. apply Qlt_Rlt, Qnot_le_lt. intros C. apply Qle_bool_iff in C. rewrite C in H4. discriminate.
Qed.
"""


def faults(proofs: Path, scale: Mapping[str, float] | None = None) -> list[str]:
    """One line if Coq refuses an instance; ``scale`` multiplies Python's value in the families that it names, and asks them alone (for drills)."""
    text = HEAD + "".join(goals(proofs.parent, scale)) + "".join(volume_goals(proofs.parent, scale))
    done = compile_text(text, [(proofs / "theories", "StrongLTH")])
    return [] if done.returncode == 0 else [f"constants of Python against Coq: {_last(done.stderr)}"]


def goals(root: Path, scale: Mapping[str, float] | None = None) -> Iterator[str]:
    """The goals as Coq source."""
    ask = python_functions(root)
    for instance in instances():
        if scale is not None and instance.family not in scale:
            continue
        n = least_number(instance, ask[instance.family])
        value = ask[instance.family](instance, n) * (scale or {}).get(instance.family, 1.0)
        f, d = _rational(value), _rational(instance.delta)
        now, before = (expressions(instance, m) for m in (n, n - 1))
        yield (
            f"Goal 999999999 / 1000000000 * {now[0]} <= Q2R {f} /\\ Q2R {f} <= 1000000001 / 1000000000 * {now[0]} "
            f"/\\ {now[0]} <= Q2R {d} /\\ Q2R {d} < {before[0]}.\n"
            f"Proof. eapply settled; [{now[1]}|{before[1]}|vm_compute; reflexivity]. Qed.\n"
        )


def volume_goals(root: Path, scale: Mapping[str, float] | None = None) -> Iterator[str]:
    """With n the least number that Python's volume bound allows: n - 1 candidates cannot serve [-1/2, 1/2], and for n the theorem's inequality holds.

    The tolerances lie so near to powers of 2 that a constant off by a thousandth changes n. A ``scale`` multiplies Python's volume.
    """
    if scale is not None and VOLUME not in scale:
        return
    sys.path.insert(0, str(root))
    from strong_lth.bounds import get

    factor = (scale or {}).get(VOLUME, 1.0)
    for tol, moved in volume_instances():
        n = next(n for n in itertools.count(1) if get(VOLUME).failure(n, factor * tol, factor * moved) == 0)
        t, m = (f"({x.numerator} / {x.denominator})" for x in (Fraction(tol), Fraction(moved)))
        served = f"exists v, represented {m} candidates v /\\ Rabs (target - v) <= {t}"
        yield (
            f"Goal forall candidates, length candidates = {n - 1}%nat -> ~ forall target, - / 2 <= target <= / 2 -> {served}.\n"
            "Proof. intros candidates E H. apply volume in H; [|lra|lra]. rewrite E in H. rewrite INR_IZR_INZ in H. simpl Z.of_nat in H. lra. Qed.\n"
            f"Goal / 2 - - / 2 <= 2 ^ {n} * (2 * {t} + {m} * INR {n}).\nProof. rewrite INR_IZR_INZ. simpl Z.of_nat. lra. Qed.\n"
        )


def volume_instances() -> Iterator[tuple[float, float]]:
    """(tol, perturbation) just above and just below the values where the number of candidates changes."""
    for k, near in itertools.product((2, 4, 7, 12), (1 + 1e-4, 1 - 1e-4)):
        yield 2.0 ** -(k + 1) * near, 0.0
        yield 0.0, 2.0**-k / k * near
    yield 0.01, 0.0
    yield 0.0, 0.01


def python_functions(root: Path) -> dict[str, Callable[[Instance, int], float]]:
    """How the package answers an instance, by family."""
    sys.path.insert(0, str(root))
    from strong_lth.bounds import get, rss_density, rss_scaled
    from strong_lth.core import Window

    checked, wide, levels = get("rss-contraction-checked"), get("rss-wide"), get("rss-levels")
    return {
        "rss-contraction-checked": lambda i, n: float(checked.failure(n, i.tol, i.perturbation)),
        "rss-wide": lambda i, n: float(wide.failure(n, i.tol, i.perturbation, targets=Window(-1, 1))),
        "rss-density": lambda i, n: rss_density.for_density(i.parameter, n, i.tol, i.perturbation),
        "rss-levels": lambda i, n: float(levels.failure(n, i.tol, i.perturbation)),
        "rss-scaled": lambda i, n: rss_scaled.for_factors(i.parameter, n, i.tol, i.perturbation),
    }


def least_number(instance: Instance, ask: Callable[[Instance, int], float]) -> int:
    """The least n with failure at most delta."""
    low, high = 0, 1
    while ask(instance, high) > instance.delta:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if ask(instance, middle) <= instance.delta else (middle, high)
    return high


def instances() -> Iterator[Instance]:
    """For the first family each allowance alone, then both; for the others fewer of each, for every parameter."""
    first, *others = NAMES
    yield from (Instance(first, tol, 0.0, delta) for tol, delta in itertools.product(TOLS, DELTAS))
    yield from (Instance(first, 0.0, moved, delta) for moved, delta in itertools.product(PERTURBATIONS, DELTAS))
    both = itertools.product(TOLS[2::2], PERTURBATIONS[1::2], DELTAS[1:4])
    yield from (Instance(first, *allowances) for allowances in both)
    parameters = {"rss-wide": (None,), "rss-levels": (None,), "rss-density": DENSITIES, "rss-scaled": LEAST_FACTORS}
    for family, delta in itertools.product(others, DELTAS[1::2]):
        for parameter, allowance in itertools.product(parameters[family], (0.3, 0.01, 0.001)):
            yield Instance(family, allowance, 0.0, delta, parameter)
            yield Instance(family, 0.0, allowance, delta, parameter)


def expressions(instance: Instance, n: int) -> tuple[str, str]:
    """The theorem's expression for the allowances that are there, in the words of Statements.v, and a tactic that makes it a rational number."""
    parameter = "" if instance.parameter is None else f"(Q2R {_rational(instance.parameter)}) "
    terms, tactics = [], []
    for name, value in zip(NAMES[instance.family], (instance.tol, instance.perturbation), strict=True):
        if value > 0:
            terms.append(f"({name} {parameter}{n} (Q2R {_rational(value)}))")
            tactics.append(f"apply {name.removeprefix('failure_')}_R; reflexivity")
    if len(terms) == 1:
        return terms[0], tactics[0]
    return f"(Rmin {terms[0]} {terms[1]})", f"apply least_R; [{tactics[0]}|{tactics[1]}]"


def _rational(x: float) -> str:
    fraction = Fraction(x)
    return f"({fraction.numerator} # {fraction.denominator})"
