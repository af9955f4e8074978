from itertools import pairwise

import pytest

from acceleray.quant.validation import purged_walk_forward


def test_the_folds_of_100_dates_by_hand():
    folds = purged_walk_forward(100, folds=4, minimum_train=50, purge_d=5, embargo_d=5)
    assert [(fold.train_dates, fold.test_dates) for fold in folds] == [
        (slice(0, 50), slice(60, 70)),
        (slice(0, 60), slice(70, 80)),
        (slice(0, 70), slice(80, 90)),
        (slice(0, 80), slice(90, 100)),
    ]


@pytest.mark.parametrize("dates_count", [137, 500, 1001])
@pytest.mark.parametrize("folds", [1, 3, 7])
@pytest.mark.parametrize(("purge_d", "embargo_d"), [(0, 0), (1, 0), (21, 5)])
def test_no_training_label_reaches_into_the_test_and_every_later_date_is_tested_once(
    dates_count, folds, purge_d, embargo_d
):
    dates = list(range(dates_count))
    tested = []
    for fold in purged_walk_forward(dates_count, folds, 60, purge_d, embargo_d):
        train, test = dates[fold.train_dates], dates[fold.test_dates]
        assert len(train) >= 60
        assert test
        assert train[-1] + purge_d + embargo_d < test[0]
        tested += test
    assert tested == dates[60 + purge_d + embargo_d :]


def test_test_blocks_differ_in_length_by_one_at_most():
    lengths = [f.test_dates.stop - f.test_dates.start for f in purged_walk_forward(163, 7, 60, 1, 0)]
    assert max(lengths) - min(lengths) <= 1


def test_on_a_grid_a_new_date_moves_the_end_of_the_last_block_alone():
    def folds(dates):
        return purged_walk_forward(dates, 3, 60, 5, 1, step_d=21)

    assert [fold.test_dates for fold in folds(66 + 140)] == [slice(66, 108), slice(108, 150), slice(150, 206)]
    for dates in range(66 + 63, 66 + 400):
        lengths = [fold.test_dates.stop - fold.test_dates.start for fold in folds(dates)]
        assert sum(lengths) == dates - 66
        assert min(lengths) >= 21
        assert all(length % 21 == 0 for length in lengths[:-1])
    trained = [[fold.train_dates for fold in folds(dates)] for dates in range(66 + 63, 66 + 63 + 64)]
    moved = [one != other for one, other in pairwise(trained)]
    assert sum(moved) <= 3
    # Blocks shorter than a step lie as they would without one.
    assert purged_walk_forward(66 + 50, 3, 60, 5, 1, step_d=21) == purged_walk_forward(66 + 50, 3, 60, 5, 1)


def test_too_few_dates_are_refused():
    with pytest.raises(ValueError, match="do not suffice"):
        purged_walk_forward(70, folds=5, minimum_train=60, purge_d=5, embargo_d=1)
    with pytest.raises(ValueError, match="at least"):
        purged_walk_forward(70, folds=0, minimum_train=60, purge_d=5, embargo_d=1)
