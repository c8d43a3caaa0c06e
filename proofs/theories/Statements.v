(** Last floor: the headline theorems in elementary terms, the only file that a sceptic must read.

    Every definition is given here again, from the standard library alone; every theorem is proved by [exact], so the statements mean what the
    other files prove and cannot be weakened there unnoticed. Candidates are lists of real numbers; a subset is a list of booleans.

    How to read probabilities: [fraction_at_most n event delta] says that for some N, cutting [-1, 1]^n into (2 N + 1)^n congruent closed cells, a fraction
    of at most delta of them covers the event. Therefore n independent draws from U[-1, 1] fall in the event with probability at most delta. *)
Require Import Reals ZArith List.
From StrongLTH Require FinSum SubsetSum FirstMoment RSS RSSUniform Levels Gadget Network Propagation ProjectedSGD IntervalChain SLTH SLTHEps RSSWide RSSScaled RSSDensity SLTHGeneral Sanity.
Import ListNotations.
Open Scope R_scope.

(** ** Subset sums *)
Fixpoint sum (n : nat) (f : nat -> R) : R := match n with O => 0 | S k => sum k f + f k end.

Fixpoint subset_sum (keep : list bool) (candidates : list R) : R :=
  match keep, candidates with b :: k, x :: c => (if b then x else 0) + subset_sum k c | _, _ => 0 end.

Fixpoint kept (keep : list bool) : nat :=
  match keep with nil => O | b :: k => ((if b then 1 else 0) + kept k)%nat end.

Fixpoint moved (candidates shift : list R) : list R :=
  match candidates, shift with x :: c, y :: s => (x + y) :: moved c s | _, _ => nil end.

(** the value v is exactly a subset sum, after each candidate has moved by at most the perturbation *)
Definition represented (perturbation : R) (candidates : list R) (v : R) :=
  exists keep shift, length keep = length candidates /\ length shift = length candidates /\
    Forall (fun y => Rabs y <= perturbation) shift /\ v = subset_sum keep (moved candidates shift).

(** *** Perturbed subset sums are a union of closed intervals *)
Theorem union_of_intervals perturbation candidates v : 0 <= perturbation ->
  (represented perturbation candidates v <->
   exists keep, length keep = length candidates /\
     subset_sum keep candidates - perturbation * INR (kept keep) <= v <= subset_sum keep candidates + perturbation * INR (kept keep)).
Proof. exact (SubsetSum.reachable_iff perturbation candidates v). Qed.

(** *** Volume: covering a window needs enough candidates, whatever they are *)
Theorem volume perturbation tol candidates low high : 0 <= perturbation -> 0 <= tol ->
  (forall target, low <= target <= high -> exists v, represented perturbation candidates v /\ Rabs (target - v) <= tol) ->
  high - low <= 2 ^ length candidates * (2 * tol + perturbation * INR (length candidates)).
Proof. exact (SubsetSum.necessary_volume perturbation tol candidates low high). Qed.

(** *** Greedy covering *)
Fixpoint greedy (covered : R) (candidates : list R) : Prop :=
  match candidates with nil => True | x :: c => Rabs x <= covered /\ greedy (covered + Rabs x) c end.
Fixpoint total (candidates : list R) : R := match candidates with nil => 0 | x :: c => Rabs x + total c end.

Theorem greedy_covering tol candidates : greedy (2 * tol) candidates ->
  exists low high, low <= - tol /\ tol <= high /\ high - low = 2 * tol + total candidates /\
    forall z, low <= z <= high -> exists keep, length keep = length (rev candidates) /\ Rabs (z - subset_sum keep (rev candidates)) <= tol.
Proof. exact (SubsetSum.covers_greedy_nil tol candidates). Qed.

(** ** Random subset sum, all targets of [-1/2, 1/2] *)
Definition missed (tol : R) (candidates : list R) := exists target, Rabs target <= / 2 /\
  forall keep, length keep = length candidates -> ~ Rabs (target - subset_sum keep candidates) <= tol.

Definition missed_exactly (perturbation : R) (candidates : list R) := exists target, Rabs target <= / 2 /\
  ~ represented perturbation candidates target.

