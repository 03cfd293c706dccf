"""The LMS: a simulated platform, and the pages that people see of one."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.template import Context, Engine

from django_lti_ags.testing.platforms import Request, Response, Route, SimulatedPlatform, User

if TYPE_CHECKING:
    from django_lti_ags.testing.platforms import Course, ResourceLink

CLIENT_ID = "quiz"
DEPLOYMENT_ID = "1"
COOKIE = "lms_session"
PEOPLE = (
    User(id="6a1f-ines", login="ines", name="Inès Moreau", role="instructor"),
    User(id="83bc-ada", login="ada", name="Ada Okafor"),
    User(id="17d0-ben", login="ben", name="Ben Carter"),
    User(id="92ee-chloe", login="chloe", name="Chloé Martin"),
    User(id="4f55-dmitri", login="dmitri", name="Dmitri Volkov"),
    User(id="b0a7-emi", login="emi", name="Emi Tanaka"),
)


class LmsSite:
    """The pages. Whoever holds the session cookie is logged in; nothing outlives the process."""

    def __init__(self, port: int, tool_url: str) -> None:
        self._engine = Engine(dirs=[str(Path(__file__).parent / "templates")])
        self._sessions: dict[str, User] = {}
        self.platform = SimulatedPlatform(port=port)
        tool = self.platform.register_tool(
            client_id=CLIENT_ID,
            deployment_id=DEPLOYMENT_ID,
            jwks_url=f"{tool_url}/lti/jwks.json",
            login_url=f"{tool_url}/lti/login/",
            redirect_uris=[f"{tool_url}/lti/launch/"],
        )
        self._course: Course = self.platform.add_course("general-101", "General Knowledge 101", PEOPLE)
        self._link: ResourceLink = self.platform.add_link(self._course, "Five questions", tool, score_maximum=8)
        self.platform.launches.session_user = self._user
        self.platform.add_routes(
            [
                Route("GET", "/", self._home),
                Route("POST", "/login", self._log_in),
                Route("POST", "/logout", self._log_out),
                Route("GET", "/launch", self._launch),
                Route("GET", "/gradebook", self._gradebook),
                Route("GET", "/lms.css", self._style),
            ]
        )

    def _user(self, request: Request) -> User | None:
        return self._sessions.get(request.cookies.get(COOKIE, ""))

    def _page(self, name: str, request: Request, **values: Any) -> Response:
        shown = {"user": self._user(request), "course": self._course, "link": self._link, **values}
        return Response.html(self._engine.get_template(name).render(Context(shown)), headers=[("Cache-Control", "no-store")])

    def _home(self, request: Request) -> Response:
        user = self._user(request)
        if user is None:
            return self._page("login.html", request, people=PEOPLE)
        return self._page("course.html", request, grade=self._grades().get(user.id))

    def _log_in(self, request: Request) -> Response:
        user = next((person for person in PEOPLE if person.login == request.form.get("login")), None)
        if user is None:
            return Response.redirect("/")
        session = secrets.token_urlsafe(24)
        self._sessions[session] = user
        return Response.redirect("/", headers=[("Set-Cookie", f"{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax")])

    def _log_out(self, request: Request) -> Response:
        self._sessions.pop(request.cookies.get(COOKIE, ""), None)
        return Response.redirect("/", headers=[("Set-Cookie", f"{COOKIE}=; Path=/; Max-Age=0")])

    def _launch(self, request: Request) -> Response:
        user = self._user(request)
        if user is None:
            return Response.redirect("/")
        return Response.redirect(self.platform.launches.initiation_url(user, self._course, self._link))

    def _gradebook(self, request: Request) -> Response:
        user = self._user(request)
        if user is None:
            return Response.redirect("/")
        grades = self._grades()
        rows = [(person, grades.get(person.id)) for person in PEOPLE if person.is_learner and (not user.is_learner or person is user)]
        return self._page("gradebook.html", request, rows=rows)

    def _grades(self) -> dict[str, str]:
        return {user.id: f"{grade:g}" for user, _, grade in self._course.gradebook() if grade is not None}

    def _style(self, request: Request) -> Response:
        return Response(body=(Path(__file__).parent / "lms.css").read_bytes(), content_type="text/css")
