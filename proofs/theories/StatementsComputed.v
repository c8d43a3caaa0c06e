(** Last floor: the number of candidates that Coq computed, in the words of Statements.v.

    It stands apart from Statements.v because it rests on a long computation, which the independent kernel does not repeat. *)
Require Import Reals.
From StrongLTH Require Import Statements.
From StrongLTH Require RecursionCertificate.
Open Scope R_scope.

(** 36 candidates U[-1, 1] have a subset sum within 0.01 of every target of [-1/2, 1/2], except with probability at most 0.05 *)
Theorem thirty_six_candidates : fraction_at_most 36 (missed 0.01) 0.05.
Proof. exact RecursionCertificate.rss_36. Qed.
