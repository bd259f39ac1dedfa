"""Work that Python does alone, for one sync at a time in each process.

Of threads that only compute one runs at a time: beside each other none is done sooner, and every
other request waits for all of them, five milliseconds each, wherever it wants to go on (Python's
`sys.setswitchinterval`). Nothing is waited for inside, neither a platform nor the database.
"""

import threading

computing = threading.Lock()
