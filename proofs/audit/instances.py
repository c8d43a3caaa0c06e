"""Each headline theorem applied to one case, with the premises that its page gives and no others; and events that are as large as their names say.

``exact`` ties Statements.v to the theorems behind it, and ``premises`` counts their premises. This is the third tie: a premise added on both sides, or an event
that no longer contains the samples it should, makes Coq refuse one of these goals.
"""

from __future__ import annotations

from pathlib import Path

from coq import _last, compile_text

GOALS = r"""Require Import Reals Lra Lia ZArith List.
From StrongLTH Require Import Statements.
From StrongLTH Require StatementsComputed.
Import ListNotations.
Open Scope R_scope.

Lemma at_most n event a b : fraction_at_most n event a -> a <= b -> fraction_at_most n event b.
Proof.
  intros (N & cells & H & C) L. exists N, cells. split; [exact H|]. eapply Rle_trans; [exact C|].
  apply Rmult_le_compat_r; [apply pow_le, pos_INR|exact L].
Qed.
Ltac value := unfold failure_tol, failure_exact, failure_wide_tol, failure_wide_exact, failure_scaled_tol, failure_scaled_exact; lra.

Goal fraction_at_most 45 (missed (1 / 100)) (5 / 100).
Proof. eapply at_most; [apply all_targets_within_tol; lra|value]. Qed.
Goal fraction_at_most 49 (missed_exactly (1 / 100)) (5 / 100).
Proof. eapply at_most; [apply all_targets_exactly; lra|value]. Qed.
Goal fraction_at_most 49 (missed_with_both (1 / 100) (1 / 100)) (5 / 100).
Proof. eapply at_most; [apply all_targets_with_both; lra|eapply Rle_trans; [apply Rmin_r|value]]. Qed.
Goal fraction_at_most 49 (missed_with_both (1 / 100) (1 / 100)) (1 / 100).
Proof.
  eapply at_most; [apply all_targets_with_gain; lra|]. change (1 + 49 / 26)%nat with 2%nat.
  rewrite Rmin_right by (simpl; lra). unfold failure_gain_tol. simpl INR. lra.
Qed.
Goal fraction_at_most 45 (missed_exactly (1 / 100)) (5 / 100).
Proof.
  eapply at_most; [apply all_targets_exactly_with_gain; lra|]. unfold failure_gain_exact, failure_gain_tol. change (1 + 45 / 26)%nat with 2%nat.
  rewrite Rmin_right by (simpl; lra). simpl INR. lra.
Qed.
Goal fraction_at_most 50 (missed_wide (1 / 100)) (5 / 100).
Proof. eapply at_most; [apply wide_targets_within_tol; lra|value]. Qed.
Goal fraction_at_most 54 (missed_wide_exactly (1 / 100)) (5 / 100).
Proof. eapply at_most; [apply wide_targets_exactly; lra|value]. Qed.
Goal fraction_at_most 36 (missed (1 / 100)) (5 / 100).
Proof. replace (1 / 100) with 0.01 by lra. replace (5 / 100) with 0.05 by lra. exact StatementsComputed.thirty_six_candidates. Qed.
Goal fraction_at_most 32 (missed (1 / 100)) (5 / 100).
Proof. replace (1 / 100) with 0.01 by lra. replace (5 / 100) with 0.05 by lra. exact StatementsComputed.thirty_two_candidates. Qed.
Goal fraction_at_most 37 (missed (1 / 100)) (1 / 100).
Proof. replace (1 / 100) with 0.01 by lra. exact StatementsComputed.thirty_seven_candidates. Qed.

Goal exists N, forall factor, (forall t, 1 / 2 <= factor t <= 1) -> fraction_in N 87 (missed_scaled factor (1 / 2 / 2) (1 / 100)) (failure_scaled_tol (1 / 2) 87 (1 / 100)).
Proof. apply known_factors_within_tol; lra. Qed.
Goal exists N, forall factor, (forall t, 1 / 2 <= factor t <= 1) -> fraction_in N 105 (missed_scaled_exactly factor (1 / 2 / 2) (1 / 100)) (failure_scaled_exact (1 / 2) 105 (1 / 100)).
Proof. apply known_factors_exactly; lra. Qed.

(* networks of one weight: two blocks; with a bias, three blocks, of which the bias uses the first *)
Definition one (l : nat) : nat := 1.
Definition block_for (l i j : nat) (s : bool) : nat := if s then 2 else (1 - j).
Lemma three_blocks (l i j : nat) s : (block_for l i j s < 3)%nat.
Proof. unfold block_for. destruct s; lia. Qed.
Lemma relu_lipschitz (l : nat) x y : Rabs (relu x - relu y) <= Rabs (x - y).
Proof. unfold relu, Rmax. repeat destruct Rle_dec; unfold Rabs; repeat destruct Rcase_abs; lra. Qed.
Lemma relu_zero (l : nat) : relu 0 = 0.
Proof. unfold relu, Rmax. destruct Rle_dec; lra. Qed.
Definition layers (l : nat) := relu.

Check every_network_exactly one layers 1 block_for 3 (fun l i j s _ _ _ => three_blocks l i j s) 60 (1 / 100) ltac:(lra)
  : fraction_at_most (3 * 60) _ (INR 3 * failure_exact 60 (1 / 100)).
Check every_network_within_tol one layers 1 block_for 3 (fun l i j s _ _ _ => three_blocks l i j s) relu_lipschitz relu_zero
    60 (1 / 100) 1 ltac:(lra) ltac:(lra) ltac:(intros; simpl; lra) ltac:(simpl; lra)
  : fraction_at_most (3 * 60) _ (INR 3 * failure_tol 60 (1 / 100)).
Check wide_targets one layers 1 (fun _ _ _ => true) block_for 3 (fun l i j s _ _ _ => three_blocks l i j s) 60 (1 / 100) ltac:(lra)
  : fraction_at_most (3 * 60) _ (INR 3 * failure_wide_exact 60 (1 / 100)).
Check any_first_layer one layers 1 (fun _ _ _ => true) block_for 3 (fun l i j s _ _ _ => three_blocks l i j s)
    60 (1 / 2) (1 / 100) (fun _ _ => 3 / 4) ltac:(lra) ltac:(lra) ltac:(intros; lra)
  : fraction_at_most (3 * 60) _ (INR 3 * failure_scaled_exact (1 / 2) 60 (1 / 100)).

(* the events are not too small *)
Goal missed (49 / 100) [].
Proof. exists (1 / 2). split; [rewrite Rabs_right; lra|]. intros [|b keep] E; [|discriminate]. simpl. rewrite Rabs_right; lra. Qed.
Goal missed (1 / 100) [1 / 2; 1].
Proof.
  exists (- (1 / 2)). split; [rewrite Rabs_left; lra|]. intros [|a [|b [|c keep]]] E; try discriminate. simpl.
  destruct a, b; apply Rlt_not_le; rewrite Rabs_left; lra.
Qed.
Goal missed_exactly (1 / 100) [1; 1].
Proof.
  exists (- (1 / 2)). split; [rewrite Rabs_left; lra|]. intros (keep & shift & E & F & H & V).
  destruct keep as [|a [|b [|c keep]]]; try discriminate. destruct shift as [|x [|y [|z shift]]]; try discriminate.
  inversion H as [|? ? Hx H2]; subst. inversion H2 as [|? ? Hy H3]; subst. clear - V Hx Hy.
  simpl in V. revert Hx Hy V. unfold Rabs. destruct (Rcase_abs x), (Rcase_abs y), a, b; intros; lra.
Qed.
Goal missed_wide (99 / 100) [].
Proof. exists (-1). split; [rewrite Rabs_left; lra|]. intros [|b keep] E; [|discriminate]. simpl. rewrite Rabs_left; lra. Qed.
Goal relu (-2) = 0 /\ relu 3 = 3 /\ gadget [true; false] [(-1, 5); (1, 7)] (-2) = 10.
Proof. unfold relu, gadget. repeat split; unfold relu, Rmax; repeat destruct Rle_dec; lra. Qed.
"""


def faults(proofs: Path) -> list[str]:
    """One line if Coq refuses an instance."""
    done = compile_text(GOALS, [(proofs / "theories", "StrongLTH")])
    return [] if done.returncode == 0 else [f"instances of the headline theorems: {_last(done.stderr)}"]
