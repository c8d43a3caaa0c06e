(** Floor 6: many blocks of candidates, one probability.

    Glossary
      block n b xs           == the b-th block of n entries of the list xs
      fraction_in N n event delta == a fraction of at most delta of the (2 N + 1)^n cells covers the event; fraction_at_most hides N

    Main theorems
      fraction_blocks        if block b is bad with fraction at most delta, for each b < K, then some block is bad with fraction at most K delta
      cover_dec              membership of a finite cover is decidable, so that no classical axiom is needed
      fraction_not           what holds for every sample outside the cover fails with fraction at most delta *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSSUniform.
Import ListNotations.
Open Scope R_scope.

Definition block {A} (n b : nat) (l : list A) : list A := firstn n (skipn (b * n) l).

Lemma block_length {A} n b K (l : list A) : length l = (K * n)%nat -> (b < K)%nat -> length (block n b l) = n.
Proof. intros H Hb. unfold block. rewrite firstn_length, skipn_length, H. nia. Qed.

Definition fraction_in (N n : nat) (event : list R -> Prop) (delta : R) : Prop :=
  exists cells : list (list Z),
    (forall xs, length xs = n -> Forall (fun x => Rabs x <= 1) xs -> event xs ->
       exists ks, In ks cells /\ Forall2 (in_cell N) xs ks) /\
    INR (length cells) <= delta * INR (2 * N + 1) ^ n.

Lemma fraction_in_at_most N n event delta : fraction_in N n event delta -> fraction_at_most n event delta.
Proof. intros H. exists N. exact H. Qed.

(** ** Decidability of the cover *)
Lemma Forall2_dec {A B} (P : A -> B -> Prop) : (forall x y, {P x y} + {~ P x y}) ->
  forall l1 l2, {Forall2 P l1 l2} + {~ Forall2 P l1 l2}.
Proof.
  intros D. induction l1 as [|x l1 IH]; intros [|y l2].
  - left; constructor.
  - right; intros H; inversion H.
  - right; intros H; inversion H.
  - destruct (D x y) as [Y|N]; [|right; intros H; inversion H; contradiction].
    destruct (IH l2) as [Y2|N2]; [left; now constructor|right; intros H; inversion H; contradiction].
Qed.

Lemma cover_dec N xs (cells : list (list Z)) :
  {exists ks, In ks cells /\ Forall2 (in_cell N) xs ks} + {~ exists ks, In ks cells /\ Forall2 (in_cell N) xs ks}.
Proof.
  induction cells as [|c cells IH].
  - right. intros (ks & [] & _).
  - destruct (Forall2_dec (in_cell N) (fun x y => Rle_dec _ _) xs c) as [Y|Nc].
    + left. exists c. split; [now left|assumption].
    + destruct IH as [Y|Ni].
      * left. destruct Y as (ks & H1 & H2). exists ks. split; [now right|assumption].
      * right. intros (ks & [<-|H1] & H2); [contradiction|]. apply Ni. now exists ks.
Qed.

Theorem fraction_not n (Bad Goal : list R -> Prop) delta :
  (forall xs, length xs = n -> ~ Bad xs -> Goal xs) ->
  fraction_at_most n Bad delta -> fraction_at_most n (fun xs => ~ Goal xs) delta.
Proof.
  intros H (N & cells & C1 & C2). exists N, cells. split; [|exact C2]. intros xs Hl HF Hnot.
  destruct (cover_dec N xs cells) as [Y|Nn]; [exact Y|].
  exfalso. apply Hnot. apply H; [assumption|]. intros B. apply Nn. now apply C1.
Qed.

(** ** Union over blocks *)
Lemma Forall2_app_split {A B} (P : A -> B -> Prop) l1 l2 m1 m2 :
  Forall2 P l1 m1 -> Forall2 P l2 m2 -> Forall2 P (l1 ++ l2) (m1 ++ m2).
Proof. intros H1 H2. now apply Forall2_app. Qed.

Lemma block_decompose {A} n b (l : list A) : l = firstn (b * n) l ++ block n b l ++ skipn (b * n + n) l.
Proof.
  unfold block. rewrite <- (firstn_skipn (b * n) l) at 1. f_equal.
  rewrite <- (firstn_skipn n (skipn (b * n) l)) at 1. f_equal.
  generalize (b * n)%nat as k. intros k. revert l. induction k as [|k IH]; intros l; [reflexivity|].
  destruct l as [|x l]; simpl; [now rewrite skipn_nil|]. apply IH.
Qed.

Lemma Forall_firstn {A} (P : A -> Prop) k : forall l, Forall P l -> Forall P (firstn k l).
Proof. induction k; intros l H; simpl; [constructor|]. destruct H; constructor; auto. Qed.
Lemma Forall_skipn {A} (P : A -> Prop) k : forall l, Forall P l -> Forall P (skipn k l).
Proof. induction k; intros l H; simpl; [assumption|]. destruct H; [constructor|auto]. Qed.

Section Union.
  Variable N n : nat.
  Notation lo := (- Z.of_nat N)%Z.
  Notation len := (2 * N + 1)%nat.

  (** all cell vectors of length (K n) whose block b is one of the given cells *)
  Definition extend (K b : nat) (cells : list (list Z)) : list (list Z) :=
    flat_map (fun p => flat_map (fun c => map (fun s => p ++ c ++ s) (cube lo len ((K - b - 1) * n))) cells) (cube lo len (b * n)).

  Lemma in_extend K b cells p c s : In p (cube lo len (b * n)) -> In c cells -> In s (cube lo len ((K - b - 1) * n)) ->
    In (p ++ c ++ s) (extend K b cells).
  Proof.
    intros Hp Hc Hs. unfold extend. apply in_flat_map. exists p. split; [assumption|].
    apply in_flat_map. exists c. split; [assumption|]. apply in_map_iff. exists s. now split.
  Qed.

  Lemma flat_map_length_const {A B} (f : A -> list B) k l : (forall x, length (f x) = k) -> length (flat_map f l) = (length l * k)%nat.
  Proof. intros H. induction l as [|x l IH]; [reflexivity|]. simpl. rewrite app_length, H, IH. reflexivity. Qed.

  Lemma extend_length K b cells : (b < K)%nat -> length (extend K b cells) = (length cells * len ^ ((K - 1) * n))%nat.
  Proof.
    intros Hb. unfold extend.
    rewrite (flat_map_length_const _ (length cells * len ^ ((K - b - 1) * n))%nat).
    - rewrite cube_length.
      replace ((K - 1) * n)%nat with (b * n + (K - b - 1) * n)%nat by nia.
      rewrite Nat.pow_add_r. ring.
    - intros p. apply flat_map_length_const. intros c. now rewrite map_length, cube_length.
  Qed.

  Theorem fraction_blocks K (Bad : nat -> list R -> Prop) delta : 0 <= delta ->
    (forall b, (b < K)%nat -> fraction_in N n (Bad b) delta) ->
    fraction_in N (K * n) (fun xs => exists b, (b < K)%nat /\ Bad b (block n b xs)) (INR K * delta).
  Proof.
    intros Hd H.
    assert (G : forall k, (k <= K)%nat -> fraction_in N (K * n) (fun xs => exists b, (b < k)%nat /\ Bad b (block n b xs)) (INR k * delta)).
    { induction k as [|k IH]; intros Hk.
      - exists nil. split; [intros xs _ _ (b & Hb & _); lia|]. simpl. lra.
      - destruct (IH ltac:(lia)) as (cells & C1 & C2). destruct (H k ltac:(lia)) as (new & D1 & D2).
        exists (cells ++ extend K k new). split.
        + intros xs Hl HF (b & Hb & HB).
          destruct (Nat.eq_dec b k) as [->|Hne].
          * assert (Lb : length (block n k xs) = n) by (apply (block_length n k K); [assumption|lia]).
            destruct (D1 (block n k xs) Lb) as (c & Hc & Fc); [|assumption|].
            { unfold block. now apply Forall_firstn, Forall_skipn. }
            destruct (cells_exist N (firstn (k * n) xs) (Forall_firstn _ _ _ HF)) as (p & Hp & Fp).
            destruct (cells_exist N (skipn (k * n + n) xs) (Forall_skipn _ _ _ HF)) as (s & Hs & Fs).
            rewrite firstn_length, Hl, Nat.min_l in Hp by nia. rewrite skipn_length, Hl in Hs.
            replace (K * n - (k * n + n))%nat with ((K - k - 1) * n)%nat in Hs by nia.
            exists (p ++ c ++ s). split; [apply in_or_app; right; now apply in_extend|].
            rewrite (block_decompose n k xs). apply Forall2_app_split; [assumption|]. now apply Forall2_app_split.
          * destruct (C1 xs Hl HF) as (ks & H1 & H2); [exists b; split; [lia|assumption]|].
            exists ks. split; [apply in_or_app; now left|assumption].
        + rewrite app_length, extend_length, plus_INR, mult_INR, pow_INR, S_INR by lia.
          assert (P : 0 < INR len) by (apply lt_0_INR; lia).
          assert (E : INR len ^ (K * n) = INR len ^ n * INR len ^ ((K - 1) * n)).
          { rewrite <- pow_add. f_equal. nia. }
          rewrite E in *. set (u := INR len ^ n) in *. set (v := INR len ^ ((K - 1) * n)) in *.
          assert (0 < v) by (apply pow_lt; assumption).
          assert (INR (length new) * v <= delta * u * v) by (apply Rmult_le_compat_r; lra). lra. }
    apply G. lia.
  Qed.
End Union.
