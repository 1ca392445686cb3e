"""The vault's `/openapi.json` against OpenAPI's own schema of OpenAPI 3.1, which comes with PyPI's `openapi-spec-validator`.

Only the schema of that package is used, so what the package itself would need is not installed.
"""

import copy
import importlib.util
import json
import os
import pathlib
import unittest

import jsonschema
import requests

PACKAGE = pathlib.Path(importlib.util.find_spec("openapi_spec_validator").origin).parent
SCHEMA = json.loads((PACKAGE / "resources/schemas/v3.1/schema.json").read_text())


class Document(unittest.TestCase):
    def setUp(self):
        self.document = requests.get(os.environ["CARDSEAL_VAULT"] + "/openapi.json", timeout=30).json()
        self.validator = jsonschema.Draft202012Validator(SCHEMA)

    def test_it_is_one_of_openapi_3_1(self):
        self.assertEqual(SCHEMA["$id"], "https://spec.openapis.org/oas/3.1/schema/2022-10-07")
        errors = [f"{error.json_path}: {error.message}" for error in self.validator.iter_errors(self.document)]
        self.assertEqual(errors, [])

    def test_another_document_is_not(self):
        def without_version(document):
            del document["info"]["version"]

        def with_another_member(document):
            document["paths"]["/tokens"]["post"]["returns"] = {}

        def with_a_parameter_nowhere(document):
            document["paths"]["/tokens/{id}"]["get"]["parameters"][0]["in"] = "body"

        for change in (without_version, with_another_member, with_a_parameter_nowhere):
            document = copy.deepcopy(self.document)
            change(document)
            self.assertFalse(self.validator.is_valid(document), change.__name__)


if __name__ == "__main__":
    unittest.main(verbosity=2)
