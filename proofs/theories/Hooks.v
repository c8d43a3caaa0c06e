(** Floor 5: hook counting, a bound on the whole law of the gain and not on its mean alone.

    How many new cells does one candidate cover? The mean says little: half of the draws could bring nothing. Counting differences by hooks bounds
    the mean of min(gain, t) for every t (Pollard's inequality on the integers).

    Glossary
      decreasing l             == every entry of l is larger than all later ones
      differences A B k        == the number of pairs (x, y) in A x B with y - x = k
      entries a n f            == the members of f in [a, a + n), largest first
      gain a M k f x           == count (step k f x) - count f, the new cells that the candidate x covers

    Main theorems
      hooks                    sum_k min(differences A B k, t) >= t (|A| + |B| - t) for t <= |A|, |B|
      gain_profile             E min(gain, t) >= q t (|dilated f| + M - |f| - t) for t <= |dilated f|, M - |f| *)
Require Import Reals Lra Lia ZArith List Bool Sorted.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS.
Import ListNotations.
Open Scope R_scope.

(** ** Hooks: remove the largest entry of both lists *)
Fixpoint decreasing (l : list Z) : Prop :=
  match l with nil => True | x :: l' => (forall y, In y l' -> (y < x)%Z) /\ decreasing l' end.

Definition differences (A B : list Z) (k : Z) : R := list_sum (fun x => list_sum (fun y => ind (y - x =? k)%Z) B) A.

Lemma differences_nonneg A B k : 0 <= differences A B k.
Proof. apply list_sum_nonneg. intros x _. apply list_sum_nonneg. intros y _. apply ind_bounds. Qed.

(** at most one entry equals c *)
Lemma one_hit (h : Z -> Z) (h_inj : forall x y, h x = h y -> x = y) l k : decreasing l -> list_sum (fun y => ind (h y =? k)%Z) l <= 1.
Proof.
  induction l as [|y l IH]; simpl; intros H; [lra|]. destruct H as [Hy Hl].
  destruct (Z.eqb_spec (h y) k) as [E|E]; simpl.
  - replace (list_sum (fun y0 => ind (h y0 =? k)%Z) l) with 0; [lra|].
    rewrite <- (Rmult_0_r (INR (length l))), <- (list_sum_const 0 l). symmetry. apply list_sum_ext. intros z Hz.
    destruct (Z.eqb_spec (h z) k) as [E2|]; [|reflexivity]. exfalso. rewrite <- E in E2. apply h_inj in E2. pose proof (Hy z Hz). lia.
  - pose proof (IH Hl). lra.
Qed.

Lemma hit_exists (h : Z -> Z) l k : 0 < list_sum (fun y => ind (h y =? k)%Z) l -> exists y, In y l /\ h y = k.
Proof.
  induction l as [|y l IH]; simpl; intros H; [lra|]. destruct (Z.eqb_spec (h y) k) as [E|E].
  - exists y. split; [now left|assumption].
  - simpl in H. destruct IH as (z & Hz & E2); [lra|]. exists z. split; [now right|assumption].
Qed.

(** the hook: all pairs with the largest entry of A, and all other pairs with the largest entry of B *)
Definition hook (a : Z) (A : list Z) (b : Z) (B : list Z) (k : Z) : R :=
  list_sum (fun y => ind (y - a =? k)%Z) (b :: B) + list_sum (fun x => ind (b - x =? k)%Z) A.

Lemma hook_split a A b B k : differences (a :: A) (b :: B) k = hook a A b B k + differences A B k.
Proof. unfold differences, hook. simpl. rewrite list_sum_plus. ring. Qed.

Lemma hook_le_one a A b B k : decreasing (a :: A) -> decreasing (b :: B) -> hook a A b B k <= 1.
Proof.
  intros HA HB. unfold hook.
  assert (D1 := HA). assert (D2 := HB). destruct HA as [HaA HA]. destruct HB as [HbB HB].
  pose proof (one_hit (fun y => (y - a)%Z) ltac:(cbv beta; intros; lia) (b :: B) k D2) as U1.
  pose proof (one_hit (fun x => (b - x)%Z) ltac:(cbv beta; intros; lia) A k HA) as U2.
  cbv beta in U1, U2.
  assert (P1 : 0 <= list_sum (fun y => ind (y - a =? k)%Z) (b :: B)) by (apply list_sum_nonneg; intros; apply ind_bounds).
  assert (P2 : 0 <= list_sum (fun x => ind (b - x =? k)%Z) A) by (apply list_sum_nonneg; intros; apply ind_bounds).
  set (u := list_sum (fun y => ind (y - a =? k)%Z) (b :: B)) in *. set (v := list_sum (fun x => ind (b - x =? k)%Z) A) in *.
  destruct (Rlt_dec 0 u) as [Hu|Hu]; [|lra]. destruct (Rlt_dec 0 v) as [Hv|Hv]; [|lra]. exfalso.
  destruct (hit_exists (fun y => (y - a)%Z) (b :: B) k Hu) as (y & Hy & E1).
  destruct (hit_exists (fun x => (b - x)%Z) A k Hv) as (x & Hx & E2).
  pose proof (HaA x Hx). destruct Hy as [<-|Hy]; [lia|]. pose proof (HbB y Hy). lia.
