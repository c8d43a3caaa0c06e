(** Floor 3: the ReLU gadget. One weight w is simulated by a pruned block of hidden units on a scalar input.

    Glossary
      relu x               == max(x, 0)
      units                == a list of pairs (a, v): incoming weight, outgoing weight of a hidden unit
      gadget keep units x  == sum of v relu(a x) over the kept units
      half_sum neg keep units == sum of v a over the kept units with a >= 0 (neg = false) or a < 0 (neg = true)
      products neg units   == the list of those products v a, the candidates of one half

    Main theorems
      gadget_identity      gadget = (positive half sum) relu(x) - (negative half sum) relu(-x)
      gadget_error         both half sums within eta of w: error at most eta |x|
      gadget_exists        a subset for each half gives one mask for the block
      gadget_covers        both halves cover [a, b]: one mask for each w in [a, b]

    Source: Malach, Yehudai, Shalev-Shwartz and Shamir (2020); Pensia, Rajput, Nagle, Vishwakarma and Papailiopoulos (2020). *)
Require Import Reals Lra Lia List Bool.
From StrongLTH Require Import SubsetSum.
Import ListNotations.
Open Scope R_scope.

Definition relu (x : R) : R := Rmax x 0.

Lemma relu_pos x : 0 <= x -> relu x = x.
Proof. intros; unfold relu; rewrite Rmax_left; lra. Qed.
Lemma relu_neg x : x <= 0 -> relu x = 0.
Proof. intros; unfold relu; rewrite Rmax_right; lra. Qed.
Lemma relu_nonneg x : 0 <= relu x.
Proof. unfold relu; apply Rmax_r. Qed.
Lemma relu_0 : relu 0 = 0.
Proof. apply relu_pos; lra. Qed.

Lemma relu_lipschitz x y : Rabs (relu x - relu y) <= Rabs (x - y).
Proof.
  unfold relu, Rmax; repeat destruct Rle_dec; unfold Rabs; repeat destruct Rcase_abs; lra.
Qed.

(** w x = relu(w x) - relu(-w x) *)
Lemma relu_split x : x = relu x - relu (- x).
Proof. unfold relu, Rmax; repeat destruct Rle_dec; lra. Qed.

Lemma relu_split_w w x : w * x = relu (w * x) - relu (- w * x).
Proof. replace (- w * x) with (- (w * x)) by lra. apply relu_split. Qed.

Lemma relu_abs x : Rabs x = relu x + relu (- x).
Proof. unfold relu, Rmax, Rabs; repeat destruct Rle_dec; destruct Rcase_abs; lra. Qed.

Lemma relu_scale_pos a x : 0 <= a -> relu (a * x) = a * relu x.
Proof.
  intros Ha. destruct (Rle_dec 0 x).
  - rewrite !relu_pos; [reflexivity|assumption|nra].
  - rewrite !relu_neg; [lra|lra|nra].
Qed.

Lemma relu_scale_neg a x : a <= 0 -> relu (a * x) = - a * relu (- x).
Proof.
  intros Ha. replace (a * x) with ((- a) * (- x)) by lra. rewrite relu_scale_pos; lra.
Qed.

Fixpoint gadget (m : list bool) (l : list (R * R)) (x : R) : R :=
  match m, l with
  | b :: m', (a, v) :: l' => (if b then v * relu (a * x) else 0) + gadget m' l' x
  | _, _ => 0
  end.

Definition negative (a : R) : bool := if Rlt_dec a 0 then true else false.

Fixpoint half_sum (neg : bool) (m : list bool) (l : list (R * R)) : R :=
  match m, l with
  | b :: m', (a, v) :: l' =>
      (if b && Bool.eqb (negative a) neg then v * a else 0) + half_sum neg m' l'
  | _, _ => 0
  end.

Theorem gadget_identity m : forall l x,
  gadget m l x = half_sum false m l * relu x - half_sum true m l * relu (- x).
Proof.
  induction m as [|b m IH]; intros [|[a v] l] x; simpl; try lra.
  rewrite IH. unfold negative. destruct b; simpl; [|lra].
  destruct (Rlt_dec a 0); simpl.
  - rewrite relu_scale_neg by lra. lra.
  - rewrite relu_scale_pos by lra. lra.
