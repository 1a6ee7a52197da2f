"""Headers: what belongs to a hop stays there, what a client must not say is not passed, the rest is unchanged."""

from wire.connection import HOST, case, head, same

ROUTING = "x-mlflow-sm-tracking-server-arn"


@case("headers of the hop are not passed")
def hop_by_hop(wire):
    sent = [("Connection", "keep-alive, X-Secret-Hop"), ("X-Secret-Hop", "1"), ("Keep-Alive", "timeout=5")]
    sent += [("TE", "trailers"), ("Proxy-Authorization", "Basic x"), ("Proxy-Connection", "close"), ("X-Keep", "1")]
    echo = wire.echo(headers=sent)
    for name in ("x-secret-hop", "keep-alive", "te", "proxy-authorization", "proxy-connection"):
        same((name, echo.values(name)), (name, []))
    same(echo.values("x-keep"), ["1"])


@case("headers that `Connection` names do not take away what is signed")
def hop_by_name(wire):
    sent = [("Connection", "close, x-amz-date, authorization, host, x-amz-security-token, x-amz-content-sha256")]
    wire.echo(headers=[*sent, (ROUTING, "arn:evil")])


@case("the client's own authorization is replaced")
def authorization(wire):
    for value in ("Bearer secret", "Basic dTpw", "AWS4-HMAC-SHA256 Credential=x"):
        for got in wire.echo(headers=[("Authorization", value)]).values("authorization"):
            assert got.startswith("AWS4-HMAC-SHA256 Credential=ASIA"), got


@case("ARNs and x-amz-* of a client are replaced")
def amazon_headers(wire):
    sent = [("X-Mlflow-Sm-Tracking-Server-Arn", "arn:evil"), ("x-sm-mlflow-app-arn", "arn:evil2")]
    sent += [("X-Amz-Evil", "1"), ("X-Amz-Date", "20200101T000000Z"), ("X-Amz-Security-Token", "zz")]
    echo = wire.echo(headers=[*sent, ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")])
    same(len(echo.values(ROUTING)), 1)
    assert "evil" not in echo.values(ROUTING)[0]
    same((echo.values("x-sm-mlflow-app-arn"), echo.values("x-amz-evil")), ([], []))
    same(len(echo.values("x-amz-date")), 1)


@case("the host is the upstream's")
def host(wire):
    assert wire.echo().values("host")[0].startswith("127.0.0.1:")


@case("who asks and through what is not told upstream")
def forwarded(wire):
    names = ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "Via"]
    echo = wire.echo(headers=[(name, "10.1.2.3") for name in names])
    same([value for _, value in echo.headers if "10.1.2.3" in value], [])


@case("an origin of the proxy itself does not reach upstream as a foreign one")
def origin(wire):
    sent = [("Origin", f"http://{HOST}"), ("Referer", f"http://{HOST}/x"), ("Sec-Fetch-Site", "same-origin")]
    echo = wire.echo("POST", "/__echo", sent, b"{}")
    same([value for _, value in echo.headers if HOST in value], [])


@case("a change from a foreign origin is refused")
def foreign_origin(wire):
    before = wire.counts().get("POST /__echo", 0)
    for sent in ([("Origin", "https://evil.example")], [("Sec-Fetch-Site", "cross-site")], [("Origin", "null")]):
        same((sent, wire.ask("POST", "/__echo", sent, b"{}").status), (sent, 403))
    same(wire.counts().get("POST /__echo", 0), before)


@case("headers of MLflow's clients pass")
def of_mlflow(wire):
    sent = {"x-mlflow-workspace": "w1", "x-mlflow-experiment-id": "7", "user-agent": "mlflow-python-client/3"}
    echo = wire.echo(headers=list(sent.items()))
    same({name: echo.values(name) for name in sent}, {name: [value] for name, value in sent.items()})


@case("a repeated header keeps all its values")
def repeated(wire):
    values = wire.echo(headers=[("Accept-Language", "a"), ("Accept-Language", "b")]).values("accept-language")
    same(",".join(values).replace(" ", ""), "a,b")


@case("double spaces and Latin-1 in values, an empty value")
def odd_values(wire):
    sent = [("Content-Type", 'a/b;  c="d  e"'), ("X-Latin", "caf\xe9"), ("X-Empty", "")]
    echo = wire.echo("POST", "/__echo", sent, b"x")
    same((echo.values("x-latin"), echo.values("x-empty")), (["caf\xe9"], [""]))


@case("a range passes")
def ranged(wire):
    same(wire.echo(headers=[("Range", "bytes=0-5")]).values("range"), ["bytes=0-5"])


@case("cookies of a load balancer's sign-in stay here")
def cookies(wire):
    sent = [("Cookie", "AWSELBAuthSessionCookie-0=abc; AWSELBAuthSessionCookie-1=def; AWSALB=x")]
    assert "AWSELB" not in str(wire.echo(headers=sent).values("cookie"))


@case("identities that a load balancer has verified stay here")
def balancer_identity(wire):
    sent = [("x-amzn-oidc-data", "a.b.c"), ("x-amzn-oidc-accesstoken", "t"), ("x-amzn-oidc-identity", "me")]
    same([name for name, _ in wire.echo(headers=sent).headers if "oidc" in name], [])


@case("headers that override a method do not arrive")
def overrides(wire):
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        answer = wire.ask("POST", "/__echo", [(name, "DELETE")], b"{}")
        if answer.status == 200:
            same([it for it, _ in answer.json()["headers"] if it == name.lower()], [])
        else:
            same(answer.status, 400)


@case("headers that are too long, or too many, are refused, and the next request is served")
def too_long(wire):
    for headers in ([("X-B", "x" * 300000)], [(f"X-{number}", "1") for number in range(3000)]):
        try:
            assert wire.ask(headers=headers).status in (400, 431)
        except (EOFError, ConnectionError):
            pass
        same(wire.ask().status, 200)


@case("two hosts, no host, an odd host are refused")
def hosts(wire):
    same(wire.ask(headers=[("Host", "evil")]).status, 400)
    same(wire.ask(host=None).status, 400)
    for host in ("evil.example", "169.254.169.254", "a b", f"{HOST}@evil.example", f"{HOST}.evil.example"):
        status = wire.ask(host=host).status
        assert status in (400, 403, 421), f"{host}: {status}"


@case("header names and values that break the form are refused")
def broken_form(wire):
    for line in ("X Y: 1", "X: a\0b", " X: 1", "X-A : 1", ": 1", "no colon"):
        data = f"GET /__echo HTTP/1.1\r\nHost: {HOST}\r\n{line}\r\n\r\n"
        with wire.connect(data) as connection:
            try:
                status = connection.answer().status
            except (EOFError, ConnectionError):
                continue
            same((line, status), (line, 400))


@case("an identifier of the request is given back, a strange one is not taken")
def request_id(wire):
    same(wire.ask(headers=[("X-Request-Id", "abc-123")]).one("x-request-id"), "abc-123")
    assert wire.ask().one("x-request-id")
    given = wire.ask(headers=[("X-Request-Id", 'a"b<c>' * 100)]).one("x-request-id")
    assert given and "<" not in given and len(given) <= 200, given


@case("two requests in one packet get their own answers")
def pipelined(wire):
    with wire.connect(head("GET", "/__echo/1") + head("GET", "/__echo/2")) as connection:
        same(connection.answer().json()["raw"], "/__echo/1")
        same(connection.answer().json()["raw"], "/__echo/2")
