(** Floor 4: errors of weights become errors of networks, in the sup norm.

    Glossary
      d l                  == the width of layer l
      act l                == the activation of layer l: 1-Lipschitz, 0 at 0
      target_net W l x     == the target network: layer l + 1 is act_l (W_l (layer l))
      pruned_net keep U l x == the pruned network: every weight replaced by a gadget with units U
      in_box n r x         == |x_i| <= r for i < n

    Main theorems
      net_sup              |pruned - target| <= ((1 + D eta)^l - 1) r when each gadget errs by at most eta |x|, row sums of |W| are at most 1
                           and widths are at most D
      net_sup_simple       the same <= 2 L D eta r when L D eta <= 1/2 *)
Require Import Reals Lra Lia List Bool.
From StrongLTH Require Import FinSum SubsetSum Gadget.
Open Scope R_scope.

Section Net.
  Variable d : nat -> nat.
  Variable act : nat -> R -> R.
  Hypothesis act_lip : forall l x y, Rabs (act l x - act l y) <= Rabs (x - y).
  Hypothesis act_0 : forall l, act l 0 = 0.

  Definition vec := nat -> R.
  Definition in_box (n : nat) (r : R) (x : vec) : Prop := forall i, (i < n)%nat -> Rabs (x i) <= r.

  Fixpoint target_net (W : nat -> nat -> nat -> R) (l : nat) (x : vec) : vec :=
    match l with
    | O => x
    | S k => fun i => act k (sum (d k) (fun j => W k i j * target_net W k x j))
    end.

  Fixpoint pruned_net (m : nat -> nat -> nat -> list bool) (G : nat -> nat -> nat -> list (R * R))
           (l : nat) (x : vec) : vec :=
    match l with
    | O => x
    | S k => fun i => act k (sum (d k) (fun j => gadget (m k i j) (G k i j) (pruned_net m G k x j)))
    end.

  Lemma act_bound l x : Rabs (act l x) <= Rabs x.
  Proof. pose proof (act_lip l x 0) as H. rewrite act_0, !Rminus_0_r in H. exact H. Qed.

  Theorem net_sup (W : nat -> nat -> nat -> R) m G (L : nat) (D eta r : R) x :
    0 <= eta -> 0 <= r ->
    (forall l, (l < L)%nat -> INR (d l) <= D) ->
    (forall l i, (l < L)%nat -> (i < d (S l))%nat -> sum (d l) (fun j => Rabs (W l i j)) <= 1) ->
    (forall l i j, (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat ->
        forall y, Rabs (W l i j * y - gadget (m l i j) (G l i j) y) <= eta * Rabs y) ->
    in_box (d 0) r x ->
    forall l, (l <= L)%nat ->
      in_box (d l) r (target_net W l x) /\
      (forall i, (i < d l)%nat -> Rabs (pruned_net m G l x i - target_net W l x i) <= ((1 + D * eta) ^ l - 1) * r).
  Proof.
    intros He Hr HD HW HG Hx l. induction l as [|l IH]; intros Hl.
    - split; [exact Hx|]. intros i Hi. simpl. replace (x i - x i) with 0 by lra. rewrite Rabs_R0. lra.
    - destruct IH as [IB IE]; [lia|].
      assert (HDl : INR (d l) <= D) by (apply HD; lia).
      assert (D0 : 0 <= D) by (pose proof (pos_INR (d l)); lra).
      assert (Hde : 0 <= D * eta) by (apply Rmult_le_pos; assumption).
      set (q := (1 + D * eta) ^ l) in *.
      assert (Hq : 1 <= q) by (apply pow_R1_Rle; lra).
      assert (IG : in_box (d l) (q * r) (pruned_net m G l x)).
      { intros j Hj. replace (pruned_net m G l x j) with ((pruned_net m G l x j - target_net W l x j) + target_net W l x j) by lra.
        eapply Rle_trans; [apply Rabs_triang|]. pose proof (IE j Hj). pose proof (IB j Hj). lra. }
      split.
      + intros i Hi. simpl. eapply Rle_trans; [apply act_bound|].
        eapply Rle_trans; [apply sum_Rabs|].
        apply Rle_trans with (sum (d l) (fun j => r * Rabs (W l i j))).
        * apply sum_le; intros j Hj. rewrite Rabs_mult. pose proof (IB j Hj). pose proof (Rabs_pos (W l i j)). nra.
        * rewrite sum_scal. pose proof (HW l i ltac:(lia) Hi). nra.
      + intros i Hi. simpl. eapply Rle_trans; [apply act_lip|].
        replace (sum (d l) (fun j => gadget (m l i j) (G l i j) (pruned_net m G l x j))
                 - sum (d l) (fun j => W l i j * target_net W l x j))
          with (sum (d l) (fun j => (gadget (m l i j) (G l i j) (pruned_net m G l x j) - W l i j * pruned_net m G l x j)
                                    + W l i j * (pruned_net m G l x j - target_net W l x j))).
        2:{ rewrite (sum_ext _ _ (fun j => gadget (m l i j) (G l i j) (pruned_net m G l x j) + (-1) * (W l i j * target_net W l x j)))
              by (intros; lra).
            rewrite sum_plus, sum_scal. lra. }
        eapply Rle_trans; [apply sum_Rabs|].
        apply Rle_trans with (sum (d l) (fun j => eta * (q * r) + ((q - 1) * r) * Rabs (W l i j))).
        * apply sum_le; intros j Hj. eapply Rle_trans; [apply Rabs_triang|]. apply Rplus_le_compat.
          -- rewrite Rabs_minus_sym. eapply Rle_trans; [apply HG; [lia|assumption|assumption]|].
             apply Rmult_le_compat_l; [assumption|]. apply IG; assumption.
          -- rewrite Rabs_mult, Rmult_comm. apply Rmult_le_compat_r; [apply Rabs_pos|]. apply IE; assumption.
        * rewrite sum_plus, sum_const, sum_scal.
          pose proof (HW l i ltac:(lia) Hi) as HWi.
          assert (A1 : INR (d l) * (eta * (q * r)) <= D * (eta * (q * r))).
          { apply Rmult_le_compat_r; [|assumption]. apply Rmult_le_pos; [assumption|]. apply Rmult_le_pos; lra. }
          assert (A2 : (q - 1) * r * sum (d l) (fun j => Rabs (W l i j)) <= (q - 1) * r * 1).
          { apply Rmult_le_compat_l; [apply Rmult_le_pos; lra|assumption]. }
          replace ((1 + D * eta) * q) with (q + D * eta * q) by ring. fold q.
          lra.
  Qed.

  Corollary net_sup_simple (W : nat -> nat -> nat -> R) m G (L : nat) (D eta r : R) x :
    0 <= eta -> 0 <= r ->
    (forall l, (l < L)%nat -> INR (d l) <= D) -> 0 <= D -> INR L * (D * eta) <= / 2 ->
    (forall l i, (l < L)%nat -> (i < d (S l))%nat -> sum (d l) (fun j => Rabs (W l i j)) <= 1) ->
    (forall l i j, (l < L)%nat -> (i < d (S l))%nat -> (j < d l)%nat ->
        forall y, Rabs (W l i j * y - gadget (m l i j) (G l i j) y) <= eta * Rabs y) ->
    in_box (d 0) r x ->
    forall i, (i < d L)%nat -> Rabs (pruned_net m G L x i - target_net W L x i) <= 2 * (INR L * (D * eta)) * r.
  Proof.
    intros He Hr HD HD0 Hs HW HG Hx i Hi.
    destruct (net_sup W m G L D eta r x He Hr HD HW HG Hx L (le_n _)) as [_ H].
    eapply Rle_trans; [apply H; assumption|]. apply Rmult_le_compat_r; [assumption|].
    apply bernoulli_high; [apply Rmult_le_pos; assumption|assumption].
  Qed.
End Net.
