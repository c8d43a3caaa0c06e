(** Floor 2: probability of finitely many independent draws, as finite sums.

    A law is a weight function [w] on the integers of [lo, lo + len).

    Glossary
      in_support lo len x      == x is one of those integers
      mean lo len w g          == E g(X), one draw
      expect lo len w n F      == E F(X_1, ..., X_n), independent draws, as an iterated mean
      prob lo len w n Q        == P(Q(X_1, ..., X_n)) for a decidable event Q
      cube lo len n            == all len^n vectors of draws

    Main theorems
      markov                   P(Q) <= E F / theta when F >= theta on Q
      prob_union_list          union bound
      expect_firstn, expect_skipn   independence of disjoint blocks
      prob_uniform             for the uniform law, probability is (number of bad vectors) / (number of vectors) *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum.
Import ListNotations.
Open Scope R_scope.

Section Law.
  Variable lo : Z.
  Variable len : nat.
  Variable w : Z -> R.
  Definition in_support (x : Z) : Prop := (lo <= x < lo + Z.of_nat len)%Z.
  Hypothesis w_nonneg : forall x, in_support x -> 0 <= w x.
  Hypothesis w_one : zsum lo len w = 1.

  Definition mean (g : Z -> R) : R := zsum lo len (fun x => w x * g x).

  Lemma mean_le g h : (forall x, in_support x -> g x <= h x) -> mean g <= mean h.
  Proof.
    intros H. apply zsum_le. intros x Hx. apply Rmult_le_compat_l; [now apply w_nonneg|now apply H].
  Qed.
  Lemma mean_ext g h : (forall x, in_support x -> g x = h x) -> mean g = mean h.
  Proof. intros H. apply zsum_ext. intros x Hx. now rewrite H. Qed.
  Lemma mean_plus g h : mean (fun x => g x + h x) = mean g + mean h.
  Proof.
    unfold mean. rewrite <- zsum_plus. apply zsum_ext; intros; lra.
  Qed.
  Lemma mean_scal c g : mean (fun x => c * g x) = c * mean g.
  Proof. unfold mean. rewrite <- zsum_scal. apply zsum_ext; intros; lra. Qed.
  Lemma mean_const c : mean (fun _ => c) = c.
  Proof.
    unfold mean. rewrite (zsum_ext _ _ _ (fun x => c * w x)) by (intros; lra).
    rewrite zsum_scal, w_one. lra.
  Qed.

  (** expectation of a function of n i.i.d. draws *)
  Fixpoint expect (n : nat) (F : list Z -> R) : R :=
    match n with O => F nil | S k => mean (fun x => expect k (fun l => F (x :: l))) end.

  Lemma expect_le n : forall F G,
    (forall l, length l = n -> Forall in_support l -> F l <= G l) -> expect n F <= expect n G.
  Proof.
    induction n as [|n IH]; intros F G H; simpl.
    - apply H; [reflexivity|constructor].
    - apply mean_le; intros x Hx. apply IH; intros l Hl HD. apply H; [simpl; congruence|now constructor].
  Qed.
  Lemma expect_ext n F G : (forall l, length l = n -> Forall in_support l -> F l = G l) -> expect n F = expect n G.
  Proof. intros H. apply Rle_antisym; apply expect_le; intros; rewrite H; auto; lra. Qed.
  Lemma expect_plus n : forall F G, expect n (fun l => F l + G l) = expect n F + expect n G.
  Proof.
    induction n as [|n IH]; intros F G; simpl; [reflexivity|].
    rewrite <- mean_plus. apply mean_ext; intros x _. apply (IH (fun l => F (x :: l)) (fun l => G (x :: l))).
  Qed.
  Lemma expect_scal n c : forall F, expect n (fun l => c * F l) = c * expect n F.
  Proof.
    induction n as [|n IH]; intros F; simpl; [reflexivity|].
    rewrite <- mean_scal. apply mean_ext; intros x _. apply (IH (fun l => F (x :: l))).
  Qed.
  Lemma expect_const n c : expect n (fun _ => c) = c.
  Proof.
    induction n as [|n IH]; simpl; [reflexivity|]. rewrite (mean_ext _ (fun _ => c)); [apply mean_const|auto].
  Qed.
  Lemma expect_app n m : forall F, expect (n + m) F = expect n (fun l1 => expect m (fun l2 => F (l1 ++ l2))).
  Proof.
    induction n as [|n IH]; intros F; simpl; [reflexivity|].
    apply mean_ext; intros x _. apply (IH (fun l => F (x :: l))).
  Qed.

  (** marginals: independence of disjoint blocks *)
  Lemma expect_firstn n m F : expect (n + m) (fun l => F (firstn n l)) = expect n F.
  Proof.
    rewrite expect_app. apply expect_ext; intros l1 H1 _.
    rewrite (expect_ext m _ (fun _ => F l1)); [apply expect_const|].
    intros l2 _ _. f_equal. rewrite firstn_app, H1, Nat.sub_diag. simpl.
    rewrite app_nil_r. rewrite <- H1. apply firstn_all.
  Qed.
  Lemma expect_skipn n m F : expect (n + m) (fun l => F (skipn n l)) = expect m F.
  Proof.
    rewrite expect_app. rewrite (expect_ext n _ (fun _ => expect m F)); [apply expect_const|].
    intros l1 H1 _. apply expect_ext; intros l2 _ _. f_equal.
    rewrite skipn_app, H1, Nat.sub_diag. simpl. rewrite <- H1, skipn_all. reflexivity.
  Qed.

  (** probabilities of decidable events *)
  Definition prob (n : nat) (Q : list Z -> bool) : R := expect n (fun l => ind (Q l)).

  Lemma prob_nonneg n Q : 0 <= prob n Q.
  Proof.
    rewrite <- (expect_const n 0). apply expect_le; intros; apply ind_bounds.
  Qed.
  Lemma prob_mono n Q Q' :
    (forall l, length l = n -> Forall in_support l -> Q l = true -> Q' l = true) -> prob n Q <= prob n Q'.
  Proof.
    intros H. apply expect_le; intros l Hl HD. destruct (Q l) eqn:E1.
    - rewrite H; auto; lra.
    - pose proof (ind_bounds (Q' l)). simpl; lra.
  Qed.
  Lemma prob_union n Q Q' : prob n (fun l => Q l || Q' l) <= prob n Q + prob n Q'.
  Proof.
    unfold prob. rewrite <- expect_plus. apply expect_le; intros l _ _. destruct (Q l), (Q' l); simpl; lra.
  Qed.
  Lemma prob_union_list {A} n (Q : A -> list Z -> bool) (L : list A) :
    prob n (fun l => existsb (fun a => Q a l) L) <= list_sum (fun a => prob n (Q a)) L.
  Proof.
    induction L as [|a L IH]; simpl.
    - apply Req_le. exact (expect_const n 0).
    - eapply Rle_trans; [apply (prob_union n (Q a) (fun l => existsb (fun a => Q a l) L))|]. lra.
  Qed.
  Lemma prob_compl n Q : prob n (fun l => negb (Q l)) = 1 - prob n Q.
  Proof.
    assert (prob n (fun l => negb (Q l)) + prob n Q = 1); [|lra].
    unfold prob. rewrite <- expect_plus. rewrite <- (expect_const n 1). apply expect_ext; intros l _ _.
    destruct (Q l); simpl; lra.
  Qed.
  Lemma markov n Q F theta : 0 < theta ->
    (forall l, length l = n -> Forall in_support l -> 0 <= F l) ->
    (forall l, length l = n -> Forall in_support l -> Q l = true -> theta <= F l) ->
    prob n Q <= expect n F / theta.
  Proof.
    intros Ht Hpos HQ. apply Rmult_le_reg_l with theta; [assumption|].
    replace (theta * (expect n F / theta)) with (expect n F) by (field; lra).
    unfold prob. rewrite <- expect_scal. apply expect_le; intros l Hl HD.
    destruct (Q l) eqn:E1; simpl.
    - pose proof (HQ l Hl HD E1). lra.
    - pose proof (Hpos l Hl HD). lra.
  Qed.
End Law.

(** ** The uniform law: [expect] is an average over the finite cube [lo, lo + len)^n *)
Fixpoint int_range (a : Z) (n : nat) : list Z :=
  match n with O => nil | S k => int_range a k ++ [(a + Z.of_nat k)%Z] end.

Lemma in_int_range a n z : In z (int_range a n) <-> (a <= z < a + Z.of_nat n)%Z.
Proof.
  induction n as [|n IH]; [simpl; lia|].
  change (int_range a (S n)) with (int_range a n ++ [(a + Z.of_nat n)%Z]).
  rewrite in_app_iff, IH. simpl In. split; [|intros H].
  - intros [H|[<-|[]]]; lia.
  - destruct (Z.eq_dec (a + Z.of_nat n) z); [right; left; assumption|left; lia].
Qed.

Lemma zsum_list_sum a n f : zsum a n f = list_sum f (int_range a n).
Proof.
  unfold zsum. induction n as [|n IH]; simpl; [reflexivity|].
  rewrite IH, list_sum_app. simpl. lra.
Qed.

Fixpoint cube (lo : Z) (len n : nat) : list (list Z) :=
  match n with
  | O => [nil]
  | S k => flat_map (fun x => map (cons x) (cube lo len k)) (int_range lo len)
  end.

Lemma in_cube lo len n l : In l (cube lo len n) <-> length l = n /\ Forall (in_support lo len) l.
Proof.
  revert l; induction n as [|n IH]; intros l; simpl.
  - split; [intros [<-|[]]; auto|intros [H _]; destruct l; [auto|discriminate]].
  - rewrite in_flat_map. split.
    + intros (x & Hx & Hl). apply in_map_iff in Hl. destruct Hl as (l' & <- & Hl').
      apply IH in Hl'. apply in_int_range in Hx. destruct Hl'. split; [simpl; congruence|].
      constructor; assumption.
    + intros [Hl HF]. destruct l as [|x l]; [discriminate|]. inversion HF; subst.
      exists x. split; [now apply in_int_range|]. apply in_map_iff. exists l; split; [reflexivity|].
      apply IH; split; [simpl in Hl; lia|assumption].
Qed.

Lemma int_range_length a n : length (int_range a n) = n.
Proof.
  induction n as [|n IH]; [reflexivity|].
  change (int_range a (S n)) with (int_range a n ++ [(a + Z.of_nat n)%Z]). rewrite app_length, IH; simpl; lia.
Qed.

Lemma cube_length lo len n : length (cube lo len n) = (len ^ n)%nat.
Proof.
  induction n as [|n IH]; [reflexivity|]. simpl cube. simpl Nat.pow.
  rewrite <- IH. transitivity (length (int_range lo len) * length (cube lo len n))%nat; [|now rewrite int_range_length].
  generalize (int_range lo len) as L.
  induction L as [|x L IHL]; [reflexivity|]. simpl. rewrite app_length, map_length, IHL. lia.
Qed.

Lemma list_sum_flat_map {A B} (g : A -> list B) (f : B -> R) l :
  list_sum f (flat_map g l) = list_sum (fun a => list_sum f (g a)) l.
Proof. induction l as [|a l IH]; simpl; [reflexivity|]. now rewrite list_sum_app, IH. Qed.

Theorem expect_uniform lo len n F : (0 < len)%nat ->
  expect lo len (fun _ => / INR len) n F = list_sum F (cube lo len n) / INR len ^ n.
Proof.
  intros Hl. assert (P : 0 < INR len) by (apply lt_0_INR; assumption).
  revert F; induction n as [|n IH]; intros F; simpl.
  - field.
  - unfold mean. rewrite (zsum_ext _ _ _ (fun x => / (INR len * INR len ^ n) * list_sum (fun l => F (x :: l)) (cube lo len n))).
    2:{ intros x _. rewrite IH. field. split; [apply pow_nonzero|]; lra. }
    rewrite zsum_scal, zsum_list_sum, list_sum_flat_map.
    rewrite (list_sum_ext (fun a => list_sum F (map (cons a) (cube lo len n))) (fun a => list_sum (fun l => F (a :: l)) (cube lo len n)))
      by (intros; apply list_sum_map).
    unfold Rdiv. lra.
Qed.

Lemma list_sum_ind {A} (Q : A -> bool) l : list_sum (fun x => ind (Q x)) l = INR (length (filter Q l)).
Proof.
  induction l as [|a l IH]; [reflexivity|]. simpl. rewrite IH.
  destruct (Q a); [simpl length; rewrite S_INR; simpl; lra|simpl; lra].
Qed.

(** probability = (number of bad vectors) / (number of vectors) *)
Theorem prob_uniform lo len n Q : (0 < len)%nat ->
  prob lo len (fun _ => / INR len) n Q =
  INR (length (filter Q (cube lo len n))) / INR (length (cube lo len n)).
Proof.
  intros Hl. unfold prob. rewrite expect_uniform by assumption.
  now rewrite list_sum_ind, cube_length, pow_INR.
Qed.

Lemma uniform_total lo len : (0 < len)%nat -> zsum lo len (fun _ => / INR len) = 1.
Proof. intros H. rewrite zsum_const. apply Rinv_r. apply not_0_INR. lia. Qed.