Definition in_cell (N : nat) (x : R) (c : Z) := Rabs (x - 2 / INR (2 * N + 1) * IZR c) <= 2 / INR (2 * N + 1) / 2.

Definition fraction_at_most (n : nat) (event : list R -> Prop) (delta : R) := exists (N : nat) (cells : list (list Z)),
  (forall xs, length xs = n -> Forall (fun x => Rabs x <= 1) xs -> event xs ->
     exists c, In c cells /\ Forall2 (in_cell N) xs c) /\ INR (length cells) <= delta * INR (2 * N + 1) ^ n.

(** the notion is not empty: the whole cube is not a fraction below 1 *)
Theorem fraction_is_sane n delta : fraction_at_most n (fun _ => True) delta -> 1 <= delta.
Proof. exact (Sanity.fraction_sane n delta). Qed.

Definition failure_tol (n : nat) (tol : R) : R := 2.01 * (3 / 4) ^ n / (tol * tol).
Definition failure_exact (n : nat) (perturbation : R) : R := 6.2 * (3 / 4) ^ n / (perturbation * perturbation).

Theorem all_targets_within_tol n tol : 0 < tol <= 1 -> fraction_at_most n (missed tol) (failure_tol n tol).
Proof. exact (RSSUniform.rss_continuous n tol). Qed.

Theorem all_targets_exactly n perturbation : 0 < perturbation <= 1 ->
  fraction_at_most n (missed_exactly perturbation) (failure_exact n perturbation).
Proof. exact (RSSUniform.rss_exact n perturbation). Qed.

(** with both allowances, a target is missed by every perturbed subset sum *)
Definition missed_with_both (tol perturbation : R) (candidates : list R) := exists target, Rabs target <= / 2 /\
  ~ exists v, represented perturbation candidates v /\ Rabs (target - v) <= tol.

Theorem all_targets_with_both n tol perturbation : 0 < tol <= 1 -> 0 < perturbation <= 1 ->
  fraction_at_most n (missed_with_both tol perturbation) (Rmin (failure_tol n tol) (failure_exact n perturbation)).
Proof. exact (RSSUniform.rss_with_both n tol perturbation). Qed.

(** *** What the perturbation is worth: every kept candidate adds to the tolerance *)
Definition failure_gain_tol (n : nat) (t : R) : R := 8.04 * (3 / 4) ^ n / (t * t).
Definition failure_gain_exact (n : nat) (perturbation : R) : R := failure_gain_tol n (Rmin 1 (perturbation * INR (1 + n / 26))).

Theorem all_targets_with_gain n tol perturbation : 0 <= tol -> 0 <= perturbation -> 0 < tol + perturbation ->
  fraction_at_most n (missed_with_both tol perturbation) (failure_gain_tol n (Rmin 1 (tol + perturbation * INR (1 + n / 26)))).
Proof. exact (Levels.rss_gain n tol perturbation). Qed.

Theorem all_targets_exactly_with_gain n perturbation : 0 < perturbation -> fraction_at_most n (missed_exactly perturbation) (failure_gain_exact n perturbation).
Proof. exact (Levels.rss_gain_exact n perturbation). Qed.

(** *** Targets in all of [-1, 1] *)
Definition missed_wide (tol : R) (candidates : list R) := exists target, Rabs target <= 1 /\
  forall keep, length keep = length candidates -> ~ Rabs (target - subset_sum keep candidates) <= tol.

Definition missed_wide_exactly (perturbation : R) (candidates : list R) := exists target, Rabs target <= 1 /\
  ~ represented perturbation candidates target.

Definition failure_wide_tol (n : nat) (tol : R) : R := 8.1 * (3 / 4) ^ n / (tol * tol).
Definition failure_wide_exact (n : nat) (perturbation : R) : R := 21 * (3 / 4) ^ n / (perturbation * perturbation).

Theorem wide_targets_within_tol n tol : 0 < tol <= 1 -> fraction_at_most n (missed_wide tol) (failure_wide_tol n tol).
Proof. exact (RSSWide.rss_wide n tol). Qed.

