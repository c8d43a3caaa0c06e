(** Floor 6: a sharper number of candidates, by a dynamic programme that Coq evaluates.

    Let V_n(m) bound the probability that a covered set of m cells, with n candidates left, ends with more than a given number of uncovered cells. A line
    c - w min(gain, T) that dominates V_n(m + gain) gives V_{n+1}(m) <= c - w E min(gain, T), and hook counting bounds that mean. Any line is valid; a
    convex hull proposes a good one, and only its domination is proved. Values are integers, to be divided by a scale.

    Glossary
      table                    == a list of (b, v), b increasing: V = v for m in [b R, next b times R), in a window of G R cells
      value R tab m            == the entry for m
      points, hull, slope      == corners of V seen from one entry, their upper hull, and the proposed w
      next_table G tab         == one candidate more
      open_gap gap f           == more than gap cells of the window are uncovered by f

    Main theorems
      step_sound, recursion_sound   the recursion bounds the probability of an open gap
      rss_by_failing           from cells to samples: a bound for every covered set of one size bounds P(some |z| <= 1/2 is missed)
      rss_recursion            the theorem for a given table: tolerance eta, n candidates
      rss_36                   (RecursionCertificate.v) tol 0.01, failure 0.05: 36 candidates suffice, where the closed form asks for 45 *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum FiniteProb SubsetSum RSS Hooks RSSUniform.
Import ListNotations.
Open Scope R_scope.

(** ** Tables and one step of the programme: integers only *)
Definition table : Type := list (Z * Z).

Fixpoint value (R : Z) (tab : table) (m : Z) : Z :=
  match tab with
  | nil => 0%Z
  | (b, v) :: rest => match rest with nil => v | (b1, _) :: _ => if (m <? b1 * R)%Z then v else value R rest m end
  end.

Fixpoint points (b T : Z) (tab : table) : list (Z * Z) :=
  match tab with
  | nil => nil
  | (_, v) :: rest =>
      match rest with
      | nil => [(T, v)]
      | (b1, _) :: _ => if (T <=? b1 - b)%Z then [(T, v)] else (b1 - b, v)%Z :: points b T rest
      end
  end.

Definition above (p q r : Z * Z) : bool :=   (* q is on or below the line from p to r *)
  (0 <=? (fst q - fst p) * (snd r - snd p) - (fst r - fst p) * (snd q - snd p))%Z.
Fixpoint push (h : list (Z * Z)) (r : Z * Z) : list (Z * Z) :=
  match h with
  | q :: t => match t with p :: _ => if above p q r then push t r else r :: h | nil => r :: h end
  | nil => [r]
  end.
Definition hull (l : list (Z * Z)) : list (Z * Z) := fold_left push l nil.   (* largest abscissa first *)

(** the slope of the hull at abscissa num / den *)
Fixpoint slope (num den : Z) (h : list (Z * Z)) : Z :=
  match h with
  | q :: t => match t with
              | p :: _ => if (fst p * den <=? num)%Z then ((snd p - snd q) / Z.max 1 (fst q - fst p))%Z else slope num den t
              | nil => 0%Z
              end
  | nil => 0%Z
  end.

Definition next_value (G : Z) (tab : table) : Z :=
  match tab with
  | (b, v) :: (((b1, _) :: _) as rest) =>
      let T := Z.min b (G - b1) in
      if (T <=? 0)%Z then v
      else
        let ps := points b T tab in
        let w := Z.max 0 (slope (T * (G - T)) (2 * G) (hull ps)) in
        let c := fold_right (fun p acc => Z.max (snd p + w * fst p) acc) 0%Z ps in
        Z.min v (- ((- (2 * G * c - w * (T * (G - T)))) / (2 * G)))
  | (_, v) :: nil => v
  | nil => 0%Z
  end.

Definition head_value (tab : table) : Z := match tab with (_, v) :: _ => v | nil => 0%Z end.

Fixpoint next_table (G : Z) (tab : table) : table :=
  match tab with
  | nil => nil
  | (b, v) :: rest => let r := next_table G rest in (b, Z.max (next_value G tab) (head_value r)) :: r
  end.

Fixpoint falling (tab : table) : Prop :=
  match tab with
  | nil => True
  | (b, v) :: rest => (0 <= v)%Z /\ (forall b1 v1, In (b1, v1) rest -> (b < b1)%Z /\ (v1 <= v)%Z) /\ falling rest
  end.

Lemma next_table_keys G tab : map fst (next_table G tab) = map fst tab.
Proof. induction tab as [|[b v] rest IH]; [reflexivity|]. simpl. now rewrite IH. Qed.

Lemma value_range R tab m : falling tab -> (0 <= value R tab m <= head_value tab)%Z.
Proof.
  induction tab as [|[b v] rest IH]; [simpl; lia|]. intros (Hv & Hr & Hf). simpl head_value.
  destruct rest as [|[b1 v1] rest]; [simpl; lia|]. change (value R ((b, v) :: (b1, v1) :: rest) m)
    with (if (m <? b1 * R)%Z then v else value R ((b1, v1) :: rest) m).
  destruct (m <? b1 * R)%Z; [lia|]. specialize (IH Hf). simpl head_value in IH. destruct (Hr b1 v1 (or_introl eq_refl)). lia.
Qed.

Lemma next_falling G tab : falling tab -> falling (next_table G tab).
Proof.
  induction tab as [|[b v] rest IH]; [simpl; tauto|]. intros (Hv & Hr & Hf). specialize (IH Hf). cbn [next_table].
  set (r := next_table G rest) in *. cbn [falling].
  assert (H0 : (0 <= head_value r)%Z) by (destruct r as [|[? ?] ?]; simpl in *; [lia|tauto]).
  split; [lia|]. split; [|assumption]. intros b1 v1 Hin. split.
  - assert (In b1 (map fst rest)) by (rewrite <- (next_table_keys G rest); apply in_map_iff; exists (b1, v1); split; [reflexivity|exact Hin]).
    apply in_map_iff in H. destruct H as ([b2 v2] & E & H). simpl in E. subst b2. now destruct (Hr b1 v2 H).
  - assert (v1 <= head_value r)%Z; [|lia]. destruct r as [|[b2 v2] r]; [contradiction|]. simpl. destruct Hin as [E|Hin]; [injection E as _ ->; lia|].
    cbn [falling] in IH. destruct IH as (_ & IH & _). now destruct (IH b1 v1 Hin).
Qed.

(** ** The line dominates *)
Lemma dominate R b T w c tab : (0 < R)%Z -> (0 <= w)%Z -> forall m D, (0 <= D)%Z -> (b * R <= m)%Z -> falling tab ->
  tab <> nil -> (forall p, In p (points b T tab) -> (snd p + w * fst p <= c)%Z) ->
  (value R tab (m + D) * R <= c * R - w * Z.min D (T * R))%Z.
Proof.
  intros HR Hw m D HD Hm. induction tab as [|[b0 v] rest IH]; [congruence|]. intros (Hv & Hr & Hf) _ Hp.
  destruct rest as [|[b1 v1] rest].
  - simpl in *. specialize (Hp (T, v) (or_introl eq_refl)). simpl in Hp. nia.
  - change (value R ((b0, v) :: (b1, v1) :: rest) (m + D)) with (if (m + D <? b1 * R)%Z then v else value R ((b1, v1) :: rest) (m + D)).
    change (points b T ((b0, v) :: (b1, v1) :: rest)) with (if (T <=? b1 - b)%Z then [(T, v)] else (b1 - b, v)%Z :: points b T ((b1, v1) :: rest)) in Hp.
    destruct (Z.leb_spec T (b1 - b)) as [L|L].
    + specialize (Hp (T, v) (or_introl eq_refl)). simpl in Hp.
      assert (Hval : ((if (m + D <? b1 * R)%Z then v else value R ((b1, v1) :: rest) (m + D)) <= v)%Z).
      { destruct (m + D <? b1 * R)%Z; [lia|]. pose proof (value_range R ((b1, v1) :: rest) (m + D) Hf) as B. simpl head_value in B.
        destruct (Hr b1 v1 (or_introl eq_refl)). lia. }
      set (u := (if (m + D <? b1 * R)%Z then v else value R ((b1, v1) :: rest) (m + D))) in *.
      assert (w * Z.min D (T * R) <= w * (T * R))%Z by (apply Z.mul_le_mono_nonneg_l; lia).
      assert (u * R <= v * R)%Z by (apply Z.mul_le_mono_nonneg_r; lia).
      assert ((v + w * T) * R <= c * R)%Z by (apply Z.mul_le_mono_nonneg_r; lia). lia.
    + destruct (Z.ltb_spec (m + D) (b1 * R)) as [L2|L2].
      * specialize (Hp (b1 - b, v)%Z (or_introl eq_refl)). simpl in Hp.
        assert (D <= (b1 - b) * R)%Z by lia.
        assert (w * Z.min D (T * R) <= w * ((b1 - b) * R))%Z by (apply Z.mul_le_mono_nonneg_l; lia).
        assert ((v + w * (b1 - b)) * R <= c * R)%Z by (apply Z.mul_le_mono_nonneg_r; lia). lia.
      * apply IH; [assumption|discriminate|]. intros p Hin. apply Hp. now right.
Qed.

Lemma fold_max_ge w ps : forall p, In p ps -> (snd p + w * fst p <= fold_right (fun p acc => Z.max (snd p + w * fst p) acc) 0 ps)%Z.
Proof. induction ps as [|q ps IH]; intros p Hin; [contradiction|]. simpl. destruct Hin as [->|Hin]; [lia|]. specialize (IH p Hin). lia. Qed.

Lemma ceil_ge X d : (0 < d)%Z -> (X <= d * - ((- X) / d))%Z.
Proof. intros Hd. pose proof (Z.mul_div_le (- X) d Hd). lia. Qed.

(** ** Probability *)
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
  Notation RZ := (Z.of_nat sz).
  Variable gap : nat.
  Variable scale : Z.
  Hypothesis scale_pos : (0 < scale)%Z.

  Definition cells (f : Z -> bool) : Z := Z.of_nat (length (entries a M f)).
  Lemma cells_count f : IZR (cells f) = count a M f.
  Proof. unfold cells. rewrite <- INR_IZR_INZ. apply entries_length. Qed.

  Definition open_gap (f : Z -> bool) : bool := if Rle_dec (INR (S gap)) (INR M - count a M f) then true else false.
  Definition fail (n : nat) (f : Z -> bool) : R := expect lo len (uniform N) n (fun l => ind (open_gap (run a M 0 f l))).

  Definition bounds (n : nat) (tab : table) : Prop := forall f, inside a M f ->
    match tab with nil => False | (b, _) :: _ => (b * RZ <= cells f)%Z end -> fail n f <= IZR (value RZ tab (cells f)) / IZR scale.

  (** one entry: the line and the mean of the truncated gain *)
  Lemma entry_sound n tab b v b1 v1 rest (f : Z -> bool) :
    tab = (b, v) :: (b1, v1) :: rest -> falling tab -> inside a M f -> (b * RZ <= cells f < b1 * RZ)%Z ->
    (forall g, inside a M g -> (cells f <= cells g)%Z -> fail n g <= IZR (value RZ tab (cells g)) / IZR scale) ->
    mean lo len (uniform N) (fun x => fail n (step a M 0 f x)) <= IZR (next_value GZ tab) / IZR scale.
  Proof.
    intros Et Hfall S Hb Hn. set (m := cells f) in *.
    assert (Hsc : 0 < IZR scale) by (apply IZR_lt; assumption).
    assert (Cm : count a M f = IZR m) by (unfold m; now rewrite cells_count).
    assert (up : forall x, (m <= cells (step a M 0 f x))%Z).
    { intros x. apply le_IZR. rewrite <- Cm, cells_count. apply count_mono. intros; now apply step_incl. }
    (* without a line: the value itself *)
    assert (Keep : mean lo len (uniform N) (fun x => fail n (step a M 0 f x)) <= IZR v / IZR scale).
    { rewrite <- (mean_const lo len (uniform N) (uniform_mass N) (IZR v / IZR scale)). apply (mean_le lo len (uniform N) (uniform_nonneg N)).
      intros x _. eapply Rle_trans; [apply Hn; [now apply step_inside|apply up]|].
      apply Rmult_le_compat_r; [left; now apply Rinv_0_lt_compat|]. apply IZR_le.
      pose proof (value_range RZ tab (cells (step a M 0 f x)) Hfall) as B. subst tab. simpl head_value in B. lia. }
    set (T := Z.min b (GZ - b1)).
    assert (NV : next_value GZ tab = if (T <=? 0)%Z then v else
      let ps := points b T tab in let w := Z.max 0 (slope (T * (GZ - T)) (2 * GZ) (hull ps)) in
      let c := fold_right (fun p acc => Z.max (snd p + w * fst p) acc) 0%Z ps in
      Z.min v (- ((- (2 * GZ * c - w * (T * (GZ - T)))) / (2 * GZ)))) by (subst tab; reflexivity).
    rewrite NV. clear NV. destruct (Z.leb_spec T 0) as [L|L]; [exact Keep|]. cbv zeta.
    set (ps := points b T tab). set (w := Z.max 0 (slope (T * (GZ - T)) (2 * GZ) (hull ps))).
    set (c := fold_right (fun p acc => Z.max (snd p + w * fst p) acc) 0%Z ps).
    set (X := (2 * GZ * c - w * (T * (GZ - T)))%Z).
    apply Z.min_case; [exact Keep|].
    (* the mean of the line *)
    assert (Hw : (0 <= w)%Z) by (unfold w; lia).
    set (t := Z.to_nat (T * RZ)).
    assert (Ht : INR t = IZR T * INR sz).
    { unfold t. rewrite INR_IZR_INZ, Z2Nat.id by lia. now rewrite mult_IZR, <- INR_IZR_INZ. }
    assert (HM : INR M = INR G * INR sz) by (rewrite window; apply mult_INR).
    assert (PR : 0 < INR sz) by (apply lt_0_INR; assumption). assert (PG : 0 < INR G) by (apply lt_0_INR; assumption).
    assert (T1 : INR t <= count a M f).
    { rewrite Ht, Cm, INR_IZR_INZ, <- mult_IZR. apply IZR_le. unfold T in *. nia. }
    assert (T2 : INR t <= INR M - count a M f).
    { rewrite Ht, Cm, HM, !INR_IZR_INZ, <- !mult_IZR, <- minus_IZR. apply IZR_le. unfold T in *. nia. }
    pose proof (gain_profile lo len (uniform N) (uniform_nonneg N) N (/ INR len) (q_nonneg N) ltac:(intros; unfold uniform; lra) ltac:(lia) ltac:(lia)
      a M ltac:(lia) 0 f t S T1 T2) as GP. simpl dilate in GP.
    set (EG := mean lo len (uniform N) (fun x => Rmin (gain a M 0 f x) (INR t))) in *.
    apply Rle_trans with (mean lo len (uniform N) (fun x => IZR c / IZR scale + (- (IZR w / (INR sz * IZR scale))) * Rmin (gain a M 0 f x) (INR t))).
    { apply (mean_le lo len (uniform N) (uniform_nonneg N)). intros x _.
      eapply Rle_trans; [apply Hn; [now apply step_inside|apply up]|].
      set (m' := cells (step a M 0 f x)).
      assert (HD : (0 <= m' - m)%Z) by (pose proof (up x); unfold m'; lia).
      pose proof (dominate RZ b T w c tab ltac:(lia) Hw m (m' - m) HD (proj1 Hb) Hfall ltac:(subst tab; discriminate) (fold_max_ge w ps)) as Dm.
      replace (m + (m' - m))%Z with m' in Dm by lia. apply IZR_le in Dm. rewrite minus_IZR, !mult_IZR, <- INR_IZR_INZ in Dm.
      assert (Gn : gain a M 0 f x = IZR (m' - m)).
      { unfold gain. rewrite minus_IZR, Cm. f_equal. unfold m'. now rewrite cells_count. }
      assert (Mn : Rmin (gain a M 0 f x) (INR t) = IZR (Z.min (m' - m) (T * RZ))).
      { rewrite Gn, Ht, INR_IZR_INZ, <- mult_IZR. destruct (Z_le_gt_dec (m' - m) (T * RZ)) as [Q|Q].
        - rewrite Z.min_l by assumption. apply Rmin_left. now apply IZR_le.
        - rewrite Z.min_r by lia. apply Rmin_right. apply IZR_le. lia. }
      rewrite Mn. apply Rmult_le_reg_r with (INR sz * IZR scale); [now apply Rmult_lt_0_compat|].
      replace (IZR (value RZ tab m') / IZR scale * (INR sz * IZR scale)) with (IZR (value RZ tab m') * INR sz) by (field; lra).
      replace ((IZR c / IZR scale + - (IZR w / (INR sz * IZR scale)) * IZR (Z.min (m' - m) (T * RZ))) * (INR sz * IZR scale))
        with (IZR c * INR sz - IZR w * IZR (Z.min (m' - m) (T * RZ))) by (field; lra). exact Dm. }
    rewrite mean_plus, (mean_const lo len (uniform N) (uniform_mass N)), mean_scal. fold EG.
    (* the arithmetic of the new value *)
    assert (H1 : IZR T * (INR G - IZR T) * INR sz / (2 * INR G) <= EG).
    { eapply Rle_trans; [|exact GP]. rewrite Cm.
      replace (INR t * (IZR m + (INR M - IZR m) - INR t)) with (IZR T * (INR G - IZR T) * INR sz * INR sz) by (rewrite Ht, HM; ring).
      assert (Hlen : INR len <= 2 * (INR G * INR sz)).
      { rewrite INR_len. rewrite S_INR in HM. lra. }
      assert (P0 : 0 <= IZR T * (INR G - IZR T) * INR sz * INR sz).
      { assert (0 <= IZR T) by (apply IZR_le; lia). assert (0 <= INR G - IZR T).
        { rewrite INR_IZR_INZ, <- minus_IZR. apply IZR_le. unfold T in *. nia. }
        repeat apply Rmult_le_pos; lra. }
      replace (IZR T * (INR G - IZR T) * INR sz / (2 * INR G)) with (/ (2 * (INR G * INR sz)) * (IZR T * (INR G - IZR T) * INR sz * INR sz)) by (field; lra).
      apply Rmult_le_compat_r; [exact P0|]. apply Rinv_le_contravar; [rewrite INR_len; pose proof (pos_INR N); lra|exact Hlen]. }
    pose proof (ceil_ge X (2 * GZ) ltac:(lia)) as CX. set (v' := (- ((- X) / (2 * GZ)))%Z) in *.
    unfold X in CX. apply IZR_le in CX. rewrite minus_IZR, !mult_IZR, minus_IZR, <- !INR_IZR_INZ in CX.
    assert (PW : 0 <= IZR w) by (apply IZR_le; assumption).
    apply Rmult_le_reg_r with (2 * INR G * IZR scale); [repeat apply Rmult_lt_0_compat; lra|].
    replace (IZR v' / IZR scale * (2 * INR G * IZR scale)) with (2 * INR G * IZR v') by (field; lra).
    replace ((IZR c / IZR scale + - (IZR w / (INR sz * IZR scale)) * EG) * (2 * INR G * IZR scale))
      with (2 * INR G * IZR c - IZR w * (EG * (2 * INR G) / INR sz)) by (field; lra).
    assert (H2 : IZR T * (INR G - IZR T) <= EG * (2 * INR G) / INR sz).
    { apply Rmult_le_reg_r with (INR sz / (2 * INR G)); [apply Rdiv_lt_0_compat; lra|].
      replace (EG * (2 * INR G) / INR sz * (INR sz / (2 * INR G))) with EG by (field; lra).
      eapply Rle_trans; [|exact H1]. apply Req_le. field. lra. }
    assert (IZR w * (IZR T * (INR G - IZR T)) <= IZR w * (EG * (2 * INR G) / INR sz)) by (apply Rmult_le_compat_l; assumption).
    lra.
  Qed.

  Lemma fail_step n f : fail (S n) f = mean lo len (uniform N) (fun x => fail n (step a M 0 f x)).
  Proof. reflexivity. Qed.

  Theorem step_sound n tab : falling tab -> bounds n tab -> bounds (S n) (next_table GZ tab).
  Proof.
    intros Hfall Hb f Sf Hlow. rewrite fail_step.
    (* walk down the table to the entry of f *)
    assert (Walk : forall tab', falling tab' ->
       (forall g, inside a M g -> match tab' with nil => False | (b, _) :: _ => (b * RZ <= cells g)%Z end ->
          fail n g <= IZR (value RZ tab' (cells g)) / IZR scale) ->
       match tab' with nil => False | (b, _) :: _ => (b * RZ <= cells f)%Z end ->
       mean lo len (uniform N) (fun x => fail n (step a M 0 f x)) <= IZR (value RZ (next_table GZ tab') (cells f)) / IZR scale).
    { intros tab'. induction tab' as [|[b v] rest IH]; [contradiction|]. intros Hf' Hn Hl.
      assert (Hsc : 0 < IZR scale) by (apply IZR_lt; assumption).
      destruct rest as [|[b1 v1] rest].
      - simpl value. unfold next_value, head_value.
        rewrite <- (mean_const lo len (uniform N) (uniform_mass N) (IZR (Z.max v 0) / IZR scale)). apply (mean_le lo len (uniform N) (uniform_nonneg N)).
        intros x _. eapply Rle_trans; [apply Hn; [now apply step_inside|]|].
        + eapply Z.le_trans; [exact Hl|]. apply le_IZR. rewrite !cells_count. apply count_mono. intros; now apply step_incl.
        + simpl value. apply Rmult_le_compat_r; [left; now apply Rinv_0_lt_compat|]. apply IZR_le. lia.
      - destruct (Z_lt_ge_dec (cells f) (b1 * RZ)) as [L|L].
        + eapply Rle_trans.
          { apply (entry_sound n ((b, v) :: (b1, v1) :: rest) b v b1 v1 rest f eq_refl Hf' Sf ltac:(lia)).
            intros g Sg Hg. apply Hn; [assumption|lia]. }
          apply Rmult_le_compat_r; [left; now apply Rinv_0_lt_compat|]. apply IZR_le.
          set (tb := (b, v) :: (b1, v1) :: rest). cbn [next_table]. unfold tb at 2. cbn [next_table]. fold tb.
          set (r := next_table GZ rest). cbn [value]. rewrite (proj2 (Z.ltb_lt _ _) L). lia.
        + destruct Hf' as (Hv & Hr & Hf'). eapply Rle_trans.
          * apply (IH Hf'); [|lia].
            intros g Sg Hg. eapply Rle_trans; [apply Hn; [assumption|destruct (Hr b1 v1 (or_introl eq_refl)); nia]|].
            apply Req_le. f_equal. f_equal. cbn [value]. destruct (Z.ltb_spec (cells g) (b1 * RZ)); [lia|reflexivity].
          * apply Req_le. f_equal. f_equal. cbn [next_table value].
            destruct (Z.ltb_spec (cells f) (b1 * RZ)); [lia|reflexivity]. }
    apply Walk; [assumption|assumption|].
    destruct tab as [|[b v] rest]; exact Hlow.
  Qed.
End Sound.

(** ** The initial table, and the theorem *)
Definition first_table (G c0 scale : Z) (bs : list Z) : table := map (fun b => (b, if (G - b <=? c0)%Z then 0 else scale)%Z) bs.
Definition last_table (G c0 scale : Z) (bs : list Z) (n : nat) : table := Nat.iter n (next_table G) (first_table G c0 scale bs).

Fixpoint increasing (bs : list Z) : bool :=
  match bs with
  | nil => true
  | b :: rest => match rest with nil => true | b1 :: _ => (b <? b1)%Z && increasing rest end
  end.

Lemma increasing_later b rest : increasing (b :: rest) = true -> forall b1, In b1 rest -> (b < b1)%Z.
Proof.
  revert b. induction rest as [|b2 rest IH]; intros b H b1 Hin; [contradiction|].
  change (increasing (b :: b2 :: rest)) with ((b <? b2)%Z && increasing (b2 :: rest)) in H.
  apply andb_true_iff in H. destruct H as [H1 H2]. apply Z.ltb_lt in H1.
  destruct Hin as [<-|Hin]; [assumption|]. pose proof (IH b2 H2 b1 Hin). lia.
Qed.

Lemma first_falling G c0 scale bs : (0 <= scale)%Z -> increasing bs = true -> falling (first_table G c0 scale bs).
Proof.
  intros Hs. induction bs as [|b rest IH]; intros H; [exact I|]. unfold first_table. cbn [map falling].
  split; [destruct (G - b <=? c0)%Z; lia|]. split.
  - intros b1 v1 Hin. apply in_map_iff in Hin. destruct Hin as (b2 & E & Hin). injection E as <- <-.
    pose proof (increasing_later b rest H b2 Hin). split; [assumption|].
    destruct (Z.leb_spec (G - b2) c0), (Z.leb_spec (G - b) c0); lia.
  - apply IH. destruct rest as [|b2 rest]; [reflexivity|].
    change (increasing (b :: b2 :: rest)) with ((b <? b2)%Z && increasing (b2 :: rest)) in H. now apply andb_true_iff in H.
Qed.

Lemma value_entry R tab m : match tab with nil => False | (b, _) :: _ => (b * R <= m)%Z end ->
  exists b v, In (b, v) tab /\ (b * R <= m)%Z /\ value R tab m = v.
Proof.
  induction tab as [|[b v] rest IH]; [contradiction|]. intros H. destruct rest as [|[b1 v1] rest].
  - exists b, v. split; [now left|]. split; [assumption|reflexivity].
  - change (value R ((b, v) :: (b1, v1) :: rest) m) with (if (m <? b1 * R)%Z then v else value R ((b1, v1) :: rest) m).
    destruct (Z.ltb_spec m (b1 * R)) as [L|L].
    + exists b, v. split; [now left|]. split; [assumption|reflexivity].
    + destruct (IH L) as (b2 & v2 & I2 & H2 & E2). exists b2, v2. split; [now right|]. split; assumption.
Qed.

Section Theorem_of_a_table.
  Variable G sz N c0 : nat.
  Variable a : Z.
  Hypothesis sz_pos : (0 < sz)%nat.
  Hypothesis G_pos : (0 < G)%nat.
  Hypothesis window : (S N = G * sz)%nat.
  Variable scale : Z.
  Hypothesis scale_pos : (0 < scale)%Z.
  Notation GZ := (Z.of_nat G).
  Notation RZ := (Z.of_nat sz).

  Lemma first_sound bs : bounds sz N a (c0 * sz) scale 0 (first_table GZ (Z.of_nat c0) scale bs).
  Proof.
    intros f Sf Hlow. assert (Hsc : 0 < IZR scale) by (apply IZR_lt; assumption).
    destruct (value_entry RZ (first_table GZ (Z.of_nat c0) scale bs) (cells N a f)) as (b & v & Hin & Hb & ->).
    { destruct bs; exact Hlow. }
    apply in_map_iff in Hin. destruct Hin as (b2 & E & _). injection E as -> <-.
    unfold fail. simpl expect. unfold open_gap.
    destruct Rle_dec as [L|L]; simpl ind.
    - destruct (Z.leb_spec (GZ - b) (Z.of_nat c0)) as [Q|Q].
      + exfalso. rewrite <- (cells_count N a f), !INR_IZR_INZ, <- minus_IZR in L. apply le_IZR in L. nia.
      + apply Req_le. field. lra.
    - apply Rmult_le_pos; [|left; now apply Rinv_0_lt_compat]. apply IZR_le. destruct (Z.leb_spec (GZ - b) (Z.of_nat c0)); lia.
  Qed.

  Theorem recursion_sound bs n : increasing bs = true ->
    bounds sz N a (c0 * sz) scale n (last_table GZ (Z.of_nat c0) scale bs n)
    /\ falling (last_table GZ (Z.of_nat c0) scale bs n) /\ map fst (last_table GZ (Z.of_nat c0) scale bs n) = bs.
  Proof.
    intros Hi. induction n as [|n (IB & IF & IK)].
    - split; [apply first_sound|]. split; [apply first_falling; [lia|assumption]|].
      unfold last_table, first_table. simpl. rewrite map_map. simpl. apply map_id.
    - unfold last_table in *. simpl Nat.iter. set (tab := Nat.iter n (next_table GZ) (first_table GZ (Z.of_nat c0) scale bs)) in *.
      split; [now apply (step_sound G sz N a sz_pos G_pos window)|]. split; [now apply next_falling|]. now rewrite next_table_keys.
  Qed.
End Theorem_of_a_table.

(** From cells to samples: if every covered set of b0 parts out of G = 2 g + 1 fails with probability at most p, for cells as small as one likes, then so
    do n candidates with tolerance eta, b0 + 2 c0 < 2 eta G. *)
Theorem rss_by_failing (g h c0 n : nat) (p eta : R) :
  let G := (2 * g + 1)%nat in let b0 := (2 * h + 1)%nat in
  (b0 <= G)%nat -> (c0 < G)%nat -> INR b0 + 2 * INR c0 < 2 * eta * INR G -> 0 < eta <= 1 ->
  (forall (sz N : nat) a f, (0 < sz)%nat -> S N = (G * sz)%nat -> inside a (S N) f -> count a (S N) f = INR b0 * INR sz -> fail N a (c0 * sz) n f <= p) ->
  fraction_at_most n (missed eta) p.
Proof.
  intros G b0 HbG HcG Hroom He Hfail.
  (* the size of a part: odd and so large that rounding does not matter *)
  set (room := 2 * eta * INR G - INR b0 - 2 * INR c0). assert (Hr : 0 < room) by (unfold room; lra).
  destruct (choose_resolution ((INR n + 1) / room)) as (r & Lo & _).
  { left. apply Rdiv_lt_0_compat; [pose proof (pos_INR n)|]; lra. }
  set (sz := (2 * r + 1)%nat).
  assert (Hsz : INR n + 1 <= room * INR sz).
  { apply Rmult_le_compat_l with (r := room) in Lo; [|lra].
    replace (room * ((INR n + 1) / room)) with (INR n + 1) in Lo by (field; lra).
    eapply Rle_trans; [exact Lo|]. apply Rmult_le_compat_l; [lra|]. apply le_INR. unfold sz. lia. }
  set (N' := (g * sz + r)%nat). set (N := (2 * N')%nat).
  assert (HN : (S N = G * sz)%nat) by (unfold N, N', G, sz; lia).
  set (e := (h * sz + r)%nat). set (gap := (c0 * sz)%nat).
  assert (Hsz1 : (1 <= sz)%nat) by (unfold sz; lia).
  assert (Hcover : (2 * e + 1 = b0 * sz)%nat) by (unfold e, b0, sz; lia).
  assert (HeN : (e <= N')%nat) by (unfold e, N'; apply Nat.add_le_mono_r, Nat.mul_le_mono_r; unfold G, b0 in HbG; clear - HbG; lia).
  assert (Hgap : (S gap <= S N)%nat) by (rewrite HN; unfold gap; apply (proj1 (Nat.mul_lt_mono_pos_r sz c0 G Hsz1)); exact HcG).
  set (a := (- Z.of_nat N')%Z).
  assert (Hcount : count a (S N) (start a (S N) e) = INR (2 * e + 1)) by (apply count_start; unfold a, N; lia).
  assert (HP : fail N a gap n (start a (S N) e) <= p).
  { apply (Hfail sz N a (start a (S N) e)); [lia|assumption|apply start_inside|]. rewrite Hcount, Hcover. apply mult_INR. }
  exists N, (filter (missedb a (S N) (Z.of_nat (e + gap)) 0) (cube (- Z.of_nat N) (2 * N + 1) n)). split.
  - intros xs Hl HF (z & Hz & Hbad).
    destruct (cells_exist N xs HF) as (ks & Hin & Hc). rewrite Hl in Hin.
    exists ks; split; [|assumption]. apply filter_In. split; [assumption|].
    apply not_false_iff_true. intros Hgood.
    destruct (cells_good N' e gap eta xs ks) with (z := z) as (m & Hm & Hd); try assumption; [|exact (Hbad m Hm Hd)].
    fold N. rewrite Hl. unfold cell_width. rewrite INR_len.
    assert (E1 : INR N + 1 = INR G * INR sz) by (rewrite <- mult_INR, <- HN, S_INR; reflexivity).
    assert (E2 : 2 * INR e + 1 = INR b0 * INR sz).
    { rewrite <- mult_INR, <- Hcover, plus_INR, mult_INR. reflexivity. }
    assert (E3 : INR gap = INR c0 * INR sz) by (unfold gap; apply mult_INR).
    assert (E4 : room * INR sz = 2 * eta * (INR G * INR sz) - INR b0 * INR sz - 2 * (INR c0 * INR sz)) by (unfold room; ring).
    rewrite <- E1, <- E2, <- E3 in E4. pose proof (pos_INR N).
    apply Rmult_le_reg_r with (2 * INR N + 1); [lra|].
    replace ((2 / (2 * INR N + 1) * (INR e + INR gap + / 2) + INR n * (2 / (2 * INR N + 1) / 2)) * (2 * INR N + 1))
      with (2 * INR e + 2 * INR gap + 1 + INR n) by (field; lra). lra.
  - apply prob_to_count. eapply Rle_trans; [|exact HP]. unfold fail, prob.
    apply expect_le; [apply uniform_nonneg|]. intros l _ _.
    destruct (missedb a (S N) (Z.of_nat (e + gap)) 0 l) eqn:Q; [|apply ind_bounds].
    unfold open_gap. destruct Rle_dec as [|C]; [simpl; lra|]. exfalso.
    change 0%Z with (Z.of_nat 0) in Q. rewrite (all_served a (S N) 0 e gap l Hgap) in Q; [discriminate|]. lra.
Qed.

(** A table over G = 2 g + 1 parts of the window, first entry b0 = 2 h + 1, gap c0: tolerance eta if b0 + 2 c0 < 2 eta G. *)
Theorem rss_recursion (g h c0 n : nat) (rest : list Z) (scale : Z) (eta : R) :
  let G := (2 * g + 1)%nat in let b0 := (2 * h + 1)%nat in
  let bs := Z.of_nat b0 :: rest in
  (0 < scale)%Z -> increasing bs = true -> (b0 <= G)%nat -> (c0 < G)%nat -> INR b0 + 2 * INR c0 < 2 * eta * INR G -> 0 < eta <= 1 ->
  fraction_at_most n (missed eta) (IZR (head_value (last_table (Z.of_nat G) (Z.of_nat c0) scale bs n)) / IZR scale).
Proof.
  intros G b0 bs Hs Hi HbG HcG Hroom He. apply (rss_by_failing g h c0 n); try assumption.
  fold G b0. intros sz N a f Hsz HN Sf Hcount.
  destruct (recursion_sound G sz N c0 a Hsz ltac:(unfold G; lia) HN scale Hs bs n Hi) as (HB & _ & HK).
  set (tab := last_table (Z.of_nat G) (Z.of_nat c0) scale bs n) in *.
  assert (Hcells : cells N a f = (Z.of_nat b0 * Z.of_nat sz)%Z).
  { apply eq_IZR. rewrite cells_count, Hcount, mult_IZR, !INR_IZR_INZ. reflexivity. }
  eapply Rle_trans; [apply (HB f Sf)|].
  - destruct tab as [|[b v] tl] eqn:Et; [discriminate|]. injection HK as -> _. rewrite Hcells. lia.
  - apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat, IZR_lt; assumption|]. apply IZR_le. rewrite Hcells.
    destruct tab as [|[b v] tl] eqn:Et; [discriminate|]. injection HK as -> HK.
    destruct tl as [|[b1 v1] tl]; [simpl; lia|]. cbn [value head_value].
    assert (Z.of_nat b0 < b1)%Z.
    { apply (increasing_later (Z.of_nat b0) rest Hi). rewrite <- HK. now left. }
    rewrite (proj2 (Z.ltb_lt _ _)); [lia|nia].
Qed.
