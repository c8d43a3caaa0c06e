"""Independent solvers, for cross-checks only: slower than the engines by orders of magnitude, and right only up to their tolerances."""
