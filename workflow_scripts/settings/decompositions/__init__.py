"""The settings, traits and cost estimates of all decompositions, which turn features into components or maps.

Importing a module registers its decompositions; the reference lists them in this order.
"""

# isort: off
from workflow_scripts.settings.decompositions import components as components
from workflow_scripts.settings.decompositions import maps as maps
from workflow_scripts.settings.decompositions import autoencoder as autoencoder

# isort: on
from workflow_scripts.settings.decompositions.base import Decomposition as Decomposition
