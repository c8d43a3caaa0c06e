(** Floor 8: sanity. The notion of probability is not empty, hypotheses can be satisfied, quoted numbers are right.

    Main theorems
      fraction_sane       if the whole cube is at most a fraction delta, then delta >= 1
      rss_45, rss_49      tolerance 0.01 needs n = 45, exact representation at perturbation 0.01 needs n = 49, at delta = 0.05
      slth_instance       a 2-3-1 ReLU target, 18 blocks of 55 units, eta = 0.01: failure at most 0.05, error at most 0.12 *)
Require Import Reals Lra Lia ZArith List Bool FinFun.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS RSSUniform Gadget Network SLTH.
Import ListNotations.
Open Scope R_scope.

Lemma NoDup_zrange a n : NoDup (int_range a n).
Proof.
  induction n as [|n IH]; [constructor|].
  change (int_range a (S n)) with (int_range a n ++ [(a + Z.of_nat n)%Z]).
  apply NoDup_rev in IH. rewrite <- (rev_involutive (int_range a n ++ _)). apply NoDup_rev.
  rewrite rev_app_distr. simpl. constructor; [|assumption].
  rewrite <- in_rev, in_int_range. lia.
Qed.

Lemma NoDup_cube lo len n : NoDup (cube lo len n).
Proof.
  induction n as [|n IH]; simpl; [constructor; [auto|constructor]|].
  pose proof (NoDup_zrange lo len) as Z0. revert Z0. generalize (int_range lo len) as L.
  induction L as [|x L IHL]; intros HL; simpl; [constructor|].
  inversion HL as [|? ? Hx HL']; subst. specialize (IHL HL').
  assert (D1 : NoDup (map (cons x) (cube lo len n))).
  { apply Injective_map_NoDup; [|assumption]. intros u v H. now injection H. }
  revert D1. generalize (cube lo len n) at 1 2 as C. intros C D1.
  assert (Disj : forall l, In l (map (cons x) C) -> In l (flat_map (fun y => map (cons y) (cube lo len n)) L) -> False).
  { intros l H1 H2. apply in_map_iff in H1. destruct H1 as (l' & <- & _).
    apply in_flat_map in H2. destruct H2 as (y & Hy & H2). apply in_map_iff in H2.
    destruct H2 as (l2 & mean & _). injection mean as -> _. contradiction. }
  induction (map (cons x) C) as [|u U IHU]; simpl; [assumption|].
  inversion D1; subst. constructor.
  - rewrite in_app_iff. intros [H|H]; [contradiction|]. apply (Disj u); [left; reflexivity|assumption].
  - apply IHU; [assumption|]. intros l H. apply Disj. now right.
Qed.

Theorem fraction_sane n delta : fraction_at_most n (fun _ => True) delta -> 1 <= delta.
Proof.
  intros (N & cells & H1 & H2). pose proof (cell_width_pos N) as Hh.
  assert (I : incl (cube (- Z.of_nat N) (2 * N + 1) n) cells).
  { intros ks Hks. apply in_cube in Hks. destruct Hks as [Hl HF].
    destruct (H1 (map (fun c => cell_width N * IZR c) ks)) as (ks' & Hin & Hc).
    - now rewrite map_length.
    - apply Forall_map. eapply Forall_impl; [|exact HF]. intros c Hc. unfold in_support in Hc.
      rewrite Rabs_mult, (Rabs_pos_eq (cell_width N)), <- abs_IZR by lra.
      assert (IZR (Z.abs c) <= INR N) by (rewrite INR_IZR_INZ; apply IZR_le; lia).
      apply Rle_trans with (cell_width N * INR N); [apply Rmult_le_compat_l; lra|].
      unfold cell_width. rewrite INR_len. pose proof (pos_INR N).
      apply Rmult_le_reg_r with (2 * INR N + 1); [lra|].
      replace (2 / (2 * INR N + 1) * INR N * (2 * INR N + 1)) with (2 * INR N) by (field; lra). lra.
    - exact I.
    - enough (ks = ks') by congruence. clear - Hc Hh.
      revert ks' Hc. induction ks as [|c ks IH]; intros ks' Hc; inversion Hc; subst; [reflexivity|].
      f_equal; [|now apply IH]. unfold in_cell in H1.
      rewrite <- Rmult_minus_distr_l, Rabs_mult, (Rabs_pos_eq (cell_width N)), <- minus_IZR, <- abs_IZR in H1 by lra.
      assert (IZR (Z.abs (c - y)) < 1) by nra. apply lt_IZR in H. lia. }
  apply NoDup_incl_length in I; [|apply NoDup_cube]. apply le_INR in I.
  rewrite cube_length, pow_INR in I.
  assert (0 < INR (2 * N + 1) ^ n) by (apply pow_lt, lt_0_INR; lia).
  apply Rmult_le_reg_r with (INR (2 * N + 1) ^ n); [assumption|]. lra.
Qed.

Corollary rss_45 : fraction_at_most 45 (missed 0.01) 0.05.
Proof. eapply fraction_mono; [|apply rss_continuous; lra]. lra. Qed.
Corollary rss_49 : fraction_at_most 49 (missed_exactly 0.01) 0.05.
Proof. eapply fraction_mono; [|apply rss_exact; lra]. lra. Qed.

Definition example_widths (l : nat) : nat := match l with 0 => 2 | 1 => 3 | _ => 1 end%nat.
Definition example_index (l i j : nat) (s : bool) : nat :=
  (2 * (match l with O => 2 * i + j | _ => 6 + 3 * i + j end) + (if s then 1 else 0))%nat.
Lemma example_index_lt l i j s : (l < 2)%nat -> (i < example_widths (S l))%nat -> (j < example_widths l)%nat -> (example_index l i j s < 18)%nat.
Proof. destruct l as [|[|l]]; unfold example_index, example_widths; destruct s; simpl; lia. Qed.

Theorem slth_instance :
  fraction_at_most (18 * 55)
    (some_block_missed 18 55 0.01) 0.05
  /\ forall xs W, ~ some_block_missed 18 55 0.01 xs ->
    (forall l i j, (l < 2)%nat -> (i < example_widths (S l))%nat -> (j < example_widths l)%nat -> Rabs (W l i j) <= / 2) ->
    (forall l i, (l < 2)%nat -> (i < example_widths (S l))%nat -> sum (example_widths l) (fun j => Rabs (W l i j)) <= 1) ->
    forall x, in_box 2 1 x -> forall i, (i < 1)%nat ->
      Rabs (pruned_net example_widths (fun _ => relu) (network_keep example_index 55 0.01 xs W) (units example_index 55 xs) 2 x i
            - target_net example_widths (fun _ => relu) W 2 x i) <= 0.12.
Proof.
  split.
  - eapply fraction_mono; [|apply slth_probability; lra].
    replace (INR 18) with 18 by (rewrite INR_IZR_INZ; reflexivity). lra.
  - intros xs W HN W1 W2 x Hx i Hi.
    pose proof (slth_deterministic example_widths (fun _ => relu) (fun _ => relu_lipschitz) (fun _ => relu_0) 2 example_index 18
       example_index_lt 55 0.01 3 xs W) as T.
    eapply Rle_trans; [apply T with (r := 1); auto; try lra|].
    + intros [|[|l]] Hl; simpl; try lra; lia.
    + simpl; lra.
    + simpl; lra.
Qed.