Qed.

Theorem gadget_error m l w eta x :
  Rabs (w - half_sum false m l) <= eta -> Rabs (w - half_sum true m l) <= eta ->
  Rabs (w * x - gadget m l x) <= eta * Rabs x.
Proof.
  intros H1 H2. rewrite gadget_identity.
  rewrite (relu_split x) at 1.
  replace (w * (relu x - relu (- x)) - (half_sum false m l * relu x - half_sum true m l * relu (- x)))
    with ((w - half_sum false m l) * relu x + - ((w - half_sum true m l) * relu (- x))) by lra.
  eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp, !Rabs_mult.
  rewrite (Rabs_pos_eq (relu x)), (Rabs_pos_eq (relu (- x))) by apply relu_nonneg.
  rewrite (relu_abs x).
  pose proof (relu_nonneg x). pose proof (relu_nonneg (- x)). nra.
Qed.

(** For nonnegative inputs (post-ReLU activations) only the positive half matters. *)
Theorem gadget_error_nonneg m l w eta x : 0 <= x ->
  Rabs (w - half_sum false m l) <= eta ->
  Rabs (w * x - gadget m l x) <= eta * x.
Proof.
  intros Hx H1. rewrite gadget_identity, (relu_pos x Hx), (relu_neg (- x)) by lra.
  replace (w * x - (half_sum false m l * x - half_sum true m l * 0)) with ((w - half_sum false m l) * x) by lra.
  rewrite Rabs_mult, (Rabs_pos_eq x Hx). nra.
Qed.

(** Linking to subset sums: the products available with each sign of a_i. *)
Fixpoint products (neg : bool) (l : list (R * R)) : list R :=
  match l with
  | nil => nil
  | (a, v) :: l' => if Bool.eqb (negative a) neg then v * a :: products neg l' else products neg l'
  end.

Lemma merge_keeps l : forall mp mn,
  length mp = length (products false l) -> length mn = length (products true l) ->
  exists m, length m = length l /\
    half_sum false m l = subset_sum mp (products false l) /\ half_sum true m l = subset_sum mn (products true l).
Proof.
  induction l as [|[a v] l IH]; intros mp mn Hp Hn; simpl in *.
  - exists nil. destruct mp, mn; try discriminate. simpl; auto.
  - destruct (negative a) eqn:Ea; simpl in *.
    + destruct mn as [|b mn]; [discriminate|]. simpl in Hn.
      destruct (IH mp mn Hp) as (m & Hm & E1 & E2); [lia|].
      exists (b :: m). simpl. rewrite Ea, E1, E2. destruct b; simpl; repeat split; lia || lra.
    + destruct mp as [|b mp]; [discriminate|]. simpl in Hp.
      destruct (IH mp mn) as (m & Hm & E1 & E2); [lia|assumption|].
      exists (b :: m). simpl. rewrite Ea, E1, E2. destruct b; simpl; repeat split; lia || lra.
Qed.

Theorem gadget_exists l w eta :
  (exists mp, length mp = length (products false l) /\ Rabs (w - subset_sum mp (products false l)) <= eta) ->
  (exists mn, length mn = length (products true l) /\ Rabs (w - subset_sum mn (products true l)) <= eta) ->
  exists m, length m = length l /\ forall x, Rabs (w * x - gadget m l x) <= eta * Rabs x.
Proof.
  intros (mp & Lp & Hp) (mn & Ln & Hn).
  destruct (merge_keeps l mp mn Lp Ln) as (m & Hm & E1 & E2).
  exists m; split; [assumption|]. intros x. apply gadget_error; [rewrite E1|rewrite E2]; assumption.
Qed.

Corollary gadget_covers l eta a b :
  covers eta (products false l) a b -> covers eta (products true l) a b ->
  forall w, a <= w <= b ->
  exists m, length m = length l /\ forall x, Rabs (w * x - gadget m l x) <= eta * Rabs x.
Proof. intros H1 H2 w Hw. apply gadget_exists; [apply H1|apply H2]; assumption. Qed.

