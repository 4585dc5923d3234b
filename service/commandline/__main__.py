"""``python -m service.commandline``: the same as ``plan-history``."""

from service.commandline.main import main

main()
