"""Prints the golden numbers of this crate's tests, as computed by public Python libraries.

    pip install numpy==1.26.4 scipy==1.12.0 statsmodels==0.15.0 scikit-learn==1.9.1 \
        krippendorff==0.9.0 irrCAC==0.4.4 choix==0.4.1
    python golden.py

The tests hold the numbers themselves; nothing runs this file. It says how each number came about.
"""

import re
from pathlib import Path

import choix
import irrCAC.raw
import krippendorff
import numpy as np
import pandas as pd
from scipy import optimize, stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.discrete.discrete_model import Logit
from statsmodels.stats.contingency_tables import Table, mcnemar
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

# golden_agreement.rs
FULL = np.array([
    [0, 0, 1, 0], [1, 1, 1, 2], [2, 2, 2, 2], [0, 1, 0, 0], [3, 3, 2, 3],
    [4, 3, 4, 4], [1, 0, 1, 1], [2, 2, 3, 2], [0, 0, 0, 0], [4, 4, 4, 3],
    [5, 6, 5, 5], [6, 6, 6, 5], [3, 1, 3, 3], [2, 5, 2, 2], [1, 1, 1, 1],
])
GAPPY = FULL.astype(float)
for row, column in [(0, 1), (3, 0), (5, 3), (7, 2), (9, 0), (9, 1), (12, 0), (12, 1), (12, 2), (14, 1)]:
    GAPPY[row, column] = np.nan

print("## Cohen's kappa: scikit-learn cohen_kappa_score, raters 0 and 1")
for weights in [None, "linear", "quadratic"]:
    print(weights, repr(cohen_kappa_score(FULL[:, 0], FULL[:, 1], weights=weights)))

print("## Fleiss' kappa: statsmodels fleiss_kappa; then each label against the rest")
print(repr(fleiss_kappa(aggregate_raters(FULL)[0], method="fleiss")))
for label in range(3):
    print(label, repr(fleiss_kappa(aggregate_raters((FULL == label).astype(int))[0], method="fleiss")))

print("## Krippendorff's alpha: krippendorff.alpha with missing votes")
for level in ["nominal", "ordinal", "interval"]:
    print(level, repr(krippendorff.alpha(reliability_data=GAPPY.T, level_of_measurement=level)))

print("## Gwet's AC1 and AC2: irrCAC CAC.gwet with missing votes, categories 0 to 6")
for weights in ["identity", "linear", "quadratic"]:
    found = irrCAC.raw.CAC(pd.DataFrame(GAPPY), weights=weights, categories=list(range(7)), digits=15).gwet()["est"]
    print(weights, found["coefficient_value"], found["pa"], found["pe"])

# proportion.rs and golden_rates.rs
print("## Wilson: statsmodels proportion_confint(method='wilson')")
for k, n in [(36, 1000), (10, 10), (5, 10), (97, 1000), (0, 10)]:
    print(k, n, [repr(end) for end in proportion_confint(k, n, method="wilson")])
print("## Clopper-Pearson: statsmodels proportion_confint(method='beta')")
for k, n in [(0, 10), (10, 10), (5, 10), (36, 1000), (1, 50), (49_999, 411_000)]:
    print(k, n, [repr(end) for end in proportion_confint(k, n, method="beta")])
print("## Risk ratio: scipy contingency.relative_risk")
for (a, n), (b, m) in [((97, 1000), (7, 1000)), ((23, 100), (11, 110)), ((1, 7), (3, 9))]:
    found = stats.contingency.relative_risk(a, n, b, m)
    print(a, n, b, m, repr(found.relative_risk), found.confidence_interval(0.95))
print("## Cochran-Armitage: statsmodels Table.test_ordinal_association, whose variance has N - 1")
events, trials = np.array([7, 12, 14, 49, 97]), np.array([1000, 990, 1000, 1000, 930])
table = Table(np.array([trials - events, events]), shift_zeros=False)
found = table.test_ordinal_association(row_scores=np.array([0, 1]), col_scores=np.arange(5))
n = trials.sum()
z = found.zscore * np.sqrt(n / (n - 1))
print("with N - 1", repr(found.zscore), "with N", repr(z), "p", repr(2 * stats.norm.sf(z)))

