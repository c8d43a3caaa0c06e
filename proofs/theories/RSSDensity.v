(** Floor 6: any law whose density is bounded below on [-1, 1].

    A law of one candidate is given by the masses of the cells of each grid: [mass N c] is the probability of cell c of width 2 / (2 N + 1), for the cells of a
    bounded range. Nothing else is known of it; neither symmetry nor a density is needed, only that every cell of [-1, 1] has mass at least p times
    its width.

    Glossary
      law                      == masses of the cells of all grids: non-negative, summing to 1
      probability_at_most law n event delta == for some N, the event is covered by products of n cells whose product masses sum to at most delta;
                               then n independent candidates of that law fall in the event with probability at most delta
      density_at_least law p   == mass N c >= p cell_width N for |c| <= N

    Main theorems
      rss_density              probability_at_most law n (missed eta) (2.01 (1 - p/2)^n / eta^2), 0 < eta <= 1
      rss_density_exact        probability_at_most law n (missed_exactly eps) (6.2 (1 - p/2)^n / eps^2), 0 < eps <= 1
      uniform_density          U[-1, 1] is such a law, p = 1/2: the rate is 3/4
      density_sane             an event that always happens has probability at least 1 *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS RSSUniform.
Import ListNotations.
Open Scope R_scope.

Record law : Type := {
  low : nat -> Z;
  count_cells : nat -> nat;
  mass : nat -> Z -> R;
  mass_nonneg : forall N x, in_support (low N) (count_cells N) x -> 0 <= mass N x;
  mass_one : forall N, zsum (low N) (count_cells N) (mass N) = 1
}.

Definition cell_probability (l : law) (N n : nat) (Q : list Z -> bool) : R := prob (low l N) (count_cells l N) (mass l N) n Q.

Definition probability_at_most (l : law) (n : nat) (event : list R -> Prop) (delta : R) : Prop :=
  exists (N : nat) (Q : list Z -> bool),
    (forall xs ks, length xs = n -> Forall2 (in_cell N) xs ks -> event xs -> Q ks = true) /\ cell_probability l N n Q <= delta.

Definition density_at_least (l : law) (p : R) : Prop := forall N,
  (low l N <= - Z.of_nat N)%Z /\ (Z.of_nat N < low l N + Z.of_nat (count_cells l N))%Z /\
  forall c, (- Z.of_nat N <= c <= Z.of_nat N)%Z -> p * cell_width N <= mass l N c.

Section Density.
  Variable l : law.
  Variable p : R.
  Hypothesis p_pos : 0 <= p.
  Hypothesis dense : density_at_least l p.

  Lemma q_density N : 0 <= p * cell_width N.
  Proof. pose proof (cell_width_pos N). apply Rmult_le_pos; lra. Qed.

  Lemma rate_density N : 0 <= rate (p * cell_width N * INR (S N)) <= 1 - p / 2.
  Proof.
    destruct (dense N) as (H1 & H2 & H3).
    pose proof (kappa_range (low l N) (count_cells l N) (mass l N) (mass_nonneg l N) (mass_one l N) N (p * cell_width N) (q_density N)
      H3 H1 H2 (S N) ltac:(lia) ltac:(lia)) as K.
    set (y := p * cell_width N * INR (S N)) in *. unfold rate. split; [lra|].
    assert (1 <= cell_width N * INR (S N)).
    { unfold cell_width. rewrite INR_len, S_INR. pose proof (pos_INR N). apply Rmult_le_reg_l with (2 * INR N + 1); [lra|].
      replace ((2 * INR N + 1) * (2 / (2 * INR N + 1) * (INR N + 1))) with (2 * (INR N + 1)) by (field; lra). lra. }
    assert (p * 1 <= p * (cell_width N * INR (S N))) by (apply Rmult_le_compat_l; assumption).
    replace (p * (cell_width N * INR (S N))) with y in H0 by (unfold y; ring). lra.
  Qed.

  (** the bound on the grid, with the rate of the density in place of 3/4 *)
  Lemma density_bound N a k e g n : (a <= - Z.of_nat e)%Z -> (Z.of_nat e < a + Z.of_nat (S N))%Z ->
    rate (p * cell_width N * INR (S N)) ^ n * potential a (S N) k (start a (S N) e) * ((INR (S N) + INR k) / INR (S g))
    <= (1 - p / 2) ^ n * (grid_bound N k e g 0).
  Proof.
    intros H1 H2. unfold grid_bound. simpl ((3 / 4) ^ 0). rewrite Rmult_1_l, <- Rmult_assoc.
    assert (Hp : 0 <= potential a (S N) k (start a (S N) e)).
    { apply potential_nonneg. rewrite count_start by assumption. apply lt_0_INR; lia. }
    pose proof (potential_start N a k e H1 H2). pose proof (pos_INR k). pose proof (pos_INR (S N)).
    assert (0 < INR (S g)) by (apply lt_0_INR; lia).
    apply Rmult_le_compat_r; [apply Rmult_le_pos; [lra|left; now apply Rinv_0_lt_compat]|].
    apply Rmult_le_compat; [apply pow_le, rate_density|assumption|apply pow_incr, rate_density|assumption].
  Qed.

  Lemma remove_power N k e g n c : grid_bound N k e g n <= c * (3 / 4) ^ n -> grid_bound N k e g 0 <= c.
  Proof.
    intros H. assert (P : 0 < (3 / 4) ^ n) by (apply pow_lt; lra). unfold grid_bound in *. simpl ((3 / 4) ^ 0).
    apply Rmult_le_reg_l with ((3 / 4) ^ n); [assumption|]. lra.
  Qed.

  Lemma power_nonneg n : 0 <= (1 - p / 2) ^ n.
  Proof. apply pow_le. pose proof (rate_density 0). lra. Qed.

  Theorem rss_density n eta : 0 < eta <= 1 -> probability_at_most l n (missed eta) (2.01 * (1 - p / 2) ^ n / (eta * eta)).
  Proof.
    intros He. destruct (grid_parameters n eta He) as (N' & E & HE & Hw & Hb).
    set (N := (2 * N')%nat) in *. set (a := (- Z.of_nat N')%Z).
    exists N, (missedb a (S N) (Z.of_nat (E + E)) 0). split.
    - intros xs ks Hl Hc (z & Hz & Hbad). apply not_false_iff_true. intros Hgood.
      destruct (cells_good N' E E eta xs ks ltac:(rewrite Hl; exact Hw) Hc Hgood z Hz) as (m & Hm & Hd).
      exact (Hbad m Hm Hd).
    - destruct (dense N) as (H1 & H2 & H3).
      eapply Rle_trans.
      { apply (rss_general (low l N) (count_cells l N) (mass l N) (mass_nonneg l N) (mass_one l N) N (p * cell_width N) (q_density N) H3 H1 H2
          a (S N) ltac:(lia) ltac:(lia) 0 E E n); [unfold N; lia|].
        rewrite count_start by (unfold a, N; lia). apply lt_0_INR. lia. }
      eapply Rle_trans; [apply density_bound; unfold a, N; lia|].
      replace (2.01 * (1 - p / 2) ^ n / (eta * eta)) with ((1 - p / 2) ^ n * (2.01 / (eta * eta))) by (field; lra).
      apply Rmult_le_compat_l; [apply power_nonneg|]. apply (remove_power N 0 E E n).
      eapply Rle_trans; [exact Hb|]. apply Req_le. field. lra.
  Qed.

  Theorem rss_density_exact n eps : 0 < eps <= 1 -> probability_at_most l n (missed_exactly eps) (6.2 * (1 - p / 2) ^ n / (eps * eps)).
  Proof.
    intros He. destruct (grid_parameters_perturbed n eps He) as (N' & E & HN & HE & Hw & Hb).
    set (N := (2 * N')%nat) in *. set (a := (- Z.of_nat N')%Z).
    exists N, (missedb a (S N) (Z.of_nat 0) (Z.of_nat (E + (E + (2 * 0 + 1))))). split.
    - intros xs ks Hl Hc (z & Hz & Hbad). apply not_false_iff_true. intros Hgood.
      destruct (cells_good_perturbed N' E E eps xs ks HN Hw Hc Hgood z Hz) as (m & Hm & _ & T).
      apply Hbad. apply reachable_iff; [lra|]. exists m. split; [assumption|].
      pose proof (Rle_abs (z - subset_sum m xs)). pose proof (Rle_abs (- (z - subset_sum m xs))) as A2. rewrite Rabs_Ropp in A2. lra.
    - destruct (dense N) as (H1 & H2 & H3).
      eapply Rle_trans.
      { apply (rss_perturbed (low l N) (count_cells l N) (mass l N) (mass_nonneg l N) (mass_one l N) N (p * cell_width N) (q_density N) H3 H1 H2
          a (S N) ltac:(lia) ltac:(lia) E 0 E n); unfold a, N in *; lia. }
      eapply Rle_trans; [apply density_bound; unfold a, N; lia|].
      replace (6.2 * (1 - p / 2) ^ n / (eps * eps)) with ((1 - p / 2) ^ n * (6.2 / (eps * eps))) by (field; lra).
      apply Rmult_le_compat_l; [apply power_nonneg|]. apply (remove_power N E 0 E n).
      eapply Rle_trans; [exact Hb|]. apply Req_le. field. lra.
  Qed.
End Density.

(** ** Sanity: the uniform law, and an event that always happens *)
Definition uniform_law : law := {|
  low := fun N => (- Z.of_nat N)%Z;
  count_cells := fun N => (2 * N + 1)%nat;
  mass := uniform;
  mass_nonneg := uniform_nonneg;
  mass_one := uniform_mass
|}.

Theorem uniform_density : density_at_least uniform_law (/ 2).
Proof.
  intros N. simpl. split; [lia|]. split; [lia|]. intros c _. unfold uniform, cell_width, Rdiv. lra.
Qed.

Lemma centre_in_cell N c : in_cell N (cell_width N * IZR c) c.
Proof. unfold in_cell. replace (cell_width N * IZR c - cell_width N * IZR c) with 0 by lra. rewrite Rabs_R0. pose proof (cell_width_pos N). lra. Qed.

Theorem density_sane l n delta : probability_at_most l n (fun _ => True) delta -> 1 <= delta.
Proof.
  intros (N & Q & H & B). eapply Rle_trans; [|exact B]. unfold cell_probability, prob.
  rewrite <- (expect_const (low l N) (count_cells l N) (mass l N) (mass_one l N) n 1).
  apply expect_le; [apply mass_nonneg|]. intros ks Hk _.
  rewrite (H (map (fun c => cell_width N * IZR c) ks) ks); [simpl; lra|now rewrite map_length| |exact I].
  clear. induction ks; simpl; constructor; [apply centre_in_cell|assumption].
Qed.
