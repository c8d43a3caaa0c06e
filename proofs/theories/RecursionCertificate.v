(** Last floor: numbers of candidates from the recursion, by computation.

    Each theorem runs the dynamic programme of Recursion.v in the virtual machine of Coq, on a window cut into 100001 parts and 341 entries, and
    compares one integer with the failure probability. (The independent
    kernel has no virtual machine and would take very long: it checks Recursion.v, not this file.)

    Glossary
      climb num den x top      == x, x num / den, ... below top (rounded down, growing by at least 1)
      failure_36               == bound of the failure probability that Coq computes for 36 candidates, times 10^9
      breakpoints              == entries of a table: geometric from b0 up to the middle, and from the gap c0 up to the middle on the other side

    Main theorem
      rss_36                   tol 0.01: 36 candidates, failure at most 0.05 (closed form: 45) *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS RSSUniform Recursion.
Import ListNotations.
Open Scope R_scope.

Fixpoint climb (fuel : nat) (num den x top : Z) : list Z :=
  match fuel with
  | O => nil
  | S k => if (top <=? x)%Z then nil else x :: climb k num den (Z.max (x + 1) (x * num / den)) top
  end.

Definition breakpoints (G b0 c0 num den : Z) : list Z :=
  tl (climb 2000 num den b0 (G / 2)) ++ [(G / 2)%Z] ++ rev (map (fun y => (G - y)%Z) (climb 2000 num den c0 (G / 2))) ++ [G].

Definition failure_36 : Z := 48178346.

Lemma certificate_36 :
  let bs := (1301 :: breakpoints 100001 1301 349 1026 1000)%Z in
  increasing bs && (head_value (last_table 100001 349 1000000000 bs 36) <=? failure_36)%Z = true.
Proof. vm_cast_no_check (eq_refl true). Qed.

Theorem rss_36 : fraction_at_most 36 (missed 0.01) 0.05.
Proof.
  pose proof certificate_36 as C. cbv zeta in C. apply andb_true_iff in C. destruct C as [C1 C2]. apply Z.leb_le in C2.
  assert (X : forall g h c0 : nat, Z.of_nat g = 50000%Z -> Z.of_nat h = 650%Z -> Z.of_nat c0 = 349%Z -> fraction_at_most 36 (missed 0.01) 0.05).
  { intros g h c0 Hg Hh Hc.
    assert (EG : Z.of_nat (2 * g + 1) = 100001%Z) by lia. assert (Eb : Z.of_nat (2 * h + 1) = 1301%Z) by lia.
    pose proof (rss_recursion g h c0 36 (breakpoints 100001 1301 349 1026 1000) 1000000000 0.01) as T. cbv zeta in T.
    rewrite EG, Eb, Hc in T.
    eapply fraction_mono; [|apply T].
    - apply Rmult_le_reg_r with (IZR 1000000000); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
      apply IZR_le in C2. unfold failure_36 in C2. eapply Rle_trans; [exact C2|]. lra.
    - lia.
    - exact C1.
    - lia.
    - lia.
    - rewrite !INR_IZR_INZ, EG, Eb, Hc. lra.
    - lra. }
  apply (X (Z.to_nat 50000) (Z.to_nat 650) (Z.to_nat 349)); apply Z2Nat.id; lia.
Qed.
