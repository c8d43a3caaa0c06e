(** Last floor: numbers of candidates from the growth programme, by computation.

    Each theorem runs the programme of Growth.v in the virtual machine of Coq, on a window of 2001 parts with about 90 vertices, and compares one integer
    with the failure probability. (The independent kernel has no virtual machine: it checks Growth.v, not this file.)

    Glossary
      climb G x top            == x, x + x (G - x) / (8 G), ... below top: steps proportional to the distances to both ends
      vertices G b0 c0         == vertices after b0: up to the middle, and mirrored from G - c0 down to the middle, then G

    Main theorems
      rss_32                   tol 0.01: 32 candidates, failure at most 0.05 (closed form: 45)
      rss_37_at_1_percent      tol 0.01: 37 candidates, failure at most 0.01 (closed form: 51) *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS RSSUniform Recursion Growth.
Import ListNotations.
Open Scope R_scope.

Fixpoint climb (fuel : nat) (G x top : Z) : list Z :=
  match fuel with
  | O => nil
  | S k => if (top <=? x)%Z then nil else x :: climb k G (x + Z.max 1 (x * (G - x) / (8 * G))) top
  end.

Definition vertices (G b0 c0 : Z) : list Z :=
  tl (climb 1000 G b0 (G / 2)) ++ [(G / 2)%Z] ++ rev (map (fun y => (G - y)%Z) (climb 1000 G c0 (G / 2))) ++ [G].

(** The vertices are in order, one lies among the last c0 parts, and n candidates fail with probability at most limit / scale. *)
Definition accepted (G c0 scale limit : Z) (bs : list Z) (n : nat) : bool :=
  increasing bs && forallb (fun b => (b <=? G)%Z) bs && existsb (fun b => (G - c0 <=? b)%Z && (b <? G)%Z) bs
    && (head_value (last_values G scale bs n) <=? limit)%Z.

Lemma rss_of_certificate (g h c0 n : nat) (G b0 c scale limit : Z) (rest : list Z) (eta delta : R) :
  Z.of_nat (2 * g + 1) = G -> Z.of_nat (2 * h + 1) = b0 -> Z.of_nat c0 = c -> (b0 <= G)%Z -> (c < G)%Z -> (0 < scale)%Z ->
  IZR b0 + 2 * IZR c < 2 * eta * IZR G -> 0 < eta <= 1 -> IZR limit <= delta * IZR scale -> accepted G c scale limit (b0 :: rest) n = true ->
  fraction_at_most n (missed eta) delta.
Proof.
  intros EG Eb Ec HbG HcG Hs Hroom He Hd A. unfold accepted in A.
  apply andb_true_iff in A. destruct A as [A A4]. apply andb_true_iff in A. destruct A as [A A3]. apply andb_true_iff in A. destruct A as [A1 A2].
  apply Z.leb_le, IZR_le in A4.
  pose proof (rss_growth g h c0 n rest scale eta) as T. cbv zeta in T. rewrite EG, Eb, Ec in T.
  eapply fraction_mono; [|apply T; [exact Hs|exact A1|exact A2|exact A3|lia|lia| |exact He]].
  - apply IZR_lt in Hs. apply Rmult_le_reg_r with (IZR scale); [exact Hs|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
    eapply Rle_trans; [exact A4|exact Hd].
  - rewrite !INR_IZR_INZ, EG, Eb, Ec. exact Hroom.
Qed.

Lemma parts_of_2001 (n : nat) (limit : Z) (rest : list Z) (delta : R) : IZR limit <= delta * 10000000 ->
  accepted 2001 6 10000000 limit (27 :: rest)%Z n = true -> fraction_at_most n (missed 0.01) delta.
Proof.
  intros Hd A. apply (rss_of_certificate (Z.to_nat 1000) (Z.to_nat 13) (Z.to_nat 6) n 2001 27 6 10000000 limit rest 0.01 delta);
    [lia|lia|lia|lia|lia|lia|lra|lra|exact Hd|exact A].
Qed.

Lemma certificate_32 : accepted 2001 6 10000000 500000 (27 :: vertices 2001 27 6)%Z 32 = true.
Proof. vm_cast_no_check (eq_refl true). Qed.

Lemma certificate_37 : accepted 2001 6 10000000 100000 (27 :: vertices 2001 27 6)%Z 37 = true.
Proof. vm_cast_no_check (eq_refl true). Qed.

Theorem rss_32 : fraction_at_most 32 (missed 0.01) 0.05.
Proof. apply (parts_of_2001 32 500000 (vertices 2001 27 6)); [lra|exact certificate_32]. Qed.

Theorem rss_37_at_1_percent : fraction_at_most 37 (missed 0.01) 0.01.
Proof. apply (parts_of_2001 37 100000 (vertices 2001 27 6)); [lra|exact certificate_37]. Qed.
