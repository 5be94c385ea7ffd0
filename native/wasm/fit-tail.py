"""The tail of the normal distribution for `functions.ts`: coefficients of R, and its largest relative error in float32.

R(x) = (1 - Phi(x)) exp(x^2 / 2) as t times a polynomial of t = 1 / (1 + 0.35 x), by reweighted least squares of the
relative error on [0, 13.3], where exp(-x^2 / 2) is above the smallest float32.
"""
import mpmath
import numpy as np

x = np.concatenate([np.linspace(0, 3, 400), np.linspace(3, 13.3, 200)])
tail = np.array([float(mpmath.erfc(v / mpmath.sqrt(2)) / 2 * mpmath.e ** (mpmath.mpf(v) ** 2 / 2)) for v in x])
t = 1 / (1 + 0.35 * x)
powers = np.vander(t, 9, increasing=True) * t[:, None]
weights = 1 / tail
for _ in range(200):
    coefficients, *_ = np.linalg.lstsq(powers * weights[:, None], tail * weights, rcond=None)
    error = np.abs(powers @ coefficients - tail) / tail
    weights *= np.sqrt(error / error.max() + 1e-3)
    weights /= (weights * tail).mean()

single = coefficients.astype(np.float32)
value = np.full(len(t), single[-1])
for coefficient in single[-2::-1]:
    value = value * t.astype(np.float32) + coefficient
print([float(c) for c in single])
print("largest relative error", np.max(np.abs(value * t.astype(np.float32) - tail) / tail))
