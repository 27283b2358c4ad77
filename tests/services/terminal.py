# SPDX-License-Identifier: GPL-2.0-only
# A command on a terminal of 80 columns; what it prints goes to stdout. Ends as it does.
import os
import pty
import sys

sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
