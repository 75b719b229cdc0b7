"""What the process that is forked begins with, and nothing else imports: the program, where no output is a terminal.

It looks at its import whether it writes to one. pytest does, with `-s`.
"""

import os
import sys

sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 (while the process lives)

import starter  # noqa: E402, F401 (this is what it is for)
