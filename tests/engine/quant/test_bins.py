import numpy as np
import xgboost

from acceleray.quant.bins import MOST, binned, edges, floored


def test_few_values_are_kept_as_they_are() -> None:
    values = np.array([0.5, -0.5, np.nan, 0.5, 0.0], dtype=np.float32)
    assert edges(values).tolist() == [-0.5, 0.0, 0.5]
    np.testing.assert_array_equal(floored(values, edges(values)), values)


def test_many_values_become_few_with_about_as_many_rows_each() -> None:
    values = np.random.default_rng(1).normal(size=100_000).astype(np.float32)
    points = edges(values)
    assert points.size == MOST
    assert points[0] == values.min()
    counts = np.unique(floored(values, points), return_counts=True)[1]
    assert (counts.min(), counts.max()) == (100_000 // MOST, 100_000 // MOST + 1)


def test_a_value_is_below_a_point_exactly_if_what_replaces_it_is() -> None:
    random = np.random.default_rng(2)
    values = random.uniform(-0.5, 0.5, 5000).astype(np.float32)
    points = edges(values, 37)
    replaced = floored(values, points)
    for point in points:
        np.testing.assert_array_equal(values < point, replaced < point)


def test_nothing_known_stays_nothing_known() -> None:
    nothing = np.full((4, 1), np.nan)
    assert np.isnan(binned(nothing)).all()


def test_some_rows_are_binned_as_if_there_were_no_others() -> None:
    generator = np.random.default_rng(8)
    features = generator.normal(size=(5000, 3))
    features[generator.random(5000) < 0.1, 1] = np.nan
    chosen = generator.random(5000) < 0.4
    np.testing.assert_array_equal(binned(features, chosen), binned(features[chosen]))


def test_trees_fitted_on_the_replaced_values_predict_alike_from_the_values_themselves() -> None:
    random = np.random.default_rng(3)
    features = random.normal(size=(20_000, 3))
    features[::11, 1] = np.nan
    target = features[:, 0] - np.nan_to_num(features[:, 1]) ** 2
    few = binned(features)
    booster = xgboost.train(
        {"max_depth": 4, "tree_method": "hist", "nthread": 1},
        xgboost.QuantileDMatrix(few, target, nthread=1),
        30,
    )
    np.testing.assert_array_equal(
        booster.predict(xgboost.DMatrix(few)), booster.predict(xgboost.DMatrix(features))
    )


def test_xgboost_splits_at_these_values_and_no_others() -> None:
    features = np.random.default_rng(4).normal(size=(50_000, 2))
    few = binned(features)
    offsets, cuts = xgboost.QuantileDMatrix(few, features[:, 0], nthread=1).get_quantile_cut()
    for column in range(2):
        mine = np.unique(few[:, column])
        # The first value is no split, the last cut lies beyond all of them.
        np.testing.assert_array_equal(
            cuts[offsets[column] : offsets[column + 1]][:-1][-mine.size + 1 :], mine[1:]
        )
