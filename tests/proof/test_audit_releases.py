"""The audit of real releases finds what their own migration guides say went."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytest.importorskip("griffe")

#: From the upgrading guide of marshmallow 4.0, the migration guide of networkx 3.0, and the v2 migration guide of urllib3.
GUIDES = {
    "marshmallow": (
        "3.26.1",
        "4.0.0",
        """
        marshmallow:pprint is gone
        marshmallow.base is gone
        marshmallow.fields:Field.fail is gone
        marshmallow.fields:Field.context is gone
        marshmallow.fields:Field.default is gone
        marshmallow.fields:Field.missing is gone
        marshmallow.fields:TimeDelta.__init__ has lost its parameter serialization_type
        marshmallow.decorators:pre_load has lost its parameter pass_many
        marshmallow.decorators:post_load has lost its parameter pass_many
        marshmallow.decorators:pre_dump has lost its parameter pass_many
        marshmallow.decorators:post_dump has lost its parameter pass_many
        marshmallow.decorators:validates_schema has lost its parameter pass_many
        marshmallow.exceptions:FieldInstanceResolutionError is gone
        marshmallow.utils:from_rfc is gone
        marshmallow.utils:from_iso_datetime is gone
        marshmallow.utils:is_keyed_tuple is gone
        """,
    ),
    "networkx": (
        "2.8.8",
        "3.0",
        """
        networkx:info is gone
        networkx:to_numpy_matrix is gone
        networkx:from_numpy_matrix is gone
        networkx:to_scipy_sparse_matrix is gone
        networkx:from_scipy_sparse_matrix is gone
        networkx:to_numpy_recarray is gone
        networkx:read_gpickle is gone
        networkx:write_gpickle is gone
        networkx:read_shp is gone
        networkx:write_shp is gone
        networkx:jit_data is gone
        networkx:jit_graph is gone
        networkx:adj_matrix is gone
        networkx:hub_matrix is gone
        networkx:authority_matrix is gone
        networkx:pagerank_numpy is gone
        networkx:pagerank_scipy is gone
        networkx:hits_numpy is gone
        networkx:hits_scipy is gone
        networkx:project is gone
        networkx:find_cores is gone
        networkx:edge_betweenness is gone
        networkx:extrema_bounding is gone
        networkx:make_small_graph is gone
        networkx:numeric_mixing_matrix is gone
        networkx:k_nearest_neighbors is gone
        """,
    ),
    "urllib3": (
        "1.26.20",
        "2.0.7",
        """
        urllib3:get_host is gone
        urllib3.contrib.appengine is gone
        urllib3.contrib.ntlmpool is gone
        urllib3.response:HTTPResponse.from_httplib is gone
        urllib3.util.retry:Retry.__init__ has lost its parameter method_whitelist
        urllib3.util.ssl_:DEFAULT_CIPHERS is gone
        urllib3.connectionpool:HTTPConnectionPool.__init__ has lost its parameter strict
        """,
    ),
}


@pytest.mark.parametrize("name", GUIDES)
def test_the_audit_finds_what_the_guide_says_went(name, tmp_path):
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode:
        pytest.skip("pip is not installed in this environment")
    old, new, told = GUIDES[name]
    command = [sys.executable, "-m", "compat", "audit", f"{name}=={old}", f"{name}=={new}", "--package", name, "--format", "json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    found = {item["message"] for item in json.loads(done.stdout)["breaks"]}
    wanted = {line.strip() for line in told.strip().splitlines()}
    print(f"{name} {old} -> {new}: {len(found)} breaks, {len(wanted & found)} of {len(wanted)} of its guide")
    assert not wanted - found
