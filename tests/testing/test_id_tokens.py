"""Id tokens whose claims a test can bend."""

import jwt

from django_lti_ags.testing.platforms.launches import Intent


def test_claims_can_be_bent(plain):
    intent = Intent(plain.course.users["u1"], plain.course, plain.link)
    token = plain.platform.launches.id_token(plain.tool, intent, "n", sub=None, iss="x")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert "sub" not in claims
    assert (claims["iss"], claims["nonce"]) == ("x", "n")
