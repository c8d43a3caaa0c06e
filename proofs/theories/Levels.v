(** Floor 6: what the perturbation is worth. Every kept candidate may move, so a target that is served by many members has a larger allowance.

    The covered set carries levels: f z = 0 if z is not served, and f z = S j if some subset with at least j members hits z. The weight of a level
    grows with the number of members and shrinks slowly with time (LevelsKernel.v); the potential M / total - 1 contracts by 3/4 per candidate, as without
    levels, and after n candidates almost every target is served by more than n / 26 members.

    Glossary
      odds t j                 == (13/12)^t / 8^j
      weight t p               == 0 at level 0, 1 / (1 + odds t j) at level S j
      climb f x                == the levels after the candidate x
      climbs f l               == the levels after the candidates l
      total t f                == the sum of the weights over the window
      levels_potential t f     == M / total - 1
      missed_at_level L t xs   == some target |z| <= 1/2 has no subset with at least L members whose sum is within t

    Main theorems
      climbs_sound             what has a level is served by so many members
      levels_contract          E levels_potential(next) <= (3/4) levels_potential, uniform law on {-N..N}, a window of N + 1 cells
      rss_levels               fraction_at_most n (missed_at_level (1 + n / 26) t) (8.04 (3/4)^n / t^2), 0 < t <= 1
      rss_gain                 fraction_at_most n (missed_with_both tol eps) (8.04 (3/4)^n / t^2), t = min(1, tol + eps (1 + n / 26))
      rss_gain_45, rss_gain_75 exact representation: 45 candidates at perturbation 0.01 and 75 at 1e-4, failure at most 0.05 *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS RSSUniform LevelsKernel.
Import ListNotations.
Open Scope R_scope.

(** ** Weights of levels *)
Definition odds (t j : nat) : R := (13 / 12) ^ t / 8 ^ j.

Lemma odds_pos t j : 0 < odds t j.
Proof. unfold odds. apply Rdiv_lt_0_compat; apply pow_lt; lra. Qed.

Definition level_value (h : R -> R) (t p : nat) : R := match p with O => 0 | S j => h (odds t j) end.
Definition weight : nat -> nat -> R := level_value now.
Definition weight_unused : nat -> nat -> R := level_value unused.
Definition weight_used : nat -> nat -> R := level_value used.

Lemma weight_bounds t p : 0 <= weight t p <= 1.
Proof. destruct p as [|j]; simpl; [lra|]. pose proof (now_bounds (odds t j) (odds_pos t j)). unfold weight. simpl. lra. Qed.

Lemma weight_mono t p q : (p <= q)%nat -> weight t p <= weight t q.
Proof.
  intros H. destruct p as [|i]; [apply weight_bounds|]. destruct q as [|j]; [lia|]. unfold weight. simpl.
  unfold now. pose proof (odds_pos t i). pose proof (odds_pos t j). apply Rinv_le_contravar; [lra|].
  apply Rplus_le_compat_l. unfold odds. apply Rmult_le_compat_l; [apply pow_le; lra|].
  apply Rinv_le_contravar; [apply pow_lt; lra|]. apply Rle_pow; [lra|lia].
Qed.

Lemma weight_next_unused t p : weight (S t) p = weight_unused t p.
Proof.
  destruct p as [|j]; [reflexivity|]. unfold weight, weight_unused. simpl. unfold now, unused, odds. f_equal. simpl. field. apply pow_nonzero. lra.
Qed.

Lemma weight_next_used t j : weight (S t) (S (S j)) = weight_used t (S j).
Proof.
  unfold weight, weight_used. simpl. unfold now, used, odds. f_equal. simpl. field. apply pow_nonzero. lra.
Qed.

Lemma weight_used_nonneg t p : 0 <= weight_used t p.
Proof. destruct p; simpl; [unfold weight_used; simpl; lra|]. left. apply used_pos, odds_pos. Qed.

Lemma weight_unused_nonneg t p : 0 <= weight_unused t p.
Proof. destruct p; simpl; [unfold weight_unused; simpl; lra|]. left. apply unused_pos, odds_pos. Qed.

(** what the levels p and q, of a covered target and of any other, contribute to the mean of the next reciprocal *)
Definition alone (t p : nat) : R := weight t p * weight t p / weight_unused t p.
Definition beside (t p q : nat) : R := weight t p * weight t p / (weight_unused t p + Rmax 0 (weight_used t p - weight_unused t q)).

Lemma alone_ge t p : weight t p <= alone t p.
Proof.
  destruct p as [|j]; unfold alone, weight, weight_unused; simpl; [lra|].
  set (y := odds t j). assert (Hy : 0 < y) by apply odds_pos.
  pose proof (now_bounds y Hy). pose proof (unused_pos y Hy). pose proof (unused_le_now y Hy).
  apply Rmult_le_reg_r with (unused y); [assumption|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. nra.
Qed.

Lemma beside_pair t p q : alone t p + beside t p q + (alone t q + beside t q p) <= weight t p * weight t q + 3 / 2 * (weight t p + weight t q).
Proof.
  destruct p as [|i], q as [|j]; unfold alone, beside, weight, weight_unused, weight_used; simpl.
  - lra.
  - pose proof (kernel_alone_inequality (odds t j) (odds_pos t j)) as K. unfold kernel_alone in K. rewrite !Rminus_0_r.
    rewrite (Rmax_right 0 (used _)) by (left; apply used_pos, odds_pos). lra.
  - pose proof (kernel_alone_inequality (odds t i) (odds_pos t i)) as K. unfold kernel_alone in K. rewrite !Rminus_0_r.
    rewrite (Rmax_right 0 (used _)) by (left; apply used_pos, odds_pos). lra.
  - pose proof (kernel_inequality (odds t i) (odds t j) (odds_pos t i) (odds_pos t j)) as K. unfold kernel in K. lra.
Qed.

(** a finite Jensen inequality: the reciprocal of a sum *)
Lemma reciprocal_of_sum a n c A V : 0 < V -> zsum a n A <= V ->
  (forall y, (a <= y < a + Z.of_nat n)%Z -> 0 < A y \/ (A y = 0 /\ c y = 0)) ->
  zsum a n c * zsum a n c / V <= zsum a n (fun y => c y * c y / A y).
Proof.
  intros HV HA H. set (W := zsum a n c). remember (W / V) as s eqn:Es.
  apply Rle_trans with (zsum a n (fun y => 2 * s * c y + (- (s * s)) * A y)).
  - rewrite zsum_plus, !zsum_scal. fold W.
    assert (s * s * zsum a n A <= s * s * V) by (apply Rmult_le_compat_l; [nra|assumption]).
    replace (W * W / V) with (2 * s * W - s * s * V) by (rewrite Es; field; lra). lra.
  - apply zsum_le. intros y Hy. destruct (H y Hy) as [P|[-> ->]]; [|unfold Rdiv; lra].
    assert (0 <= (c y - s * A y) * (c y - s * A y) / A y).
    { apply Rmult_le_pos; [exact (Rle_0_sqr (c y - s * A y))|left; now apply Rinv_0_lt_compat]. }
    replace ((c y - s * A y) * (c y - s * A y) / A y) with (c y * c y / A y - (2 * s * c y + - (s * s) * A y)) in H0 by (field; lra). lra.
Qed.

(** ** Levels of a window, one candidate *)
Section Window.
  Variable N : nat.
  Variable a : Z.
  Notation M := (S N).
  Notation lo := (- Z.of_nat N)%Z.
  Notation len := (2 * N + 1)%nat.
  Notation window := (in_window a M).

  Definition raise (p : nat) : nat := match p with O => O | S j => S (S j) end.
  Definition climb (f : Z -> nat) (x z : Z) : nat := Nat.max (f z) (if window z then raise (f (z - x)%Z) else O).
  Fixpoint climbs (f : Z -> nat) (l : list Z) : Z -> nat := match l with nil => f | x :: l' => climbs (climb f x) l' end.
  Definition total (t : nat) (f : Z -> nat) : R := zsum a M (fun z => weight t (f z)).
  Definition levels_potential (t : nat) (f : Z -> nat) : R := INR M / total t f - 1.

  Theorem climbs_sound l : forall f z j, climbs f l z = S j ->
    exists m y i, length m = length l /\ f y = S i /\ (j <= i + kept m)%nat /\ z = (y + int_subset_sum m l)%Z.
  Proof.
    induction l as [|x l IH]; intros f z j H; simpl in H.
    - exists nil, z, j. simpl. repeat split; try assumption; lia.
    - destruct (IH _ _ _ H) as (m & y & i & Hm & Hy & Hj & Hz). unfold climb in Hy.
      destruct (Nat.max_spec (f y) (if window y then raise (f (y - x)%Z) else O)) as [[_ E]|[_ E]]; rewrite E in Hy.
      + destruct (window y); [|discriminate]. destruct (f (y - x)%Z) as [|k] eqn:F; [discriminate|]. injection Hy as <-.
        exists (true :: m), (y - x)%Z, k. simpl. repeat split; try lia; assumption.
      + exists (false :: m), y, i. simpl. repeat split; try lia; assumption.
  Qed.

  Lemma total_bounds t f : 0 <= total t f <= INR M.
  Proof.
    split; [apply zsum_nonneg; intros; apply weight_bounds|]. rewrite <- (Rmult_1_r (INR M)), <- (zsum_const a M 1).
    apply zsum_le; intros; apply weight_bounds.
  Qed.

  (** the next weight that target y makes sure of, itself and at y + x *)
  Definition share (t : nat) (f : Z -> nat) (x y : Z) : R :=
    weight_unused t (f y) + ind (window (y + x)) * Rmax 0 (weight_used t (f y) - weight_unused t (f (y + x)%Z)).

  Lemma share_total t f x : zsum a M (share t f x) <= total (S t) (climb f x).
  Proof.
    set (k := fun z => ind (window z) * ind (window (z - x)) * Rmax 0 (weight_used t (f (z - x)%Z) - weight_unused t (f z))).
    assert (Supp : forall z, k z <> 0 -> (a <= z < a + Z.of_nat M)%Z /\ (a + x <= z < a + x + Z.of_nat M)%Z).
    { intros z Hz. unfold k in Hz. destruct (window z) eqn:E1; [|simpl in Hz; lra]. destruct (window (z - x)) eqn:E2; [|simpl in Hz; lra].
      apply in_window_iff in E1. apply in_window_iff in E2. lia. }
    assert (E : zsum a M (share t f x) = zsum a M (fun z => weight_unused t (f z) + k z)).
    { unfold share. rewrite !zsum_plus. f_equal.
      rewrite (zsum_ext a M _ (fun y => k (y + x)%Z)).
      2:{ intros y Hy. unfold k. replace (y + x - x)%Z with y by lia. rewrite (proj2 (in_window_iff a M y) Hy). simpl (ind true). lra. }
      rewrite zsum_shift.
      rewrite <- (zsum_shrink_support (a + x) M (Z.min a (a + x)) (M + Z.to_nat (Z.abs x)) k) by (try lia; intros z Hz; apply (Supp z Hz)).
      apply zsum_shrink_support; try lia. intros z Hz; apply (Supp z Hz). }
    rewrite E. apply zsum_le. intros z Hz. unfold climb. rewrite (proj2 (in_window_iff a M z) Hz).
    assert (L1 : weight_unused t (f z) <= weight (S t) (Nat.max (f z) (raise (f (z - x)%Z)))).
    { rewrite <- weight_next_unused. apply weight_mono. lia. }
    assert (L2 : weight_used t (f (z - x)%Z) <= weight (S t) (Nat.max (f z) (raise (f (z - x)%Z)))).
    { destruct (f (z - x)%Z) as [|j]; [apply weight_bounds|]. rewrite <- weight_next_used. apply weight_mono. simpl raise. lia. }
    unfold k. rewrite (proj2 (in_window_iff a M z) Hz). simpl (ind true).
    pose proof (ind_bounds (window (z - x))). unfold Rmax. destruct Rle_dec; nra.
  Qed.

  Lemma share_nonzero t f x y : 0 < share t f x y \/ (share t f x y = 0 /\ weight t (f y) = 0).
  Proof.
    unfold share. destruct (f y) as [|j] eqn:F.
    - right. split; [|reflexivity]. unfold weight_unused at 1, weight_used. simpl level_value.
      rewrite Rmax_left; [lra|]. pose proof (weight_unused_nonneg t (f (y + x)%Z)). lra.
    - left. assert (0 < weight_unused t (S j)) by (apply unused_pos, odds_pos).
      assert (0 <= ind (window (y + x)) * Rmax 0 (weight_used t (S j) - weight_unused t (f (y + x)%Z))); [|lra].
      apply Rmult_le_pos; [apply ind_bounds|apply Rmax_l].
  Qed.

  (** the mean over one draw: y + x is in the window for N + 1 draws, once for each target, and outside it for N draws *)
  Lemma mean_share t f y : (a <= y < a + Z.of_nat M)%Z ->
    mean lo len (uniform N) (fun x => weight t (f y) * weight t (f y) / share t f x y)
    = / INR len * (INR N * alone t (f y) + zsum a M (fun z => beside t (f y) (f z))).
  Proof.
    intros Hy. unfold mean, uniform. rewrite zsum_scal. f_equal.
    set (h := fun z => ind (window z) * (beside t (f y) (f z) - alone t (f y))).
    rewrite (zsum_ext lo len _ (fun x => alone t (f y) + h (x + y)%Z)).
    2:{ intros x _. unfold h, share, beside, alone. rewrite (Z.add_comm x y). destruct (window (y + x)); simpl ind.
        - rewrite Rmult_1_l. lra.
        - rewrite !Rmult_0_l, Rplus_0_r. lra. }
    rewrite zsum_plus, zsum_const, zsum_shift.
    rewrite (zsum_shrink_support a M (lo + y) len h); [|intros z Hz|lia|lia].
    2:{ unfold h in Hz. destruct (window z) eqn:E; [now apply in_window_iff in E|simpl in Hz; lra]. }
    rewrite (zsum_ext a M h (fun z => beside t (f y) (f z) + - alone t (f y))).
    2:{ intros z Hz. unfold h. rewrite (proj2 (in_window_iff a M z) Hz). simpl. lra. }
    rewrite zsum_plus, zsum_const, INR_len, S_INR. lra.
  Qed.

  Lemma pairs t f : let W := total t f in
    zsum a M (fun y => zsum a M (fun z => alone t (f y) + beside t (f y) (f z))) <= (W * W + 3 * INR M * W) / 2.
  Proof.
    intros W. set (K := fun y z => alone t (f y) + beside t (f y) (f z)).
    change (zsum a M (fun y => zsum a M (K y)) <= (W * W + 3 * INR M * W) / 2).
    assert (S2 : zsum a M (fun y => zsum a M (K y)) + zsum a M (fun y => zsum a M (K y)) <= W * W + 3 * INR M * W); [|lra].
    rewrite (zsum_swap a M a M (fun x y => K x y)) at 2. rewrite <- zsum_plus.
    apply Rle_trans with (zsum a M (fun y => zsum a M (fun z => weight t (f y) * weight t (f z) + 3 / 2 * (weight t (f y) + weight t (f z))))).
    - apply zsum_le. intros y _. rewrite <- zsum_plus. apply zsum_le. intros z _. apply beside_pair.
    - apply Req_le.
      rewrite (zsum_ext a M _ (fun y => (W + 3 / 2 * INR M) * weight t (f y) + 3 / 2 * W)).
      + rewrite zsum_plus, zsum_const, zsum_scal. fold (total t f). fold W. lra.
      + intros y _. rewrite zsum_plus, !zsum_scal, zsum_plus, zsum_const. fold (total t f). fold W. lra.
  Qed.

  Theorem levels_contract t f : 0 < total t f ->
    mean lo len (uniform N) (fun x => levels_potential (S t) (climb f x)) <= 3 / 4 * levels_potential t f.
  Proof.
    intros H0. set (W := total t f) in *. pose proof (total_bounds t f) as HW. fold W in HW.
    assert (HM : 0 < INR M) by (apply lt_0_INR; lia).
    assert (Hlen : INR len = 2 * INR M - 1) by (rewrite INR_len, S_INR; lra). assert (H1 : 1 <= INR M) by (rewrite S_INR; pose proof (pos_INR N); lra).
    assert (Next : forall x, 0 < total (S t) (climb f x)).
    { intros x. eapply Rlt_le_trans; [|apply share_total].
      assert (Pos : forall y, 0 <= share t f x y) by (intros y; destruct (share_nonzero t f x y) as [P|[-> _]]; lra).
      destruct (zsum_nonneg a M (share t f x) (fun y _ => Pos y)) as [|E].
      - assumption.
      - exfalso. assert (W <= 0); [|lra]. unfold W, total. rewrite <- (zsum_zero a M). apply zsum_le. intros y Hy.
        destruct (share_nonzero t f x y) as [P|[_ ->]]; [|lra].
        assert (share t f x y <= zsum a M (share t f x)); [|lra].
        apply (zsum_ge_point a M (share t f x) y (fun z _ => Pos z) Hy). }
    set (B := fun x => zsum a M (fun y => weight t (f y) * weight t (f y) / share t f x y)).
    assert (J : forall x, levels_potential (S t) (climb f x) <= INR M / (W * W) * B x + -1).
    { intros x. unfold levels_potential.
      pose proof (reciprocal_of_sum a M (fun y => weight t (f y)) (share t f x) (total (S t) (climb f x)) (Next x) (share_total t f x)
        (fun y _ => share_nonzero t f x y)) as R.
      change (W * W / total (S t) (climb f x) <= B x) in R.
      apply Rmult_le_compat_l with (r := INR M / (W * W)) in R; [|left; apply Rdiv_lt_0_compat; nra].
      replace (INR M / (W * W) * (W * W / total (S t) (climb f x))) with (INR M / total (S t) (climb f x)) in R; [lra|].
      pose proof (Next x). field. lra. }
    eapply Rle_trans; [apply (mean_le lo len (uniform N) (uniform_nonneg N)); intros x _; apply J|].
    rewrite mean_plus, mean_scal, (mean_const lo len (uniform N) (uniform_mass N)).
    assert (EB : mean lo len (uniform N) B <= / INR len * ((W * W + 3 * INR M * W) / 2 - W)).
    { unfold B, mean. rewrite (zsum_ext lo len _ (fun x => zsum a M (fun y => uniform N x * (weight t (f y) * weight t (f y) / share t f x y))))
        by (intros; now rewrite zsum_scal).
      rewrite zsum_swap.
      rewrite (zsum_ext a M _ (fun y => / INR len * (INR N * alone t (f y) + zsum a M (fun z => beside t (f y) (f z))))) by (intros y Hy; apply (mean_share t f y Hy)).
      rewrite zsum_scal. apply Rmult_le_compat_l; [left; apply Rinv_0_lt_compat; lra|].
      pose proof (pairs t f) as P. cbv zeta in P. fold W in P.
      rewrite (zsum_ext a M _ (fun y => INR M * alone t (f y) + zsum a M (fun z => beside t (f y) (f z)))) in P
        by (intros y _; rewrite zsum_plus, zsum_const; reflexivity).
      rewrite zsum_plus, zsum_scal in P |- *.
      assert (W <= zsum a M (fun y => alone t (f y))) by (apply zsum_le; intros; apply alone_ge).
      rewrite S_INR in P |- *. lra. }
    apply Rmult_le_compat_l with (r := INR M / (W * W)) in EB; [|left; apply Rdiv_lt_0_compat; nra].
    eapply Rle_trans; [apply Rplus_le_compat_r; exact EB|]. unfold levels_potential. fold W. rewrite Hlen.
    set (m := INR M) in *.
    assert (0 <= (m - W) / (4 * (W * (2 * m - 1)))).
    { apply Rmult_le_pos; [lra|]. left. apply Rinv_0_lt_compat. repeat apply Rmult_lt_0_compat; lra. }
    replace (m / (W * W) * (/ (2 * m - 1) * ((W * W + 3 * m * W) / 2 - W)) + -1)
      with (3 / 4 * (m / W - 1) - (m - W) / (4 * (W * (2 * m - 1)))) by (field; lra).
    lra.
  Qed.

  Lemma climb_total t f x : 0 < total t f -> 0 < total (S t) (climb f x).
  Proof.
    intros H. destruct (proj1 (total_bounds (S t) (climb f x))) as [P|E]; [assumption|]. exfalso.
    assert (total t f <= 0); [|lra]. unfold total. rewrite <- (zsum_zero a M). apply zsum_le. intros y Hy.
    destruct (f y) as [|j] eqn:F; [unfold weight; simpl; lra|]. exfalso.
    assert (P : 0 < weight (S t) (climb f x y)).
    { eapply Rlt_le_trans; [|apply (weight_mono (S t) (S j)); unfold climb; lia]. apply now_bounds, odds_pos. }
    pose proof (zsum_ge_point a M (fun z => weight (S t) (climb f x z)) y (fun z _ => proj1 (weight_bounds (S t) (climb f x z))) Hy) as Q.
    change (weight (S t) (climb f x y) <= total (S t) (climb f x)) in Q. lra.
  Qed.

  Theorem levels_run n : forall t f, 0 < total t f ->
    expect lo len (uniform N) n (fun l => levels_potential (t + n) (climbs f l)) <= (3 / 4) ^ n * levels_potential t f.
  Proof.
    induction n as [|n IH]; intros t f H0; [simpl; rewrite Nat.add_0_r; lra|].
    replace (t + S n)%nat with (S t + n)%nat by lia. cbn [expect climbs pow].
    eapply Rle_trans.
    { apply (mean_le lo len (uniform N) (uniform_nonneg N)). intros x _. apply (IH (S t) (climb f x)), climb_total, H0. }
    rewrite mean_scal. pose proof (levels_contract t f H0). assert (0 <= (3 / 4) ^ n) by (apply pow_le; lra).
    replace (3 / 4 * (3 / 4) ^ n * levels_potential t f) with ((3 / 4) ^ n * (3 / 4 * levels_potential t f)) by lra.
    apply Rmult_le_compat_l; assumption.
  Qed.

  Lemma climbs_total l : forall t f, 0 < total t f -> 0 < total (t + length l) (climbs f l).
  Proof.
    induction l as [|x l IH]; intros t f H; simpl; [now rewrite Nat.add_0_r|]. rewrite <- Nat.add_succ_comm. apply IH, climb_total, H.
  Qed.

  (** ** Events *)
  Definition start_level (e : nat) (z : Z) : nat := if start a M e z then 1%nat else O.

  Lemma start_total e : (a <= - Z.of_nat e)%Z -> (Z.of_nat e < a + Z.of_nat M)%Z -> total 0 (start_level e) = INR (2 * e + 1) / 2.
  Proof.
    intros H1 H2. rewrite <- (count_start a M e H1 H2). unfold total, count.
    rewrite (zsum_ext a M _ (fun z => / 2 * ind (start a M e z))); [rewrite zsum_scal; lra|].
    intros z _. unfold start_level. destruct (start a M e z); unfold weight; simpl; [|lra]. unfold now, odds. simpl. field.
  Qed.

  Definition level_missedb (L tol : nat) (l : list Z) : bool :=
    negb (forallb (fun z => existsb (fun m => (L <=? kept m)%nat && (Z.abs (z - int_subset_sum m l) <=? Z.of_nat tol)%Z) (keeps (length l))) (int_range a M)).

  Lemma level_missedb_false L tol l : level_missedb L tol l = false <->
    forall z, (a <= z < a + Z.of_nat M)%Z ->
      exists m, length m = length l /\ (L <= kept m)%nat /\ (Z.abs (z - int_subset_sum m l) <= Z.of_nat tol)%Z.
  Proof.
    unfold level_missedb. rewrite negb_false_iff, forallb_forall. split.
    - intros H z Hz. specialize (H z (proj2 (in_int_range _ _ _) Hz)). apply existsb_exists in H. destruct H as (m & Hm & H).
      apply andb_true_iff in H. rewrite Nat.leb_le, Z.leb_le in H. exists m. rewrite <- in_keeps. tauto.
    - intros H z Hz. apply in_int_range in Hz. destruct (H z Hz) as (m & Hm & H1 & H2). apply existsb_exists. exists m.
      rewrite in_keeps, andb_true_iff, Nat.leb_le, Z.leb_le. tauto.
  Qed.

  (** Fewer than g + 1 cells below level L: every target lies within g of a cell served by at least L members. *)
  Lemma all_at_level e g L l : (S g <= M)%nat ->
    INR M - count a M (fun z => (L <? climbs (start_level e) l z)%nat) < INR (S g) -> level_missedb L (e + g) l = false.
  Proof.
    intros Hg Hlt. set (high := fun z => (L <? climbs (start_level e) l z)%nat) in *.
    apply level_missedb_false. intros z Hz.
    set (b := Z.min z (a + Z.of_nat M - Z.of_nat (S g))).
    pose proof (block_ge a M high b (S g)) as Bk.
    destruct (zsum_pos_ex b (S g) high) as (y & Hy & Fy).
    { eapply Rlt_le_trans; [|apply Bk; unfold b; lia]. lra. }
    unfold high in Fy. apply Nat.ltb_lt in Fy. destruct (climbs (start_level e) l y) as [|j] eqn:E; [lia|].
    destruct (climbs_sound l _ _ _ E) as (m & y0 & i & Hm & Hy0 & Hj & Hs). unfold start_level in Hy0.
    destruct (start a M e y0) eqn:St; [|discriminate]. injection Hy0 as <-. apply start_abs in St.
    exists m. split; [assumption|]. split; [lia|]. unfold b in Hy. lia.
  Qed.

  (** If the level L - 1 has caught up (weight at most 1/2), an open gap costs potential. *)
  Lemma potential_of_gap t f L g : 8 ^ (L - 1) <= (13 / 12) ^ t -> 0 < total t f ->
    INR (S g) <= INR M - count a M (fun z => (L <? f z)%nat) -> INR (S g) / (2 * INR M) <= levels_potential t f.
  Proof.
    intros HL HT Hgap. pose proof (total_bounds t f) as [_ HW]. assert (HM : 0 < INR M) by (apply lt_0_INR; lia).
    assert (Up : total t f <= INR M - INR (S g) / 2).
    { apply Rle_trans with (zsum a M (fun z => / 2 + / 2 * ind (L <? f z)%nat)).
      - apply zsum_le. intros z _. destruct (Nat.ltb_spec L (f z)) as [Q|Q]; simpl ind; [pose proof (weight_bounds t (f z)); lra|].
        apply Rle_trans with (weight t (S (L - 1))); [apply weight_mono; lia|]. unfold weight. simpl. unfold now.
        rewrite Rmult_0_r, Rplus_0_r. apply Rinv_le_contravar; [lra|]. unfold odds.
        assert (1 <= (13 / 12) ^ t / 8 ^ (L - 1)); [|lra]. assert (0 < 8 ^ (L - 1)) by (apply pow_lt; lra).
        apply Rmult_le_reg_r with (8 ^ (L - 1)); [assumption|]. unfold Rdiv. rewrite (Rmult_assoc ((13 * / 12) ^ t)), Rinv_l by lra. lra.
      - rewrite zsum_plus, zsum_const, zsum_scal. fold (count a M (fun z => (L <? f z)%nat)). lra. }
    unfold levels_potential. set (W := total t f) in *. set (m := INR M) in *. set (s := INR (S g)) in *.
    assert (0 <= s) by apply pos_INR.
    assert (0 <= (2 * m * (m - W) - s * W) / (2 * m * W)).
    { apply Rmult_le_pos; [nra|]. left. apply Rinv_0_lt_compat. repeat apply Rmult_lt_0_compat; lra. }
    replace ((2 * m * (m - W) - s * W) / (2 * m * W)) with (m / W - 1 - s / (2 * m)) in H0 by (field; lra). lra.
  Qed.

  Theorem levels_count e g L n : (a <= - Z.of_nat e)%Z -> (Z.of_nat e < a + Z.of_nat M)%Z -> (S g <= M)%nat ->
    8 ^ (L - 1) <= (13 / 12) ^ n ->
    INR (length (filter (level_missedb L (e + g)) (cube lo len n))) <= 4 * grid_bound N 0 e g n * INR len ^ n.
  Proof.
    intros H1 H2 Hg HL. apply prob_to_count.
    assert (HM : 0 < INR M) by (apply lt_0_INR; lia). assert (Hs : 0 < INR (S g)) by (apply lt_0_INR; lia).
    assert (He : 0 < INR (2 * e + 1)) by (apply lt_0_INR; lia).
    assert (H0 : 0 < total 0 (start_level e)) by (rewrite start_total by assumption; lra).
    eapply Rle_trans.
    { apply (markov lo len (uniform N) (uniform_nonneg N) n _ (fun l => levels_potential (0 + n) (climbs (start_level e) l)) (INR (S g) / (2 * INR M))).
      - apply Rdiv_lt_0_compat; lra.
      - intros l Hl _. pose proof (climbs_total l 0 (start_level e) H0) as P. rewrite Hl in P. unfold levels_potential.
        pose proof (total_bounds (0 + n) (climbs (start_level e) l)). apply Rmult_le_reg_r with (total (0 + n) (climbs (start_level e) l)); [assumption|].
        unfold Rdiv. rewrite Rmult_minus_distr_r, Rmult_assoc, Rinv_l by lra. lra.
      - intros l Hl _ Hb. pose proof (climbs_total l 0 (start_level e) H0) as P. rewrite Hl in P.
        apply (potential_of_gap (0 + n) (climbs (start_level e) l) L g HL P). apply Rnot_lt_le. intros Q.
        rewrite (all_at_level e g L l Hg Q) in Hb. discriminate. }
    apply Rle_trans with ((3 / 4) ^ n * levels_potential 0 (start_level e) / (INR (S g) / (2 * INR M))).
    { apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, Rdiv_lt_0_compat; lra|]. now apply levels_run. }
    unfold levels_potential, grid_bound. rewrite start_total by assumption. change (INR 0) with 0. set (P := (3 / 4) ^ n).
    assert (0 < P) by (apply pow_lt; lra). set (m := INR M) in *. set (s := INR (S g)) in *. set (c := INR (2 * e + 1)) in *.
    replace (4 * (P * (m / (c + 0)) * ((m + 0) / s))) with (P * (m / (c / 2)) / (s / (2 * m))) by (field; lra).
    apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, Rdiv_lt_0_compat; lra|]. apply Rmult_le_compat_l; lra.
  Qed.
