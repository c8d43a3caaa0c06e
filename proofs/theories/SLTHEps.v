(** Floor 7: the strong lottery ticket theorem with perturbations: exact representation.

    The random network of SLTH.v, and every kept outgoing weight may move by at most eps. Then the target network is represented exactly: no error
    propagation, no Lipschitz activation, no condition on row sums or depth.

    Glossary
      serves_exactly eps xs    == every target of [-1/2, 1/2] is within eps |S| of the sum of some subset S of xs
      choose_exact eps z xs    == such a subset, by exhaustive search
      choose_shift eps z xs    == the same shift for every candidate, (z - sum) / |S| (0 if S is empty)
      moved_units              == the hidden units after the shifts
      exact_keep, exact_shift  == mask and shifts for the target W

    Main theorems
      slth_exact_probability   the bad samples have content at most K 6.2 (3/4)^n / eps^2
      slth_exact_deterministic outside them, for every target, masked and shifted network = target network
      slth_exact               both together, for all target networks at once *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSSUniform Blocks Gadget Network SLTH.
Import ListNotations.
Open Scope R_scope.

Definition serves_exactly (eps : R) (xs : list R) : Prop :=
  forall z, Rabs z <= / 2 -> exists m, length m = length xs /\ Rabs (z - subset_sum m xs) <= eps * INR (kept m).

Definition admissible (eps z : R) (xs : list R) (m : list bool) : bool :=
  if Rle_dec (Rabs (z - subset_sum m xs)) (eps * INR (kept m)) then true else false.

Definition choose_exact (eps z : R) (xs : list R) : list bool :=
  match find (admissible eps z xs) (keeps (length xs)) with Some m => m | None => repeat false (length xs) end.
Definition choose_shift (eps z : R) (xs : list R) : list R :=
  repeat ((z - subset_sum (choose_exact eps z xs) xs) / INR (kept (choose_exact eps z xs))) (length xs).

(** A sample that misses no target serves them all: only 2^n subsets have to be tried, so the double negation needs no classical axiom. *)
Lemma serves_unless_missed eps xs : 0 <= eps -> ~ missed_exactly eps xs -> serves_exactly eps xs.
Proof.
  intros He H z Hz. destruct (find (admissible eps z xs) (keeps (length xs))) as [m|] eqn:F.
  - apply find_some in F. destruct F as [F1 F2]. exists m. split; [now apply in_keeps|].
    unfold admissible in F2. destruct Rle_dec; [assumption|discriminate].
  - exfalso. apply H. exists z. split; [assumption|]. intros R. apply reachable_iff in R; [|assumption].
    destruct R as (m & Hm & Hv). pose proof (find_none _ _ F m (proj2 (in_keeps _ m) Hm)) as C. unfold admissible in C.
    destruct Rle_dec as [|C2]; [discriminate|]. apply C2. apply Rabs_le. lra.
Qed.

Lemma choose_exact_length eps z xs : length (choose_exact eps z xs) = length xs.
Proof.
  unfold choose_exact. destruct find eqn:F; [|apply repeat_length].
  apply find_some in F. destruct F as [F _]. now apply in_keeps in F.
Qed.

Lemma choose_exact_ok eps z xs : 0 <= eps -> Rabs z <= / 2 -> serves_exactly eps xs ->
  subset_sum (choose_exact eps z xs) (shifted xs (choose_shift eps z xs)) = z /\ Forall (fun e => Rabs e <= eps) (choose_shift eps z xs).
Proof.
  intros He Hz HG.
  assert (O : admissible eps z xs (choose_exact eps z xs) = true).
  { unfold choose_exact. destruct find eqn:F; [now apply find_some in F|]. exfalso.
    destruct (HG z Hz) as (m & Hm & H2).
    pose proof (find_none _ _ F m (proj2 (in_keeps _ m) Hm)) as C. unfold admissible in C.
    destruct Rle_dec; [discriminate|contradiction]. }
  unfold admissible in O. destruct Rle_dec as [O3|]; [|discriminate].
  pose proof (pos_INR (kept (choose_exact eps z xs))) as P. set (k := INR (kept (choose_exact eps z xs))) in *.
  set (s := subset_sum (choose_exact eps z xs) xs) in *.
  assert (E0 : k = 0 -> z - s = 0).
  { intros E. rewrite E, Rmult_0_r in O3. pose proof (Rle_abs (z - s)). pose proof (Rle_abs (- (z - s))) as A2.
    rewrite Rabs_Ropp in A2. lra. }
  unfold choose_shift. fold s k. split.
  - rewrite subset_sum_shifted_repeat by apply choose_exact_length. fold s k.
    destruct (Req_dec k 0) as [E|NZ]; [pose proof (E0 E); rewrite E; lra|field; lra].
  - apply Forall_forall. intros e Hin. apply repeat_spec in Hin. subst e.
    destruct (Req_dec k 0) as [E|NZ].
    + rewrite (E0 E). unfold Rdiv. rewrite Rmult_0_l, Rabs_R0. assumption.
    + unfold Rdiv. rewrite Rabs_mult, (Rabs_pos_eq (/ k)) by (left; apply Rinv_0_lt_compat; lra).
      apply Rmult_le_reg_r with k; [lra|]. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra. exact O3.
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
    exists b, (b < K)%nat /\ missed_exactly eps (block n b xs).

  Definition exact_keep n eps xs (W : nat -> nat -> nat -> R) l i j :=
    choose_exact eps (W l i j) (block n (idx l i j false) xs) ++ choose_exact eps (- W l i j) (block n (idx l i j true) xs).
  Definition exact_shift n eps xs (W : nat -> nat -> nat -> R) l i j (s : bool) :=
    choose_shift eps (if s then - W l i j else W l i j) (block n (idx l i j s) xs).

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
    { intros l i j s Hl Hi Hj. apply serves_unless_missed; [assumption|]. intros B. apply HN. exists (idx l i j s). split; [now apply idx_lt|assumption]. }
    assert (W' : forall l i j (s : bool), (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat -> Rabs (if s then - W l i j else W l i j) <= / 2).
    { intros l i j [|] Hl Hi Hj; [rewrite Rabs_Ropp|]; now apply HW. }
    split.
    - intros l i j s Hl Hi Hj. unfold exact_shift. apply choose_exact_ok; [assumption|now apply W'|now apply G].
    - intros x l. induction l as [|l IH]; intros Hl i Hi; [reflexivity|]. simpl. f_equal.
      apply sum_ext. intros j Hj. rewrite IH by (lia || assumption).
      set (y := target_net d act W l x j).
      unfold exact_keep, moved_units.
      rewrite gadget_app.
      2:{ rewrite map_length, shifted_length, choose_exact_length; [reflexivity|]. unfold exact_shift, choose_shift. now rewrite repeat_length. }
      rewrite !gadget_const.
      destruct (choose_exact_ok eps (W l i j) (block n (idx l i j false) xs)) as [E1 _]; [assumption|apply (W' l i j false); auto; lia|apply G; auto; lia|].
      destruct (choose_exact_ok eps (- W l i j) (block n (idx l i j true) xs)) as [E2 _]; [assumption|apply (W' l i j true); auto; lia|apply G; auto; lia|].
      unfold exact_shift. simpl. rewrite E1, E2.
      replace (1 * y) with y by lra. replace (-1 * y) with (- y) by lra.
      rewrite (relu_split y) at 3. lra.
  Qed.

  Theorem slth_exact_probability n eps : 0 < eps <= 1 ->
    fraction_at_most (K * n) (some_block_missed_exactly n eps) (INR K * (6.2 * (3 / 4) ^ n / (eps * eps))).
  Proof.
    intros He. destruct (rss_exact n eps He) as (N & H).
    apply (fraction_in_at_most N). apply (fraction_blocks N n K (fun _ => missed_exactly eps)); [|intros; exact H].
    apply Rmult_le_pos; [apply Rmult_le_pos; [lra|apply pow_le; lra]|left; apply Rinv_0_lt_compat; nra].
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
    intros He. apply (fraction_not (K * n) (some_block_missed_exactly n eps)); [|now apply slth_exact_probability].
    intros xs Hl HN W HW.
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

