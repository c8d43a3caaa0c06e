(** Floor 3: subset sums of a given list of candidates. No probability here.

    Glossary
      keep                     == a list of booleans, the subset that is kept (S in the papers)
      subset_sum keep l        == sum of the kept entries of l
      int_subset_sum keep l    == the same for integers
      kept keep                == |S|, the number of kept entries
      keeps n                  == all 2^n subsets of n candidates
      covers eta l a b         == every target in [a, b] has a subset sum within eta
      greedy len l             == no candidate is longer than what is covered before it, starting from len
      shifted l d              == l + d, entry by entry (d: the shifts)
      reachable eps l v        == v is a subset sum of l after shifts of at most eps (exactly, not within a tolerance)
    Letters: eta = tol, eps = perturbation, l = candidates, z = target.

    Main theorems
      covers_double, covers_greedy_nil   doubling, greedy covering
      reachable_iff                      perturbed subset sums are a union of closed intervals
      reachable_within_iff               the same with a tolerance
      forced_prefix                      q candidates that are always kept enlarge the tolerance by q eps
      necessary_volume                   covering [a, b] forces b - a <= 2^n (2 eta + n eps) *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum.
Import ListNotations.
Open Scope R_scope.

Fixpoint subset_sum (m : list bool) (l : list R) : R :=
  match m, l with
  | b :: m', x :: l' => (if b then x else 0) + subset_sum m' l'
  | _, _ => 0
  end.

Fixpoint kept (m : list bool) : nat :=
  match m with nil => O | b :: m' => ((if b then 1 else 0) + kept m')%nat end.

Fixpoint sum_abs (l : list R) : R :=
  match l with nil => 0 | x :: l' => Rabs x + sum_abs l' end.

(** [covers eta l a b]: every z in [a,b] is within eta of some subset sum of l. *)
Definition covers (eta : R) (l : list R) (a b : R) : Prop :=
  forall z, a <= z <= b -> exists m, length m = length l /\ Rabs (z - subset_sum m l) <= eta.

(** ** Doubling *)
Lemma covers_nil eta : covers eta [] (- eta) eta.
Proof.
  intros z Hz. exists nil; split; [reflexivity|]. simpl.
  replace (z - 0) with z by lra. apply Rabs_le; lra.
Qed.

(** set level: the new sum set contains A and x + A *)
Lemma covers_cons_old eta x l a b : covers eta l a b -> covers eta (x :: l) a b.
Proof.
  intros H z Hz. destruct (H z Hz) as (m & Hl & Hm).
  exists (false :: m); split; [simpl; congruence|]. simpl.
  now replace (z - (0 + subset_sum m l)) with (z - subset_sum m l) by lra.
Qed.

Lemma covers_cons_new eta x l a b : covers eta l a b -> covers eta (x :: l) (a + x) (b + x).
Proof.
  intros H z Hz. destruct (H (z - x)) as (m & Hl & Hm); [lra|].
  exists (true :: m); split; [simpl; congruence|]. simpl.
  now replace (z - (x + subset_sum m l)) with (z - x - subset_sum m l) by lra.
Qed.

Theorem covers_double eta x l a b :
  covers eta l a b -> Rabs x <= b - a ->
  covers eta (x :: l) (Rmin a (a + x)) (Rmax b (b + x)).
Proof.
  intros H Hx z Hz.
  destruct (Rle_dec 0 x) as [P|P].
  - rewrite Rabs_pos_eq in Hx by lra.
    rewrite Rmin_left, Rmax_right in Hz by lra.
    destruct (Rle_dec z b); [apply (covers_cons_old eta x l a b H)|apply (covers_cons_new eta x l a b H)]; lra.
  - rewrite Rabs_left in Hx by lra.
    rewrite Rmin_right, Rmax_left in Hz by lra.
    destruct (Rle_dec a z); [apply (covers_cons_old eta x l a b H)|apply (covers_cons_new eta x l a b H)]; lra.
Qed.

Lemma double_length a b x : Rmax b (b + x) - Rmin a (a + x) = b - a + Rabs x.
Proof.
  destruct (Rle_dec 0 x).
  - rewrite Rmin_left, Rmax_right, Rabs_pos_eq by lra; lra.
  - rewrite Rmin_right, Rmax_left, Rabs_left by lra; lra.
Qed.

