"""The paths of social-app-django, as its documents mount them."""

from django.urls import include, path

urlpatterns = [path("", include("social_django.urls", namespace="social"))]