Theorem wide_targets_exactly n perturbation : 0 < perturbation <= 1 ->
  fraction_at_most n (missed_wide_exactly perturbation) (failure_wide_exact n perturbation).
Proof. exact (RSSWide.rss_wide_exact n perturbation). Qed.

(** *** Candidates with known factors: the t-th candidate is [factor t * x_t] *)
Fixpoint scaled (factor : nat -> R) (t : nat) (xs : list R) : list R :=
  match xs with nil => nil | x :: l => factor t * x :: scaled factor (S t) l end.
Fixpoint kept_factors (factor : nat -> R) (t : nat) (keep : list bool) : R :=
  match keep with nil => 0 | b :: k => (if b then factor t else 0) + kept_factors factor (S t) k end.

Definition missed_scaled (factor : nat -> R) (reach tol : R) (xs : list R) := exists target, Rabs target <= reach /\
  forall keep, length keep = length xs -> ~ Rabs (target - subset_sum keep (scaled factor 0 xs)) <= tol.

(** no subset comes within perturbation times the sum of its factors, which is what moving each kept x_t by the perturbation can do *)
Definition missed_scaled_exactly (factor : nat -> R) (reach perturbation : R) (xs : list R) := exists target, Rabs target <= reach /\
  ~ exists keep, length keep = length xs /\
      Rabs (target - subset_sum keep (scaled factor 0 xs)) <= perturbation * kept_factors factor 0 keep.

Definition failure_scaled_tol (least : R) (n : nat) (tol : R) : R := 2.1 * (least * least) * (1 - least / 4) ^ n / (tol * tol).
Definition failure_scaled_exact (least : R) (n : nat) (perturbation : R) : R := 6.1 * (1 - least / 4) ^ n / (perturbation * perturbation).

(** the same N serves all factors; [fraction_at_most] is [exists N, ...] *)
Definition fraction_in (N n : nat) (event : list R -> Prop) (delta : R) := exists cells : list (list Z),
  (forall xs, length xs = n -> Forall (fun x => Rabs x <= 1) xs -> event xs ->
     exists c, In c cells /\ Forall2 (in_cell N) xs c) /\ INR (length cells) <= delta * INR (2 * N + 1) ^ n.

Theorem known_factors_within_tol n least tol : 0 < least <= 1 -> 0 < tol <= least ->
  exists N, forall factor, (forall t, least <= factor t <= 1) ->
    fraction_in N n (missed_scaled factor (least / 2) tol) (failure_scaled_tol least n tol).
Proof. exact (RSSScaled.rss_scaled n least tol). Qed.

Theorem known_factors_exactly n least perturbation : 0 < least <= 1 -> 0 < perturbation <= 1 ->
  exists N, forall factor, (forall t, least <= factor t <= 1) ->
    fraction_in N n (missed_scaled_exactly factor (least / 2) perturbation) (failure_scaled_exact least n perturbation).
Proof. exact (RSSScaled.rss_scaled_exact n least perturbation). Qed.

(** *** Any law with a density bounded below on [-1, 1] *)
Section One_grid.
  Variable first : Z.
  Variable count : nat.
  Variable mass : Z -> R.                             (* of the cells number first, ..., first + count - 1 *)
  Definition over_cells (f : Z -> R) : R := sum count (fun i => f (first + Z.of_nat i)%Z).

  (** the mean of F over n independent cells; of the indicator of a set of cells: its probability *)
  Fixpoint mean_over (n : nat) (F : list Z -> R) : R :=
    match n with O => F nil | S k => over_cells (fun c => mass c * mean_over k (fun l => F (c :: l))) end.
End One_grid.

