"""The curve by which UMAP draws images together: 1 / (1 + a d^2b), for a smallest distance of 0.1 and a spread of 1.

One place for the two numbers, as the fit and the projector must agree. McInnes, Healy and Melville (2018), section 3.2;
a and b are what `umap.umap_.find_ab_params(1.0, 0.1)` fits.
"""

A = 1.576943460405378
B = 0.8950608781227859