End Window.

(** ** Candidates from U[-1, 1] *)
Definition missed_at_level (L : nat) (t : R) (xs : list R) : Prop :=
  exists z, Rabs z <= / 2 /\ forall m, length m = length xs -> (L <= kept m)%nat -> ~ Rabs (z - subset_sum m xs) <= t.

Lemma cells_good_level (N' e g L : nat) (t : R) xs ks :
  let N := (2 * N')%nat in
  cell_width N * (INR e + INR g + / 2) + INR (length xs) * (cell_width N / 2) <= t ->
  Forall2 (in_cell N) xs ks -> level_missedb N (- Z.of_nat N') L (e + g) ks = false -> ~ missed_at_level L t xs.
Proof.
  intros N Ht Hc Hgood (z & Hz & Hbad). pose proof (cell_width_pos N) as Hh.
  assert (Lk : length ks = length xs) by (clear - Hc; induction Hc; simpl; congruence).
  destruct (cell_exists N z N') as (zc & Hzc & Iz).
  { unfold N; lia. }
  { eapply Rle_trans; [exact Hz|]. unfold cell_width. rewrite INR_len. unfold N. rewrite mult_INR. change (INR 2) with 2.
    pose proof (pos_INR N'). apply Rmult_le_reg_r with (2 * (2 * INR N') + 1); [lra|].
    replace (2 / (2 * (2 * INR N') + 1) * (INR N' + / 2) * (2 * (2 * INR N') + 1)) with (2 * (INR N' + / 2)) by (field; lra). lra. }
  rewrite level_missedb_false in Hgood.
  destruct (Hgood zc) as (m & Hm & HL & Hd). { unfold N in *; lia. }
  apply (Hbad m ltac:(congruence) HL).
  pose proof (subset_sum_cells N xs ks Hc m) as S1.
  assert (S2 : INR (kept m) <= INR (length xs)).
  { apply le_INR. pose proof (kept_le m). lia. }
  assert (S3 : Rabs (cell_width N * IZR zc - cell_width N * IZR (int_subset_sum m ks)) <= cell_width N * (INR e + INR g)).
  { rewrite <- Rmult_minus_distr_l, Rabs_mult, (Rabs_pos_eq (cell_width N)) by lra.
    apply Rmult_le_compat_l; [lra|]. rewrite <- plus_INR, INR_IZR_INZ, <- minus_IZR, <- abs_IZR. apply IZR_le. exact Hd. }
  unfold in_cell in Iz.
  replace (z - subset_sum m xs) with ((z - cell_width N * IZR zc) + (cell_width N * IZR zc - cell_width N * IZR (int_subset_sum m ks))
     + - (subset_sum m xs - cell_width N * IZR (int_subset_sum m ks))) by ring.
  eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp.
  eapply Rle_trans; [apply Rplus_le_compat_r, Rabs_triang|].
  assert (cell_width N / 2 * INR (kept m) <= cell_width N / 2 * INR (length xs)) by (apply Rmult_le_compat_l; lra).
  lra.
Qed.

(** 26 candidates are worth one more level *)
Lemma levels_gained n : 8 ^ (1 + n / 26 - 1) <= (13 / 12) ^ n.
Proof.
  replace (1 + n / 26 - 1)%nat with (n / 26)%nat by lia.
  rewrite (Nat.div_mod n 26) at 2 by lia. rewrite pow_add, pow_mult.
  assert (A : 8 ^ (n / 26) <= ((13 / 12) ^ 26) ^ (n / 26)) by (apply pow_incr; lra).
  assert (B : 1 <= (13 / 12) ^ (n mod 26)) by (apply pow_R1_Rle; lra).
  assert (0 < 8 ^ (n / 26)) by (apply pow_lt; lra). nra.
Qed.

Theorem rss_levels n t : 0 < t <= 1 -> fraction_at_most n (missed_at_level (1 + n / 26) t) (8.04 * (3 / 4) ^ n / (t * t)).
Proof.
  intros Ht. destruct (grid_parameters n t Ht) as (N' & e & H1 & H2 & H3). set (N := (2 * N')%nat) in *. set (L := (1 + n / 26)%nat).
  apply (fraction_mono n _ (4 * grid_bound N 0 e e n)).
  { replace 8.04 with (4 * 2.01) by lra. unfold Rdiv in *. rewrite !Rmult_assoc in *. apply Rmult_le_compat_l; [lra|exact H3]. }
  exists N, (filter (level_missedb N (- Z.of_nat N') L (e + e)) (cube (- Z.of_nat N) (2 * N + 1) n)). split.
  - intros xs Hl HF Hmiss. destruct (cells_exist N xs HF) as (ks & Hin & Hc). rewrite Hl in Hin.
    exists ks; split; [|assumption]. apply filter_In. split; [assumption|].
    apply not_false_iff_true. intros Hgood. apply (cells_good_level N' e e L t xs ks) in Hgood; try assumption; [contradiction|].
    fold N. rewrite Hl. exact H2.
  - apply levels_count; try (unfold N; lia). apply levels_gained.
Qed.

(** ** The perturbation pays for every kept candidate *)
Theorem rss_gain n tol eps : 0 <= tol -> 0 <= eps -> 0 < tol + eps ->
  let t := Rmin 1 (tol + eps * INR (1 + n / 26)) in
  fraction_at_most n (missed_with_both tol eps) (8.04 * (3 / 4) ^ n / (t * t)).
Proof.
  intros Ht He Hp t. set (L := (1 + n / 26)%nat) in *.
  assert (HL : 1 <= INR L) by (change 1 with (INR 1); apply le_INR; unfold L; lia).
  assert (T : 0 < t <= 1 /\ t <= tol + eps * INR L).
  { split; [|apply Rmin_r]. split; [|apply Rmin_l]. unfold t. apply Rmin_glb_lt; [lra|]. nra. }
  apply (fraction_subset n _ (missed_at_level L t)); [|now apply rss_levels].
  intros xs (z & Hz & H). exists z. split; [assumption|]. intros m Hm Hk Hd. apply H.
  assert (Hr : Rabs (z - subset_sum m xs) <= tol + eps * INR (kept m)).
  { apply le_INR in Hk. assert (eps * INR L <= eps * INR (kept m)) by (apply Rmult_le_compat_l; assumption). lra. }
  assert (0 <= eps * INR (kept m)) by (apply Rmult_le_pos; [assumption|apply pos_INR]).
  set (s := subset_sum m xs) in *. set (r := eps * INR (kept m)) in *.
  exists (Rmax (s - r) (Rmin (s + r) z)). split.
  - apply reachable_iff; [assumption|]. exists m. split; [assumption|]. fold s r. unfold Rmax, Rmin. repeat destruct Rle_dec; lra.
  - revert Hr. unfold Rabs, Rmax, Rmin. repeat destruct Rcase_abs; repeat destruct Rle_dec; lra.
Qed.

Corollary rss_gain_exact n eps : 0 < eps ->
  let t := Rmin 1 (eps * INR (1 + n / 26)) in fraction_at_most n (missed_exactly eps) (8.04 * (3 / 4) ^ n / (t * t)).
Proof.
  intros He t. apply (fraction_subset n _ (missed_with_both 0 eps)).
  - intros xs (z & Hz & H). exists z. split; [assumption|]. intros (v & Hv & Hd). apply H.
    replace z with v; [assumption|]. revert Hd. unfold Rabs. destruct Rcase_abs; lra.
  - pose proof (rss_gain n 0 eps ltac:(lra) ltac:(lra) ltac:(lra)) as G. cbv zeta in G. rewrite Rplus_0_l in G. exact G.
Qed.

Lemma exact_number n L eps : (1 + n / 26 = L)%nat -> 0 < eps -> eps * INR L <= 1 -> 8.04 * (3 / 4) ^ n / (eps * INR L * (eps * INR L)) <= 0.05 ->
  fraction_at_most n (missed_exactly eps) 0.05.
Proof.
  intros <- He H1 H. eapply fraction_mono; [|apply rss_gain_exact; assumption]. rewrite Rmin_right by assumption. exact H.
Qed.

Corollary rss_gain_45 : fraction_at_most 45 (missed_exactly 0.01) 0.05.
Proof. apply (exact_number 45 2); [reflexivity|lra|simpl; lra|simpl INR; lra]. Qed.
Corollary rss_gain_75 : fraction_at_most 75 (missed_exactly 0.0001) 0.05.
Proof. apply (exact_number 75 3); [reflexivity|lra|simpl; lra|simpl INR; lra]. Qed.