Section Density.
  (** a law: for each N, the masses of the cells number first N, ..., first N + count N - 1 of width 2 / (2 N + 1), none negative, sum 1 *)
  Variable first : nat -> Z.
  Variable count : nat -> nat.
  Variable mass : nat -> Z -> R.
  Hypothesis mass_nonneg : forall N c, (first N <= c < first N + Z.of_nat (count N))%Z -> 0 <= mass N c.
  Hypothesis mass_one : forall N, over_cells (first N) (count N) (mass N) = 1.

  Definition probability_at_most (n : nat) (event : list R -> Prop) (delta : R) := exists (N : nat) (Q : list Z -> bool),
    (forall xs cells, length xs = n -> Forall2 (in_cell N) xs cells -> event xs -> Q cells = true) /\
    mean_over (first N) (count N) (mass N) n (fun l => if Q l then 1 else 0) <= delta.

  Variable p : R.
  Hypothesis p_nonneg : 0 <= p.
  Hypothesis dense : forall N, (first N <= - Z.of_nat N)%Z /\ (Z.of_nat N < first N + Z.of_nat (count N))%Z /\
    forall c, (- Z.of_nat N <= c <= Z.of_nat N)%Z -> p * (2 / INR (2 * N + 1)) <= mass N c.

  Definition failure_density_tol (n : nat) (tol : R) : R := 2.01 * (1 - p / 2) ^ n / (tol * tol).
  Definition failure_density_exact (n : nat) (perturbation : R) : R := 6.2 * (1 - p / 2) ^ n / (perturbation * perturbation).

  Theorem dense_law_within_tol n tol : 0 < tol <= 1 -> probability_at_most n (missed tol) (failure_density_tol n tol).
  Proof. exact (RSSDensity.rss_density (RSSDensity.Build_law first count mass mass_nonneg mass_one) p p_nonneg dense n tol). Qed.

  Theorem dense_law_exactly n perturbation : 0 < perturbation <= 1 ->
    probability_at_most n (missed_exactly perturbation) (failure_density_exact n perturbation).
  Proof. exact (RSSDensity.rss_density_exact (RSSDensity.Build_law first count mass mass_nonneg mass_one) p p_nonneg dense n perturbation). Qed.
End Density.

(** ** Certificates of coverage: candidates, tol, perturbation and targets are whole multiples of a step h *)
Fixpoint whole_sum (keep : list bool) (l : list Z) : Z :=
  match keep, l with b :: k, x :: c => ((if b then x else 0) + whole_sum k c)%Z | _, _ => 0%Z end.

(** what the subset with this binary code serves: its sum, plus or minus tol and the perturbation of each kept candidate *)
Definition served (tol perturbation : Z) (l : list Z) (code : Z) : Z * Z :=
  let keep := map (fun i => Z.testbit code (Z.of_nat i)) (seq 0 (length l)) in
  let reach := (tol + perturbation * Z.of_nat (kept keep))%Z in (whole_sum keep l - reach, whole_sum keep l + reach)%Z.

Fixpoint no_gap (high reached : Z) (intervals : list (Z * Z)) : bool :=
  match intervals with nil => (high <=? reached)%Z | i :: rest => (fst i <=? reached)%Z && no_gap high (Z.max reached (snd i)) rest end.

Definition chain (tol perturbation : Z) (l : list Z) (low high : Z) (codes : list Z) : bool :=
  match map (served tol perturbation l) codes with nil => false | i :: rest => (fst i <=? low)%Z && no_gap high (snd i) rest end.

Theorem accepted_chain_covers h : 0 < h -> forall tol perturbation l low high codes, (0 <= tol)%Z -> (0 <= perturbation)%Z ->
  chain tol perturbation l low high codes = true -> forall target, h * IZR low <= target <= h * IZR high ->
  exists v, represented (h * IZR perturbation) (map (fun x => h * IZR x) l) v /\ Rabs (target - v) <= h * IZR tol.
Proof. exact (IntervalChain.chain_check_sound h). Qed.

(** ** Networks *)
Definition relu (x : R) : R := Rmax x 0.

(** kept hidden units on one input: incoming weight a, outgoing weight v *)
Fixpoint gadget (keep : list bool) (units : list (R * R)) (x : R) : R :=
  match keep, units with
  | b :: k, (a, v) :: u => (if b then v * relu (a * x) else 0) + gadget k u x
  | _, _ => 0
  end.

