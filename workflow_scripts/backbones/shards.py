"""Split the images of a forward pass into shards, each of which a job of its own computes.

Rules import this module, so it uses the standard library only.
"""

WHOLE = "1-of-1"
"""The name of the shard with all images."""


def shard_names(number: int) -> list[str]:
    """Return the names of `number` shards in the order of their images, such as `1-of-2` and `2-of-2`."""
    return [f"{shard}-of-{number}" for shard in range(1, number + 1)]


def rows_of(shard: str, n_images: int, batch_size: int) -> slice:
    """Return the rows of the images of a shard, given its name; none if there are more shards than batches.

    Shards begin at a multiple of the batch size, so that every batch has the same images as without shards.
    """
    last, number = map(int, shard.split("-of-"))
    batches = -(-n_images // batch_size)
    start, stop = (batch_size * (batches * border // number) for border in (last - 1, last))
    return slice(start, min(stop, n_images))
