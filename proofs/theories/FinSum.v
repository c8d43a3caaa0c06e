(** Floor 1: finite sums of real numbers.

    Glossary
      sum n f          == f 0 + ... + f (n - 1)
      zsum a n f       == f a + ... + f (a + n - 1), the range [a, a + n) of integers
      list_sum f l     == the sum of f over the entries of l
      ind b            == 1 if b is true, else 0 (indicator)

    Main facts
      sum_swap, zsum_swap      finite Fubini
      zsum_reflect             sum of f (c - x) over a range is the sum of f over the reflected range
      zsum_sub                 a smaller range, for a non-negative f
      zsum_pos_ex              a positive count has a member
      bernoulli_high           (1 + t)^L - 1 <= 2 L t when L t <= 1/2

    Nothing but the standard library is used, here and in every file of this folder. *)
Require Import Reals Lra Lia ZArith List Bool.
Open Scope R_scope.

Fixpoint sum (n : nat) (f : nat -> R) : R :=
  match n with O => 0 | S k => sum k f + f k end.

Lemma sum_ext n f g : (forall i, (i < n)%nat -> f i = g i) -> sum n f = sum n g.
Proof.
  induction n as [|n IH]; simpl; intros H; [reflexivity|].
  rewrite (IH (fun i Hi => H i (Nat.lt_lt_succ_r _ _ Hi))), (H n); auto.
Qed.

Lemma sum_le n f g : (forall i, (i < n)%nat -> f i <= g i) -> sum n f <= sum n g.
Proof.
  induction n as [|n IH]; simpl; intros H; [lra|].
  pose proof (IH (fun i Hi => H i (Nat.lt_lt_succ_r _ _ Hi))).
  pose proof (H n (Nat.lt_succ_diag_r n)). lra.
Qed.

Lemma sum_plus n f g : sum n (fun i => f i + g i) = sum n f + sum n g.
Proof. induction n as [|n IH]; simpl; [lra|rewrite IH; lra]. Qed.

Lemma sum_scal n c f : sum n (fun i => c * f i) = c * sum n f.
Proof. induction n as [|n IH]; simpl; [lra|rewrite IH; lra]. Qed.

Lemma sum_const n c : sum n (fun _ => c) = INR n * c.
Proof. induction n as [|n IH]; [simpl; lra|]. rewrite S_INR; simpl sum; rewrite IH; lra. Qed.