(** greedy condition: each new element is no longer than what is covered so far *)
Fixpoint greedy (len : R) (l : list R) : Prop :=
  match l with nil => True | x :: l' => Rabs x <= len /\ greedy (len + Rabs x) l' end.

Theorem covers_greedy eta l : forall l0 a b,
  covers eta l0 a b -> greedy (b - a) l ->
  exists a' b', a' <= a /\ b <= b' /\ b' - a' = b - a + sum_abs l /\ covers eta (rev l ++ l0) a' b'.
Proof.
  induction l as [|x l IH]; intros l0 a b H Hok; simpl.
  - exists a, b; repeat split; try lra. exact H.
  - destruct Hok as [Hx Hok].
    pose proof (covers_double eta x l0 a b H Hx) as H1.
    rewrite <- (double_length a b x) in Hok.
    destruct (IH _ _ _ H1 Hok) as (a' & b' & Ha & Hb & Hlen & Hc).
    exists a', b'. pose proof (Rmin_l a (a + x)). pose proof (Rmax_l b (b + x)).
    repeat split; try lra.
    + rewrite Hlen, double_length; lra.
    + replace ((rev l ++ [x]) ++ l0) with (rev l ++ x :: l0) by now rewrite <- app_assoc.
      exact Hc.
Qed.

(** from nothing: the empty sample covers [-eta, eta] *)
Corollary covers_greedy_nil eta l :
  greedy (2 * eta) l ->
  exists a' b', a' <= - eta /\ eta <= b' /\ b' - a' = 2 * eta + sum_abs l /\ covers eta (rev l) a' b'.
Proof.
  intros H. destruct (covers_greedy eta l [] (- eta) eta (covers_nil eta)) as (a' & b' & H1 & H2 & H3 & H4).
  - now replace (eta - - eta) with (2 * eta) by lra.
  - exists a', b'. rewrite app_nil_r in H4. repeat split; try assumption; lra.
Qed.

(** ** Perturbed subset sums *)
Fixpoint shifted (l d : list R) : list R :=
  match l, d with x :: l', e :: d' => (x + e) :: shifted l' d' | _, _ => nil end.

Lemma shifted_length : forall l e, length e = length l -> length (shifted l e) = length l.
Proof. induction l as [|x l IH]; intros [|y e] H; try discriminate; simpl; [reflexivity|]. f_equal. apply IH. simpl in H; lia. Qed.

Definition reachable (eps : R) (l : list R) (v : R) : Prop :=
  exists m d, length m = length l /\ length d = length l /\
    Forall (fun e => Rabs e <= eps) d /\ v = subset_sum m (shifted l d).

Lemma subset_sum_shifted_bound eps m : forall l d, length m = length l -> length d = length l ->
  Forall (fun e => Rabs e <= eps) d -> Rabs (subset_sum m (shifted l d) - subset_sum m l) <= eps * INR (kept m).
