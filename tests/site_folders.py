"""Where the packages of the running environment lie, for environments that tests make beside it."""

import sys
from pathlib import Path

SITE_FOLDERS = [folder for folder in sys.path if Path(folder).name == "site-packages"]
"""Several where it is made upon another one."""