# golden_compare.rs
print("## McNemar: statsmodels mcnemar(exact=True)")
for b, c in [(5, 15), (0, 7), (10, 10), (100, 140), (1, 0)]:
    print(b, c, repr(mcnemar([[1, b], [c, 0]], exact=True).pvalue))
print("## Wilcoxon: scipy wilcoxon")
d = [1.1, -0.4, 2.3, 0.7, -1.9, 3.1, 0.2, 1.6, -0.8, 2.2]
print("exact", repr(stats.wilcoxon(d, mode="exact").pvalue))
d = [1, -1, 2, 0, 3, -2, 1, 1, 0, 2, -1, 3, 4, 1, -3, 2, 2, 1, 0, 1]
print("approx", repr(stats.wilcoxon(d, mode="approx", correction=False).pvalue))
print("## Adjusted p-values: statsmodels multipletests")
p = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.9, 0.02, 0.5]
for method in ["fdr_bh", "fdr_by", "holm"]:
    print(method, [repr(x) for x in multipletests(p, method=method)[1]])

# golden_ranking.rs
SOURCE = (Path(__file__).parent / "../it/golden_ranking.rs").read_text()
DATA = "".join(re.findall(r'"([0-4]{80})"', SOURCE))
rows = [[int(digit) for digit in DATA[at:at + 4]] for at in range(0, len(DATA), 4)]
VALUES = 5


def design(first, second, nudge):
    """One row over utilities, intercept and nudge."""
    x = np.zeros(VALUES + 2)
    x[first] += 1
    x[second] -= 1
    x[VALUES:] = 1, nudge - 1
    return x


print("## Bradley-Terry without ties and shrinkage: statsmodels Logit, then centred")
decided = [row for row in rows if row[3] < 2 and row[0] != row[1]]
X = np.array([design(*row[:3]) for row in decided])
y = np.array([row[3] == 0 for row in decided], dtype=float)
# Without the last utility, which the others determine.
free = [0, 1, 2, 3, 5, 6]
fit = Logit(y, X[:, free]).fit(disp=0, tol=1e-14, maxiter=200)
centre = np.zeros((VALUES + 2, len(free)))
centre[:4, :4] = np.eye(4)
centre[:VALUES, :4] -= np.full((VALUES, 4), 1 / VALUES)
centre[VALUES:, 4:] = np.eye(2)
estimates, errors = centre @ fit.params, np.sqrt(np.diag(centre @ fit.cov_params() @ centre.T))
print([repr(x) for x in estimates], [repr(x) for x in errors], repr(fit.llf))

print("## The same without intercept and nudge: choix ilsr_pairwise and opt_pairwise(alpha=0.25)")
wins = [(row[0], row[1]) if row[3] == 0 else (row[1], row[0]) for row in decided]
print([repr(x) for x in choix.ilsr_pairwise(VALUES, wins, max_iter=10_000, tol=1e-14)])
found = choix.opt_pairwise(VALUES, wins, alpha=0.25, tol=1e-14)
print([repr(x) for x in found - found.mean()])

print("## Davidson's ties, ridge 0.5: scipy optimize.root on the gradient")
Z = np.array([design(*row[:3]) for row in rows])
outcome = np.array([row[3] for row in rows])


def chances(at):
    eta, tie = Z @ at[:-1], at[-1]
    weights = np.stack([np.exp(eta / 2), np.exp(-eta / 2), np.full(len(eta), np.exp(tie))])
    return weights / weights.sum(axis=0)


def gradient(at):
    p = chances(at)
    slope = (p[0] - p[1]) / 2 - np.select([outcome == 0, outcome == 1], [0.5, -0.5], 0.0)
    ridge = np.concatenate([0.5 * at[:VALUES], np.full(3, 1e-8) * at[VALUES:]])
    return np.concatenate([Z.T @ slope, [(p[2] - (outcome == 2)).sum()]]) + ridge


found = optimize.root(gradient, np.zeros(VALUES + 3), tol=1e-14).x
print([repr(x) for x in found], repr(np.log(chances(found)[outcome, np.arange(len(rows))]).sum()))
