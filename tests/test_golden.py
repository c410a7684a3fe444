"""Numbers of one paper cell (Circles) as they were found: silent drift fails here.

They come from revision 68477d0 and the commands that stand with them; the tolerances
from the same commands with other instructions (AVX-512, AVX2 and none at all).
"""

from dataclasses import replace
from statistics import fmean

import pytest
import torch

from cftrain.data.sources import cache
from cftrain.evaluation.evaluate import evaluate
from cftrain.models.stack_slicing import frozen
from cftrain.seeding import Stream
from cftrain.training.stack import train
from tests.console import read

CT, BL = 0, 1
SHORT = (
    "schedule.epochs=12",
    "schedule.counterfactuals=300",
    "evaluation=quick",
    "evaluation.sampling=paper",
)


def measured(names: tuple[str, ...], *overrides: str) -> dict[tuple[str, int], float]:
    """Means over rounds and energy weights, of the model and of its baseline."""
    run, options = read("+experiment=circles", *overrides)
    assert options.compare is not None
    dataset = run.data.load()
    trained = train(
        [run, replace(run, objective=options.compare)],
        dataset,
        device=torch.device("cpu"),
    )
    protocol = options.evaluation.fitted(dataset, cache())
    metrics = {name: protocol.metrics[name] for name in names}
    found = evaluate(
        frozen(trained.classifier, slice(None)),
        dataset,
        replace(protocol, metrics=metrics),
        streams=[Stream(run.seed)] * 2,
    ).measurements
    return {
        (name, cell): fmean(
            m.value for m in found if (m.metric, m.cell) == (name, cell)
        )
        for name in names
        for cell in (CT, BL)
    }


def test_a_short_training_gives_the_numbers_it_gave():
    """cftrain train +experiment=circles SHORT: other instructions move 2e-8 of them."""
    found = measured(("ip", "cost", "ip_star", "pgd_accuracy"), *SHORT)
    assert found == pytest.approx(
        {
            ("ip", CT): 0.93690234,
            ("ip", BL): 1.10964634,
            ("cost", CT): 1.17423847,
            ("cost", BL): 1.36247143,
            ("ip_star", CT): 0.00017985,
            ("ip_star", BL): 0.00078224,
            ("pgd_accuracy", CT): 0.985,
            ("pgd_accuracy", BL): 0.98722222,
        },
        rel=1e-5,
        abs=1e-7,
    )


@pytest.mark.slow
def test_the_paper_cell_gives_the_published_effect():
    """cftrain train +experiment=circles: IP is 61.2 % lower, 61.0 % without AVX-512.

    A hundred epochs are chaotic: the model's own numbers move by 2 % (IP 0.935 and
    0.940, cost 1.138 and 1.163) with the last bit of a sum, those of the baseline not.
    The mean reduction over five seeds is 60.6 % (95 % interval 57.3 to 64.0).
    """
    found = measured(("ip", "validity", "cost", "accuracy"))
    reduction = 100 * (1 - found["ip", CT] / found["ip", BL])
    assert 59 <= reduction <= 63
    assert found["ip", BL] == pytest.approx(2.40829, rel=1e-3)
    assert found["ip", CT] == pytest.approx(0.937, rel=0.02)
    assert found["validity", BL] == pytest.approx(0.492, abs=0.01)
    assert found["validity", CT] >= 0.98
    assert found["cost", BL] == pytest.approx(2.01029, rel=1e-3)
    assert found["cost", CT] == pytest.approx(1.15, rel=0.05)
    assert found["accuracy", CT] >= 0.995