Section Networks.
  Variable width : nat -> nat.                        (* of layer 0, 1, ... of the target *)
  Variable activation : nat -> R -> R.
  Variable depth : nat.

  (** target network: weight (l, i, j) leads from unit j of layer l to unit i of layer l + 1 *)
  Fixpoint target_net (W : nat -> nat -> nat -> R) (l : nat) (x : nat -> R) : nat -> R :=
    match l with
    | O => x
    | S k => fun i => activation k (sum (width k) (fun j => W k i j * target_net W k x j))
    end.

  (** pruned network: each weight is replaced by the kept units of its gadget *)
  Fixpoint pruned_net (keep : nat -> nat -> nat -> list bool) (units : nat -> nat -> nat -> list (R * R)) (l : nat) (x : nat -> R) : nat -> R :=
    match l with
    | O => x
    | S k => fun i => activation k (sum (width k) (fun j => gadget (keep k i j) (units k i j) (pruned_net keep units k x j)))
    end.

  (** the random outgoing weights come in blocks of n; weight (l, i, j) uses the blocks numbered [block_of l i j sign] *)
  Variable block_of : nat -> nat -> nat -> bool -> nat.
  Variable blocks : nat.
  Hypothesis block_of_lt : forall l i j s,
    (l < depth)%nat -> (i < width (S l))%nat -> (j < width l)%nat -> (block_of l i j s < blocks)%nat.

  Definition block (n b : nat) (xs : list R) : list R := firstn n (skipn (b * n) xs).

  Definition units (n : nat) (xs : list R) (l i j : nat) : list (R * R) :=
    map (fun v => (1, v)) (block n (block_of l i j false) xs) ++ map (fun v => (-1, v)) (block n (block_of l i j true) xs).

  Definition moved_units (n : nat) (xs : list R) (shift : nat -> nat -> nat -> bool -> list R) (l i j : nat) : list (R * R) :=
    map (fun v => (1, v)) (moved (block n (block_of l i j false) xs) (shift l i j false)) ++
    map (fun v => (-1, v)) (moved (block n (block_of l i j true) xs) (shift l i j true)).

  Definition small_weights (W : nat -> nat -> nat -> R) :=
    forall l i j, (l < depth)%nat -> (i < width (S l))%nat -> (j < width l)%nat -> Rabs (W l i j) <= / 2.
  Definition small_rows (W : nat -> nat -> nat -> R) :=
    forall l i, (l < depth)%nat -> (i < width (S l))%nat -> sum (width l) (fun j => Rabs (W l i j)) <= 1.

  (** *** Without perturbation: every target network is approximated *)
  Hypothesis activation_lipschitz : forall l x y, Rabs (activation l x - activation l y) <= Rabs (x - y).
  Hypothesis activation_zero : forall l, activation l 0 = 0.

  Theorem every_network_within_tol n tol max_width :
    0 < tol <= 1 -> 0 <= max_width -> (forall l, (l < depth)%nat -> INR (width l) <= max_width) ->
    INR depth * (max_width * tol) <= / 2 ->
    fraction_at_most (blocks * n)
      (fun xs => ~ forall W, small_weights W -> small_rows W ->
         exists keep, (forall l i j, length (keep l i j) = length (units n xs l i j)) /\
           forall r x, 0 <= r -> (forall i, (i < width 0)%nat -> Rabs (x i) <= r) -> forall i, (i < width depth)%nat ->
             Rabs (pruned_net keep (units n xs) depth x i - target_net W depth x i) <= 2 * (INR depth * (max_width * tol)) * r)
      (INR blocks * failure_tol n tol).
  Proof. exact (SLTH.slth width activation activation_lipschitz activation_zero depth block_of blocks block_of_lt n tol max_width). Qed.

  (** *** With perturbation: every target network is represented exactly *)
  Theorem every_network_exactly n perturbation : 0 < perturbation <= 1 ->
    fraction_at_most (blocks * n)
      (fun xs => ~ forall W, small_weights W ->
         exists (keep : nat -> nat -> nat -> list bool) (shift : nat -> nat -> nat -> bool -> list R),
           (forall l i j s, (l < depth)%nat -> (i < width (S l))%nat -> (j < width l)%nat ->
              length (shift l i j s) = n /\ Forall (fun y => Rabs y <= perturbation) (shift l i j s)) /\
           (forall l i j, length (keep l i j) = length (moved_units n xs shift l i j)) /\
           forall x i, (i < width depth)%nat -> pruned_net keep (moved_units n xs shift) depth x i = target_net W depth x i)
      (INR blocks * failure_exact n perturbation).
  Proof. exact (SLTHEps.slth_exact width activation depth block_of blocks block_of_lt n perturbation). Qed.
