"""The strictest content policy that a careful site has, on every admin page of the suite."""


def strict(get_response):
    def answer(request):
        response = get_response(request)
        if request.path.startswith("/admin/"):
            response.headers.setdefault("Content-Security-Policy", "default-src 'self'")
        return response

    return answer
