(** Floor 7: the strong lottery ticket theorem with perturbations: exact representation.

    The random network of SLTH.v, and every kept outgoing weight may move by at most eps. Then the target network is represented exactly: no error
    propagation, no Lipschitz activation, no condition on row sums or depth.

    Glossary
      serves_exactly eps xs    == every target of [-1/2, 1/2] is within eps |S| of the sum of some non-empty subset S of xs
      choose_exact eps z xs    == such a subset, by exhaustive search
      choose_shift eps z xs    == the same shift for every candidate, (z - sum) / |S|
      moved_units              == the hidden units after the shifts
      exact_keep, exact_shift  == mask and shifts for the target W

    Main theorems
      slth_exact_probability   the bad samples have content at most K 6.2 (3/4)^n / eps^2
      slth_exact_deterministic outside them, for every target, masked and shifted network = target network
      slth_exact               both together, for all target networks at once *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS RSSUniform Gadget Network SLTH.
Import ListNotations.
Open Scope R_scope.

Definition serves_exactly (eps : R) (xs : list R) : Prop :=
  forall z, Rabs z <= / 2 -> exists m, length m = length xs /\ (1 <= kept m)%nat /\
    Rabs (z - subset_sum m xs) <= eps * INR (kept m).

Definition admissible (eps z : R) (xs : list R) (m : list bool) : bool :=
  (1 <=? kept m)%nat && (if Rle_dec (Rabs (z - subset_sum m xs)) (eps * INR (kept m)) then true else false).

Definition choose_exact (eps z : R) (xs : list R) : list bool :=
  match find (admissible eps z xs) (keeps (length xs)) with Some m => m | None => repeat false (length xs) end.
Definition choose_shift (eps z : R) (xs : list R) : list R :=
  repeat ((z - subset_sum (choose_exact eps z xs) xs) / INR (kept (choose_exact eps z xs))) (length xs).

(** Only 2^n subsets have to be tried, so the double negation can be removed without a classical axiom. *)
Lemma serves_exactly_stable eps xs : ~ ~ serves_exactly eps xs -> serves_exactly eps xs.
Proof.
  intros H z Hz. destruct (find (admissible eps z xs) (keeps (length xs))) as [m|] eqn:F.
  - apply find_some in F. destruct F as [F1 F2]. exists m. split; [now apply in_keeps|].
    unfold admissible in F2. apply andb_true_iff in F2. destruct F2 as [F2 F3].
    split; [now apply Nat.leb_le|]. destruct Rle_dec; [assumption|discriminate].
  - exfalso. apply H. intros G. destruct (G z Hz) as (m & Hm & H1 & H2).
    pose proof (find_none _ _ F m (proj2 (in_keeps _ m) Hm)) as C. unfold admissible in C.
    rewrite (proj2 (Nat.leb_le 1 (kept m)) H1) in C. destruct Rle_dec; [discriminate|contradiction].
Qed.

Lemma choose_exact_length eps z xs : length (choose_exact eps z xs) = length xs.
Proof.
  unfold choose_exact. destruct find eqn:F; [|apply repeat_length].
  apply find_some in F. destruct F as [F _]. now apply in_keeps in F.
Qed.

Lemma choose_exact_ok eps z xs : Rabs z <= / 2 -> serves_exactly eps xs ->
  subset_sum (choose_exact eps z xs) (shifted xs (choose_shift eps z xs)) = z /\ Forall (fun e => Rabs e <= eps) (choose_shift eps z xs).
Proof.
  intros Hz HG.
  assert (O : admissible eps z xs (choose_exact eps z xs) = true).
  { unfold choose_exact. destruct find eqn:F; [now apply find_some in F|]. exfalso.
    destruct (HG z Hz) as (m & Hm & H1 & H2).
    pose proof (find_none _ _ F m (proj2 (in_keeps _ m) Hm)) as C. unfold admissible in C.
    rewrite (proj2 (Nat.leb_le 1 (kept m)) H1) in C. destruct Rle_dec; [discriminate|contradiction]. }
  unfold admissible in O. apply andb_true_iff in O. destruct O as [O1 O2]. apply Nat.leb_le in O1.
  destruct Rle_dec as [O3|]; [|discriminate].
  assert (P : 0 < INR (kept (choose_exact eps z xs))) by (apply lt_0_INR; lia).
  unfold choose_shift. split.
  - rewrite subset_sum_shifted_repeat by apply choose_exact_length. field. lra.
  - apply Forall_forall. intros e He. apply repeat_spec in He. subst e.
    unfold Rdiv. rewrite Rabs_mult, (Rabs_pos_eq (/ _)) by (left; now apply Rinv_0_lt_compat).
    apply Rmult_le_reg_r with (INR (kept (choose_exact eps z xs))); [assumption|].
    rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra. exact O3.
Qed.

Section Theorems.
  Variable d : nat -> nat.
  Variable act : nat -> R -> R.
  Variable L : nat.
  Variable idx : nat -> nat -> nat -> bool -> nat.
  Variable K : nat.
  Hypothesis idx_lt : forall l i j s, (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat -> (idx l i j s < K)%nat.

  Definition moved_units (n : nat) (xs : list R) (p : nat -> nat -> nat -> bool -> list R) (l i j : nat) : list (R * R) :=
    map (fun v => (1, v)) (shifted (block n (idx l i j false) xs) (p l i j false)) ++
    map (fun v => (-1, v)) (shifted (block n (idx l i j true) xs) (p l i j true)).

  Definition some_block_missed_exactly (n : nat) (eps : R) (xs : list R) : Prop :=
    exists b, (b < K)%nat /\ ~ serves_exactly eps (block n b xs).

  Definition exact_keep n eps xs (W : nat -> nat -> nat -> R) l i j :=
    choose_exact eps (W l i j) (block n (idx l i j false) xs) ++ choose_exact eps (- W l i j) (block n (idx l i j true) xs).
  Definition exact_shift n eps xs (W : nat -> nat -> nat -> R) l i j (s : bool) :=
    choose_shift eps (if s then - W l i j else W l i j) (block n (idx l i j s) xs).

  Lemma shifted_length : forall l e, length e = length l -> length (shifted l e) = length l.
  Proof. induction l as [|x l IH]; intros [|y e] H; try discriminate; simpl; [reflexivity|]. f_equal. apply IH. simpl in H; lia. Qed.

  Theorem slth_exact_deterministic n eps xs W : 0 <= eps ->
    ~ some_block_missed_exactly n eps xs ->
    (forall l i j, (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat -> Rabs (W l i j) <= / 2) ->
    (forall l i j s, (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat ->
        Forall (fun e => Rabs e <= eps) (exact_shift n eps xs W l i j s)) /\
    (forall x l, (l <= L)%nat -> forall i, (i < d l)%nat ->
        pruned_net d act (exact_keep n eps xs W) (moved_units n xs (exact_shift n eps xs W)) l x i = target_net d act W l x i).
  Proof.
    intros He HN HW.
    assert (G : forall l i j s, (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat -> serves_exactly eps (block n (idx l i j s) xs)).
    { intros l i j s Hl Hi Hj. apply serves_exactly_stable. intros B. apply HN. exists (idx l i j s). split; [now apply idx_lt|assumption]. }
    assert (W' : forall l i j (s : bool), (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat -> Rabs (if s then - W l i j else W l i j) <= / 2).
    { intros l i j [|] Hl Hi Hj; [rewrite Rabs_Ropp|]; now apply HW. }
    split.
    - intros l i j s Hl Hi Hj. unfold exact_shift. apply choose_exact_ok; [now apply W'|now apply G].
    - intros x l. induction l as [|l IH]; intros Hl i Hi; [reflexivity|]. simpl. f_equal.
      apply sum_ext. intros j Hj. rewrite IH by (lia || assumption).
      set (y := target_net d act W l x j).
      unfold exact_keep, moved_units.
      rewrite gadget_app.
      2:{ rewrite map_length, shifted_length, choose_exact_length; [reflexivity|]. unfold exact_shift, choose_shift. now rewrite repeat_length. }
      rewrite !gadget_const.
      destruct (choose_exact_ok eps (W l i j) (block n (idx l i j false) xs)) as [E1 _]; [apply (W' l i j false); auto; lia|apply G; auto; lia|].
      destruct (choose_exact_ok eps (- W l i j) (block n (idx l i j true) xs)) as [E2 _]; [apply (W' l i j true); auto; lia|apply G; auto; lia|].
      unfold exact_shift. simpl. rewrite E1, E2.
      replace (1 * y) with y by lra. replace (-1 * y) with (- y) by lra.
      rewrite (relu_split y) at 3. lra.
  Qed.

  Theorem slth_exact_probability n eps : 0 < eps <= 1 ->
    fraction_at_most (K * n) (some_block_missed_exactly n eps) (INR K * (6.2 * (3 / 4) ^ n / (eps * eps))).
  Proof.
    intros He. destruct (grid_parameters_perturbed n eps He) as (N' & mean & H0 & H1 & H2 & H3).
    set (N := (2 * N')%nat) in *.
    set (Q := missedb (- Z.of_nat N') (S N) (Z.of_nat 0) (Z.of_nat (mean + (mean + (2 * 0 + 1))))).
    exists N, (filter (fun l => existsb (fun b => Q (block n b l)) (seq 0 K)) (cube (- Z.of_nat N) (2 * N + 1) (K * n))).
    split.
    - intros xs Hl HF (b & Hb & Hbad).
      destruct (cells_exist N xs HF) as (ks & Hin & Hc). rewrite Hl in Hin.
      exists ks; split; [|assumption]. apply filter_In. split; [assumption|].
      apply existsb_exists. exists b. split; [apply in_seq; lia|].
      apply not_false_iff_true. intros Hgood. apply Hbad. intros z Hz.
      exact (cells_good_perturbed N' mean mean eps (block n b xs) (block n b ks) H0 H2 (Forall2_block _ n b _ _ Hc) Hgood z Hz).
    - apply prob_to_count. eapply Rle_trans.
      { apply (prob_any_block _ _ (uniform N) (uniform_nonneg N) (uniform_mass N) K n Q). }
      apply Rmult_le_compat_l; [apply pos_INR|]. eapply Rle_trans; [|exact H3].
      apply (rss_perturbed_prob N (- Z.of_nat N') mean 0 mean n); unfold N in *; lia.
  Qed.

  Theorem slth_exact n eps : 0 < eps <= 1 ->
    fraction_at_most (K * n)
      (fun xs => ~ forall W,
         (forall l i j, (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat -> Rabs (W l i j) <= / 2) ->
         exists (m : nat -> nat -> nat -> list bool) (p : nat -> nat -> nat -> bool -> list R),
           (forall l i j s, (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat ->
              length (p l i j s) = n /\ Forall (fun e => Rabs e <= eps) (p l i j s)) /\
           (forall l i j, length (m l i j) = length (moved_units n xs p l i j)) /\
           forall x i, (i < d L)%nat -> pruned_net d act m (moved_units n xs p) L x i = target_net d act W L x i)
      (INR K * (6.2 * (3 / 4) ^ n / (eps * eps))).
  Proof.
    intros He. destruct (slth_exact_probability n eps He) as (N & cells & C1 & C2).
    exists N, cells. split; [|exact C2]. intros xs Hl HF Hnot.
    destruct (cover_dec N xs cells) as [Y|Nn]; [exact Y|].
    exfalso. apply Hnot. intros W HW.
    assert (HN : ~ some_block_missed_exactly n eps xs) by (intros HB; apply Nn; now apply C1).
    destruct (slth_exact_deterministic n eps xs W ltac:(lra) HN HW) as [D1 D2].
    exists (exact_keep n eps xs W), (exact_shift n eps xs W). split; [|split].
    - intros l i j s Hl' Hi Hj. split; [|now apply D1].
      unfold exact_shift, choose_shift. rewrite repeat_length. apply (block_length n _ K); [assumption|]. now apply idx_lt.
    - intros l i j. unfold exact_keep, moved_units.
      rewrite !app_length, !map_length, !shifted_length, !choose_exact_length; [reflexivity| |];
      unfold exact_shift, choose_shift; now rewrite repeat_length.
    - intros x i Hi. apply D2; [lia|assumption].
  Qed.
End Theorems.