End Networks.

(** ** Biases, missing connections, shared weights, incoming weights of any size *)
(** hidden units with incoming weights [sign * factor t] and outgoing weights v_t *)
Fixpoint signed_units (sign : R) (factor : nat -> R) (t : nat) (vs : list R) : list (R * R) :=
  match vs with nil => nil | v :: l => (sign * factor t, v) :: signed_units sign factor (S t) l end.

Section General.
  Variable width : nat -> nat.
  Variable activation : nat -> R -> R.
  Variable depth : nat.
  Variable wired : nat -> nat -> nat -> bool.          (* which weights exist *)
  Variable block_of : nat -> nat -> nat -> bool -> nat. (* position j = width l is the bias; positions may share blocks *)
  Variable blocks : nat.
  Hypothesis block_of_lt : forall l i j s,
    (l < depth)%nat -> (i < width (S l))%nat -> (j <= width l)%nat -> (block_of l i j s < blocks)%nat.

  Fixpoint target_layers (W : nat -> nat -> nat -> R) (B : nat -> nat -> R) (l : nat) (x : nat -> R) : nat -> R :=
    match l with
    | O => x
    | S k => fun i => activation k (sum (width k) (fun j => if wired k i j then W k i j * target_layers W B k x j else 0) + B k i)
    end.

  Fixpoint pruned_layers (keep : nat -> nat -> nat -> list bool) (units : nat -> nat -> nat -> list (R * R)) (l : nat) (x : nat -> R) : nat -> R :=
    match l with
    | O => x
    | S k => fun i => activation k
        (sum (width k) (fun j => if wired k i j then gadget (keep k i j) (units k i j) (pruned_layers keep units k x j) else 0)
         + gadget (keep k i (width k)) (units k i (width k)) 1)
    end.

  Definition within (T : R) (W : nat -> nat -> nat -> R) (B : nat -> nat -> R) : Prop :=
    forall l i, (l < depth)%nat -> (i < width (S l))%nat ->
      Rabs (B l i) <= T /\ forall j, (j < width l)%nat -> wired l i j = true -> Rabs (W l i j) <= T.

  (** masks and units depend on the block and on the value of the weight alone: shared weights stay shared *)
  Definition place_keep (mask : nat -> R -> list bool) W (B : nat -> nat -> R) (l i j : nat) : list bool :=
    if (j =? width l)%nat then mask (block_of l i j false) (B l i)
    else mask (block_of l i j false) (W l i j) ++ mask (block_of l i j true) (- W l i j).
  Definition place_units (factor : nat -> nat -> R) (outgoing : nat -> R -> list R) W (B : nat -> nat -> R) (l i j : nat) : list (R * R) :=
    if (j =? width l)%nat then signed_units 1 (factor (block_of l i j false)) 0 (outgoing (block_of l i j false) (B l i))
    else signed_units 1 (factor (block_of l i j false)) 0 (outgoing (block_of l i j false) (W l i j)) ++
         signed_units (-1) (factor (block_of l i j true)) 0 (outgoing (block_of l i j true) (- W l i j)).

  Definition represents_every_network (factor : nat -> nat -> R) (T perturbation : R) (n : nat) (xs : list R) : Prop :=
    exists (mask : nat -> R -> list bool) (shift : nat -> R -> list R),
      (forall b w, (b < blocks)%nat -> Rabs w <= T ->
         length (mask b w) = n /\ length (shift b w) = n /\ Forall (fun e => Rabs e <= perturbation) (shift b w)) /\
      forall W B, within T W B -> forall x i, (i < width depth)%nat ->
        pruned_layers (place_keep mask W B) (place_units factor (fun b w => moved (block n b xs) (shift b w)) W B) depth x i
        = target_layers W B depth x i.

  (** incoming weights of absolute value in [least, 1], targets in [-least/2, least/2] *)
  Theorem any_first_layer n least perturbation factor :
    0 < least <= 1 -> 0 < perturbation <= 1 -> (forall b t, least <= factor b t <= 1) ->
    fraction_at_most (blocks * n) (fun xs => ~ represents_every_network factor (least / 2) perturbation n xs)
      (INR blocks * failure_scaled_exact least n perturbation).
  Proof. exact (SLTHGeneral.slth_first_layer_exact width activation depth wired block_of blocks block_of_lt n least perturbation factor). Qed.

  (** incoming weights +1 and -1, targets in [-1, 1] *)
  Theorem wide_targets n perturbation : 0 < perturbation <= 1 ->
    fraction_at_most (blocks * n) (fun xs => ~ represents_every_network (fun _ _ => 1) 1 perturbation n xs)
      (INR blocks * failure_wide_exact n perturbation).
  Proof. exact (SLTHGeneral.slth_wide_exact width activation depth wired block_of blocks block_of_lt n perturbation). Qed.

  (** *** The same within a tolerance, without perturbation *)
  Definition small_rows_and_bias (W : nat -> nat -> nat -> R) (B : nat -> nat -> R) : Prop :=
    forall l i, (l < depth)%nat -> (i < width (S l))%nat ->
      sum (width l) (fun j => if wired l i j then Rabs (W l i j) else 0) + Rabs (B l i) <= 1.

  Definition approximates_every_network (factor : nat -> nat -> R) (T tol max_width : R) (n : nat) (xs : list R) : Prop :=
    exists mask : nat -> R -> list bool,
      (forall b w, (b < blocks)%nat -> length (mask b w) = n) /\
      forall W B, within T W B -> small_rows_and_bias W B ->
        forall r x, 1 <= r -> (forall i, (i < width 0)%nat -> Rabs (x i) <= r) -> forall i, (i < width depth)%nat ->
          Rabs (pruned_layers (place_keep mask W B) (place_units factor (fun b _ => block n b xs) W B) depth x i - target_layers W B depth x i)
            <= 2 * (INR depth * ((max_width + 1) * tol)) * r.

  Hypothesis activation_lipschitz : forall l x y, Rabs (activation l x - activation l y) <= Rabs (x - y).
  Hypothesis activation_zero : forall l, activation l 0 = 0.

  Theorem any_first_layer_within_tol n least tol max_width factor :
    0 < least <= 1 -> 0 < tol <= least -> (forall b t, least <= factor b t <= 1) ->
    0 <= max_width -> (forall l, (l < depth)%nat -> INR (width l) <= max_width) -> INR depth * ((max_width + 1) * tol) <= / 2 ->
    fraction_at_most (blocks * n) (fun xs => ~ approximates_every_network factor (least / 2) tol max_width n xs)
      (INR blocks * failure_scaled_tol least n tol).
  Proof.
    exact (SLTHGeneral.slth_first_layer width activation depth wired block_of blocks block_of_lt activation_lipschitz activation_zero
             n least tol max_width factor).
  Qed.

  Theorem wide_networks_within_tol n tol max_width :
    0 < tol <= 1 -> 0 <= max_width -> (forall l, (l < depth)%nat -> INR (width l) <= max_width) -> INR depth * ((max_width + 1) * tol) <= / 2 ->
    fraction_at_most (blocks * n) (fun xs => ~ approximates_every_network (fun _ _ => 1) 1 tol max_width n xs)
      (INR blocks * failure_wide_tol n tol).
  Proof.
    exact (SLTHGeneral.slth_wide width activation depth wired block_of blocks block_of_lt activation_lipschitz activation_zero n tol max_width).
  Qed.
