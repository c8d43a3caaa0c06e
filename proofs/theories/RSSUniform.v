(** Floor 5: random subset sum for U[-1, 1], with explicit constants.

    1. For the uniform law on the grid {-N..N} the theorem is a statement about counting vectors.
    2. For the continuous law, [-1, 1] is cut into 2 N + 1 equal cells. A cell vector in which the grid theorem holds is good as a whole: whatever
       the n real candidates in those cells, every target of [-1/2, 1/2] is served. So the bad samples lie in few cells.

    Glossary
      uniform N             == the weight 1 / (2 N + 1)
      grid_bound N k e g n  == (3/4)^n (M / (2 e + 1 + k)) ((M + k) / (g + 1)) with M = N + 1
      cell_width N          == 2 / (2 N + 1)
      in_cell N x c         == x lies in the closed cell number c, of centre c cell_width
      fraction_at_most n event delta == for some N, a fraction of at most delta of the (2 N + 1)^n congruent cells of [-1, 1]^n covers the event.
                               Then the outer Jordan content of the event, a fortiori its outer Lebesgue measure, is at most delta 2^n: a sample
                               drawn uniformly from [-1, 1]^n is in the event with probability at most delta.
      missed eta xs         == some target |z| <= 1/2 has no subset sum of xs within eta
      missed_exactly eps xs == some target |z| <= 1/2 is not exactly a subset sum after shifts of at most eps
      missed_with_both eta eps xs == some target |z| <= 1/2 is not within eta of a subset sum after such shifts

    Main theorems
      rss_uniform_count, rss_perturbed_count   counting form
      rss_continuous        fraction_at_most n (missed eta) (2.01 (3/4)^n / eta^2), 0 < eta <= 1
      rss_exact             fraction_at_most n (missed_exactly eps) (6.2 (3/4)^n / eps^2), 0 < eps <= 1
      rss_with_both         with both allowances, the smaller of the two *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS.
Import ListNotations.
Open Scope R_scope.

Section Uniform.
  Variable N : nat.
  Notation lo := (- Z.of_nat N)%Z.
  Notation len := (2 * N + 1)%nat.
  Notation M := (S N).
  Definition uniform : Z -> R := fun _ => / INR len.

  Lemma len_pos : (0 < len)%nat. Proof. lia. Qed.
  Lemma uniform_nonneg x : in_support lo len x -> 0 <= uniform x.
  Proof. intros _. unfold uniform. left. apply Rinv_0_lt_compat, lt_0_INR. lia. Qed.
  Lemma uniform_mass : zsum lo len uniform = 1.
  Proof. apply uniform_total, len_pos. Qed.

  Lemma q_nonneg : 0 <= / INR len.
  Proof. left. apply Rinv_0_lt_compat, lt_0_INR. lia. Qed.

  Lemma kappa_uniform : 1 / 2 <= / INR len * INR M <= 1.
  Proof.
    rewrite S_INR, plus_INR, mult_INR. change (INR 2) with 2. change (INR 1) with 1.
    pose proof (pos_INR N). set (x := INR N) in *.
    split; (apply Rmult_le_reg_l with (2 * x + 1); [lra|]);
    replace ((2 * x + 1) * (/ (2 * x + 1) * (x + 1))) with (x + 1) by (field; lra); lra.
  Qed.

  Lemma rate_uniform : 0 <= rate (/ INR len * INR M) <= 3 / 4.
  Proof. unfold rate. pose proof kappa_uniform. lra. Qed.

  Lemma potential_start a k e : (a <= - Z.of_nat e)%Z -> (Z.of_nat e < a + Z.of_nat M)%Z ->
    potential a M k (start a M e) <= INR M / (INR (2 * e + 1) + INR k).
  Proof.
    intros H1 H2. unfold potential. rewrite count_start by assumption.
    assert (0 < INR (2 * e + 1)) by (apply lt_0_INR; lia). pose proof (pos_INR k).
    apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; lra|lra].
  Qed.

  Definition grid_bound (k e g n : nat) : R :=
    (3 / 4) ^ n * (INR M / (INR (2 * e + 1) + INR k)) * ((INR M + INR k) / INR (S g)).

  Lemma grid_bound_ge a k e g n : (a <= - Z.of_nat e)%Z -> (Z.of_nat e < a + Z.of_nat M)%Z ->
    rate (/ INR len * INR M) ^ n * potential a M k (start a M e) * ((INR M + INR k) / INR (S g)) <= grid_bound k e g n.
  Proof.
    intros H1 H2. unfold grid_bound.
    assert (Hp : 0 <= potential a M k (start a M e)).
    { apply potential_nonneg. rewrite count_start by assumption. apply lt_0_INR; lia. }
    pose proof (potential_start a k e H1 H2). pose proof (pos_INR k). pose proof (pos_INR M).
    assert (0 < INR (S g)) by (apply lt_0_INR; lia).
    assert (P : rate (/ INR len * INR M) ^ n <= (3 / 4) ^ n)
      by (apply pow_incr, rate_uniform).
    apply Rmult_le_compat_r.
    { apply Rmult_le_pos; [lra|left; now apply Rinv_0_lt_compat]. }
    apply Rmult_le_compat; try assumption. apply pow_le, rate_uniform.
  Qed.

  (** *** Probability form, then counting form *)
  Theorem rss_uniform_prob a k e g n :
    (a <= - Z.of_nat e)%Z -> (Z.of_nat e < a + Z.of_nat M)%Z -> (S g <= M)%nat ->
    prob lo len uniform n (missedb a M (Z.of_nat (e + g)) (Z.of_nat k)) <= grid_bound k e g n.
  Proof.
    intros H1 H2 Hg.
    assert (Hc : 0 < count a M (start a M e)) by (rewrite count_start by assumption; apply lt_0_INR; lia).
    pose proof (rss_general lo len uniform uniform_nonneg uniform_mass N (/ INR len)) as T.
    specialize (T q_nonneg ltac:(intros; unfold uniform; lra)
                  ltac:(lia) ltac:(lia) a M ltac:(lia) ltac:(lia) k e g n Hg Hc).
    pose proof (grid_bound_ge a k e g n H1 H2) as B. lra.
  Qed.

  Lemma prob_to_count Q n b : prob lo len uniform n Q <= b ->
    INR (length (filter Q (cube lo len n))) <= b * INR len ^ n.
  Proof.
    intros T. unfold uniform in T. rewrite prob_uniform in T by lia.
    rewrite cube_length, pow_INR in T.
    assert (0 < INR len ^ n) by (apply pow_lt, lt_0_INR; lia).
    apply Rmult_le_reg_r with (/ INR len ^ n); [now apply Rinv_0_lt_compat|].
    rewrite Rmult_assoc, Rinv_r, Rmult_1_r by lra. exact T.
  Qed.

  Theorem rss_uniform_count a k e g n :
    (a <= - Z.of_nat e)%Z -> (Z.of_nat e < a + Z.of_nat M)%Z -> (S g <= M)%nat ->
    INR (length (filter (missedb a M (Z.of_nat (e + g)) (Z.of_nat k)) (cube lo len n)))
      <= grid_bound k e g n * INR len ^ n.
  Proof. intros. apply prob_to_count, rss_uniform_prob; assumption. Qed.

  Theorem rss_perturbed_prob a k e g n :
    (a <= - Z.of_nat e)%Z -> (Z.of_nat e < a + Z.of_nat M)%Z -> (S (g + (2 * e + 1)) <= M)%nat ->
    prob lo len uniform n (missedb a M (Z.of_nat e) (Z.of_nat (k + (g + (2 * e + 1))))) <= grid_bound k e g n.
  Proof.
    intros H1 H2 Hg.
    pose proof (rss_perturbed lo len uniform uniform_nonneg uniform_mass N (/ INR len)) as T.
    specialize (T q_nonneg ltac:(intros; unfold uniform; lra)
                  ltac:(lia) ltac:(lia) a M ltac:(lia) ltac:(lia) k e g n H1 H2 Hg).
    pose proof (grid_bound_ge a k e g n H1 H2) as B. lra.
  Qed.

  Theorem rss_perturbed_count a k e g n :
    (a <= - Z.of_nat e)%Z -> (Z.of_nat e < a + Z.of_nat M)%Z -> (S (g + (2 * e + 1)) <= M)%nat ->
    INR (length (filter (missedb a M (Z.of_nat e) (Z.of_nat (k + (g + (2 * e + 1))))) (cube lo len n)))
      <= grid_bound k e g n * INR len ^ n.
  Proof. intros. apply prob_to_count, rss_perturbed_prob; assumption. Qed.

  (** *** Cells of width 2 / (2 N + 1) tile [-1, 1] *)
  Definition cell_width : R := 2 / INR len.
  Definition in_cell (x : R) (c : Z) : Prop := Rabs (x - cell_width * IZR c) <= cell_width / 2.

  Lemma cell_width_pos : 0 < cell_width.
  Proof. unfold cell_width. apply Rdiv_lt_0_compat; [lra|apply lt_0_INR; lia]. Qed.

  Lemma INR_len : INR len = 2 * INR N + 1.
  Proof. rewrite plus_INR, mult_INR. simpl INR. lra. Qed.

  Lemma cell_exists x (b : nat) : (b <= N)%nat -> Rabs x <= cell_width * (INR b + / 2) ->
    exists c, (- Z.of_nat b <= c <= Z.of_nat b)%Z /\ in_cell x c.
  Proof.
    intros Hb Hx. pose proof cell_width_pos as Hh.
    set (y := x / cell_width).
    assert (Hy : - (INR b + / 2) <= y <= INR b + / 2).
    { pose proof (Rle_abs x). pose proof (Rle_abs (- x)) as A. rewrite Rabs_Ropp in A. unfold y.
      split; apply Rmult_le_reg_r with cell_width; try assumption; unfold Rdiv;
      rewrite ?Rmult_assoc, ?Rinv_l by lra; lra. }
    destruct (archimed (y + / 2)) as [U1 U2].
    set (c0 := (up (y + / 2) - 1)%Z).
    assert (C : IZR c0 <= y + / 2 < IZR c0 + 1) by (unfold c0; rewrite minus_IZR; simpl; lra).
    assert (Lo : (- Z.of_nat b <= c0)%Z).
    { apply le_IZR. rewrite opp_IZR, <- INR_IZR_INZ.
      assert (IZR (- Z.of_nat b) < IZR c0 + 1) by (rewrite opp_IZR, <- INR_IZR_INZ; lra).
      assert (T : (- Z.of_nat b < c0 + 1)%Z) by (apply lt_IZR; rewrite plus_IZR; simpl; lra).
      assert (T2 : (- Z.of_nat b <= c0)%Z) by lia. apply IZR_le in T2. rewrite opp_IZR, <- INR_IZR_INZ in T2. lra. }
    assert (Hi : (c0 <= Z.of_nat b + 1)%Z).
    { apply le_IZR. rewrite plus_IZR, <- INR_IZR_INZ. simpl. lra. }
    assert (Back : forall c, y - / 2 <= IZR c <= y + / 2 -> in_cell x c).
    { intros c Hc. unfold in_cell. replace x with (cell_width * y) by (unfold y; field; lra).
      rewrite <- Rmult_minus_distr_l, Rabs_mult, (Rabs_pos_eq cell_width) by lra.
      assert (Rabs (y - IZR c) <= / 2) by (apply Rabs_le; lra). nra. }
    destruct (Z.eq_dec c0 (Z.of_nat b + 1)) as [E1|E1].
    - exists (Z.of_nat b). split; [lia|]. apply Back.
      rewrite E1, plus_IZR, <- INR_IZR_INZ in C. simpl in C. rewrite <- INR_IZR_INZ. lra.
    - exists c0. split; [lia|]. apply Back. lra.
  Qed.

  Lemma cells_exist xs : Forall (fun x => Rabs x <= 1) xs ->
    exists ks, In ks (cube lo len (length xs)) /\ Forall2 in_cell xs ks.
  Proof.
    induction 1 as [|x xs Hx HF IH].
    - exists nil. split; [left; reflexivity|constructor].
    - destruct IH as (ks & Hk & H2).
      destruct (cell_exists x N (le_n _)) as (c & Hc & Ic).
      { replace (cell_width * (INR N + / 2)) with 1; [assumption|]. unfold cell_width. rewrite INR_len.
        pose proof (pos_INR N). field. lra. }
      exists (c :: ks). split; [|now constructor].
      apply in_cube in Hk. apply in_cube. destruct Hk. split; [simpl; congruence|].
      constructor; [unfold in_support; lia|assumption].
  Qed.

  Lemma subset_sum_cells xs ks : Forall2 in_cell xs ks -> forall m,
    Rabs (subset_sum m xs - cell_width * IZR (int_subset_sum m ks)) <= cell_width / 2 * INR (kept m).
  Proof.
    pose proof cell_width_pos as Hh.
    induction 1 as [|x c xs ks Hx HF IH]; intros [|b m].
    - simpl. rewrite Rmult_0_r, Rminus_0_r, Rabs_R0, Rmult_0_r. lra.
    - simpl subset_sum; simpl int_subset_sum. rewrite Rmult_0_r, Rminus_0_r, Rabs_R0.
      apply Rmult_le_pos; [lra|apply pos_INR].
    - simpl. rewrite Rmult_0_r, Rminus_0_r, Rabs_R0, Rmult_0_r. lra.
    - specialize (IH m). simpl subset_sum; simpl int_subset_sum. rewrite plus_IZR. destruct b.
      + change (kept (true :: m)) with (S (kept m)). rewrite S_INR.
        replace (x + subset_sum m xs - cell_width * (IZR c + IZR (int_subset_sum m ks)))
          with ((x - cell_width * IZR c) + (subset_sum m xs - cell_width * IZR (int_subset_sum m ks))) by ring.
        eapply Rle_trans; [apply Rabs_triang|]. unfold in_cell in Hx. lra.
      + simpl. replace (0 + subset_sum m xs - cell_width * (0 + IZR (int_subset_sum m ks)))
          with (subset_sum m xs - cell_width * IZR (int_subset_sum m ks)) by ring. exact IH.
  Qed.