Lemma sum_nonneg n f : (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= sum n f.
Proof.
  intros H. pose proof (sum_le n (fun _ => 0) f H) as L.
  rewrite sum_const in L. lra.
Qed.

Lemma sum_zero n : sum n (fun _ => 0) = 0.
Proof. rewrite sum_const; lra. Qed.

Lemma sum_swap n m (f : nat -> nat -> R) :
  sum n (fun i => sum m (fun j => f i j)) = sum m (fun j => sum n (fun i => f i j)).
Proof.
  induction n as [|n IH]; simpl.
  - now rewrite sum_zero.
  - now rewrite IH, <- sum_plus.
Qed.

Lemma sum_app n m f : sum (n + m) f = sum n f + sum m (fun i => f (n + i)%nat).
Proof.
  induction m as [|m IH]; [rewrite Nat.add_0_r; simpl; lra|].
  rewrite Nat.add_succ_r; simpl; rewrite IH; lra.
Qed.

Lemma sum_S_front n f : sum (S n) f = f O + sum n (fun i => f (S i)).
Proof.
  change (S n) with (1 + n)%nat. rewrite sum_app. simpl. lra.
Qed.

Lemma sum_rev n f : sum n f = sum n (fun i => f (n - 1 - i)%nat).
Proof.
  induction n as [|n IH]; [reflexivity|].
  rewrite sum_S_front with (f := fun i => f (S n - 1 - i)%nat).
  simpl sum at 1. replace (S n - 1 - 0)%nat with n by lia.
  rewrite IH, Rplus_comm. f_equal.
  apply sum_ext; intros i Hi. f_equal. lia.
Qed.

Lemma sum_Rabs n f : Rabs (sum n f) <= sum n (fun i => Rabs (f i)).
Proof.
  induction n as [|n IH]; simpl; [rewrite Rabs_R0; lra|].
  eapply Rle_trans; [apply Rabs_triang|lra].
Qed.

Lemma sum_ge_term n f k : (forall i, (i < n)%nat -> 0 <= f i) -> (k < n)%nat -> f k <= sum n f.
Proof.
  induction n as [|n IH]; intros H Hk; [lia|]. simpl.
  destruct (Nat.eq_dec k n) as [->|Hne].
  - assert (0 <= sum n f) by (apply sum_nonneg; auto). lra.
  - assert (f k <= sum n f) by (apply IH; [auto|lia]).
    pose proof (H n (Nat.lt_succ_diag_r n)). lra.
Qed.

(** ** Sums over integer ranges [a, a + n) *)
Definition zsum (a : Z) (n : nat) (f : Z -> R) : R := sum n (fun i => f (a + Z.of_nat i)%Z).

Lemma zsum_ext a n f g :
  (forall z, (a <= z < a + Z.of_nat n)%Z -> f z = g z) -> zsum a n f = zsum a n g.
Proof. intros H; apply sum_ext; intros i Hi; apply H; lia. Qed.

Lemma zsum_le a n f g :
  (forall z, (a <= z < a + Z.of_nat n)%Z -> f z <= g z) -> zsum a n f <= zsum a n g.
Proof. intros H; apply sum_le; intros i Hi; apply H; lia. Qed.

Lemma zsum_nonneg a n f :
  (forall z, (a <= z < a + Z.of_nat n)%Z -> 0 <= f z) -> 0 <= zsum a n f.
Proof. intros H; apply sum_nonneg; intros i Hi; apply H; lia. Qed.

Lemma zsum_plus a n f g : zsum a n (fun z => f z + g z) = zsum a n f + zsum a n g.
Proof. unfold zsum. apply sum_plus. Qed.

Lemma zsum_scal a n c f : zsum a n (fun z => c * f z) = c * zsum a n f.
Proof. apply (sum_scal n c (fun i => f (a + Z.of_nat i)%Z)). Qed.

Lemma zsum_const a n c : zsum a n (fun _ => c) = INR n * c.
Proof. unfold zsum. apply sum_const. Qed.

Lemma zsum_swap a n b m (f : Z -> Z -> R) :
  zsum a n (fun x => zsum b m (fun y => f x y)) = zsum b m (fun y => zsum a n (fun x => f x y)).
Proof. unfold zsum. apply sum_swap. Qed.

Lemma zsum_app a n m f : zsum a (n + m) f = zsum a n f + zsum (a + Z.of_nat n) m f.
Proof.
  unfold zsum. rewrite sum_app. f_equal. apply sum_ext; intros i Hi. f_equal. lia.
Qed.

Lemma zsum_shift a n c f : zsum a n (fun z => f (z + c)%Z) = zsum (a + c) n f.
Proof. unfold zsum. apply sum_ext; intros i Hi. f_equal. lia. Qed.

(** reflection: sum over x in [a, a+n) of f (c - x) *)
Lemma zsum_reflect a n c f :
  zsum a n (fun x => f (c - x)%Z) = zsum (c - a - Z.of_nat n + 1) n f.
Proof.
  unfold zsum. rewrite sum_rev. apply sum_ext; intros i Hi. f_equal. lia.
Qed.

(** sub-range of a nonnegative function *)
Lemma zsum_sub a n b m f :
  (forall z, (b <= z < b + Z.of_nat m)%Z -> 0 <= f z) ->
  (b <= a)%Z -> (a + Z.of_nat n <= b + Z.of_nat m)%Z ->
  zsum a n f <= zsum b m f.
Proof.
  intros Hf H1 H2.
  replace m with (Z.to_nat (a - b) + (n + Z.to_nat (b + Z.of_nat m - (a + Z.of_nat n))))%nat by lia.
  rewrite !zsum_app.
  replace (b + Z.of_nat (Z.to_nat (a - b)))%Z with a by lia.
  assert (0 <= zsum b (Z.to_nat (a - b)) f).
  { apply zsum_nonneg; intros z Hz; apply Hf; lia. }
  assert (0 <= zsum (a + Z.of_nat n) (Z.to_nat (b + Z.of_nat m - (a + Z.of_nat n))) f).
  { apply zsum_nonneg; intros z Hz; apply Hf; lia. }
  lra.
Qed.

Lemma zsum_zero a n : zsum a n (fun _ => 0) = 0.
Proof. unfold zsum. apply sum_zero. Qed.

(** ** Indicators *)
Definition ind (b : bool) : R := if b then 1 else 0.

Lemma ind_bounds b : 0 <= ind b <= 1.
Proof. destruct b; simpl; lra. Qed.

Lemma ind_orb a b : ind (a || b) = ind a + (1 - ind a) * ind b.
Proof. destruct a, b; simpl; lra. Qed.

Lemma zsum_shrink_support a n b m f :
  (forall z, f z <> 0 -> (a <= z < a + Z.of_nat n)%Z) ->
  (b <= a)%Z -> (a + Z.of_nat n <= b + Z.of_nat m)%Z ->
  zsum b m f = zsum a n f.
Proof.
  intros Hf H1 H2.
  replace m with (Z.to_nat (a - b) + (n + Z.to_nat (b + Z.of_nat m - (a + Z.of_nat n))))%nat by lia.
  rewrite !zsum_app.
  replace (b + Z.of_nat (Z.to_nat (a - b)))%Z with a by lia.
  assert (E1 : zsum b (Z.to_nat (a - b)) f = 0).
  { rewrite <- (zsum_zero b (Z.to_nat (a - b))). apply zsum_ext; intros z Hz.
    destruct (Req_dec (f z) 0) as [|N]; [assumption|]. apply Hf in N; lia. }
  assert (E2 : zsum (a + Z.of_nat n) (Z.to_nat (b + Z.of_nat m - (a + Z.of_nat n))) f = 0).
  { rewrite <- (zsum_zero (a + Z.of_nat n) (Z.to_nat (b + Z.of_nat m - (a + Z.of_nat n)))).
    apply zsum_ext; intros z Hz.
    destruct (Req_dec (f z) 0) as [|N]; [assumption|]. apply Hf in N; lia. }
  lra.
Qed.

Lemma zsum_all_false a n (f : Z -> bool) :
  (forall z, (a <= z < a + Z.of_nat n)%Z -> f z = false) -> zsum a n (fun z => ind (f z)) = 0.
Proof.
  intros H. rewrite <- (zsum_zero a n). apply zsum_ext; intros z Hz; now rewrite (H z Hz).
Qed.

Lemma zsum_pos_ex a n (f : Z -> bool) :
  0 < zsum a n (fun z => ind (f z)) -> exists z, (a <= z < a + Z.of_nat n)%Z /\ f z = true.
Proof.
  unfold zsum. induction n as [|n IH]; simpl; intros H; [lra|].
  destruct (f (a + Z.of_nat n)%Z) eqn:mean.
  - exists (a + Z.of_nat n)%Z; split; [lia|assumption].
  - simpl in H. destruct IH as (z & Hz & Hf); [lra|]. exists z; split; [lia|assumption].
Qed.

Lemma zsum_ind_le a n (f : Z -> bool) : zsum a n (fun z => ind (f z)) <= INR n.
Proof.
  replace (INR n) with (INR n * 1) by lra. rewrite <- (zsum_const a n 1).
  apply zsum_le; intros; apply ind_bounds.
Qed.

Lemma zsum_ge_point a n f z : (forall y, (a <= y < a + Z.of_nat n)%Z -> 0 <= f y) ->
  (a <= z < a + Z.of_nat n)%Z -> f z <= zsum a n f.
Proof.
  intros Hf Hz. unfold zsum.
  replace z with (a + Z.of_nat (Z.to_nat (z - a)))%Z by lia.
  apply (sum_ge_term n (fun i => f (a + Z.of_nat i)%Z)); [|lia].
  intros i Hi. apply Hf. lia.
Qed.

(** ** Sums over lists *)
Fixpoint list_sum {A} (f : A -> R) (l : list A) : R :=
  match l with nil => 0 | x :: l' => f x + list_sum f l' end.

Lemma list_sum_app {A} (f : A -> R) l1 l2 : list_sum f (l1 ++ l2) = list_sum f l1 + list_sum f l2.
Proof. induction l1; simpl; lra. Qed.

Lemma list_sum_map {A B} (g : A -> B) (f : B -> R) l : list_sum f (map g l) = list_sum (fun x => f (g x)) l.
Proof. induction l; simpl; lra. Qed.

Lemma list_sum_ext {A} (f g : A -> R) l : (forall x, In x l -> f x = g x) -> list_sum f l = list_sum g l.
Proof. induction l; simpl; intros H; [reflexivity|]. rewrite H, IHl; auto. Qed.

Lemma list_sum_nonneg {A} (f : A -> R) l : (forall x, In x l -> 0 <= f x) -> 0 <= list_sum f l.
Proof.
  induction l as [|a l IH]; simpl; intros H; [lra|].
  pose proof (H a (or_introl eq_refl)). assert (0 <= list_sum f l) by (apply IH; auto). lra.
Qed.

Lemma list_sum_plus {A} (f g : A -> R) l : list_sum (fun x => f x + g x) l = list_sum f l + list_sum g l.
Proof. induction l; simpl; lra. Qed.

Lemma list_sum_scal {A} c (f : A -> R) l : list_sum (fun x => c * f x) l = c * list_sum f l.
Proof. induction l; simpl; lra. Qed.

Lemma list_sum_const {A} c (l : list A) : list_sum (fun _ => c) l = INR (length l) * c.
Proof. induction l as [|a l IH]; [simpl; lra|]. simpl length; rewrite S_INR; simpl; lra. Qed.

(** ** Powers *)

Lemma bernoulli_low (L : nat) (eta : R) : 0 <= eta <= 1 -> 1 - INR L * eta <= (1 - eta) ^ L.
Proof.
  intros H. induction L as [|L IH]; [simpl; lra|]. rewrite S_INR. simpl pow.
  assert (0 <= (1 - eta) ^ L <= 1).
  { split; [apply pow_le; lra|]. pose proof (pow_incr (1 - eta) 1 L) as Q. rewrite pow1 in Q. apply Q; lra. }
  nra.
Qed.

Lemma bernoulli_high (L : nat) (eta : R) :
  0 <= eta -> INR L * eta <= / 2 -> (1 + eta) ^ L - 1 <= 2 * (INR L * eta).
Proof.
  intros He HL. destruct L as [|L]; [simpl; lra|].
  assert (H1 : eta <= 1).
  { rewrite S_INR in HL. pose proof (Rmult_le_pos _ _ (pos_INR L) He). lra. }
  pose proof (bernoulli_low (S L) eta (conj He H1)) as Bn.
  set (n := S L) in *. set (s := INR n * eta) in *.
  assert (P : (1 + eta) ^ n * (1 - eta) ^ n <= 1).
  { rewrite <- Rpow_mult_distr. pose proof (pow_incr ((1 + eta) * (1 - eta)) 1 n) as Q. rewrite pow1 in Q. apply Q. nra. }
  assert (0 <= s) by (unfold s; apply Rmult_le_pos; [apply pos_INR|assumption]).
  assert (0 < (1 + eta) ^ n) by (apply pow_lt; lra).
  nra.
Qed.