End General.

(** *** The gadget *)
Fixpoint half (negative : bool) (units : list (R * R)) : list R :=
  match units with
  | nil => nil
  | (a, v) :: u => if Bool.eqb (if Rlt_dec a 0 then true else false) negative then v * a :: half negative u else half negative u
  end.

Theorem one_mask_for_both_halves units w tol :
  (exists keep, length keep = length (half false units) /\ Rabs (w - subset_sum keep (half false units)) <= tol) ->
  (exists keep, length keep = length (half true units) /\ Rabs (w - subset_sum keep (half true units)) <= tol) ->
  exists keep, length keep = length units /\ forall x, Rabs (w * x - gadget keep units x) <= tol * Rabs x.
Proof. exact (Gadget.gadget_exists units w tol). Qed.

(** ** Errors of layers become errors of networks, for any norms *)
Fixpoint product (n : nat) (f : nat -> R) : R := match n with O => 1 | S k => product k f * f k end.
Definition times (columns : nat) (W : nat -> nat -> R) (x : nat -> R) : nat -> R := fun i => sum columns (fun j => W i j * x j).

Section Propagation.
  Variable width : nat -> nat.
  Variable norm : nat -> (nat -> R) -> R.             (* of the values of layer l *)
  Hypothesis norm_ext : forall l x y, (forall i, x i = y i) -> norm l x = norm l y.
  Hypothesis norm_zero : forall l, norm l (fun _ => 0) = 0.
  Hypothesis norm_triangle : forall l x y, norm l (fun i => x i + y i) <= norm l x + norm l y.
  Variable W : nat -> nat -> nat -> R.
  Variable replaced : nat -> (nat -> R) -> nat -> R.  (* what computes layer l + 1 in place of W l *)
  Variable activation : nat -> R -> R.
  Variable B error : nat -> R.
  Hypothesis B_nonneg : forall l, 0 <= B l.
  Hypothesis error_nonneg : forall l, 0 <= error l.
  Hypothesis operator_norm : forall l x, norm (S l) (times (width l) (W l) x) <= B l * norm l x.
  Hypothesis layer_error : forall l x, norm (S l) (fun i => replaced l x i - times (width l) (W l) x i) <= error l * norm l x.
  Hypothesis activation_zero : forall l, activation l 0 = 0.
  Hypothesis activation_lipschitz : forall l x y, norm l (fun i => activation l (x i) - activation l (y i)) <= norm l (fun i => x i - y i).

  Fixpoint through (V : nat -> (nat -> R) -> nat -> R) (l : nat) (x : nat -> R) : nat -> R :=
    match l with O => x | S k => fun i => activation (S k) (V k (through V k x) i) end.

  Theorem errors_propagate l x :
    norm l (fun i => through replaced l x i - through (fun k => times (width k) (W k)) l x i)
      <= (product l (fun i => B i + error i) - product l B) * norm 0 x.
  Proof.
    exact (Propagation.matrix_net_error width norm norm_ext norm_zero norm_triangle W replaced activation B error
             B_nonneg error_nonneg operator_norm layer_error activation_zero activation_lipschitz l x).
  Qed.
