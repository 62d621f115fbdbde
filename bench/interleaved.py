"""Measurements that are taken in turn, what lies between them, and whether a bound holds.

A ratio is that of one round, in which both sides were measured one behind the other. The median of some rounds lies, with
95 %, between two of them (order statistics); a bound holds if that whole range keeps it, is missed if none of it does, and is
undecided between, which more rounds, or a quieter machine, decide. A side is measured twice in each round, before and after
the other: what it moves by against itself is the noise.
"""

import math
import statistics


def median_range(values):
    """The range of the median with 95 %; that of all values where they are fewer than six."""
    ordered, below = sorted(values), 0.0
    for place in range(len(ordered) // 2):
        below += math.comb(len(ordered), place) / 2 ** len(ordered)
        if below > 0.025:
            return ordered[max(0, place - 1)], ordered[len(ordered) - max(1, place)]
    return ordered[0], ordered[-1]


def judge(what, values, bound, unit="", rounds=6):
    """Prints whether the median of the values is at most the bound; true if it is. Fewer rounds than six are no 95 %."""
    low, high = median_range(values)
    word = "PASS" if high <= bound else "FAIL" if low > bound else "UNDECIDED (noise: take more rounds)"
    word = word if len(values) >= rounds else f"UNDECIDED (take {rounds} rounds at least)"
    print(f"target {what} <= {bound:g}{unit}: {statistics.median(values):.3f}{unit}, "
          f"{low:.3f}..{high:.3f} of {len(values)} rounds: {word}", flush=True)
    return word == "PASS"


def take_turns(rounds, without, ours):
    """What each of two functions returns, in lists by name: without, ours, and without again, in each round."""
    rows = {"before": [], "with": [], "after": []}
    for _ in range(rounds):
        rows["before"].append(without())
        rows["with"].append(ours())
        rows["after"].append(without())
    return rows


def print_head(what, names=("without", "with")):
    print(f"{what:<36}{names[0]:>10}{names[1]:>10}     {'ratio':>7}{'least..most':>15}{'to itself':>15}")


def print_ratio(what, unit, before, ours, after):
    """A row: medians, and the ratio of ours to the mean of what was measured around it.

    Returns the ratio of each round.
    """
    ratios = [2 * mine / (one + other) if one + other else 1.0 for one, mine, other in zip(before, ours, after)]
    itself = [one / other if other else 1.0 for one, other in zip(before, after)]
    print(f"{what:<36}{statistics.median(before + after):>10.1f}{statistics.median(ours):>10.1f} {unit:<4}"
          f"{statistics.median(ratios):>7.3f}{f'{min(ratios):.2f}..{max(ratios):.2f}':>15}"
          f"{f'{min(itself):.2f}..{max(itself):.2f}':>15}", flush=True)
    return ratios
