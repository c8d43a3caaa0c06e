"""The declared reasons to skip a test; ``conftest.py`` turns every other skip into a failure.

A test says ``pytest.skip(skips.NO_MNIST)`` or ``@pytest.mark.skipif(..., reason=skips.NO_MNIST)``.
"""

NO_MNIST = "needs the MNIST files: set STRONG_LTH_DATA to the folder that holds mnist/"
NO_CIFAR10 = "needs the CIFAR-10 files: set STRONG_LTH_DATA to the folder that holds cifar-10-batches-bin/"
NO_CIFAR100 = "needs the CIFAR-100 files: set STRONG_LTH_DATA to the folder that holds cifar-100-binary/"
NO_FASHION = "needs the Fashion-MNIST files: set STRONG_LTH_DATA to the folder that holds fashion-mnist/"
NO_COQ = "needs Coq and the built theories: install the Debian package coq, then make -C proofs build"
NO_GPU = "needs a CUDA device"
HAS_GPU = "says what happens without a CUDA device, and there is one"
NO_TRITON = "needs Triton: make triton (torch's CUDA wheels for Linux bring it)"
NO_ORTOOLS = "needs OR-Tools: pip install 'strong_lth[crosscheck]'"
NO_CVXPY = "needs cvxpy: pip install 'strong_lth[crosscheck]'"
ROOT_USER = "needs a user whom file permissions bind"

DECLARED = frozenset(value for name, value in list(globals().items()) if name.isupper())
