"""Principals, their teams, keys and refresh tokens, and the second factor of operators."""

from connections_project.identity.models.keys import ApiKey as ApiKey
from connections_project.identity.models.keys import Scope as Scope
from connections_project.identity.models.second_factor import Authenticator as Authenticator
from connections_project.identity.models.second_factor import RecoveryCode as RecoveryCode
from connections_project.identity.models.sessions import SessionFamily as SessionFamily
from connections_project.identity.models.teams import Membership as Membership
from connections_project.identity.models.teams import Team as Team
from connections_project.identity.models.users import ACT_FOR_USERS as ACT_FOR_USERS
from connections_project.identity.models.users import ForgottenSubject as ForgottenSubject
from connections_project.identity.models.users import PrincipalType as PrincipalType
from connections_project.identity.models.users import User as User
