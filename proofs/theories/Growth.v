(** Floor 7: the growth programme, a dynamic programme over the covered length in which hook counting is used in full.

    V_n(a) bounds the probability that a covered length a, with n candidates left, ends with too long a gap. For every sum g of kinks c_j max(0, y_j - x), c_j >= 0, above V_n,
    E V_n(a + D) <= E g(a + D), and hook counting bounds each E max(0, y_j - a - D). The bound of a kink is convex in a, so it lies below its chord: values are
    kept at a few vertices, with chords between them, and Coq evaluates the programme in integers. (Recursion.v has one kink, and steps instead of chords.)

    Glossary
      table                    == a list of (y, v), y increasing: V = v / scale at covered length y, in units of a window of G parts; chords between
      height tab a             == V scale at a
      reach2 G u t             == 2 G times the bound of E max(0, t - D), for any u that hook counting admits
      kink_sum rest ks x       == the sum of c_j max(0, y_j - x), ks = c_1, c_2, ...
      profile tab ks           == (value, slope) of that sum at the first vertex, and whether it lies above the table at every vertex
      cost G u a rest ks       == 2 G times the bound of the mean of the sum, started from a
      cell G tab ks            == new values at the ends of the first cell
      hulls G tab              == proposals for the kinks of every cell: the least convex function above the table, the least line to (G, 0)
      next_table G tab         == one candidate more

    Main theorems
      kink_mean                E max(0, T - gain) from hook counting
      dominated                a kink sum above the table at the vertices is above it everywhere
      cell_sound, growth_step_sound, growth_sound   the programme bounds the probability of an open gap
      rss_growth               the theorem for given vertices: tolerance eta, n candidates *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS Hooks RSSUniform Recursion.
Import ListNotations.
Open Scope R_scope.

(** ** The programme: integers only *)
Definition reach2 (G u t : Z) : Z := Z.max (t * (G + t)) (2 * G * (t - u) + u * (G + u)).

Fixpoint cost (G u a : Z) (rest : table) (ks : list Z) : Z :=
  match rest, ks with
  | (y, _) :: rest', k :: ks' => if (k =? 0)%Z then cost G u a rest' ks' else (k * reach2 G u (y - a) + cost G u a rest' ks')%Z
  | _, _ => 0%Z
  end.

Fixpoint profile (tab : table) (ks : list Z) : Z * Z * bool :=
  match tab with
  | nil => (0, 0, false)%Z
  | (y, v) :: rest =>
      match rest, ks with
      | nil, nil => (0, 0, v <=? 0)%Z
      | (y1, _) :: _, k :: ks' =>
          let '(h, s, fine) := profile rest ks' in
          let s' := (s + k)%Z in let h' := (h + s' * (y1 - y))%Z in
          (h', s', fine && (0 <=? k)%Z && (v <=? h')%Z)
      | _, _ => (0, 0, false)%Z
      end
  end.

Definition up_div (x d : Z) : Z := (- ((- x) / d))%Z.

(** how much of hook counting is used at both ends of the cell *)
Definition admitted (G y0 y1 : Z) : Z * Z :=
  if (2 * y1 <=? G)%Z then (y0, y1) else if (G <=? 2 * y0)%Z then (G - y0, G - y1)%Z else (Z.min y0 (G - y1), Z.min y0 (G - y1)).

Definition cell (G : Z) (tab : table) (ks : list Z) : Z * Z :=
  match tab with
  | (y0, v0) :: (((y1, _) :: _) as rest) =>
      if snd (profile tab ks) && (0 <=? y0)%Z && (y1 <=? G)%Z then
        let '(u0, u1) := admitted G y0 y1 in
        (up_div (cost G u0 y0 rest ks) (2 * G), up_div (cost G u1 y1 rest ks) (2 * G))
      else (v0, v0)
  | (_, v) :: nil => (v, v)
  | nil => (0, 0)%Z
  end.

Fixpoint line_kinks (slope : Z) (rest : table) : list Z :=
  match rest with nil => nil | _ :: nil => [slope] | _ :: rest' => 0%Z :: line_kinks slope rest' end.

(** for every entry of the table: kinks, slope and value of the least convex function, slope of the least line *)
Definition hull : Type := list Z * Z * Z * Z.
Fixpoint hulls (G : Z) (tab : table) : list hull :=
  match tab with
  | nil => nil
  | (y, v) :: rest =>
      let later := hulls G rest in
      match rest with
      | (y1, _) :: _ =>
          let '(ks, s, h, line) := hd (nil, 0, 0, 0)%Z later in
          let s' := Z.max s (up_div (v - h) (y1 - y)) in
          ((s' - s)%Z :: ks, s', (h + s' * (y1 - y))%Z, Z.max line (up_div v (G - y))) :: later
      | nil => [(nil, 0, v, 0)%Z]
      end
  end.

Definition proposals (rest : table) (p : hull) : list (list Z) := let '(ks, _, _, line) := p in [ks; line_kinks line rest].

Definition less (p q : Z * Z) : Z * Z := if (fst q + snd q <? fst p + snd p)%Z then q else p.
Definition best_cell (G : Z) (p : hull) (tab : table) : Z * Z :=
  fold_right (fun ks best => less best (cell G tab ks)) (head_value tab, head_value tab) (proposals (tl tab) p).

Fixpoint next_values (G prev : Z) (hs : list hull) (tab : table) : table :=
  match tab with
  | nil => nil
  | (y, v) :: rest =>
      match rest with
      | nil => [(y, Z.max prev v)]
      | _ => let '(l, r) := best_cell G (hd (nil, 0, 0, 0)%Z hs) tab in
             let rest' := next_values G r (tl hs) rest in (y, Z.max (Z.max prev l) (head_value rest')) :: rest'
      end
  end.

Definition next_table (G : Z) (tab : table) : table := next_values G 0 (hulls G tab) tab.

(** ** Chords *)
Fixpoint height (tab : table) (a : R) : R :=
  match tab with
  | nil => 0
  | (y, v) :: rest =>
      match rest with
      | nil => IZR v
      | (y1, v1) :: _ => if Rle_dec a (IZR y1) then IZR v + (IZR v1 - IZR v) * ((a - IZR y) / (IZR y1 - IZR y)) else height rest a
      end
  end.

Fixpoint kink_sum (rest : table) (ks : list Z) (x : R) : R :=
  match rest, ks with (y, _) :: rest', k :: ks' => IZR k * Rmax 0 (IZR y - x) + kink_sum rest' ks' x | _, _ => 0 end.

Lemma height_cell y v y1 v1 rest a : height ((y, v) :: (y1, v1) :: rest) a =
  if Rle_dec a (IZR y1) then IZR v + (IZR v1 - IZR v) * ((a - IZR y) / (IZR y1 - IZR y)) else height ((y1, v1) :: rest) a.
Proof. reflexivity. Qed.

Lemma cost_cell G u a y v rest k ks : cost G u a ((y, v) :: rest) (k :: ks) = (k * reach2 G u (y - a) + cost G u a rest ks)%Z.
Proof. cbn [cost]. destruct (Z.eqb_spec k 0) as [->|]; [ring|reflexivity]. Qed.

Lemma chord_share x y0 y1 : y0 < y1 -> y0 <= x <= y1 -> 0 <= (x - y0) / (y1 - y0) <= 1.
Proof.
  intros H Hx. assert (P : 0 < / (y1 - y0)) by (apply Rinv_0_lt_compat; lra). split; [apply Rmult_le_pos; lra|].
  apply Rmult_le_reg_r with (y1 - y0); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra.
Qed.

Lemma height_le_head tab : falling tab -> forall a, match tab with nil => True | (y, _) :: _ => IZR y <= a end ->
  height tab a <= IZR (head_value tab).
Proof.
  induction tab as [|[y v] rest IH]; intros Hf a Ha; [simpl; lra|]. destruct Hf as (Hv & Hr & Hf).
  destruct rest as [|[y1 v1] rest]; [simpl; lra|]. rewrite height_cell. simpl head_value.
  destruct (Hr y1 v1 (or_introl eq_refl)) as [L1 L2]. apply IZR_lt in L1. apply IZR_le in L2.
  destruct Rle_dec as [C|C].
  - pose proof (chord_share a (IZR y) (IZR y1) L1 (conj Ha C)) as B.
    set (w := (a - IZR y) / (IZR y1 - IZR y)) in *. assert (0 <= (IZR v - IZR v1) * w) by (apply Rmult_le_pos; lra). lra.
  - specialize (IH Hf a ltac:(simpl; lra)). simpl head_value in IH. lra.
Qed.

Theorem dominated tab : forall ks h s, falling tab -> profile tab ks = (h, s, true) ->
  match tab with nil => False | (y, v) :: rest =>
    (v <= h)%Z /\ (forall x, x <= IZR y -> kink_sum rest ks x = IZR h + IZR s * (IZR y - x)) /\ (forall x, IZR y <= x -> height tab x <= kink_sum rest ks x) end.
Proof.
  induction tab as [|[y v] rest IH]; intros ks h s Hf HP; [discriminate|]. destruct Hf as (Hv & Hr & Hf).
  destruct rest as [|[y1 v1] rest].
  - destruct ks; [|discriminate]. simpl in HP. injection HP as <- <- Hv0. apply Z.leb_le in Hv0. split; [assumption|].
    split; intros x Hx; simpl; [lra|]. now apply IZR_le.
  - destruct ks as [|k ks]; [discriminate|].
    change (profile ((y, v) :: (y1, v1) :: rest) (k :: ks)) with
      (let '(h, s, fine) := profile ((y1, v1) :: rest) ks in
       (h + (s + k) * (y1 - y), s + k, fine && (0 <=? k) && (v <=? h + (s + k) * (y1 - y)))%Z) in HP.
    destruct (profile ((y1, v1) :: rest) ks) as [[h1 s1] fine] eqn:E. injection HP as Eh Es Ef.
    rewrite !andb_true_iff, Z.leb_le, Z.leb_le in Ef. destruct Ef as [[-> Hk] Hvh]. rewrite Eh in Hvh. rewrite Es in Eh.
    destruct (IH ks h1 s1 Hf E) as (H1 & H2 & H3). destruct (Hr y1 v1 (or_introl eq_refl)) as [L1 L2].
    apply IZR_lt in L1. apply IZR_le in H1. apply IZR_le in Hk.
    apply (f_equal IZR) in Es. rewrite plus_IZR in Es. apply (f_equal IZR) in Eh. rewrite plus_IZR, mult_IZR, minus_IZR in Eh.
    split; [assumption|]. apply IZR_le in Hvh. cbn [kink_sum]. split; intros x Hx.
    + rewrite Rmax_right by lra. rewrite H2 by lra. nra.
    + rewrite height_cell. destruct Rle_dec as [C|C].
      * rewrite Rmax_right by lra. rewrite H2 by lra.
        pose proof (chord_share x (IZR y) (IZR y1) L1 (conj Hx C)) as B.
        assert (Ex : x = IZR y + (x - IZR y) / (IZR y1 - IZR y) * (IZR y1 - IZR y)) by (field; lra).
        set (w := (x - IZR y) / (IZR y1 - IZR y)) in *.
        assert (0 <= w * (IZR h1 - IZR v1)) by (apply Rmult_le_pos; lra). assert (0 <= (1 - w) * (IZR h - IZR v)) by (apply Rmult_le_pos; lra).
        replace (IZR k * (IZR y1 - x) + (IZR h1 + IZR s1 * (IZR y1 - x))) with ((1 - w) * IZR h + w * IZR h1); [lra|].
        rewrite <- Eh, <- Es, Ex. ring.
      * rewrite Rmax_left by lra. rewrite Rmult_0_r, Rplus_0_l. apply H3. lra.
Qed.

(** ** One kink *)
Section Kink.
  Variable N : nat.
  Variable a : Z.
  Notation M := (S N).
  Notation lo := (- Z.of_nat N)%Z.
  Notation len := (2 * N + 1)%nat.

  Lemma truncated_gain f t : inside a M f -> INR t <= count a M f -> INR t <= INR M - count a M f ->
    mean lo len (uniform N) (fun x => INR t - Rmin (gain a M 0 f x) (INR t)) <= INR t * (INR M + INR t) / (2 * INR M).
  Proof.
    intros S T1 T2.
    pose proof (gain_profile lo len (uniform N) (uniform_nonneg N) N (/ INR len) (q_nonneg N) ltac:(intros; unfold uniform; lra) ltac:(lia) ltac:(lia)
      a M ltac:(lia) 0 f t S T1 T2) as GP. simpl dilate in GP.
    rewrite (mean_ext lo len (uniform N) _ (fun x => INR t + (-1) * Rmin (gain a M 0 f x) (INR t))) by (intros; ring).
    rewrite mean_plus, mean_scal, (mean_const lo len (uniform N) (uniform_mass N)).
    set (E := mean lo len (uniform N) (fun x => Rmin (gain a M 0 f x) (INR t))) in *. pose proof (pos_INR t) as Pt.
    assert (PM : 1 <= INR M) by (rewrite S_INR; pose proof (pos_INR N); lra).
    assert (Hlen : INR len = 2 * INR M - 1) by (rewrite INR_len, S_INR; lra).
    assert (INR t * (INR M - INR t) / (2 * INR M) <= E).
    { eapply Rle_trans; [|exact GP]. replace (count a M f + (INR M - count a M f) - INR t) with (INR M - INR t) by ring.
      rewrite (Rmult_comm (/ INR len)).
      apply Rmult_le_compat_l; [apply Rmult_le_pos; lra|]. apply Rinv_le_contravar; lra. }
    replace (INR t * (INR M + INR t) / (2 * INR M)) with (INR t - INR t * (INR M - INR t) / (2 * INR M)) by (field; lra). lra.
  Qed.

  Theorem kink_mean f t u : inside a M f -> INR u <= count a M f -> INR u <= INR M - count a M f ->
    mean lo len (uniform N) (fun x => Rmax 0 (INR t - gain a M 0 f x))
      <= Rmax (INR t * (INR M + INR t)) (2 * INR M * (INR t - INR u) + INR u * (INR M + INR u)) / (2 * INR M).
  Proof.
    intros S U1 U2. assert (PM : 0 < INR M) by (apply lt_0_INR; lia).
    assert (I : 0 < / (2 * INR M)) by (apply Rinv_0_lt_compat; lra).
    destruct (le_lt_dec t u) as [L|L]; [apply le_INR in L|apply lt_INR in L].
    - apply Rle_trans with (mean lo len (uniform N) (fun x => INR t - Rmin (gain a M 0 f x) (INR t))).
      + apply (mean_le lo len (uniform N) (uniform_nonneg N)). intros x _. unfold Rmax, Rmin. repeat destruct Rle_dec; lra.
      + eapply Rle_trans; [apply truncated_gain; [assumption|lra|lra]|]. apply Rmult_le_compat_r; [lra|]. apply Rmax_l.
    - apply Rle_trans with (mean lo len (uniform N) (fun x => (INR t - INR u) + (INR u - Rmin (gain a M 0 f x) (INR u)))).
      + apply (mean_le lo len (uniform N) (uniform_nonneg N)). intros x _. unfold Rmax, Rmin. repeat destruct Rle_dec; lra.
      + rewrite mean_plus, (mean_const lo len (uniform N) (uniform_mass N)). pose proof (truncated_gain f u S U1 U2) as T.
        apply Rle_trans with ((2 * INR M * (INR t - INR u) + INR u * (INR M + INR u)) / (2 * INR M)).
        * replace ((2 * INR M * (INR t - INR u) + INR u * (INR M + INR u)) / (2 * INR M))
            with ((INR t - INR u) + INR u * (INR M + INR u) / (2 * INR M)) by (field; lra). lra.
        * apply Rmult_le_compat_r; [lra|]. apply Rmax_r.
  Qed.
End Kink.

(** ** Convexity in the covered length *)
Definition reach (G u t : R) : R := Rmax (t * (G + t)) (2 * G * (t - u) + u * (G + u)).

Lemma reach2_real G u t : IZR (reach2 G u t) = reach (IZR G) (IZR u) (IZR t).
Proof.
  unfold reach2, reach.
  replace (IZR t * (IZR G + IZR t)) with (IZR (t * (G + t))) by (rewrite mult_IZR, plus_IZR; ring).
  replace (2 * IZR G * (IZR t - IZR u) + IZR u * (IZR G + IZR u)) with (IZR (2 * G * (t - u) + u * (G + u)))
    by (rewrite plus_IZR, !mult_IZR, minus_IZR, plus_IZR; ring).
  generalize (t * (G + t))%Z (2 * G * (t - u) + u * (G + u))%Z. intros p q. destruct (Z_le_gt_dec p q) as [L|L].
  - rewrite Z.max_r, Rmax_right; [reflexivity|now apply IZR_le|assumption].
  - rewrite Z.max_l, Rmax_left; [reflexivity|apply IZR_le; lia|lia].
Qed.

Lemma square_chord w x y : 0 <= w <= 1 -> ((1 - w) * x + w * y) * ((1 - w) * x + w * y) <= (1 - w) * (x * x) + w * (y * y).
Proof.
  intros H. assert (0 <= w * (1 - w) * ((x - y) * (x - y))) by (apply Rmult_le_pos; [nra|apply Rle_0_sqr]). lra.
Qed.

Lemma reach_chord G w u0 u1 t0 t1 : 0 <= w <= 1 ->
  reach G ((1 - w) * u0 + w * u1) ((1 - w) * t0 + w * t1) <= (1 - w) * reach G u0 t0 + w * reach G u1 t1.
Proof.
  intros H. unfold reach. pose proof (square_chord w t0 t1 H). pose proof (square_chord w u0 u1 H).
  set (A0 := t0 * (G + t0)). set (A1 := t1 * (G + t1)). set (B0 := 2 * G * (t0 - u0) + u0 * (G + u0)). set (B1 := 2 * G * (t1 - u1) + u1 * (G + u1)).
  assert ((1 - w) * A0 <= (1 - w) * Rmax A0 B0) by (apply Rmult_le_compat_l; [lra|apply Rmax_l]).
  assert ((1 - w) * B0 <= (1 - w) * Rmax A0 B0) by (apply Rmult_le_compat_l; [lra|apply Rmax_r]).
  assert (w * A1 <= w * Rmax A1 B1) by (apply Rmult_le_compat_l; [lra|apply Rmax_l]).
  assert (w * B1 <= w * Rmax A1 B1) by (apply Rmult_le_compat_l; [lra|apply Rmax_r]).
  apply Rmax_lub; unfold A0, A1, B0, B1 in *; lra.
Qed.

(** ** Keys and order of the next table *)
Lemma next_values_cell G prev hs y v y1 v1 rest : next_values G prev hs ((y, v) :: (y1, v1) :: rest) =
  let p := best_cell G (hd (nil, 0, 0, 0)%Z hs) ((y, v) :: (y1, v1) :: rest) in let rest' := next_values G (snd p) (tl hs) ((y1, v1) :: rest) in
  (y, Z.max (Z.max prev (fst p)) (head_value rest')) :: rest'.
Proof. cbn [next_values]. destruct (best_cell G _ ((y, v) :: (y1, v1) :: rest)) as [l r]. reflexivity. Qed.

Lemma next_values_keys G tab : forall prev hs, map fst (next_values G prev hs tab) = map fst tab.
Proof.
  induction tab as [|[y v] rest IH]; intros prev hs; [reflexivity|]. destruct rest as [|[y1 v1] rest]; [reflexivity|].
  rewrite next_values_cell. cbv zeta. cbn [map fst]. now rewrite IH.
Qed.

Lemma head_value_nonneg tab : falling tab -> (0 <= head_value tab)%Z.
Proof. destruct tab as [|[y v] rest]; simpl; [lia|tauto]. Qed.

Lemma next_values_falling G tab : falling tab -> forall prev hs, falling (next_values G prev hs tab).
Proof.
  induction tab as [|[y v] rest IH]; intros Hf prev hs; [exact I|]. destruct Hf as (Hv & Hr & Hf).
  destruct rest as [|[y1 v1] rest]; [simpl; repeat split; [lia|contradiction|contradiction]|].
  rewrite next_values_cell. cbv zeta. set (p := best_cell G _ _). specialize (IH Hf (snd p) (tl hs)).
  pose proof (next_values_keys G ((y1, v1) :: rest) (snd p) (tl hs)) as Keys.
  set (rest' := next_values G (snd p) (tl hs) ((y1, v1) :: rest)) in *. pose proof (head_value_nonneg rest' IH).
  cbn [falling]. split; [lia|]. split; [|assumption]. intros b w Hin. split.
  - assert (B : In b (map fst rest')) by (apply in_map_iff; exists (b, w); split; [reflexivity|assumption]).
    rewrite Keys in B. apply in_map_iff in B. destruct B as ([b2 w2] & E & B). simpl in E. subst b2. now destruct (Hr b w2 B).
  - assert (w <= head_value rest')%Z; [|lia]. destruct rest' as [|[b0 w0] tl]; [contradiction|]. simpl. destruct Hin as [E|Hin]; [injection E as _ ->; lia|].
    destruct IH as (_ & IH & _). now destruct (IH b w Hin).
Qed.

Lemma prev_le_head G prev hs tab : tab <> nil -> (prev <= head_value (next_values G prev hs tab))%Z.
Proof.
  destruct tab as [|[y v] rest]; [congruence|]. intros _. destruct rest as [|[y1 v1] rest]; [simpl; lia|].
  rewrite next_values_cell. cbv zeta. simpl head_value. lia.
Qed.

(** ** Soundness of the programme *)
Section Sound.
  Variable G sz N : nat.
  Variable a : Z.
  Hypothesis sz_pos : (0 < sz)%nat.
  Hypothesis G_pos : (0 < G)%nat.
  Hypothesis window : (S N = G * sz)%nat.
  Notation M := (S N).
  Notation lo := (- Z.of_nat N)%Z.
  Notation len := (2 * N + 1)%nat.
  Notation GZ := (Z.of_nat G).
  Variable gap : nat.
  Variable scale : Z.
  Hypothesis scale_pos : (0 < scale)%Z.

  (** covered length in parts of the window, and what one candidate adds *)
  Definition covered (f : Z -> bool) : R := count a M f / INR sz.

  Lemma parts : 0 < INR sz /\ 0 < INR G /\ INR M = INR G * INR sz.
  Proof. repeat split; try (apply lt_0_INR; assumption). rewrite window. apply mult_INR. Qed.

  Lemma count_covered f : count a M f = covered f * INR sz.
  Proof. destruct parts. unfold covered. field. lra. Qed.

  Lemma covered_le f g : count a M f <= count a M g -> covered f <= covered g.
  Proof. intros H. destruct parts. unfold covered. apply Rmult_le_compat_r; [left; now apply Rinv_0_lt_compat|assumption]. Qed.

  Lemma covered_step f x : covered f <= covered (step a M 0 f x).
  Proof. apply covered_le, count_mono. intros; now apply step_incl. Qed.

  (** one kink at the vertex y, started inside a cell [y0, y1] that ends before y *)
  Lemma kink_chord f y0 y1 u0 u1 y : inside a M f -> (y0 < y1)%Z -> (0 <= y0)%Z -> (y1 <= GZ)%Z -> (y1 <= y)%Z -> IZR y0 <= covered f <= IZR y1 ->
    admitted GZ y0 y1 = (u0, u1) ->
    let w := (covered f - IZR y0) / (IZR y1 - IZR y0) in
    mean lo len (uniform N) (fun x => Rmax 0 (IZR y - covered (step a M 0 f x)))
      <= ((1 - w) * IZR (reach2 GZ u0 (y - y0)) + w * IZR (reach2 GZ u1 (y - y1))) / (2 * INR G).
  Proof.
    intros S L0 P0 LG Ly Hc Ha w. destruct parts as (Ps & PG & EM). set (c := covered f) in *.
    assert (L0R := IZR_lt _ _ L0). assert (Hw : 0 <= w <= 1) by (apply chord_share; assumption).
    assert (Ec : c = (1 - w) * IZR y0 + w * IZR y1) by (unfold w; field; lra).
    set (u := (1 - w) * IZR u0 + w * IZR u1).
    assert (PyR : IZR y1 <= IZR y) by (apply IZR_le; assumption). assert (LGR : IZR y1 <= INR G) by (rewrite INR_IZR_INZ; now apply IZR_le).
    assert (P0R : 0 <= IZR y0) by (apply IZR_le; assumption).
    set (m := length (entries a M f)). assert (Em : INR m = c * INR sz) by (unfold m; rewrite entries_length; apply count_covered).
    (* the amount u of hook counting, in cells *)
    assert (HU : exists U : nat, INR U = u * INR sz /\ u <= c /\ u <= INR G - c).
    { unfold admitted in Ha. destruct (Z.leb_spec (2 * y1) GZ) as [Q|Q].
      - injection Ha as <- <-. exists m. apply IZR_le in Q. rewrite mult_IZR, <- INR_IZR_INZ in Q.
        replace u with c by (unfold u; rewrite Ec; ring). repeat split; lra.
      - destruct (Z.leb_spec GZ (2 * y0)) as [Q2|Q2]; injection Ha as <- <-.
        + exists (M - m)%nat. apply IZR_le in Q2. rewrite mult_IZR, <- INR_IZR_INZ in Q2.
          assert (Eu : u = INR G - c) by (unfold u; rewrite !minus_IZR, <- INR_IZR_INZ; rewrite Ec; ring).
          rewrite Eu. repeat split; try lra. rewrite minus_INR, EM, Em; [ring|]. apply INR_le. rewrite EM, Em. apply Rmult_le_compat_r; lra.
        + assert (0 <= Z.min y0 (GZ - y1))%Z by lia. exists (Z.to_nat (Z.min y0 (GZ - y1)) * sz)%nat.
          assert (Eu : u = IZR (Z.min y0 (GZ - y1))) by (unfold u; ring). rewrite Eu.
          repeat split.
          * rewrite mult_INR, (INR_IZR_INZ (Z.to_nat _)), Z2Nat.id by assumption. reflexivity.
          * apply Rle_trans with (IZR y0); [apply IZR_le; lia|lra].
          * apply Rle_trans with (IZR (GZ - y1)); [apply IZR_le; lia|]. rewrite minus_IZR, <- INR_IZR_INZ. lra. }
    destruct HU as (U & EU & U1 & U2).
    (* the distance to the kink, in cells *)
    set (T := (Z.to_nat y * sz - m)%nat).
    assert (ET : INR T = (IZR y - c) * INR sz).
    { assert (Ey : INR (Z.to_nat y) = IZR y) by (rewrite INR_IZR_INZ, Z2Nat.id by lia; reflexivity).
      unfold T. rewrite minus_INR, mult_INR, Ey, Em; [ring|].
      apply INR_le. rewrite mult_INR, Ey, Em. apply Rmult_le_compat_r; lra. }
    pose proof (kink_mean N a f T U S) as K. rewrite EU, ET, EM, count_covered in K. fold c in K.
    specialize (K ltac:(apply Rmult_le_compat_r; lra)).
    replace (INR G * INR sz - c * INR sz) with ((INR G - c) * INR sz) in K by ring. specialize (K ltac:(apply Rmult_le_compat_r; lra)).
    apply Rle_trans with (reach (INR G) u (IZR y - c) / (2 * INR G)).
    - rewrite (mean_ext lo len (uniform N) _ (fun x => / INR sz * Rmax 0 ((IZR y - c) * INR sz - gain a M 0 f x))).
      2:{ intros x _. unfold gain. rewrite !count_covered. fold c.
          replace ((IZR y - c) * INR sz - (covered (step a M 0 f x) * INR sz - c * INR sz)) with (INR sz * (IZR y - covered (step a M 0 f x))) by ring.
          replace 0 with (INR sz * 0) at 2 by ring. rewrite RmaxRmult by lra. field. lra. }
      rewrite mean_scal. apply Rmult_le_reg_l with (INR sz); [assumption|]. rewrite <- Rmult_assoc, Rinv_r, Rmult_1_l by lra.
      eapply Rle_trans; [exact K|]. apply Req_le. unfold reach.
      replace ((IZR y - c) * INR sz * (INR G * INR sz + (IZR y - c) * INR sz)) with ((INR sz * INR sz) * ((IZR y - c) * (INR G + (IZR y - c)))) by ring.
      replace (2 * (INR G * INR sz) * ((IZR y - c) * INR sz - u * INR sz) + u * INR sz * (INR G * INR sz + u * INR sz))
        with ((INR sz * INR sz) * (2 * INR G * (IZR y - c - u) + u * (INR G + u))) by ring.
      rewrite RmaxRmult by nra. field. lra.
    - apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; lra|]. rewrite !reach2_real, !minus_IZR, <- INR_IZR_INZ.
      replace (IZR y - c) with ((1 - w) * (IZR y - IZR y0) + w * (IZR y - IZR y1)) by (rewrite Ec; ring).
      apply reach_chord. assumption.
  Qed.

  Lemma cost_chord f y0 y1 u0 u1 : inside a M f -> (y0 < y1)%Z -> (0 <= y0)%Z -> (y1 <= GZ)%Z -> IZR y0 <= covered f <= IZR y1 ->
    admitted GZ y0 y1 = (u0, u1) -> forall rest ks, (forall y v, In (y, v) rest -> (y1 <= y)%Z) -> Forall (fun k => 0 <= k)%Z ks ->
    let w := (covered f - IZR y0) / (IZR y1 - IZR y0) in
    mean lo len (uniform N) (fun x => kink_sum rest ks (covered (step a M 0 f x)))
      <= ((1 - w) * IZR (cost GZ u0 y0 rest ks) + w * IZR (cost GZ u1 y1 rest ks)) / (2 * INR G).
  Proof.
    intros S L0 P0 LG Hc Ha rest ks Hrest Hks w. destruct parts as (_ & PG & _).
    revert ks Hks. induction rest as [|[y v] rest IH]; intros ks Hks.
    - simpl. rewrite (mean_const lo len (uniform N) (uniform_mass N)). apply Req_le. field. lra.
    - destruct ks as [|k ks]; [simpl; rewrite (mean_const lo len (uniform N) (uniform_mass N)); apply Req_le; field; lra|].
      inversion Hks as [|? ? Hk Hks']; subst. cbn [kink_sum]. rewrite !cost_cell, mean_plus, mean_scal.
      specialize (IH (fun y v H => Hrest y v (or_intror H)) ks Hks').
      pose proof (kink_chord f y0 y1 u0 u1 y S L0 P0 LG (Hrest y v (or_introl eq_refl)) Hc Ha) as K. cbv zeta in K. fold w in K.
      apply IZR_le in Hk. apply Rmult_le_compat_l with (r := IZR k) in K; [|assumption].
      rewrite !plus_IZR, !mult_IZR.
      eapply Rle_trans; [apply Rplus_le_compat; [exact K|exact IH]|]. apply Req_le. field. lra.
  Qed.

  Lemma profile_kinks tab : forall ks h s, profile tab ks = (h, s, true) -> Forall (fun k => 0 <= k)%Z ks.
  Proof.
    induction tab as [|[y v] rest IH]; intros ks h s H; [discriminate|]. destruct rest as [|[y1 v1] rest].
    - destruct ks; [constructor|discriminate].
    - destruct ks as [|k ks]; [discriminate|].
      change (profile ((y, v) :: (y1, v1) :: rest) (k :: ks)) with
        (let '(h, s, fine) := profile ((y1, v1) :: rest) ks in
         (h + (s + k) * (y1 - y), s + k, fine && (0 <=? k) && (v <=? h + (s + k) * (y1 - y)))%Z) in H.
      destruct (profile ((y1, v1) :: rest) ks) as [[h1 s1] fine] eqn:E. injection H as _ _ Ef.
      rewrite !andb_true_iff, Z.leb_le in Ef. destruct Ef as [[-> Hk] _]. constructor; [assumption|]. now apply (IH ks h1 s1).
  Qed.

  Notation failing := (fail N a gap).

  Definition bounded (n : nat) (tab : table) : Prop := forall f, inside a M f ->
    match tab with nil => False | (y, _) :: _ => IZR y <= covered f end -> failing n f <= height tab (covered f) / IZR scale.

  (** any kink list gives a bound on the first cell *)
  Theorem cell_sound n y0 v0 y1 v1 rest ks f l r :
    let tab := (y0, v0) :: (y1, v1) :: rest in
    falling tab -> bounded n tab -> inside a M f -> IZR y0 <= covered f <= IZR y1 -> cell GZ tab ks = (l, r) ->
    let w := (covered f - IZR y0) / (IZR y1 - IZR y0) in
    failing (S n) f <= ((1 - w) * IZR l + w * IZR r) / IZR scale.
  Proof.
    intros tab Hf Hb S Hc Hcell w. destruct parts as (_ & PG & _).
    assert (Hsc : 0 < / IZR scale) by (apply Rinv_0_lt_compat, IZR_lt; assumption).
    destruct Hf as (Hv & Hr & Hf). destruct (Hr y1 v1 (or_introl eq_refl)) as [L0 _].
    assert (Hw : 0 <= w <= 1) by (apply chord_share; [now apply IZR_lt|assumption]).
    assert (Next : forall x, failing n (step a M 0 f x) <= height tab (covered (step a M 0 f x)) / IZR scale).
    { intros x. apply Hb; [now apply step_inside|]. simpl. pose proof (covered_step f x). lra. }
    rewrite fail_step. unfold cell in Hcell. cbv beta iota in Hcell. unfold tab in Hcell at 1.
    destruct (snd (profile tab ks) && (0 <=? y0)%Z && (y1 <=? GZ)%Z) eqn:C.
    - rewrite !andb_true_iff, Z.leb_le, Z.leb_le in C. destruct C as [[C P0] LG].
      destruct (profile tab ks) as [[h s] fine] eqn:EP. simpl in C. subst fine.
      destruct (admitted GZ y0 y1) as [u0 u1] eqn:Ea. injection Hcell as <- <-.
      destruct (dominated tab ks h s (conj Hv (conj Hr Hf)) EP) as (_ & _ & Dom).
      pose proof (cost_chord f y0 y1 u0 u1 S L0 P0 LG Hc Ea ((y1, v1) :: rest) ks) as K. cbv zeta in K. fold w in K.
      eapply Rle_trans.
      { apply (mean_le lo len (uniform N) (uniform_nonneg N)). intros x _. eapply Rle_trans; [apply Next|].
        apply Rmult_le_compat_r; [lra|]. apply Dom. pose proof (covered_step f x). lra. }
      rewrite (mean_ext lo len (uniform N) _ (fun x => / IZR scale * kink_sum ((y1, v1) :: rest) ks (covered (step a M 0 f x)))) by (intros; unfold Rdiv; ring).
      rewrite mean_scal. unfold Rdiv. rewrite (Rmult_comm _ (/ IZR scale)). apply Rmult_le_compat_l; [lra|].
      eapply Rle_trans.
      { apply K; [|now apply (profile_kinks tab ks h s)]. intros y v [E|Hin]; [injection E as <- _; lia|].
        destruct Hf as (_ & Hr1 & _). destruct (Hr1 y v Hin). lia. }
      set (c0 := cost GZ u0 y0 ((y1, v1) :: rest) ks). set (c1 := cost GZ u1 y1 ((y1, v1) :: rest) ks).
      assert (Up : forall c, IZR c / (2 * INR G) <= IZR (up_div c (2 * GZ))).
      { intros c. pose proof (ceil_ge c (2 * GZ) ltac:(lia)) as CX. fold (up_div c (2 * GZ)) in CX. apply IZR_le in CX. rewrite !mult_IZR, <- INR_IZR_INZ in CX.
        apply Rmult_le_reg_r with (2 * INR G); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra. }
      replace (((1 - w) * IZR c0 + w * IZR c1) / (2 * INR G)) with ((1 - w) * (IZR c0 / (2 * INR G)) + w * (IZR c1 / (2 * INR G))) by (field; lra).
      apply Rplus_le_compat; (apply Rmult_le_compat_l; [lra|]); [exact (Up c0)|exact (Up c1)].
    - injection Hcell as <- <-. replace ((1 - w) * IZR v0 + w * IZR v0) with (IZR v0) by ring.
      rewrite <- (mean_const lo len (uniform N) (uniform_mass N) (IZR v0 / IZR scale)). apply (mean_le lo len (uniform N) (uniform_nonneg N)).
      intros x _. eapply Rle_trans; [apply Next|]. apply Rmult_le_compat_r; [lra|].
      apply (height_le_head tab (conj Hv (conj Hr Hf))). simpl. pose proof (covered_step f x). lra.
  Qed.

  (** ** One candidate more *)
  Lemma best_cell_sound n p y0 v0 y1 v1 rest f l r :
    let tab := (y0, v0) :: (y1, v1) :: rest in
    falling tab -> bounded n tab -> inside a M f -> IZR y0 <= covered f <= IZR y1 -> best_cell GZ p tab = (l, r) ->
    let w := (covered f - IZR y0) / (IZR y1 - IZR y0) in
    failing (S n) f <= ((1 - w) * IZR l + w * IZR r) / IZR scale.
  Proof.
    intros tab Hf Hb S Hc. unfold best_cell.
    revert l r. induction (proposals (tl tab) p) as [|ks kss IH]; intros l r; cbn [fold_right].
    - intros E. injection E as <- <-.
      assert (C : cell GZ tab nil = (v0, v0)) by (destruct rest; reflexivity).
      exact (cell_sound n y0 v0 y1 v1 rest nil f v0 v0 Hf Hb S Hc C).
    - unfold less at 1. destruct (fst (cell GZ tab ks) + snd (cell GZ tab ks) <? _)%Z; [|apply IH].
      intros E. apply (cell_sound n y0 v0 y1 v1 rest ks f l r Hf Hb S Hc E).
  Qed.

  Lemma height_at_most_chord y v y1 v1 rest l r f : (y < y1)%Z -> IZR y <= covered f <= IZR y1 -> (l <= v)%Z -> (r <= v1)%Z ->
    let w := (covered f - IZR y) / (IZR y1 - IZR y) in
    ((1 - w) * IZR l + w * IZR r) / IZR scale <= height ((y, v) :: (y1, v1) :: rest) (covered f) / IZR scale.
  Proof.
    intros L0 Hc Hl Hr w. assert (Hw : 0 <= w <= 1) by (apply chord_share; [now apply IZR_lt|assumption]).
    apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, IZR_lt; assumption|]. rewrite height_cell. fold w.
    destruct Rle_dec as [C|C]; [|lra]. apply IZR_le in Hl. apply IZR_le in Hr.
    assert (0 <= (1 - w) * (IZR v - IZR l)) by (apply Rmult_le_pos; lra). assert (0 <= w * (IZR v1 - IZR r)) by (apply Rmult_le_pos; lra). lra.
  Qed.

  Theorem growth_step_sound n tab : falling tab -> bounded n tab -> bounded (S n) (next_table GZ tab).
  Proof.
    unfold next_table. generalize 0%Z as prev, (hulls GZ tab) as hs. intros prev hs Hf Hb f S.
    revert prev hs Hf Hb. induction tab as [|[y v] rest IH]; intros prev hs Hf Hb; [contradiction|].
    assert (Hsc : 0 < / IZR scale) by (apply Rinv_0_lt_compat, IZR_lt; assumption).
    assert (Hff := Hf). destruct Hf as (Hv & Hr & Hf). destruct rest as [|[y1 v1] rest].
    - intros Hlow. simpl in Hlow. rewrite fail_step. simpl height.
      rewrite <- (mean_const lo len (uniform N) (uniform_mass N) (IZR (Z.max prev v) / IZR scale)). apply (mean_le lo len (uniform N) (uniform_nonneg N)).
      intros x _. eapply Rle_trans; [apply Hb; [now apply step_inside|simpl; pose proof (covered_step f x); lra]|].
      apply Rmult_le_compat_r; [lra|]. simpl. apply IZR_le. lia.
    - destruct (Hr y1 v1 (or_introl eq_refl)) as [L0 _].
      assert (Hb1 : bounded n ((y1, v1) :: rest)).
      { intros g Sg Hg. eapply Rle_trans; [apply Hb; [assumption|simpl in *; apply IZR_lt in L0; lra]|]. apply Rmult_le_compat_r; [lra|].
        rewrite height_cell. destruct Rle_dec as [C|C]; [|lra]. simpl in Hg. assert (E : covered g = IZR y1) by lra. rewrite E.
        apply IZR_lt in L0. replace ((IZR y1 - IZR y) / (IZR y1 - IZR y)) with 1 by (field; lra).
        destruct rest as [|[y2 v2] rest]; [simpl; lra|]. rewrite height_cell. destruct Rle_dec as [C2|C2].
        - replace ((IZR y1 - IZR y1) / (IZR y2 - IZR y1)) with 0 by (unfold Rdiv; ring). lra.
        - destruct Hf as (_ & Hr1 & _). destruct (Hr1 y2 v2 (or_introl eq_refl)) as [L2 _]. apply IZR_lt in L2. lra. }
      rewrite next_values_cell. cbv zeta. set (p := best_cell GZ _ _).
      specialize (IH (snd p) (tl hs) Hf Hb1). pose proof (prev_le_head GZ (snd p) (tl hs) ((y1, v1) :: rest) ltac:(discriminate)) as Hp.
      pose proof (next_values_keys GZ ((y1, v1) :: rest) (snd p) (tl hs)) as Keys.
      destruct (next_values GZ (snd p) (tl hs) ((y1, v1) :: rest)) as [|[b w1] later]; [discriminate|]. simpl in Keys. injection Keys as -> _.
      intros Hlow. destruct (Rle_dec (covered f) (IZR y1)) as [C|C].
      + eapply Rle_trans; [apply (best_cell_sound n (hd (nil, 0, 0, 0)%Z hs) y v y1 v1 rest f (fst p) (snd p) Hff Hb S (conj Hlow C)); apply surjective_pairing|].
        apply height_at_most_chord; [assumption|split; assumption|lia|exact Hp].
      + eapply Rle_trans; [apply IH; simpl; lra|]. rewrite height_cell. destruct Rle_dec as [C2|_]; [contradiction|lra].
  Qed.
End Sound.

(** ** The first values, and the theorem *)
Definition first_values (G scale : Z) (bs : list Z) : table := map (fun b => (b, if (b =? G)%Z then 0 else scale)%Z) bs.
Definition last_values (G scale : Z) (bs : list Z) (n : nat) : table := Nat.iter n (next_table G) (first_values G scale bs).

Lemma first_values_falling G scale bs : (0 <= scale)%Z -> increasing bs = true -> (forall b, In b bs -> (b <= G)%Z) -> falling (first_values G scale bs).
Proof.
  intros Hs. induction bs as [|b rest IH]; intros H HG; [exact I|]. unfold first_values. cbn [map falling].
  split; [destruct (b =? G)%Z; lia|]. split.
  - intros b1 v1 Hin. apply in_map_iff in Hin. destruct Hin as (b2 & E & Hin). injection E as <- <-.
    pose proof (increasing_later b rest H b2 Hin). split; [assumption|]. pose proof (HG b2 (or_intror Hin)).
    destruct (Z.eqb_spec b2 G), (Z.eqb_spec b G); lia.
  - apply IH; [|intros; apply HG; now right]. destruct rest as [|b2 rest]; [reflexivity|].
    change (increasing (b :: b2 :: rest)) with ((b <? b2)%Z && increasing (b2 :: rest)) in H. now apply andb_true_iff in H.
Qed.

(** up to a vertex before the last, the first values are the scale *)
Lemma first_values_height G scale b x : (b < G)%Z -> x <= IZR b -> forall bs, increasing bs = true -> In b bs ->
  match bs with nil => False | b0 :: _ => IZR b0 <= x end -> height (first_values G scale bs) x = IZR scale.
Proof.
  intros HbG Hx. induction bs as [|b0 rest IH]; intros Hi Hin Hlow; [contradiction|].
  assert (E0 : (b0 < G)%Z).
  { destruct Hin as [->|Hin]; [assumption|]. pose proof (increasing_later b0 rest Hi b Hin). lia. }
  destruct rest as [|b1 rest].
  - simpl. destruct (Z.eqb_spec b0 G); [lia|reflexivity].
  - assert (L : (b0 < b1)%Z) by (apply (increasing_later b0 (b1 :: rest) Hi); now left). assert (LR := IZR_lt _ _ L).
    unfold first_values. cbn [map]. rewrite height_cell. destruct (Z.eqb_spec b0 G) as [|_]; [lia|].
    destruct Rle_dec as [C|C].
    + destruct Hin as [->|Hin].
      * assert (E : x = IZR b) by lra. rewrite E. unfold Rdiv. ring.
      * assert (E1 : (b1 < G)%Z).
        { destruct Hin as [->|Hin]; [assumption|]. 
          change (increasing (b0 :: b1 :: rest)) with ((b0 <? b1)%Z && increasing (b1 :: rest)) in Hi. apply andb_true_iff in Hi.
          pose proof (increasing_later b1 rest (proj2 Hi) b Hin). lia. }
        destruct (Z.eqb_spec b1 G); [lia|]. ring.
    + apply IH.
      * change (increasing (b0 :: b1 :: rest)) with ((b0 <? b1)%Z && increasing (b1 :: rest)) in Hi. now apply andb_true_iff in Hi.
      * destruct Hin as [->|Hin]; [exfalso; lra|assumption].
      * lra.
Qed.

Lemma height_nonneg tab : falling tab -> forall x, match tab with nil => True | (y, _) :: _ => IZR y <= x end -> 0 <= height tab x.
Proof.
  induction tab as [|[y v] rest IH]; intros Hf x Hx; [simpl; lra|]. destruct Hf as (Hv & Hr & Hf). apply IZR_le in Hv.
  destruct rest as [|[y1 v1] rest]; [simpl; lra|]. rewrite height_cell.
  destruct (Hr y1 v1 (or_introl eq_refl)) as [L1 _]. apply IZR_lt in L1. destruct Rle_dec as [C|C]; [|apply IH; [assumption|lra]].
  destruct Hf as (Hv1 & _). apply IZR_le in Hv1. pose proof (chord_share x (IZR y) (IZR y1) L1 (conj Hx C)) as B.
  set (w := (x - IZR y) / (IZR y1 - IZR y)) in *. assert (0 <= (1 - w) * IZR v) by (apply Rmult_le_pos; lra).
  assert (0 <= w * IZR v1) by (apply Rmult_le_pos; lra). lra.
Qed.

Section Theorem_of_the_vertices.
  Variable G sz N c0 : nat.
  Variable a : Z.
  Hypothesis sz_pos : (0 < sz)%nat.
  Hypothesis G_pos : (0 < G)%nat.
  Hypothesis window : (S N = G * sz)%nat.
  Variable scale : Z.
  Hypothesis scale_pos : (0 < scale)%Z.
  Notation GZ := (Z.of_nat G).
  Variable bs : list Z.
  Hypothesis bs_increasing : increasing bs = true.
  Hypothesis bs_bounded : forall b, In b bs -> (b <= GZ)%Z.
  Variable b : Z.
  Hypothesis b_vertex : In b bs.
  Hypothesis b_low : (GZ - Z.of_nat c0 <= b)%Z.
  Hypothesis b_high : (b < GZ)%Z.

  Lemma first_bounded : bounded sz N a (c0 * sz) scale 0 (first_values GZ scale bs).
  Proof.
    intros f Sf Hlow. assert (Hsc : 0 < IZR scale) by (apply IZR_lt; assumption).
    assert (Hi : 0 < / IZR scale) by now apply Rinv_0_lt_compat.
    destruct (parts G sz N sz_pos G_pos window) as (Ps & PG & EM).
    destruct bs as [|b0 rest] eqn:Eb; [contradiction|]. unfold fail. simpl expect. unfold open_gap. destruct Rle_dec as [L|L]; simpl ind.
    - rewrite (first_values_height GZ scale b (covered sz N a f)); try assumption; [unfold Rdiv; rewrite Rinv_r by lra; lra|].
      rewrite EM, (count_covered G sz N a sz_pos G_pos window), S_INR, mult_INR in L. apply IZR_le in b_low. rewrite minus_IZR, <- !INR_IZR_INZ in b_low.
      apply Rmult_le_reg_r with (INR sz); [assumption|]. nra.
    - apply Rmult_le_pos; [|lra]. apply height_nonneg; [|exact Hlow]. apply first_values_falling; [lia|assumption|assumption].
  Qed.

  Theorem growth_sound n : bounded sz N a (c0 * sz) scale n (last_values GZ scale bs n)
    /\ falling (last_values GZ scale bs n) /\ map fst (last_values GZ scale bs n) = bs.
  Proof.
    induction n as [|n (IB & IF & IK)].
    - split; [apply first_bounded|]. split; [apply first_values_falling; [lia|assumption|assumption]|].
      unfold last_values, first_values. simpl. rewrite map_map. simpl. apply map_id.
    - unfold last_values in *. simpl Nat.iter. set (tab := Nat.iter n (next_table GZ) (first_values GZ scale bs)) in *.
      split; [now apply (growth_step_sound G sz N a sz_pos G_pos window)|]. split; [now apply next_values_falling|]. unfold next_table. now rewrite next_values_keys.
  Qed.
End Theorem_of_the_vertices.

(** Vertices bs from b0 = 2 h + 1 on, in a window of G = 2 g + 1 parts, one of them among the last c0 parts: tolerance eta if b0 + 2 c0 < 2 eta G. *)
Theorem rss_growth (g h c0 n : nat) (rest : list Z) (scale : Z) (eta : R) :
  let G := (2 * g + 1)%nat in let b0 := (2 * h + 1)%nat in
  let bs := Z.of_nat b0 :: rest in
  (0 < scale)%Z -> increasing bs = true -> forallb (fun b => (b <=? Z.of_nat G)%Z) bs = true ->
  existsb (fun b => (Z.of_nat G - Z.of_nat c0 <=? b)%Z && (b <? Z.of_nat G)%Z) bs = true ->
  (b0 <= G)%nat -> (c0 < G)%nat -> INR b0 + 2 * INR c0 < 2 * eta * INR G -> 0 < eta <= 1 ->
  fraction_at_most n (missed eta) (IZR (head_value (last_values (Z.of_nat G) scale bs n)) / IZR scale).
Proof.
  intros G b0 bs Hs Hi Hall Hex HbG HcG Hroom He. apply (rss_by_failing g h c0 n); try assumption.
  fold G b0. intros sz N a f Hsz HN Sf Hcount. apply existsb_exists in Hex. destruct Hex as (b & Hb & Hb2).
  rewrite andb_true_iff, Z.leb_le, Z.ltb_lt in Hb2. destruct Hb2 as [B1 B2]. rewrite forallb_forall in Hall.
  assert (HG : (0 < G)%nat) by (unfold G; lia).
  destruct (growth_sound G sz N c0 a Hsz HG HN scale Hs bs Hi (fun b Hb => proj1 (Z.leb_le _ _) (Hall b Hb)) b Hb B1 B2 n) as (HB & HF & HK).
  set (tab := last_values (Z.of_nat G) scale bs n) in *.
  assert (Hc : covered sz N a f = IZR (Z.of_nat b0)).
  { destruct (parts G sz N Hsz HG HN) as (Ps & _). unfold covered. rewrite Hcount, <- INR_IZR_INZ. field. lra. }
  assert (Hfirst : match tab with nil => False | (y, _) :: _ => IZR y <= covered sz N a f end).
  { destruct tab as [|[y v] tl]; [discriminate|]. injection HK as -> _. rewrite Hc. lra. }
  eapply Rle_trans; [exact (HB f Sf Hfirst)|]. apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, IZR_lt; assumption|].
  apply height_le_head; [assumption|]. destruct tab as [|[y v] tl]; [exact I|exact Hfirst].
Qed.
