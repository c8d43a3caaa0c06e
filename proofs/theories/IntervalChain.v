(** Floor 4: certificates of coverage. One sample serves a whole window: masks whose intervals form a chain prove it.

    Glossary
      chain low a l        == the intervals l, in order, leave no gap from a on; [reach] of the chain is where it ends
      mask_of n code       == the subset of n candidates that the binary digits of code select
      served_interval      == the targets that a mask serves: its sum, plus or minus tol + perturbation |S| (integers, in units of the grid)
      chain_check tol pert l a b codes == the checker: the served intervals of the masks are a chain from a to b (a boolean)

    Main theorems
      chain_covers         a chain from a covers [a, its end]
      chain_check_sound    an accepted certificate proves that every real target of [h a, h b] is served by the sample h l, h > 0 the grid step
      subset_check_sound   the same for one target *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum SubsetSum.
Import ListNotations.
Open Scope R_scope.

(** ** Chains of real intervals *)
Fixpoint chain (reached : R) (l : list (R * R)) : Prop :=
  match l with nil => True | i :: l' => fst i <= reached /\ chain (Rmax reached (snd i)) l' end.

Fixpoint chain_end (reached : R) (l : list (R * R)) : R :=
  match l with nil => reached | i :: l' => chain_end (Rmax reached (snd i)) l' end.

Lemma chain_covers_from l : forall done a reached,
  (forall z, a <= z <= reached -> exists i, In i done /\ fst i <= z <= snd i) ->
  chain reached l ->
  forall z, a <= z <= chain_end reached l -> exists i, In i (done ++ l) /\ fst i <= z <= snd i.
Proof.
  induction l as [|i l IH]; intros done a reached Hd Hc z Hz; simpl in *.
  - rewrite app_nil_r. now apply Hd.
  - destruct Hc as [Hi Hc]. replace (done ++ i :: l) with ((done ++ [i]) ++ l) by now rewrite <- app_assoc.
    apply (IH (done ++ [i]) a (Rmax reached (snd i))); [|assumption|assumption].
    intros y Hy. destruct (Rle_dec y reached) as [L|L].
    + destruct (Hd y) as (j & Hj & Hy'); [lra|]. exists j. split; [apply in_or_app; now left|assumption].
    + exists i. split; [apply in_or_app; right; now left|].
      revert Hy. unfold Rmax. destruct Rle_dec; intros; lra.
Qed.

Theorem chain_covers i l a : fst i <= a -> chain (snd i) l ->
  forall z, a <= z <= chain_end (snd i) l -> exists j, In j (i :: l) /\ fst j <= z <= snd j.
Proof.
  intros Hi Hc. apply (chain_covers_from l [i] a (snd i)); [|assumption].
  intros z Hz. exists i. split; [now left|]. lra.
Qed.

(** ** The checker, in integers *)
Definition mask_of (n : nat) (code : Z) : list bool := map (fun i => Z.testbit code (Z.of_nat i)) (seq 0 n).

Lemma mask_of_length n code : length (mask_of n code) = n.
Proof. unfold mask_of. now rewrite map_length, seq_length. Qed.

Definition served_interval (tol pert : Z) (l : list Z) (code : Z) : Z * Z :=
  let m := mask_of (length l) code in
  let c := int_subset_sum m l in
  let r := (tol + pert * Z.of_nat (kept m))%Z in
  (c - r, c + r)%Z.

Fixpoint chain_walk (b reached : Z) (l : list (Z * Z)) : bool :=
  match l with
  | nil => (b <=? reached)%Z
  | i :: l' => (fst i <=? reached)%Z && chain_walk b (Z.max reached (snd i)) l'
  end.

Definition chain_check (tol pert : Z) (l : list Z) (a b : Z) (codes : list Z) : bool :=
  match map (served_interval tol pert l) codes with
  | nil => false
  | i :: rest => (fst i <=? a)%Z && chain_walk b (snd i) rest
  end.

Definition subset_check (tol pert : Z) (l : list Z) (z code : Z) : bool :=
  let i := served_interval tol pert l code in (fst i <=? z)%Z && (z <=? snd i)%Z.

(** ** Soundness *)
Section Soundness.
  Variable h : R.
  Hypothesis h_pos : 0 < h.

  Definition real_sample (l : list Z) : list R := map (fun x => h * IZR x) l.
  Definition real_interval (i : Z * Z) : R * R := (h * IZR (fst i), h * IZR (snd i)).

  Lemma real_subset_sum m : forall l, subset_sum m (real_sample l) = h * IZR (int_subset_sum m l).
  Proof.
    induction m as [|b m IH]; intros [|x l]; simpl; try lra.
    rewrite IH, plus_IZR. destruct b; simpl; lra.
  Qed.

  Lemma h_le x y : (x <= y)%Z -> h * IZR x <= h * IZR y.
  Proof. intros H. apply IZR_le in H. apply Rmult_le_compat_l; lra. Qed.

  Lemma h_max x y : Rmax (h * IZR x) (h * IZR y) = h * IZR (Z.max x y).
  Proof.
    destruct (Z_le_gt_dec x y) as [L|L].
    - rewrite Z.max_r by assumption. apply Rmax_right, h_le, L.
    - rewrite Z.max_l by lia. apply Rmax_left, h_le. lia.
  Qed.

  Lemma chain_walk_sound b l : forall reached, chain_walk b reached l = true ->
    chain (h * IZR reached) (map real_interval l) /\ h * IZR b <= chain_end (h * IZR reached) (map real_interval l).
  Proof.
    induction l as [|i l IH]; intros reached H; simpl in *.
    - split; [exact I|]. apply h_le. now apply Z.leb_le.
    - apply andb_true_iff in H. destruct H as [H1 H2]. apply Z.leb_le in H1.
      rewrite h_max. destruct (IH _ H2). split; [split; [now apply h_le|assumption]|assumption].
  Qed.

  Lemma served_interval_serves tol pert l code z : (0 <= tol)%Z -> (0 <= pert)%Z ->
    fst (real_interval (served_interval tol pert l code)) <= z <= snd (real_interval (served_interval tol pert l code)) ->
    exists v, reachable (h * IZR pert) (real_sample l) v /\ Rabs (z - v) <= h * IZR tol.
  Proof.
    intros Ht Hp Hz. apply IZR_le in Ht. apply IZR_le in Hp.
    apply reachable_within_iff; [apply Rmult_le_pos; lra|apply Rmult_le_pos; lra|].
    exists (mask_of (length l) code). split; [unfold real_sample; now rewrite map_length, mask_of_length|].
    rewrite real_subset_sum.
    unfold real_interval, served_interval in Hz. cbn [fst snd] in Hz.
    rewrite minus_IZR, !plus_IZR, mult_IZR, <- INR_IZR_INZ in Hz.
    set (m := mask_of (length l) code) in *. apply Rabs_le. split; nra.
  Qed.

  Theorem chain_check_sound tol pert l a b codes : (0 <= tol)%Z -> (0 <= pert)%Z ->
    chain_check tol pert l a b codes = true ->
    forall z, h * IZR a <= z <= h * IZR b ->
    exists v, reachable (h * IZR pert) (real_sample l) v /\ Rabs (z - v) <= h * IZR tol.
  Proof.
    intros Ht Hp H z Hz. unfold chain_check in H.
    destruct (map (served_interval tol pert l) codes) as [|i rest] eqn:E1; [discriminate|].
    apply andb_true_iff in H. destruct H as [H1 H2]. apply Z.leb_le in H1.
    destruct (chain_walk_sound b rest _ H2) as [C1 C2].
    destruct (chain_covers (real_interval i) (map real_interval rest) (h * IZR a)) with (z := z) as (j & Hj & Hzj).
    - simpl. now apply h_le.
    - exact C1.
    - split; [lra|]. eapply Rle_trans; [|exact C2]. lra.
    - change (real_interval i :: map real_interval rest) with (map real_interval (i :: rest)) in Hj. rewrite <- E1 in Hj.
      apply in_map_iff in Hj. destruct Hj as (i' & <- & Hj). apply in_map_iff in Hj. destruct Hj as (code & <- & _).
      now apply (served_interval_serves tol pert l code).
  Qed.

  Theorem subset_check_sound tol pert l z code : (0 <= tol)%Z -> (0 <= pert)%Z ->
    subset_check tol pert l z code = true ->
    exists v, reachable (h * IZR pert) (real_sample l) v /\ Rabs (h * IZR z - v) <= h * IZR tol.
  Proof.
    intros Ht Hp H. unfold subset_check in H. apply andb_true_iff in H. destruct H as [H1 H2].
    apply Z.leb_le in H1. apply Z.leb_le in H2.
    apply (served_interval_serves tol pert l code); [assumption|assumption|].
    split; now apply h_le.
  Qed.
End Soundness.
