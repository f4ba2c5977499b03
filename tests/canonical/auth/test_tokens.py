"""Keys and the verification of one token."""

from __future__ import annotations

import json
import time

import pytest

pytest.importorskip("jwt", reason="PyJWT is in the server extra")

from compat.canonical.auth.keys import Key, KeyMaterialError, KeySet
from compat.canonical.auth.tokens import TokenRejected, TokenRules, verify_token

RULES = TokenRules(issuer="https://issuer.example", audience="netra")


def reason(token, keys, rules=RULES):
    with pytest.raises(TokenRejected) as caught:
        verify_token(token, keys, rules)
    return caught.value.reason


@pytest.fixture
def keys(secret):
    return KeySet.shared_secret(secret)


@pytest.fixture(scope="module")
def rsa():
    """A fresh RSA key pair: (private PEM, public PEM)."""
    primitives = pytest.importorskip(
        "cryptography.hazmat.primitives.asymmetric.rsa", reason="cryptography is in the server extra"
    )
    from cryptography.hazmat.primitives import serialization

    private = primitives.generate_private_key(public_exponent=65537, key_size=2048)
    return (
        private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    )


def test_a_good_token_gives_its_claims(make_token, keys):
    claims = verify_token(make_token(email="a@example.com"), keys, RULES)
    assert (claims["sub"], claims["email"]) == ("user_1", "a@example.com")
    assert verify_token(make_token().encode(), keys, RULES)["sub"] == "user_1"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS512", "RS256", "xyz", "", 7, None])
def test_an_algorithm_outside_the_list_is_rejected_before_the_signature(alg, forge, keys):
    token = forge({"alg": alg, "typ": "JWT"}, {"sub": "user_1", "exp": time.time() + 60}, b"")
    assert reason(token + ("A" if token.endswith(".") else ""), keys) in ("algorithm", "malformed")


def test_alg_none_with_an_empty_signature(forge, keys):
    assert reason(forge({"alg": "none"}, {"sub": "user_1", "exp": time.time() + 60}, b""), keys) == "algorithm"


def test_a_public_key_cannot_serve_as_an_hmac_secret(rsa, forge, b64):
    import hashlib
    import hmac

    header, claims = {"alg": "HS256"}, {"sub": "user_1", "exp": int(time.time()) + 60, "iss": RULES.issuer, "aud": "netra"}
    unsigned = forge(header, claims).rpartition(".")[0]
    confused = unsigned + "." + b64(hmac.new(rsa[1], unsigned.encode(), hashlib.sha256).digest())
    both = TokenRules(algorithms=("RS256", "HS256"), issuer=RULES.issuer, audience="netra")
    assert reason(confused, KeySet.public_pem(rsa[1]), both) == "unknown_key"
    assert reason(confused, KeySet.public_pem(rsa[1]) + KeySet.shared_secret("z" * 32), both) == "signature"


def test_rs256_tokens_verify_with_the_public_key(rsa, make_token):
    rules = TokenRules(algorithms=("RS256",), issuer=RULES.issuer, audience="netra")
    assert verify_token(make_token(rsa[0], "RS256"), KeySet.public_pem(rsa[1]), rules)["sub"] == "user_1"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"exp": 1}, "expired"),
        ({"exp": None}, "claims"),
        ({"nbf": 9_999_999_999}, "not_yet_valid"),
        ({"iat": 9_999_999_999}, "not_yet_valid"),
        ({"aud": "another"}, "audience"),
        ({"aud": None}, "audience"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"sub": None}, "subject"),
        ({"sub": "  "}, "subject"),
        ({"exp": "soon"}, "malformed"),
        ({"exp": "9999999999"}, "claims"),
        ({"exp": " 9999999999 "}, "claims"),
        ({"exp": "9_999_999_999"}, "claims"),
        ({"exp": 1e300}, "claims"),
        ({"exp": 10**400}, "claims"),
        ({"exp": float("inf")}, "malformed"),
        ({"exp": float("nan")}, "malformed"),
        ({"exp": [9_999_999_999]}, "malformed"),
        ({"nbf": "1"}, "claims"),
        ({"nbf": True}, "claims"),
        ({"iat": "1"}, "claims"),
        ({"iat": False}, "claims"),
    ],
)
def test_every_claim_is_checked(make_token, keys, changes, expected):
    assert reason(make_token(**changes), keys) == expected


def test_a_subject_that_is_no_text_is_rejected(keys, b64, secret):
    import hashlib
    import hmac

    body = f"{b64(json.dumps({'alg': 'HS256'}).encode())}.{b64(json.dumps({'sub': 7, 'exp': 9999999999}).encode())}"
    token = f"{body}.{b64(hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest())}"
    assert reason(token, keys, TokenRules()) == "subject"


def test_a_wrong_key_and_a_changed_payload(make_token, keys, b64):
    assert reason(make_token("o" * 48), keys) == "signature"
    head, _, tail = make_token().split(".")
    assert reason(".".join([head, b64(b'{"sub":"admin","exp":9999999999}'), tail]), keys) == "signature"


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (None, "no_token"),
        ("", "no_token"),
        ("abc", "malformed"),
        ("a.b.c", "malformed"),
        (b"\xff\xfe.\xff.\xff", "malformed"),
        ("\u00e9.b.c", "malformed"),
        ("...", "malformed"),
        ("x" * 8193, "too_large"),
        (b"x" * 9_000_000, "too_large"),
    ],
)
def test_what_is_no_token(keys, token, expected):
    assert reason(token, keys) == expected


