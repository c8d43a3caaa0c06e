(** Floor 7: candidates alpha_t x_t with known factors: hidden units whose incoming weights are not +1 or -1.

    The factors satisfy A <= alpha_t <= 1 and may differ from candidate to candidate; x_t is U[-1, 1]. Targets lie in [-A/2, A/2].

    Glossary
      round r                  == the integer in (r - 1/2, r + 1/2]
      scaled alpha t xs        == alpha_t x_0, alpha_{t+1} x_1, ...
      kept_scale alpha t keep  == the sum of the factors of the kept candidates
      missed_scaled alpha T eta xs == some target |z| <= T has no subset sum of the scaled candidates within eta
      missed_scaled_exactly alpha T eps xs == some target |z| <= T is not within eps (sum of the kept factors) of a subset sum; that is, it is
                                  not exactly a subset sum after shifts of the x_t by at most eps

    Main theorems
      scaled_reachable         the equivalence with shifts
      hits_scaled              every target is hit with probability at least 1 / (2 N + 1) for each covered cell
      rss_scaled               missed_scaled alpha (A/2) eta: fraction at most 2.1 A^2 (1 - A/4)^n / eta^2, 0 < eta <= A
      rss_scaled_exact         missed_scaled_exactly alpha (A/2) eps: fraction at most 6.1 (1 - A/4)^n / eps^2, 0 < eps <= 1 *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS RSSUniform Blocks.
Import ListNotations.
Open Scope R_scope.

(** ** Rounding *)
Definition round (r : R) : Z := up (r - / 2).

Lemma round_range r : r - / 2 < IZR (round r) <= r + / 2.
Proof. unfold round. destruct (archimed (r - / 2)). lra. Qed.

Lemma round_unique y r : Rabs (IZR y - r) < / 2 -> round r = y.
Proof.
  intros H. apply Rabs_def2 in H. pose proof (round_range r).
  assert (A : IZR (round r - y) < 1) by (rewrite minus_IZR; lra).
  assert (B : -1 < IZR (round r - y)) by (rewrite minus_IZR; lra).
  apply lt_IZR in A. apply (lt_IZR (-1)) in B. lia.
Qed.

Lemma round_hits N a y : 0 < a <= 1 -> Rabs (IZR y) <= a * (INR N - / 2) ->
  exists x, (- Z.of_nat N <= x <= Z.of_nat N)%Z /\ round (a * IZR x) = y.
Proof.
  intros Ha Hy. destruct (Req_dec a 1) as [->|Hne].
  - exists y. split.
    + rewrite Rmult_1_l in Hy. rewrite <- abs_IZR in Hy.
      assert (IZR (Z.abs y) <= IZR (Z.of_nat N)) by (rewrite <- INR_IZR_INZ; lra). apply le_IZR in H. lia.
    + apply round_unique. rewrite Rmult_1_l. replace (IZR y - IZR y) with 0 by lra. rewrite Rabs_R0. lra.
  - set (x := round (IZR y / a)). pose proof (round_range (IZR y / a)) as B. fold x in B.
    assert (Hd : Rabs (IZR y - a * IZR x) <= a / 2).
    { replace (IZR y - a * IZR x) with (a * (IZR y / a - IZR x)) by (field; lra).
      rewrite Rabs_mult, (Rabs_pos_eq a) by lra. apply Rmult_le_compat_l; [lra|]. apply Rabs_le. lra. }
    exists x. split.
    + assert (Hx : Rabs (a * IZR x) <= a * INR N).
      { replace (a * IZR x) with (IZR y - (IZR y - a * IZR x)) by lra. eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp. lra. }
      rewrite Rabs_mult, (Rabs_pos_eq a) in Hx by lra. apply Rmult_le_reg_l in Hx; [|lra].
      rewrite <- abs_IZR, INR_IZR_INZ in Hx. apply le_IZR in Hx. lia.
    + apply round_unique. assert (a / 2 < / 2) by lra. lra.
Qed.

(** ** Scaled candidates, and what shifts do to them *)
Fixpoint scaled (alpha : nat -> R) (t : nat) (xs : list R) : list R :=
  match xs with nil => nil | x :: l => alpha t * x :: scaled alpha (S t) l end.

Fixpoint kept_scale (alpha : nat -> R) (t : nat) (m : list bool) : R :=
  match m with nil => 0 | b :: m' => (if b then alpha t else 0) + kept_scale alpha (S t) m' end.

Lemma scaled_length alpha xs : forall t, length (scaled alpha t xs) = length xs.
Proof. induction xs; intros t; simpl; [reflexivity|]. now rewrite IHxs. Qed.

Lemma kept_scale_ge A alpha m : (forall t, A <= alpha t) -> forall t, A * INR (kept m) <= kept_scale alpha t m.
Proof.
  intros H. induction m as [|[|] m IH]; intros t; simpl kept_scale.
  - simpl. lra.
  - change (kept (true :: m)) with (S (kept m)). rewrite S_INR. pose proof (H t). pose proof (IH (S t)). lra.
  - change (kept (false :: m)) with (kept m). pose proof (IH (S t)). lra.
Qed.

Lemma subset_sum_scaled_shift alpha y m : forall t xs, length m = length xs ->
  subset_sum m (scaled alpha t (shifted xs (repeat y (length xs)))) = subset_sum m (scaled alpha t xs) + y * kept_scale alpha t m.
Proof.
  induction m as [|b m IH]; intros t [|x xs] H; try discriminate; simpl; [lra|].
  rewrite IH by (simpl in H; lia). destruct b; lra.
Qed.

Definition serves_scaled (alpha : nat -> R) (eps : R) (xs : list R) (z : R) : Prop :=
  exists m, length m = length xs /\ Rabs (z - subset_sum m (scaled alpha 0 xs)) <= eps * kept_scale alpha 0 m.

Lemma subset_sum_scaled_bound alpha eps m : (forall t, 0 <= alpha t) -> forall t xs d, length m = length xs -> length d = length xs ->
  Forall (fun e => Rabs e <= eps) d ->
  Rabs (subset_sum m (scaled alpha t (shifted xs d)) - subset_sum m (scaled alpha t xs)) <= eps * kept_scale alpha t m.
Proof.
  intros Ha. induction m as [|b m IH]; intros t [|x xs] [|e d] Hm Hd HF; try discriminate; simpl.
  - rewrite Rminus_0_r, Rabs_R0; lra.
  - inversion HF as [|? ? He HF']; subst.
    specialize (IH (S t) xs d ltac:(simpl in Hm; lia) ltac:(simpl in Hd; lia) HF'). destruct b.
    + replace (alpha t * (x + e) + subset_sum m (scaled alpha (S t) (shifted xs d)) - (alpha t * x + subset_sum m (scaled alpha (S t) xs)))
        with (alpha t * e + (subset_sum m (scaled alpha (S t) (shifted xs d)) - subset_sum m (scaled alpha (S t) xs))) by ring.
      eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_mult, (Rabs_pos_eq (alpha t)) by apply Ha.
      pose proof (Ha t). assert (alpha t * Rabs e <= alpha t * eps) by (apply Rmult_le_compat_l; lra). lra.
    + replace (0 + subset_sum m (scaled alpha (S t) (shifted xs d)) - (0 + subset_sum m (scaled alpha (S t) xs)))
        with (subset_sum m (scaled alpha (S t) (shifted xs d)) - subset_sum m (scaled alpha (S t) xs)) by ring. lra.
Qed.

(** The same shift for every candidate does it. *)
Lemma equal_shift A alpha eps xs z m : 0 < A -> (forall t, A <= alpha t) -> 0 <= eps -> length m = length xs ->
  Rabs (z - subset_sum m (scaled alpha 0 xs)) <= eps * kept_scale alpha 0 m ->
  let d := repeat ((z - subset_sum m (scaled alpha 0 xs)) / kept_scale alpha 0 m) (length xs) in
  Forall (fun e => Rabs e <= eps) d /\ subset_sum m (scaled alpha 0 (shifted xs d)) = z.
Proof.
  intros HA Ha He Hm Hz d. set (K := kept_scale alpha 0 m) in *. set (s := subset_sum m (scaled alpha 0 xs)) in *.
  assert (HK : 0 <= K).
  { pose proof (kept_scale_ge A alpha m Ha 0) as G. pose proof (pos_INR (kept m)). unfold K. nra. }
  assert (Z : K = 0 -> z - s = 0).
  { intros Z. rewrite Z, Rmult_0_r in Hz. pose proof (Rle_abs (z - s)). pose proof (Rle_abs (- (z - s))) as A2.
    rewrite Rabs_Ropp in A2. lra. }
  split.
  - apply Forall_forall. intros e Hin. apply repeat_spec in Hin. subst e.
    destruct (Req_dec K 0) as [E|NZ].
    + rewrite (Z E). unfold Rdiv. rewrite Rmult_0_l, Rabs_R0. assumption.
    + unfold Rdiv. rewrite Rabs_mult, (Rabs_pos_eq (/ K)) by (left; apply Rinv_0_lt_compat; lra).
      apply Rmult_le_reg_r with K; [lra|]. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra. exact Hz.
  - unfold d. rewrite subset_sum_scaled_shift by assumption. fold K s. destruct (Req_dec K 0) as [E|NZ]; [|field; lra].
    pose proof (Z E). rewrite E. lra.
Qed.

Theorem scaled_reachable A alpha eps xs z : 0 < A -> (forall t, A <= alpha t) -> 0 <= eps ->
  (serves_scaled alpha eps xs z <->
   exists m d, length m = length xs /\ length d = length xs /\ Forall (fun e => Rabs e <= eps) d /\
     z = subset_sum m (scaled alpha 0 (shifted xs d))).
Proof.
  intros HA Ha He. split.
  - intros (m & Hm & Hz). destruct (equal_shift A alpha eps xs z m HA Ha He Hm Hz) as [H1 H2].
    exists m. eexists. split; [exact Hm|]. split; [|split; [exact H1|symmetry; exact H2]]. apply repeat_length.
  - intros (m & d & Hm & Hd & HF & ->). exists m. split; [assumption|].
    apply subset_sum_scaled_bound; try assumption. intros t. pose proof (Ha t). lra.
Qed.

Definition missed_scaled (alpha : nat -> R) (T eta : R) (xs : list R) : Prop :=
  exists z, Rabs z <= T /\ forall m, length m = length xs -> ~ Rabs (z - subset_sum m (scaled alpha 0 xs)) <= eta.

Definition missed_scaled_exactly (alpha : nat -> R) (T eps : R) (xs : list R) : Prop :=
  exists z, Rabs z <= T /\ ~ serves_scaled alpha eps xs z.

(** ** On the grid *)
Section Grid.
  Variable N b : nat.
  Variable A : R.
  Hypothesis A_range : 0 < A <= 1.
  Variable alpha : nat -> R.
  Hypothesis alpha_range : forall t, A <= alpha t <= 1.
  Hypothesis b_small : 2 * INR b <= A * (INR N - / 2).
  Notation lo := (- Z.of_nat N)%Z.
  Notation len := (2 * N + 1)%nat.
  Notation a := (- Z.of_nat b)%Z.
  Notation M := (2 * b + 1)%nat.
  Definition read (t : nat) (x : Z) : Z := round (alpha t * IZR x).

  Lemma b_le_N : (2 * b <= N)%nat.
  Proof. apply INR_le. rewrite mult_INR. change (INR 2) with 2. pose proof (pos_INR N). nra. Qed.

  Lemma pick_one (h : Z -> R) c : 0 <= h c -> zsum a M (fun y => h y * ind (y =? c)%Z) <= h c.
  Proof.
    intros Hc. rewrite (zsum_ext a M _ (fun y => h c * ind (y =? c)%Z)).
    2:{ intros y _. destruct (Z.eqb_spec y c); [subst; reflexivity|simpl; lra]. }
    rewrite zsum_scal. destruct (Z_le_gt_dec a c) as [L|L]; [destruct (Z_lt_ge_dec c (a + Z.of_nat M)) as [U|U]|].
    - rewrite (zsum_single a M c) by lia. lra.
    - rewrite (zsum_all_false a M (fun y => (y =? c)%Z)); [lra|]. intros y Hy. apply Z.eqb_neq. lia.
    - rewrite (zsum_all_false a M (fun y => (y =? c)%Z)); [lra|]. intros y Hy. apply Z.eqb_neq. lia.
  Qed.

  Lemma hits_scaled t g z : inside a M g -> (a <= z < a + Z.of_nat M)%Z ->
    / INR len * count a M g <= mean lo len (uniform N) (fun x => ind (g (z - read t x)%Z)).
  Proof.
    intros S Hz. unfold mean, uniform. rewrite zsum_scal. apply Rmult_le_compat_l; [apply q_nonneg|].
    apply Rle_trans with (zsum lo len (fun x => zsum a M (fun y => ind (g y) * ind (y =? z - read t x)%Z))).
    2:{ apply zsum_le. intros x _. apply (pick_one (fun y => ind (g y))). apply ind_bounds. }
    rewrite zsum_swap. unfold count. apply zsum_le. intros y Hy.
    rewrite zsum_scal. rewrite <- (Rmult_1_r (ind (g y))) at 1. apply Rmult_le_compat_l; [apply ind_bounds|].
    destruct (round_hits N (alpha t) (z - y)) as (x & Hx & Hr).
    - pose proof (alpha_range t). lra.
    - pose proof (alpha_range t). rewrite <- abs_IZR.
      assert (IZR (Z.abs (z - y)) <= 2 * INR b).
      { rewrite INR_IZR_INZ, <- mult_IZR. apply IZR_le. lia. }
      pose proof (pos_INR b). assert (0 <= INR N - / 2) by nra. nra.
    - replace 1 with (ind (y =? z - read t x)%Z).
      + apply (zsum_ge_point lo len (fun x => ind (y =? z - read t x)%Z)); [intros; apply ind_bounds|lia].
      + unfold read. rewrite Hr. replace (z - (z - y))%Z with y by lia. now rewrite Z.eqb_refl.
  Qed.

  Definition kappa_scaled : R := / INR len * INR M.

  Lemma kappa_scaled_range : 0 <= kappa_scaled <= 1.
  Proof.
    unfold kappa_scaled. pose proof b_le_N. assert (INR M <= INR len) by (apply le_INR; lia). pose proof (pos_INR M).
    assert (0 < INR len) by (apply lt_0_INR; lia).
    split; [apply Rmult_le_pos; [left; now apply Rinv_0_lt_compat|assumption]|].
    apply Rmult_le_reg_l with (INR len); [assumption|]. rewrite <- Rmult_assoc, Rinv_r by lra. lra.
  Qed.

  Lemma growth_scaled k t f : inside a M f ->
    count a M f + kappa_scaled * (INR M - count a M f) * count a M (dilate a M k f) / INR M
      <= mean lo len (uniform N) (fun x => count a M (step a M k f (read t x))).
  Proof.
    intros S. apply (growth_of_hits lo len (uniform N) (uniform_mass N) a M (read t) (/ INR len) k f); [lia|].
    intros z Hz. apply hits_scaled; [now apply dilate_inside|assumption].
  Qed.

  Theorem scaled_count k e g n : (e <= b)%nat -> (S g <= M)%nat ->
    INR (length (filter (fun l => missedb a M (Z.of_nat (e + g)) (Z.of_nat k) (reads read 0 l)) (cube lo len n)))
      <= rate kappa_scaled ^ n * potential a M k (start a M e) * ((INR M + INR k) / INR (S g)) * INR len ^ n.
  Proof.
    intros He Hg. apply prob_to_count.
    apply (rss_by_growth lo len (uniform N) (uniform_nonneg N) (uniform_mass N) read a M ltac:(lia) k kappa_scaled kappa_scaled_range (growth_scaled k) e g n Hg).
    rewrite count_start by lia. apply lt_0_INR. lia.
  Qed.

  Theorem scaled_perturbed_count k e g n : (e <= b)%nat -> (S (g + (2 * e + 1)) <= M)%nat ->
    INR (length (filter (fun l => missedb a M (Z.of_nat e) (Z.of_nat (k + (g + (2 * e + 1)))) (reads read 0 l)) (cube lo len n)))
      <= rate kappa_scaled ^ n * potential a M k (start a M e) * ((INR M + INR k) / INR (S g)) * INR len ^ n.
  Proof.
    intros He Hg. apply prob_to_count.
    apply (rss_by_growth_perturbed lo len (uniform N) (uniform_nonneg N) (uniform_mass N) read a M ltac:(lia) k kappa_scaled kappa_scaled_range (growth_scaled k) e g n);
      [lia|lia|exact Hg].
  Qed.

  (** ** From cells to real samples *)
  Lemma scaled_cells xs ks : Forall2 (in_cell N) xs ks -> forall t m,
    Rabs (subset_sum m (scaled alpha t xs) - cell_width N * IZR (int_subset_sum m (reads read t ks))) <= cell_width N * INR (kept m).
  Proof.
    pose proof (cell_width_pos N) as Hh.
    induction 1 as [|x c xs ks Hx HF IH]; intros t [|bb m].
    - simpl. rewrite !Rmult_0_r, Rminus_0_r, Rabs_R0. lra.
    - simpl subset_sum; simpl int_subset_sum. rewrite Rmult_0_r, Rminus_0_r, Rabs_R0. apply Rmult_le_pos; [lra|apply pos_INR].
    - simpl. rewrite !Rmult_0_r, Rminus_0_r, Rabs_R0. lra.
    - specialize (IH (S t) m). simpl scaled; simpl reads; simpl subset_sum; simpl int_subset_sum. rewrite plus_IZR. destruct bb.
      + change (kept (true :: m)) with (S (kept m)). rewrite S_INR.
        pose proof (round_range (alpha t * IZR c)) as B. fold (read t c) in B.
        unfold in_cell in Hx. pose proof (alpha_range t) as Ht.
        assert (One : Rabs (alpha t * x - cell_width N * IZR (read t c)) <= cell_width N).
        { replace (alpha t * x - cell_width N * IZR (read t c))
            with (alpha t * (x - cell_width N * IZR c) + cell_width N * (alpha t * IZR c - IZR (read t c))) by ring.
          eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult, (Rabs_pos_eq (alpha t)), (Rabs_pos_eq (cell_width N)) by lra.
          assert (Rabs (alpha t * IZR c - IZR (read t c)) <= / 2) by (apply Rabs_le; lra).
          pose proof (Rabs_pos (x - cell_width N * IZR c)).
          assert (cell_width N * Rabs (alpha t * IZR c - IZR (read t c)) <= cell_width N * / 2) by (apply Rmult_le_compat_l; lra).
          nra. }
        replace (alpha t * x + subset_sum m (scaled alpha (S t) xs) - cell_width N * (IZR (read t c) + IZR (int_subset_sum m (reads read (S t) ks))))
          with ((alpha t * x - cell_width N * IZR (read t c)) + (subset_sum m (scaled alpha (S t) xs) - cell_width N * IZR (int_subset_sum m (reads read (S t) ks)))) by ring.
        eapply Rle_trans; [apply Rabs_triang|]. lra.
      + simpl kept. simpl (0 + kept m)%nat. replace (0 + subset_sum m (scaled alpha (S t) xs) - cell_width N * (0 + IZR (int_subset_sum m (reads read (S t) ks))))
          with (subset_sum m (scaled alpha (S t) xs) - cell_width N * IZR (int_subset_sum m (reads read (S t) ks))) by ring. exact IH.
  Qed.

  Lemma scaled_error xs ks z c m : Forall2 (in_cell N) xs ks ->
    Rabs (z - subset_sum m (scaled alpha 0 xs)) <=
    Rabs (z - cell_width N * IZR c) + cell_width N * IZR (Z.abs (c - int_subset_sum m (reads read 0 ks))) + cell_width N * INR (kept m).
  Proof.
    intros Hc. pose proof (cell_width_pos N) as Hh. pose proof (scaled_cells xs ks Hc 0 m) as S1.
    set (s := int_subset_sum m (reads read 0 ks)) in *. rewrite abs_IZR, minus_IZR.
    replace (z - subset_sum m (scaled alpha 0 xs)) with ((z - cell_width N * IZR c) + cell_width N * (IZR c - IZR s)
      + - (subset_sum m (scaled alpha 0 xs) - cell_width N * IZR s)) by ring.
    eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp.
    eapply Rle_trans; [apply Rplus_le_compat_r, Rabs_triang|].
    rewrite (Rabs_mult (cell_width N)), (Rabs_pos_eq (cell_width N)) by lra. lra.
  Qed.

  Hypothesis b_large : A * (INR N + / 2) <= 2 * INR b + 5.

  Lemma target_cell_scaled z : (1 <= b)%nat -> (b + 2 <= N)%nat -> Rabs z <= A / 2 ->
    exists c, (a <= c < a + Z.of_nat M)%Z /\ c <> 0%Z /\ Rabs (z - cell_width N * IZR c) <= cell_width N * (5 / 2).
  Proof.
    intros Hb HbN Hz. pose proof (cell_width_pos N) as Hh.
    destruct (cell_exists N z (b + 2) HbN) as (c & Hc & Ic).
    { eapply Rle_trans; [exact Hz|]. rewrite plus_INR. change (INR 2) with 2. unfold cell_width. rewrite INR_len.
      pose proof (pos_INR N). apply Rmult_le_reg_r with (2 * INR N + 1); [lra|].
      replace (2 / (2 * INR N + 1) * (INR b + 2 + / 2) * (2 * INR N + 1)) with (2 * INR b + 5) by (field; lra). lra. }
    set (c' := if (c =? 0)%Z then 1%Z else Z.max (- Z.of_nat b) (Z.min (Z.of_nat b) c)).
    assert (H : (a <= c' < a + Z.of_nat M)%Z /\ c' <> 0%Z /\ (Z.abs (c - c') <= 2)%Z).
    { unfold c'. destruct (Z.eqb_spec c 0); lia. }
    destruct H as (H1 & H2 & H3). exists c'. split; [assumption|]. split; [assumption|].
    replace (z - cell_width N * IZR c') with ((z - cell_width N * IZR c) + cell_width N * IZR (c - c')) by (rewrite minus_IZR; ring).
    eapply Rle_trans; [apply Rabs_triang|]. unfold in_cell in Ic.
    rewrite Rabs_mult, (Rabs_pos_eq (cell_width N)), <- abs_IZR by lra.
    apply IZR_le in H3. simpl in H3. nra.
  Qed.

  Lemma cells_good_scaled e g eta xs ks : (1 <= b)%nat -> (b + 2 <= N)%nat ->
    cell_width N * (INR e + INR g + 5 / 2) + INR (length xs) * cell_width N <= eta ->
    Forall2 (in_cell N) xs ks -> missedb a M (Z.of_nat (e + g)) 0 (reads read 0 ks) = false ->
    ~ missed_scaled alpha (A / 2) eta xs.
  Proof.
    intros Hb HbN Heta Hc Hgood (z & Hz & Hbad). pose proof (cell_width_pos N) as Hh.
    assert (Lk : length ks = length xs) by (clear - Hc; induction Hc; simpl; congruence).
    destruct (target_cell_scaled z Hb HbN Hz) as (c & Hw & _ & Hzc).
    rewrite missedb_false_iff in Hgood. destruct (Hgood c Hw) as (m & Hm & Hd). rewrite reads_length in Hm.
    rewrite Z.mul_0_l, Z.add_0_r in Hd. apply IZR_le in Hd. rewrite <- (INR_IZR_INZ (e + g)), plus_INR in Hd.
    apply (Hbad m); [congruence|]. pose proof (scaled_error xs ks z c m Hc) as B.
    assert (S2 : INR (kept m) <= INR (length xs)) by (apply le_INR; pose proof (kept_le m); lia).
    assert (cell_width N * IZR (Z.abs (c - int_subset_sum m (reads read 0 ks))) <= cell_width N * (INR e + INR g)) by (apply Rmult_le_compat_l; lra).
    assert (cell_width N * INR (kept m) <= cell_width N * INR (length xs)) by (apply Rmult_le_compat_l; lra).
    lra.
  Qed.

  Lemma cells_good_scaled_perturbed k g eps xs ks : (1 <= b)%nat -> (b + 2 <= N)%nat -> 0 <= eps ->
    cell_width N * (INR k + INR g + 5) <= A * eps ->
    Forall2 (in_cell N) xs ks -> missedb a M (Z.of_nat 0) (Z.of_nat (k + (g + (2 * 0 + 1)))) (reads read 0 ks) = false ->
    ~ missed_scaled_exactly alpha (A / 2) eps xs.
  Proof.
    intros Hb HbN He Heps Hc Hgood (z & Hz & Hbad). pose proof (cell_width_pos N) as Hh. pose proof (pos_INR k). pose proof (pos_INR g).
    assert (Lk : length ks = length xs) by (clear - Hc; induction Hc; simpl; congruence).
    destruct (target_cell_scaled z Hb HbN Hz) as (c & Hw & Hc0 & Hzc).
    rewrite missedb_false_iff in Hgood. destruct (Hgood c Hw) as (m & Hm & Hd). rewrite reads_length in Hm. simpl Z.of_nat at 1 in Hd.
    assert (Hsz : (1 <= kept m)%nat).
    { destruct (Nat.eq_dec (kept m) 0) as [Z0|NZ]; [|lia]. exfalso.
      rewrite (int_subset_sum_none m _ Z0), Z0 in Hd. lia. }
    apply Hbad. exists m. split; [congruence|].
    pose proof (scaled_error xs ks z c m Hc) as B.
    rewrite Z.add_0_l, <- Nat2Z.inj_mul in Hd. apply IZR_le in Hd. rewrite <- INR_IZR_INZ, mult_INR, !plus_INR in Hd.
    change (INR (2 * 0 + 1)) with 1 in Hd. simpl (INR (2 * 0)) in Hd. simpl (INR 1) in Hd.
    assert (S2 : 1 <= INR (kept m)) by (change 1 with (INR 1); apply le_INR; assumption).
    pose proof (kept_scale_ge A alpha m (fun t => proj1 (alpha_range t)) 0) as G.
    set (r := INR (kept m)) in *.
    assert (cell_width N * IZR (Z.abs (c - int_subset_sum m (reads read 0 ks))) <= cell_width N * ((INR k + INR g + 1) * r)) by (apply Rmult_le_compat_l; lra).
    assert (cell_width N * (INR k + INR g + 5) * r <= A * eps * r) by (apply Rmult_le_compat_r; lra).
    assert (cell_width N * (5 / 2) <= cell_width N * (5 / 2) * r) by nra.
    assert (eps * (A * r) <= eps * kept_scale alpha 0 m) by (apply Rmult_le_compat_l; lra).
    nra.
  Qed.
End Grid.

(** ** Closed forms *)

(** the half-width b of the window: as large as the grid allows *)
Lemma choose_half_width (N : nat) (A : R) : 0 < A <= 1 -> (1 <= N)%nat ->
  exists b : nat, 2 * INR b <= A * (INR N - / 2) /\ A * (INR N - / 2) <= 2 * INR b + 2.
Proof.
  intros HA HN. assert (1 <= INR N) by (change 1 with (INR 1); now apply le_INR).
  set (r := A * (INR N - / 2) / 2). assert (0 <= r) by (unfold r; apply Rmult_le_pos; [apply Rmult_le_pos; lra|lra]).
  destruct (archimed r) as [U1 U2].
  assert (0 <= up r - 1)%Z.
  { assert (IZR 0 < IZR (up r)) by (simpl; lra). apply lt_IZR in H1. lia. }
  exists (Z.to_nat (up r - 1)). rewrite INR_IZR_INZ, Z2Nat.id by assumption. rewrite minus_IZR. simpl. unfold r in *. lra.
Qed.

Lemma rate_scaled_pow (N b n : nat) (A : R) : 0 < A <= 1 -> (1 <= N)%nat -> 2 * INR b <= A * (INR N - / 2) ->
  A * (INR N - / 2) <= 2 * INR b + 2 -> (2000 * n <= N)%nat ->
  rate (kappa_scaled N b) ^ n <= 1.001 * (1 - A / 4) ^ n.
Proof.
  intros HA HN Hb1 Hb2 Hn. assert (HN1 : 1 <= INR N) by (change 1 with (INR 1); now apply le_INR).
  set (y := INR N) in *. set (t := 4 / (3 * (2 * y + 1))).
  assert (Ht : 0 < t) by (unfold t; apply Rdiv_lt_0_compat; lra).
  assert (Hnt : INR n * t <= / 3000).
  { apply le_INR in Hn. rewrite mult_INR in Hn. replace (INR 2000) with 2000 in Hn by (rewrite INR_IZR_INZ; reflexivity). fold y in Hn.
    unfold t. apply Rmult_le_reg_r with (3 * (2 * y + 1)); [lra|].
    replace (INR n * (4 / (3 * (2 * y + 1))) * (3 * (2 * y + 1))) with (4 * INR n) by (field; lra). lra. }
  assert (R0 : 0 <= rate (kappa_scaled N b) <= (1 - A / 4) * (1 + t)).
  { unfold rate, kappa_scaled. rewrite INR_len, plus_INR, mult_INR. change (INR 2) with 2. change (INR 1) with 1. fold y.
    set (v := INR b) in *. pose proof (pos_INR b) as Pb. fold v in Pb.
    assert (K1 : / (2 * y + 1) * (2 * v + 1) <= 1).
    { apply Rmult_le_reg_l with (2 * y + 1); [lra|]. rewrite <- Rmult_assoc, Rinv_r by lra. nra. }
    assert (K2 : A / 2 - 2 / (2 * y + 1) <= / (2 * y + 1) * (2 * v + 1)).
    { apply Rmult_le_reg_l with (2 * y + 1); [lra|].
      replace ((2 * y + 1) * (A / 2 - 2 / (2 * y + 1))) with (A / 2 * (2 * y + 1) - 2) by (field; lra).
      rewrite <- Rmult_assoc, Rinv_r by lra. nra. }
    split; [lra|].
    assert (T : / (2 * y + 1) = 3 / 4 * t) by (unfold t; field; lra).
    unfold Rdiv in K2 at 2. rewrite T in *. nra. }
  eapply Rle_trans; [apply pow_incr; exact R0|]. rewrite Rpow_mult_distr.
  pose proof (bernoulli_high n t ltac:(lra) ltac:(lra)).
  assert (0 < (1 - A / 4) ^ n) by (apply pow_lt; lra). nra.
Qed.

Definition scaled_bound (A : R) (b k e g n : nat) : R :=
  1.001 * (1 - A / 4) ^ n * (INR (2 * b + 1) / (INR (2 * e + 1) + INR k)) * ((INR (2 * b + 1) + INR k) / INR (S g)).

Lemma scaled_bound_ge (N b k e g n : nat) (A : R) : 0 < A <= 1 -> (1 <= N)%nat -> 2 * INR b <= A * (INR N - / 2) ->
  A * (INR N - / 2) <= 2 * INR b + 2 -> (2000 * n <= N)%nat -> (e <= b)%nat ->
  rate (kappa_scaled N b) ^ n * potential (- Z.of_nat b) (2 * b + 1) k (start (- Z.of_nat b) (2 * b + 1) e)
    * ((INR (2 * b + 1) + INR k) / INR (S g)) <= scaled_bound A b k e g n.
Proof.
  intros HA HN Hb1 Hb2 Hn He. unfold scaled_bound. set (M := (2 * b + 1)%nat). set (a := (- Z.of_nat b)%Z).
  assert (Hc : count a M (start a M e) = INR (2 * e + 1)) by (apply count_start; unfold a, M; lia).
  assert (H1 : 0 < INR (2 * e + 1)) by (apply lt_0_INR; lia).
  assert (Hp : 0 <= potential a M k (start a M e)) by (apply potential_nonneg; rewrite Hc; assumption).
  assert (Hp2 : potential a M k (start a M e) <= INR M / (INR (2 * e + 1) + INR k)).
  { unfold potential. rewrite Hc. pose proof (pos_INR k). apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; lra|lra]. }
  pose proof (pos_INR k). pose proof (pos_INR M). assert (0 < INR (S g)) by (apply lt_0_INR; lia).
  apply Rmult_le_compat_r; [apply Rmult_le_pos; [lra|left; now apply Rinv_0_lt_compat]|].
  apply Rmult_le_compat; [|assumption|now apply rate_scaled_pow|assumption].
  apply pow_le. unfold rate. pose proof (kappa_scaled_range N b A HA Hb1). lra.
Qed.

Theorem rss_scaled (n : nat) (A eta : R) : 0 < A <= 1 -> 0 < eta <= A ->
  exists N, forall alpha, (forall t, A <= alpha t <= 1) ->
    fraction_in N n (missed_scaled alpha (A / 2) eta) (2.1 * (A * A) * (1 - A / 4) ^ n / (eta * eta)).
Proof.
  intros HA He. set (E := (1000 * (n + 7))%nat). set (En := INR E). set (nn := INR n).
  assert (Hn : 0 <= nn) by apply pos_INR.
  assert (HE : En = 1000 * (nn + 7)).
  { unfold En, E. rewrite mult_INR, plus_INR. fold nn. simpl INR at 2.
    replace (INR 1000) with 1000 by (rewrite INR_IZR_INZ; reflexivity). lra. }
  destruct (choose_resolution ((4 * En + 5 + 2 * nn) / (2 * eta))) as (N' & Lo & Hi).
  { left. apply Rdiv_lt_0_compat; lra. }
  set (N := (2 * N')%nat) in *.
  assert (HNlow : (4 * En + 5 + 2 * nn) / 2 <= INR N * eta).
  { apply Rmult_le_reg_r with (/ eta); [apply Rinv_0_lt_compat; lra|].
    rewrite (Rmult_assoc (INR N)), Rinv_r, Rmult_1_r by lra. eapply Rle_trans; [|exact Lo]. apply Req_le. field. lra. }
  assert (HNup : INR N * eta <= (4 * En + 5 + 2 * nn) / 2 + 2 * eta).
  { apply Rmult_le_reg_r with (/ eta); [apply Rinv_0_lt_compat; lra|].
    rewrite (Rmult_assoc (INR N)), Rinv_r, Rmult_1_r by lra. eapply Rle_trans; [exact Hi|]. apply Req_le. field. lra. }
  assert (HNA : 2 * En + 5 / 2 + nn <= INR N * A).
  { apply Rle_trans with (INR N * eta); [lra|]. apply Rmult_le_compat_l; [apply pos_INR|lra]. }
  assert (HNE : 2 * En + 5 / 2 + nn <= INR N).
  { eapply Rle_trans; [exact HNA|]. rewrite <- (Rmult_1_r (INR N)) at 2. apply Rmult_le_compat_l; [apply pos_INR|lra]. }
  assert (HN1 : (1 <= N)%nat) by (apply INR_le; change (INR 1) with 1; lra).
  destruct (choose_half_width N A HA HN1) as (b & Hb1 & Hb2).
  assert (HbE : (E <= b)%nat) by (apply INR_le; fold En; lra).
  assert (Hb3 : (1 <= b)%nat) by (unfold E in HbE; lia).
  assert (HbN : (b + 2 <= N)%nat).
  { apply INR_le. rewrite plus_INR. change (INR 2) with 2. assert (A * (INR N - / 2) <= INR N) by nra. lra. }
  assert (Hn2 : (2000 * n <= N)%nat).
  { apply INR_le. rewrite mult_INR. fold nn. replace (INR 2000) with 2000 by (rewrite INR_IZR_INZ; reflexivity). lra. }
  exists N. intros alpha Ha. set (a := (- Z.of_nat b)%Z). set (M := (2 * b + 1)%nat).
  exists (filter (fun l => missedb a M (Z.of_nat (E + E)) (Z.of_nat 0) (reads (read alpha) 0 l)) (cube (- Z.of_nat N) (2 * N + 1) n)). split.
  - intros xs Hl HF Hbad.
    destruct (cells_exist N xs HF) as (ks & Hin & Hc). rewrite Hl in Hin.
    exists ks; split; [|assumption]. apply filter_In. split; [assumption|].
    apply not_false_iff_true. intros Hgood. revert Hbad.
    apply (cells_good_scaled N b A HA alpha Ha Hb1 ltac:(nra) E E eta xs ks Hb3 HbN); [|assumption|assumption].
    rewrite Hl. fold En nn. unfold cell_width. rewrite INR_len. pose proof (pos_INR N).
    apply Rmult_le_reg_r with (2 * INR N + 1); [lra|].
    replace ((2 / (2 * INR N + 1) * (En + En + 5 / 2) + nn * (2 / (2 * INR N + 1))) * (2 * INR N + 1)) with (4 * En + 5 + 2 * nn) by (field; lra).
    nra.
  - eapply Rle_trans; [apply (scaled_count N b A HA alpha Ha Hb1 0 E E n HbE); lia|].
    apply Rmult_le_compat_r; [apply pow_le, pos_INR|].
    eapply Rle_trans; [apply (scaled_bound_ge N b 0 E E n A HA HN1 Hb1 Hb2 Hn2 HbE)|].
    unfold scaled_bound. rewrite S_INR, !plus_INR, !mult_INR. change (INR 2) with 2. change (INR 1) with 1. change (INR 0) with 0. fold En.
    rewrite !Rplus_0_r. set (P := (1 - A / 4) ^ n). assert (0 < P) by (apply pow_lt; lra).
    set (m := 2 * INR b + 1). set (y := INR N) in *. set (v := 2 * En + nn + 11 / 2).
    assert (Hm : m * eta <= A * v).
    { assert (m <= A * y + 1) by (unfold m; nra). apply Rle_trans with ((A * y + 1) * eta); [apply Rmult_le_compat_r; lra|].
      replace ((A * y + 1) * eta) with (A * (y * eta) + eta) by ring. unfold v. nra. }
    assert (Hm0 : 0 <= m * eta) by (unfold m; pose proof (pos_INR b); nra).
    assert (Hsq : (m * eta) * (m * eta) <= (A * v) * (A * v)) by (apply Rmult_le_compat; assumption).
    assert (Hfin : 1.001 * (v * v) <= 2.1 * ((2 * En + 1) * (En + 1))) by (unfold v; rewrite HE; nra).
    replace (1.001 * P * (m / (2 * En + 1)) * (m / (En + 1)))
      with (P / (eta * eta) * (1.001 * ((m * eta) * (m * eta)) / ((2 * En + 1) * (En + 1)))) by (field; lra).
    replace (2.1 * (A * A) * P / (eta * eta)) with (P / (eta * eta) * (2.1 * (A * A))) by (field; lra).
    apply Rmult_le_compat_l; [left; apply Rdiv_lt_0_compat; nra|].
    apply Rmult_le_reg_r with ((2 * En + 1) * (En + 1)); [nra|].
    unfold Rdiv. rewrite (Rmult_assoc (1.001 * _)), Rinv_l by nra.
    assert (0 < A * A) by nra. assert (A * A * (1.001 * (v * v)) <= A * A * (2.1 * ((2 * En + 1) * (En + 1)))) by (apply Rmult_le_compat_l; lra).
    lra.
Qed.

Theorem rss_scaled_exact (n : nat) (A eps : R) : 0 < A <= 1 -> 0 < eps <= 1 ->
  exists N, forall alpha, (forall t, A <= alpha t <= 1) ->
    fraction_in N n (missed_scaled_exactly alpha (A / 2) eps) (6.1 * (1 - A / 4) ^ n / (eps * eps)).
Proof.
  intros HA He. set (E := (1000 * (n + 1))%nat). set (En := INR E). set (nn := INR n).
  assert (Hn : 0 <= nn) by apply pos_INR.
  assert (HE : En = 1000 * (nn + 1)).
  { unfold En, E. rewrite mult_INR, plus_INR. fold nn. change (INR 1) with 1.
    replace (INR 1000) with 1000 by (rewrite INR_IZR_INZ; reflexivity). lra. }
  set (ae := A * eps). assert (Hae : 0 < ae) by (unfold ae; nra). assert (HaA : ae <= A) by (unfold ae; nra).
  destruct (choose_resolution ((2 * En + 5) / ae)) as (N' & Lo & Hi).
  { left. apply Rdiv_lt_0_compat; lra. }
  set (N := (2 * N')%nat) in *.
  assert (HNlow : 2 * En + 5 <= INR N * ae).
  { apply Rmult_le_reg_r with (/ ae); [apply Rinv_0_lt_compat; lra|].
    rewrite (Rmult_assoc (INR N)), Rinv_r, Rmult_1_r by lra. exact Lo. }
  assert (HNup : INR N * ae <= 2 * En + 5 + 2 * ae).
  { apply Rmult_le_reg_r with (/ ae); [apply Rinv_0_lt_compat; lra|].
    rewrite (Rmult_assoc (INR N)), Rinv_r, Rmult_1_r by lra. eapply Rle_trans; [exact Hi|]. apply Req_le. field. lra. }
  assert (HNA : 2 * En + 5 <= INR N * A).
  { apply Rle_trans with (INR N * ae); [lra|]. apply Rmult_le_compat_l; [apply pos_INR|lra]. }
  assert (HNE : 2 * En + 5 <= INR N).
  { eapply Rle_trans; [exact HNA|]. rewrite <- (Rmult_1_r (INR N)) at 2. apply Rmult_le_compat_l; [apply pos_INR|lra]. }
  assert (HN1 : (1 <= N)%nat) by (apply INR_le; change (INR 1) with 1; lra).
  destruct (choose_half_width N A HA HN1) as (b & Hb1 & Hb2).
  assert (HbE : (S E <= b)%nat) by (apply INR_le; rewrite S_INR; fold En; lra).
  assert (HbN : (b + 2 <= N)%nat).
  { apply INR_le. rewrite plus_INR. change (INR 2) with 2. assert (A * (INR N - / 2) <= INR N) by nra. lra. }
  assert (Hn2 : (2000 * n <= N)%nat).
  { apply INR_le. rewrite mult_INR. fold nn. replace (INR 2000) with 2000 by (rewrite INR_IZR_INZ; reflexivity). lra. }
  exists N. intros alpha Ha. set (a := (- Z.of_nat b)%Z). set (M := (2 * b + 1)%nat).
  exists (filter (fun l => missedb a M (Z.of_nat 0) (Z.of_nat (E + (E + (2 * 0 + 1)))) (reads (read alpha) 0 l)) (cube (- Z.of_nat N) (2 * N + 1) n)). split.
  - intros xs Hl HF Hbad.
    destruct (cells_exist N xs HF) as (ks & Hin & Hc). rewrite Hl in Hin.
    exists ks; split; [|assumption]. apply filter_In. split; [assumption|].
    apply not_false_iff_true. intros Hgood. revert Hbad.
    apply (cells_good_scaled_perturbed N b A HA alpha Ha Hb1 ltac:(nra) E E eps xs ks ltac:(lia) HbN ltac:(lra)); [|assumption|assumption].
    fold En. fold ae. unfold cell_width. rewrite INR_len. pose proof (pos_INR N).
    apply Rmult_le_reg_r with (2 * INR N + 1); [lra|].
    replace (2 / (2 * INR N + 1) * (En + En + 5) * (2 * INR N + 1)) with (2 * (2 * En + 5)) by (field; lra). nra.
  - eapply Rle_trans; [apply (scaled_perturbed_count N b A HA alpha Ha Hb1 E 0 E n); lia|].
    apply Rmult_le_compat_r; [apply pow_le, pos_INR|].
    eapply Rle_trans; [apply (scaled_bound_ge N b E 0 E n A HA HN1 Hb1 Hb2 Hn2); lia|].
    unfold scaled_bound. rewrite S_INR, (plus_INR (2 * b)), (mult_INR 2 b). change (INR (2 * 0 + 1)) with 1. change (INR 2) with 2. change (INR 1) with 1. fold En.
    set (P := (1 - A / 4) ^ n). assert (0 < P) by (apply pow_lt; lra).
    set (m := 2 * INR b + 1). set (y := INR N) in *.
    assert (Hm : m * eps <= 2 * En + 8).
    { assert (m <= A * y + 1) by (unfold m; nra). apply Rle_trans with ((A * y + 1) * eps); [apply Rmult_le_compat_r; lra|].
      replace ((A * y + 1) * eps) with (y * ae + eps) by (unfold ae; ring). lra. }
    assert (Hm0 : 0 <= m * eps) by (unfold m; pose proof (pos_INR b); nra).
    assert (Hmk : (m + En) * eps <= 3 * En + 8) by nra.
    assert (Hmk0 : 0 <= (m + En) * eps) by nra.
    assert (Hsq : (m * eps) * ((m + En) * eps) <= (2 * En + 8) * (3 * En + 8)) by (apply Rmult_le_compat; assumption).
    assert (Hfin : 1.001 * ((2 * En + 8) * (3 * En + 8)) <= 6.1 * ((1 + En) * (En + 1))) by (rewrite HE; nra).
    replace (1.001 * P * (m / (1 + En)) * ((m + En) / (En + 1)))
      with (P / (eps * eps) * (1.001 * ((m * eps) * ((m + En) * eps)) / ((1 + En) * (En + 1)))) by (field; lra).
    replace (6.1 * P / (eps * eps)) with (P / (eps * eps) * 6.1) by (field; lra).
    apply Rmult_le_compat_l; [left; apply Rdiv_lt_0_compat; nra|].
    apply Rmult_le_reg_r with ((1 + En) * (En + 1)); [nra|].
    unfold Rdiv. rewrite (Rmult_assoc (1.001 * _)), Rinv_l by nra. lra.
Qed.