Proof.
  induction m as [|b m IH]; intros [|x l] [|e d] Hm Hd HF; try discriminate; simpl.
  - rewrite Rminus_0_r, Rabs_R0; lra.
  - inversion HF as [|? ? He HF']; subst.
    assert (Hm' : length m = length l) by (simpl in Hm; lia).
    assert (Hd' : length d = length l) by (simpl in Hd; lia).
    specialize (IH l d Hm' Hd' HF'). destruct b.
    + rewrite plus_INR. simpl INR.
      replace (x + e + subset_sum m (shifted l d) - (x + subset_sum m l)) with (e + (subset_sum m (shifted l d) - subset_sum m l)) by lra.
      eapply Rle_trans; [apply Rabs_triang|]. lra.
    + simpl. now replace (0 + subset_sum m (shifted l d) - (0 + subset_sum m l)) with (subset_sum m (shifted l d) - subset_sum m l) by lra.
Qed.

Lemma subset_sum_shifted_repeat t m : forall l, length m = length l ->
  subset_sum m (shifted l (repeat t (length l))) = subset_sum m l + t * INR (kept m).
Proof.
  induction m as [|b m IH]; intros [|x l] H; try discriminate; simpl; [lra|].
  rewrite IH by (simpl in H; lia). destruct b; [rewrite plus_INR; simpl INR|simpl]; lra.
Qed.

Theorem reachable_iff eps l v : 0 <= eps ->
  (reachable eps l v <-> exists m, length m = length l /\
      subset_sum m l - eps * INR (kept m) <= v <= subset_sum m l + eps * INR (kept m)).
Proof.
  intros He; split.
  - intros (m & d & Hm & Hd & HF & ->). exists m; split; [assumption|].
    pose proof (subset_sum_shifted_bound eps m l d Hm Hd HF) as B.
    pose proof (Rle_abs (subset_sum m (shifted l d) - subset_sum m l)).
    pose proof (Rle_abs (- (subset_sum m (shifted l d) - subset_sum m l))).
    rewrite Rabs_Ropp in *. lra.
  - intros (m & Hm & Hv).
    set (k := INR (kept m)) in *.
    destruct (Req_dec k 0) as [Z|NZ].
    + exists m, (repeat 0 (length l)). rewrite repeat_length. repeat split; auto.
      * apply Forall_forall; intros e Hin. apply repeat_spec in Hin; subst. rewrite Rabs_R0; lra.
      * rewrite subset_sum_shifted_repeat by assumption. rewrite Z in Hv. lra.
    + assert (Pk : 0 < k) by (pose proof (pos_INR (kept m)); unfold k in *; lra).
      exists m, (repeat ((v - subset_sum m l) / k) (length l)). rewrite repeat_length. repeat split; auto.
      * apply Forall_forall; intros e Hin. apply repeat_spec in Hin; subst.
        apply Rabs_le. split.
        -- apply Rmult_le_reg_r with k; [assumption|]. field_simplify; [lra|lra].
        -- apply Rmult_le_reg_r with k; [assumption|]. field_simplify; [lra|lra].
      * rewrite subset_sum_shifted_repeat by assumption. fold k. field. lra.
Qed.

Corollary reachable_within_iff eps eta l z : 0 <= eps -> 0 <= eta ->
  ((exists v, reachable eps l v /\ Rabs (z - v) <= eta) <->
   exists m, length m = length l /\ Rabs (z - subset_sum m l) <= eta + eps * INR (kept m)).
Proof.
  intros He Ht; split.
  - intros (v & Hr & Hz). apply reachable_iff in Hr; [|assumption]. destruct Hr as (m & Hm & Hv).
    exists m; split; [assumption|].
    replace (z - subset_sum m l) with ((z - v) + (v - subset_sum m l)) by lra.
    eapply Rle_trans; [apply Rabs_triang|].
    assert (Rabs (v - subset_sum m l) <= eps * INR (kept m)) by (apply Rabs_le; lra). lra.
  - intros (m & Hm & Hz).
    set (r := eps * INR (kept m)) in *.
    assert (Hr : 0 <= r) by (apply Rmult_le_pos; [assumption|apply pos_INR]).
    (* clamp z to the interval *)
    pose proof (Rle_abs (z - subset_sum m l)) as A1.
    pose proof (Rle_abs (- (z - subset_sum m l))) as A2. rewrite Rabs_Ropp in A2.
    exists (Rmax (subset_sum m l - r) (Rmin (subset_sum m l + r) z)). split.
    + apply reachable_iff; [assumption|]. exists m; split; [assumption|]. fold r.
      unfold Rmax, Rmin; repeat destruct Rle_dec; lra.
    + apply Rabs_le. unfold Rmax, Rmin; repeat destruct Rle_dec; lra.
Qed.

Lemma subset_sum_app m1 : forall l1 m2 l2, length m1 = length l1 ->
  subset_sum (m1 ++ m2) (l1 ++ l2) = subset_sum m1 l1 + subset_sum m2 l2.
Proof.
  induction m1 as [|b m1 IH]; intros [|x l1] m2 l2 H; try discriminate; simpl; [lra|].
  rewrite IH by (simpl in H; lia). lra.
Qed.

Lemma kept_app m1 m2 : kept (m1 ++ m2) = (kept m1 + kept m2)%nat.
Proof. induction m1; simpl; lia. Qed.

Lemma kept_all n : kept (repeat true n) = n.
Proof. induction n; simpl; lia. Qed.

Theorem forced_prefix eps eta l1 l2 z : 0 <= eps -> 0 <= eta ->
  (exists m, length m = length l2 /\
     Rabs (z - subset_sum (repeat true (length l1)) l1 - subset_sum m l2) <= eta + eps * INR (length l1)) ->
  exists v, reachable eps (l1 ++ l2) v /\ Rabs (z - v) <= eta.
Proof.
  intros He Ht (m & Hm & Hz). apply reachable_within_iff; [assumption|assumption|].
  exists (repeat true (length l1) ++ m). split.
  - rewrite !app_length, repeat_length; lia.
  - rewrite subset_sum_app by apply repeat_length.
    rewrite kept_app, kept_all, plus_INR.
    replace (z - (subset_sum (repeat true (length l1)) l1 + subset_sum m l2))
      with (z - subset_sum (repeat true (length l1)) l1 - subset_sum m l2) by lra.
    assert (0 <= eps * INR (kept m)) by (apply Rmult_le_pos; [assumption|apply pos_INR]). lra.
Qed.

(** ** Volume *)
(** a finite family of OPEN intervals |z - c| < r covering the closed [a,b] *)
Lemma open_cover_length (n : nat) : forall (I : list (R * R)) a b, (length I <= n)%nat ->
  (forall p, In p I -> 0 <= snd p) ->
  (forall z, a <= z <= b -> exists p, In p I /\ Rabs (z - fst p) < snd p) ->
  b - a <= list_sum (fun p => 2 * snd p) I.
Proof.
  induction n as [|n IH]; intros I a b Hlen Hr Hc.
  - destruct I; [|simpl in Hlen; lia]. simpl.
    destruct (Rle_dec (b - a) 0); [assumption|].
    destruct (Hc a) as (p & [] & _). lra.
  - destruct (Rle_dec (b - a) 0) as [Hneg|Hpos].
    { eapply Rle_trans; [exact Hneg|]. apply list_sum_nonneg. intros p Hp. pose proof (Hr p Hp); lra. }
    destruct (Hc a) as (p & Hin & Hp); [lra|].
    destruct (in_split p I Hin) as (I1 & I2 & ->).
    pose proof (Rle_abs (a - fst p)). pose proof (Rle_abs (-(a - fst p))) as A2. rewrite Rabs_Ropp in A2.
    assert (L : b - (fst p + snd p) <= list_sum (fun p => 2 * snd p) (I1 ++ I2)).
    { apply IH.
      - rewrite app_length in *. simpl in Hlen. lia.
      - intros q Hq. apply Hr. apply in_or_app. apply in_app_or in Hq. simpl; tauto.
      - intros z Hz. destruct (Hc z) as (q & Hq & Hqz); [lra|].
        exists q; split; [|assumption].
        apply in_app_or in Hq. apply in_or_app. destruct Hq as [|[<-|]]; auto.
        exfalso. pose proof (Rle_abs (z - fst p)). lra. }
    rewrite list_sum_app in *. simpl. lra.
Qed.

Lemma closed_cover_length (I : list (R * R)) a b :
  (forall p, In p I -> 0 <= snd p) ->
  (forall z, a <= z <= b -> exists p, In p I /\ Rabs (z - fst p) <= snd p) ->
  b - a <= list_sum (fun p => 2 * snd p) I.
Proof.
  intros Hr Hc. apply Rnot_lt_le; intros Hlt.
  set (K := INR (length I)). pose proof (pos_INR (length I)) as HK. fold K in HK.
  set (gap := b - a - list_sum (fun p => 2 * snd p) I). assert (Hg : 0 < gap) by (unfold gap; lra).
  set (dl := gap / (2 * (K + 1)) / 2).
  assert (Hd : 0 < dl).
  { unfold dl. apply Rdiv_lt_0_compat; [|lra]. apply Rdiv_lt_0_compat; lra. }
  pose proof (open_cover_length (length I) (map (fun p => (fst p, snd p + dl)) I) a b) as O.
  rewrite map_length in O. specialize (O (le_n _)).
  assert (O1 : b - a <= list_sum (fun p => 2 * snd p) (map (fun p => (fst p, snd p + dl)) I)).
  { apply O.
    - intros p Hp. apply in_map_iff in Hp. destruct Hp as (q & <- & Hq). simpl. pose proof (Hr q Hq); lra.
    - intros z Hz. destruct (Hc z Hz) as (p & Hp & Hpz).
      exists (fst p, snd p + dl); split; [apply in_map_iff; exists p; auto|simpl; lra]. }
  rewrite list_sum_map in O1. simpl in O1.
  rewrite (list_sum_ext _ (fun p => 2 * snd p + 2 * dl)) in O1 by (intros; lra).
  rewrite list_sum_plus, list_sum_const in O1. fold K in O1.
  assert (K * (2 * dl) < gap).
  { unfold dl. replace (K * (2 * (gap / (2 * (K + 1)) / 2))) with (gap * (K / (2 * (K + 1)))) by (field; lra).
    assert (K / (2 * (K + 1)) < 1).
    { apply Rmult_lt_reg_r with (2 * (K + 1)); [lra|]. field_simplify; lra. }
    nra. }
  unfold gap in *. lra.
Qed.

Fixpoint keeps (n : nat) : list (list bool) :=
  match n with O => [nil] | S k => map (cons false) (keeps k) ++ map (cons true) (keeps k) end.

Lemma in_keeps n m : In m (keeps n) <-> length m = n.
Proof.
  revert m; induction n as [|n IH]; intros m; simpl.
  - split; [intros [<-|[]]; reflexivity|]. destruct m; [auto|discriminate].
  - rewrite in_app_iff, !in_map_iff. split.
    + intros [(m' & <- & H)|(m' & <- & H)]; simpl; f_equal; now apply IH.
    + destruct m as [|[|] m]; [discriminate| |]; intros H; simpl in H; injection H as H; apply IH in H.
      * right; exists m; auto.
      * left; exists m; auto.
Qed.

Lemma length_keeps n : INR (length (keeps n)) = 2 ^ n.
Proof.
  induction n as [|n IH]; [simpl; lra|]. simpl keeps. rewrite app_length, !map_length, plus_INR, IH. simpl; lra.
Qed.

Lemma list_sum_kept n : list_sum (fun m => INR (kept m)) (keeps n) = INR n * 2 ^ n / 2.
Proof.
  induction n as [|n IH]; [simpl; lra|].
  simpl keeps. rewrite list_sum_app, !list_sum_map.
  rewrite (list_sum_ext (fun x => INR (kept (false :: x))) (fun m => INR (kept m))) by reflexivity.
  rewrite (list_sum_ext (fun x => INR (kept (true :: x))) (fun m => 1 + INR (kept m)))
    by (intros; change (kept (true :: x)) with (S (kept x)); rewrite S_INR; lra).
  rewrite list_sum_plus, list_sum_const, length_keeps, IH, S_INR. simpl pow. lra.
Qed.

(** Covering a window needs enough total length of the 2^n intervals, for any candidates whatever. *)
Theorem necessary_volume eps eta l a b : 0 <= eps -> 0 <= eta ->
  (forall z, a <= z <= b -> exists v, reachable eps l v /\ Rabs (z - v) <= eta) ->
  b - a <= 2 ^ (length l) * (2 * eta + eps * INR (length l)).
Proof.
  intros He Ht Hc. set (n := length l).
  pose proof (closed_cover_length
    (map (fun m => (subset_sum m l, eta + eps * INR (kept m))) (keeps n)) a b) as C.
  rewrite list_sum_map in C. simpl in C.
  rewrite (list_sum_ext _ (fun m => 2 * eta + 2 * eps * INR (kept m))) in C by (intros; lra).
  rewrite list_sum_plus, list_sum_const, list_sum_scal, length_keeps, list_sum_kept in C.
  replace (2 ^ n * (2 * eta + eps * INR n)) with (2 ^ n * (2 * eta) + 2 * eps * (INR n * 2 ^ n / 2)) by lra.
  apply C.
  - intros p Hp. apply in_map_iff in Hp. destruct Hp as (m & <- & _). simpl.
    assert (0 <= eps * INR (kept m)) by (apply Rmult_le_pos; [assumption|apply pos_INR]). lra.
  - intros z Hz. specialize (Hc z Hz). apply reachable_within_iff in Hc; [|assumption|assumption].
    destruct Hc as (m & Hm & Hzm). exists (subset_sum m l, eta + eps * INR (kept m)); split; [|assumption].
    apply in_map_iff. exists m; split; [reflexivity|]. now apply in_keeps.
Qed.

(** ** Integer candidates *)
Fixpoint int_subset_sum (m : list bool) (l : list Z) : Z :=
  match m, l with
  | b :: m', x :: l' => ((if b then x else 0) + int_subset_sum m' l')%Z
  | _, _ => 0%Z
  end.

Lemma int_subset_sum_none m : forall l, kept m = O -> int_subset_sum m l = 0%Z.
Proof. induction m as [|[|] m IH]; intros [|x l] H; simpl in *; try reflexivity; [discriminate|]. now rewrite IH. Qed.

Lemma kept_le m : (kept m <= length m)%nat.
Proof. induction m as [|[|] m IH]; simpl; lia. Qed.
