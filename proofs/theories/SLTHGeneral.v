(** Floor 8: the strong lottery ticket theorems for layers with biases, missing connections, shared weights (convolutions) and incoming
    weights of any size.

    Position (l, i, j) of the target may be unconnected. Connected positions draw their hidden units from numbered blocks, and several positions may
    use one block: with the taps of a convolution as block numbers, the pruned network is again a convolution, because masks and shifts below depend
    on the block and on the value of the weight only. A bias is the weight of a constant input 1.

    Glossary
      wired l i j              == the weight (l, i, j) exists
      target_layers, pruned_layers == target and pruned network with biases, up to layer l
      signed_units c alpha vs  == hidden units with incoming weights c alpha_t and outgoing weights v_t
      pick_mask, pick_shift    == mask and shifts that represent the value z exactly by one block
      near_mask                == a mask whose sum is within eta of z
      block_of l i j s         == the block of the weight (l, i, j), sign s; the bias of unit i is position j = d l, sign false

    Main theorems
      slth_general_exact       if each block misses some |z| <= T exactly with fraction at most delta, then outside a fraction of K delta there are
                               masks and shifts, one for each block and value, with which every target with |W|, |b| <= T is represented exactly
      slth_first_layer_exact   incoming weights of size in [A, 1]: T = A/2, delta = 6.1 (1 - A/4)^n / eps^2
      slth_wide_exact          incoming weights +1 and -1: T = 1, delta = 21 (3/4)^n / eps^2
      slth_general             the same within a tolerance: error <= 2 L (D + 1) eta r
      slth_first_layer         incoming weights of size in [A, 1]: T = A/2, delta = 2.1 A^2 (1 - A/4)^n / eta^2
      slth_wide                T = 1, delta = 8.1 (3/4)^n / eta^2 *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSSUniform RSSWide Blocks RSSScaled Gadget Network SLTH.
Import ListNotations.
Open Scope R_scope.

(** ** Hidden units with given incoming weights *)
Fixpoint signed_units (c : R) (alpha : nat -> R) (t : nat) (vs : list R) : list (R * R) :=
  match vs with nil => nil | v :: l => (c * alpha t, v) :: signed_units c alpha (S t) l end.

Lemma signed_units_length c alpha vs : forall t, length (signed_units c alpha t vs) = length vs.
Proof. induction vs; intros t; simpl; [reflexivity|]. now rewrite IHvs. Qed.

Lemma gadget_signed c alpha (Ha : forall t, 0 <= alpha t) m : forall vs t x,
  gadget m (signed_units c alpha t vs) x = subset_sum m (scaled alpha t vs) * relu (c * x).
Proof.
  induction m as [|b m IH]; intros [|v vs] t x; simpl; try lra. rewrite IH.
  replace (c * alpha t * x) with (alpha t * (c * x)) by ring. rewrite relu_scale_pos by apply Ha. destruct b; ring.
Qed.

(** ** Choosing a mask for a value *)
Section Choice.
  Variable alpha : nat -> R.
  Variable A : R.
  Hypothesis A_pos : 0 < A.
  Hypothesis alpha_ge : forall t, A <= alpha t.

  Definition good_mask (slack : list bool -> R) (z : R) (xs : list R) (m : list bool) : bool :=
    if Rle_dec (Rabs (z - subset_sum m (scaled alpha 0 xs))) (slack m) then true else false.
  Definition search (slack : list bool -> R) (z : R) (xs : list R) : list bool :=
    match find (good_mask slack z xs) (keeps (length xs)) with Some m => m | None => repeat false (length xs) end.

  Lemma search_length slack z xs : length (search slack z xs) = length xs.
  Proof.
    unfold search. destruct find eqn:F; [|apply repeat_length].
    apply find_some in F. destruct F as [F _]. now apply in_keeps in F.
  Qed.

  Lemma search_ok slack z xs :
    ~ (forall m, length m = length xs -> ~ Rabs (z - subset_sum m (scaled alpha 0 xs)) <= slack m) ->
    Rabs (z - subset_sum (search slack z xs) (scaled alpha 0 xs)) <= slack (search slack z xs).
  Proof.
    intros H. unfold search. destruct find eqn:F.
    - apply find_some in F. destruct F as [_ F]. unfold good_mask in F. destruct Rle_dec; [assumption|discriminate].
    - exfalso. apply H. intros m Hm C. pose proof (find_none _ _ F m (proj2 (in_keeps _ m) Hm)) as G. unfold good_mask in G.
      destruct Rle_dec; [discriminate|contradiction].
  Qed.

  Definition near_mask (eta z : R) (xs : list R) : list bool := search (fun _ => eta) z xs.
  Definition pick_mask (eps z : R) (xs : list R) : list bool := search (fun m => eps * kept_scale alpha 0 m) z xs.
  Definition pick_shift (eps z : R) (xs : list R) : list R :=
    repeat ((z - subset_sum (pick_mask eps z xs) (scaled alpha 0 xs)) / kept_scale alpha 0 (pick_mask eps z xs)) (length xs).

  Lemma near_mask_ok eta z xs T : Rabs z <= T -> ~ missed_scaled alpha T eta xs ->
    Rabs (z - subset_sum (near_mask eta z xs) (scaled alpha 0 xs)) <= eta.
  Proof. intros Hz H. apply (search_ok (fun _ => eta)). intros C. apply H. now exists z. Qed.

  Lemma pick_ok eps z xs T : 0 <= eps -> Rabs z <= T -> ~ missed_scaled_exactly alpha T eps xs ->
    Forall (fun e => Rabs e <= eps) (pick_shift eps z xs) /\
    subset_sum (pick_mask eps z xs) (scaled alpha 0 (shifted xs (pick_shift eps z xs))) = z.
  Proof.
    intros He Hz H. apply (equal_shift A); try assumption; [apply search_length|].
    apply (search_ok (fun m => eps * kept_scale alpha 0 m)). intros C. apply H. exists z. split; [assumption|].
    intros (m & Hm & Hd). exact (C m Hm Hd).
  Qed.
End Choice.

(** ** The networks *)
Section Networks.
  Variable d : nat -> nat.
  Variable act : nat -> R -> R.
  Variable L : nat.
  Variable wired : nat -> nat -> nat -> bool.
  Variable block_of : nat -> nat -> nat -> bool -> nat.
  Variable K : nat.
  Hypothesis block_of_lt : forall l i j s, (l < L)%nat -> (i < d (S l))%nat -> (j <= d l)%nat -> (block_of l i j s < K)%nat.
  Variable alpha : nat -> nat -> R.                  (* |incoming weight| of unit t of block b *)
  Variable A : R.
  Hypothesis A_pos : 0 < A.
  Hypothesis alpha_ge : forall b t, A <= alpha b t.
  Variable T : R.                                    (* targets lie in [-T, T] *)

  Lemma alpha_nonneg b t : 0 <= alpha b t.
  Proof. pose proof (alpha_ge b t). lra. Qed.

  Fixpoint target_layers (W : nat -> nat -> nat -> R) (B : nat -> nat -> R) (l : nat) (x : nat -> R) : nat -> R :=
    match l with
    | O => x
    | S k => fun i => act k (sum (d k) (fun j => if wired k i j then W k i j * target_layers W B k x j else 0) + B k i)
    end.

  Fixpoint pruned_layers (keep : nat -> nat -> nat -> list bool) (units : nat -> nat -> nat -> list (R * R)) (l : nat) (x : nat -> R) : nat -> R :=
    match l with
    | O => x
    | S k => fun i => act k (sum (d k) (fun j => if wired k i j then gadget (keep k i j) (units k i j) (pruned_layers keep units k x j) else 0)
                             + gadget (keep k i (d k)) (units k i (d k)) 1)
    end.

  Definition small (W : nat -> nat -> nat -> R) (B : nat -> nat -> R) : Prop :=
    forall l i, (l < L)%nat -> (i < d (S l))%nat ->
      Rabs (B l i) <= T /\ forall j, (j < d l)%nat -> wired l i j = true -> Rabs (W l i j) <= T.

  (** masks and units of one position, from a table of masks and a table of outgoing weights, by block and value; the bias needs one half only *)
  Definition place_keep (mask : nat -> R -> list bool) W (B : nat -> nat -> R) (l i j : nat) : list bool :=
    if (j =? d l)%nat then mask (block_of l i j false) (B l i)
    else mask (block_of l i j false) (W l i j) ++ mask (block_of l i j true) (- W l i j).
  Definition place_units (outgoing : nat -> R -> list R) W (B : nat -> nat -> R) (l i j : nat) : list (R * R) :=
    if (j =? d l)%nat then signed_units 1 (alpha (block_of l i j false)) 0 (outgoing (block_of l i j false) (B l i))
    else signed_units 1 (alpha (block_of l i j false)) 0 (outgoing (block_of l i j false) (W l i j)) ++
         signed_units (-1) (alpha (block_of l i j true)) 0 (outgoing (block_of l i j true) (- W l i j)).

  (** shared weights: same blocks and same value, same mask and same units *)
  Lemma place_shared mask outgoing W B l i j l' i' j' :
    (j <> d l)%nat -> (j' <> d l')%nat -> (forall s, block_of l i j s = block_of l' i' j' s) -> W l i j = W l' i' j' ->
    place_keep mask W B l i j = place_keep mask W B l' i' j' /\ place_units outgoing W B l i j = place_units outgoing W B l' i' j'.
  Proof.
    intros H1 H2 Hb HW. unfold place_keep, place_units.
    rewrite (proj2 (Nat.eqb_neq _ _) H1), (proj2 (Nat.eqb_neq _ _) H2), !Hb, HW. split; reflexivity.
  Qed.

  Lemma place_gadget mask outgoing W B l i j y : (j < d l)%nat ->
    length (mask (block_of l i j false) (W l i j)) = length (outgoing (block_of l i j false) (W l i j)) ->
    gadget (place_keep mask W B l i j) (place_units outgoing W B l i j) y =
      subset_sum (mask (block_of l i j false) (W l i j)) (scaled (alpha (block_of l i j false)) 0 (outgoing (block_of l i j false) (W l i j))) * relu y
      + subset_sum (mask (block_of l i j true) (- W l i j)) (scaled (alpha (block_of l i j true)) 0 (outgoing (block_of l i j true) (- W l i j))) * relu (- y).
  Proof.
    intros Hj Hl. unfold place_keep, place_units. rewrite (proj2 (Nat.eqb_neq j (d l)) ltac:(lia)).
    rewrite gadget_app by (rewrite signed_units_length; assumption).
    rewrite !gadget_signed by (intros; apply alpha_nonneg).
    replace (1 * y) with y by lra. replace (-1 * y) with (- y) by lra. reflexivity.
  Qed.

  Lemma place_bias mask outgoing W B l i :
    gadget (place_keep mask W B l i (d l)) (place_units outgoing W B l i (d l)) 1 =
      subset_sum (mask (block_of l i (d l) false) (B l i)) (scaled (alpha (block_of l i (d l) false)) 0 (outgoing (block_of l i (d l) false) (B l i))).
  Proof.
    unfold place_keep, place_units. rewrite Nat.eqb_refl, gadget_signed by (intros; apply alpha_nonneg).
    rewrite relu_pos by lra. lra.
  Qed.

  (** ** Exact representation *)
  Section Exact.
    Variable n : nat.
    Variable eps delta : R.
    Hypothesis eps_nonneg : 0 <= eps.
    Hypothesis delta_nonneg : 0 <= delta.
    Variable N : nat.
    Hypothesis block_fraction : forall b, (b < K)%nat -> fraction_in N n (missed_scaled_exactly (alpha b) T eps) delta.

    Theorem slth_general_exact :
      fraction_at_most (K * n)
        (fun xs => ~ exists (mask : nat -> R -> list bool) (shift : nat -> R -> list R),
           (forall b w, (b < K)%nat -> Rabs w <= T ->
              length (mask b w) = n /\ length (shift b w) = n /\ Forall (fun e => Rabs e <= eps) (shift b w)) /\
           forall W B, small W B -> forall x i, (i < d L)%nat ->
             pruned_layers (place_keep mask W B) (place_units (fun b w => shifted (block n b xs) (shift b w)) W B) L x i
             = target_layers W B L x i)
        (INR K * delta).
    Proof.
      apply (fraction_not (K * n) (fun xs => exists b, (b < K)%nat /\ missed_scaled_exactly (alpha b) T eps (block n b xs))).
      2:{ apply (fraction_in_at_most N). now apply (fraction_blocks N n K (fun b => missed_scaled_exactly (alpha b) T eps)). }
      intros xs Hxs Hgood.
      set (mask := fun b w => pick_mask (alpha b) eps w (block n b xs)).
      set (shift := fun b w => pick_shift (alpha b) eps w (block n b xs)).
      assert (G : forall b w, (b < K)%nat -> Rabs w <= T ->
        Forall (fun e => Rabs e <= eps) (shift b w) /\
        subset_sum (mask b w) (scaled (alpha b) 0 (shifted (block n b xs) (shift b w))) = w).
      { intros b w Hb Hw. apply (pick_ok (alpha b) A A_pos (alpha_ge b) eps w (block n b xs) T); try assumption.
        intros C. apply Hgood. now exists b. }
      assert (Lm : forall b w, (b < K)%nat -> length (mask b w) = n).
      { intros b w Hb. unfold mask, pick_mask. rewrite search_length. now apply (block_length n b K). }
      assert (Ls : forall b w, (b < K)%nat -> length (shift b w) = n).
      { intros b w Hb. unfold shift, pick_shift. rewrite repeat_length. now apply (block_length n b K). }
      assert (Lo : forall b w, (b < K)%nat -> length (shifted (block n b xs) (shift b w)) = n).
      { intros b w Hb. rewrite shifted_length; [now apply (block_length n b K)|]. rewrite (Ls b w Hb). symmetry. now apply (block_length n b K). }
      exists mask, shift. split; [intros b w Hb Hw; repeat split; auto; now apply G|].
      intros W B HS x.
      assert (All : forall l, (l <= L)%nat -> forall i, (i < d l)%nat ->
        pruned_layers (place_keep mask W B) (place_units (fun b w => shifted (block n b xs) (shift b w)) W B) l x i = target_layers W B l x i).
      { induction l as [|l IH]; intros Hl i Hi; [reflexivity|]. simpl.
        destruct (HS l i ltac:(lia) Hi) as [HB HW]. f_equal. f_equal.
        - apply sum_ext. intros j Hj. destruct (wired l i j) eqn:Ew; [|reflexivity].
          rewrite IH by (lia || assumption). set (y := target_layers W B l x j).
          rewrite place_gadget by (assumption || (rewrite Lm, Lo; auto; apply block_of_lt; auto; lia)).
          destruct (G (block_of l i j false) (W l i j)) as [_ E1]; [apply block_of_lt; auto; lia|now apply HW|].
          destruct (G (block_of l i j true) (- W l i j)) as [_ E2]; [apply block_of_lt; auto; lia|rewrite Rabs_Ropp; now apply HW|].
          rewrite E1, E2. rewrite (relu_split y) at 3. ring.
        - rewrite place_bias. destruct (G (block_of l i (d l) false) (B l i)) as [_ E]; [apply block_of_lt; auto; lia|assumption|exact E]. }
      intros i Hi. now apply All.
    Qed.
  End Exact.

  (** ** Within a tolerance *)
  Section Tolerance.
    Hypothesis act_lip : forall l x y, Rabs (act l x - act l y) <= Rabs (x - y).
    Hypothesis act_0 : forall l, act l 0 = 0.

    Definition small_rows (W : nat -> nat -> nat -> R) (B : nat -> nat -> R) : Prop :=
      forall l i, (l < L)%nat -> (i < d (S l))%nat ->
        sum (d l) (fun j => if wired l i j then Rabs (W l i j) else 0) + Rabs (B l i) <= 1.

    (** errors of weights and biases become errors of the network *)
    Theorem layers_sup W B keep units (D eta r : R) x :
      0 <= eta -> 1 <= r -> (forall l, (l < L)%nat -> INR (d l) <= D) -> 0 <= D -> small_rows W B ->
      (forall l i j, (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat -> wired l i j = true ->
         forall y, Rabs (W l i j * y - gadget (keep l i j) (units l i j) y) <= eta * Rabs y) ->
      (forall l i, (l < L)%nat -> (i < d (S l))%nat -> Rabs (B l i - gadget (keep l i (d l)) (units l i (d l)) 1) <= eta) ->
      in_box (d 0) r x ->
      forall l, (l <= L)%nat ->
        in_box (d l) r (target_layers W B l x) /\
        (forall i, (i < d l)%nat -> Rabs (pruned_layers keep units l x i - target_layers W B l x i) <= ((1 + (D + 1) * eta) ^ l - 1) * r).
    Proof.
      intros He Hr HD HD0 HW HG HB Hx l. induction l as [|l IH]; intros Hl.
      - split; [exact Hx|]. intros i Hi. simpl. replace (x i - x i) with 0 by lra. rewrite Rabs_R0. lra.
      - destruct IH as [IB IE]; [lia|].
        assert (HDl : INR (d l) <= D) by (apply HD; lia).
        assert (Hde : 0 <= (D + 1) * eta) by (apply Rmult_le_pos; lra).
        set (q := (1 + (D + 1) * eta) ^ l) in *.
        assert (Hq : 1 <= q) by (apply pow_R1_Rle; lra).
        set (t := target_layers W B l x) in *. set (g := pruned_layers keep units l x) in *.
        assert (IG : in_box (d l) (q * r) g).
        { intros j Hj. replace (g j) with ((g j - t j) + t j) by lra.
          eapply Rle_trans; [apply Rabs_triang|]. pose proof (IE j Hj). pose proof (IB j Hj). lra. }
        split.
        + intros i Hi. simpl. fold t. pose proof (act_lip l (sum (d l) (fun j => if wired l i j then W l i j * t j else 0) + B l i) 0) as AL.
          rewrite act_0, !Rminus_0_r in AL. eapply Rle_trans; [exact AL|].
          eapply Rle_trans; [apply Rabs_triang|]. pose proof (HW l i ltac:(lia) Hi) as HWi.
          assert (S1 : Rabs (sum (d l) (fun j => if wired l i j then W l i j * t j else 0)) <= r * sum (d l) (fun j => if wired l i j then Rabs (W l i j) else 0)).
          { eapply Rle_trans; [apply sum_Rabs|]. rewrite <- sum_scal. apply sum_le. intros j Hj. destruct (wired l i j); [|rewrite Rabs_R0; lra].
            rewrite Rabs_mult. pose proof (IB j Hj). pose proof (Rabs_pos (W l i j)). nra. }
          pose proof (Rabs_pos (B l i)). nra.
        + intros i Hi. simpl. fold t g. eapply Rle_trans; [apply act_lip|].
          set (G := gadget (keep l i (d l)) (units l i (d l)) 1).
          replace (sum (d l) (fun j => if wired l i j then gadget (keep l i j) (units l i j) (g j) else 0) + G
                   - (sum (d l) (fun j => if wired l i j then W l i j * t j else 0) + B l i))
            with (sum (d l) (fun j => if wired l i j then (gadget (keep l i j) (units l i j) (g j) - W l i j * g j) + W l i j * (g j - t j) else 0) - (B l i - G)).
          2:{ rewrite (sum_ext _ _ (fun j => (if wired l i j then gadget (keep l i j) (units l i j) (g j) else 0)
                                             + (-1) * (if wired l i j then W l i j * t j else 0))) by (intros j _; destruct (wired l i j); ring).
              rewrite sum_plus, sum_scal. ring. }
          unfold Rminus at 1. eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp.
          assert (S1 : Rabs (sum (d l) (fun j => if wired l i j then (gadget (keep l i j) (units l i j) (g j) - W l i j * g j) + W l i j * (g j - t j) else 0))
                       <= sum (d l) (fun j => eta * (q * r) + ((q - 1) * r) * (if wired l i j then Rabs (W l i j) else 0))).
          { eapply Rle_trans; [apply sum_Rabs|]. apply sum_le. intros j Hj.
            assert (P1 : 0 <= eta * (q * r)) by (apply Rmult_le_pos; [assumption|apply Rmult_le_pos; lra]).
            destruct (wired l i j) eqn:Ew; [|rewrite Rabs_R0; lra].
            eapply Rle_trans; [apply Rabs_triang|]. apply Rplus_le_compat.
            - rewrite Rabs_minus_sym. eapply Rle_trans; [apply HG; [lia|assumption|assumption|assumption]|].
              apply Rmult_le_compat_l; [assumption|]. now apply IG.
            - rewrite Rabs_mult, Rmult_comm. apply Rmult_le_compat_r; [apply Rabs_pos|]. now apply IE. }
          rewrite sum_plus, sum_const, sum_scal in S1.
          pose proof (HB l i ltac:(lia) Hi) as HBi. fold G in HBi.
          pose proof (HW l i ltac:(lia) Hi) as HWi. pose proof (Rabs_pos (B l i)) as PB.
          set (s := sum (d l) (fun j => if wired l i j then Rabs (W l i j) else 0)) in *.
          assert (A1 : INR (d l) * (eta * (q * r)) <= D * (eta * (q * r))).
          { apply Rmult_le_compat_r; [|assumption]. apply Rmult_le_pos; [assumption|]. apply Rmult_le_pos; lra. }
          assert (A2 : (q - 1) * r * s <= (q - 1) * r * 1).
          { apply Rmult_le_compat_l; [apply Rmult_le_pos; lra|lra]. }
          assert (A3 : eta <= eta * (q * r)).
          { rewrite <- (Rmult_1_r eta) at 1. apply Rmult_le_compat_l; [assumption|]. nra. }
          fold q. replace (((1 + (D + 1) * eta) * q - 1) * r) with (D * (eta * (q * r)) + eta * (q * r) + (q - 1) * r * 1) by ring. lra.
    Qed.

    Variable n : nat.
    Variable eta delta D : R.
    Hypothesis eta_nonneg : 0 <= eta.
    Hypothesis delta_nonneg : 0 <= delta.
    Hypothesis D_nonneg : 0 <= D.
    Hypothesis d_le : forall l, (l < L)%nat -> INR (d l) <= D.
    Hypothesis small_error : INR L * ((D + 1) * eta) <= / 2.
    Variable N : nat.
    Hypothesis block_fraction : forall b, (b < K)%nat -> fraction_in N n (missed_scaled (alpha b) T eta) delta.

    Theorem slth_general :
      fraction_at_most (K * n)
        (fun xs => ~ exists mask : nat -> R -> list bool,
           (forall b w, (b < K)%nat -> length (mask b w) = n) /\
           forall W B, small W B -> small_rows W B -> forall r x, 1 <= r -> in_box (d 0) r x -> forall i, (i < d L)%nat ->
             Rabs (pruned_layers (place_keep mask W B) (place_units (fun b _ => block n b xs) W B) L x i - target_layers W B L x i)
             <= 2 * (INR L * ((D + 1) * eta)) * r)
        (INR K * delta).
    Proof.
      apply (fraction_not (K * n) (fun xs => exists b, (b < K)%nat /\ missed_scaled (alpha b) T eta (block n b xs))).
      2:{ apply (fraction_in_at_most N). now apply (fraction_blocks N n K (fun b => missed_scaled (alpha b) T eta)). }
      intros xs Hxs Hgood.
      set (mask := fun b w => near_mask (alpha b) eta w (block n b xs)).
      assert (Lm : forall b w, (b < K)%nat -> length (mask b w) = n).
      { intros b w Hb. unfold mask, near_mask. rewrite search_length. now apply (block_length n b K). }
      assert (G : forall b w, (b < K)%nat -> Rabs w <= T -> Rabs (w - subset_sum (mask b w) (scaled (alpha b) 0 (block n b xs))) <= eta).
      { intros b w Hb Hw. apply (near_mask_ok (alpha b) eta w (block n b xs) T Hw). intros C. apply Hgood. now exists b. }
      exists mask. split; [exact Lm|]. intros W B HS HR r x Hr Hx i Hi.
      destruct (layers_sup W B (place_keep mask W B) (place_units (fun b _ => block n b xs) W B) D eta r x eta_nonneg Hr d_le D_nonneg HR) with (l := L) as [_ H].
      - intros l i' j Hl Hi' Hj Ew y. destruct (HS l i' Hl Hi') as [_ HW].
        assert (B1 : (block_of l i' j false < K)%nat) by (apply block_of_lt; auto; lia).
        assert (B2 : (block_of l i' j true < K)%nat) by (apply block_of_lt; auto; lia).
        rewrite place_gadget by (assumption || (rewrite Lm by assumption; symmetry; now apply (block_length n _ K))).
        pose proof (G _ (W l i' j) B1 (HW j Hj Ew)) as H1.
        pose proof (G _ (- W l i' j) B2 ltac:(rewrite Rabs_Ropp; now apply HW)) as H2.
        set (s1 := subset_sum (mask (block_of l i' j false) (W l i' j)) _) in *.
        set (s2 := subset_sum (mask (block_of l i' j true) (- W l i' j)) _) in *. set (w := W l i' j) in *.
        pose proof (relu_split y) as Y. pose proof (relu_abs y) as YA.
        replace (w * y - (s1 * relu y + s2 * relu (- y))) with ((w - s1) * relu y + (- w - s2) * relu (- y)) by (rewrite Y at 3; lra).
        eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult.
        pose proof (relu_nonneg y). pose proof (relu_nonneg (- y)).
        rewrite (Rabs_pos_eq (relu y)), (Rabs_pos_eq (relu (- y))), YA by assumption. nra.
      - intros l i' Hl Hi'. destruct (HS l i' Hl Hi') as [HB _]. rewrite place_bias. apply G; [apply block_of_lt; auto; lia|assumption].
      - exact Hx.
      - apply le_n.
      - eapply Rle_trans; [now apply H|]. apply Rmult_le_compat_r; [lra|].
        apply bernoulli_high; [apply Rmult_le_pos; lra|exact small_error].
    Qed.
  End Tolerance.
End Networks.

(** ** Instances: the fraction of one block *)
Lemma scaled_one xs : forall t, scaled (fun _ => 1) t xs = xs.
Proof. induction xs as [|x xs IH]; intros t; simpl; [reflexivity|]. rewrite IH. f_equal. lra. Qed.

Lemma kept_scale_one m : forall t, kept_scale (fun _ => 1) t m = INR (kept m).
Proof. induction m as [|[|] m IH]; intros t; simpl kept_scale; [reflexivity| |]; rewrite IH;
  [change (kept (true :: m)) with (S (kept m)); rewrite S_INR|change (kept (false :: m)) with (kept m)]; lra. Qed.

Lemma fraction_subset_in N n (P Q : list R -> Prop) delta : (forall xs, P xs -> Q xs) -> fraction_in N n Q delta -> fraction_in N n P delta.
Proof. intros H (cells & C1 & C2). exists cells. split; [|exact C2]. intros xs Hl HF HP. apply C1; auto. Qed.

Lemma wide_block_exact n eps : 0 < eps <= 1 -> exists N, fraction_in N n (missed_scaled_exactly (fun _ => 1) 1 eps) (21 * (3 / 4) ^ n / (eps * eps)).
Proof.
  intros He. destruct (rss_wide_exact n eps He) as (N & H). exists N.
  apply (fraction_subset_in N n _ (missed_wide_exactly eps)); [|exact H].
  intros xs (z & Hz & Hs). exists z. split; [assumption|]. intros R. apply Hs. apply reachable_iff in R; [|lra].
  destruct R as (m & Hm & Hv). exists m. split; [assumption|]. rewrite scaled_one, kept_scale_one. apply Rabs_le. lra.
Qed.

Lemma wide_block n eta : 0 < eta <= 1 -> exists N, fraction_in N n (missed_scaled (fun _ => 1) 1 eta) (8.1 * (3 / 4) ^ n / (eta * eta)).
Proof.
  intros He. destruct (rss_wide n eta He) as (N & H). exists N.
  apply (fraction_subset_in N n _ (missed_wide eta)); [|exact H].
  intros xs (z & Hz & Hs). exists z. split; [assumption|]. intros m Hm. specialize (Hs m Hm). now rewrite scaled_one in Hs.
Qed.

Lemma failure_nonneg c p y : 0 <= c -> 0 <= p -> 0 < y -> 0 <= c * p / (y * y).
Proof. intros. apply Rmult_le_pos; [now apply Rmult_le_pos|left; apply Rinv_0_lt_compat; nra]. Qed.

Section Instances.
  Variable d : nat -> nat.
  Variable act : nat -> R -> R.
  Variable L : nat.
  Variable wired : nat -> nat -> nat -> bool.
  Variable block_of : nat -> nat -> nat -> bool -> nat.
  Variable K : nat.
  Hypothesis block_of_lt : forall l i j s, (l < L)%nat -> (i < d (S l))%nat -> (j <= d l)%nat -> (block_of l i j s < K)%nat.

  (** what a sample must offer: masks and shifts with which every target with weights and biases in [-T, T] is represented exactly *)
  Definition represents_all (alpha : nat -> nat -> R) (T eps : R) (n : nat) (xs : list R) : Prop :=
    exists (mask : nat -> R -> list bool) (shift : nat -> R -> list R),
      (forall b w, (b < K)%nat -> Rabs w <= T ->
         length (mask b w) = n /\ length (shift b w) = n /\ Forall (fun e => Rabs e <= eps) (shift b w)) /\
      forall W B, small d L wired T W B -> forall x i, (i < d L)%nat ->
        pruned_layers d act wired (place_keep d block_of mask W B)
          (place_units d block_of alpha (fun b w => shifted (block n b xs) (shift b w)) W B) L x i
        = target_layers d act wired W B L x i.

  Theorem slth_first_layer_exact n A eps alpha : 0 < A <= 1 -> 0 < eps <= 1 -> (forall b t, A <= alpha b t <= 1) ->
    fraction_at_most (K * n) (fun xs => ~ represents_all alpha (A / 2) eps n xs) (INR K * (6.1 * (1 - A / 4) ^ n / (eps * eps))).
  Proof.
    intros HA He Ha. destruct (rss_scaled_exact n A eps HA He) as (N & H).
    apply (slth_general_exact d act L wired block_of K block_of_lt alpha A (proj1 HA) (fun b t => proj1 (Ha b t)) (A / 2) n eps _ ltac:(lra)) with (N := N).
    - apply failure_nonneg; [lra|apply pow_le; lra|lra].
    - intros b _. apply H. apply Ha.
  Qed.

  Theorem slth_wide_exact n eps : 0 < eps <= 1 ->
    fraction_at_most (K * n) (fun xs => ~ represents_all (fun _ _ => 1) 1 eps n xs) (INR K * (21 * (3 / 4) ^ n / (eps * eps))).
  Proof.
    intros He. destruct (wide_block_exact n eps He) as (N & H).
    apply (slth_general_exact d act L wired block_of K block_of_lt (fun _ _ => 1) 1 Rlt_0_1 (fun _ _ => Rle_refl 1) 1 n eps _ ltac:(lra)) with (N := N).
    - apply failure_nonneg; [lra|apply pow_le; lra|lra].
    - intros b _. exact H.
  Qed.

  Hypothesis act_lip : forall l x y, Rabs (act l x - act l y) <= Rabs (x - y).
  Hypothesis act_0 : forall l, act l 0 = 0.

  (** masks with which every target is approximated: rows of |W| and |b| sum to at most 1, inputs in a box of radius r >= 1 *)
  Definition approximates_all (alpha : nat -> nat -> R) (T eta D : R) (n : nat) (xs : list R) : Prop :=
    exists mask : nat -> R -> list bool,
      (forall b w, (b < K)%nat -> length (mask b w) = n) /\
      forall W B, small d L wired T W B -> small_rows d L wired W B -> forall r x, 1 <= r -> in_box (d 0) r x -> forall i, (i < d L)%nat ->
        Rabs (pruned_layers d act wired (place_keep d block_of mask W B) (place_units d block_of alpha (fun b _ => block n b xs) W B) L x i
              - target_layers d act wired W B L x i)
        <= 2 * (INR L * ((D + 1) * eta)) * r.

  Theorem slth_first_layer n A eta D alpha : 0 < A <= 1 -> 0 < eta <= A -> (forall b t, A <= alpha b t <= 1) ->
    0 <= D -> (forall l, (l < L)%nat -> INR (d l) <= D) -> INR L * ((D + 1) * eta) <= / 2 ->
    fraction_at_most (K * n) (fun xs => ~ approximates_all alpha (A / 2) eta D n xs)
      (INR K * (2.1 * (A * A) * (1 - A / 4) ^ n / (eta * eta))).
  Proof.
    intros HA He Ha HD Hd Hs. destruct (rss_scaled n A eta HA He) as (N & H).
    apply (slth_general d act L wired block_of K block_of_lt alpha A (proj1 HA) (fun b t => proj1 (Ha b t)) (A / 2) act_lip act_0 n eta _ D) with (N := N);
      try assumption; try lra.
    - apply failure_nonneg; [nra|apply pow_le; lra|lra].
    - intros b _. apply H. apply Ha.
  Qed.

  Theorem slth_wide n eta D : 0 < eta <= 1 -> 0 <= D -> (forall l, (l < L)%nat -> INR (d l) <= D) -> INR L * ((D + 1) * eta) <= / 2 ->
    fraction_at_most (K * n) (fun xs => ~ approximates_all (fun _ _ => 1) 1 eta D n xs) (INR K * (8.1 * (3 / 4) ^ n / (eta * eta))).
  Proof.
    intros He HD Hd Hs. destruct (wide_block n eta He) as (N & H).
    apply (slth_general d act L wired block_of K block_of_lt (fun _ _ => 1) 1 Rlt_0_1 (fun _ _ => Rle_refl 1) 1 act_lip act_0 n eta _ D) with (N := N);
      try assumption; try lra.
    - apply failure_nonneg; [lra|apply pow_le; lra|lra].
    - intros b _. exact H.
  Qed.
End Instances.
