"""The configuration: pydantic models that hold every default, check every key and give the schema.

Rules import this package, so it imports nothing heavy. A method is registered here once, by the model of its settings;
its code is the module of the same name in the stage's folder.
"""

from workflow_scripts.settings.clusterers import AffinityPropagation as AffinityPropagation
from workflow_scripts.settings.clusterers import Dec as Dec
from workflow_scripts.settings.clusterers import DensityPeaks as DensityPeaks
from workflow_scripts.settings.clusterers import KMeans as KMeans
from workflow_scripts.settings.clusterers import Linkage as Linkage
from workflow_scripts.settings.clusterers import MiniBatchKMeans as MiniBatchKMeans
from workflow_scripts.settings.configuration import Settings as Settings
from workflow_scripts.settings.configuration import load as load
from workflow_scripts.settings.configuration import parse as parse
from workflow_scripts.settings.configuration import schema as schema
from workflow_scripts.settings.decompositions import Autoencoder as Autoencoder
from workflow_scripts.settings.decompositions import Pca as Pca
from workflow_scripts.settings.decompositions import Tsne as Tsne
from workflow_scripts.settings.figures import PALETTES as PALETTES
from workflow_scripts.settings.figures import Embedding as Embedding
from workflow_scripts.settings.figures import Figure as Figure
from workflow_scripts.settings.figures import Maps as Maps
from workflow_scripts.settings.published import Fact as Fact
from workflow_scripts.settings.published import read_facts as read_facts
from workflow_scripts.settings.reading import mistake as mistake
from workflow_scripts.settings.reading import read_yaml as read_yaml
from workflow_scripts.settings.studies import Choices as Choices
from workflow_scripts.settings.studies import Study as Study
from workflow_scripts.settings.studies import Subset as Subset
