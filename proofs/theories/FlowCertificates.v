(** Floor 8: rates at which three laws mix, by computation.

    The window is cut into 11 or 13 blocks; weights, masses and rows are the certificate of Flow.v, which Coq checks in integers. The masses of the normal law
    and of the product of two U[-1, 1] are lower bounds, times 10000, of their densities at the far ends of the blocks; that they are is
    textbook and not formalised: the theorems hold for every law that has at least these masses.

    Glossary
      at_least P C r q law     == each cell nearer than d + 1 blocks of r cells has at least the mass q P_d, d < C

    Main theorems
      rss_accepted             random subset sum for a law with an accepted certificate
      uniform_mixes            U on {-(9 r - 1)..9 r - 1}, window of 13 r cells (1.44): 1 - lambda <= 0.7276, where weight 1 and window 1 give 3/4
      normal_mixes             N(0, 1), blocks of 0.2, window 2.2: 1 - lambda = 0.7963, where a density bound gives 0.879
      product_mixes            product of two U[-1, 1], blocks of 0.1, window 1.1: 1 - lambda = 0.8565, where a density bound gives 0.908 *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS RSSUniform Weighted Flow.
Import ListNotations.
Open Scope R_scope.

Definition uniform_weights : list Z := [12; 35; 66; 83; 98; 100; 100; 100; 98; 83; 66; 35; 12]%Z.
Definition uniform_masses : list Z := [1; 1; 1; 1; 1; 1; 1; 1; 1; 0; 0; 0; 0]%Z.
Definition uniform_rows : list (list Z) := [
  [46238; -12545; -10943; -9413; -7907; -7691; -7691; -7691; -7907; 10714; 8551; 4605; 1680]%Z;
  [0; 61614; -16690; -14150; -11352; -10952; -10952; -10952; -11352; -10053; 20240; 10801; 3798]%Z;
  [0; 0; 53817; -16911; -11121; -10278; -10278; -10278; -11121; -11547; -6613; 25465; 8865]%Z;
  [0; 0; 0; 46384; -8991; -7567; -7567; -7567; -8991; -11567; -6810; -2737; 15413]%Z;
  [0; 0; 0; 0; 23420; 2165; 2165; 2165; -1294; -10919; -6828; -7798; -3076]%Z;
  [0; 0; 0; 0; 0; 14658; 8479; 8479; 3651; -10919; -7059; -11373; -5916]%Z;
  [0; 0; 0; 0; 0; 0; 11957; 4382; 1887; -5643; -3648; -5878; -3057]%Z;
  [0; 0; 0; 0; 0; 0; 0; 11125; 1285; -3842; -2484; -4002; -2082]%Z;
  [0; 0; 0; 0; 0; 0; 0; 0; 22984; -9328; -5782; -5872; -2002]%Z;
  [0; 0; 0; 0; 0; 0; 0; 0; 0; 43257; -19647; -17218; -6392]%Z;
  [0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 46758; -32860; -13898]%Z;
  [0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 0; 38838; -38838]%Z].
Definition normal_weights : list Z := [11; 25; 41; 64; 74; 100; 74; 64; 41; 25; 11]%Z.
Definition normal_masses : list Z := [3910; 3682; 3332; 2896; 2419; 1941; 1497; 1109; 789; 539; 354]%Z.
Definition normal_rows : list (list Z) := [
  [53688; -22533; -19956; -13463; -7409; 1896; 1307; 3096; 1816; 1168; 390]%Z;
  [0; 68958; -35318; -26792; -16676; 376; -111; 3973; 2509; 2046; 1035]%Z;
  [0; 0; 73080; -46772; -31535; -3214; -3681; 4172; 2894; 3115; 1941]%Z;
  [0; 0; 0; 59383; -65570; -8191; -10107; 6966; 5554; 7081; 4884]%Z;
  [0; 0; 0; 0; 40135; -34358; -43013; 5854; 5470; 14155; 11757]%Z;
  [0; 0; 0; 0; 0; 37489; -62305; -2866; -1271; 14259; 14694]%Z;
  [0; 0; 0; 0; 0; 0; 37259; -46079; -36152; 15997; 28975]%Z;
  [0; 0; 0; 0; 0; 0; 0; 66000; -60167; -13987; 8154]%Z;
  [0; 0; 0; 0; 0; 0; 0; 0; 44484; -53140; 8656]%Z;
  [0; 0; 0; 0; 0; 0; 0; 0; 0; 38967; -38967]%Z].
Definition product_weights : list Z := [9; 10; 21; 35; 56; 100; 56; 35; 21; 10; 9]%Z.
Definition product_masses : list Z := [11512; 8047; 6019; 4581; 3465; 2554; 1783; 1115; 526; 0; 0]%Z.
Definition product_rows : list (list Z) := [
  [44966; -27806; -24487; -16340; -5535; 11756; 4964; 3636; 3373; 2880; 2593]%Z;
  [0; 58496; -40215; -28145; -12940; 10635; 2695; 1740; 2087; 2201; 3446]%Z;
  [0; 0; 71257; -60346; -32215; 11954; 33; 10; 1713; 2629; 4965]%Z;
  [0; 0; 0; 72591; -80719; 8092; -8258; -4513; 813; 3696; 8298]%Z;
  [0; 0; 0; 0; 54436; -21650; -40468; -19835; -1122; 8213; 20426]%Z;
  [0; 0; 0; 0; 0; 56931; -58249; -18965; 404; 6226; 13653]%Z;
  [0; 0; 0; 0; 0; 0; 74726; -72642; -22444; 1368; 18992]%Z;
  [0; 0; 0; 0; 0; 0; 0; 62480; -70828; -12953; 21301]%Z;
  [0; 0; 0; 0; 0; 0; 0; 0; 41872; -61460; 19588]%Z;
  [0; 0; 0; 0; 0; 0; 0; 0; 0; 10394; -10394]%Z].

Lemma uniform_accepted : accepted 13 uniform_weights uniform_masses 100 4904 1000 1 uniform_rows = true.
Proof. vm_compute. reflexivity. Qed.
Lemma normal_accepted : accepted 11 normal_weights normal_masses 1 10186 1 100 normal_rows = true.
Proof. vm_compute. reflexivity. Qed.
Lemma product_accepted : accepted 11 product_weights product_masses 1 14352 1 100 product_rows = true.
Proof. vm_compute. reflexivity. Qed.

Definition at_least (P : list Z) (C r : nat) (q : R) (lo : Z) (len : nat) (w : Z -> R) : Prop :=
  forall d x, (d < C)%nat -> (Z.abs x < Z.of_nat (S d * r))%Z -> q * IZR (at_ P d) <= chance lo len w x.

(** The certificate, the contraction and Markov's inequality together: targets [b, b + s) of the window, weight at least [least] there. *)
Theorem rss_accepted lo len w a C r phi P q s ln ld sigma rows (e g n t : nat) (first : Z) least :
  (forall x, in_support lo len x -> 0 <= w x) -> zsum lo len w = 1 -> (0 < r)%nat -> (0 < C)%nat -> 0 <= q -> at_least P C r q lo len w ->
  (0 < s)%Z -> (0 < ld)%Z -> (0 < sigma)%Z -> accepted C phi P s ln ld sigma rows = true ->
  let lambda := IZR ln / IZR ld * (q * INR r) in let weight := on_blocks a C r phi in
  0 <= lambda <= 1 -> (a <= first)%Z -> (first + Z.of_nat t <= a + Z.of_nat (C * r))%Z -> 0 < least ->
  (forall z, (first <= z < first + Z.of_nat t)%Z -> least <= weight z) -> (S g <= t)%nat -> 0 < weighted a (C * r) weight (start a (C * r) e) ->
  prob lo len w n (missedb first t (Z.of_nat (e + g)) 0)
    <= (1 - lambda) ^ n * (all_weight a (C * r) weight / weighted a (C * r) weight (start a (C * r) e)) * (all_weight a (C * r) weight / (INR (S g) * least)).
Proof.
  intros W0 W1 Hr HC Hq HP Hs Hld Hsig A lambda weight HL F1 F2 Hleast Hw Hg H0.
  apply (rss_weighted lo len w W0 W1 a (C * r) weight (on_blocks_pos a C r Hr HC phi P s ln ld sigma rows A) lambda HL
    (accepted_mixes lo len w a C r Hr HC phi P q Hq HP s ln ld sigma rows Hs Hld Hsig A) first t F1 F2 least Hleast Hw e g n Hg H0).
Qed.

Theorem uniform_mixes a r : (0 < r)%nat ->
  let N := (9 * r - 1)%nat in let lambda := 4904 / 1000 * (/ INR (2 * N + 1) * INR r) in
  mixes (- Z.of_nat N) (2 * N + 1) (uniform N) a (13 * r) (on_blocks a 13 r uniform_weights) lambda /\ 1 - lambda <= 0.7276.
Proof.
  intros Hr N lambda. split.
  - refine (accepted_mixes _ _ (uniform N) a 13 r Hr ltac:(lia) uniform_weights uniform_masses (/ INR (2 * N + 1)) (q_nonneg N) _
      100 4904 1000 1 uniform_rows eq_refl eq_refl eq_refl uniform_accepted).
    intros d x Hd Hx. unfold chance, uniform. pose proof (q_nonneg N) as Q. destruct (in_window _ _ x) eqn:E.
    + simpl ind. assert (IZR (at_ uniform_masses d) <= 1); [|nra]. apply IZR_le. do 13 (destruct d as [|d]; [vm_compute; discriminate|]). lia.
    + simpl ind. replace (IZR (at_ uniform_masses d)) with 0; [lra|]. apply not_true_iff_false in E. rewrite in_window_iff in E.
      do 9 (destruct d as [|d]; [exfalso; apply E; unfold N; lia|]). do 4 (destruct d as [|d]; [reflexivity|]). lia.
  - unfold lambda. rewrite INR_len. assert (E : INR N = 9 * INR r - 1) by (unfold N; rewrite minus_INR, mult_INR by lia; simpl INR; lra).
    rewrite E. assert (1 <= INR r) by (change 1 with (INR 1); apply le_INR; lia).
    assert (1 / 18 <= / (2 * (9 * INR r - 1) + 1) * INR r); [|lra].
    apply Rmult_le_reg_l with (2 * (9 * INR r - 1) + 1); [lra|]. rewrite <- Rmult_assoc, Rinv_r, Rmult_1_l by lra. lra.
Qed.

Lemma per_block c k (r : R) : r <> 0 -> c / 1 * (k / (10000 * r) * r) = c * k / 10000.
Proof. intros H. field. assumption. Qed.

(** Blocks of 0.2: a cell has the mass density times 0.2 / r, so q = 0.2 / (10000 r). *)
Theorem normal_mixes lo len w a r : (0 < r)%nat -> at_least normal_masses 11 r (0.2 / (10000 * INR r)) lo len w ->
  mixes lo len w a (11 * r) (on_blocks a 11 r normal_weights) (1 - 0.79628).
Proof.
  intros Hr HP. assert (R0 : 0 < INR r) by (apply lt_0_INR; assumption).
  replace (1 - 0.79628) with (10186 / 1 * (0.2 / (10000 * INR r) * INR r)) by (rewrite per_block; lra).
  refine (accepted_mixes lo len w a 11 r Hr ltac:(lia) normal_weights normal_masses (0.2 / (10000 * INR r)) _ HP
    1 10186 1 100 normal_rows eq_refl eq_refl eq_refl normal_accepted).
  apply Rlt_le, Rdiv_lt_0_compat; lra.
Qed.

(** Blocks of 0.1. *)
Theorem product_mixes lo len w a r : (0 < r)%nat -> at_least product_masses 11 r (0.1 / (10000 * INR r)) lo len w ->
  mixes lo len w a (11 * r) (on_blocks a 11 r product_weights) (1 - 0.85648).
Proof.
  intros Hr HP. assert (R0 : 0 < INR r) by (apply lt_0_INR; assumption).
  replace (1 - 0.85648) with (14352 / 1 * (0.1 / (10000 * INR r) * INR r)) by (rewrite per_block; lra).
  refine (accepted_mixes lo len w a 11 r Hr ltac:(lia) product_weights product_masses (0.1 / (10000 * INR r)) _ HP
    1 14352 1 100 product_rows eq_refl eq_refl eq_refl product_accepted).
  apply Rlt_le, Rdiv_lt_0_compat; lra.
Qed.
