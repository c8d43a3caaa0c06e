(** Floor 5: frozen certificates, closed by computation.

    Candidates are integers in units of 2^-40, the grid of the package; masks are binary codes, the first candidate being the lowest digit.

    Main theorems
      sample_with_tolerance      14 candidates serve every target of [-1/2, 1/2] within 0.01
      sample_with_perturbation   12 candidates serve every target of [-1/2, 1/2] exactly, with shifts of at most 0.01
      gap_refused                without one of its masks the first certificate is refused *)
Require Import Reals Lra Lia ZArith List Bool.
From StrongLTH Require Import FinSum SubsetSum IntervalChain.
Import ListNotations.
Open Scope R_scope.

Definition grid_step : R := / 1099511627776.

Lemma grid_step_pos : 0 < grid_step.
Proof. unfold grid_step. lra. Qed.

Definition tolerance_candidates : list Z := [-249776306227; 857953881260; -1011805940651; 1023314255418; -32163830174; 920862180216; 724920895033; 1027799901961;
   -311485644284; 861499065983; -618869942765; -792401336202; -793358465421; -890107043207]%Z.
Definition tolerance_masks : list Z := [15913; 15960; 10569; 7694; 7360; 14667; 4197; 12145; 10455; 6247; 9545; 12585; 12632; 13643; 6628; 12803; 7515; 5223; 6675;
   13212; 9560; 6337; 1294; 8095; 14650; 16119; 14114; 10766; 10432; 7986; 12190; 7982; 5386; 13151; 11075; 11833; 2893; 10400;
   13534; 11458; 8993; 3276; 13119; 12785; 11090; 4519; 265; 13502; 11426; 12999; 3244]%Z.

Theorem sample_with_tolerance z : - / 2 <= z <= / 2 ->
  exists v, reachable (grid_step * 0) (real_sample grid_step tolerance_candidates) v /\ Rabs (z - v) <= grid_step * 10995116277.
Proof.
  intros Hz. apply (chain_check_sound grid_step grid_step_pos 10995116277 0 tolerance_candidates (-549755813888) 549755813888 tolerance_masks);
    [lia|lia|vm_compute; reflexivity|unfold grid_step; lra].
Qed.

Definition perturbation_candidates : list Z := [-249776306227; 857953881260; -1011805940651; 1023314255418; -32163830174; 920862180216; 724920895033; 1027799901961;
   -311485644284; 861499065983; -618869942765; -792401336202]%Z.
Definition perturbation_masks : list Z := [3941; 3557; 4052; 3548; 3796; 1383; 3919]%Z.

Theorem sample_with_perturbation z : - / 2 <= z <= / 2 ->
  exists v, reachable (grid_step * 10995116277) (real_sample grid_step perturbation_candidates) v /\ Rabs (z - v) <= grid_step * 0.
Proof.
  intros Hz. apply (chain_check_sound grid_step grid_step_pos 0 10995116277 perturbation_candidates (-549755813888) 549755813888 perturbation_masks);
    [lia|lia|vm_compute; reflexivity|unfold grid_step; lra].
Qed.

Lemma gap_refused :
  chain_check 10995116277 0 tolerance_candidates (-549755813888) 549755813888 (tl tolerance_masks) = false.
Proof. vm_compute. reflexivity. Qed.
