"""A session's hours, memory, disk and cores, and what is uploaded as whose.

Limits on uploads are rules of the platform: ``kaggle.rules.upload_rules.py``.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from spectramind_kit.settings.quantities import Count, Positive


@dataclass(frozen=True)
class KaggleConfig:
    """The platform's limits, for packaging and dry runs.

    Attributes:
        target: image generation the wheel dataset is made for (a folder of ``wheels/``).
        owner: Kaggle user who owns datasets and kernels.
        dataset: slug of the wheel dataset.
        competition: slug of the competition.
        layout: how a dry run mounts what is attached: "owner" (datasets/<owner>/<slug>, competitions/<slug>) or
            "flat" (<slug>); Kaggle does both.
        hours: wall-clock limit of the hidden rerun [h].
        rerun_planets: planets the hidden rerun is projected to.
        cores: processor cores of a session; the projection is to so many.
        memory_gb: memory of a session [GB].
        disk_gb: what its working folder may hold [GB].
    """

    target: str
    owner: str
    dataset: str
    competition: str
    layout: Literal["owner", "flat"]
    hours: Annotated[Positive, Field(le=1000)]
    rerun_planets: Annotated[Count, Field(le=1000000)]
    cores: Annotated[Count, Field(le=1024)]
    memory_gb: Annotated[Positive, Field(le=1e5)]
    disk_gb: Annotated[Positive, Field(le=1e6)]
