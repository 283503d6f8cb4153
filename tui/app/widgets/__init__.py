"""The widgets of the screens, each in its own file. None of them knows the workbench."""
