"""A worker of `bench.drain`: revokes until nothing is left, and prints when and at what cost."""

import time

import django


def main() -> None:
    django.setup()
    from connections_project.revocation.models import RevocationJob
    from connections_project.revocation.worker import process_revocations

    began, used = time.time(), time.process_time()
    while RevocationJob.pending().exists():
        process_revocations()
        time.sleep(0.05)
    print(began, time.time(), time.process_time() - used)


if __name__ == "__main__":
    main()
