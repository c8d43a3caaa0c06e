(** Floor 6: the wide window. Targets in all of [-1, 1], candidates U[-1, 1].

    On a window of 2 N cells two cells may be further apart than N, and then no candidate leads from one to the other. Still half of the pairs
    (covered y, uncovered z) are near: a far pair y, z has two cells between them, half a window away from each, and one of the three near pairs
    on the path y, ., ., z leads from a covered to an uncovered cell. So the potential contracts by (almost) the same 3/4.

    Glossary
      flow f g y z             == 1 if y is covered by g and z is not covered by f, else 0
      near N y z               == |y - z| <= N
      missed_wide eta xs       == some target |z| <= 1 has no subset sum of xs within eta
      missed_wide_exactly eps xs == some target |z| <= 1 is not exactly a subset sum after shifts of at most eps

    Main theorems
      flow_triangle            flow from y to z <= the sum of flows along a path, if f implies g
      half_of_the_pairs_are_near   2 sum_near flow >= |g| (2 N - |f|)
      growth_wide              growth with kappa = q N
      rss_wide                 fraction_at_most n (missed_wide eta) (8.1 (3/4)^n / eta^2), 0 < eta <= 1
      rss_wide_exact           fraction_at_most n (missed_wide_exactly eps) (21 (3/4)^n / eps^2), 0 < eps <= 1 *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS RSSUniform.
Import ListNotations.
Open Scope R_scope.

(** ** Far pairs are outnumbered by near pairs *)
Definition flow (f g : Z -> bool) (y z : Z) : R := ind (g y) * (1 - ind (f z)).

Lemma flow_nonneg f g y z : 0 <= flow f g y z.
Proof. unfold flow. pose proof (ind_bounds (g y)). pose proof (ind_bounds (f z)). nra. Qed.

Lemma flow_triangle f g x y u z : (forall c, f c = true -> g c = true) ->
  flow f g x z <= flow f g x y + flow f g y u + flow f g u z.
Proof.
  intros H. unfold flow. pose proof (H y) as Hy. pose proof (H u) as Hu.
  destruct (g x), (f z), (f y), (g y), (f u), (g u); simpl; try lra;
  (specialize (Hy eq_refl); discriminate) || (specialize (Hu eq_refl); discriminate).
Qed.

Definition near (N : nat) (y z : Z) : R := ind (Z.abs (z - y) <=? Z.of_nat N)%Z.

Lemma near_bounds N y z : 0 <= near N y z <= 1.
Proof. apply ind_bounds. Qed.

Lemma near_one N y z : (Z.abs (z - y) <= Z.of_nat N)%Z -> near N y z = 1.
Proof. intros H. unfold near. rewrite (proj2 (Z.leb_le _ _) H). reflexivity. Qed.

Section Pairs.
  Variable N : nat.
  Variable a : Z.
  Variable f g : Z -> bool.
  Hypothesis f_g : forall z, f z = true -> g z = true.

  Definition left (s : nat) : Z := (a + Z.of_nat s)%Z.
  Definition right (s : nat) : Z := (a + Z.of_nat N + Z.of_nat s)%Z.
  Notation D := (flow f g).
  Definition pairs (P : nat -> nat -> R) : R := sum N (fun s => sum N (fun t => P s t)).
  Definition before (s t : nat) : R := ind (s <? t)%nat.

  Lemma pairs_le P Q : (forall s t, (s < N)%nat -> (t < N)%nat -> P s t <= Q s t) -> pairs P <= pairs Q.
  Proof. intros H. apply sum_le; intros s Hs. apply sum_le; intros t Ht. now apply H. Qed.
  Lemma pairs_plus P Q : pairs (fun s t => P s t + Q s t) = pairs P + pairs Q.
  Proof. unfold pairs. rewrite <- sum_plus. apply sum_ext; intros s _. apply sum_plus. Qed.
  Lemma pairs_swap P : pairs P = pairs (fun s t => P t s).
  Proof. unfold pairs. apply sum_swap. Qed.

  Lemma window_sum (h : Z -> R) : zsum a (N + N) h = sum N (fun s => h (left s)) + sum N (fun s => h (right s)).
  Proof. rewrite zsum_app. reflexivity. Qed.

  (** a double sum over the window, by halves *)
  Lemma window_pairs (P : Z -> Z -> R) :
    zsum a (N + N) (fun z => zsum a (N + N) (fun y => P y z)) =
    pairs (fun s t => P (left s) (left t)) + pairs (fun s t => P (right s) (right t))
    + (pairs (fun s t => P (left s) (right t)) + pairs (fun s t => P (right s) (left t))).
  Proof.
    rewrite zsum_swap, window_sum.
    rewrite (sum_ext N (fun s => zsum a (N + N) (fun x => P (left s) x))
      (fun s => sum N (fun t => P (left s) (left t)) + sum N (fun t => P (left s) (right t)))) by (intros; apply window_sum).
    rewrite (sum_ext N (fun s => zsum a (N + N) (fun x => P (right s) x))
      (fun s => sum N (fun t => P (right s) (left t)) + sum N (fun t => P (right s) (right t)))) by (intros; apply window_sum).
    rewrite !sum_plus. unfold pairs. ring.
  Qed.

  Definition ll s t := D (left s) (left t).
  Definition rr s t := D (right s) (right t).
  Definition lr s t := D (left s) (right t).
  Definition rl s t := D (right s) (left t).

  Lemma before_split s t : before s t + before t s <= 1.
  Proof.
    unfold before. destruct (Nat.ltb_spec s t), (Nat.ltb_spec t s); simpl; try lra; lia.
  Qed.

  Lemma far_le_near :
    pairs (fun s t => before s t * lr s t) + pairs (fun s t => before t s * rl s t)
    <= pairs ll + pairs rr + (pairs (fun s t => before t s * lr s t) + pairs (fun s t => before s t * rl s t)).
  Proof.
    rewrite (pairs_swap (fun s t => before t s * lr s t)), (pairs_swap (fun s t => before s t * rl s t)).
    rewrite <- !pairs_plus. apply pairs_le. intros s t _ _.
    pose proof (flow_triangle f g (left s) (left t) (right s) (right t) f_g) as T1.
    pose proof (flow_triangle f g (right s) (right t) (left s) (left t) f_g) as T2.
    fold (ll s t) (lr t s) (rr s t) (lr s t) in T1. fold (rr s t) (rl t s) (ll s t) (rl s t) in T2.
    pose proof (before_split s t) as B.
    assert (0 <= ll s t) by (unfold ll; apply flow_nonneg). assert (0 <= rr s t) by (unfold rr; apply flow_nonneg).
    unfold before in *. destruct (s <? t)%nat, (t <? s)%nat; simpl in *; lra.
  Qed.

  Theorem half_of_the_pairs_are_near :
    zsum a (N + N) (fun z => (1 - ind (f z))) * zsum a (N + N) (fun y => ind (g y)) / 2
    <= zsum a (N + N) (fun z => zsum a (N + N) (fun y => D y z * near N y z)).
  Proof.
    assert (Total : zsum a (N + N) (fun z => (1 - ind (f z))) * zsum a (N + N) (fun y => ind (g y))
                    = zsum a (N + N) (fun z => zsum a (N + N) (fun y => D y z))).
    { rewrite Rmult_comm, <- zsum_scal. apply zsum_ext; intros z _.
      rewrite Rmult_comm, <- zsum_scal. apply zsum_ext; intros y _. unfold flow. ring. }
    rewrite Total, !window_pairs. fold ll rr lr rl.
    change (pairs (fun s t => D (left s) (left t))) with (pairs ll).
    change (pairs (fun s t => D (right s) (right t))) with (pairs rr).
    change (pairs (fun s t => D (left s) (right t))) with (pairs lr).
    change (pairs (fun s t => D (right s) (left t))) with (pairs rl).
    assert (N1 : pairs ll <= pairs (fun s t => D (left s) (left t) * near N (left s) (left t))).
    { apply pairs_le. intros s t Hs Ht. rewrite near_one by (unfold left; lia). unfold ll. lra. }
    assert (N2 : pairs rr <= pairs (fun s t => D (right s) (right t) * near N (right s) (right t))).
    { apply pairs_le. intros s t Hs Ht. rewrite near_one by (unfold right; lia). unfold rr. lra. }
    assert (N3 : pairs (fun s t => (1 - before s t) * lr s t) <= pairs (fun s t => D (left s) (right t) * near N (left s) (right t))).
    { apply pairs_le. intros s t Hs Ht. unfold before. fold (lr s t). pose proof (flow_nonneg f g (left s) (right t)) as P. fold (lr s t) in P.
      destruct (Nat.ltb_spec s t); simpl.
      - pose proof (near_bounds N (left s) (right t)). nra.
      - rewrite near_one by (unfold left, right; lia). lra. }
    assert (N4 : pairs (fun s t => (1 - before t s) * rl s t) <= pairs (fun s t => D (right s) (left t) * near N (right s) (left t))).
    { apply pairs_le. intros s t Hs Ht. unfold before. fold (rl s t). pose proof (flow_nonneg f g (right s) (left t)) as P. fold (rl s t) in P.
      destruct (Nat.ltb_spec t s); simpl.
      - pose proof (near_bounds N (right s) (left t)). nra.
      - rewrite near_one by (unfold left, right; lia). lra. }
    assert (S3 : pairs lr = pairs (fun s t => (1 - before s t) * lr s t) + pairs (fun s t => before s t * lr s t)).
    { rewrite <- pairs_plus. unfold pairs. apply sum_ext; intros s _. apply sum_ext; intros t _. ring. }
    assert (S4 : pairs rl = pairs (fun s t => (1 - before t s) * rl s t) + pairs (fun s t => before t s * rl s t)).
    { rewrite <- pairs_plus. unfold pairs. apply sum_ext; intros s _. apply sum_ext; intros t _. ring. }
    assert (O3 : pairs (fun s t => before t s * lr s t) <= pairs (fun s t => (1 - before s t) * lr s t)).
    { apply pairs_le. intros s t _ _. pose proof (before_split s t). pose proof (flow_nonneg f g (left s) (right t)) as P. fold (lr s t) in P. nra. }
    assert (O4 : pairs (fun s t => before s t * rl s t) <= pairs (fun s t => (1 - before t s) * rl s t)).
    { apply pairs_le. intros s t _ _. pose proof (before_split s t). pose proof (flow_nonneg f g (right s) (left t)) as P. fold (rl s t) in P. nra. }
    pose proof far_le_near. lra.
  Qed.
End Pairs.

(** ** Growth on a window of 2 N cells *)
Section Growth.
  Variable lo : Z.
  Variable len : nat.
  Variable w : Z -> R.
  Hypothesis w_nonneg : forall x, in_support lo len x -> 0 <= w x.
  Hypothesis w_one : zsum lo len w = 1.
  Variable N : nat.
  Variable q : R.
  Hypothesis q_nonneg : 0 <= q.
  Hypothesis w_min : forall x, (- Z.of_nat N <= x <= Z.of_nat N)%Z -> q <= w x.
  Hypothesis support_low : (lo <= - Z.of_nat N)%Z.
  Hypothesis support_high : (Z.of_nat N < lo + Z.of_nat len)%Z.
  Variable a : Z.
  Hypothesis N_pos : (0 < N)%nat.
  Notation M := (N + N)%nat.

  (** A target is hit with probability at least q for each covered cell near it. *)
  Lemma hit_near g z : inside a M g -> (a <= z < a + Z.of_nat M)%Z ->
    q * zsum a M (fun y => ind (g y) * near N y z) <= mean lo len w (fun x => ind (g (z - x)%Z)).
  Proof.
    intros S Hz. unfold mean.
    apply Rle_trans with (zsum (- Z.of_nat N) (2 * N + 1) (fun x => w x * ind (g (z - x)%Z))).
    2:{ apply zsum_sub; [|lia|lia]. intros x Hx. apply Rmult_le_pos; [now apply w_nonneg|apply ind_bounds]. }
    apply Rle_trans with (q * zsum (- Z.of_nat N) (2 * N + 1) (fun x => ind (g (z - x)%Z))).
    2:{ rewrite <- zsum_scal. apply zsum_le. intros x Hx. apply Rmult_le_compat_r; [apply ind_bounds|]. apply w_min. lia. }
    apply Rmult_le_compat_l; [assumption|].
    rewrite (zsum_reflect (- Z.of_nat N) (2 * N + 1) z (fun y => ind (g y))).
    set (b := (z - - Z.of_nat N - Z.of_nat (2 * N + 1) + 1)%Z).
    set (c := Z.min a b). set (K := Z.to_nat (Z.max (a + Z.of_nat M) (b + Z.of_nat (2 * N + 1)) - c)).
    apply Rle_trans with (zsum c K (fun y => ind (g y) * near N y z)).
    - apply zsum_sub; [|unfold c; lia|unfold K, c; lia].
      intros y _. apply Rmult_le_pos; [apply ind_bounds|apply near_bounds].
    - rewrite (zsum_shrink_support b (2 * N + 1) c K).
      + apply zsum_le. intros y _. pose proof (near_bounds N y z). pose proof (ind_bounds (g y)). nra.
      + intros y Hy. unfold near in Hy. destruct (Z.abs (z - y) <=? Z.of_nat N)%Z eqn:E1; [|simpl in Hy; lra].
        apply Z.leb_le in E1. unfold b. lia.
      + unfold c; lia.
      + unfold K, c; lia.
  Qed.

  Theorem growth_wide k f : inside a M f ->
    count a M f + q * INR N * (INR M - count a M f) * count a M (dilate a M k f) / INR M
      <= mean lo len w (fun x => count a M (step a M k f x)).
  Proof.
    intros S. set (g := dilate a M k f). assert (Sg : inside a M g) by now apply dilate_inside.
    assert (HN : 0 < INR N) by now apply lt_0_INR.
    rewrite (mean_step lo len w w_one a M (fun x => x) k f). apply Rplus_le_compat_l. fold g.
    apply Rle_trans with (zsum a M (fun z => (1 - ind (f z)) * (q * zsum a M (fun y => ind (g y) * near N y z)))).
    2:{ apply zsum_le; intros z Hz. apply Rmult_le_compat_l; [pose proof (ind_bounds (f z)); lra|]. now apply hit_near. }
    rewrite (zsum_ext a M _ (fun z => q * zsum a M (fun y => flow f g y z * near N y z))).
    2:{ intros z _. rewrite <- (Rmult_assoc _ q), (Rmult_comm _ q), Rmult_assoc. f_equal.
        rewrite <- zsum_scal. apply zsum_ext; intros y _. unfold flow. ring. }
    rewrite zsum_scal.
    pose proof (half_of_the_pairs_are_near N a f g (fun z H => dilate_incl a M k f z H)) as P.
    assert (C : zsum a M (fun z => 1 - ind (f z)) = INR M - count a M f).
    { rewrite (zsum_ext a M _ (fun z => 1 + (-1) * ind (f z))) by (intros; lra).
      rewrite zsum_plus, zsum_const, zsum_scal. unfold count. ring. }
    rewrite C in P. fold (count a M g) in P.
    replace (q * INR N * (INR M - count a M f) * count a M g / INR M) with (q * ((INR M - count a M f) * count a M g / 2))
      by (rewrite plus_INR; field; lra).
    now apply Rmult_le_compat_l.
  Qed.
End Growth.

(** ** The uniform law on the grid *)
Section Uniform.
  Variable N : nat.
  Hypothesis N_pos : (0 < N)%nat.
  Notation lo := (- Z.of_nat N)%Z.
  Notation len := (2 * N + 1)%nat.
  Notation M := (N + N)%nat.
  Definition kappa_wide : R := / INR len * INR N.

  Lemma kappa_wide_range : 0 <= kappa_wide <= 1.
  Proof.
    unfold kappa_wide. rewrite INR_len. assert (0 < INR N) by now apply lt_0_INR.
    split; [apply Rmult_le_pos; [left; apply Rinv_0_lt_compat|]; lra|].
    apply Rmult_le_reg_l with (2 * INR N + 1); [lra|].
    rewrite <- Rmult_assoc, Rinv_r by lra. lra.
  Qed.

  (** the rate is 3/4, up to a factor that is nearly 1 when N is large against n *)
  Lemma rate_wide_pow n : (400 * n <= N)%nat -> rate kappa_wide ^ n <= 1.001 * (3 / 4) ^ n.
  Proof.
    intros Hn. assert (HN : 0 < INR N) by now apply lt_0_INR.
    set (t := / (3 * (2 * INR N + 1))).
    assert (Ht : 0 < t) by (unfold t; apply Rinv_0_lt_compat; lra).
    assert (E : rate kappa_wide = 3 / 4 * (1 + t)).
    { unfold rate, kappa_wide, t. rewrite INR_len. field. lra. }
    rewrite E, Rpow_mult_distr.
    assert (Hnt : INR n * t <= / 2400).
    { apply le_INR in Hn. rewrite mult_INR in Hn. replace (INR 400) with 400 in Hn by (rewrite INR_IZR_INZ; reflexivity).
      unfold t. apply Rmult_le_reg_r with (3 * (2 * INR N + 1)); [lra|]. rewrite Rmult_assoc, Rinv_l by lra. lra. }
    pose proof (bernoulli_high n t ltac:(lra) ltac:(lra)).
    assert (0 < (3 / 4) ^ n) by (apply pow_lt; lra). nra.
  Qed.

  Definition wide_bound (k e g n : nat) : R :=
    1.001 * (3 / 4) ^ n * (INR M / (INR (2 * e + 1) + INR k)) * ((INR M + INR k) / INR (S g)).

  Lemma wide_bound_ge k e g n : (e < N)%nat -> (400 * n <= N)%nat ->
    rate kappa_wide ^ n * potential lo M k (start lo M e) * ((INR M + INR k) / INR (S g)) <= wide_bound k e g n.
  Proof.
    intros He Hn. unfold wide_bound.
    assert (Hc : count lo M (start lo M e) = INR (2 * e + 1)) by (apply count_start; lia).
    assert (H1 : 0 < INR (2 * e + 1)) by (apply lt_0_INR; lia).
    assert (Hp : 0 <= potential lo M k (start lo M e)) by (apply potential_nonneg; rewrite Hc; assumption).
    assert (Hp2 : potential lo M k (start lo M e) <= INR M / (INR (2 * e + 1) + INR k)).
    { unfold potential. rewrite Hc. pose proof (pos_INR k). apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; lra|lra]. }
    pose proof (pos_INR k). pose proof (pos_INR M). assert (0 < INR (S g)) by (apply lt_0_INR; lia).
    apply Rmult_le_compat_r; [apply Rmult_le_pos; [lra|left; now apply Rinv_0_lt_compat]|].
    apply Rmult_le_compat; [|assumption|now apply rate_wide_pow|assumption].
    apply pow_le. unfold rate. pose proof kappa_wide_range. lra.
  Qed.

  Lemma growth_uniform k : forall (t : nat) f, inside lo M f ->
    count lo M f + kappa_wide * (INR M - count lo M f) * count lo M (dilate lo M k f) / INR M
      <= mean lo len (uniform N) (fun x => count lo M (step lo M k f x)).
  Proof.
    intros _ f S. apply (growth_wide lo len (uniform N) (uniform_nonneg N) (uniform_mass N) N (/ INR len)); try lia; try assumption.
    - apply q_nonneg.
    - intros; unfold uniform; lra.
  Qed.

  Theorem rss_wide_count k e g n : (e < N)%nat -> (S g <= M)%nat -> (400 * n <= N)%nat ->
    INR (length (filter (missedb lo M (Z.of_nat (e + g)) (Z.of_nat k)) (cube lo len n))) <= wide_bound k e g n * INR len ^ n.
  Proof.
    intros He Hg Hn. apply prob_to_count. eapply Rle_trans; [|apply wide_bound_ge; assumption].
    assert (Hpos : 0 < count lo M (start lo M e)) by (rewrite count_start by lia; apply lt_0_INR; lia).
    eapply Rle_trans; [|apply (rss_by_growth lo len (uniform N) (uniform_nonneg N) (uniform_mass N) (fun _ x => x) lo M ltac:(lia) k
      kappa_wide kappa_wide_range (growth_uniform k) e g n Hg Hpos)].
    apply Req_le. apply expect_ext; [apply uniform_nonneg|]. intros l _ _. now rewrite reads_id.
  Qed.

  Theorem rss_wide_perturbed_count k e g n : (e < N)%nat -> (S (g + (2 * e + 1)) <= M)%nat -> (400 * n <= N)%nat ->
    INR (length (filter (missedb lo M (Z.of_nat e) (Z.of_nat (k + (g + (2 * e + 1))))) (cube lo len n)))
      <= wide_bound k e g n * INR len ^ n.
  Proof.
    intros He Hg Hn. apply prob_to_count. eapply Rle_trans; [|apply wide_bound_ge; assumption].
    eapply Rle_trans; [|apply (rss_by_growth_perturbed lo len (uniform N) (uniform_nonneg N) (uniform_mass N) (fun _ x => x) lo M ltac:(lia) k
      kappa_wide kappa_wide_range (growth_uniform k) e g n ltac:(lia) ltac:(lia) Hg)].
    apply Req_le. apply expect_ext; [apply uniform_nonneg|]. intros l _ _. now rewrite reads_id.
  Qed.

  (** ** From cells to real samples *)
  Lemma cell_error xs ks z c m : Forall2 (in_cell N) xs ks ->
    Rabs (z - subset_sum m xs) <=
    Rabs (z - cell_width N * IZR c) + cell_width N * IZR (Z.abs (c - int_subset_sum m ks)) + cell_width N / 2 * INR (kept m).
  Proof.
    intros Hc. pose proof (cell_width_pos N) as Hh. pose proof (subset_sum_cells N xs ks Hc m) as S1.
    rewrite abs_IZR, minus_IZR.
    replace (z - subset_sum m xs) with ((z - cell_width N * IZR c) + cell_width N * (IZR c - IZR (int_subset_sum m ks))
      + - (subset_sum m xs - cell_width N * IZR (int_subset_sum m ks))) by ring.
    eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp.
    eapply Rle_trans; [apply Rplus_le_compat_r, Rabs_triang|].
    rewrite (Rabs_mult (cell_width N)), (Rabs_pos_eq (cell_width N)) by lra. lra.
  Qed.

  (** a target of [-1, 1] has a cell of the window within one and a half cells, and it can be chosen different from 0 *)
  Lemma target_cell z : (2 <= N)%nat -> Rabs z <= 1 ->
    exists c, (lo <= c < lo + Z.of_nat M)%Z /\ c <> 0%Z /\ Rabs (z - cell_width N * IZR c) <= cell_width N * (3 / 2).
  Proof.
    intros HN Hz. pose proof (cell_width_pos N) as Hh.
    destruct (cell_exists N z N (le_n _)) as (c & Hc & Ic).
    { replace (cell_width N * (INR N + / 2)) with 1; [assumption|]. unfold cell_width. rewrite INR_len.
      pose proof (pos_INR N). field. lra. }
    set (c' := if (c =? 0)%Z then 1%Z else if (c =? Z.of_nat N)%Z then (c - 1)%Z else c).
    assert (H : (lo <= c' < lo + Z.of_nat M)%Z /\ c' <> 0%Z /\ (Z.abs (c - c') <= 1)%Z).
    { unfold c'. destruct (Z.eqb_spec c 0), (Z.eqb_spec c (Z.of_nat N)); lia. }
    destruct H as (H1 & H2 & H3). exists c'. split; [assumption|]. split; [assumption|].
    replace (z - cell_width N * IZR c') with ((z - cell_width N * IZR c) + cell_width N * IZR (c - c')) by (rewrite minus_IZR; ring).
    eapply Rle_trans; [apply Rabs_triang|]. unfold in_cell in Ic.
    rewrite Rabs_mult, (Rabs_pos_eq (cell_width N)), <- abs_IZR by lra.
    apply IZR_le in H3. simpl in H3. nra.
  Qed.

  Lemma cells_good_wide e g eta xs ks : (2 <= N)%nat ->
    cell_width N * (INR e + INR g + 3 / 2) + INR (length xs) * (cell_width N / 2) <= eta ->
    Forall2 (in_cell N) xs ks -> missedb lo M (Z.of_nat (e + g)) 0 ks = false ->
    forall z, Rabs z <= 1 -> exists m, length m = length xs /\ Rabs (z - subset_sum m xs) <= eta.
  Proof.
    intros HN Heta Hc Hgood z Hz. pose proof (cell_width_pos N) as Hh.
    assert (Lk : length ks = length xs) by (clear - Hc; induction Hc; simpl; congruence).
    destruct (target_cell z HN Hz) as (c & Hw & _ & Hzc).
    rewrite missedb_false_iff in Hgood. destruct (Hgood c Hw) as (m & Hm & Hd).
    rewrite Z.mul_0_l, Z.add_0_r in Hd. apply IZR_le in Hd. rewrite <- (INR_IZR_INZ (e + g)), plus_INR in Hd.
    exists m. split; [congruence|]. pose proof (cell_error xs ks z c m Hc) as B.
    assert (S2 : INR (kept m) <= INR (length xs)) by (apply le_INR; pose proof (kept_le m); lia).
    assert (cell_width N * IZR (Z.abs (c - int_subset_sum m ks)) <= cell_width N * (INR e + INR g)) by (apply Rmult_le_compat_l; lra).
    assert (cell_width N / 2 * INR (kept m) <= cell_width N / 2 * INR (length xs)) by (apply Rmult_le_compat_l; lra).
    lra.
  Qed.

  Lemma cells_good_wide_perturbed k g eps xs ks : (2 <= N)%nat ->
    cell_width N * (INR k + INR g + 3) <= eps ->
    Forall2 (in_cell N) xs ks -> missedb lo M (Z.of_nat 0) (Z.of_nat (k + (g + (2 * 0 + 1)))) ks = false ->
    forall z, Rabs z <= 1 -> exists m, length m = length xs /\ (1 <= kept m)%nat /\ Rabs (z - subset_sum m xs) <= eps * INR (kept m).
  Proof.
    intros HN Heps Hc Hgood z Hz. pose proof (cell_width_pos N) as Hh. pose proof (pos_INR k). pose proof (pos_INR g).
    assert (Lk : length ks = length xs) by (clear - Hc; induction Hc; simpl; congruence).
    destruct (target_cell z HN Hz) as (c & Hw & Hc0 & Hzc).
    rewrite missedb_false_iff in Hgood. destruct (Hgood c Hw) as (m & Hm & Hd). simpl Z.of_nat at 1 in Hd.
    assert (Hsz : (1 <= kept m)%nat).
    { destruct (Nat.eq_dec (kept m) 0) as [Z0|NZ]; [|lia]. exfalso.
      rewrite (int_subset_sum_none m ks Z0), Z0 in Hd. lia. }
    exists m. split; [congruence|]. split; [assumption|].
    pose proof (cell_error xs ks z c m Hc) as B.
    rewrite Z.add_0_l, <- Nat2Z.inj_mul in Hd. apply IZR_le in Hd. rewrite <- INR_IZR_INZ, mult_INR, !plus_INR in Hd.
    change (INR (2 * 0 + 1)) with 1 in Hd. simpl (INR (2 * 0)) in Hd. simpl (INR 1) in Hd.
    assert (S2 : 1 <= INR (kept m)) by (change 1 with (INR 1); apply le_INR; assumption).
    set (r := INR (kept m)) in *.
    assert (cell_width N * IZR (Z.abs (c - int_subset_sum m ks)) <= cell_width N * ((INR k + INR g + 1) * r)) by (apply Rmult_le_compat_l; lra).
    assert (cell_width N * (INR k + INR g + 3) * r <= eps * r) by (apply Rmult_le_compat_r; lra).
    assert (cell_width N * (3 / 2) <= cell_width N * (3 / 2) * r) by nra.
    lra.
  Qed.
End Uniform.

Definition missed_wide (eta : R) (xs : list R) : Prop :=
  exists z, Rabs z <= 1 /\ forall m, length m = length xs -> ~ Rabs (z - subset_sum m xs) <= eta.

Definition missed_wide_exactly (eps : R) (xs : list R) : Prop := exists z, Rabs z <= 1 /\ ~ reachable eps xs z.

(** ** Closed forms *)
Lemma wide_parameters n eta : 0 < eta <= 1 ->
  exists N E : nat, (2 <= N)%nat /\ (E < N)%nat /\ (400 * n <= N)%nat /\
    cell_width N * (INR E + INR E + 3 / 2) + INR n * (cell_width N / 2) <= eta /\
    wide_bound N 0 E E n <= 8.1 * (3 / 4) ^ n / (eta * eta).
Proof.
  intros He. set (E := (200 * (n + 7))%nat). set (En := INR E). set (nn := INR n).
  assert (Hn : 0 <= nn) by apply pos_INR.
  assert (HE : En = 200 * (nn + 7)).
  { unfold En, E. rewrite mult_INR, plus_INR. fold nn. simpl INR at 2.
    replace (INR 200) with 200 by (rewrite INR_IZR_INZ; reflexivity). lra. }
  destruct (choose_resolution ((4 * En + nn + 3) / (2 * eta))) as (N' & Lo & Hi).
  { left. apply Rdiv_lt_0_compat; lra. }
  set (N := (2 * N')%nat) in *.
  assert (HNlow : (4 * En + nn + 3) / 2 <= INR N * eta).
  { apply Rmult_le_reg_r with (/ eta); [apply Rinv_0_lt_compat; lra|].
    rewrite (Rmult_assoc (INR N)), Rinv_r, Rmult_1_r by lra. eapply Rle_trans; [|exact Lo]. apply Req_le. field. lra. }
  assert (HNup : INR N * eta <= (4 * En + nn + 3) / 2 + 2 * eta).
  { apply Rmult_le_reg_r with (/ eta); [apply Rinv_0_lt_compat; lra|].
    rewrite (Rmult_assoc (INR N)), Rinv_r, Rmult_1_r by lra. eapply Rle_trans; [exact Hi|]. apply Req_le. field. lra. }
  assert (HNE : 2 * En + 1 <= INR N) by nra.
  exists N, E. split; [|split; [|split; [|apply and_comm; split]]].
  - apply INR_le. change (INR 2) with 2. lra.
  - apply INR_lt. fold En. lra.
  - apply INR_le. rewrite mult_INR. fold nn. replace (INR 400) with 400 by (rewrite INR_IZR_INZ; reflexivity). lra.
  - unfold wide_bound. rewrite !S_INR, !plus_INR, mult_INR. change (INR 2) with 2. change (INR 1) with 1. change (INR 0) with 0. fold En.
    rewrite !Rplus_0_r. set (P := (3 / 4) ^ n). assert (0 < P) by (apply pow_lt; lra). set (x := INR N) in *.
    assert (HMM : (x + x) * eta <= 4 * En + nn + 7) by lra.
    assert (Hsq : ((x + x) * eta) * ((x + x) * eta) <= (4 * En + nn + 7) * (4 * En + nn + 7)).
    { apply Rmult_le_compat; nra. }
    assert (Hfin : 1.001 * ((4 * En + nn + 7) * (4 * En + nn + 7)) <= 8.1 * ((2 * En + 1) * (En + 1))).
    { rewrite HE. nra. }
    replace (1.001 * P * ((x + x) / (2 * En + 1)) * ((x + x) / (En + 1)))
      with (P / (eta * eta) * (1.001 * (((x + x) * eta) * ((x + x) * eta)) / ((2 * En + 1) * (En + 1)))) by (field; lra).
    replace (8.1 * P / (eta * eta)) with (P / (eta * eta) * 8.1) by (field; lra).
    apply Rmult_le_compat_l; [left; apply Rdiv_lt_0_compat; nra|].
    apply Rmult_le_reg_r with ((2 * En + 1) * (En + 1)); [nra|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l by nra. lra.
  - unfold cell_width. rewrite INR_len. fold En nn.
    replace (2 / (2 * INR N + 1) * (En + En + 3 / 2) + nn * (2 / (2 * INR N + 1) / 2))
      with ((4 * En + nn + 3) / (2 * INR N + 1)) by (pose proof (pos_INR N); field; lra).
    pose proof (pos_INR N). apply Rmult_le_reg_r with (2 * INR N + 1); [lra|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. nra.
Qed.

Theorem rss_wide (n : nat) (eta : R) : 0 < eta <= 1 ->
  fraction_at_most n (missed_wide eta) (8.1 * (3 / 4) ^ n / (eta * eta)).
Proof.
  intros He. destruct (wide_parameters n eta He) as (N & E & H2 & HE & Hn & Hw & Hb).
  eapply fraction_mono; [exact Hb|].
  exists N, (filter (missedb (- Z.of_nat N) (N + N) (Z.of_nat (E + E)) 0) (cube (- Z.of_nat N) (2 * N + 1) n)). split.
  - intros xs Hl HF (z & Hz & Hbad).
    destruct (cells_exist N xs HF) as (ks & Hin & Hc). rewrite Hl in Hin.
    exists ks; split; [|assumption]. apply filter_In. split; [assumption|].
    apply not_false_iff_true. intros Hgood.
    destruct (cells_good_wide N ltac:(lia) E E eta xs ks H2 ltac:(rewrite Hl; exact Hw) Hc Hgood z Hz) as (m & Hm & Hd).
    exact (Hbad m Hm Hd).
  - apply (rss_wide_count N ltac:(lia) 0 E E n); lia.
Qed.

Lemma wide_parameters_perturbed n eps : 0 < eps <= 1 ->
  exists N E : nat, (2 <= N)%nat /\ (S (E + (2 * 0 + 1)) <= N + N)%nat /\ (400 * n <= N)%nat /\
    cell_width N * (INR E + INR E + 3) <= eps /\
    wide_bound N E 0 E n <= 21 * (3 / 4) ^ n / (eps * eps).
Proof.
  intros He. set (E := (200 * (n + 1))%nat). set (En := INR E). set (nn := INR n).
  assert (Hn : 0 <= nn) by apply pos_INR.
  assert (HE : En = 200 * (nn + 1)).
  { unfold En, E. rewrite mult_INR, plus_INR. fold nn. change (INR 1) with 1.
    replace (INR 200) with 200 by (rewrite INR_IZR_INZ; reflexivity). lra. }
  destruct (choose_resolution ((2 * En + 3) / eps)) as (N' & Lo & Hi).
  { left. apply Rdiv_lt_0_compat; lra. }
  set (N := (2 * N')%nat) in *.
  assert (HNlow : 2 * En + 3 <= INR N * eps).
  { apply Rmult_le_reg_r with (/ eps); [apply Rinv_0_lt_compat; lra|].
    rewrite (Rmult_assoc (INR N)), Rinv_r, Rmult_1_r by lra. exact Lo. }
  assert (HNup : INR N * eps <= 2 * En + 3 + 2 * eps).
  { apply Rmult_le_reg_r with (/ eps); [apply Rinv_0_lt_compat; lra|].
    rewrite (Rmult_assoc (INR N)), Rinv_r, Rmult_1_r by lra. eapply Rle_trans; [exact Hi|]. apply Req_le. field. lra. }
  assert (HNE : 2 * En + 3 <= INR N) by nra.
  exists N, E. split; [|split; [|split; [|apply and_comm; split]]].
  - apply INR_le. change (INR 2) with 2. lra.
  - apply INR_le. rewrite S_INR, !plus_INR. change (INR (2 * 0)) with 0. change (INR 1) with 1. fold En. lra.
  - apply INR_le. rewrite mult_INR. fold nn. replace (INR 400) with 400 by (rewrite INR_IZR_INZ; reflexivity). lra.
  - unfold wide_bound. rewrite !S_INR, (plus_INR N N). change (INR (2 * 0 + 1)) with 1. fold En.
    set (P := (3 / 4) ^ n). assert (0 < P) by (apply pow_lt; lra). set (x := INR N) in *.
    assert (HMM : (x + x) * eps <= 4 * En + 10) by lra.
    assert (HMK : (x + x + En) * eps <= 5 * En + 10) by nra.
    assert (Hsq : ((x + x) * eps) * ((x + x + En) * eps) <= (4 * En + 10) * (5 * En + 10)).
    { apply Rmult_le_compat; try assumption; apply Rmult_le_pos; lra. }
    assert (Hfin : 1.001 * ((4 * En + 10) * (5 * En + 10)) <= 21 * ((1 + En) * (En + 1))).
    { rewrite HE. nra. }
    replace (1.001 * P * ((x + x) / (1 + En)) * ((x + x + En) / (En + 1)))
      with (P / (eps * eps) * (1.001 * (((x + x) * eps) * ((x + x + En) * eps)) / ((1 + En) * (En + 1)))) by (field; lra).
    replace (21 * P / (eps * eps)) with (P / (eps * eps) * 21) by (field; lra).
    apply Rmult_le_compat_l; [left; apply Rdiv_lt_0_compat; nra|].
    apply Rmult_le_reg_r with ((1 + En) * (En + 1)); [nra|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l by nra. lra.
  - unfold cell_width. rewrite INR_len. fold En. pose proof (pos_INR N).
    apply Rmult_le_reg_r with (2 * INR N + 1); [lra|].
    replace (2 / (2 * INR N + 1) * (En + En + 3) * (2 * INR N + 1)) with (2 * (En + En + 3)) by (field; lra). nra.
Qed.

Theorem rss_wide_exact (n : nat) (eps : R) : 0 < eps <= 1 ->
  fraction_at_most n (missed_wide_exactly eps) (21 * (3 / 4) ^ n / (eps * eps)).
Proof.
  intros He. destruct (wide_parameters_perturbed n eps He) as (N & E & H2 & HE & Hn & Hw & Hb).
  eapply fraction_mono; [exact Hb|].
  exists N, (filter (missedb (- Z.of_nat N) (N + N) (Z.of_nat 0) (Z.of_nat (E + (E + (2 * 0 + 1))))) (cube (- Z.of_nat N) (2 * N + 1) n)). split.
  - intros xs Hl HF (z & Hz & Hbad).
    destruct (cells_exist N xs HF) as (ks & Hin & Hc). rewrite Hl in Hin.
    exists ks; split; [|assumption]. apply filter_In. split; [assumption|].
    apply not_false_iff_true. intros Hgood.
    destruct (cells_good_wide_perturbed N ltac:(lia) E E eps xs ks H2 Hw Hc Hgood z Hz) as (m & Hm & _ & T).
    apply Hbad. apply reachable_iff; [lra|]. exists m. split; [assumption|].
    pose proof (Rle_abs (z - subset_sum m xs)). pose proof (Rle_abs (- (z - subset_sum m xs))) as A2. rewrite Rabs_Ropp in A2. lra.
  - apply (rss_wide_perturbed_count N ltac:(lia) E 0 E n); lia.
Qed.
