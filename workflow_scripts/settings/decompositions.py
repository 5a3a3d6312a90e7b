"""What features are reduced to."""

from typing import Annotated, Literal

from pydantic import Field

from workflow_scripts.settings.base import Model


class Pca(Model):
    """Principal components, all that there are or the first `max_components`; readers take the first n of them."""

    method: Literal["pca"] = "pca"
    max_components: int | None = Field(None, ge=1)


class Tsne(Model):
    """t-SNE map (openTSNE) of the first `n_components` unwhitened components of the decomposition `of`."""

    method: Literal["tsne"] = "tsne"
    of: str = "pca"
    n_components: int = Field(50, ge=1)
    perplexity: float = Field(30, gt=1)
    seed: int = 0


Decomposition = Annotated[Pca | Tsne, Field(discriminator="method")]
