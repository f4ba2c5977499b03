"""What tests of the system build on; every module but ``users`` needs pytest or is for use with it.

base_test_case         SSotBaseTestCase, SSotAsyncTestCase: isolated environment, metrics, assertions
base, integration      smaller bases; integration tests
environment_fixtures   pytest fixtures of the isolated environment
mock_factory, mocks    mocks shaped as the real things
metrics, users         what the above record and make
websocket_*            clients, utilities and assertions for WebSocket tests
"""
