#!/usr/bin/env python3
"""Recomputes key lengths from the formula alone, in 30 digits.

usage: check_key_length.py PROGRAM

PROGRAM prints lines of n, k, delta, leak, t, epsilon (the real numbers in hexadecimal) and the key length l. The length has
to be the largest integer for which some nu > 0 with delta + nu < 1/2 fulfils (Tomamichel and Leverrier 2017)
  epsilon >= 1/2 sqrt(2^(-n (1 - h(delta + nu)) + leak + t + l)) + 2 exp(-n k^2 nu^2 / ((n + k)(k + 1))).
Exit 1 and one line per length that is not.
"""
import subprocess
import sys
from decimal import Decimal, getcontext

getcontext().prec = 30
LN2 = Decimal(2).ln()


def entropy(p):
    return Decimal(0) if p <= 0 else -(p * p.ln() + (1 - p) * (1 - p).ln()) / LN2


def longest(n, k, delta, leak, t, epsilon, nu):
    """The real l that turns the inequality into an equation at this nu, or None if nothing is left for the first term."""
    left = epsilon - 2 * (-n * k * k * nu * nu / ((n + k) * (k + 1))).exp()
    if left <= 0:
        return None
    return n * (1 - entropy(delta + nu)) - leak - t + 2 * (2 * left).ln() / LN2


def key_length(n, k, delta, leak, t, epsilon):
    # Below `least` the second term alone is more than epsilon.
    least = ((2 / epsilon).ln() * (n + k) * (k + 1) / (n * k * k)).sqrt()
    most = Decimal("0.5") - delta
    if least >= most:
        return 0

    def at(x):
        # x crowds towards `least`, where the best nu of a large block is.
        found = longest(n, k, delta, leak, t, epsilon, least + (most - least) * Decimal(x).exp())
        return Decimal("-Infinity") if found is None else found

    steps = [Decimal(-x) for x in range(0, 25)]
    best = max(steps, key=at)
    # Golden section between the neighbours of the best step.
    golden = (Decimal(5).sqrt() - 1) / 2
    low, high = best - 1, min(best + 1, Decimal(0))
    a, b = high - golden * (high - low), low + golden * (high - low)
    at_a, at_b = at(a), at(b)
    for _ in range(32):
        if at_a > at_b:
            high, b, at_b = b, a, at_a
            a = high - golden * (high - low)
            at_a = at(a)
        else:
            low, a, at_a = a, b, at_b
            b = low + golden * (high - low)
            at_b = at(b)
    return max(0, int(max(at_a, at_b).to_integral_value(rounding="ROUND_FLOOR")))


def read(line):
    n, k, delta, leak, t, epsilon, length = line.split()
    real = lambda text: Decimal(float.fromhex(text))
    return (Decimal(n), Decimal(k), real(delta), Decimal(leak), Decimal(t), real(epsilon)), int(length)


def main():
    lines = subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True).stdout.splitlines()
    wrong, keys = [], 0
    for line in lines:
        block, length = read(line)
        expected = key_length(*block)
        keys += expected > 0
        if length != expected:
            wrong.append(f"{line}: expected {expected}")
    if keys < len(lines) // 3 or keys == len(lines):
        wrong.append(f"{keys} of {len(lines)} blocks yield a key: the grid does not show much")
    print("\n".join(wrong) or f"{len(lines)} key lengths are right, {keys} of them above zero")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
