(** Floor 2: errors of layers become errors of networks, in any norm.

    The argument needs a distance with the triangle inequality and a zero, nothing else; so it is proved for arbitrary pointed pseudo-metric
    spaces and then read for matrices and norms. Operator norms appear only through what they are used for: |W x| <= B |x|.

    Glossary
      product n f          == f 0 * ... * f (n - 1)
      size x               == the distance of x from zero
      net W sigma l x      == layer l of the network: sigma_{k+1} o W_k o ... o sigma_1 o W_0
      apply d W x          == the matrix-vector product, d columns
      euclid n x           == the Euclidean norm of the first n coordinates

    Main theorems
      net_error            |net' - net| <= (prod (B_l + eta_l) - prod B_l) |x|
      net_error_unit       B_l <= 1, eta_l <= eta, L eta <= 1/2: at most 2 L eta |x|
      matrix_net_error     the same for matrices and any family of seminorms
      euclid_triangle      the Euclidean norm is one of them *)
Require Import Reals Lra Lia.
From StrongLTH Require Import FinSum.
Open Scope R_scope.

Fixpoint product (n : nat) (f : nat -> R) : R :=
  match n with O => 1 | S k => product k f * f k end.

Lemma product_nonneg n f : (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= product n f.
Proof.
  induction n as [|n IH]; simpl; intros H; [lra|].
  apply Rmult_le_pos; [apply IH; intros; apply H; lia|apply H; lia].
Qed.

Lemma product_const n c : product n (fun _ => c) = c ^ n.
Proof. induction n as [|n IH]; simpl; [reflexivity|rewrite IH; lra]. Qed.

Section Net.
  Variable E : nat -> Type.
  Variable dist : forall l, E l -> E l -> R.
  Variable zero : forall l, E l.
  Hypothesis dist_self : forall l x, dist l x x = 0.
  Hypothesis dist_nonneg : forall l x y, 0 <= dist l x y.
  Hypothesis dist_triangle : forall l x y z, dist l x z <= dist l x y + dist l y z.

  Definition size l (x : E l) : R := dist l x (zero l).

  Variable W W' : forall l, E l -> E (S l).
  Variable sigma : forall l, E l -> E l.
  Variable B eta : nat -> R.

  Hypothesis B_nonneg : forall l, 0 <= B l.
  Hypothesis eta_nonneg : forall l, 0 <= eta l.
  Hypothesis W_size : forall l x, size (S l) (W l x) <= B l * size l x.
  Hypothesis W_lipschitz : forall l x y, dist (S l) (W l x) (W l y) <= B l * dist l x y.
  Hypothesis W_error : forall l x, dist (S l) (W' l x) (W l x) <= eta l * size l x.
  Hypothesis sigma_size : forall l x, size l (sigma l x) <= size l x.
  Hypothesis sigma_lipschitz : forall l x y, dist l (sigma l x) (sigma l y) <= dist l x y.

  Fixpoint net (V : forall l, E l -> E (S l)) (l : nat) (x : E 0) : E l :=
    match l with O => x | S k => sigma (S k) (V k (net V k x)) end.

  Lemma size_W' l x : size (S l) (W' l x) <= (B l + eta l) * size l x.
  Proof.
    unfold size. eapply Rle_trans; [apply (dist_triangle _ _ (W l x))|].
    pose proof (W_error l x). pose proof (W_size l x). unfold size in *. lra.
  Qed.

  Lemma size_net' l x : size l (net W' l x) <= product l (fun i => B i + eta i) * size 0 x.
  Proof.
    induction l as [|l IH]; simpl; [lra|].
    eapply Rle_trans; [apply sigma_size|]. eapply Rle_trans; [apply size_W'|].
    pose proof (B_nonneg l). pose proof (eta_nonneg l).
    replace (product l (fun i => B i + eta i) * (B l + eta l) * size 0 x)
      with ((B l + eta l) * (product l (fun i => B i + eta i) * size 0 x)) by lra.
    apply Rmult_le_compat_l; lra.
  Qed.

  Theorem net_error l x :
    dist l (net W' l x) (net W l x) <= (product l (fun i => B i + eta i) - product l B) * size 0 x.
  Proof.
    induction l as [|l IH].
    - simpl. rewrite dist_self. lra.
    - simpl net; simpl product. eapply Rle_trans; [apply sigma_lipschitz|].
      eapply Rle_trans; [apply (dist_triangle _ _ (W l (net W' l x)))|].
      pose proof (W_error l (net W' l x)) as H1. pose proof (W_lipschitz l (net W' l x) (net W l x)) as H2.
      pose proof (size_net' l x) as H3. pose proof (B_nonneg l). pose proof (eta_nonneg l).
      set (Q := product l (fun i => B i + eta i)) in *. set (P := product l B) in *.
      assert (eta l * size l (net W' l x) <= eta l * (Q * size 0 x)) by (apply Rmult_le_compat_l; assumption).
      assert (B l * dist l (net W' l x) (net W l x) <= B l * ((Q - P) * size 0 x))
        by (apply Rmult_le_compat_l; assumption).
      lra.
  Qed.
End Net.

Theorem net_error_unit (E : nat -> Type) dist zero W W' sigma eta (L : nat) :
  (forall l x, dist l x x = 0) -> (forall l x y, 0 <= dist l x y) ->
  (forall l x y z, dist l x z <= dist l x y + dist l y z) ->
  0 <= eta -> INR L * eta <= / 2 ->
  (forall l x, size E dist zero (S l) (W l x) <= 1 * size E dist zero l x) ->
  (forall l x y, dist (S l) (W l x) (W l y) <= 1 * dist l x y) ->
  (forall l x, dist (S l) (W' l x) (W l x) <= eta * size E dist zero l x) ->
  (forall l x, size E dist zero l (sigma l x) <= size E dist zero l x) ->
  (forall l x y, dist l (sigma l x) (sigma l y) <= dist l x y) ->
  forall x, dist L (net E sigma W' L x) (net E sigma W L x) <= 2 * (INR L * eta) * size E dist zero 0 x.
Proof.
  intros D0 Dn Dt He HL H0 H1 H2 H3 H4 x.
  eapply Rle_trans.
  - apply (net_error E dist zero D0 Dt W W' sigma (fun _ => 1) (fun _ => eta)); auto; intros; lra.
  - rewrite !product_const, pow1. apply Rmult_le_compat_r; [apply Dn|].
    apply bernoulli_high; assumption.
Qed.

(** ** Matrices and seminorms on vectors of coordinates *)
Definition apply (d : nat) (W : nat -> nat -> R) (x : nat -> R) : nat -> R := fun i => sum d (fun j => W i j * x j).

Section Matrices.
  Variable d : nat -> nat.
  Variable norm : nat -> (nat -> R) -> R.
  Hypothesis norm_ext : forall l x y, (forall i, x i = y i) -> norm l x = norm l y.
  Hypothesis norm_zero : forall l, norm l (fun _ => 0) = 0.
  Hypothesis norm_nonneg : forall l x, 0 <= norm l x.
  Hypothesis norm_triangle : forall l x y, norm l (fun i => x i + y i) <= norm l x + norm l y.
  Variable W : nat -> nat -> nat -> R.
  Variable W' : forall l : nat, (nat -> R) -> nat -> R.
  Variable act : nat -> R -> R.
  Variable B eta : nat -> R.
  Hypothesis B_nonneg : forall l, 0 <= B l.
  Hypothesis eta_nonneg : forall l, 0 <= eta l.
  (** operator norm of W l at most B l *)
  Hypothesis W_norm : forall l x, norm (S l) (apply (d l) (W l) x) <= B l * norm l x.
  Hypothesis W_error : forall l x, norm (S l) (fun i => W' l x i - apply (d l) (W l) x i) <= eta l * norm l x.
  Hypothesis act_zero : forall l, act l 0 = 0.
  Hypothesis act_lipschitz : forall l x y, norm l (fun i => act l (x i) - act l (y i)) <= norm l (fun i => x i - y i).

  Fixpoint matrix_net (V : nat -> (nat -> R) -> nat -> R) (l : nat) (x : nat -> R) : nat -> R :=
    match l with O => x | S k => fun i => act (S k) (V k (matrix_net V k x) i) end.

  Theorem matrix_net_error l x :
    norm l (fun i => matrix_net W' l x i - matrix_net (fun k => apply (d k) (W k)) l x i)
      <= (product l (fun i => B i + eta i) - product l B) * norm 0 x.
  Proof.
    set (V := fun _ : nat => nat -> R).
    set (dist := fun (k : nat) (u v : V k) => norm k (fun i => u i - v i)).
    set (zero := fun (k : nat) => (fun _ => 0) : V k).
    set (sigma := fun (k : nat) (u : V k) => (fun i => act k (u i)) : V k).
    assert (size_norm : forall k (u : V k), size V dist zero k u = norm k u).
    { intros k u. unfold size, dist, zero. apply norm_ext. intros; lra. }
    assert (same : forall U k, matrix_net U k x = net V sigma U k x).
    { intros U k. induction k as [|k IH]; [reflexivity|]. simpl. rewrite IH. reflexivity. }
    rewrite !same, <- (size_norm 0%nat x).
    apply (net_error V dist zero).
    - intros k u. unfold dist. rewrite (norm_ext k _ (fun _ => 0)) by (intros; lra). apply norm_zero.
    - intros k u v y. unfold dist. eapply Rle_trans; [apply Req_le, norm_ext|apply norm_triangle]. intros i; simpl; ring.
    - exact B_nonneg.
    - exact eta_nonneg.
    - intros k u. rewrite !size_norm. apply W_norm.
    - intros k u v. unfold dist. eapply Rle_trans; [apply Req_le, norm_ext|apply (W_norm k (fun i => u i - v i))].
      intros i. unfold apply.
      rewrite (sum_ext _ (fun j => W k i j * (u j - v j)) (fun j => W k i j * u j + (-1) * (W k i j * v j))) by (intros; ring).
      rewrite sum_plus, sum_scal. ring.
    - intros k u. rewrite size_norm. apply W_error.
    - intros k u. rewrite !size_norm. unfold sigma.
      eapply Rle_trans; [apply Req_le, (norm_ext k _ (fun i => act k (u i) - act k 0)); intros; rewrite act_zero; ring|].
      eapply Rle_trans; [apply (act_lipschitz k u (fun _ => 0))|]. apply Req_le, norm_ext. intros; ring.
    - intros k u v. apply act_lipschitz.
  Qed.
End Matrices.

(** ** The Euclidean norm *)
Definition euclid (n : nat) (x : nat -> R) : R := sqrt (sum n (fun i => x i * x i)).

Lemma sum_squares_nonneg n x : 0 <= sum n (fun i => x i * x i).
Proof. apply sum_nonneg. intros; nra. Qed.

Lemma plane_triangle p q a b : 0 <= p -> 0 <= q ->
  sqrt ((p + q) * (p + q) + (a + b) * (a + b)) <= sqrt (p * p + a * a) + sqrt (q * q + b * b).
Proof.
  intros Hp Hq. set (u := sqrt (p * p + a * a)). set (v := sqrt (q * q + b * b)).
  assert (Hu : u * u = p * p + a * a) by (apply sqrt_sqrt; nra).
  assert (Hv : v * v = q * q + b * b) by (apply sqrt_sqrt; nra).
  assert (0 <= u) by apply sqrt_pos. assert (0 <= v) by apply sqrt_pos.
  apply Rsqr_incr_0_var; [|lra]. rewrite Rsqr_sqrt.
  2:{ pose proof (Rle_0_sqr (p + q)). pose proof (Rle_0_sqr (a + b)). unfold Rsqr in *. lra. }
  unfold Rsqr.
  assert (p * q + a * b <= u * v); [|nra].
  apply Rsqr_incr_0_var; [|now apply Rmult_le_pos]. unfold Rsqr.
  replace (u * v * (u * v)) with ((p * p + a * a) * (q * q + b * b)) by (rewrite <- Hu, <- Hv; ring).
  pose proof (Rle_0_sqr (p * b - a * q)). unfold Rsqr in *. nra.
Qed.

Theorem euclid_triangle n x y : euclid n (fun i => x i + y i) <= euclid n x + euclid n y.
Proof.
  unfold euclid. induction n as [|n IH]; [simpl; rewrite sqrt_0; lra|]. simpl sum.
  set (A := sum n (fun i => (x i + y i) * (x i + y i))) in *.
  pose proof (sum_squares_nonneg n (fun i => x i + y i)) as HA. simpl in HA. fold A in HA.
  pose proof (sum_squares_nonneg n x) as HX. pose proof (sum_squares_nonneg n y) as HY.
  set (X := sum n (fun i => x i * x i)) in *. set (Y := sum n (fun i => y i * y i)) in *.
  pose proof (plane_triangle (sqrt X) (sqrt Y) (x n) (y n) (sqrt_pos X) (sqrt_pos Y)) as T.
  rewrite !sqrt_sqrt in T by assumption. eapply Rle_trans; [|exact T].
  apply sqrt_le_1_alt. apply Rplus_le_compat_r.
  rewrite <- (sqrt_sqrt A HA). pose proof (sqrt_pos A). apply Rmult_le_compat; assumption.
Qed.
