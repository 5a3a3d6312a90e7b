"""Print the JSON schema of the configuration."""

import json

from workflow_scripts.settings.configuration import schema

print(json.dumps(schema(), indent=2))
