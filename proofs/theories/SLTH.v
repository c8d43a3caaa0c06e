(** Floor 6: the strong lottery ticket theorem, end to end, without perturbation.

    The random network has, for each weight (l, i, j) of the target, two blocks of n hidden units: incoming weight +1 resp. -1, outgoing weights
    independent and uniform on [-1, 1]. The 2 n units of input j serve all outputs i; a block holds the outgoing weights to one output. Block numbers need
    not be distinct: with shared weights K is smaller than 2 (d_0 d_1 + ... + d_{L-1} d_L).

    Glossary
      idx l i j s               == the number of the block that serves weight (l, i, j), sign s (true: incoming weight -1)
      some_block_missed n eta xs == some block misses some target of [-1/2, 1/2]
      choose eta z xs           == a subset of xs whose sum is within eta of z, by exhaustive search
      units, network_keep       == the hidden units of a gadget and the mask for the target W

    Main theorems
      slth_probability     the bad samples have content at most K 2.01 (3/4)^n / eta^2
      slth_deterministic   outside them, for every target, the mask [network_keep] has sup-norm error <= 2 L D eta r on the box of radius r
      slth                 both together, for all target networks at once *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSSUniform Blocks Gadget Network.
Import ListNotations.
Open Scope R_scope.

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
    intros He. destruct (rss_continuous n eta He) as (N & H).
    apply (fraction_in_at_most N). apply (fraction_blocks N n K (fun _ => missed eta)); [|intros; exact H].
    apply Rmult_le_pos; [apply Rmult_le_pos; [lra|apply pow_le; lra]|left; apply Rinv_0_lt_compat; nra].
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
    intros He HD HDl Hs. apply (fraction_not (K * n) (some_block_missed n eta)); [|now apply slth_probability].
    intros xs _ HN W HW1 HW2. exists (network_keep n eta xs W). split; [intros; apply network_keep_length|].
    apply (slth_deterministic n eta D xs W ltac:(lra) HD HDl Hs HN HW1 HW2).
  Qed.
End Theorems.

