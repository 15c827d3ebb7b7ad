"""Programs and libraries that run pipelines of tasks, or record and configure their runs."""
