"""Attribution models that SQL cannot express: removal effects of Markov chains, Shapley values and a fitted half-life.

In: the journeys of one org and conversion type, as arrays. Out: one effect per channel and model, with an interval.
"""
