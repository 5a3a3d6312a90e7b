"""The settings of all kinds of figures, and of their common style.

Importing a module of this package registers its kinds of figures. The reference of the settings lists the kinds in the
order of these imports.
"""

# isort: off
from workflow_scripts.settings.figures import images as images
from workflow_scripts.settings.figures import reductions as reductions
from workflow_scripts.settings.figures import clusters as clusters
from workflow_scripts.settings.figures import clusterers as clusterers
from workflow_scripts.settings.figures import scores as scores
from workflow_scripts.settings.figures import agreement as agreement
from workflow_scripts.settings.figures import nuisances as nuisances

# isort: on
from workflow_scripts.settings.figures.base import Drawing as Drawing
from workflow_scripts.settings.figures.base import Figure as Figure
from workflow_scripts.settings.figures.base import check_axes as check_axes
from workflow_scripts.settings.figures.style import PALETTES as PALETTES
from workflow_scripts.settings.figures.style import Style as Style
