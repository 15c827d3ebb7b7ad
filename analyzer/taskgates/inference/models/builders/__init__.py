"""Programs that make documents and projects of sources: docutils, Sphinx, notebooks, Cookiecutter, Copier."""
