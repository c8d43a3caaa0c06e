(** Floor 2: the invariant of projected gradient descent.

    Training with perturbation eps moves weights, then clips every coordinate to [W0 - eps, W0 + eps]. Clipping is the Euclidean projection onto
    that box, and so the weights never leave it, whatever the updates are (gradient, momentum, noise, learning rate).

    Glossary
      clip eps c w         == the point of [c - eps, c + eps] nearest to w
      project eps W0 W     == clip in every coordinate
      in_ball d eps W0 W   == |W_i - W0_i| <= eps for all i < d (the sup-norm ball)
      distance2 d X Y      == squared Euclidean distance
      descend eps W0 move t == W_t, where W_0 = W0 and W_{t+1} = project (move t W_t), for an arbitrary move

    Main theorems
      project_in_ball, project_nearest, project_unique   the projection: in the ball, nearest, the only nearest point
      project_idempotent, project_nonexpansive
      descend_in_ball      |W_t - W_0| <= eps at every step *)
Require Import Reals Lra Lia.
From StrongLTH Require Import FinSum.
Open Scope R_scope.

Definition clip (eps c w : R) : R := Rmax (c - eps) (Rmin (c + eps) w).
Definition project (eps : R) (W0 W : nat -> R) : nat -> R := fun i => clip eps (W0 i) (W i).
Definition in_ball (d : nat) (eps : R) (W0 W : nat -> R) : Prop := forall i, (i < d)%nat -> Rabs (W i - W0 i) <= eps.
Definition distance2 (d : nat) (X Y : nat -> R) : R := sum d (fun i => (X i - Y i) * (X i - Y i)).

Lemma clip_range eps c w : 0 <= eps -> c - eps <= clip eps c w <= c + eps.
Proof. intros. unfold clip, Rmax, Rmin; repeat destruct Rle_dec; lra. Qed.

Lemma clip_inside eps c w : c - eps <= w <= c + eps -> clip eps c w = w.
Proof. intros. unfold clip, Rmax, Rmin; repeat destruct Rle_dec; lra. Qed.

(** The angle at the projection is never acute. *)
Lemma clip_angle eps c w y : 0 <= eps -> c - eps <= y <= c + eps ->
  (clip eps c w - w) * (clip eps c w - w) + (y - clip eps c w) * (y - clip eps c w) <= (y - w) * (y - w).
Proof. intros. unfold clip, Rmax, Rmin; repeat destruct Rle_dec; nra. Qed.

Lemma clip_nonexpansive eps c u v : Rabs (clip eps c u - clip eps c v) <= Rabs (u - v).
Proof. unfold clip, Rmax, Rmin; repeat destruct Rle_dec; unfold Rabs; repeat destruct Rcase_abs; lra. Qed.

Theorem project_in_ball d eps W0 W : 0 <= eps -> in_ball d eps W0 (project eps W0 W).
Proof. intros He i _. pose proof (clip_range eps (W0 i) (W i) He). unfold project. apply Rabs_le. lra. Qed.

(** Pythagoras' inequality: more than being nearest. *)
Theorem project_angle d eps W0 W Y : 0 <= eps -> in_ball d eps W0 Y ->
  distance2 d (project eps W0 W) W + distance2 d Y (project eps W0 W) <= distance2 d Y W.
Proof.
  intros He HY. unfold distance2. rewrite <- sum_plus. apply sum_le. intros i Hi.
  apply clip_angle; [assumption|]. pose proof (HY i Hi) as H.
  pose proof (Rle_abs (Y i - W0 i)). pose proof (Rle_abs (- (Y i - W0 i))) as H2. rewrite Rabs_Ropp in H2. lra.
Qed.

Lemma distance2_nonneg d X Y : 0 <= distance2 d X Y.
Proof. apply sum_nonneg. intros i _. apply Rle_0_sqr. Qed.

Theorem project_nearest d eps W0 W Y : 0 <= eps -> in_ball d eps W0 Y ->
  distance2 d (project eps W0 W) W <= distance2 d Y W.
Proof.
  intros He HY. pose proof (project_angle d eps W0 W Y He HY).
  pose proof (distance2_nonneg d Y (project eps W0 W)). lra.
Qed.

Theorem project_unique d eps W0 W Y : 0 <= eps -> in_ball d eps W0 Y ->
  distance2 d Y W <= distance2 d (project eps W0 W) W ->
  forall i, (i < d)%nat -> Y i = project eps W0 W i.
Proof.
  intros He HY Hle i Hi. pose proof (project_angle d eps W0 W Y He HY) as A.
  assert (Z : distance2 d Y (project eps W0 W) <= 0) by lra.
  set (P := project eps W0 W) in *.
  pose proof (sum_ge_term d (fun i => (Y i - P i) * (Y i - P i)) i (fun j _ => Rle_0_sqr (Y j - P j)) Hi) as T. cbv beta in T.
  unfold distance2 in Z. nra.
Qed.

Theorem project_idempotent eps W0 W i : 0 <= eps -> project eps W0 (project eps W0 W) i = project eps W0 W i.
Proof. intros He. unfold project. apply clip_inside, clip_range, He. Qed.

Theorem project_nonexpansive d eps W0 X Y :
  distance2 d (project eps W0 X) (project eps W0 Y) <= distance2 d X Y.
Proof. apply sum_le. intros i _. apply Rsqr_le_abs_1, clip_nonexpansive. Qed.

Fixpoint descend (eps : R) (W0 : nat -> R) (move : nat -> (nat -> R) -> nat -> R) (t : nat) : nat -> R :=
  match t with O => W0 | S s => project eps W0 (move s (descend eps W0 move s)) end.

Theorem descend_in_ball d eps W0 move t : 0 <= eps -> in_ball d eps W0 (descend eps W0 move t).
Proof.
  intros He. destruct t as [|t]; [|now apply project_in_ball].
  intros i _. simpl. replace (W0 i - W0 i) with 0 by lra. now rewrite Rabs_R0.
Qed.
