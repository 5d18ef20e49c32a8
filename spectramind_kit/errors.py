"""Errors that say what failed, what was wanted, what was found, and what to do about it."""

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)


class SpectraMindError(Exception):
    """Base of every error the kit raises on purpose.

    Args:
        what: the thing that failed, as a noun with its place ("AIRS-CH0 signal of planet 34983, visit 0").
        wanted: what a good input would have been.
        got: what was found instead.
        remedy: what the user can do.
    """

    def __init__(self, what: str, *, wanted: object = None, got: object = None, remedy: str = ""):
        self.what, self.wanted, self.got, self.remedy = what, wanted, got, remedy
        parts = [f"wanted {wanted}"] if wanted is not None else []
        parts += [f"got {got}"] if got is not None else []
        sentence = f"{what}: {', '.join(parts)}" if parts else what
        super().__init__(f"{sentence}; {remedy}" if remedy else sentence)

    def __reduce__(self):
        """Survive the trip between processes: keyword-only arguments are not in ``args``."""
        return _rebuild, (type(self), self.what, self.wanted, self.got, self.remedy)


def _rebuild(kind, what, wanted, got, remedy):
    return kind(what, wanted=wanted, got=got, remedy=remedy)


def describe(error: BaseException) -> str:
    """Return an error in one line; the kind is named only where the message is not ours."""
    text = " ".join(str(error).split())
    return text if isinstance(error, SpectraMindError) else f"{type(error).__name__}: {text}"


class ConfigurationError(SpectraMindError):
    """A configuration key or value that does not exist or does not fit."""


class CompetitionDataError(SpectraMindError):
    """A file of the competition folder is missing, damaged, or of the wrong shape."""


class ProductError(SpectraMindError):
    """Arrays that do not make a product: wrong shape, not finite, not positive."""


class FitError(SpectraMindError):
    """A light curve that cannot be fitted."""


class SubmissionError(SpectraMindError):
    """A submission that Kaggle would refuse or score badly."""


class PackagingError(SpectraMindError):
    """A wheel, dataset or kernel that would not work on Kaggle, or a dry run that cannot start."""


REFUSALS = (SpectraMindError, ImportError)
"""What is refused in words, and a package that is missing."""


def attempted(
    work: Callable[[], object], otherwise: str, raised: tuple[type[Exception], ...] = REFUSALS
) -> tuple[str, ...]:
    """Do what the submission can do without, and return in words how it failed; nothing if it did not.

    An error would end a notebook, and with it a submission whose file is there.

    Args:
        work: to do.
        otherwise: what a failure means.
        raised: what remains an error.
    """
    try:
        work()
    except raised:
        raise
    except Exception as error:
        logger.exception(otherwise)
        return (f"{otherwise}: {describe(error)}",)
    return ()
