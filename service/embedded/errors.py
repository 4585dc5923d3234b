"""What can go wrong with the database of our own, told to the person who has to act."""

__all__ = ["EmbeddedPostgresError"]


class EmbeddedPostgresError(Exception):
    """The embedded database cannot do what was asked; the text says why and what to do next."""

    def __init__(self, problem: str, next_step: str) -> None:
        super().__init__(f"{problem}\nNext step: {next_step}")
        self.problem = problem
        self.next_step = next_step
