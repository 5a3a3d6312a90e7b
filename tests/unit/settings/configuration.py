"""A configuration that the tests change."""

import copy
from functools import reduce

import yaml

CONFIG = yaml.safe_load("""
intake: {labels: {rule: folder, level: 0}}
preprocess: {plain: [grey, {resize: {size: [32, 32]}}]}
backbones: {net: {model: squeezenet1_1, layers: [[fire5_avg], [fire9_avg]]}}
decompositions: {pca: {method: pca}, map: {method: tsne, of: pca}}
clusterers: {kmeans: {method: kmeans, k: [2, 3]}}
baseline: {preprocess: plain, backbone: net, layer: fire9_avg, clusterer: kmeans}
studies:
  main:
    vary: {whiten: [true, false]}
    figures: {lines: {kind: sensitivity, x: layer, metrics: [ari]}}
style: {dpi: 100}
""")


def config_with(path, value):
    """Return the configuration with another value at `path`, such as `a.b.0`; `...` removes the key."""
    config = copy.deepcopy(CONFIG)
    *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    parent = reduce(lambda node, key: node[key], above, config)
    if value is ...:
        del parent[last]
    else:
        parent[last] = value
    return config
