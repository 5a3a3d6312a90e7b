"""The settings, traits and cost estimates of all clusterers.

Importing a module registers its clusterers. The reference of the settings lists them in the order of these imports.
"""

# isort: off
from workflow_scripts.settings.clusterers import kmeans as kmeans
from workflow_scripts.settings.clusterers import given_k as given_k
from workflow_scripts.settings.clusterers import trained as trained
from workflow_scripts.settings.clusterers import finding_k as finding_k
from workflow_scripts.settings.clusterers import consensus as consensus

# isort: on
from workflow_scripts.settings.clusterers.base import Clusterer as Clusterer
