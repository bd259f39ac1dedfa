"""Run a module as on a host whose clock is wrong.

python -m tests.support.moved_clock SECONDS MODULE [ARGUMENT ...]
"""

import runpy
import sys
import time

import time_machine

_, seconds, module, *arguments = sys.argv
time_machine.travel(time.time() + float(seconds)).start()
sys.argv = [module, *arguments]
runpy.run_module(module, run_name="__main__", alter_sys=True)