Qed.

Lemma zsum_hit lo len c : (lo <= c < lo + Z.of_nat len)%Z -> zsum lo len (fun k => ind (c =? k)%Z) = 1.
Proof.
  intros H. rewrite <- (zsum_single lo len c H). apply zsum_ext. intros k _. now rewrite Z.eqb_sym.
Qed.

Lemma zsum_list_sum_swap {A} lo len (F : A -> Z -> R) (l : list A) :
  zsum lo len (fun k => list_sum (fun x => F x k) l) = list_sum (fun x => zsum lo len (F x)) l.
Proof.
  induction l as [|x l IH]; simpl; [apply zsum_zero|]. rewrite zsum_plus, IH. reflexivity.
Qed.

Lemma hook_total lo len a A b B :
  (forall x y, In x (a :: A) -> In y (b :: B) -> (lo <= y - x < lo + Z.of_nat len)%Z) ->
  zsum lo len (hook a A b B) = INR (length A) + INR (length B) + 1.
Proof.
  intros H. unfold hook. rewrite zsum_plus, !zsum_list_sum_swap.
  rewrite (list_sum_ext _ (fun _ => 1) (b :: B)) by (intros y Hy; apply zsum_hit; apply H; [now left|assumption]).
  rewrite (list_sum_ext _ (fun _ => 1) A) by (intros x Hx; apply zsum_hit; apply H; [now right|now left]).
  rewrite !list_sum_const. simpl length. rewrite S_INR. ring.
Qed.

Theorem hooks lo len (t : nat) : forall A B, decreasing A -> decreasing B -> (t <= length A)%nat -> (t <= length B)%nat ->
  (forall x y, In x A -> In y B -> (lo <= y - x < lo + Z.of_nat len)%Z) ->
  INR t * (INR (length A) + INR (length B) - INR t) <= zsum lo len (fun k => Rmin (differences A B k) (INR t)).
Proof.
  induction t as [|t IH]; intros A B HA HB LA LB Hr.
  - simpl INR. rewrite Rmult_0_l. apply zsum_nonneg. intros k _. apply Rmin_glb; [apply differences_nonneg|lra].
  - destruct A as [|a A]; [simpl in LA; lia|]. destruct B as [|b B]; [simpl in LB; lia|].
    apply Rle_trans with (zsum lo len (fun k => hook a A b B k + Rmin (differences A B k) (INR t))).
    + rewrite zsum_plus, hook_total by assumption.
      specialize (IH A B (proj2 HA) (proj2 HB) ltac:(simpl in LA; lia) ltac:(simpl in LB; lia)
        ltac:(intros x y Hx Hy; apply Hr; now right)).
      simpl length. rewrite !S_INR. lra.
    + apply zsum_le. intros k _. rewrite hook_split, S_INR.
      pose proof (hook_le_one a A b B k HA HB). unfold Rmin. repeat destruct Rle_dec; lra.
Qed.

(** ** The gain of one candidate *)
Fixpoint entries (a : Z) (n : nat) (f : Z -> bool) : list Z :=
  match n with O => nil | S k => let z := (a + Z.of_nat k)%Z in if f z then z :: entries a k f else entries a k f end.

Lemma in_entries a n f z : In z (entries a n f) <-> (a <= z < a + Z.of_nat n)%Z /\ f z = true.
Proof.
  induction n as [|n IH]; [simpl; lia|]. cbn [entries]. destruct (f (a + Z.of_nat n)%Z) eqn:E; [simpl In|]; rewrite IH.
  - split; [intros [<-|[H1 H2]]; split; try assumption; lia|].
    intros [H1 H2]. destruct (Z.eq_dec (a + Z.of_nat n) z); [now left|right; split; [lia|assumption]].
  - split; [intros [H1 H2]; split; [lia|assumption]|]. intros [H1 H2]. split; [|assumption].
    destruct (Z.eq_dec (a + Z.of_nat n) z) as [<-|]; [congruence|lia].
Qed.

Lemma entries_decreasing a n f : decreasing (entries a n f).
Proof.
  induction n as [|n IH]; [exact I|]. cbn [entries]. destruct (f (a + Z.of_nat n)%Z); [|assumption].
  split; [|assumption]. intros y Hy. apply in_entries in Hy. lia.
Qed.

Lemma entries_sum a n f F : list_sum F (entries a n f) = zsum a n (fun z => ind (f z) * F z).
Proof.
  unfold zsum. induction n as [|n IH]; [reflexivity|]. cbn [entries]. simpl sum. destruct (f (a + Z.of_nat n)%Z); simpl; rewrite IH; lra.
Qed.

Lemma entries_length a n f : INR (length (entries a n f)) = zsum a n (fun z => ind (f z)).
Proof.
  rewrite <- (Rmult_1_r (INR _)), <- (list_sum_const 1 (entries a n f)), entries_sum. apply zsum_ext; intros; lra.
Qed.

