"""The one exception that reaches a user: a plain line saying what is wrong and what to do."""


class PortfolioError(Exception):
    """Something the user can put right; printed as one line, without a traceback, exit code 2."""

    exit_code = 2

    def __str__(self) -> str:
        """Return the message on one line, whatever the parts it was built from."""
        return " ".join(super().__str__().split())
