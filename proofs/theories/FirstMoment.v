(** Floor 5: the first-moment (union) bound, a lower bound on the number of candidates.

    If every atom of the law has mass at most wmax, a fixed target z that the empty set does not serve is hit with probability at most
    wmax 2^n (2 tol + 1 + n k), where k is the perturbation in grid units.

    Main theorem
      first_moment *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS.
Import ListNotations.
Open Scope R_scope.

Section FM.
  Variable lo : Z. Variable len : nat. Variable w : Z -> R.
  Hypothesis w_nonneg : forall x, in_support lo len x -> 0 <= w x.
  Hypothesis w_one : zsum lo len w = 1.
  Variable wmax : R.
  Hypothesis w_max : forall x, in_support lo len x -> w x <= wmax.
  Hypothesis wmax_nonneg : 0 <= wmax.

  Notation EX := (expect lo len w).
  Notation PR := (prob lo len w).

  (** an interval of 2r+1 integers has mass <= (2r+1) wmax *)
  Lemma window_mass z r : mean lo len w (fun x => ind (Z.abs (z - x) <=? Z.of_nat r)%Z) <= INR (2 * r + 1) * wmax.
  Proof.
    unfold mean.
    apply Rle_trans with (wmax * zsum lo len (fun x => ind (Z.abs (z - x) <=? Z.of_nat r)%Z)).
    - rewrite <- zsum_scal. apply zsum_le. intros x Hx. apply Rmult_le_compat_r; [apply ind_bounds|now apply w_max].
    - rewrite Rmult_comm. apply Rmult_le_compat_r; [assumption|].
      set (a := (z - Z.of_nat r)%Z). set (b := Z.min lo a).
      set (M := Z.to_nat (Z.max (lo + Z.of_nat len) (a + Z.of_nat (2 * r + 1)) - b)).
      apply Rle_trans with (zsum b M (fun x => ind (Z.abs (z - x) <=? Z.of_nat r)%Z)).
      + apply zsum_sub; [intros; apply ind_bounds| |]; unfold M, b; lia.
      + rewrite (zsum_shrink_support a (2 * r + 1) b M).
        * apply zsum_ind_le.
        * intros x Hx. destruct (Z.abs (z - x) <=? Z.of_nat r)%Z eqn:E1; [|simpl in Hx; lra].
          apply Z.leb_le in E1. unfold a. lia.
        * unfold b; lia.
        * unfold M, b; lia.
  Qed.

  Lemma keep_mass r m : forall n z, length m = n -> (0 < kept m)%nat ->
    PR n (fun l => (Z.abs (z - int_subset_sum m l) <=? Z.of_nat r)%Z) <= INR (2 * r + 1) * wmax.
  Proof.
    induction m as [|b m IH]; intros n z Hn Hs; [simpl in Hs; lia|].
    destruct n as [|n]; [discriminate|]. injection Hn as Hn. unfold prob. simpl expect.
    destruct (Nat.eq_dec (kept m) 0) as [Z0|NZ].
    - destruct b; [|simpl in Hs; lia].
      eapply Rle_trans; [|apply (window_mass z r)].
      apply (mean_le lo len w w_nonneg). intros x _.
      rewrite (expect_ext lo len w w_nonneg n _ (fun _ => ind (Z.abs (z - x) <=? Z.of_nat r)%Z)).
      + rewrite (expect_const lo len w w_one). lra.
      + intros l _ _. rewrite (int_subset_sum_none m l Z0), Z.add_0_r. reflexivity.
    - rewrite <- (mean_const lo len w w_one (INR (2 * r + 1) * wmax)).
      apply (mean_le lo len w w_nonneg). intros x _.
      specialize (IH n (z - (if b then x else 0))%Z Hn ltac:(lia)). unfold prob in IH.
      eapply Rle_trans; [|exact IH]. apply Req_le. apply (expect_ext lo len w w_nonneg). intros l _ _.
      do 3 f_equal. lia.
  Qed.

  Theorem first_moment n (tol k : nat) z : (Z.of_nat tol < Z.abs z)%Z ->
    PR n (fun l => servedb (Z.of_nat tol) (Z.of_nat k) l z)
      <= wmax * (2 ^ n * (2 * INR tol + 1 + INR n * INR k)).
  Proof.
    intros Hz.
    apply Rle_trans with (PR n (fun l => existsb (fun m => (Z.abs (z - int_subset_sum m l) <=? Z.of_nat (tol + k * kept m))%Z
        && negb (Nat.eqb (kept m) 0)) (keeps n))).
    { apply (prob_mono lo len w w_nonneg). intros l Hl _ H. unfold servedb in H. rewrite Hl in H.
      apply existsb_exists in H. destruct H as (m & Hm & H). apply existsb_exists. exists m; split; [assumption|].
      apply Z.leb_le in H. apply andb_true_iff; split; [apply Z.leb_le; lia|].
      apply negb_true_iff, Nat.eqb_neq. intros Z0. rewrite (int_subset_sum_none m l Z0), Z0 in H. lia. }
    eapply Rle_trans; [apply (prob_union_list lo len w w_nonneg w_one)|].
    apply Rle_trans with (list_sum (fun m => wmax * (2 * INR tol + 1) + (wmax * (2 * INR k)) * INR (kept m)) (keeps n)).
    2:{ rewrite list_sum_plus, list_sum_const, length_keeps, list_sum_scal, list_sum_kept. apply Req_le. field. }
    assert (G : forall L, (forall m, In m L -> length m = n) ->
      list_sum (fun m => PR n (fun l => (Z.abs (z - int_subset_sum m l) <=? Z.of_nat (tol + k * kept m))%Z && negb (Nat.eqb (kept m) 0))) L
      <= list_sum (fun m => wmax * (2 * INR tol + 1) + (wmax * (2 * INR k)) * INR (kept m)) L).
    { induction L as [|m L IHL]; intros HL; simpl; [lra|].
      apply Rplus_le_compat; [|apply IHL; intros; apply HL; now right].
      assert (0 <= INR tol) by apply pos_INR. assert (0 <= INR k) by apply pos_INR. assert (0 <= INR (kept m)) by apply pos_INR.
      destruct (Nat.eq_dec (kept m) 0) as [Z0|NZ].
      - rewrite (expect_ext lo len w w_nonneg n _ (fun _ => 0)) || idtac.
        unfold prob. rewrite (expect_ext lo len w w_nonneg n _ (fun _ => 0)).
        + rewrite (expect_const lo len w w_one).
          assert (0 <= wmax * (2 * INR tol + 1)) by (apply Rmult_le_pos; lra).
          assert (0 <= wmax * (2 * INR k) * INR (kept m)) by (apply Rmult_le_pos; [apply Rmult_le_pos|]; lra). lra.
        + intros l _ _. rewrite Z0. simpl. rewrite andb_false_r. reflexivity.
      - eapply Rle_trans.
        { apply (prob_mono lo len w w_nonneg n _ (fun l => (Z.abs (z - int_subset_sum m l) <=? Z.of_nat (tol + k * kept m))%Z)).
          intros l _ _ H'. apply andb_true_iff in H'. tauto. }
        eapply Rle_trans; [apply (keep_mass (tol + k * kept m) m n z); [apply HL; now left|lia]|].
        rewrite plus_INR, !mult_INR, plus_INR, mult_INR. simpl (INR 2). simpl (INR 1). apply Req_le. ring. }
    apply G. intros m Hm. now apply in_keeps.
  Qed.
End FM.
