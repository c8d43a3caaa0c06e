(** Floor 6: the strong lottery ticket theorem, end to end, without perturbation.

    The random network has, for each weight (l, i, j) of the target, two blocks of n hidden units: incoming weight +1 resp. -1, outgoing weights
    independent and uniform on [-1, 1]. The 2 n units of input j serve all outputs i; a block holds the outgoing weights to one output. Block numbers need
    not be distinct: with shared weights K is smaller than 2 (d_0 d_1 + ... + d_{L-1} d_L).

    Glossary
      block n b xs              == the b-th block of n entries of the list xs
      idx l i j s               == the number of the block that serves weight (l, i, j), sign s (true: incoming weight -1)
      some_block_missed n eta xs == some block misses some target of [-1/2, 1/2]
      choose eta z xs           == a subset of xs whose sum is within eta of z, by exhaustive search
      units, network_keep       == the hidden units of a gadget and the mask for the target W

    Main theorems
      slth_probability     the bad samples have content at most K 2.01 (3/4)^n / eta^2
      slth_deterministic   outside them, for every target, the mask [network_keep] has sup-norm error <= 2 L D eta r on the box of radius r
      slth                 both together, for all target networks at once *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS RSSUniform Gadget Network.
Import ListNotations.
Open Scope R_scope.

Definition block {A} (n b : nat) (l : list A) : list A := firstn n (skipn (b * n) l).

Lemma block_length {A} n b K (l : list A) : length l = (K * n)%nat -> (b < K)%nat -> length (block n b l) = n.
Proof. intros H Hb. unfold block. rewrite firstn_length, skipn_length, H. nia. Qed.

Lemma Forall2_firstn_ {A B} (P : A -> B -> Prop) n : forall l1 l2, Forall2 P l1 l2 -> Forall2 P (firstn n l1) (firstn n l2).
Proof. induction n; intros l1 l2 H; simpl; [constructor|]. destruct H; [constructor|constructor; auto]. Qed.
Lemma Forall2_skipn_ {A B} (P : A -> B -> Prop) n : forall l1 l2, Forall2 P l1 l2 -> Forall2 P (skipn n l1) (skipn n l2).
Proof. induction n; intros l1 l2 H; simpl; [assumption|]. destruct H; [constructor|auto]. Qed.
Lemma Forall2_block {A B} (P : A -> B -> Prop) n b l1 l2 : Forall2 P l1 l2 -> Forall2 P (block n b l1) (block n b l2).
Proof. intros H. apply Forall2_firstn_, Forall2_skipn_, H. Qed.

(** ** Independent blocks and the union bound *)
Section Blocks.
  Variable lo : Z. Variable len : nat. Variable w : Z -> R.
  Hypothesis w_nonneg : forall x, in_support lo len x -> 0 <= w x.
  Hypothesis w_one : zsum lo len w = 1.

  Lemma expect_block K n b F : (b < K)%nat -> expect lo len w (K * n) (fun l => F (block n b l)) = expect lo len w n F.
  Proof.
    intros Hb. replace (K * n)%nat with (b * n + (n + (K - b - 1) * n))%nat by nia.
    unfold block. rewrite (expect_skipn lo len w w_nonneg w_one (b * n) _ (fun l => F (firstn n l))).
    apply (expect_firstn lo len w w_nonneg w_one).
  Qed.

  Lemma prob_any_block K n (Q : list Z -> bool) :
    prob lo len w (K * n) (fun l => existsb (fun b => Q (block n b l)) (seq 0 K)) <= INR K * prob lo len w n Q.
  Proof.
    eapply Rle_trans; [apply (prob_union_list lo len w w_nonneg w_one)|].
    rewrite (list_sum_ext _ (fun _ => prob lo len w n Q)).
    - rewrite list_sum_const, seq_length. lra.
    - intros b Hb. apply in_seq in Hb. unfold prob. apply (expect_block K n b (fun l => ind (Q l))). lia.
  Qed.
End Blocks.

(** ** Membership of a finite cover is decidable: no classical axiom *)
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

(** ** The random network *)
Section Theorems.
  Variable d : nat -> nat.               (* widths *)
  Variable act : nat -> R -> R.          (* activations, e.g. ReLU; identity on the last layer *)
  Hypothesis act_lip : forall l x y, Rabs (act l x - act l y) <= Rabs (x - y).
  Hypothesis act_0 : forall l, act l 0 = 0.
  Variable L : nat.                      (* depth of the target *)
  Variable idx : nat -> nat -> nat -> bool -> nat.   (* block number of (layer, out, in, sign) *)
  Variable K : nat.                      (* number of blocks *)
  Hypothesis idx_lt : forall l i j s, (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat -> (idx l i j s < K)%nat.

  (** hidden units: (incoming weight, outgoing weight) *)
  Definition units (n : nat) (xs : list R) (l i j : nat) : list (R * R) :=
    map (fun v => (1, v)) (block n (idx l i j false) xs) ++
    map (fun v => (-1, v)) (block n (idx l i j true) xs).

  Definition some_block_missed (n : nat) (eta : R) (xs : list R) : Prop :=
    exists b, (b < K)%nat /\ missed eta (block n b xs).

  Definition choose (eta z : R) (xs : list R) : list bool :=
    match find (fun m => if Rle_dec (Rabs (z - subset_sum m xs)) eta then true else false) (keeps (length xs)) with
    | Some m => m
    | None => repeat false (length xs)
    end.

  Lemma choose_length eta z xs : length (choose eta z xs) = length xs.
  Proof.
    unfold choose. destruct find eqn:F; [|apply repeat_length].
    apply find_some in F. destruct F as [F _]. now apply in_keeps in F.
  Qed.

  Lemma choose_ok eta z xs : Rabs z <= / 2 -> ~ missed eta xs -> Rabs (z - subset_sum (choose eta z xs) xs) <= eta.
  Proof.
    intros Hz HB. unfold choose. destruct find eqn:F.
    - apply find_some in F. destruct F as [_ F]. destruct Rle_dec; [assumption|discriminate].
    - exfalso. apply HB. exists z; split; [assumption|]. intros m Hm H.
      pose proof (find_none _ _ F m (proj2 (in_keeps _ m) Hm)) as C. simpl in C.
      destruct Rle_dec; [discriminate|contradiction].
  Qed.

  Lemma gadget_app m1 : forall l1 m2 l2 x, length m1 = length l1 ->
    gadget (m1 ++ m2) (l1 ++ l2) x = gadget m1 l1 x + gadget m2 l2 x.
  Proof.
    induction m1 as [|b m1 IH]; intros [|[a v] l1] m2 l2 x H; try discriminate; simpl; [lra|].
    rewrite IH by (simpl in H; lia). lra.
  Qed.
  Lemma gadget_const c m : forall xs x, gadget m (map (fun v => (c, v)) xs) x = subset_sum m xs * relu (c * x).
  Proof.
    induction m as [|b m IH]; intros [|v xs] x; simpl; try lra. rewrite IH. destruct b; lra.
  Qed.

  Definition network_keep (n : nat) (eta : R) (xs : list R) (W : nat -> nat -> nat -> R) (l i j : nat) : list bool :=
    choose eta (W l i j) (block n (idx l i j false) xs) ++ choose eta (- W l i j) (block n (idx l i j true) xs).

  Lemma network_keep_length n eta xs W l i j : length (network_keep n eta xs W l i j) = length (units n xs l i j).
  Proof. unfold network_keep, units. rewrite !app_length, !map_length, !choose_length. reflexivity. Qed.

  Lemma network_keep_error n eta xs W l i j : 0 <= eta ->
    (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat -> ~ some_block_missed n eta xs -> Rabs (W l i j) <= / 2 ->
    forall y, Rabs (W l i j * y - gadget (network_keep n eta xs W l i j) (units n xs l i j) y) <= eta * Rabs y.
  Proof.
    intros He Hl Hi Hj HN HW y. unfold network_keep, units.
    rewrite gadget_app by now rewrite choose_length, map_length.
    rewrite !gadget_const.
    assert (H1 : Rabs (W l i j - subset_sum (choose eta (W l i j) (block n (idx l i j false) xs)) (block n (idx l i j false) xs)) <= eta).
    { apply choose_ok; [assumption|]. intros B. apply HN. exists (idx l i j false). split; [now apply idx_lt|assumption]. }
    assert (H2 : Rabs (- W l i j - subset_sum (choose eta (- W l i j) (block n (idx l i j true) xs)) (block n (idx l i j true) xs)) <= eta).
    { apply choose_ok; [now rewrite Rabs_Ropp|]. intros B. apply HN. exists (idx l i j true). split; [now apply idx_lt|assumption]. }
    set (s1 := subset_sum (choose eta (W l i j) _) _) in *. set (s2 := subset_sum (choose eta (- W l i j) _) _) in *.
    set (ww := W l i j) in *.
    replace (1 * y) with y by lra. replace (-1 * y) with (- y) by lra.
    pose proof (relu_split y) as Y. pose proof (relu_abs y) as YA.
    replace (ww * y - (s1 * relu y + s2 * relu (- y))) with ((ww - s1) * relu y + (- ww - s2) * relu (- y))
      by (rewrite Y at 3; lra).
    eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult.
    pose proof (relu_nonneg y). pose proof (relu_nonneg (- y)).
    rewrite (Rabs_pos_eq (relu y)), (Rabs_pos_eq (relu (- y))), YA by assumption. nra.
  Qed.

  Theorem slth_deterministic n (eta D : R) xs W :
    0 <= eta -> 0 <= D -> (forall l, (l < L)%nat -> INR (d l) <= D) -> INR L * (D * eta) <= / 2 ->
    ~ some_block_missed n eta xs ->
    (forall l i j, (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat -> Rabs (W l i j) <= / 2) ->
    (forall l i, (l < L)%nat -> (i < d (S l))%nat -> sum (d l) (fun j => Rabs (W l i j)) <= 1) ->
    forall r x, 0 <= r -> in_box (d 0) r x -> forall i, (i < d L)%nat ->
      Rabs (pruned_net d act (network_keep n eta xs W) (units n xs) L x i - target_net d act W L x i) <= 2 * (INR L * (D * eta)) * r.
  Proof.
    intros He HD HDl Hs HN HW1 HW2 r x Hr Hx i Hi.
    apply net_sup_simple; auto.
    intros l i' j Hl Hi' Hj. apply network_keep_error; auto.
  Qed.

  Theorem slth_probability n eta : 0 < eta <= 1 ->
    fraction_at_most (K * n) (some_block_missed n eta) (INR K * (2.01 * (3 / 4) ^ n / (eta * eta))).
  Proof.
    intros He. destruct (grid_parameters n eta He) as (N' & mean & H1 & H2 & H3).
    set (N := (2 * N')%nat) in *.
    set (Q := missedb (- Z.of_nat N') (S N) (Z.of_nat (mean + mean)) 0).
    exists N, (filter (fun l => existsb (fun b => Q (block n b l)) (seq 0 K)) (cube (- Z.of_nat N) (2 * N + 1) (K * n))).
    split.
    - intros xs Hl HF (b & Hb & Hbad).
      destruct (cells_exist N xs HF) as (ks & Hin & Hc). rewrite Hl in Hin.
      exists ks; split; [|assumption]. apply filter_In. split; [assumption|].
      apply existsb_exists. exists b. split; [apply in_seq; lia|].
      apply not_false_iff_true. intros Hgood.
      destruct Hbad as (z & Hz & Hbad).
      assert (Lb : length (block n b xs) = n) by (apply (block_length n b K); assumption).
      destruct (cells_good N' mean mean eta (block n b xs) (block n b ks)
                  ltac:(rewrite Lb; exact H2) (Forall2_block _ n b _ _ Hc) Hgood z Hz) as (m & Hm & Hd).
      exact (Hbad m Hm Hd).
    - apply prob_to_count. eapply Rle_trans.
      { apply (prob_any_block _ _ (uniform N) (uniform_nonneg N) (uniform_mass N) K n Q). }
      apply Rmult_le_compat_l; [apply pos_INR|]. eapply Rle_trans; [|exact H3].
      apply (rss_uniform_prob N (- Z.of_nat N') 0 mean mean n); unfold N; lia.
  Qed.

  (** Outside a set of content at most K 2.01 (3/4)^n / eta^2, the random network contains every target network. *)
  Theorem slth n eta D :
    0 < eta <= 1 -> 0 <= D -> (forall l, (l < L)%nat -> INR (d l) <= D) -> INR L * (D * eta) <= / 2 ->
    fraction_at_most (K * n)
      (fun xs => ~ forall W,
         (forall l i j, (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat -> Rabs (W l i j) <= / 2) ->
         (forall l i, (l < L)%nat -> (i < d (S l))%nat -> sum (d l) (fun j => Rabs (W l i j)) <= 1) ->
         exists m, (forall l i j, length (m l i j) = length (units n xs l i j)) /\
           forall r x, 0 <= r -> in_box (d 0) r x -> forall i, (i < d L)%nat ->
             Rabs (pruned_net d act m (units n xs) L x i - target_net d act W L x i) <= 2 * (INR L * (D * eta)) * r)
      (INR K * (2.01 * (3 / 4) ^ n / (eta * eta))).
  Proof.
    intros He HD HDl Hs. destruct (slth_probability n eta He) as (N & cells & C1 & C2).
    exists N, cells. split; [|exact C2]. intros xs Hl HF Hnot.
    destruct (cover_dec N xs cells) as [Y|Nn]; [exact Y|].
    exfalso. apply Hnot. intros W HW1 HW2. exists (network_keep n eta xs W). split; [intros; apply network_keep_length|].
    assert (HN : ~ some_block_missed n eta xs) by (intros HB; apply Nn; now apply C1).
    apply (slth_deterministic n eta D xs W ltac:(lra) HD HDl Hs HN HW1 HW2).
  Qed.
End Theorems.

