"""The main screen and the dialogs over it. Dialogs are imported when they are opened."""
