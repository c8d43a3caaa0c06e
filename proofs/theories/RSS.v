(** Floor 4: random subset sum, all targets of a window, by a potential that contracts.

    Targets are the M integer cells of the window [a, a + M). A set of covered cells is a function f : Z -> bool; one candidate x turns it into
      step k f x = f, together with the part of (f dilated by k, moved by x) that lies in the window.
    k is the perturbation in cells (k = 0: plain subset sums).

    Glossary
      inside f             == f holds only in the window
      count f              == the number of covered cells
      dilate k f           == f and k more cells next to it, if the window has so many: count = min(M, count f + k)
      run k f l            == f after the candidates l, one step each
      start e              == the cells of the window within e of 0, covered by the empty set
      servedb tol k l z    == some subset S of l has |z - sum| <= tol + k |S|
      missedb tol k l      == some cell of the window is not served
      reads read t l       == the candidates that the draws l stand for: draw number t + i is read as read (t + i) (l_i)
      potential k f        == (M - count f) / (count f + k)
      rate kappa           == 1 - kappa / 2

    Main theorems
      run_sound            what is covered is served
      potential_contracts  E potential(step f) <= rate * potential f, if one step covers, on average, at least
                           kappa (M - count f) count (dilate k f) / M new cells (hypothesis [growth])
      gap_probability      Markov: P(g + 1 cells stay uncovered) <= rate^n potential(start) (M + k) / (g + 1)
      all_served, all_served_perturbed   fewer uncovered cells than that, and every target is served
      rss_by_growth, rss_by_growth_perturbed   the theorem for any law with such growth
      expected_growth      growth with kappa = q M, when the window has at most N + 1 cells and every x in {-N..N} has mass at least q
      rss_general, rss_perturbed   the theorem for such a law *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum.
Import ListNotations.
Open Scope R_scope.

(** ** The covered set: no probability *)
Section Window.
  Variable a : Z.
  Variable M : nat.

  Definition in_window (z : Z) : bool := (a <=? z)%Z && (z <? a + Z.of_nat M)%Z.
  Lemma in_window_iff z : in_window z = true <-> (a <= z < a + Z.of_nat M)%Z.
  Proof. unfold in_window. rewrite andb_true_iff, Z.leb_le, Z.ltb_lt. tauto. Qed.

  Definition inside (f : Z -> bool) : Prop := forall z, f z = true -> (a <= z < a + Z.of_nat M)%Z.
  Definition count (f : Z -> bool) : R := zsum a M (fun z => ind (f z)).

  Lemma count_le f : count f <= INR M.
  Proof. apply zsum_ind_le. Qed.
  Lemma count_nonneg f : 0 <= count f.
  Proof. apply zsum_nonneg; intros; apply ind_bounds. Qed.
  Lemma count_mono f g : (forall z, f z = true -> g z = true) -> count f <= count g.
  Proof.
    intros H. apply zsum_le; intros z _. destruct (f z) eqn:E1.
    - rewrite (H z E1); lra.
    - pose proof (ind_bounds (g z)); simpl; lra.
  Qed.

  (** ** Dilation, one adjacent cell at a time *)
  Lemma walk_right f n : forall z, f z = true -> f (z + Z.of_nat n)%Z = false ->
    exists y, (z < y <= z + Z.of_nat n)%Z /\ f y = false /\ f (y - 1)%Z = true.
  Proof.
    induction n as [|n IH]; intros z H1 H2.
    - replace (z + Z.of_nat 0)%Z with z in H2 by lia. congruence.
    - destruct (f (z + Z.of_nat n)%Z) eqn:E1.
      + exists (z + Z.of_nat (S n))%Z. repeat split; try lia; [assumption|].
        now replace (z + Z.of_nat (S n) - 1)%Z with (z + Z.of_nat n)%Z by lia.
      + destruct (IH z H1 E1) as (y & Hy & Hy'). exists y; split; [lia|assumption].
  Qed.

  Lemma walk_left f n : forall z, f z = true -> f (z - Z.of_nat n)%Z = false ->
    exists y, (z - Z.of_nat n <= y < z)%Z /\ f y = false /\ f (y + 1)%Z = true.
  Proof.
    induction n as [|n IH]; intros z H1 H2.
    - replace (z - Z.of_nat 0)%Z with z in H2 by lia. congruence.
    - destruct (f (z - Z.of_nat n)%Z) eqn:E1.
      + exists (z - Z.of_nat (S n))%Z. repeat split; try lia; [assumption|].
        now replace (z - Z.of_nat (S n) + 1)%Z with (z - Z.of_nat n)%Z by lia.
      + destruct (IH z H1 E1) as (y & Hy & Hy'). exists y; split; [lia|assumption].
  Qed.

  Definition boundary (f : Z -> bool) (z : Z) : bool :=
    in_window z && negb (f z) && (f (z - 1)%Z || f (z + 1)%Z).

  Lemma boundary_exists f : inside f -> 0 < count f -> count f < INR M ->
    exists z, (a <= z < a + Z.of_nat M)%Z /\ boundary f z = true.
  Proof.
    intros _ H0 H1.
    destruct (zsum_pos_ex a M f H0) as (z1 & Hz1 & F1).
    assert (H2 : 0 < zsum a M (fun z => ind (negb (f z)))).
    { assert (zsum a M (fun z => ind (negb (f z))) + count f = INR M).
      { unfold count. rewrite <- zsum_plus. rewrite (zsum_ext _ _ _ (fun _ => 1)).
        - rewrite zsum_const; lra.
        - intros z _; destruct (f z); simpl; lra. }
      lra. }
    destruct (zsum_pos_ex a M (fun z => negb (f z)) H2) as (z2 & Hz2 & F2).
    apply negb_true_iff in F2.
    destruct (Z_lt_le_dec z1 z2).
    - destruct (walk_right f (Z.to_nat (z2 - z1)) z1 F1) as (y & Hy & Fy & Fy').
      { now replace (z1 + Z.of_nat (Z.to_nat (z2 - z1)))%Z with z2 by lia. }
      exists y. split; [lia|]. unfold boundary. rewrite Fy, Fy'. simpl.
      rewrite (proj2 (in_window_iff y)) by lia. reflexivity.
    - destruct (walk_left f (Z.to_nat (z1 - z2)) z1 F1) as (y & Hy & Fy & Fy').
      { now replace (z1 - Z.of_nat (Z.to_nat (z1 - z2)))%Z with z2 by lia. }
      exists y. split; [lia|]. unfold boundary. rewrite Fy, Fy', orb_true_r. simpl.
      rewrite (proj2 (in_window_iff y)) by lia. reflexivity.
  Qed.

  Definition dilate1 (f : Z -> bool) : Z -> bool :=
    match find (boundary f) (int_range a M) with
    | Some z0 => fun z => f z || (z =? z0)%Z
    | None => f
    end.

  Lemma dilate1_incl f z : f z = true -> dilate1 f z = true.
  Proof. unfold dilate1. destruct find; intros H; [rewrite H; reflexivity|assumption]. Qed.

  Lemma find_boundary f z0 : find (boundary f) (int_range a M) = Some z0 ->
    (a <= z0 < a + Z.of_nat M)%Z /\ f z0 = false /\ (f (z0 - 1)%Z = true \/ f (z0 + 1)%Z = true).
  Proof.
    intros H. apply find_some in H. destruct H as [H1 H2]. apply in_int_range in H1.
    unfold boundary in H2. rewrite !andb_true_iff, orb_true_iff, negb_true_iff in H2. tauto.
  Qed.

  Lemma dilate1_inside f : inside f -> inside (dilate1 f).
  Proof.
    intros S z. unfold dilate1. destruct find eqn:F; [|apply S].
    apply find_boundary in F. intros H. apply orb_true_iff in H. destruct H as [H|H]; [now apply S|].
    apply Z.eqb_eq in H. subst. tauto.
  Qed.

  Lemma dilate1_near f z : dilate1 f z = true -> exists d, (-1 <= d <= 1)%Z /\ f (z + d)%Z = true.
  Proof.
    unfold dilate1. destruct find eqn:F.
    - apply find_boundary in F. intros H. apply orb_true_iff in H. destruct H as [H|H].
      + exists 0%Z. rewrite Z.add_0_r. split; [lia|assumption].
      + apply Z.eqb_eq in H. subst. destruct F as (_ & _ & [F|F]).
        * exists (-1)%Z. split; [lia|]. now replace (z0 + -1)%Z with (z0 - 1)%Z by lia.
        * exists 1%Z. split; [lia|assumption].
    - intros H. exists 0%Z. rewrite Z.add_0_r. split; [lia|assumption].
  Qed.

  Lemma zsum_single z0 : (a <= z0 < a + Z.of_nat M)%Z -> zsum a M (fun z => ind (z =? z0)%Z) = 1.
  Proof.
    intros H. rewrite (zsum_shrink_support z0 1 a M).
    - unfold zsum; simpl. replace (z0 + 0)%Z with z0 by lia. rewrite Z.eqb_refl. simpl; lra.
    - intros z Hz. destruct (z =? z0)%Z eqn:E1; [apply Z.eqb_eq in E1; lia|simpl in Hz; lra].
    - lia.
    - lia.
  Qed.

  Lemma dilate1_count_some f z0 : find (boundary f) (int_range a M) = Some z0 -> count (dilate1 f) = count f + 1.
  Proof.
    intros F. pose proof (find_boundary f z0 F) as (H1 & H2 & _).
    unfold dilate1. rewrite F. unfold count. rewrite <- (zsum_single z0 H1), <- zsum_plus.
    apply zsum_ext; intros z _. rewrite ind_orb.
    destruct (z =? z0)%Z eqn:E1; simpl; [apply Z.eqb_eq in E1; subst; rewrite H2; simpl|]; lra.
  Qed.

  Lemma dilate1_count_up f : count (dilate1 f) <= count f + 1.
  Proof.
    destruct (find (boundary f) (int_range a M)) as [z0|] eqn:F.
    - rewrite (dilate1_count_some f z0 F); lra.
    - unfold dilate1. rewrite F. lra.
  Qed.

  Lemma dilate1_count_low f : inside f -> 0 < count f -> Rmin (INR M) (count f + 1) <= count (dilate1 f).
  Proof.
    intros S H0. destruct (Rlt_dec (count f) (INR M)) as [L|L].
    - destruct (find (boundary f) (int_range a M)) as [z0|] eqn:F.
      + rewrite (dilate1_count_some f z0 F). apply Rmin_r.
      + exfalso. destruct (boundary_exists f S H0 L) as (z & Hz & Bz).
        pose proof (find_none _ _ F z (proj2 (in_int_range a M z) Hz)). congruence.
    - eapply Rle_trans; [apply Rmin_l|].
      eapply Rle_trans; [|apply (count_mono f); intros; now apply dilate1_incl]. lra.
  Qed.

  Fixpoint dilate (k : nat) (f : Z -> bool) : Z -> bool :=
    match k with O => f | S j => dilate1 (dilate j f) end.

  Lemma dilate_incl k f z : f z = true -> dilate k f z = true.
  Proof. induction k; simpl; intros; [assumption|apply dilate1_incl; auto]. Qed.
  Lemma dilate_inside k f : inside f -> inside (dilate k f).
  Proof. induction k; simpl; intros; [assumption|apply dilate1_inside; auto]. Qed.
  Lemma dilate_near k f : forall z, dilate k f z = true ->
    exists d, (- Z.of_nat k <= d <= Z.of_nat k)%Z /\ f (z + d)%Z = true.
  Proof.
    induction k as [|k IH]; intros z H.
    - exists 0%Z. rewrite Z.add_0_r. split; [lia|assumption].
    - simpl in H. apply dilate1_near in H. destruct H as (d1 & Hd1 & H).
      destruct (IH _ H) as (d2 & Hd2 & H2). exists (d1 + d2)%Z. rewrite Z.add_assoc. split; [lia|assumption].
  Qed.
  Lemma dilate_count_up k f : count (dilate k f) <= count f + INR k.
  Proof.
    induction k as [|k IH]; [simpl; lra|]. rewrite S_INR. simpl dilate.
    pose proof (dilate1_count_up (dilate k f)). lra.
  Qed.
  Lemma dilate_count_low k f : inside f -> 0 < count f -> Rmin (INR M) (count f + INR k) <= count (dilate k f).
  Proof.
    intros S H0. induction k as [|k IH].
    - simpl. rewrite Rplus_0_r. apply Rmin_r.
    - rewrite S_INR. simpl dilate.
      assert (0 < count (dilate k f)).
      { eapply Rlt_le_trans; [exact H0|]. apply count_mono. intros; now apply dilate_incl. }
      pose proof (dilate1_count_low (dilate k f) (dilate_inside k f S) H) as L.
      revert IH L. unfold Rmin; repeat destruct Rle_dec; lra.
  Qed.

  (** ** One candidate *)
  Definition step (k : nat) (f : Z -> bool) (x z : Z) : bool :=
    f z || (in_window z && dilate k f (z - x)%Z).

  Lemma step_incl k f x z : f z = true -> step k f x z = true.
  Proof. unfold step; intros ->; reflexivity. Qed.
  Lemma step_inside k f x : inside f -> inside (step k f x).
  Proof.
    intros S z H. unfold step in H. apply orb_true_iff in H. destruct H as [H|H]; [now apply S|].
    apply andb_true_iff in H. now apply in_window_iff.
  Qed.

  Lemma shift_count g x : inside g -> zsum a M (fun z => ind (g (z - x)%Z)) <= count g.
  Proof.
    intros S. eapply Rle_trans; [apply Req_le, (zsum_shift a M (- x) (fun y => ind (g y)))|].
    unfold count.
    rewrite <- (zsum_shrink_support a M (Z.min a (a + - x)) (M + Z.to_nat (Z.abs x)) (fun y => ind (g y))).
    - apply zsum_sub; [intros; apply ind_bounds|lia|lia].
    - intros z Hz. apply S. destruct (g z); [reflexivity|simpl in Hz; lra].
    - lia.
    - lia.
  Qed.

  Lemma step_count_up k f x : inside f -> count (step k f x) <= count f + count (dilate k f).
  Proof.
    intros S. eapply Rle_trans; [|apply Rplus_le_compat_l, (shift_count (dilate k f) x (dilate_inside k f S))].
    unfold count. rewrite <- zsum_plus. apply zsum_le; intros z _. unfold step.
    destruct (f z), (in_window z), (dilate k f (z - x)%Z); simpl; lra.
  Qed.

  Fixpoint run (k : nat) (f : Z -> bool) (l : list Z) : Z -> bool :=
    match l with nil => f | x :: l' => run k (step k f x) l' end.

  Lemma run_inside k l : forall f, inside f -> inside (run k f l).
  Proof. induction l; simpl; intros; [assumption|apply IHl; now apply step_inside]. Qed.
  Lemma run_incl k l : forall f z, f z = true -> run k f l z = true.
  Proof. induction l; simpl; intros; [assumption|apply IHl; now apply step_incl]. Qed.
  Lemma run_count_pos k l f : 0 < count f -> 0 < count (run k f l).
  Proof. intros H. eapply Rlt_le_trans; [exact H|]. apply count_mono. intros; now apply run_incl. Qed.

  Lemma run_sound k l : forall f z, run k f l z = true ->
    exists m y, length m = length l /\ f y = true /\
      (Z.abs (z - int_subset_sum m l - y) <= Z.of_nat k * Z.of_nat (kept m))%Z.
  Proof.
    induction l as [|x l IH]; intros f z H; simpl in H.
    - exists nil, z. repeat split; [assumption|]. simpl. lia.
    - destruct (IH _ _ H) as (m & y & Hm & Hy & Hd). unfold step in Hy. apply orb_true_iff in Hy.
      destruct Hy as [Hy|Hy].
      + exists (false :: m), y. simpl. repeat split; [lia|assumption|lia].
      + apply andb_true_iff in Hy. destruct Hy as [_ Hy]. apply dilate_near in Hy.
        destruct Hy as (d & Hd' & Hy). exists (true :: m), (y - x + d)%Z.
        simpl length. simpl int_subset_sum. change (kept (true :: m)) with (S (kept m)).
        repeat split; [lia|assumption|nia].
  Qed.

  (** ** Events *)
  Definition servedb (tol kk : Z) (l : list Z) (z : Z) : bool :=
    existsb (fun m => (Z.abs (z - int_subset_sum m l) <=? tol + kk * Z.of_nat (kept m))%Z) (keeps (length l)).
  Definition missedb (tol kk : Z) (l : list Z) : bool := negb (forallb (servedb tol kk l) (int_range a M)).

  Lemma servedb_iff tol kk l z : servedb tol kk l z = true <->
    exists m, length m = length l /\ (Z.abs (z - int_subset_sum m l) <= tol + kk * Z.of_nat (kept m))%Z.
  Proof.
    unfold servedb. rewrite existsb_exists. split.
    - intros (m & Hm & H). apply in_keeps in Hm. apply Z.leb_le in H. eauto.
    - intros (m & Hm & H). exists m. rewrite in_keeps, Z.leb_le. auto.
  Qed.
  Lemma missedb_false_iff tol kk l : missedb tol kk l = false <->
    forall z, (a <= z < a + Z.of_nat M)%Z -> exists m, length m = length l /\
      (Z.abs (z - int_subset_sum m l) <= tol + kk * Z.of_nat (kept m))%Z.
  Proof.
    unfold missedb. rewrite negb_false_iff, forallb_forall. split.
    - intros H z Hz. apply servedb_iff, H, in_int_range, Hz.
    - intros H z Hz. apply servedb_iff, H, in_int_range, Hz.
  Qed.

  Definition start (e : nat) (z : Z) : bool := in_window z && (Z.abs z <=? Z.of_nat e)%Z.
  Lemma start_inside e : inside (start e).
  Proof. intros z H. unfold start in H. apply andb_true_iff in H. now apply in_window_iff. Qed.
  Lemma start_abs e z : start e z = true -> (Z.abs z <= Z.of_nat e)%Z.
  Proof. unfold start. rewrite andb_true_iff, Z.leb_le. tauto. Qed.

  Lemma count_start e : (a <= - Z.of_nat e)%Z -> (Z.of_nat e < a + Z.of_nat M)%Z ->
    count (start e) = INR (2 * e + 1).
  Proof.
    intros H1 H2. clear - H1 H2. unfold count. rewrite (zsum_shrink_support (- Z.of_nat e) (2 * e + 1) a M).
    - rewrite (zsum_ext _ _ _ (fun _ => 1)); [rewrite zsum_const; lra|].
      intros z Hz. unfold start. rewrite (proj2 (in_window_iff z)) by lia.
      rewrite (proj2 (Z.leb_le (Z.abs z) (Z.of_nat e))) by lia. reflexivity.
    - intros z Hz. destruct (start e z) eqn:E1; [|simpl in Hz; lra].
      apply start_abs in E1. lia.
    - lia.
    - lia.
  Qed.

  Lemma block_ge f b s : (a <= b)%Z -> (b + Z.of_nat s <= a + Z.of_nat M)%Z ->
    INR s - (INR M - count f) <= zsum b s (fun z => ind (f z)).
  Proof.
    intros H1 H2.
    assert (A1 : zsum b s (fun z => 1 - ind (f z)) <= zsum a M (fun z => 1 - ind (f z))).
    { apply zsum_sub; [intros z _; pose proof (ind_bounds (f z)); lra|assumption|assumption]. }
    assert (A2 : forall c n, zsum c n (fun z => 1 - ind (f z)) = INR n - zsum c n (fun z => ind (f z))).
    { intros c n. rewrite (zsum_ext c n _ (fun z => 1 + (-1) * ind (f z))) by (intros; lra).
      rewrite zsum_plus, zsum_const, zsum_scal. lra. }
    rewrite !A2 in A1. unfold count. lra.
  Qed.

  (** Fewer than g + 1 uncovered cells: every target lies within g of a covered cell. *)
  Theorem all_served k e g l :
    (S g <= M)%nat -> INR M - count (run k (start e) l) < INR (S g) ->
    missedb (Z.of_nat (e + g)) (Z.of_nat k) l = false.
  Proof.
    intros Hg Hlt. set (f := run k (start e) l) in *.
    apply missedb_false_iff. intros z Hz.
    set (b := Z.min z (a + Z.of_nat M - Z.of_nat (S g))).
    pose proof (block_ge f b (S g)) as Bk.
    destruct (zsum_pos_ex b (S g) f) as (y & Hy & Fy).
    { eapply Rlt_le_trans; [|apply Bk; unfold b; lia]. lra. }
    destruct (run_sound k l _ _ Fy) as (m & y0 & Hm & Hy0 & Hd). apply start_abs in Hy0.
    exists m; split; [assumption|]. unfold b in Hy. lia.
  Qed.

  (** The same with no tolerance beyond e: the near covered cell is chosen outside the start, so its subset is not empty, and each kept
      candidate pays for the whole gap. *)
  Theorem all_served_perturbed k e g l :
    (a <= - Z.of_nat e)%Z -> (Z.of_nat e < a + Z.of_nat M)%Z -> (S (g + (2 * e + 1)) <= M)%nat ->
    INR M - count (run k (start e) l) < INR (S g) ->
    missedb (Z.of_nat e) (Z.of_nat (k + (g + (2 * e + 1)))) l = false.
  Proof.
    intros H1 H2 Hg Hlt. set (f := run k (start e) l) in *.
    apply missedb_false_iff. intros z Hz.
    set (s := S (g + (2 * e + 1))) in *.
    set (b := Z.min z (a + Z.of_nat M - Z.of_nat s)).
    pose proof (block_ge f b s) as Bk.
    destruct (zsum_pos_ex b s (fun y => f y && negb (Z.abs y <=? Z.of_nat e)%Z)) as (y & Hy & Fy).
    { assert (A1 : zsum b s (fun y => ind (f y)) <=
         zsum b s (fun y => ind (f y && negb (Z.abs y <=? Z.of_nat e)%Z))
         + zsum b s (fun y => ind (Z.abs y <=? Z.of_nat e)%Z)).
      { rewrite <- zsum_plus. apply zsum_le; intros y _.
        destruct (f y), (Z.abs y <=? Z.of_nat e)%Z; simpl; lra. }
      assert (A2 : zsum b s (fun y => ind (Z.abs y <=? Z.of_nat e)%Z) <= INR (2 * e + 1)).
      { rewrite <- (count_start e H1 H2). unfold count.
        eapply Rle_trans; [|apply (zsum_sub b s a M); [intros; apply ind_bounds|unfold b; lia|unfold b; lia]].
        apply zsum_le; intros y Hy. unfold start.
        rewrite (proj2 (in_window_iff y)) by (unfold b in *; lia). simpl. lra. }
      assert (A3 : INR s = INR (S g) + INR (2 * e + 1)) by (rewrite <- plus_INR; f_equal; unfold s; lia).
      assert (A4 : INR s - (INR M - count f) <= zsum b s (fun y => ind (f y))) by (apply Bk; unfold b; lia).
      lra. }
    apply andb_true_iff in Fy. destruct Fy as [Fy Ny].
    apply negb_true_iff, Z.leb_gt in Ny.
    destruct (run_sound k l _ _ Fy) as (m & y0 & Hm & Hy0 & Hd). apply start_abs in Hy0.
    exists m; split; [assumption|].
    destruct (Nat.eq_dec (kept m) 0) as [Z0|NZ].
    - rewrite (int_subset_sum_none m l Z0), Z0 in Hd. lia.
    - assert (1 <= Z.of_nat (kept m))%Z by lia. unfold b, s in Hy.
      assert (D1 : (Z.abs (z - int_subset_sum m l) <= Z.of_nat e + Z.of_nat k * Z.of_nat (kept m) + Z.of_nat (g + (2 * e + 1)))%Z) by lia.
      rewrite (Nat2Z.inj_add k), Z.mul_add_distr_r.
      revert D1. generalize (Z.abs (z - int_subset_sum m l)) (Z.of_nat k * Z.of_nat (kept m))%Z.
      assert (D2 : (0 <= Z.of_nat (g + (2 * e + 1)))%Z) by lia.
      generalize dependent (Z.of_nat (g + (2 * e + 1))). intros G D2 u1 u2 D1.
      assert (G * 1 <= G * Z.of_nat (kept m))%Z by (apply Z.mul_le_mono_nonneg_l; assumption).
      lia.
  Qed.

  (** ** The potential *)
  Definition potential (k : nat) (f : Z -> bool) : R := (INR M - count f) / (count f + INR k).

  Lemma potential_nonneg k f : 0 < count f -> 0 <= potential k f.
  Proof.
    intros H. unfold potential. pose proof (count_le f). pose proof (pos_INR k).
    apply Rmult_le_pos; [lra|]. left; apply Rinv_0_lt_compat; lra.
  Qed.

  Lemma potential_gap k f (g : nat) : 0 < count f -> INR (S g) <= INR M - count f ->
    INR (S g) / (INR M + INR k) <= potential k f.
  Proof.
    intros P HU. assert (Hk := pos_INR k). assert (PM := count_le f).
    assert (HS : 0 < INR (S g)) by (apply lt_0_INR; lia).
    unfold potential, Rdiv. apply Rmult_le_compat; [lra| |assumption|].
    - left; apply Rinv_0_lt_compat; lra.
    - apply Rinv_le_contravar; lra.
  Qed.
End Window.

(** ** Draws that are read as candidates *)
Fixpoint reads (read : nat -> Z -> Z) (t : nat) (l : list Z) : list Z :=
  match l with nil => nil | x :: l' => read t x :: reads read (S t) l' end.

Lemma reads_length read l : forall t, length (reads read t l) = length l.
Proof. induction l; simpl; intros; [reflexivity|]. now rewrite IHl. Qed.

Lemma reads_id l : forall t, reads (fun _ x => x) t l = l.
Proof. induction l; simpl; intros; [reflexivity|]. now rewrite IHl. Qed.

Definition rate (kappa : R) : R := 1 - kappa / 2.

(** ** The potential contracts, for any law with enough growth *)
Section Contraction.
  Variable lo : Z.
  Variable len : nat.
  Variable w : Z -> R.
  Hypothesis w_nonneg : forall x, in_support lo len x -> 0 <= w x.
  Hypothesis w_one : zsum lo len w = 1.
  Variable read : nat -> Z -> Z.
  Variable a : Z.
  Variable M : nat.
  Hypothesis M_pos : (0 < M)%nat.
  Variable k : nat.
  Variable kappa : R.
  Hypothesis kappa_range : 0 <= kappa <= 1.
  Hypothesis growth : forall t f, inside a M f ->
    count a M f + kappa * (INR M - count a M f) * count a M (dilate a M k f) / INR M
      <= mean lo len w (fun x => count a M (step a M k f (read t x))).

  Notation EE := (mean lo len w).
  Notation EX := (expect lo len w).
  Notation PR := (prob lo len w).

  Lemma rate_nonneg : 0 <= rate kappa.
  Proof. unfold rate. lra. Qed.

  Theorem potential_contracts t f : inside a M f -> 0 < count a M f ->
    EE (fun x => potential a M k (step a M k f (read t x))) <= rate kappa * potential a M k f.
  Proof.
    intros S H0.
    set (m := count a M f) in *. set (K := INR k). set (c := count a M (dilate a M k f)). set (u := m + K). set (Mr := INR M).
    assert (HK : 0 <= K) by apply pos_INR.
    assert (Hu : 0 < u) by (unfold u; lra).
    assert (HmM : m <= Mr) by apply count_le.
    assert (Hc1 : c <= u) by apply dilate_count_up.
    assert (Hc2 : Rmin Mr u <= c) by (apply dilate_count_low; assumption).
    assert (HMr : 0 < Mr) by (apply lt_0_INR; assumption).
    assert (Hc3 : u * Mr <= (Mr + K) * c).
    { revert Hc2. unfold Rmin. destruct Rle_dec; intros; unfold u in *; nra. }
    (* pointwise *)
    assert (Pt : forall x, potential a M k (step a M k f (read t x)) <=
              ((Mr + K) * (1 / u + m / (2 * u * u)) - 1) + (- ((Mr + K) / (2 * u * u))) * count a M (step a M k f (read t x))).
    { intros x. set (m' := count a M (step a M k f (read t x))).
      assert (Hm1 : m <= m') by (apply count_mono; intros; now apply step_incl).
      assert (Hm2 : m' <= m + c) by (apply step_count_up; assumption).
      set (u' := m' + K). assert (Hu' : u <= u' <= 2 * u) by (unfold u', u in *; lra).
      unfold potential. fold m' K u' Mr.
      replace ((Mr - m') / u') with ((Mr + K) * (1 / u') - 1) by (unfold u' in *; field; unfold u in *; lra).
      assert (Hinv : 1 / u' <= 1 / u - (u' - u) / (2 * u * u)).
      { assert (0 <= 1 / u - (u' - u) / (2 * u * u) - 1 / u'); [|lra].
        replace (1 / u - (u' - u) / (2 * u * u) - 1 / u') with ((u' - u) * (2 * u - u') / (2 * u * u * u')) by (field; lra).
        apply Rmult_le_pos; [nra|]. left; apply Rinv_0_lt_compat. repeat apply Rmult_lt_0_compat; lra. }
      assert (0 <= Mr + K) by lra.
      assert ((Mr + K) * (1 / u') <= (Mr + K) * (1 / u - (u' - u) / (2 * u * u))) by (apply Rmult_le_compat_l; assumption).
      replace ((Mr + K) * (1 / u + m / (2 * u * u)) - 1 + - ((Mr + K) / (2 * u * u)) * m')
        with ((Mr + K) * (1 / u - (u' - u) / (2 * u * u)) - 1) by (unfold u'; unfold u in *; field; lra).
      lra. }
    eapply Rle_trans.
    { apply (mean_le lo len w w_nonneg). intros x _. apply (Pt x). }
    rewrite mean_plus, (mean_const lo len w w_one), (mean_scal lo len w).
    pose proof (growth t f S) as G. fold m c Mr in G.
    assert (Hcoef : 0 <= (Mr + K) / (2 * u * u)).
    { apply Rmult_le_pos; [lra|]. left; apply Rinv_0_lt_compat; nra. }
    set (EM := EE (fun x => count a M (step a M k f (read t x)))) in *.
    assert (G2 : (Mr + K) / (2 * u * u) * (m + kappa * (Mr - m) * c / Mr) <= (Mr + K) / (2 * u * u) * EM)
      by (apply Rmult_le_compat_l; assumption).
    assert (G3 : kappa * (Mr - m) / (2 * u) <= (Mr + K) / (2 * u * u) * (kappa * (Mr - m) * c / Mr)).
    { replace (kappa * (Mr - m) / (2 * u)) with ((kappa * (Mr - m)) * ((u * Mr) / (2 * u * u * Mr))) by (field; lra).
      replace ((Mr + K) / (2 * u * u) * (kappa * (Mr - m) * c / Mr)) with ((kappa * (Mr - m)) * (((Mr + K) * c) / (2 * u * u * Mr))) by (field; lra).
      apply Rmult_le_compat_l; [apply Rmult_le_pos; lra|].
      apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; repeat apply Rmult_lt_0_compat; lra|assumption]. }
    unfold potential, rate. fold m K Mr u.
    replace ((1 - kappa / 2) * ((Mr - m) / u)) with ((Mr + K) * (1 / u) - 1 - kappa * (Mr - m) / (2 * u))
      by (unfold u in *; field; lra).
    replace ((Mr + K) * (1 / u + m / (2 * u * u))) with ((Mr + K) * (1 / u) + (Mr + K) / (2 * u * u) * m) by (field; lra).
    lra.
  Qed.


  Theorem potential_run n : forall t f, inside a M f -> 0 < count a M f ->
    EX n (fun l => potential a M k (run a M k f (reads read t l))) <= rate kappa ^ n * potential a M k f.
  Proof.
    induction n as [|n IH]; intros t f S H0; simpl; [lra|].
    eapply Rle_trans.
    { apply (mean_le lo len w w_nonneg). intros x _. apply (IH (Datatypes.S t) (step a M k f (read t x))).
      - now apply step_inside.
      - eapply Rlt_le_trans; [exact H0|]. apply count_mono. intros; now apply step_incl. }
    rewrite mean_scal. pose proof (potential_contracts t f S H0).
    assert (0 <= rate kappa ^ n) by (apply pow_le, rate_nonneg).
    replace (rate kappa * rate kappa ^ n * potential a M k f) with (rate kappa ^ n * (rate kappa * potential a M k f)) by lra.
    apply Rmult_le_compat_l; assumption.
  Qed.

  (** Markov, for any event that needs a gap of g + 1 cells. *)
  Theorem gap_probability (Q : list Z -> bool) e g n : 0 < count a M (start a M e) ->
    (forall l, length l = n -> Q l = true -> INR (S g) <= INR M - count a M (run a M k (start a M e) (reads read 0 l))) ->
    PR n Q <= rate kappa ^ n * potential a M k (start a M e) * ((INR M + INR k) / INR (S g)).
  Proof.
    intros Hpos HQ.
    assert (Hk := pos_INR k). assert (HM : 0 < INR M) by (apply lt_0_INR; assumption).
    assert (HS : 0 < INR (S g)) by (apply lt_0_INR; lia).
    apply Rle_trans with (EX n (fun l => potential a M k (run a M k (start a M e) (reads read 0 l))) / (INR (S g) / (INR M + INR k))).
    - apply (markov lo len w w_nonneg).
      + apply Rdiv_lt_0_compat; lra.
      + intros l _ _. apply potential_nonneg, run_count_pos, Hpos.
      + intros l Hl _ Hb. apply potential_gap; [apply run_count_pos, Hpos|now apply HQ].
    - replace (rate kappa ^ n * potential a M k (start a M e) * ((INR M + INR k) / INR (S g)))
        with (rate kappa ^ n * potential a M k (start a M e) / (INR (S g) / (INR M + INR k))) by (field; lra).
      apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, Rdiv_lt_0_compat; lra|].
      apply potential_run; [apply start_inside|assumption].
  Qed.

  (** Random subset sum with tolerance e + g, and k per kept candidate. *)
  Theorem rss_by_growth e g n : (S g <= M)%nat -> 0 < count a M (start a M e) ->
    PR n (fun l => missedb a M (Z.of_nat (e + g)) (Z.of_nat k) (reads read 0 l))
      <= rate kappa ^ n * potential a M k (start a M e) * ((INR M + INR k) / INR (S g)).
  Proof.
    intros Hg Hpos. apply gap_probability; [assumption|].
    intros l _ Hb. apply Rnot_lt_le. intros Hlt.
    rewrite all_served in Hb by assumption. discriminate.
  Qed.

  (** With tolerance e alone: the whole gap is paid by the kept candidates. *)
  Theorem rss_by_growth_perturbed e g n :
    (a <= - Z.of_nat e)%Z -> (Z.of_nat e < a + Z.of_nat M)%Z -> (S (g + (2 * e + 1)) <= M)%nat ->
    PR n (fun l => missedb a M (Z.of_nat e) (Z.of_nat (k + (g + (2 * e + 1)))) (reads read 0 l))
      <= rate kappa ^ n * potential a M k (start a M e) * ((INR M + INR k) / INR (S g)).
  Proof.
    intros H1 H2 Hg.
    assert (Hpos : 0 < count a M (start a M e)) by (rewrite count_start by assumption; apply lt_0_INR; lia).
    apply gap_probability; [assumption|].
    intros l _ Hb. apply Rnot_lt_le. intros Hlt.
    rewrite all_served_perturbed in Hb by assumption. discriminate.
  Qed.
End Contraction.

(** ** Growth: new cells from one candidate *)
Section Growth.
  Variable lo : Z.
  Variable len : nat.
  Variable w : Z -> R.
  Hypothesis w_one : zsum lo len w = 1.
  Variable a : Z.
  Variable M : nat.

  (** The mean of the count after one step: a double sum over the draw and the uncovered targets (finite Fubini). *)
  Lemma mean_step (read : Z -> Z) k f :
    mean lo len w (fun x => count a M (step a M k f (read x))) =
    count a M f + zsum a M (fun z => (1 - ind (f z)) * mean lo len w (fun x => ind (dilate a M k f (z - read x)%Z))).
  Proof.
    set (g := dilate a M k f).
    rewrite (mean_ext lo len w _ (fun x => count a M f + zsum a M (fun z => (1 - ind (f z)) * ind (g (z - read x)%Z)))).
    2:{ intros x _. unfold count. rewrite <- zsum_plus. apply zsum_ext; intros z Hz. unfold step.
        rewrite ind_orb, (proj2 (in_window_iff a M z) Hz). reflexivity. }
    rewrite mean_plus, (mean_const lo len w w_one). f_equal.
    unfold mean.
    rewrite (zsum_ext lo len _ (fun x => zsum a M (fun z => w x * ((1 - ind (f z)) * ind (g (z - read x)%Z)))))
      by (intros; rewrite zsum_scal; reflexivity).
    rewrite zsum_swap. apply zsum_ext; intros z _. rewrite <- zsum_scal. apply zsum_ext; intros x _. lra.
  Qed.

  (** If every uncovered target is hit with probability at least q (dilated count), the growth hypothesis holds with kappa = q M. *)
  Lemma growth_of_hits (read : Z -> Z) q k f : (0 < M)%nat ->
    (forall z, (a <= z < a + Z.of_nat M)%Z ->
       q * count a M (dilate a M k f) <= mean lo len w (fun x => ind (dilate a M k f (z - read x)%Z))) ->
    count a M f + q * INR M * (INR M - count a M f) * count a M (dilate a M k f) / INR M
      <= mean lo len w (fun x => count a M (step a M k f (read x))).
  Proof.
    intros HM H. assert (0 < INR M) by now apply lt_0_INR.
    rewrite mean_step. apply Rplus_le_compat_l.
    set (c := count a M (dilate a M k f)) in *.
    replace (q * INR M * (INR M - count a M f) * c / INR M) with (zsum a M (fun z => (1 - ind (f z)) * (q * c))).
    - apply zsum_le; intros z Hz. apply Rmult_le_compat_l; [pose proof (ind_bounds (f z)); lra|]. now apply H.
    - rewrite (zsum_ext a M _ (fun z => q * c + (- (q * c)) * ind (f z))) by (intros; lra).
      rewrite zsum_plus, zsum_const, zsum_scal. unfold count. field. lra.
  Qed.
End Growth.

(** ** A law with mass at least q on {-N..N}, a window of at most N + 1 cells *)
Section General.
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
  Variable M : nat.
  Hypothesis M_pos : (0 < M)%nat.
  Hypothesis M_le : (M <= S N)%nat.

  Notation PR := (prob lo len w).

  Lemma hit_mass g z : inside a M g -> (a <= z < a + Z.of_nat M)%Z ->
    q * count a M g <= mean lo len w (fun x => ind (g (z - x)%Z)).
  Proof.
    intros S Hz. unfold mean.
    apply Rle_trans with (zsum (- Z.of_nat N) (2 * N + 1) (fun x => w x * ind (g (z - x)%Z))).
    2:{ apply zsum_sub; [|lia|lia]. intros x Hx. apply Rmult_le_pos; [now apply w_nonneg|apply ind_bounds]. }
    apply Rle_trans with (q * zsum (- Z.of_nat N) (2 * N + 1) (fun x => ind (g (z - x)%Z))).
    2:{ rewrite <- zsum_scal. apply zsum_le. intros x Hx. apply Rmult_le_compat_r; [apply ind_bounds|].
        apply w_min. lia. }
    apply Rmult_le_compat_l; [assumption|].
    rewrite (zsum_reflect (- Z.of_nat N) (2 * N + 1) z (fun y => ind (g y))).
    unfold count. apply zsum_sub; [intros; apply ind_bounds|lia|lia].
  Qed.

  Lemma total_mass : q * INR (2 * N + 1) <= 1.
  Proof.
    rewrite <- w_one. apply Rle_trans with (zsum (- Z.of_nat N) (2 * N + 1) w).
    - rewrite <- (Rmult_comm (INR (2 * N + 1))), <- (zsum_const (- Z.of_nat N)).
      apply zsum_le. intros x Hx. apply w_min. lia.
    - apply zsum_sub; [|lia|lia]. intros x Hx; now apply w_nonneg.
  Qed.

  Lemma kappa_range : 0 <= q * INR M <= 1.
  Proof.
    split; [apply Rmult_le_pos; [assumption|apply pos_INR]|].
    pose proof total_mass. assert (INR M <= INR (2 * N + 1)) by (apply le_INR; lia).
    assert (q * INR M <= q * INR (2 * N + 1)) by (apply Rmult_le_compat_l; assumption). lra.
  Qed.

  (** One candidate covers, on average, at least q (M - |f|) |dilated f| new cells. *)
  Theorem expected_growth k f : inside a M f ->
    count a M f + q * INR M * (INR M - count a M f) * count a M (dilate a M k f) / INR M
      <= mean lo len w (fun x => count a M (step a M k f x)).
  Proof.
    intros S. apply (growth_of_hits lo len w w_one a M (fun x => x) q k f M_pos).
    intros z Hz. apply hit_mass; [now apply dilate_inside|assumption].
  Qed.

  Theorem rss_general k e g n : (S g <= M)%nat -> 0 < count a M (start a M e) ->
    PR n (missedb a M (Z.of_nat (e + g)) (Z.of_nat k))
      <= rate (q * INR M) ^ n * potential a M k (start a M e) * ((INR M + INR k) / INR (S g)).
  Proof.
    intros Hg Hpos.
    eapply Rle_trans; [|apply (rss_by_growth lo len w w_nonneg w_one (fun _ x => x) a M M_pos k (q * INR M) kappa_range
      (fun _ => expected_growth k) e g n Hg Hpos)].
    apply Req_le. apply expect_ext; [assumption|]. intros l _ _. now rewrite reads_id.
  Qed.

  Theorem rss_perturbed k e g n :
    (a <= - Z.of_nat e)%Z -> (Z.of_nat e < a + Z.of_nat M)%Z -> (S (g + (2 * e + 1)) <= M)%nat ->
    PR n (missedb a M (Z.of_nat e) (Z.of_nat (k + (g + (2 * e + 1)))))
      <= rate (q * INR M) ^ n * potential a M k (start a M e) * ((INR M + INR k) / INR (S g)).
  Proof.
    intros H1 H2 Hg.
    eapply Rle_trans; [|apply (rss_by_growth_perturbed lo len w w_nonneg w_one (fun _ x => x) a M M_pos k (q * INR M) kappa_range
      (fun _ => expected_growth k) e g n H1 H2 Hg)].
    apply Req_le. apply expect_ext; [assumption|]. intros l _ _. now rewrite reads_id.
  Qed.
End General.
