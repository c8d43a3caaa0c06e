(** Floor 7: how fast a law mixes, from a certificate in integers.

    The window is cut into C blocks of R cells, phi is constant on blocks, and the law has at least the mass q P_d on each cell nearer than d + 1 blocks. The flow
    between a set and its complement is then at least a form in the covered fractions of the blocks; Weighted.v needs it to be lambda times that of a
    perfectly mixing law. That is the positivity of a graph Laplacian with weights of either sign, shown by rows of integers that sum to 0:
    their squares make up for the negative weights.

    Glossary
      at_ l i                  == entry i of a list of integers
      zs C g                   == g 0 + ... + g (C - 1), integers
      rate phi P s i j         == s P_|i-j| phi_i phi_j / (phi_i + phi_j), rounded down
      gram rows i j            == the sum over rows r of r_i r_j
      accepted C phi P s ln ld sigma rows   == the checks: rows sum to 0; row sums of the rate; sigma (weights) + gram >= 0 off the diagonal

    Main theorems
      laplacian_nonneg         rows that sum to 0 and cover the negative weights prove the form non-negative
      accepted_form            accepted: (ln / ld) X (Phi - X) <= Phi sum_ij (rate / s) f_i (1 - f_j), X = sum phi_i f_i, 0 <= f_i <= 1
      accepted_mixes           accepted: the law mixes at lambda = (ln / ld) q R *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS RSSUniform Weighted.
Import ListNotations.
Open Scope R_scope.

(** ** Forms in real numbers *)
Section Forms.
  Variable C : nat.

  Lemma sum_sum_scal c (g : nat -> nat -> R) : sum C (fun i => sum C (fun j => c * g i j)) = c * sum C (fun i => sum C (g i)).
  Proof. rewrite <- sum_scal. apply sum_ext. intros i _. apply (sum_scal C c (g i)). Qed.

  Lemma sum_sum_plus (g h : nat -> nat -> R) : sum C (fun i => sum C (fun j => g i j + h i j)) = sum C (fun i => sum C (g i)) + sum C (fun i => sum C (h i)).
  Proof. rewrite <- sum_plus. apply sum_ext. intros i _. apply sum_plus. Qed.

  Definition differences_of (g : nat -> nat -> R) (f : nat -> R) : R := sum C (fun i => sum C (fun j => g i j * ((f i - f j) * (f i - f j)))).

  Lemma between (g : nat -> nat -> R) f : (forall i j, g i j = g j i) ->
    sum C (fun i => sum C (fun j => g i j * (f i * (1 - f j)))) = / 2 * differences_of g f + sum C (fun i => sum C (g i) * (f i * (1 - f i))).
  Proof.
    intros Sym.
    assert (E : sum C (fun i => sum C (g i) * (f i * (1 - f i))) = / 2 * (sum C (fun i => sum C (fun j => g i j * (f i * (1 - f i) + f j * (1 - f j)))))).
    { set (T := sum C (fun i => sum C (g i) * (f i * (1 - f i)))).
      assert (E1 : sum C (fun i => sum C (fun j => g i j * (f i * (1 - f i)))) = T).
      { apply sum_ext. intros i _. rewrite (Rmult_comm (sum C (g i))), <- sum_scal. apply sum_ext. intros j _. ring. }
      assert (E2 : sum C (fun i => sum C (fun j => g i j * (f j * (1 - f j)))) = T).
      { rewrite (sum_swap C C (fun i j => g i j * (f j * (1 - f j)))). rewrite <- E1. apply sum_ext. intros i _. apply sum_ext. intros j _. now rewrite Sym. }
      replace (sum C (fun i => sum C (fun j => g i j * (f i * (1 - f i) + f j * (1 - f j))))) with (T + T); [lra|].
      rewrite <- E1 at 1. rewrite <- E2. rewrite <- sum_sum_plus. apply sum_ext. intros i _. apply sum_ext. intros j _. ring. }
    assert (Sw : sum C (fun i => sum C (fun j => g i j * (f i * (1 - f j)))) = / 2 * sum C (fun i => sum C (fun j => g i j * (f i * (1 - f j) + f j * (1 - f i))))).
    { set (T := sum C (fun i => sum C (fun j => g i j * (f i * (1 - f j))))).
      assert (E2 : sum C (fun i => sum C (fun j => g i j * (f j * (1 - f i)))) = T).
      { rewrite (sum_swap C C (fun i j => g i j * (f j * (1 - f i)))). apply sum_ext. intros i _. apply sum_ext. intros j _. now rewrite Sym. }
      replace (sum C (fun i => sum C (fun j => g i j * (f i * (1 - f j) + f j * (1 - f i))))) with (T + T); [lra|].
      rewrite <- E2 at 2. unfold T. rewrite <- sum_sum_plus. apply sum_ext. intros i _. apply sum_ext. intros j _. ring. }
    rewrite Sw, E. unfold differences_of. rewrite <- !sum_sum_scal, <- sum_sum_plus. apply sum_ext. intros i _. apply sum_ext. intros j _. ring.
  Qed.

  (** a row that sums to 0: its square is a form in differences *)
  Lemma row_square (r f : nat -> R) : sum C r = 0 ->
    differences_of (fun i j => r i * r j) f = - 2 * (sum C (fun i => r i * f i) * sum C (fun i => r i * f i)).
  Proof.
    intros H. unfold differences_of. set (X := sum C (fun i => r i * f i)). set (Q := sum C (fun i => r i * (f i * f i))).
    rewrite (sum_ext C _ (fun i => (Q * r i + - 2 * X * (r i * f i)))).
    - rewrite sum_plus, !sum_scal, H. fold X. ring.
    - intros i _. rewrite (sum_ext C _ (fun j => (r i * (f i * f i)) * r j + (r i * (r j * (f j * f j)) + - 2 * (r i * f i) * (r j * f j)))) by (intros; ring).
      rewrite !sum_plus, !sum_scal, H. fold X Q. ring.
  Qed.

  Lemma rows_nonpos (rows : list (nat -> R)) f : Forall (fun r => sum C r = 0) rows ->
    differences_of (fun i j => list_sum (fun r => r i * r j) rows) f <= 0.
  Proof.
    induction 1 as [|r rows Hr HR IH].
    - unfold differences_of. simpl. rewrite (sum_ext C _ (fun _ => 0)); [rewrite sum_zero; lra|]. intros i _.
      rewrite (sum_ext C _ (fun _ => 0)); [apply sum_zero|]. intros; ring.
    - pose proof (row_square r f Hr) as Q. pose proof (Rle_0_sqr (sum C (fun i => r i * f i))) as P. unfold Rsqr in P.
      replace (differences_of (fun i j => list_sum (fun r0 => r0 i * r0 j) (r :: rows)) f)
        with (differences_of (fun i j => r i * r j) f + differences_of (fun i j => list_sum (fun r0 => r0 i * r0 j) rows) f); [lra|].
      unfold differences_of. rewrite <- sum_sum_plus. apply sum_ext. intros i _. apply sum_ext. intros j _. simpl. ring.
  Qed.

  Theorem laplacian_nonneg (g : nat -> nat -> R) (rows : list (nat -> R)) (sigma : R) f : 0 < sigma ->
    Forall (fun r => sum C r = 0) rows ->
    (forall i j, (i < C)%nat -> (j < C)%nat -> i <> j -> 0 <= sigma * g i j + list_sum (fun r => r i * r j) rows) -> 0 <= differences_of g f.
  Proof.
    intros Hs HR HG. apply Rmult_le_reg_l with sigma; [assumption|]. rewrite Rmult_0_r. pose proof (rows_nonpos rows f HR) as E.
    assert (P : 0 <= sum C (fun i => sum C (fun j => (sigma * g i j + list_sum (fun r => r i * r j) rows) * ((f i - f j) * (f i - f j))))).
    { apply sum_nonneg. intros i Hi. apply sum_nonneg. intros j Hj. destruct (Nat.eq_dec i j) as [->|N].
      - replace ((f j - f j) * (f j - f j)) with 0 by ring. lra.
      - apply Rmult_le_pos; [now apply HG|apply Rle_0_sqr]. }
    replace (sum C (fun i => sum C (fun j => (sigma * g i j + list_sum (fun r => r i * r j) rows) * ((f i - f j) * (f i - f j)))))
      with (sigma * differences_of g f + differences_of (fun i j => list_sum (fun r => r i * r j) rows) f) in P; [lra|].
    unfold differences_of. rewrite <- sum_sum_scal, <- sum_sum_plus. apply sum_ext. intros i _. apply sum_ext. intros j _. ring.
  Qed.
End Forms.

(** ** The certificate: integers *)
Definition at_ (l : list Z) (i : nat) : Z := nth i l 0%Z.
Fixpoint zs (C : nat) (g : nat -> Z) : Z := match C with O => 0%Z | S k => (zs k g + g k)%Z end.
Definition rate (phi P : list Z) (s : Z) (i j : nat) : Z :=
  (s * at_ P (Nat.max i j - Nat.min i j) * at_ phi i * at_ phi j / (at_ phi i + at_ phi j))%Z.
Definition gram (rows : list (list Z)) (i j : nat) : Z := fold_right (fun r acc => at_ r i * at_ r j + acc)%Z 0%Z rows.

Definition accepted (C : nat) (phi P : list Z) (s ln ld sigma : Z) (rows : list (list Z)) : bool :=
  let total := zs C (at_ phi) in
  forallb (fun r => (zs C (at_ r) =? 0)%Z) rows
  && forallb (fun i => (0 <? at_ phi i)%Z && (0 <=? at_ P i)%Z && (ln * s * at_ phi i <=? ld * zs C (rate phi P s i))%Z) (seq 0 C)
  && forallb (fun i => forallb (fun j => (i =? j)%nat
       || (0 <=? sigma * (ld * total * rate phi P s i j - ln * s * (at_ phi i * at_ phi j)) + gram rows i j)%Z) (seq 0 C)) (seq 0 C).

Lemma zs_real C g : IZR (zs C g) = sum C (fun i => IZR (g i)).
Proof. induction C as [|C IH]; [reflexivity|]. simpl. now rewrite plus_IZR, IH. Qed.

Lemma rate_sym phi P s i j : rate phi P s i j = rate phi P s j i.
Proof. unfold rate. rewrite (Nat.max_comm j i), (Nat.min_comm j i), (Z.add_comm (at_ phi j)). f_equal. ring. Qed.

Lemma gram_real rows i j : IZR (gram rows i j) = list_sum (fun r => r i * r j) (map (fun r k => IZR (at_ r k)) rows).
Proof. induction rows as [|r rows IH]; [reflexivity|]. simpl. now rewrite plus_IZR, mult_IZR, IH. Qed.

Theorem accepted_form C phi P s ln ld sigma rows f : (0 < s)%Z -> (0 < ld)%Z -> (0 < sigma)%Z -> accepted C phi P s ln ld sigma rows = true ->
  (forall i, (i < C)%nat -> 0 <= f i <= 1) ->
  let X := sum C (fun i => IZR (at_ phi i) * f i) in let total := sum C (fun i => IZR (at_ phi i)) in
  IZR ln / IZR ld * (X * (total - X)) <= total * sum C (fun i => sum C (fun j => IZR (rate phi P s i j) / IZR s * (f i * (1 - f j)))).
Proof.
  intros Hs Hld Hsig A Hf X total. unfold accepted in A. rewrite !andb_true_iff in A. destruct A as [[A1 A2] A3].
  rewrite forallb_forall in A1, A2, A3. apply IZR_lt in Hs. apply IZR_lt in Hld. apply IZR_lt in Hsig.
  set (p := fun i => IZR (at_ phi i)). set (K := fun i j => IZR (rate phi P s i j)).
  assert (Row : forall i, (i < C)%nat -> 0 < p i /\ IZR ln * IZR s * p i <= IZR ld * sum C (K i)).
  { intros i Hi. specialize (A2 i ltac:(apply in_seq; lia)). rewrite !andb_true_iff, Z.ltb_lt, !Z.leb_le in A2. destruct A2 as [[B1 _] B2].
    split; [now apply IZR_lt|]. apply IZR_le in B2. rewrite !mult_IZR, zs_real in B2. exact B2. }
  assert (TP : 0 <= total) by (apply sum_nonneg; intros i Hi; left; apply (Row i Hi)).
  assert (Lap : 0 <= differences_of C (fun i j => IZR ld * total * K i j - IZR ln * IZR s * (p i * p j)) f).
  { apply (laplacian_nonneg C _ (map (fun r k => IZR (at_ r k)) rows) (IZR sigma) f Hsig).
    - apply Forall_map. apply Forall_forall. intros r Hr. specialize (A1 r Hr). apply Z.eqb_eq in A1. rewrite <- zs_real. now rewrite A1.
    - intros i j Hi Hj N. specialize (A3 i ltac:(apply in_seq; lia)). rewrite forallb_forall in A3. specialize (A3 j ltac:(apply in_seq; lia)).
      apply orb_true_iff in A3. destruct A3 as [A3|A3]; [apply Nat.eqb_eq in A3; contradiction|]. apply Z.leb_le, IZR_le in A3.
      rewrite plus_IZR, gram_real, mult_IZR, minus_IZR, !mult_IZR, zs_real in A3. exact A3. }
  assert (SymK : forall i j, K i j = K j i) by (intros i j; unfold K; now rewrite rate_sym).
  assert (SymP : forall i j, p i * p j = p j * p i) by (intros; ring).
  pose proof (between C K f SymK) as EK. pose proof (between C (fun i j => p i * p j) f SymP) as EP. cbv beta in EP.
  assert (EX : sum C (fun i => sum C (fun j => p i * p j * (f i * (1 - f j)))) = X * (total - X)).
  { rewrite (sum_ext C _ (fun i => (total - X) * (p i * f i))).
    - rewrite sum_scal. change (sum C (fun i => p i * f i)) with X. ring.
    - intros i _. rewrite (sum_ext C _ (fun j => (p i * f i) * p j + (- (p i * f i)) * (p j * f j))) by (intros; ring).
      rewrite sum_plus, !sum_scal. change (sum C (fun j => p j * f j)) with X. change (sum C p) with total. ring. }
  rewrite EX in EP.
  assert (EPd : sum C (fun i => sum C (fun j => p i * p j) * (f i * (1 - f i))) = sum C (fun i => total * (p i * (f i * (1 - f i))))).
  { apply sum_ext. intros i _. rewrite sum_scal. change (sum C p) with total. ring. }
  rewrite EPd in EP.
  assert (Diag : 0 <= sum C (fun i => total * ((IZR ld * sum C (K i) - IZR ln * IZR s * p i) * (f i * (1 - f i))))).
  { apply sum_nonneg. intros i Hi. destruct (Row i Hi). specialize (Hf i Hi).
    apply Rmult_le_pos; [assumption|]. apply Rmult_le_pos; [lra|]. apply Rmult_le_pos; lra. }
  set (A := sum C (fun i => sum C (fun j => K i j * (f i * (1 - f j))))) in *.
  assert (ES : sum C (fun i => sum C (fun j => K i j / IZR s * (f i * (1 - f j)))) = / IZR s * A).
  { unfold A. rewrite <- sum_sum_scal. apply sum_ext. intros i _. apply sum_ext. intros j _. unfold Rdiv. ring. }
  unfold K in ES at 1. rewrite ES.
  assert (Main : IZR ld * total * A - IZR ln * IZR s * (X * (total - X)) =
    / 2 * differences_of C (fun i j => IZR ld * total * K i j - IZR ln * IZR s * (p i * p j)) f
    + sum C (fun i => total * ((IZR ld * sum C (K i) - IZR ln * IZR s * p i) * (f i * (1 - f i))))).
  { rewrite EK, EP.
    replace (differences_of C (fun i j => IZR ld * total * K i j - IZR ln * IZR s * (p i * p j)) f)
      with (IZR ld * total * differences_of C K f + (- (IZR ln * IZR s)) * differences_of C (fun i j => p i * p j) f).
    2:{ unfold differences_of. rewrite <- !sum_sum_scal, <- sum_sum_plus. apply sum_ext. intros i _. apply sum_ext. intros j _. ring. }
    rewrite (sum_ext C (fun i => total * ((IZR ld * sum C (K i) - IZR ln * IZR s * p i) * (f i * (1 - f i))))
      (fun i => IZR ld * total * (sum C (K i) * (f i * (1 - f i))) + (- (IZR ln * IZR s)) * (total * (p i * (f i * (1 - f i)))))) by (intros; ring).
    rewrite sum_plus, !sum_scal. ring. }
  assert (0 <= IZR ld * total * A - IZR ln * IZR s * (X * (total - X))) by lra.
  apply Rmult_le_reg_l with (IZR ld * IZR s); [now apply Rmult_lt_0_compat|].
  replace (IZR ld * IZR s * (IZR ln / IZR ld * (X * (total - X)))) with (IZR ln * IZR s * (X * (total - X))) by (field; lra).
  replace (IZR ld * IZR s * (total * (/ IZR s * A))) with (IZR ld * total * A) by (field; lra). lra.
Qed.

(** ** Blocks of a window *)
Lemma zsum_blocks a r F : forall C, zsum a (C * r) F = sum C (fun i => zsum (a + Z.of_nat (i * r)) r F).
Proof.
  induction C as [|C IH]; [reflexivity|]. replace (S C * r)%nat with (C * r + r)%nat by lia. rewrite zsum_app, IH. reflexivity.
Qed.

Section Blocks.
  Variable lo : Z.
  Variable len : nat.
  Variable w : Z -> R.
  Variable a : Z.
  Variable C r : nat.
  Hypothesis r_pos : (0 < r)%nat.
  Hypothesis C_pos : (0 < C)%nat.
  Variable phi P : list Z.
  Variable q : R.
  Hypothesis q_nonneg : 0 <= q.
  Hypothesis profile : forall d x, (d < C)%nat -> (Z.abs x < Z.of_nat (S d * r))%Z -> q * IZR (at_ P d) <= chance lo len w x.

  Notation M := (C * r)%nat.
  Definition block (z : Z) : nat := Z.to_nat ((z - a) / Z.of_nat r).
  Definition on_blocks (z : Z) : R := if in_window a M z then IZR (at_ phi (block z)) else 1.

  Lemma block_of i z : (a + Z.of_nat (i * r) <= z < a + Z.of_nat (i * r) + Z.of_nat r)%Z -> block z = i.
  Proof.
    intros H. unfold block. assert (E : ((z - a) / Z.of_nat r = Z.of_nat i)%Z); [|rewrite E; apply Nat2Z.id].
    symmetry. apply Z.div_unique with (z - a - Z.of_nat (i * r))%Z; [left; lia|]. rewrite Nat2Z.inj_mul. ring.
  Qed.

  Lemma on_block i z : (i < C)%nat -> (a + Z.of_nat (i * r) <= z < a + Z.of_nat (i * r) + Z.of_nat r)%Z -> on_blocks z = IZR (at_ phi i).
  Proof.
    intros Hi H. unfold on_blocks. rewrite (proj2 (in_window_iff a M z)); [now rewrite (block_of i)|].
    assert (S i * r <= C * r)%nat by (apply Nat.mul_le_mono_r; lia). simpl in H0. lia.
  Qed.

  Variables s ln ld sigma : Z.
  Variable rows : list (list Z).
  Hypothesis s_pos : (0 < s)%Z.
  Hypothesis ld_pos : (0 < ld)%Z.
  Hypothesis sigma_pos : (0 < sigma)%Z.
  Hypothesis certificate : accepted C phi P s ln ld sigma rows = true.

  Lemma entries_positive i : (i < C)%nat -> (0 < at_ phi i)%Z /\ (0 <= at_ P i)%Z.
  Proof.
    intros Hi. assert (A := certificate). unfold accepted in A. rewrite !andb_true_iff in A. destruct A as [[_ A2] _]. rewrite forallb_forall in A2.
    specialize (A2 i ltac:(apply in_seq; lia)). rewrite !andb_true_iff, Z.ltb_lt, !Z.leb_le in A2. tauto.
  Qed.

  Lemma on_blocks_pos z : 0 < on_blocks z.
  Proof.
    unfold on_blocks. destruct (in_window a M z) eqn:E; [|lra]. apply in_window_iff in E. apply IZR_lt.
    apply entries_positive. unfold block. rewrite Nat2Z.inj_mul in E.
    apply Nat2Z.inj_lt. rewrite Z2Nat.id by (apply Z.div_pos; lia). apply Z.div_lt_upper_bound; lia.
  Qed.

  Lemma rate_le i j : (i < C)%nat -> (j < C)%nat ->
    IZR (Flow.rate phi P s i j) / IZR s <= IZR (at_ P (Nat.max i j - Nat.min i j)) * blend (IZR (at_ phi i)) (IZR (at_ phi j)).
  Proof.
    intros Hi Hj. destruct (entries_positive i Hi) as [Pi _]. destruct (entries_positive j Hj) as [Pj _].
    set (d := (Nat.max i j - Nat.min i j)%nat). unfold Flow.rate. fold d. set (x := (s * at_ P d * at_ phi i * at_ phi j)%Z). set (y := (at_ phi i + at_ phi j)%Z).
    pose proof (Z.mul_div_le x y ltac:(unfold y; lia)) as B. apply IZR_le in B. rewrite mult_IZR in B. assert (Hs := IZR_lt _ _ s_pos).
    assert (Hy : 0 < IZR y) by (apply IZR_lt; unfold y; lia).
    apply Rmult_le_reg_r with (IZR s * IZR y); [now apply Rmult_lt_0_compat|].
    replace (IZR (x / y) / IZR s * (IZR s * IZR y)) with (IZR y * IZR (x / y)) by (field; lra).
    eapply Rle_trans; [exact B|]. apply Req_le. unfold blend. rewrite <- plus_IZR. fold y. unfold x. rewrite !mult_IZR. field. lra.
  Qed.

  (** The law mixes at the rate of the certificate. *)
  Theorem accepted_mixes : mixes lo len w a M on_blocks (IZR ln / IZR ld * (q * INR r)).
  Proof.
    intros f _. assert (Hr : 0 < INR r) by (apply lt_0_INR; assumption).
    set (F := fun i => zsum (a + Z.of_nat (i * r)) r (fun z => ind (f z))).
    set (p := fun i => IZR (at_ phi i)). set (X := sum C (fun i => p i * (F i / INR r))). set (T := sum C p).
    assert (EW : weighted a M on_blocks f = INR r * X).
    { unfold weighted, X. rewrite zsum_blocks, <- sum_scal. apply sum_ext. intros i Hi.
      rewrite (zsum_ext _ _ _ (fun z => p i * ind (f z))) by (intros z Hz; now rewrite (on_block i z Hi Hz)).
      rewrite zsum_scal. fold (F i). field. lra. }
    assert (ET : all_weight a M on_blocks = INR r * T).
    { unfold all_weight, T. rewrite zsum_blocks, <- sum_scal. apply sum_ext. intros i Hi.
      rewrite (zsum_ext _ _ _ (fun z => p i)) by (intros z Hz; now rewrite (on_block i z Hi Hz)). apply zsum_const. }
    assert (EF : sum C (fun i => sum C (fun j => q * (IZR (Flow.rate phi P s i j) / IZR s) * (F i * (INR r - F j)))) <= flow lo len w a M on_blocks f).
    { unfold flow. rewrite zsum_blocks. apply sum_le. intros i Hi.
      rewrite (zsum_ext _ r _ (fun y => sum C (fun j => zsum (a + Z.of_nat (j * r)) r (fun z => ind (f y) * (1 - ind (f z)) * chance lo len w (z - y) * blend (on_blocks y) (on_blocks z)))))
        by (intros y _; apply zsum_blocks).
      unfold zsum at 1. rewrite sum_swap. apply sum_le. intros j Hj.
      change (q * (IZR (Flow.rate phi P s i j) / IZR s) * (F i * (INR r - F j)) <= zsum (a + Z.of_nat (i * r)) r (fun y =>
        zsum (a + Z.of_nat (j * r)) r (fun z => ind (f y) * (1 - ind (f z)) * chance lo len w (z - y) * blend (on_blocks y) (on_blocks z)))).
      set (c := q * (IZR (Flow.rate phi P s i j) / IZR s)).
      replace (c * (F i * (INR r - F j))) with (zsum (a + Z.of_nat (i * r)) r (fun y => zsum (a + Z.of_nat (j * r)) r (fun z => c * (ind (f y) * (1 - ind (f z)))))).
      2:{ rewrite (zsum_ext _ r _ (fun y => c * (INR r - F j) * ind (f y))).
          - rewrite zsum_scal. fold (F i). ring.
          - intros y _. rewrite (zsum_ext _ r _ (fun z => c * ind (f y) + (- (c * ind (f y))) * ind (f z))) by (intros; ring).
            rewrite zsum_plus, zsum_const, zsum_scal. fold (F j). ring. }
      apply zsum_le. intros y Hy. apply zsum_le. intros z Hz.
      rewrite (on_block i y Hi Hy), (on_block j z Hj Hz). set (d := (Nat.max i j - Nat.min i j)%nat).
      assert (Hd : (d < C)%nat) by (unfold d; lia).
      assert (Near : (Z.abs (z - y) < Z.of_nat (S d * r))%Z).
      { unfold d. destruct (Nat.le_ge_cases i j) as [L|L].
        - rewrite Nat.max_r, Nat.min_l by assumption. rewrite !Nat2Z.inj_mul in *. nia.
        - rewrite Nat.max_l, Nat.min_r by assumption. rewrite !Nat2Z.inj_mul in *. nia. }
      pose proof (profile d (z - y) Hd Near) as Pr. pose proof (rate_le i j Hi Hj) as Ra. fold d in Ra.
      destruct (entries_positive i Hi) as [Pi _]. destruct (entries_positive j Hj) as [Pj _]. apply IZR_lt in Pi. apply IZR_lt in Pj.
      assert (Bl : 0 <= blend (IZR (at_ phi i)) (IZR (at_ phi j))).
      { unfold blend. apply Rmult_le_pos; [nra|]. left. apply Rinv_0_lt_compat. lra. }
      assert (c <= chance lo len w (z - y) * blend (IZR (at_ phi i)) (IZR (at_ phi j))).
      { unfold c. apply Rle_trans with (q * IZR (at_ P d) * blend (IZR (at_ phi i)) (IZR (at_ phi j))).
        - rewrite Rmult_assoc. apply Rmult_le_compat_l; assumption.
        - apply Rmult_le_compat_r; assumption. }
      assert (0 <= ind (f y) * (1 - ind (f z))) by (apply Rmult_le_pos; [apply ind_bounds|]; pose proof (ind_bounds (f z)); lra).
      replace (ind (f y) * (1 - ind (f z)) * chance lo len w (z - y) * blend (IZR (at_ phi i)) (IZR (at_ phi j)))
        with (chance lo len w (z - y) * blend (IZR (at_ phi i)) (IZR (at_ phi j)) * (ind (f y) * (1 - ind (f z)))) by ring.
      apply Rmult_le_compat_r; assumption. }
    eapply Rle_trans; [|exact EF]. rewrite EW, ET.
    assert (HF : forall i, (i < C)%nat -> 0 <= F i / INR r <= 1).
    { intros i _. assert (0 <= F i <= INR r) by (split; [apply zsum_nonneg; intros; apply ind_bounds|apply zsum_ind_le]).
      split; [apply Rmult_le_pos; [lra|left; now apply Rinv_0_lt_compat]|].
      apply Rmult_le_reg_r with (INR r); [assumption|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra. }
    pose proof (accepted_form C phi P s ln ld sigma rows (fun i => F i / INR r) s_pos ld_pos sigma_pos certificate HF) as Form.
    cbv zeta beta in Form. change (sum C (fun i => IZR (at_ phi i) * (F i / INR r))) with X in Form. change (sum C (fun i => IZR (at_ phi i))) with T in Form.
    set (K := sum C (fun i => sum C (fun j => IZR (Flow.rate phi P s i j) / IZR s * (F i / INR r * (1 - F j / INR r))))) in *.
    replace (sum C (fun i => sum C (fun j => q * (IZR (Flow.rate phi P s i j) / IZR s) * (F i * (INR r - F j))))) with (q * (INR r * INR r) * K).
    2:{ unfold K. rewrite <- sum_sum_scal. apply sum_ext. intros i _. apply sum_ext. intros j _. assert (Hs := IZR_lt _ _ s_pos). field. repeat split; lra. }
    assert (HT : 0 < T).
    { apply Rlt_le_trans with (p O); [apply IZR_lt, entries_positive; assumption|]. apply (sum_ge_term C p O); [|assumption].
      intros i Hi. left. apply IZR_lt, entries_positive. assumption. }
    replace (IZR ln / IZR ld * (q * INR r) * (INR r * X * (INR r * T - INR r * X)) / (INR r * T))
      with (q * (INR r * INR r) / T * (IZR ln / IZR ld * (X * (T - X)))).
    2:{ assert (Hl := IZR_lt _ _ ld_pos). field. repeat split; lra. }
    replace (q * (INR r * INR r) * K) with (q * (INR r * INR r) / T * (T * K)) by (field; lra).
    apply Rmult_le_compat_l; [|exact Form]. apply Rmult_le_pos; [|left; now apply Rinv_0_lt_compat]. apply Rmult_le_pos; [assumption|]. apply Rmult_le_pos; lra.
  Qed.
End Blocks.