End Propagation.

(** ** Projected gradient descent stays within the perturbation *)
Fixpoint descend (perturbation : R) (W0 : nat -> R) (move : nat -> (nat -> R) -> nat -> R) (t : nat) : nat -> R :=
  match t with
  | O => W0
  | S s => fun i => Rmax (W0 i - perturbation) (Rmin (W0 i + perturbation) (move s (descend perturbation W0 move s) i))
  end.

Theorem weights_stay_near d perturbation W0 move t : 0 <= perturbation ->
  forall i, (i < d)%nat -> Rabs (descend perturbation W0 move t i - W0 i) <= perturbation.
Proof. exact (ProjectedSGD.descend_in_ball d perturbation W0 move t). Qed.

Theorem clipping_is_the_projection d perturbation W0 W Y : 0 <= perturbation ->
  (forall i, (i < d)%nat -> Rabs (Y i - W0 i) <= perturbation) ->
  sum d (fun i => (Rmax (W0 i - perturbation) (Rmin (W0 i + perturbation) (W i)) - W i) *
                  (Rmax (W0 i - perturbation) (Rmin (W0 i + perturbation) (W i)) - W i))
    <= sum d (fun i => (Y i - W i) * (Y i - W i)).
Proof. exact (ProjectedSGD.project_nearest d perturbation W0 W Y). Qed.
