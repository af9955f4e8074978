"""The desk's report: an overview of all portfolios, and a page for each."""
