"""The configuration: pydantic models with the defaults, the checks and the descriptions of all keys.

A method is registered by defining the model of its settings. Its code is the module of the same name in the folder of
its stage. The model also has the method's traits, and estimates of the memory and time that the method takes. Rules
import this package, so it imports nothing heavy.
"""

from workflow_scripts.settings.configuration import Settings as Settings
from workflow_scripts.settings.configuration import load as load
from workflow_scripts.settings.configuration import parse as parse
from workflow_scripts.settings.configuration import schema as schema
