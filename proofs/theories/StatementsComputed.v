(** Last floor: the numbers of candidates that Coq computed, in the words of Statements.v.

    It stands apart from Statements.v because it rests on long computations, which the independent kernel does not repeat. *)
Require Import Reals.
From StrongLTH Require Import Statements.
From StrongLTH Require RecursionCertificate GrowthCertificate.
Open Scope R_scope.

(** 36 candidates U[-1, 1] have a subset sum within 0.01 of every target of [-1/2, 1/2], except with probability at most 0.05 *)
Theorem thirty_six_candidates : fraction_at_most 36 (missed 0.01) 0.05.
Proof. exact RecursionCertificate.rss_36. Qed.

(** with hook counting used in full, 32 suffice; 37 at failure 0.01 *)
Theorem thirty_two_candidates : fraction_at_most 32 (missed 0.01) 0.05.
Proof. exact GrowthCertificate.rss_32. Qed.

Theorem thirty_seven_candidates : fraction_at_most 37 (missed 0.01) 0.01.
Proof. exact GrowthCertificate.rss_37_at_1_percent. Qed.
