"""Made-up money, and posts: what the sandbox has to show to a connected client."""

from typing import ClassVar

from django.db import models


class BankAccount(models.Model):
    # Said outright, since the type checker knows the service's apps alone.
    objects: ClassVar[models.Manager["BankAccount"]] = models.Manager()

    id = models.CharField(primary_key=True, max_length=64)
    # Named outright: under the service's settings another model is the user model.
    owner = models.ForeignKey("auth.User", on_delete=models.CASCADE, related_name="bank_accounts")
    name = models.CharField(max_length=64)
    type = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    balance = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        app_label = "sandbox"
        ordering = ["id"]

    def __str__(self) -> str:
        return self.id


class Transaction(models.Model):
    objects: ClassVar[models.Manager["Transaction"]] = models.Manager()

    id = models.CharField(primary_key=True, max_length=64)
    account = models.ForeignKey(BankAccount, on_delete=models.CASCADE, related_name="transactions")
    posted_at = models.DateTimeField()
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    description = models.CharField(max_length=128)

    class Meta:
        app_label = "sandbox"
        ordering = ["-posted_at", "-id"]
        indexes = [models.Index(fields=["account", "-posted_at"], name="transactions_of_account")]

    def __str__(self) -> str:
        return self.id


class PagePost(models.Model):
    objects: ClassVar[models.Manager["PagePost"]] = models.Manager()

    id = models.BigAutoField(primary_key=True)
    page_id = models.CharField(max_length=64, db_index=True)
    text = models.CharField(max_length=500)
    image_url = models.CharField(max_length=2048)
    posted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "sandbox"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.page_id} {self.pk}"


class Status(models.Model):
    """What a person has posted for everybody to read."""

    objects: ClassVar[models.Manager["Status"]] = models.Manager()

    id = models.BigAutoField(primary_key=True)
    author = models.ForeignKey("auth.User", on_delete=models.CASCADE, related_name="statuses")
    text = models.CharField(max_length=500)
    image_url = models.CharField(max_length=2048)
    # What a client may repeat a post by, and find that there is but one.
    idempotency_key = models.CharField(max_length=64, null=True)
    posted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "sandbox"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["author", "idempotency_key"], name="one_status_a_key")
        ]

    def __str__(self) -> str:
        return str(self.pk)
