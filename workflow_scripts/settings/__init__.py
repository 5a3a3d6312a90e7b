"""The configuration: pydantic models that hold every default, check every key and give the schema.

Rules import this package, so it imports nothing heavy. A method is registered once, by the model of its settings; its
code is the module of the same name in the stage's folder. The model also says what the rest of the workflow needs to
know of the method: its traits, and what it takes at a size.
"""

from workflow_scripts.settings.configuration import Settings as Settings
from workflow_scripts.settings.configuration import load as load
from workflow_scripts.settings.configuration import parse as parse
from workflow_scripts.settings.configuration import schema as schema
