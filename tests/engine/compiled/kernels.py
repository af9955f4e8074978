"""Functions small enough to be compiled in a second."""


def doubled(value):
    return 2.0 * value


def total_of_doubles(values, out):
    out[0] = 0.0
    for place in range(values.size):
        out[0] += doubled(values[place])
    return values.size


def without_a_type(values, out):
    return values.no_such_thing


def entry(function, carray):
    def called(values, count, out):
        return function(carray(values, (count,)), carray(out, (1,)))

    return called