Section Gain.
  Variable lo : Z.
  Variable len : nat.
  Variable w : Z -> R.
  Hypothesis w_nonneg : forall x, in_support lo len x -> 0 <= w x.
  Variable N : nat.
  Variable q : R.
  Hypothesis q_nonneg : 0 <= q.
  Hypothesis w_min : forall x, (- Z.of_nat N <= x <= Z.of_nat N)%Z -> q <= w x.
  Hypothesis support_low : (lo <= - Z.of_nat N)%Z.
  Hypothesis support_high : (Z.of_nat N < lo + Z.of_nat len)%Z.
  Variable a : Z.
  Variable M : nat.
  Hypothesis M_le : (M <= S N)%nat.

  Definition gain (k : nat) (f : Z -> bool) (x : Z) : R := count a M (step a M k f x) - count a M f.

  (** the gain of x is the number of pairs (covered y, uncovered z) with z - y = x *)
  Lemma gain_differences k f x : inside a M f ->
    gain k f x = differences (entries a M (dilate a M k f)) (entries a M (fun z => negb (f z))) x.
  Proof.
    intros S. set (g := dilate a M k f). assert (Sg : inside a M g) by now apply dilate_inside.
    unfold differences. rewrite entries_sum.
    rewrite (zsum_ext a M _ (fun y => zsum a M (fun z => ind (g y) * (ind (negb (f z)) * ind (z - y =? x)%Z)))).
    2:{ intros y _. rewrite zsum_scal. f_equal. apply entries_sum. }
    rewrite zsum_swap.
    unfold gain, count. rewrite (zsum_ext a M (fun z => ind (step a M k f x z)) (fun z => ind (f z) + (1 - ind (f z)) * ind (g (z - x)%Z))).
    2:{ intros z Hz. unfold step. rewrite ind_orb, (proj2 (in_window_iff a M z) Hz). reflexivity. }
    rewrite zsum_plus. replace (zsum a M (fun z => ind (f z)) + zsum a M (fun z => (1 - ind (f z)) * ind (g (z - x)%Z)) - zsum a M (fun z => ind (f z)))
      with (zsum a M (fun z => (1 - ind (f z)) * ind (g (z - x)%Z))) by ring.
    apply zsum_ext. intros z Hz.
    rewrite (zsum_ext a M _ (fun y => (1 - ind (f z)) * ind (g (z - x)%Z) * ind (y =? z - x)%Z)).
    2:{ intros y _. destruct (Z.eqb_spec (z - y) x) as [E|E], (Z.eqb_spec y (z - x)) as [E2|E2]; try (exfalso; lia);
        [subst y|]; destruct (f z); simpl; lra. }
    rewrite zsum_scal. destruct (g (z - x)%Z) eqn:G; [|simpl; lra].
    rewrite (zsum_single a M (z - x)) by (apply Sg in G; exact G). lra.
  Qed.

  Theorem gain_profile k f (t : nat) : inside a M f ->
    INR t <= count a M (dilate a M k f) -> INR t <= INR M - count a M f ->
    q * (INR t * (count a M (dilate a M k f) + (INR M - count a M f) - INR t)) <= mean lo len w (fun x => Rmin (gain k f x) (INR t)).
  Proof.
    intros S T1 T2. set (g := dilate a M k f) in *.
    set (A := entries a M g). set (B := entries a M (fun z => negb (f z))).
    assert (LA : INR (length A) = count a M g) by apply entries_length.
    assert (LB : INR (length B) = INR M - count a M f).
    { unfold B. rewrite entries_length. unfold count. rewrite (zsum_ext a M _ (fun z => 1 + (-1) * ind (f z))) by (intros z _; destruct (f z); simpl; lra).
      rewrite zsum_plus, zsum_const, zsum_scal. ring. }
    assert (G0 : forall x, 0 <= Rmin (gain k f x) (INR t)).
    { intros x. apply Rmin_glb; [|apply pos_INR]. rewrite gain_differences by assumption. apply differences_nonneg. }
    unfold mean.
    apply Rle_trans with (zsum (- Z.of_nat N) (2 * N + 1) (fun x => w x * Rmin (gain k f x) (INR t))).
    2:{ apply zsum_sub; [|lia|lia]. intros x Hx. apply Rmult_le_pos; [now apply w_nonneg|apply G0]. }
    apply Rle_trans with (q * zsum (- Z.of_nat N) (2 * N + 1) (fun x => Rmin (gain k f x) (INR t))).
    2:{ rewrite <- zsum_scal. apply zsum_le. intros x Hx. apply Rmult_le_compat_r; [apply G0|]. apply w_min. lia. }
    apply Rmult_le_compat_l; [assumption|].
    rewrite (zsum_ext _ _ _ (fun x => Rmin (differences A B x) (INR t))) by (intros x _; now rewrite gain_differences).
    rewrite <- LA, <- LB. apply hooks.
    - apply entries_decreasing.
    - apply entries_decreasing.
    - apply INR_le. now rewrite LA.
    - apply INR_le. now rewrite LB.
    - intros x y Hx Hy. apply in_entries in Hx. apply in_entries in Hy. lia.
  Qed.
End Gain.
