(** Floor 5: the inequality of two weights behind the gain from perturbation.

    A target that is served by a subset with j members carries the odds y = (13/12)^t / 8^j after t candidates, and the weight 1 / (1 + y). When one
    more candidate arrives, the odds become (13/12) y if the candidate is not used, and (13/96) y if it is.

    Glossary
      now y                    == 1 / (1 + y), the weight
      unused y, used y         == the next weight: without the candidate, and with one more inclusion
      kernel y z               == now^2 / unused + now^2 / (unused + max(0, used - unused of z)), at y
      kernel_alone y           == the kernel when the other target is not served at all (its weights are 0)

    Main theorems
      kernel_inequality        kernel y z + kernel z y <= now y now z + (3/2) (now y + now z) for all y, z > 0
      kernel_alone_inequality  kernel_alone y <= (3/2) now y
    Both are polynomial inequalities; the two cases of the first (z up to 8 y, or more) have non-negative values because a few coefficients that are
    negative are outweighed by their neighbours. *)
Require Import Reals Lra Lia Psatz.
Open Scope R_scope.

Definition now (y : R) : R := / (1 + y).
Definition unused (y : R) : R := / (1 + 13 / 12 * y).
Definition used (y : R) : R := / (1 + 13 / 96 * y).
Definition kernel (y z : R) : R :=
  now y * now y / unused y + now y * now y / (unused y + Rmax 0 (used y - unused z)).
Definition kernel_alone (y : R) : R := now y * now y / unused y + now y * now y / (unused y + used y).

Lemma now_bounds y : 0 < y -> 0 < now y < 1.
Proof.
  intros H. unfold now. split; [apply Rinv_0_lt_compat; lra|]. rewrite <- Rinv_1. apply Rinv_1_lt_contravar; lra.
Qed.
Lemma unused_pos y : 0 < y -> 0 < unused y.
Proof. intros H. apply Rinv_0_lt_compat. lra. Qed.
Lemma used_pos y : 0 < y -> 0 < used y.
Proof. intros H. apply Rinv_0_lt_compat. lra. Qed.
Lemma unused_le_now y : 0 < y -> unused y <= now y.
Proof. intros H. apply Rinv_le_contravar; lra. Qed.

(** ** The two polynomials *)
Lemma both_gain_polynomial d e : 0 <= d -> 0 <= e ->
  0 <= 2632181760 * d^7 + 38488346624 * d^6 * e + 38438887760 * d^6 + 87923096352 * d^5 * e^2 + 455409560970 * d^5 * e + 118356225624 * d^5
     + 74873461208 * d^4 * e^3 + 832867646156 * d^4 * e^2 + 2803302230547 * d^4 * e - 411665724288 * d^4
     + 27134092440 * d^3 * e^4 + 532239569316 * d^3 * e^3 + 3899998303929 * d^3 * e^2 + 10297772876664 * d^3 * e - 1492966847232 * d^3
     + 4703882456 * d^2 * e^5 + 129125129042 * d^2 * e^4 + 1390492968774 * d^2 * e^3 + 6993424434360 * d^2 * e^2 + 14222453269248 * d^2 * e
     + 2846629287936 * d^2 + 388658088 * d * e^6 + 13274168544 * d * e^5 + 183600700920 * d * e^4 + 1299828321792 * d * e^3 + 4851407893248 * d * e^2
     + 8581709058048 * d * e + 4742523426816 * d + 12338352 * e^7 + 491635872 * e^6 + 8160031152 * e^5 + 72212684544 * e^4 + 359363547648 * e^3
     + 953523228672 * e^2 + 1053894094848 * e.