def test_leeway_forgives_clock_difference(make_token, keys):
    token = make_token(exp=int(time.time()) - 5)
    assert reason(token, keys) == "expired"
    assert verify_token(token, keys, TokenRules(issuer=RULES.issuer, audience="netra", leeway=30))["sub"] == "user_1"


def test_rotation_keeps_the_previous_key_while_it_is_listed(make_token, secret):
    rotated = KeySet.shared_secret("n" * 48, secret)
    assert verify_token(make_token(), rotated, RULES)["sub"] == "user_1"
    assert verify_token(make_token("n" * 48), rotated, RULES)["sub"] == "user_1"
    assert reason(make_token(), KeySet.shared_secret("n" * 48)) == "signature"


def test_a_jwks_selects_by_kid_and_type(rsa, make_token, b64):
    import jwt

    public = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).prepare_key(rsa[1])
    entry = jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True)
    document = {
        "keys": [
            {**entry, "kid": "first", "use": "sig", "key_ops": ["verify"]},
            {**entry, "kid": "sealed", "use": "enc"},
            {"kty": "oct", "k": b64(b"q" * 32), "kid": "shared", "alg": "HS256"},
            {"kty": "odd"},
        ]
    }
    keys = KeySet.jwks(json.dumps(document))
    assert [key.kid for key in keys.keys] == ["first", "shared"]
    rules = TokenRules(algorithms=("RS256", "HS256"), issuer=RULES.issuer, audience="netra")
    assert verify_token(make_token(rsa[0], "RS256", {"kid": "first"}), keys, rules)["sub"] == "user_1"
    assert verify_token(make_token("q" * 32, headers={"kid": "shared"}), keys, rules)["sub"] == "user_1"
    assert reason(make_token("q" * 32, headers={"kid": "first"}), keys, rules) == "unknown_key"
    assert reason(make_token(rsa[0], "RS256", {"kid": "gone"}), keys, rules) == "unknown_key"


def test_weak_or_contradictory_keys_are_refused(b64):
    with pytest.raises(KeyMaterialError, match="the secret has 5 bytes; HS256 needs at least 32"):
        KeySet.shared_secret("short")
    with pytest.raises(KeyMaterialError, match="previous secret 1 has 3 bytes"):
        KeySet.shared_secret("s" * 32, "old")
    with pytest.raises(KeyMaterialError, match="'RS256' takes no shared secret"):
        KeySet.shared_secret("s" * 32, algorithm="RS256")
    with pytest.raises(KeyMaterialError, match="cannot be both secret and public"):
        Key("k", ("HS256", "RS256"))
    with pytest.raises(KeyMaterialError, match="'none' verifies nothing"):
        Key("k", ("none",))
    with pytest.raises(KeyMaterialError, match="a public key in PEM form cannot verify an HMAC"):
        KeySet.public_pem("pem", ["HS256"])
    with pytest.raises(KeyMaterialError, match="an object with a list under 'keys'"):
        KeySet.jwks("[]")
    with pytest.raises(KeyMaterialError, match="holds no key that verifies"):
        KeySet.jwks({"keys": [{"kty": "odd"}]})
    with pytest.raises(KeyMaterialError, match="is a secret of 3 bytes"):
        KeySet.jwks({"keys": [{"kty": "oct", "k": b64(b"abc")}]})


def test_rules_refuse_none_and_nonsense():
    with pytest.raises(ValueError, match="'none' is refused"):
        TokenRules(algorithms=("none",))
    with pytest.raises(ValueError, match="leeway -1 must be >= 0"):
        TokenRules(leeway=-1)
    assert TokenRules(require=("jti",)).require == ("exp", "sub", "jti")


def test_a_key_does_not_show_its_material(secret):
    assert secret not in repr(KeySet.shared_secret(secret).keys)


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "EdDSA", "PS256"])
def test_other_public_key_algorithms_verify_by_jwks_and_by_pem(algorithm, rsa, make_token):
    import jwt
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if algorithm == "PS256":
        private, public_pem = rsa
        public = serialization.load_pem_public_key(public_pem)
    else:
        curve = ec.SECP384R1() if algorithm == "ES384" else ec.SECP256R1()
        made = ed25519.Ed25519PrivateKey.generate() if algorithm == "EdDSA" else ec.generate_private_key(curve)
        private, public = made, made.public_key()
        public_pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    rules = TokenRules(algorithms=(algorithm,), issuer=RULES.issuer, audience="netra")
    token = make_token(private, algorithm, {"kid": "k1"})
    entry = jwt.get_algorithm_by_name(algorithm).to_jwk(public, as_dict=True)
    entry.pop("key_ops", None)
    for keys in (KeySet.public_pem(public_pem, [algorithm]), KeySet.jwks({"keys": [{**entry, "kid": "k1"}]})):
        assert verify_token(token, keys, rules)["sub"] == "user_1"
        assert reason(make_token(), keys, TokenRules(algorithms=("HS256",))) == "unknown_key"


def test_a_key_that_cannot_be_read_lets_nobody_in(make_token, rsa):
    broken = KeySet.jwks({"keys": [{"kty": "RSA", "n": "x", "e": "AQAB", "kid": "k1"}]})
    token = make_token(rsa[0], "RS256", {"kid": "k1"})
    assert reason(token, broken, TokenRules(algorithms=("RS256",))) in ("unknown_key", "signature")
    nothing = KeySet([Key({"kty": "RSA"}, ("RS256",), "k1")])
    assert reason(token, nothing, TokenRules(algorithms=("RS256",))) == "unknown_key"
    assert reason(token, KeySet.public_pem("no pem"), TokenRules(algorithms=("RS256",))) in ("unknown_key", "malformed")