End Uniform.

Definition fraction_at_most (n : nat) (B : list R -> Prop) (delta : R) : Prop :=
  exists (N : nat) (cells : list (list Z)),
    (forall xs, length xs = n -> Forall (fun x => Rabs x <= 1) xs -> B xs ->
       exists ks, In ks cells /\ Forall2 (in_cell N) xs ks) /\
    INR (length cells) <= delta * INR (2 * N + 1) ^ n.

Definition missed (eta : R) (xs : list R) : Prop :=
  exists z, Rabs z <= / 2 /\ forall m, length m = length xs -> ~ Rabs (z - subset_sum m xs) <= eta.

Definition missed_exactly (eps : R) (xs : list R) : Prop :=
  exists z, Rabs z <= / 2 /\ ~ reachable eps xs z.

(** ** Transfer: a good cell vector makes every sample in the cells good *)
Lemma cells_good (N' e g : nat) (eta : R) xs ks :
  let N := (2 * N')%nat in
  cell_width N * (INR e + INR g + / 2) + INR (length xs) * (cell_width N / 2) <= eta ->
  Forall2 (in_cell N) xs ks ->
  missedb (- Z.of_nat N') (S N) (Z.of_nat (e + g)) 0 ks = false ->
  forall z, Rabs z <= / 2 -> exists m, length m = length xs /\ Rabs (z - subset_sum m xs) <= eta.
Proof.
  intros N Heta Hc Hgood z Hz. pose proof (cell_width_pos N) as Hh.
  assert (Lk : length ks = length xs) by (clear - Hc; induction Hc; simpl; congruence).
  destruct (cell_exists N z N') as (zc & Hzc & Iz).
  { unfold N; lia. }
  { eapply Rle_trans; [exact Hz|]. unfold cell_width. rewrite INR_len. unfold N. rewrite mult_INR. change (INR 2) with 2.
    pose proof (pos_INR N'). apply Rmult_le_reg_r with (2 * (2 * INR N') + 1); [lra|].
    replace (2 / (2 * (2 * INR N') + 1) * (INR N' + / 2) * (2 * (2 * INR N') + 1)) with (2 * (INR N' + / 2)) by (field; lra). lra. }
  rewrite missedb_false_iff in Hgood.
  destruct (Hgood zc) as (m & Hm & Hd). { unfold N in *; lia. }
  exists m. split; [congruence|].
  rewrite Z.mul_0_l, Z.add_0_r in Hd.
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

Theorem rss_cells (N' e g n : nat) (eta : R) :
  let N := (2 * N')%nat in
  (e <= N')%nat -> (g <= N)%nat ->
  cell_width N * (INR e + INR g + / 2) + INR n * (cell_width N / 2) <= eta ->
  fraction_at_most n (missed eta) (grid_bound N 0 e g n).
Proof.
  intros N He Hg Heta. set (a := (- Z.of_nat N')%Z).
  exists N, (filter (missedb a (S N) (Z.of_nat (e + g)) 0) (cube (- Z.of_nat N) (2 * N + 1) n)). split.
  - intros xs Hl HF (z & Hz & Hbad).
    destruct (cells_exist N xs HF) as (ks & Hin & Hc). rewrite Hl in Hin.
    exists ks; split; [|assumption]. apply filter_In. split; [assumption|].
    apply not_false_iff_true. intros Hgood.
    destruct (cells_good N' e g eta xs ks ltac:(rewrite Hl; exact Heta) Hc Hgood z Hz) as (m & Hm & Hd).
    apply (Hbad m Hm Hd).
  - apply (rss_uniform_count N a 0 e g n); unfold a, N; lia.
Qed.

Lemma cells_good_perturbed (N' k g : nat) (eps : R) xs ks :
  let N := (2 * N')%nat in
  (1 <= N')%nat -> cell_width N * (INR k + INR g + 3) <= eps ->
  Forall2 (in_cell N) xs ks ->
  missedb (- Z.of_nat N') (S N) (Z.of_nat 0) (Z.of_nat (k + (g + (2 * 0 + 1)))) ks = false ->
  forall z, Rabs z <= / 2 -> exists m, length m = length xs /\ (1 <= kept m)%nat /\
    Rabs (z - subset_sum m xs) <= eps * INR (kept m).
Proof.
  intros N HN' Heps Hc Hgood z Hz. set (a := (- Z.of_nat N')%Z) in *.
  pose proof (cell_width_pos N) as Hh. pose proof (pos_INR k) as Pk. pose proof (pos_INR g) as Pg.
  assert (Lk : length ks = length xs) by (clear - Hc; induction Hc; simpl; congruence).
  destruct (cell_exists N z N') as (zc & Hzc & Iz).
  { unfold N; lia. }
  { eapply Rle_trans; [exact Hz|]. unfold cell_width. rewrite INR_len. unfold N. rewrite mult_INR. change (INR 2) with 2.
    pose proof (pos_INR N'). apply Rmult_le_reg_r with (2 * (2 * INR N') + 1); [lra|].
    replace (2 / (2 * (2 * INR N') + 1) * (INR N' + / 2) * (2 * (2 * INR N') + 1)) with (2 * (INR N' + / 2)) by (field; lra). lra. }
  rewrite missedb_false_iff in Hgood.
  (* target cell: zc, or its neighbour 1 when zc = 0, so that the network_keep is not empty *)
  set (zt := if (zc =? 0)%Z then 1%Z else zc).
  assert (Hzt : zt <> 0%Z /\ (Z.abs (zc - zt) <= 1)%Z /\ (a <= zt < a + Z.of_nat (S N))%Z).
  { unfold zt, a, N in *. destruct (Z.eqb_spec zc 0); lia. }
  destruct Hzt as (Hzt0 & Hzt1 & Hzt2).
  destruct (Hgood zt Hzt2) as (m & Hm & Hd). simpl Z.of_nat at 1 in Hd.
  assert (Hsz : (1 <= kept m)%nat).
  { destruct (Nat.eq_dec (kept m) 0) as [Z0|NZ]; [|lia]. exfalso.
    rewrite (int_subset_sum_none m ks Z0), Z0 in Hd. lia. }
  exists m. split; [congruence|]. split; [assumption|].
  pose proof (subset_sum_cells N xs ks Hc m) as S1.
  assert (S2 : 1 <= INR (kept m)) by (change 1 with (INR 1); apply le_INR; assumption).
  assert (S3 : Rabs (cell_width N * IZR zt - cell_width N * IZR (int_subset_sum m ks)) <= cell_width N * ((INR k + INR g + 1) * INR (kept m))).
  { rewrite <- Rmult_minus_distr_l, Rabs_mult, (Rabs_pos_eq (cell_width N)) by lra.
    apply Rmult_le_compat_l; [lra|].
    replace (INR k + INR g + 1) with (INR (k + (g + (2 * 0 + 1)))) by (rewrite !plus_INR; simpl; lra).
    rewrite <- mult_INR, INR_IZR_INZ, <- minus_IZR, <- abs_IZR. apply IZR_le. rewrite Nat2Z.inj_mul. lia. }
  assert (S4 : Rabs (cell_width N * IZR zc - cell_width N * IZR zt) <= cell_width N).
  { rewrite <- Rmult_minus_distr_l, Rabs_mult, (Rabs_pos_eq (cell_width N)) by lra.
    rewrite <- minus_IZR, <- abs_IZR. apply IZR_le in Hzt1. simpl in Hzt1. nra. }
  unfold in_cell in Iz.
  replace (z - subset_sum m xs) with ((z - cell_width N * IZR zc) + (cell_width N * IZR zc - cell_width N * IZR zt)
     + (cell_width N * IZR zt - cell_width N * IZR (int_subset_sum m ks)) + - (subset_sum m xs - cell_width N * IZR (int_subset_sum m ks))) by ring.
  eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp.
  eapply Rle_trans; [apply Rplus_le_compat_r, Rabs_triang|].
  eapply Rle_trans; [apply Rplus_le_compat_r, Rplus_le_compat_r, Rabs_triang|].
  apply Rle_trans with (cell_width N * (INR k + INR g + 3) * INR (kept m)); [|nra]. nra.
Qed.

Theorem rss_cells_perturbed (N' k g n : nat) (eps : R) :
  let N := (2 * N')%nat in
  (1 <= N')%nat -> (S (S g) <= N)%nat ->
  cell_width N * (INR k + INR g + 3) <= eps ->
  fraction_at_most n (missed_exactly eps) (grid_bound N k 0 g n).
Proof.
  intros N HN' Hg Heps. set (a := (- Z.of_nat N')%Z).
  assert (Heps0 : 0 <= eps).
  { pose proof (cell_width_pos N). pose proof (pos_INR k). pose proof (pos_INR g). nra. }
  exists N, (filter (missedb a (S N) (Z.of_nat 0) (Z.of_nat (k + (g + (2 * 0 + 1))))) (cube (- Z.of_nat N) (2 * N + 1) n)). split.
  - intros xs Hl HF (z & Hz & Hbad).
    destruct (cells_exist N xs HF) as (ks & Hin & Hc). rewrite Hl in Hin.
    exists ks; split; [|assumption]. apply filter_In. split; [assumption|].
    apply not_false_iff_true. intros Hgood.
    destruct (cells_good_perturbed N' k g eps xs ks HN' Heps Hc Hgood z Hz) as (m & Hm & _ & T).
    apply Hbad. apply reachable_iff; [assumption|]. exists m. split; [assumption|].
    pose proof (Rle_abs (z - subset_sum m xs)). pose proof (Rle_abs (- (z - subset_sum m xs))) as A2. rewrite Rabs_Ropp in A2. lra.
  - apply (rss_perturbed_count N a k 0 g n); unfold a, N; lia.
Qed.

(** ** Closed forms *)
Lemma fraction_mono n B d d' : d <= d' -> fraction_at_most n B d -> fraction_at_most n B d'.
Proof.
  intros Hd (N & cells & H1 & H2). exists N, cells. split; [assumption|].
  eapply Rle_trans; [exact H2|]. apply Rmult_le_compat_r; [|assumption].
  apply pow_le, pos_INR.
Qed.

Lemma choose_resolution (y : R) : 0 <= y -> exists N' : nat, y <= INR (2 * N') <= y + 2.
Proof.
  intros Hy. destruct (archimed (y / 2)) as [U1 U2].
  assert (0 <= up (y / 2))%Z by (apply le_IZR; lra).
  exists (Z.to_nat (up (y / 2))). rewrite mult_INR, INR_IZR_INZ. change (INR 2) with 2.
  rewrite INR_IZR_INZ, Z2Nat.id by assumption. simpl. lra.
Qed.

Lemma grid_parameters (n : nat) (eta : R) : 0 < eta <= 1 ->
  exists N' mean : nat, (mean <= N')%nat /\
    cell_width (2 * N') * (INR mean + INR mean + / 2) + INR n * (cell_width (2 * N') / 2) <= eta /\
    grid_bound (2 * N') 0 mean mean n <= 2.01 * (3 / 4) ^ n / (eta * eta).
Proof.
  intros He. set (mean := (200 * (n + 7))%nat).
  set (En := INR mean). set (nn := INR n).
  assert (Hn : 0 <= nn) by apply pos_INR.
  assert (HE : En = 200 * (nn + 7)).
  { unfold En, mean. rewrite mult_INR, plus_INR. fold nn. simpl INR at 2.
    replace (INR 200) with 200 by (rewrite INR_IZR_INZ; reflexivity). lra. }
  destruct (choose_resolution ((4 * En + nn + 1) / (2 * eta))) as (N' & Lo & Hi).
  { left. apply Rdiv_lt_0_compat; lra. }
  set (N := (2 * N')%nat) in *.
  assert (HNlow : (4 * En + nn + 1) / 2 <= INR N * eta).
  { apply Rmult_le_reg_r with (/ eta); [apply Rinv_0_lt_compat; lra|].
    rewrite (Rmult_assoc (INR N)), Rinv_r, Rmult_1_r by lra.
    eapply Rle_trans; [|exact Lo]. apply Req_le. field. lra. }
  assert (HNup : INR N * eta <= (4 * En + nn + 1) / 2 + 2 * eta).
  { apply Rmult_le_reg_r with (/ eta); [apply Rinv_0_lt_compat; lra|].
    rewrite (Rmult_assoc (INR N)), Rinv_r, Rmult_1_r by lra.
    eapply Rle_trans; [exact Hi|]. apply Req_le. field. lra. }
  assert (HNE : 2 * En <= INR N) by nra.
  assert (HEN' : (mean <= N')%nat).
  { apply INR_le. fold En. unfold N in HNE. rewrite mult_INR in HNE. change (INR 2) with 2 in HNE. lra. }
  exists N', mean. split; [assumption|]. fold N. apply and_comm. split.
  - unfold grid_bound. rewrite !S_INR, plus_INR, mult_INR. change (INR 2) with 2. change (INR 1) with 1. change (INR 0) with 0. fold En.
    rewrite !Rplus_0_r. set (P := (3 / 4) ^ n). assert (0 < P) by (apply pow_lt; lra).
    assert (HMM : (INR N + 1) * eta <= (4 * En + nn + 7) / 2) by lra.
    assert (Hsq : ((INR N + 1) * eta) * ((INR N + 1) * eta) <= (4 * En + nn + 7) / 2 * ((4 * En + nn + 7) / 2)).
    { apply Rmult_le_compat; nra. }
    assert (Hfin : (4 * En + nn + 7) / 2 * ((4 * En + nn + 7) / 2) <= 2.01 * ((2 * En + 1) * (En + 1))).
    { rewrite HE. nra. }
    replace (P * ((INR N + 1) / (2 * En + 1)) * ((INR N + 1) / (En + 1)))
      with (P / (eta * eta) * ((((INR N + 1) * eta) * ((INR N + 1) * eta)) / ((2 * En + 1) * (En + 1)))) by (field; lra).
    replace (2.01 * P / (eta * eta)) with (P / (eta * eta) * 2.01) by (field; lra).
    apply Rmult_le_compat_l; [left; apply Rdiv_lt_0_compat; nra|].
    apply Rmult_le_reg_r with ((2 * En + 1) * (En + 1)); [nra|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l by nra. lra.
  - unfold cell_width. rewrite INR_len. fold En nn.
    replace (2 / (2 * INR N + 1) * (En + En + / 2) + nn * (2 / (2 * INR N + 1) / 2))
      with ((4 * En + nn + 1) / (2 * INR N + 1)) by (pose proof (pos_INR N); field; lra).
    pose proof (pos_INR N).
    apply Rmult_le_reg_r with (2 * INR N + 1); [lra|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. nra.
Qed.

Theorem rss_continuous (n : nat) (eta : R) : 0 < eta <= 1 ->
  fraction_at_most n (missed eta) (2.01 * (3 / 4) ^ n / (eta * eta)).
Proof.
  intros He. destruct (grid_parameters n eta He) as (N' & mean & H1 & H2 & H3).
  eapply fraction_mono; [exact H3|]. apply rss_cells; [assumption|lia|assumption].
Qed.

Lemma grid_parameters_perturbed (n : nat) (eps : R) : 0 < eps <= 1 ->
  exists N' mean : nat, (1 <= N')%nat /\ (S (S mean) <= 2 * N')%nat /\
    cell_width (2 * N') * (INR mean + INR mean + 3) <= eps /\
    grid_bound (2 * N') mean 0 mean n <= 6.2 * (3 / 4) ^ n / (eps * eps).
Proof.
  intros He. set (mean := 100%nat). set (En := INR mean).
  assert (HE : En = 100) by (unfold En, mean; rewrite INR_IZR_INZ; reflexivity).
  destruct (choose_resolution ((2 * En + 3) / eps)) as (N' & Lo & Hi).
  { left. apply Rdiv_lt_0_compat; lra. }
  set (N := (2 * N')%nat) in *.
  assert (HNlow : 2 * En + 3 <= INR N * eps).
  { apply Rmult_le_reg_r with (/ eps); [apply Rinv_0_lt_compat; lra|].
    rewrite (Rmult_assoc (INR N)), Rinv_r, Rmult_1_r by lra. exact Lo. }
  assert (HNup : INR N * eps <= 2 * En + 3 + 2 * eps).
  { apply Rmult_le_reg_r with (/ eps); [apply Rinv_0_lt_compat; lra|].
    rewrite (Rmult_assoc (INR N)), Rinv_r, Rmult_1_r by lra.
    eapply Rle_trans; [exact Hi|]. apply Req_le. field. lra. }
  assert (HNE : 203 <= INR N) by nra.
  assert (HN' : (S (S mean) <= N)%nat).
  { apply INR_le. rewrite !S_INR. fold En. lra. }
  exists N', mean. split; [unfold N in HN'; lia|]. split; [assumption|]. fold N. apply and_comm. split.
  - unfold grid_bound. rewrite !S_INR. change (INR (2 * 0 + 1)) with 1. fold En.
    set (P := (3 / 4) ^ n). assert (0 < P) by (apply pow_lt; lra).
    assert (HMM : (INR N + 1) * eps <= 2 * En + 6) by lra.
    assert (HMK : (INR N + 1 + En) * eps <= 3 * En + 6) by nra.
    assert (Hsq : ((INR N + 1) * eps) * ((INR N + 1 + En) * eps) <= (2 * En + 6) * (3 * En + 6)).
    { apply Rmult_le_compat; try assumption; apply Rmult_le_pos; lra. }
    replace (P * ((INR N + 1) / (1 + En)) * ((INR N + 1 + En) / (En + 1)))
      with (P / (eps * eps) * ((((INR N + 1) * eps) * ((INR N + 1 + En) * eps)) / ((1 + En) * (En + 1)))) by (field; lra).
    replace (6.2 * P / (eps * eps)) with (P / (eps * eps) * 6.2) by (field; lra).
    apply Rmult_le_compat_l; [left; apply Rdiv_lt_0_compat; nra|].
    apply Rmult_le_reg_r with ((1 + En) * (En + 1)); [nra|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l by nra. rewrite HE in *. lra.
  - unfold cell_width. rewrite INR_len. fold En.
    pose proof (pos_INR N).
    apply Rmult_le_reg_r with (2 * INR N + 1); [lra|].
    replace (2 / (2 * INR N + 1) * (En + En + 3) * (2 * INR N + 1)) with (2 * (En + En + 3)) by (field; lra).
    nra.
Qed.

Theorem rss_exact (n : nat) (eps : R) : 0 < eps <= 1 ->
  fraction_at_most n (missed_exactly eps) (6.2 * (3 / 4) ^ n / (eps * eps)).
Proof.
  intros He. destruct (grid_parameters_perturbed n eps He) as (N' & mean & H1 & H2 & H3 & H4).
  eapply fraction_mono; [exact H4|]. apply rss_cells_perturbed; assumption.
Qed.

(** ** Both allowances: the smaller bound holds *)
Definition missed_with_both (eta eps : R) (xs : list R) : Prop :=
  exists z, Rabs z <= / 2 /\ ~ exists v, reachable eps xs v /\ Rabs (z - v) <= eta.

Lemma fraction_subset n (A B : list R -> Prop) delta :
  (forall xs, A xs -> B xs) -> fraction_at_most n B delta -> fraction_at_most n A delta.
Proof. intros H (N & cells & C1 & C2). exists N, cells. split; [|exact C2]. intros xs Hl HF HA. apply C1; auto. Qed.

Theorem rss_with_both (n : nat) (eta eps : R) : 0 < eta <= 1 -> 0 < eps <= 1 ->
  fraction_at_most n (missed_with_both eta eps)
    (Rmin (2.01 * (3 / 4) ^ n / (eta * eta)) (6.2 * (3 / 4) ^ n / (eps * eps))).
Proof.
  intros He Hp. unfold Rmin. destruct Rle_dec.
  - apply (fraction_subset n _ (missed eta)); [|now apply rss_continuous].
    intros xs (z & Hz & H). exists z. split; [assumption|]. intros m Hm Hd. apply H.
    exists (subset_sum m xs). split; [|assumption]. apply reachable_iff; [lra|]. exists m. split; [assumption|].
    assert (0 <= eps * INR (kept m)) by (apply Rmult_le_pos; [lra|apply pos_INR]). lra.
  - apply (fraction_subset n _ (missed_exactly eps)); [|now apply rss_exact].
    intros xs (z & Hz & H). exists z. split; [assumption|]. intros Hr. apply H.
    exists z. split; [assumption|]. replace (z - z) with 0 by lra. rewrite Rabs_R0. lra.
Qed.