Proof.
  intros Hd He.
  assert (K : forall i j, 0 <= d ^ i * e ^ j) by (intros; apply Rmult_le_pos; apply pow_le; assumption).
  assert (Q : 0 <= 38438887760 * d^5 + 118356225624 * d^4 - 411665724288 * d^3 - 1492966847232 * d^2 + 2846629287936 * d + 4742523426816).
  { pose proof (pow2_ge_0 (1 - 413/1000 * d + 28/1000 * d^2)). pose proof (pow2_ge_0 (d - 327/1000 * d^2)). pose proof (pow2_ge_0 (d^2)).
    assert (0 <= d * (1 - 449/1000 * d + 4/100 * d^2)^2) by (apply Rmult_le_pos; [assumption|apply pow2_ge_0]).
    assert (0 <= d * (d - 237/1000 * d^2)^2) by (apply Rmult_le_pos; [assumption|apply pow2_ge_0]).
    pose proof (K 1 0)%nat. pose proof (K 3 0)%nat. pose proof (K 5 0)%nat. lra. }
  assert (0 <= d * (38438887760 * d^5 + 118356225624 * d^4 - 411665724288 * d^3 - 1492966847232 * d^2 + 2846629287936 * d + 4742523426816))
    by (apply Rmult_le_pos; assumption).
  pose proof (K 7 0)%nat. pose proof (K 6 1)%nat. pose proof (K 5 2)%nat. pose proof (K 5 1)%nat. pose proof (K 4 3)%nat. pose proof (K 4 2)%nat.
  pose proof (K 4 1)%nat. pose proof (K 3 4)%nat. pose proof (K 3 3)%nat. pose proof (K 3 2)%nat. pose proof (K 3 1)%nat. pose proof (K 2 5)%nat.
  pose proof (K 2 4)%nat. pose proof (K 2 3)%nat. pose proof (K 2 2)%nat. pose proof (K 2 1)%nat. pose proof (K 1 6)%nat. pose proof (K 1 5)%nat.
  pose proof (K 1 4)%nat. pose proof (K 1 3)%nat. pose proof (K 1 2)%nat. pose proof (K 1 1)%nat. pose proof (K 0 7)%nat. pose proof (K 0 6)%nat.
  pose proof (K 0 5)%nat. pose proof (K 0 4)%nat. pose proof (K 0 3)%nat. pose proof (K 0 2)%nat. pose proof (K 0 1)%nat.
  lra.
Qed.

Lemma one_gain_polynomial y t : 0 <= y -> 0 <= t ->
  0 <= 1946880 * y^5 + 831480 * y^4 * t + 467350 * y^4 + 116779 * y^3 * t^2 + 341380 * y^3 * t - 735117 * y^3 + 5408 * y^2 * t^3 + 62218 * y^2 * t^2
     - 158024 * y^2 * t + 71208 * y^2 + 3354 * y * t^3 - 8280 * y * t^2 + 34848 * y * t + 34992 * y + 3072 * t^2 + 5760 * t.
Proof.
  intros Hy Ht.
  assert (Q0 : 0 <= 1946880 * y^4 + 467350 * y^3 - 735117 * y^2 + 71208 * y + 34992).
  { pose proof (pow2_ge_0 (1 - 3663/1000 * y + 5154/1000 * y^2)). pose proof (pow2_ge_0 (y - 1628/1000 * y^2)). pose proof (pow2_ge_0 (y^2)).
    assert (0 <= y * (1 - 2882/1000 * y)^2) by (apply Rmult_le_pos; [assumption|apply pow2_ge_0]).
    assert (0 <= y^3) by (apply pow_le; assumption). lra. }
  assert (Q1 : 0 <= 831480 * y^4 + 341380 * y^3 - 158024 * y^2 + 34848 * y + 5760).
  { pose proof (pow2_ge_0 (y - 2716/1000 * y^2)). pose proof (pow2_ge_0 (y^2)). pose proof (pow2_ge_0 y).
    assert (0 <= y * (1 - 3747/1000 * y)^2) by (apply Rmult_le_pos; [assumption|apply pow2_ge_0]).
    assert (0 <= y^3) by (apply pow_le; assumption). lra. }
  assert (Q2 : 0 <= 116779 * y^3 + 62218 * y^2 - 8280 * y + 3072).
  { pose proof (pow2_ge_0 (1 - 1882/1000 * y)). pose proof (pow2_ge_0 y).
    assert (0 <= y^3) by (apply pow_le; assumption).
    assert (0 <= y * (1 - 2619/1000 * y)^2) by (apply Rmult_le_pos; [assumption|apply pow2_ge_0]). lra. }
  assert (0 <= y * (1946880 * y^4 + 467350 * y^3 - 735117 * y^2 + 71208 * y + 34992)) by (apply Rmult_le_pos; assumption).
  assert (0 <= t * (831480 * y^4 + 341380 * y^3 - 158024 * y^2 + 34848 * y + 5760)) by (apply Rmult_le_pos; assumption).
  assert (0 <= t^2 * (116779 * y^3 + 62218 * y^2 - 8280 * y + 3072)) by (apply Rmult_le_pos; [apply pow_le|]; assumption).
  assert (0 <= t^3 * (5408 * y^2 + 3354 * y)) by (apply Rmult_le_pos; [apply pow_le; assumption|nra]).
  lra.
