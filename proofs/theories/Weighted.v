(** Floor 6: random subset sum for any law, in a window of any length, with a weight on the targets.

    The covered fraction of RSS.v becomes a weighted mass. In place of one number for the law (its least density) the proof uses the flow between a set and
    its complement: how much weight one candidate carries over. If the flow is at least lambda times that of a perfectly mixing law, the potential
    Phi / mass - 1 contracts by 1 - lambda. A certificate for lambda is a comparison of matrices (Flow.v).

    Glossary
      weighted phi f           == the sum of phi over the covered cells of the window (a, M)
      chance x                 == the weight of the draw x, 0 outside the support
      blend p q                == p q / (p + q)
      flow phi f               == the sum of chance (z - y) blend (phi y) (phi z) over covered y and uncovered z
      mixes phi lambda         == flow f >= lambda mass (Phi - mass) / Phi for every covered set f

    Main theorems
      reciprocal_step          E 1 / mass(next) <= (mass - flow) / mass^2, for every law
      weighted_contracts       E potential(next) <= (1 - lambda) potential
      rss_weighted             P(some target of [b, b + s) is missed) <= (1 - lambda)^n (Phi / mass of the start) (Phi / ((g + 1) least)),
                               if phi >= least on those targets *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS RSSUniform LevelsKernel Levels.
Import ListNotations.
Open Scope R_scope.

Definition blend (p q : R) : R := p * q / (p + q).

Section Weighted.
  Variable lo : Z.
  Variable len : nat.
  Variable w : Z -> R.
  Hypothesis w_nonneg : forall x, in_support lo len x -> 0 <= w x.
  Hypothesis w_one : zsum lo len w = 1.
  Variable a : Z.
  Variable M : nat.
  Variable phi : Z -> R.
  Hypothesis phi_pos : forall z, 0 < phi z.

  Notation window := (in_window a M).
  Notation EE := (mean lo len w).
  Notation EX := (expect lo len w).

  Definition chance (x : Z) : R := ind (in_window lo len x) * w x.
  Definition weighted (f : Z -> bool) : R := zsum a M (fun z => phi z * ind (f z)).
  Definition all_weight : R := zsum a M phi.
  Definition flow (f : Z -> bool) : R :=
    zsum a M (fun y => zsum a M (fun z => ind (f y) * (1 - ind (f z)) * chance (z - y) * blend (phi y) (phi z))).
  Definition weighted_potential (f : Z -> bool) : R := all_weight / weighted f - 1.

  Lemma weighted_mono f g : (forall z, f z = true -> g z = true) -> weighted f <= weighted g.
  Proof.
    intros H. apply zsum_le. intros z _. apply Rmult_le_compat_l; [left; apply phi_pos|]. destruct (f z) eqn:E.
    - rewrite (H z E). lra.
    - apply ind_bounds.
  Qed.

  Lemma weighted_le_all f : weighted f <= all_weight.
  Proof. apply zsum_le. intros z _. pose proof (phi_pos z). pose proof (ind_bounds (f z)). nra. Qed.

  (** what a covered cell y makes sure of after the draw x: itself, and y + x if that is a new cell *)
  Definition fresh (f : Z -> bool) (z : Z) : R := ind (window z) * (1 - ind (f z)) * phi z.
  Definition carried (f : Z -> bool) (x y : Z) : R := ind (f y) * (phi y + fresh f (y + x)).

  Lemma carried_total f x : inside a M f -> zsum a M (carried f x) <= weighted (step a M 0 f x).
  Proof.
    intros S. set (k := fun z => ind (f (z - x)%Z) * fresh f z).
    assert (Supp : forall z, k z <> 0 -> (a <= z < a + Z.of_nat M)%Z /\ (a + x <= z < a + x + Z.of_nat M)%Z).
    { intros z Hz. unfold k, fresh in Hz. destruct (window z) eqn:E1; [|simpl in Hz; lra]. destruct (f (z - x)%Z) eqn:E2; [|simpl in Hz; lra].
      apply in_window_iff in E1. apply S in E2. lia. }
    assert (E : zsum a M (carried f x) = zsum a M (fun z => phi z * ind (f z) + k z)).
    { rewrite zsum_plus. rewrite (zsum_ext a M (carried f x) (fun y => phi y * ind (f y) + k (y + x)%Z)).
      2:{ intros y _. unfold carried, k. replace (y + x - x)%Z with y by lia. ring. }
      rewrite zsum_plus, (zsum_shift a M x k). f_equal.
      rewrite <- (zsum_shrink_support (a + x) M (Z.min a (a + x)) (M + Z.to_nat (Z.abs x)) k) by (try lia; intros z Hz; apply (Supp z Hz)).
      apply zsum_shrink_support; try lia. intros z Hz; apply (Supp z Hz). }
    rewrite E. apply zsum_le. intros z Hz. unfold k, fresh, step. simpl dilate. rewrite (proj2 (in_window_iff a M z) Hz). pose proof (phi_pos z).
    destruct (f z), (f (z - x)%Z); simpl; lra.
  Qed.

  Lemma fresh_nonneg f z : 0 <= fresh f z.
  Proof.
    unfold fresh. pose proof (phi_pos z). repeat apply Rmult_le_pos; try lra; [apply ind_bounds|]. pose proof (ind_bounds (f z)). lra.
  Qed.

  Lemma carried_share f x y : phi y * ind (f y) * (phi y * ind (f y)) / carried f x y =
    phi y * ind (f y) - ind (f y) * (ind (window (y + x)) * (1 - ind (f (y + x)%Z)) * blend (phi y) (phi (y + x)%Z)).
  Proof.
    unfold carried, fresh, blend. pose proof (phi_pos y). pose proof (phi_pos (y + x)%Z).
    destruct (f y); [|simpl; unfold Rdiv; ring]. destruct (window (y + x)), (f (y + x)%Z); simpl; field; lra.
  Qed.

  Theorem reciprocal_step f : inside a M f -> 0 < weighted f ->
    EE (fun x => / weighted (step a M 0 f x)) <= (weighted f - flow f) / (weighted f * weighted f).
  Proof.
    intros S H0. set (W := weighted f) in *.
    assert (Next : forall x, 0 < weighted (step a M 0 f x)).
    { intros x. eapply Rlt_le_trans; [exact H0|]. apply weighted_mono. intros; now apply step_incl. }
    set (B := fun x => zsum a M (fun y => phi y * ind (f y) - ind (f y) * (ind (window (y + x)) * (1 - ind (f (y + x)%Z)) * blend (phi y) (phi (y + x)%Z)))).
    assert (J : forall x, / weighted (step a M 0 f x) <= / (W * W) * B x).
    { intros x. pose proof (reciprocal_of_sum a M (fun y => phi y * ind (f y)) (carried f x) (weighted (step a M 0 f x)) (Next x) (carried_total f x S)) as R.
      assert (P : forall y, (a <= y < a + Z.of_nat M)%Z -> 0 < carried f x y \/ (carried f x y = 0 /\ phi y * ind (f y) = 0)).
      { intros y _. unfold carried. destruct (f y); simpl; [left|right; split; ring].
        pose proof (phi_pos y). pose proof (fresh_nonneg f (y + x)). lra. }
      specialize (R P). change (zsum a M (fun y => phi y * ind (f y))) with W in R. cbv beta in R.
      rewrite (zsum_ext a M _ _ (fun y _ => carried_share f x y)) in R. change (W * W / weighted (step a M 0 f x) <= B x) in R.
      apply Rmult_le_reg_l with (W * W); [nra|]. rewrite <- Rmult_assoc, Rinv_r, Rmult_1_l by nra. exact R. }
    eapply Rle_trans; [apply (mean_le lo len w w_nonneg); intros x _; apply J|].
    rewrite mean_scal. unfold Rdiv. rewrite (Rmult_comm _ (/ (W * W))). apply Rmult_le_compat_l; [left; apply Rinv_0_lt_compat; nra|].
    apply Req_le. unfold B, mean.
    rewrite (zsum_ext lo len _ (fun x => zsum a M (fun y => w x * (phi y * ind (f y) - ind (f y) * (ind (window (y + x)) * (1 - ind (f (y + x)%Z)) * blend (phi y) (phi (y + x)%Z)))))) by (intros; now rewrite zsum_scal).
    rewrite zsum_swap.
    transitivity (zsum a M (fun y => phi y * ind (f y) + (-1) * zsum a M (fun z => ind (f y) * (1 - ind (f z)) * chance (z - y) * blend (phi y) (phi z))));
      [|rewrite zsum_plus, zsum_scal; unfold W, weighted, flow; ring].
    apply zsum_ext. intros y Hy.
    set (h := fun z => ind (f y) * (1 - ind (f z)) * blend (phi y) (phi z)).
    set (k := fun z => ind (window z) * (chance (z - y) * h z)).
    rewrite (zsum_ext lo len _ (fun x => (phi y * ind (f y)) * w x + (-1) * k (x + y)%Z)).
    2:{ intros x Hx. unfold k, h, chance. replace (x + y - y)%Z with x by lia. rewrite (Z.add_comm x y), (proj2 (in_window_iff lo len x) Hx). simpl (ind true). ring. }
    rewrite zsum_plus, !zsum_scal, w_one, zsum_shift.
    assert (Supp : forall z, k z <> 0 -> (a <= z < a + Z.of_nat M)%Z /\ (lo + y <= z < lo + y + Z.of_nat len)%Z).
    { intros z Hz. unfold k, chance in Hz. destruct (window z) eqn:E1; [|simpl in Hz; lra]. destruct (in_window lo len (z - y)) eqn:E2; [|simpl in Hz; lra].
      apply in_window_iff in E1. apply in_window_iff in E2. lia. }
    set (b := Z.min a (lo + y)).
    rewrite <- (zsum_shrink_support (lo + y) len b (M + len + Z.to_nat (Z.abs (a - (lo + y)))) k) by (unfold b; try lia; intros z Hz; apply (Supp z Hz)).
    rewrite (zsum_shrink_support a M b _ k) by (unfold b; try lia; intros z Hz; apply (Supp z Hz)).
    rewrite (zsum_ext a M k (fun z => ind (f y) * (1 - ind (f z)) * chance (z - y) * blend (phi y) (phi z))).
    2:{ intros z Hz. unfold k, h. rewrite (proj2 (in_window_iff a M z) Hz). simpl (ind true). ring. }
    ring.
  Qed.

  (** ** Contraction *)
  Variable lambda : R.
  Hypothesis lambda_range : 0 <= lambda <= 1.
  Definition mixes : Prop := forall f, inside a M f -> lambda * (weighted f * (all_weight - weighted f)) / all_weight <= flow f.
  Hypothesis mixing : mixes.

  Theorem weighted_contracts f : inside a M f -> 0 < weighted f ->
    EE (fun x => weighted_potential (step a M 0 f x)) <= (1 - lambda) * weighted_potential f.
  Proof.
    intros S H0. pose proof (weighted_le_all f) as HA. set (W := weighted f) in *. set (P := all_weight) in *.
    pose proof (reciprocal_step f S H0) as R. fold W in R. pose proof (mixing f S) as G. fold W P in G.
    unfold weighted_potential. fold P W.
    rewrite (mean_ext lo len w _ (fun x => P * / weighted (step a M 0 f x) + -1)) by (intros; unfold Rdiv; ring).
    rewrite mean_plus, mean_scal, (mean_const lo len w w_one).
    apply Rle_trans with (P * ((W - lambda * (W * (P - W)) / P) / (W * W)) + -1).
    - apply Rplus_le_compat_r, Rmult_le_compat_l; [lra|]. eapply Rle_trans; [exact R|].
      apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; nra|]. lra.
    - apply Req_le. field. lra.
  Qed.

  Theorem weighted_run n : forall f, inside a M f -> 0 < weighted f ->
    EX n (fun l => weighted_potential (run a M 0 f l)) <= (1 - lambda) ^ n * weighted_potential f.
  Proof.
    induction n as [|n IH]; intros f S H0; simpl; [lra|].
    eapply Rle_trans.
    { apply (mean_le lo len w w_nonneg). intros x _. apply (IH (step a M 0 f x)); [now apply step_inside|].
      eapply Rlt_le_trans; [exact H0|]. apply weighted_mono. intros; now apply step_incl. }
    rewrite mean_scal. pose proof (weighted_contracts f S H0). assert (0 <= (1 - lambda) ^ n) by (apply pow_le; lra).
    replace ((1 - lambda) * (1 - lambda) ^ n * weighted_potential f) with ((1 - lambda) ^ n * ((1 - lambda) * weighted_potential f)) by lra.
    apply Rmult_le_compat_l; assumption.
  Qed.

  (** ** Targets: a part [b, b + s) of the window, on which phi >= least *)
  Variable b : Z.
  Variable s : nat.
  Hypothesis targets_low : (a <= b)%Z.
  Hypothesis targets_high : (b + Z.of_nat s <= a + Z.of_nat M)%Z.
  Variable least : R.
  Hypothesis least_pos : 0 < least.
  Hypothesis phi_least : forall z, (b <= z < b + Z.of_nat s)%Z -> least <= phi z.

  Lemma gap_weight f g z : (S g <= s)%nat -> (b <= z < b + Z.of_nat s)%Z ->
    (forall y, (b <= y < b + Z.of_nat s)%Z -> (Z.abs (z - y) <= Z.of_nat g)%Z -> f y = false) -> INR (S g) * least <= all_weight - weighted f.
  Proof.
    intros Hg Hz Hf. set (c := Z.min z (b + Z.of_nat s - Z.of_nat (S g))).
    assert (E : all_weight - weighted f = zsum a M (fun y => phi y * (1 - ind (f y)))).
    { unfold all_weight, weighted. rewrite (zsum_ext a M (fun y => phi y * (1 - ind (f y))) (fun y => phi y + (-1) * (phi y * ind (f y)))) by (intros; ring).
      rewrite zsum_plus, zsum_scal. ring. }
    rewrite E. apply Rle_trans with (zsum c (S g) (fun y => phi y * (1 - ind (f y)))).
    - rewrite <- (zsum_const c (S g) least). apply zsum_le. intros y Hy.
      rewrite (Hf y) by (unfold c in Hy; lia). simpl ind. assert (least <= phi y) by (apply phi_least; unfold c in Hy; lia). lra.
    - apply zsum_sub; [|unfold c; lia|unfold c; lia]. intros y _. apply Rmult_le_pos; [left; apply phi_pos|]. pose proof (ind_bounds (f y)). lra.
  Qed.

  Theorem rss_weighted e g n : (S g <= s)%nat -> 0 < weighted (start a M e) ->
    prob lo len w n (missedb b s (Z.of_nat (e + g)) 0)
      <= (1 - lambda) ^ n * (all_weight / weighted (start a M e)) * (all_weight / (INR (S g) * least)).
  Proof.
    intros Hg H0. assert (Hs : 0 < INR (S g)) by (apply lt_0_INR; lia). pose proof (weighted_le_all (start a M e)) as HA.
    assert (HP : 0 < all_weight) by lra. assert (HG : 0 < INR (S g) * least) by (apply Rmult_lt_0_compat; assumption).
    assert (Pos : forall l, 0 < weighted (run a M 0 (start a M e) l)).
    { intros l. eapply Rlt_le_trans; [exact H0|]. apply weighted_mono. intros; now apply run_incl. }
    apply Rle_trans with (EX n (fun l => weighted_potential (run a M 0 (start a M e) l)) / (INR (S g) * least / all_weight)).
    - apply (markov lo len w w_nonneg).
      + apply Rdiv_lt_0_compat; assumption.
      + intros l _ _. unfold weighted_potential. pose proof (Pos l). pose proof (weighted_le_all (run a M 0 (start a M e) l)).
        apply Rmult_le_reg_r with (weighted (run a M 0 (start a M e) l)); [assumption|]. unfold Rdiv. rewrite Rmult_minus_distr_r, Rmult_assoc, Rinv_l by lra. lra.
      + intros l Hl _ Hb. set (f := run a M 0 (start a M e) l) in *. pose proof (Pos l) as Pf. fold f in Pf. pose proof (weighted_le_all f) as Af.
        assert (Gap : INR (S g) * least <= all_weight - weighted f).
        { unfold missedb in Hb. apply negb_true_iff in Hb.
          assert (Hex : exists z, (b <= z < b + Z.of_nat s)%Z /\ servedb (Z.of_nat (e + g)) 0 l z = false).
          { clear - Hb. revert Hb. generalize (in_int_range b s). generalize (int_range b s). intros L HL. 
            assert (HL2 : forall z, In z L -> (b <= z < b + Z.of_nat s)%Z) by (intros; now apply HL). clear HL.
            induction L as [|z L IH]; intros Hb; [discriminate|]. simpl in Hb. apply andb_false_iff in Hb. destruct Hb as [Hb|Hb].
            - exists z. split; [apply HL2; now left|assumption].
            - apply IH; [intros; apply HL2; now right|assumption]. }
          destruct Hex as (z & Hz & Hbad). apply (gap_weight f g z Hg Hz). intros y Hy Hd. apply not_true_iff_false. intros Fy.
          destruct (run_sound a M 0 l _ _ Fy) as (m & y0 & Hm & Hy0 & Hd2). apply start_abs in Hy0.
          assert (servedb (Z.of_nat (e + g)) 0 l z = true); [|congruence]. apply servedb_iff. exists m. split; [assumption|]. lia. }
        unfold weighted_potential. apply Rle_trans with ((all_weight - weighted f) / all_weight).
        * apply Rmult_le_compat_r; [left; now apply Rinv_0_lt_compat|assumption].
        * assert (0 <= (all_weight - weighted f) * (all_weight - weighted f) / (all_weight * weighted f)).
          { apply Rmult_le_pos; [apply Rle_0_sqr|]. left. apply Rinv_0_lt_compat. now apply Rmult_lt_0_compat. }
          replace ((all_weight - weighted f) * (all_weight - weighted f) / (all_weight * weighted f))
            with (all_weight / weighted f - 1 - (all_weight - weighted f) / all_weight) in H by (field; lra). lra.
    - apply Rle_trans with ((1 - lambda) ^ n * weighted_potential (start a M e) / (INR (S g) * least / all_weight)).
      + apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, Rdiv_lt_0_compat; assumption|]. apply weighted_run; [apply start_inside|assumption].
      + replace ((1 - lambda) ^ n * weighted_potential (start a M e) / (INR (S g) * least / all_weight))
          with ((1 - lambda) ^ n * weighted_potential (start a M e) * (all_weight / (INR (S g) * least))) by (field; lra).
        apply Rmult_le_compat_r; [apply Rlt_le, Rdiv_lt_0_compat; assumption|]. apply Rmult_le_compat_l; [apply pow_le; lra|].
        unfold weighted_potential. lra.
  Qed.
End Weighted.
