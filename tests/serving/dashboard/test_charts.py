"""The Sankey diagram keeps its labels apart and inside the picture, and a weekly chart labels its bars."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise

from serving.dashboard.charts import sankey
from serving.questions import load_questions


def test_labels_of_small_flows_do_not_overlap():
    flows = [(1, "Direct", "(conversion)", 900), *((1, f"Channel {number}", "(conversion)", 1) for number in range(12))]
    picture = sankey(flows)
    columns = defaultdict(list)
    for x, y in re.findall(r'<text x="([\d.]+)" y="([\d.]+)"', picture):
        columns[x].append(float(y))
    height = float(re.search(r'viewBox="0 -4 960 (\d+)"', picture)[1]) - 4
    for places in columns.values():
        assert all(below - above >= 12 for above, below in pairwise(places))
        assert max(places) <= height


def test_weeks_are_bands_with_the_first_day_as_their_label(tmp_path):
    """On an axis of time, the ticks are Sundays and the bars of weeks, which begin on Mondays, are hairlines."""
    questions = load_questions(tmp_path)
    for name in ("revenue_by_channel", "claim_trend"):
        assert questions[name].chart["encoding"]["x"]["type"] == "ordinal"