Qed.

(** ** The inequality *)
Lemma quotient_nonneg l r p q : 0 <= p -> 0 < q -> r - l = p / q -> l <= r.
Proof.
  intros Hp Hq E. assert (0 <= p / q) by (apply Rmult_le_pos; [assumption|left; now apply Rinv_0_lt_compat]). lra.
Qed.

Lemma kernel_ordered y z : 0 < y -> y <= z -> kernel y z + kernel z y <= now y * now z + 3 / 2 * (now y + now z).
Proof.
  intros Hy Hz.
  assert (G1 : 0 <= used y - unused z) by (assert (unused z <= used y) by (apply Rinv_le_contravar; lra); lra).
  assert (D1 : 0 < 1152 + 2496 * z + 1521 * y * z - 169 * y * y) by nra.
  unfold kernel. rewrite (Rmax_right 0 (used y - unused z)) by assumption.
  destruct (Rle_dec z (8 * y)) as [L|L].
  - assert (G2 : 0 <= used z - unused y) by (assert (unused y <= used z) by (apply Rinv_le_contravar; lra); lra).
    rewrite Rmax_right by assumption.
    assert (D2 : 0 < 1152 + 2496 * y + 1521 * y * z - 169 * z * z) by nra.
    eapply quotient_nonneg; [apply (both_gain_polynomial (z - y) (8 * y - z)); lra| |].
    2:{ unfold now, used, unused.
        instantiate (1 := 823543 * 12 * (1 + y)^2 * (1 + z)^2 * (1152 + 2496 * z + 1521 * y * z - 169 * y * y) * (1152 + 2496 * y + 1521 * y * z - 169 * z * z)).
        field. repeat split; nra. }
    repeat apply Rmult_lt_0_compat; try assumption; try lra; apply pow_lt; lra.
  - assert (G2 : used z - unused y <= 0) by (assert (used z <= unused y) by (apply Rinv_le_contravar; lra); lra).
    rewrite (Rmax_left 0 (used z - unused y)) by assumption.
    eapply quotient_nonneg; [apply (one_gain_polynomial y (z - 8 * y)); lra| |].
    2:{ unfold now, used, unused.
        instantiate (1 := 12 * (1 + y)^2 * (1 + z)^2 * (1152 + 2496 * z + 1521 * y * z - 169 * y * y)).
        field. repeat split; nra. }
    repeat apply Rmult_lt_0_compat; try assumption; try lra; apply pow_lt; lra.
Qed.

Theorem kernel_inequality y z : 0 < y -> 0 < z -> kernel y z + kernel z y <= now y * now z + 3 / 2 * (now y + now z).
Proof.
  intros Hy Hz. destruct (Rle_dec y z) as [L|L]; [now apply kernel_ordered|].
  pose proof (kernel_ordered z y Hz ltac:(lra)). lra.
Qed.

Theorem kernel_alone_inequality y : 0 < y -> kernel_alone y <= 3 / 2 * now y.
Proof.
  intros Hy. unfold kernel_alone.
  apply (quotient_nonneg _ _ (y * (208 * y + 129)) (18 * (1 + y)^2 * (39 * y + 64))).
  - apply Rmult_le_pos; lra.
  - repeat apply Rmult_lt_0_compat; lra.
  - unfold now, used, unused. field. repeat split; nra.
Qed.
