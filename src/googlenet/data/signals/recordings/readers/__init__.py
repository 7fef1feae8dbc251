"""The formats of recordings, a file each; :mod:`.formats` says which reads what."""
