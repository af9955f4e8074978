"""Read files of prices as people have them: decide by the whole file, say what was understood, or refuse.

`deliver` of `delivery` is the way in; nothing here needs Spark.
"""
